"""E-mail (facts section 4)."""
import os
import time

import camera
from camera import B, ENDINGS, MESSAGE_HEAD, binary_head, email_body, email_head, email_xml, photo, post
from checks_login import fresh_user
from checks_upload import cut_off
from runner import check, Fail
from wire import PROBE, head_problems


def mail(t, photos, what="", user=None, ok=True, **kw):
    """send photos [(name, bytes)] in one e-mail; by default it must succeed and keep all"""
    u = user or fresh_user("mail")
    hk = {k: kw.pop(k) for k in ("ctype", "pre", "target", "host", "eol", "header_boundary") if k in kw}
    chunk = kw.pop("chunk", None)
    xk = {k: kw.pop(k) for k in ("timeout", "shutdown", "src", "strict") if k in kw}
    kw.setdefault("xml", email_xml(sender=u))
    body = email_body(photos, **kw)
    b = hk.pop("header_boundary", None) or kw.get("boundary", B)
    head = email_head(len(body), boundary=b, **hk)
    pieces = [head + body] if chunk is None else [head] + [body[i:i + chunk] for i in range(0, len(body), chunk)]
    a = t.x(pieces, **xk)
    if ok:
        t.is_succ(a, what)
        for n, d in photos:
            t.kept(d, "%s%s" % (what + ": " if what else "", n), user=u)
    return a


def names(n, size=3000, **kw):
    return [("SAM_%04d.JPG" % (4371 + i), photo(size + 17 * i, **kw)) for i in range(n)]


@check("email.capture-exact")
def _(t):
    """the published NX300 request: its head, both User-Agents, two spaces, HTTP/1.0, 1321295 bytes of body"""
    for what, kw in (("two spaces", dict(pre="  ")), ("one space", dict(pre=" ")),
                     ("absolute URI", dict(pre=" ", target="http://www.ospserver.net" + camera.EMAIL_TARGET)),
                     ("no Host", dict(host=None))):
        d = photo(1000)
        xml = email_xml(to=("a@b.example", "c@d.example"))
        rest = len(email_body([("SAM_4371.JPG", d)], xml=xml)) - len(d)
        d = photo(1321295 - rest - 2)
        d = d[:1321295 - rest]
        body = email_body([("SAM_4371.JPG", d)], xml=xml)
        if len(body) != 1321295:
            d += b"x" * (1321295 - len(body))
            body = email_body([("SAM_4371.JPG", d)], xml=xml)
        assert len(body) == 1321295
        a = t.x([email_head(len(body), **kw) + body])
        t.is_succ(a, what)
        t.all_ok(head_problems(a, "plain"), what)
        t.kept(d, what, user="camera@samsungcamera.com")


for _e in ENDINGS:
    for _n in (1, 3):
        def _f(t, e=_e, n=_n):
            mail(t, names(n), ending=e)
            mail(t, names(n, 70_000), "70 kB", ending=e)
            mail(t, names(n, 900), "bytewise end", ending=e, chunk=997)
        check("email.ending.%s.%d" % (_e, _n))(_f)


@check("email.endings-last-bytes-late", timeout=60)
def _(t):
    """the end arrives in a segment of its own, half a second late, cut inside the last boundary"""
    for e in ENDINGS:
        for back in (1, 3, 12):
            u = fresh_user("late")
            ps = names(1)
            body = email_body(ps, xml=email_xml(sender=u), ending=e)
            a = t.x([email_head(len(body)) + body[:-back], 0.2, PROBE, body[-back:]])
            t.is_succ(a, "%s, last %d late" % (e, back))
            t.ok(not a.early, "%s: answered before the last byte" % e)
            t.kept(ps[0][1], "%s, last %d late" % (e, back), user=u)


for _c in (1, 7, 1460, None):
    def _f(t, c=_c):
        for e in ENDINGS:
            size = {1: 700, 7: 5000, 1460: 120_000, None: 400_000}[c]
            mail(t, names(2, size), e, ending=e, chunk=c, timeout=15)
    check("email.pieces.%s" % (_c or "whole"), timeout=60)(_f)


