"""Request lines and heads as cameras send them (facts sections 1, 4; issue point 4)."""
import os
import time

import camera
from camera import post, get, login_xml, photo, email_body, email_head, email_xml
from checks_login import fresh_user
from checks_upload import inside_only
from runner import check
from wire import PROBE, strstr, head_problems


def good_login(t, a, what):
    return t.ok(a.status == 200 and strstr(a.raw, b'SessionKey="'), "%s: %s" % (what, a))


@check("head.request-lines")
def _(t):
    body = login_xml("heads@judge.example")
    L = b"Content-Length: %d\r\n" % len(body)
    ct = b"Content-Type: text/xml\r\n"
    H = b"Host: snsgw.samsungmobile.com\r\n"
    cases = {
        "absolute form": b"POST http://snsgw.samsungmobile.com/facebook/auth HTTP/1.1\r\n" + H + ct + L,
        "absolute form, HTTP/1.0, no Host": b"POST http://snsgw.samsungmobile.com/facebook/auth HTTP/1.0\r\n" + L,
        "absolute form with port": b"POST http://snsgw.samsungmobile.com:80/facebook/auth HTTP/1.1\r\n" + H + L,
        "absolute form, capitals": b"POST HTTP://SNSGW.samsungmobile.com/facebook/auth HTTP/1.1\r\n" + H + L,
        "two spaces before HTTP/1.0": b"POST /facebook/auth  HTTP/1.0\r\n" + H + L,
        "two spaces before HTTP/1.1": b"POST /facebook/auth  HTTP/1.1\r\n" + H + L,
        "two spaces after POST": b"POST  /facebook/auth HTTP/1.1\r\n" + H + L,
        "absolute form and two spaces": b"POST http://snsgw.samsungmobile.com/facebook/auth  HTTP/1.0\r\n" + L,
        "HTTP/1.0 without Host": b"POST /facebook/auth HTTP/1.0\r\n" + L,
        "HTTP/1.0 with Keep-Alive": b"POST /facebook/auth HTTP/1.0\r\nConnection: Keep-Alive\r\n" + L,
        "HTTP/1.1 with keep-alive": b"POST /facebook/auth HTTP/1.1\r\nConnection: keep-alive\r\n" + H + L,
        "HTTP/1.1 without Host": b"POST /facebook/auth HTTP/1.1\r\n" + L,
        "lower-case method": b"post /facebook/auth HTTP/1.1\r\n" + H + L,
        "mixed-case method": b"Post /facebook/auth HTTP/1.1\r\n" + H + L,
        "trailing slash": b"POST /facebook/auth/ HTTP/1.1\r\n" + H + L,
        "Host with port": b"POST /facebook/auth HTTP/1.1\r\nHost: snsgw.samsungmobile.com:80\r\n" + L,
        "Host is an IP": b"POST /facebook/auth HTTP/1.1\r\nHost: 10.42.0.1\r\n" + L,
    }
    for what, head in cases.items():
        a = t.x([head + b"\r\n" + body])
        good_login(t, a, what)
        t.all_ok(head_problems(a, "plain"), what)


@check("head.header-lines")
def _(t):
    body = login_xml("heads@judge.example")
    n = b"%d" % len(body)
    R = b"POST /facebook/auth HTTP/1.1\r\nHost: snsgw.samsungmobile.com\r\n"
    cases = {
        "no space after any colon": b"POST /facebook/auth HTTP/1.1\r\nHost:snsgw.samsungmobile.com\r\nContent-Length:" + n + b"\r\n",
        "Authorization:OAuth, x-osp-version:v1": R + b'Authorization:OAuth oauth_consumer_key="a",oauth_version="1.0"\r\nx-osp-version:v1\r\nContent-Length: ' + n + b"\r\n",
        "two User-Agents": R + b"User-Agent: sdeClient\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 6.0)\r\nContent-Length: " + n + b"\r\n",
        "lower-case names": b"POST /facebook/auth HTTP/1.1\r\nhost: snsgw.samsungmobile.com\r\ncontent-length: " + n + b"\r\n",
        "upper-case names": b"POST /facebook/auth HTTP/1.1\r\nHOST: snsgw.samsungmobile.com\r\nCONTENT-LENGTH: " + n + b"\r\n",
        "LF-only head": (R + b"Content-Length: " + n + b"\r\n").replace(b"\r\n", b"\n"),
        "LF only in one line": R + b"Accept-Language: ko\nContent-Length: " + n + b"\r\n",
        "folded with a space": R + b"X-A: one\r\n two\r\nContent-Length: " + n + b"\r\n",
        "folded with a tab": R + b"X-A: one\r\n\ttwo\r\n\tthree\r\nContent-Length: " + n + b"\r\n",
        "folded, last header": R + b"Content-Length: " + n + b"\r\nX-A: one\r\n two\r\n",
        "folded Content-Length": R + b"Content-Length:\r\n " + n + b"\r\n",
        "folded and LF-only": (R + b"X-A: one\r\n two\r\nContent-Length: " + n + b"\r\n").replace(b"\r\n", b"\n"),
        "spaces around the length": R + b"Content-Length:   " + n + b"  \r\n",
        "empty header value": R + b"X-A:\r\nContent-Length: " + n + b"\r\n",
        "bytes above 127 in a value": R + b"X-A: \xb0\xa1\xff\r\nContent-Length: " + n + b"\r\n",
    }
    for what, head in cases.items():
        eol = b"\n" if "LF-only" in what else b"\r\n"
        a = t.x([head + eol + body])
        good_login(t, a, what)
        t.all_ok(head_problems(a, "plain"), what)


@check("head.folded-content-type-of-email")
def _(t):
    """the boundary stands in the folded line"""
    for what, ctype in (("CRLF space", "multipart/form-data;\r\n boundary=" + camera.B), ("CRLF tab", "multipart/form-data;\r\n\tboundary=" + camera.B)):
        u = fresh_user("fold")
        d = photo()
        body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=u))
        a = t.x([email_head(len(body), ctype=ctype) + body])
        t.is_succ(a, what)
        t.kept(d, what, user=u)
    u = fresh_user("fold")
    d = photo()
    body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=u))
    a = t.x([email_head(len(body), ctype="multipart/form-data;\n boundary=" + camera.B, eol="\n") + body])
    t.is_succ(a, "LF-only")
    t.kept(d, "LF-only", user=u)


@check("head.paths-with-slash")
def _(t):
    u = fresh_user()
    s = t.login(u)
    for p in ("/facebook/photo", "/facebook/photo/"):
        a = t.send(post(p, camera.photo_xml(s, "SAM_0001.JPG")))
        t.ok(a.status == 200 and b"ResourceID=" in a.raw, "%s: %s" % (p, a))


@check("head.absolute-form-everywhere")
def _(t):
    u = fresh_user()
    s = t.login(u)
    a = t.send(post("http://snsgw.samsungmobile.com/facebook/photo", camera.photo_xml(s, "SAM_0001.JPG")))
    t.ok(b"ResourceID=" in a.raw, "announce: %s" % a)
    d = photo()
    t.is_succ(t.put("http://snsgw.samsungmobile.com:80/upload/%s/SAM_0001.JPG" % s, d), "PUT")
    t.kept(d, user=u)
    d = photo()
    t.is_succ(t.put("http://10.0.0.1/upload/%s/SAM_0002.JPG" % s, d, version="HTTP/1.0", host=None), "PUT, HTTP/1.0, no Host")
    t.kept(d, user=u)
    for target in ("http://www.ospserver.net" + camera.EMAIL_TARGET, "http://www.ospserver.net:80" + camera.EMAIL_TARGET):
        v = fresh_user()
        d = photo()
        body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=v))
        t.is_succ(t.x([email_head(len(body), target=target, pre=" ") + body]), target)
        t.kept(d, user=v)
    a = t.x(get("http://www.samsungimaging.com/", "www.samsungimaging.com"))
    t.ok(a.status == 200, "page: %s" % a)