def lookalikes():
    d = b"--" + B.encode()
    N = b"\r\n"
    return {
        "crlf-boundary-minus-last": N + d[:-1] + N + b"q" + N + d[:-1] + b"X",
        "boundary-without-crlf": b"abc" + d + N + b"abc" + d + b"--" + N,
        "lf-boundary": b"abc\n" + d + b"qqq" + b"\n" + d + b"zzz",
        "lf-boundary-crlf": b"abc\n" + d + N + b"zzz",
        "cr-boundary": b"abc\r" + d + b"zzz",
        "crlf-boundary-x": N + d + b"x rest of the photo",
        "crlf-boundary-dash-x": N + d + b"-x rest of the photo",
        "crlf-boundary-cr-x": N + d + b"\rx rest of the photo",
        "crlf-boundary-x-repeated": (N + d + b"x") * 500,
        "crlf-boundary-digit": N + d + b"0" + N,
        "crlf-prefixes": b"".join(N + d[:i] for i in range(len(d))) + b"!",
        "crlf-crlf-prefix": (N + N + d[:-1]) * 40 + b"!",
        "half-then-whole-lookalike": N + d[:10] + N + d[:-1] + b"e",
        "empty-line-runs": N * 4000,
        "cr-runs": b"\r" * 9000,
        "lf-runs": b"\n" * 9000,
        "dash-runs": b"-" * 9000 + N + b"-" * 9000,
        "crlf-dash-runs": (N + b"--") * 3000 + (N + b"-") * 3000,
        "part-header-lookalike": N + N + binary_head("FAKE.JPG") + b"fake",
        "message-lookalike": N + MESSAGE_HEAD + email_xml(sender="evil@judge.example"),
        "other-boundary": N + b"--" + b"other" + N + binary_head("FAKE.JPG") + N + b"--other--" + N,
    }


for _name, _mid in lookalikes().items():
    def _f(t, mid=_mid):
        for what, kw in (("one piece", {}), ("1460", dict(chunk=1460)), ("7", dict(chunk=7)), ("ends without boundary", dict(ending="none")),
                         ("ends --", dict(ending="dashes-crlf"))):
            size = len(mid) + (600 if kw.get("chunk") == 7 else 3000)
            mail(t, names(1, size, middle=mid), what, **kw)
        mail(t, [("SAM_0001.JPG", photo(len(mid) + 1000, middle=mid)), ("SAM_0002.JPG", photo())], "first of two")
    check("email.lookalike.%s" % _name)(_f)


def tails():
    d = b"\r\n--" + B.encode()
    return {"crlf": b"\r\n", "crlf-crlf": b"\r\n\r\n", "cr": b"\r", "lf": b"\n", "crlf-dashes": b"\r\n--", "crlf-dash": b"\r\n-", "dashes": b"--",
            "boundary-half": d[:20], "boundary-minus-1": d[:-1], "boundary-without-crlf": d[2:]}


for _name, _tail in tails().items():
    def _f(t, tail=_tail):
        for e in ENDINGS:
            mail(t, names(1, tail=tail), e, ending=e)
        mail(t, names(3, tail=tail), "three photos")
        mail(t, names(2, 600, tail=tail), "in pieces of 7", chunk=7)
    check("email.photo-ends-in.%s" % _name)(_f)


def begins():
    d = b"--" + B.encode()
    return {"crlf": b"\r\n", "crlf-crlf": b"\r\n\r\n", "lf": b"\n", "space": b" ", "boundary-x": d + b"x", "boundary-crlf-less": d[:-1] + b"\r\n", "crlf-boundary-x": b"\r\n" + d + b"x",
            "dashes": b"--", "header-like": b"content-Type: image/jpeg;\r\n\r\n", "colon": b": x\r\n"}


for _name, _lead in begins().items():
    def _f(t, lead=_lead):
        for what, kw in (("", {}), ("in pieces of 7", dict(chunk=7)), ("ends without boundary", dict(ending="none"))):
            u = fresh_user("beg")
            ds = [lead + photo(700), lead + photo(900)]
            body = email_body([("A.JPG", ds[0]), ("B.JPG", ds[1])], xml=email_xml(sender=u), ending=kw.get("ending", "boundary"))
            step = kw.get("chunk") or len(body)
            a = t.x([email_head(len(body))] + [body[i:i + step] for i in range(0, len(body), step)])
            t.is_succ(a, what)
            for i, d in enumerate(ds):
                t.ok(len(t.srv.find(d)) == 1, "%s photo %d: not kept exactly" % (what, i + 1))
    check("email.photo-begins-with.%s" % _name)(_f)


@check("email.lookalike-in-message")
def _(t):
    """boundary look-alikes in the text of the e-mail, not only in the photo"""
    for name, mid in lookalikes().items():
        if name in ("cr-boundary", "lf-boundary", "crlf-boundary-minus-last", "boundary-without-crlf", "crlf-boundary-x", "crlf-boundary-dash-x", "crlf-prefixes", "part-header-lookalike"):
            u = fresh_user("txt")
            xml = email_xml(sender=u, body="<![CDATA[one " + mid.decode("latin-1") + " two]]>")
            mail(t, names(2), name, user=u, xml=xml)


@check("email.head-variants")
def _(t):
    """the e-mail's head without any space after a colon, in lower and upper case, with LF only"""
    for what, f in (("no space after any colon", lambda h: h.replace(b": ", b":")),
                    ("LF only", lambda h: h.replace(b"\r\n", b"\n")),
                    ("lower-case names", lambda h: case(h, bytes.lower)), ("upper-case names", lambda h: case(h, bytes.upper))):
        u = fresh_user("hv")
        ps = names(2)
        body = email_body(ps, xml=email_xml(sender=u))
        a = t.x([f(email_head(len(body))) + body])
        t.is_succ(a, what)
        for n, d in ps:
            t.kept(d, what, user=u)


def case(head, f):
    lines = head.split(b"\r\n")
    return b"\r\n".join([lines[0]] + [f(n) + c + v for n, c, v in (l.partition(b":") for l in lines[1:])])


@check("email.fifteen-hundred-parts", timeout=90)
def _(t):
    """1500 small photos in one e-mail: all kept, or refused as a whole; never half"""
    u = fresh_user("parts")
    ps = [("P%04d.JPG" % i, photo(200)) for i in range(1500)]
    body = email_body(ps, xml=email_xml(sender=u))
    a = t.x([email_head(len(body)) + body], timeout=60)
    have = {open(p, "rb").read() for r, p in t.srv.files() if r.lower().startswith(u)}
    if a.status == 200:
        t.is_succ(a)
        t.ok(len(have) == 1500 and have == {d for _, d in ps}, "%d of 1500 kept" % len(have))
    else:
        t.is_error(a, (400, 413))
        t.ok(not have, "refused, but %d kept" % len(have))
    t.note("status %d, %d kept" % (a.status, len(have)))


@check("email.boundary-at-buffer-edges", timeout=60)
def _(t):
    """the delimiter falls across every likely buffer edge"""
    n = 0
    for edge in (4096, 8192, 16384, 32768, 65536):
        for off in (-31, -29, -17, -3, -2, -1, 0, 1, 2, 5):
            u = fresh_user("edge")
            x = email_xml(sender=u)
            lead = len(email_body([("SAM_0001.JPG", b"")], xml=x, ending="none"))
            d = photo(edge + off - lead - 10)
            d += b"p" * (edge + off - lead - len(d))
            d2 = photo(800)
            body = email_body([("SAM_0001.JPG", d), ("SAM_0002.JPG", d2)], xml=x)
            a = t.x([email_head(len(body)), 0.003, body[:edge], 0.003, body[edge:]])
            if not t.is_succ(a, "edge %d%+d" % (edge, off)) and len(t.problems) > 5:
                return
            t.kept(d, "edge %d%+d" % (edge, off), user=u)
            t.kept(d2, "edge %d%+d, second" % (edge, off), user=u)
            n += 1
    t.note("%d e-mails" % n)


@check("email.boundary-forms")
def _(t):
    for what, b, ctype in (("quoted", B, 'multipart/form-data; boundary="%s"' % B), ("no space", B, "multipart/form-data;boundary=%s" % B),
                           ("quoted, short", "q", 'multipart/form-data; boundary="q"'), ("short", "Zz", "multipart/form-data; boundary=Zz"),
                           ("70 characters", "b" * 70, "multipart/form-data; boundary=" + "b" * 70)):
        for e in ("boundary", "dashes-crlf", "none"):
            ps = [("SAM_0001.JPG", photo(2000).replace(b"\r\n--", b"____"))]
            mail(t, ps, "%s, %s" % (what, e), boundary=b, ctype=ctype, ending=e)


@check("email.normal-spelling")
def _(t):
    """a part as other clients write it: filename, Content-Disposition, no trailing semicolon"""
    ps = names(2)
    heads = [b'Content-Disposition: form-data; name="binary"; filename="%s"\r\nContent-Type: image/jpeg\r\n\r\n' % n.encode() for n, _ in ps]
    mail(t, ps, heads=heads, message_head=b'Content-Disposition: form-data; name="message"; filename="sample.txt"\r\nContent-Type: text/xml\r\n\r\n',
         ending="dashes-crlf")
    got = [os.path.basename(t.srv.find(d)[0]) for _, d in ps if t.srv.find(d)]
    t.ok(got == [n for n, _ in ps], "names %s" % got)