@check("head.lower-case-methods-everywhere")
def _(t):
    u = fresh_user()
    s = t.login(u)
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d, method="put"), "put")
    t.kept(d, user=u)
    a = t.x(get("/", "gld.samsungosp.com", method="get"))
    t.ok(a.status == 200 and a.header("ETag") == '"deadbeef"', "get gld: %s" % a)
    a = t.x(get("/security/sso/initialize/time", method="Get"))
    t.ok(a.status == 200 and b"currentServerTime" in a.raw, "Get time: %s" % a)
    v = fresh_user()
    d = photo()
    body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=v))
    t.is_succ(t.x([email_head(len(body)).replace(b"POST", b"post", 1) + body]), "post e-mail")
    t.kept(d, user=v)


@check("head.http10-put")
def _(t):
    u = fresh_user()
    s = t.login(u)
    d = photo(70000)
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d, version="HTTP/1.0", host=None, pre=b"  "))
    t.kept(d, user=u)
    d = photo(70000)
    t.is_succ(t.put("/upload/%s/SAM_0002.JPG" % s, d, eol=b"\n"), "LF-only")
    t.kept(d, "LF-only", user=u)
    d = b"\r\n\n\r" + photo(1000)
    t.is_succ(t.put("/upload/%s/SAM_0003.JPG" % s, d, eol=b"\n"), "LF-only, body begins with line ends")
    t.ok(len(t.srv.find(d)) == 1, "LF-only head, body that begins with CR LF: not kept exactly")
    d = b"\n" + photo(1000)
    t.is_succ(t.put("/upload/%s/SAM_0004.JPG" % s, d), "body begins with LF")
    t.ok(len(t.srv.find(d)) == 1, "body that begins with LF: not kept exactly")
    d = b" folded?\r\n" + photo(1000)
    t.is_succ(t.put("/upload/%s/SAM_0005.JPG" % s, d), "body begins with a space")
    t.ok(len(t.srv.find(d)) == 1, "body that begins with a space: not kept exactly")


@check("head.bad-target-bytes")
def _(t):
    """space, quotes, angles, raw bytes above 127 in the target of a PUT: accepted and kept"""
    u = fresh_user()
    s = t.login(u)
    for what, name in (("space", b"SAM 0001.JPG"), ("two spaces", b"SAM  0001.JPG"), ("quote", b'a"b.JPG'), ("angles", b"<a>.JPG"), ("EUC-KR", "사진.JPG".encode("euc-kr")),
                       ("raw UTF-8", "사진.JPG".encode()), ("latin-1", b"caf\xe9.JPG"), ("0xff", b"\xff\xfe.JPG"), ("backslash", b"a\\b.JPG"),
                       ("braces", b"{a|b}^`.JPG"), ("brackets", b"a[1].JPG"), ("space before HTTP-like", b"a HTTP.JPG"),
                       ("space at the end, two before the version", b"end ")):
        d = photo()
        a = t.put(b"/upload/" + s.encode() + b"/" + name, d)
        t.is_succ(a, what)
        t.kept(d, what, user=u)
    for what, q in (("quote in query", b'x.JPG?a="b"'), ("angle in query", b"y.JPG?<a>"), ("raw bytes in query", b"z.JPG?\xb0\xa1")):
        d = photo()
        a = t.put(b"/upload/" + s.encode() + b"/" + q, d)
        t.is_succ(a, what)
        t.kept(d, what, user=u)
    inside_only(t)


@check("head.space-before-colon")
def _(t):
    """`Content-Length : 5`: taken as 5 and kept whole, or refused with 400; never a succ for less"""
    u = fresh_user()
    s = t.login(u)
    for n, name in ((b"Content-Length : ", "a"), (b"Content-Length\t: ", "b"), (b"content-length :", "c")):
        d = photo(500)
        head = b"PUT /upload/" + s.encode() + b"/SPACE.JPG HTTP/1.1\r\nHost: x\r\n" + n + b"%d\r\n\r\n" % len(d)
        a = t.x([head + d])
        if a.status == 200:
            t.is_succ(a, repr(n))
            t.kept(d, repr(n), user=u)
        else:
            t.is_error(a, 400, repr(n))
            t.not_kept(d, repr(n), settle=2)
    t.note("status %d" % a.status)