@check("email.kept-under-camera-name")
def _(t):
    ps = names(3)
    u = fresh_user("names")
    mail(t, ps, user=u)
    for n, d in ps:
        t.kept(d, user=u, name=n)
    d2 = photo()
    mail(t, [("SAM_4371.JPG", d2)], "another photo of the same name", user=u)
    t.kept(ps[0][1], "the first after the second", user=u)
    d3, d4 = photo(), photo()
    mail(t, [("SAME.JPG", d3), ("SAME.JPG", d4)], "two of one name in one e-mail", user=u)


@check("email.same-bytes-once")
def _(t):
    u = fresh_user("twice")
    ps = names(1)
    for i in range(3):
        mail(t, ps, "time %d" % (i + 1), user=u)
    mail(t, [("OTHER.JPG", ps[0][1])], "other name", user=u)
    mail(t, [("A.JPG", ps[0][1]), ("B.JPG", ps[0][1])], "twice in one e-mail", user=u)


@check("email.and-social-one-user")
def _(t):
    """the same user by e-mail and by login: one folder, the same bytes once"""
    u = fresh_user("both")
    ps = names(1)
    mail(t, ps, user=u)
    s = t.login(u)
    t.is_succ(t.put("/upload/%s/%s" % (s, ps[0][0]), ps[0][1]))
    t.kept(ps[0][1], user=u)


@check("email.senders")
def _(t):
    for what, form in (("plain", "%s"), ("Name &lt;addr&gt;", "My Camera &lt;%s&gt;"), ("CDATA Name <addr>", "<![CDATA[My Camera <%s>]]>"),
                       ("&lt;addr&gt;", "&lt;%s&gt;"), ("quoted name", '"Cam, era" &lt;%s&gt;'), ("CDATA", "<![CDATA[%s]]>"),
                       ("a name that is an address", "other@judge.example &lt;%s&gt;"), ("with spaces around", " %s "), ("name in Korean", "카메라 &lt;%s&gt;")):
        u = fresh_user("snd")
        mail(t, names(1), what, user=u, xml=email_xml(sender=form % u))
    u = fresh_user("snd")
    ps = names(1)
    a = mail(t, ps, user=u, ok=False, xml=email_xml(sender="My Camera <%s>" % u))      # no XML, but what a careless camera sends
    if a.status == 200:
        t.kept(ps[0][1], "unescaped Name <addr>", user=u)
    else:
        t.is_error(a, 400, "unescaped Name <addr>")
    t.note("unescaped `Name <addr>`: %d" % a.status)


@check("email.xml-forms")
def _(t):
    u = fresh_user("xml")
    x = lambda **k: email_xml(sender=u, **k)
    cases = {
        "CRLF between the elements": x(eol="\r\n"), "LF between the elements": x(eol="\n"), "CRLF and tabs": x(eol="\r\n\t"),
        "empty body": x(body_element="<body></body>"), "self-closed body": x(body_element="<body/>"), "no body": x(body_element=""),
        "empty CDATA body": x(body="<![CDATA[]]>"), "body only the language line": x(body="<![CDATA[language_sh100_utf8]]>"),
        "escaped body": x(body="a &amp; b &lt;c&gt; &quot;d&quot; &#65;&#x42;\r\nlanguage_sh100_utf8"), "LF body": x(body="<![CDATA[one\ntwo\nlanguage_sh100_utf8]]>"),
        "literal backslashes": x(body="<![CDATA[Sent from Samsung Camera.\\r\\nlanguage_sh100_utf8]]>"),
        "escaped title": x(title="[Samsung Smart Camera] sent &amp; &lt;you&gt;"), "empty title": x(title=""), "Korean": x(title="<![CDATA[사진]]>", body="안녕"),
        "two CDATA": x(body="<![CDATA[one]]><![CDATA[two]]>"), "many receivers": x(to=["r%d@b.example" % i for i in range(20)], eol="\n"),
        "receiver with name": x(to=["Somebody &lt;a@b.example&gt;"]), "no XML declaration": x().split(b"?>", 1)[1],
        "CRLF after the XML": x() + b"\r\n", "a long text": x(body="<![CDATA[%s]]>" % ("lorem ipsum " * 800)), "header injection": x(title="a\r\nBcc: x@y.example"),
        "CDATA that looks like an end": x(body="<![CDATA[</body></email>]]>"),
    }
    for what, xml in cases.items():
        mail(t, names(1), what, user=u, xml=xml)


@check("email.wrong-boundary-400")
def _(t):
    for what, hb in (("other", "-" * 27 + "000000000000"), ("one character more", B + "x"), ("last character missing", B[:-1]),
                     ("last character another", B[:-1] + "q")):
        for e in ("boundary", "dashes-crlf", "none"):
            ps = names(2)
            a = mail(t, ps, ok=False, ending=e, header_boundary=hb)
            t.is_error(a, 400, "%s, %s" % (what, e))
            for _, d in ps:
                t.not_kept(d, what, settle=3)
    for what, ctype in (("no boundary parameter", "multipart/form-data"), ("empty boundary", "multipart/form-data; boundary="), ("text/plain", "text/plain")):
        ps = names(1)
        a = mail(t, ps, ok=False, ctype=ctype)
        if a.status == 200:          # a reader may find the boundary in the body: then all of it must be kept
            t.kept(ps[0][1], what)
        else:
            t.is_error(a, 400, what)
            t.not_kept(ps[0][1], what, settle=3)


@check("email.not-understood-400")
def _(t):
    u = fresh_user("bad")
    cases = {
        "no message part": dict(message=False),
        "message is no XML": dict(xml=b"hello, this is no XML at all"),
        "message is empty": dict(xml=b""),
        "message is NULs": dict(xml=b"\0" * 500),
    }
    for what, kw in cases.items():
        ps = names(2)
        kw.setdefault("xml", email_xml(sender=u))
        a = mail(t, ps, ok=False, **kw)
        t.is_error(a, 400, what)
        t.all_ok(head_problems(a, "plain"), what)
        for _, d in ps:
            t.not_kept(d, what, settle=3)
    ps = names(1)
    a = mail(t, ps, ok=False, xml=email_xml(sender=u).replace(b"<sender>", b"<zender>").replace(b"</sender>", b"</zender>"))
    t.is_error(a, (400, 401), "no sender")
    t.not_kept(ps[0][1], "no sender", settle=3)
    for what, body in (("empty body", b""), ("only a boundary", b"--" + B.encode()), ("only dashes", b"--"), ("random", os.urandom(3000)),
                       ("boundary and half a header", b"--" + B.encode() + b"\r\ncontent-dispo"), ("part without a blank line", b"--" + B.encode() + b"\r\nhello\r\n--" + B.encode())):
        a = t.x([email_head(len(body)) + body])
        t.is_error(a, 400, what)