@check("head.one-by-one", timeout=60)
def _(t):
    """head and small body one byte at a time"""
    body = login_xml("bytes@judge.example")
    head, body = post("/facebook/auth", body)
    a = t.x(bytewise(head + body), timeout=30)
    good_login(t, a, "login")
    s = t.session_of(a)
    d = photo(200)
    head, d2 = post("/upload/%s/BYTES.JPG" % s, d, method="PUT")
    t.is_succ(t.x(bytewise(head + d2), timeout=30), "PUT")
    t.kept(d, user="bytes@judge.example")
    a = t.x(bytewise(get("/", "gld.samsungosp.com", "HTTP/1.0")))
    t.ok(a.status == 200, "gld: %s" % a)
    u = fresh_user()
    d = photo(300)
    body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=u))
    t.is_succ(t.x(bytewise(email_head(len(body)) + body), timeout=30), "e-mail")
    t.kept(d, "e-mail", user=u)


def bytewise(data, pause=0.0005):
    for i in range(len(data)):
        yield data[i:i + 1]
        if i % 4 == 0:
            yield pause


@check("head.split-everywhere", timeout=90)
def _(t):
    """the head in two pieces, cut at every third offset, and at every offset near its line ends; the body with the second piece"""
    u = fresh_user()
    d = photo(300)
    body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=u), ending="boundary")
    head = email_head(len(body))
    cuts = set(range(1, len(head), 29))
    i = head.find(b"\r\n")
    while i >= 0:
        cuts |= {i, i + 1, i + 2}
        i = head.find(b"\r\n", i + 1)
    cuts |= set(range(1, 60, 2)) | set(range(len(head) - 6, len(head) + 1))
    cuts = sorted(c for c in cuts if 0 < c <= len(head))
    for c in cuts:
        a = t.x([head[:c], 0.012, head[c:] + body])
        if not t.is_succ(a, "cut at %d (%r|%r)" % (c, head[max(0, c - 6):c], head[c:c + 6])):
            if len(t.problems) > 4:
                break
    t.kept(d, user=u)
    t.note("%d cuts" % len(cuts))


@check("head.split-lf-only", timeout=60)
def _(t):
    body = login_xml("lfsplit@judge.example")
    head, body = post("/facebook/auth", body, eol=b"\n", headers=(b"X-A: one\n two",))
    for c in range(1, len(head) + 1, 2):
        a = t.x([head[:c], 0.01, head[c:] + body])
        if not good_login(t, a, "cut at %d" % c) and len(t.problems) > 4:
            break


@check("head.body-same-segment-or-later")
def _(t):
    for what, pause in (("same segment", None), ("50 ms later", 0.05), ("1.5 s later", 1.5)):
        head, body = post("/facebook/auth", login_xml("seg@judge.example"))
        pieces = [head + body] if pause is None else [head, pause, body]
        a = t.x(pieces)
        good_login(t, a, what)
    u = fresh_user()
    s = t.login(u)
    for what, f in (("head | body", lambda h, b: [h, 0.3, b]), ("head + 1 byte | rest", lambda h, b: [h + b[:1], 0.3, b[1:]]),
                    ("all but the last byte | last", lambda h, b: [h + b[:-1], 0.5, PROBE, b[-1:]])):
        d = photo(3000)
        h, b = post("/upload/%s/SEG.JPG" % s, d, method="PUT")
        a = t.x(f(h, b))
        t.is_succ(a, what)
        t.ok(not a.early, "%s: answered %r before the last byte" % (what, a.early[:40]))
        t.kept(d, what, user=u)