@check("email.empty-xml-fields-survive")
def _(t):
    """not fixed by the documents: only that nothing breaks, and that what gets succ is kept"""
    u = fresh_user("odd")
    for what, kw in (("no photos", dict()), ("empty photo", dict(extra=[("E.JPG", b"")])), ("no receivers", dict(xml=email_xml(sender=u, to=()))),
                     ("sender empty", dict(xml=email_xml(sender=""))), ("title in EUC-KR", dict(xml=email_xml(sender=u, title="@").replace(b"@</title", "사진".encode("euc-kr") + b"</title"))),
                     ("XML cut", dict(xml=email_xml(sender=u)[:-20])), ("NUL in XML", dict(xml=email_xml(sender=u, body="a\0b"))), ("bare &", dict(xml=email_xml(sender=u, body="a & b"))),
                     ("entity bomb", dict(xml=b'<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + email_xml(sender=u, body="&b;&b;").split(b"?>", 1)[1])),
                     ("external entity", dict(xml=b'<?xml version="1.0"?><!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + email_xml(sender="&x;").split(b"?>", 1)[1])),
                     ("deep nesting", dict(xml=b"<email>" + b"<a>" * 20000 + b"</email>"))):
        ps = kw.pop("extra", None)
        ps = ps if ps is not None else ([] if what == "no photos" else names(1))
        kw.setdefault("xml", email_xml(sender=u))
        a = mail(t, ps, ok=False, **kw)
        t.ok(a.raw and a.status < 500, "%s: %s" % (what, a))
        for _, d in ps:
            if a.status == 200 and d:
                t.ok("root" not in "".join(t.kept(d, what)), "%s: a file of the machine was read" % what)
            elif d:
                t.not_kept(d, what, settle=3)
        t.note("%s: %d" % (what, a.status))


@check("email.endless-part-header-4xx")
def _(t):
    """a part header without end: 1 MB here, 200 MB under memory.*"""
    for what, filler in (("one line", b"a" * 1000), ("many lines", b"X-Header: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 30)):
        for where in ("message", "binary"):
            lead = b"--" + B.encode() + b"\r\n"
            if where == "binary":
                lead += MESSAGE_HEAD + email_xml(sender=fresh_user("eh")) + b"\r\n--" + B.encode() + b"\r\n"
            lead += b'content-disposition: form-data; name="%s"; fileName="' % where.encode() + (b"" if what == "one line" else b'x"\r\n')
            mark = photo(300)
            body = lead + mark.replace(b"\r\n", b"..") + filler * (1_000_000 // len(filler))
            a = t.x([email_head(len(body)) + body])
            t.is_error(a, (400, 413), "%s, %s" % (where, what))
            t.not_kept(mark, settle=3)


@check("email.truncated", timeout=60)
def _(t):
    """connection closed before Content-Length bytes came: nothing kept, no succ; also where the cut-off body looks complete"""
    n = 0
    for how in ("fin", "half", "rst"):
        for what in ("inside the photo", "inside the XML", "looks complete: boundary", "looks complete: closing boundary", "after the first of two", "one byte short", "head only"):
            u = fresh_user("cut")
            ps = names(2, 40_000)
            x = email_xml(sender=u)
            one = email_body(ps[:1], xml=x, ending="boundary-crlf")
            if what == "looks complete: closing boundary":
                part, total = email_body(ps, xml=x, ending="dashes-crlf"), None
                total = len(part) + 5000
            else:
                body = email_body(ps, xml=x)
                total = len(body)
                part = {"inside the photo": body[:30_000], "inside the XML": body[:200], "looks complete: boundary": body, "after the first of two": one,
                        "one byte short": body[:-1], "head only": b""}[what]
                if what.startswith("looks"):
                    total += 5000
            a = cut_off(t, email_head(total) + part, how)
            n += 1
            t.ok(b"succ" not in a.raw, "%s/%s: succ" % (how, what))
            time.sleep(0.1)
            for _, d in ps:
                t.not_kept(d, "%s/%s" % (how, what), everywhere=False)
    time.sleep(0.5)
    for r, _ in t.srv.files():
        t.ok(not r.lower().startswith("cut"), "left under photos/: %s" % r)
        if len(t.problems) > 5:
            break
    t.note("%d ways" % n)


@check("email.many-photos")
def _(t):
    """forty photos in one e-mail"""
    mail(t, names(40, 5000), timeout=20)


@check("email.duid-forms")
def _(t):
    for target in ("/social/columbus/email?DUID=1", "/social/columbus/email?DUID=123456789033&x=y", "/social/columbus/email?DUID="):
        mail(t, names(1), target, target=target)


@check("email.soft-forms")
def _(t):
    """not fixed by the documents; 200 and kept whole, or 4xx and nothing kept - reported, not required"""
    u = fresh_user("soft")
    for what, f in (("LF-only multipart", lambda b: b.replace(b"\r\n", b"\n")), ("CRLF before the first boundary", lambda b: b"\r\n" + b),
                    ("spaces after the boundary", lambda b: b.replace(B.encode() + b"\r\n", B.encode() + b"  \r\n")),
                    ("photo part first", None), ("no fileName", None), ("extra part", None)):
        d = photo(3000)
        d = d.replace(b"\r\n", b"..")
        x = email_xml(sender=u, body="one line")
        if f:
            body = f(email_body([("SAM_0001.JPG", d)], xml=x))
        elif what == "photo part first":
            p = b"--" + B.encode() + b"\r\n"
            body = p + binary_head("SAM_0001.JPG") + d + b"\r\n" + p + MESSAGE_HEAD + x + b"\r\n--" + B.encode()
        elif what == "no fileName":
            body = email_body([("", d)], xml=x, heads=[b'content-disposition: form-data; name="binary"\r\ncontent-Type: image/jpeg;\r\n\r\n'])
        else:
            body = email_body([("", b"value"), ("", d)], xml=x, heads=[b'content-disposition: form-data; name="other"\r\n\r\n', binary_head("SAM_0001.JPG")])
        a = t.x([email_head(len(body)) + body])
        t.ok(a.raw and a.status < 500, "%s: %s" % (what, a))
        if a.status == 200:
            t.kept(d, what, user=u)
        else:
            t.not_kept(d, what, settle=2)
        t.note("%s: %d" % (what, a.status))