@check("head.garbage-400")
def _(t):
    """what is no head at all: 400 + error XML, never 500, never a crash"""
    cases = {
        "words": b"this is no request\r\n\r\n", "one word": b"asdf\r\n\r\n", "binary": bytes(range(1, 32)) * 3 + b"\r\n\r\n",
        "NULs": b"\0" * 40 + b"\r\n\r\n", "TLS hello": bytes.fromhex("16030100a5010000a10303") + b"\x5a" * 32 + b"\r\n\r\n",
        "SSLv2 hello": bytes.fromhex("802e0100020015000000100100800200800600400400800700c0030080") + b"\x33" * 16 + b"\r\n\r\n",
        "bad version": b"GET / HTTQ/9.9\r\nHost: x\r\n\r\n", "only spaces": b"   \r\n\r\n", "method only": b"POST\r\n\r\n",
        "bad method": b"GE@T / HTTP/1.1\r\nHost: x\r\n\r\n", "colon first": b": GET / HTTP/1.1\r\n\r\n",
    }
    for what, data in cases.items():
        a = t.x([data], shutdown=True, strict=False)
        t.is_error(a, 400, what)
        t.all_ok(head_problems(a, "plain"), what)
    for what, data in (("HTTP/0.9", b"GET /\r\n\r\n"), ("half a head", b"POST /facebook/auth HTTP/1.1\r\nHo"), ("nothing", b""),
                       ("one byte", b"\x16"), ("CRLFs", b"\r\n" * 20), ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                       ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: x\r\n\r\n"), ("line without colon", b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n"),
                       ("leading CRLF", b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("bare CR", b"GET / HTTP/1.1\rHost: x\r\r")):
        a = t.x([data], shutdown=True, strict=False, timeout=20)
        t.ok(a.status < 500, "%s: %s" % (what, a))
        t.ok(a.eof, "%s: connection left open" % what)


@check("head.over-64KiB-4xx")
def _(t):
    for what, head in (("one header of 70000", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 70000 + b"\r\n\r\n"),
                       ("many headers", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%04d: %s\r\n" % (i, b"b" * 60) for i in range(1100)) + b"\r\n"),
                       ("target of 70000", b"GET /" + b"c" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
                       ("request line without end, 70000", b"G" * 70000),
                       ("PUT with a head of 70000", b"PUT /upload/x/y HTTP/1.1\r\nX-A: " + b"a" * 70000 + b"\r\nContent-Length: 5\r\n\r\nhello")):
        a = t.x([head], strict=False, shutdown=True)
        t.ok(400 <= a.status < 500, "%s: %s" % (what, a))
    for what, n in (("endless head, 3 MB", 3_000_000),):
        a = t.x([b"GET / HTTP/1.1\r\nX-A: "] + [b"z" * 65536] * (n // 65536), strict=False)
        t.ok(a.status == 0 or 400 <= a.status < 500, "%s: %s" % (what, a))
        t.ok(a.eof, "%s: connection left open" % what)


@check("head.63KiB-accepted")
def _(t):
    """the limit is 64 KiB, so a head of 60 KiB is within it"""
    body = login_xml("bighead@judge.example")
    a = t.send(post("/facebook/auth", body, headers=("X-A: " + "a" * 60000,)))
    good_login(t, a, "60000-byte header")
    a = t.send(post("/facebook/auth", body, headers=["X-%02d: %d" % (i, i) for i in range(90)]))
    good_login(t, a, "90 headers")


@check("head.never-chunked-or-compressed")
def _(t):
    """whatever the request says it takes"""
    s = t.login("plain@judge.example")
    for req in (get("/", "10.0.0.1", headers=["Accept-Encoding: gzip, deflate, br", "TE: trailers, chunked", "Connection: keep-alive, TE"]),
                post("/facebook/photo", camera.photo_xml(s, "SAM_0001.JPG"), headers=["Accept-Encoding: gzip", "TE: chunked"])):
        a = t.x([req] if isinstance(req, bytes) else [req[0] + req[1]])
        t.ok(a.status == 200, a)
        t.all_ok(head_problems(a, "plain"))
