"""Announce and upload (facts section 3), files on disk."""
import os
import re
import threading
import time
from urllib.parse import quote

import camera
from camera import post, photo, photo_xml
from checks_login import fresh_user
from runner import check, Fail
from wire import strstr, head_problems, exchange, open_connection, read_answer, Answer, ERROR_XML

RUN = os.urandom(4).hex()          # an escape of an earlier run must not be blamed on this one


def run_names(pairs):
    return [(w, n.replace(b"@RUN@", RUN.encode()) if isinstance(n, bytes) else n.replace("@RUN@", RUN)) for w, n in pairs]


def evil_on_disk():
    """what a hostile name of this run has left where it must not be; removed again"""
    import glob
    import shutil
    got = [p for d in ("/", "/tmp/", "/root/", "/home/", "/var/") for p in glob.glob(d + "*judge-evil-%s*" % RUN)]
    for p in got:
        shutil.rmtree(p, ignore_errors=True) if os.path.isdir(p) else os.unlink(p)
    return got


def inside_only(t):
    out = t.srv.escaped() + evil_on_disk()
    t.ok(not out, "written outside the data folder: %s" % out)


SAFE = re.compile(r"[A-Za-z0-9._/-]+")


def announce_problems(a, session, what=""):
    bad = []
    m = re.match(r'<Response HostAddr="snsgw\.samsungmobile\.com:80" ResourceID="([^"]*)" />\s*$', a.text)
    if a.status != 200 or not m:
        return ["%s: not the announce answer: %s" % (what, a)]
    rid = m.group(1)
    if not SAFE.fullmatch(rid):
        bad.append("%s: ResourceID %r holds other than [A-Za-z0-9._/-]" % (what, rid))
    if not rid.startswith("upload/%s/" % session):
        bad.append("%s: ResourceID %r does not begin upload/<session>/" % (what, rid))
    elif len(rid.split("/", 2)[2]) < 1:
        bad.append("%s: ResourceID %r has no file name" % (what, rid))
    if ".." in rid.split("/"):
        bad.append("%s: ResourceID %r holds .." % (what, rid))
    return bad


@check("announce.photo-answer")
def _(t):
    s = t.login(fresh_user())
    a = t.send(post("/facebook/photo", photo_xml(s, "SAM_0001.JPG", "my text")))
    t.all_ok(head_problems(a, "plain"))
    t.all_ok(announce_problems(a, s))
    t.ok(a.text.strip() == '<Response HostAddr="snsgw.samsungmobile.com:80" ResourceID="upload/%s/SAM_0001.JPG" />' % s,
         "for a plain name: %r" % a.text)
    t.ok(strstr(a.raw, b'ResourceID="') == b"upload/%s/SAM_0001.JPG" % s.encode(), "strstr ResourceID")
    t.ok(strstr(a.raw, b'HostAddr="') == b"snsgw.samsungmobile.com:80", "strstr HostAddr")


HOSTILE_NAMES = [
    ("dots up", b"../../x.JPG"), ("many dots up", b"../" * 12 + b"tmp/judge-evil-@RUN@.JPG"), ("absolute", b"/tmp/judge-evil-@RUN@-abs.JPG"),
    ("backslashes", b"..\\..\\x.JPG"), ("drive", b"C:\\x.JPG"), ("long 300", b"L" * 300 + b".JPG"), ("long 5000", b"M" * 5000 + b".JPG"),
    ("dot", b"."), ("dotdot", b".."), ("three dots", b"..."), ("CON", b"CON"), ("NUL.JPG", b"NUL.JPG"), ("leading dot", b".hidden.JPG"),
    ("leading dash", b"-rf"), ("UTF-8", "사진 01 ü.JPG".encode()), ("EUC-KR", "사진.JPG".encode("euc-kr")), ("newline", b"a\nb.JPG"),
    ("CR LF header", b"a\r\nX-Evil: 1.JPG"), ("quote", b'a"b.JPG'), ("angle", b"a<b>c.JPG"), ("percent", b"a%2Fb%00.JPG"), ("bare percent", b"100%.JPG"),
    ("semicolon", b"a;b|c&d`e$f.JPG"), ("space", b" a b .JPG"), ("question", b"a?b#c.JPG"), ("spaces only", b"   "),
    ("trailing slash", b"dir/"), ("tilde", b"~root"), ("255 bytes UTF-8", ("é" * 127).encode()), ("emoji", "😀.JPG".encode()),
    ("bidi", "\u202eGPJ.exe".encode()), ("tab", b"a\tb.JPG"), ("0x7f", b"a\x7fb.JPG"), ("escape", b"\x1b[31mred.JPG"),
    ("parameter in the name", b"x; name=message; y.JPG"), ("filename in the name", b"filename=z.JPG"),
]


@check("announce.hostile-names", timeout=60)
def _(t):
    """ResourceID stays safe for any name, and a PUT to it is accepted and kept"""
    u = fresh_user()
    s = t.login(u)
    for what, name in run_names(HOSTILE_NAMES) + [("empty", b"")]:
        a = t.send(post("/facebook/photo", photo_xml(s, name)))
        if what == "empty" and a.status == 400:
            continue
        p = announce_problems(a, s, what)
        t.all_ok(p)
        t.ok(len(a.raw) < 1400, "%s: answer of %d bytes" % (what, len(a.raw)))
        if p:
            continue
        rid = strstr(a.raw, b'ResourceID="').decode()
        d = photo()
        t.is_succ(t.put("/" + rid, d), what)
        t.kept(d, what, user=u)
    inside_only(t)
    t.note("%d names" % (len(HOSTILE_NAMES) + 1))


@check("announce.names-as-entities")
def _(t):
    u = fresh_user()
    s = t.login(u)
    for what, raw in (("&amp;", b"a&amp;b.JPG"), ("&#47;", b"..&#47;..&#x2f;x.JPG"), ("bare &", b"a&b.JPG"), ("&nbsp;", b"a&nbsp;b.JPG"), ("&#0;", b"a&#0;b.JPG")):
        a = t.send(post("/facebook/photo", photo_xml(s, b"", raw_name=raw)))
        p = announce_problems(a, s, what)
        t.all_ok(p)
        if not p:
            d = photo()
            t.is_succ(t.put("/" + strstr(a.raw, b'ResourceID="').decode(), d), what)
            t.kept(d, what, user=u)
    inside_only(t)


@check("announce.without-session-401")
def _(t):
    t.is_error(t.send(post("/facebook/photo", photo_xml("0" * 32, "SAM_0001.JPG"))), 401, "unknown session, photo")
    t.is_error(t.send(post("/facebook/video", camera.video_xml("f" * 32, "SAM_0001.MP4"))), 401, "unknown session, video")
    t.is_error(t.send(post("/facebook/photo", photo_xml("../../" + "e" * 26, "SAM_0001.JPG"))), 401, "hostile session")
    t.is_error(t.send(post("/facebook/photo", photo_xml("x", "SAM_0001.JPG").replace(b' SessionKey="x"', b""))), (400, 401), "no SessionKey")


@check("announce.not-understood-400")
def _(t):
    for what, b in (("empty", b""), ("text", b"hello"), ("NULs", b"\0" * 100)):
        for p in ("/facebook/photo", "/facebook/photo/", "/youtube/video"):
            a = t.send(post(p, b))
            t.is_error(a, 400, "%s to %s" % (what, p))


@check("announce.video")
def _(t):
    u = fresh_user()
    for site in ("facebook", "youtube"):
        s = t.login(u, site=site)
        for owner in (True, False):
            a = t.send(post("/%s/video" % site, camera.video_xml(s, "SAM_0007.MP4", owner=owner)))
            t.all_ok(announce_problems(a, s, site))
            t.all_ok(head_problems(a, "plain"), site)
            d = photo(20000)
            t.is_succ(t.put("/" + t.resource_of(a), d, ctype="video/mp4"), site)
            t.kept(d, user=u)


@check("announce.junk-and-open-end")
def _(t):
    s = t.login(fresh_user())
    base = photo_xml(s, "SAM_0001.JPG")
    for what, b in (("no closing tag", base.replace(b"</Request>\n", b"")), ("junk line", base.replace(b"<Photo>", b'4p4uaa"/>\n<Photo>')),
                    ("NULs after", base + b"\0" * 40), ("text with ~ and <", base.replace(b"hello", b"text ~ alt & <b>")),
                    ("text without CDATA", base.replace(b"<![CDATA[hello]]>", b"hello")), ("empty text", base.replace(b"hello", b"")),
                    ("no Content", re.sub(rb"<Content>.*</Content>\n", b"", base)), ("no Album", re.sub(rb"<Album.*/>\n", b"", base)),
                    ("text in EUC-KR", base.replace(b"hello", "안녕".encode("euc-kr")))):
        a = t.send(post("/facebook/photo", b))
        t.all_ok(announce_problems(a, s, what))


@check("upload.put-and-post")
def _(t):
    u = fresh_user()
    s = t.login(u)
    for i, method in enumerate(("PUT", "POST")):
        d = photo()
        rid = t.announce(s, "SAM_010%d.JPG" % i)
        a = t.put("/" + rid, d, method=method)
        t.is_succ(a, method)
        t.all_ok(head_problems(a, "plain"), method)
        t.ok(b'Status="succ"' in a.raw, "strstr succ")
        t.kept(d, method, user=u, name="SAM_010%d.JPG" % i)


@check("upload.full-post-of-four")
def _(t):
    """login, then announce + PUT four times, as the NX300 does, with image/pjpeg and a changed text"""
    u = fresh_user()
    s = t.login(u)
    for i in range(4):
        d = photo(30000 + i)
        rid = t.announce(s, "SAM_%04d.JPG" % i, content="one" if i < 3 else "two")
        t.is_succ(t.put("/" + rid, d, ctype="image/pjpeg"), "photo %d" % i)
        t.kept(d, user=u, name="SAM_%04d.JPG" % i)
    t.ok(t.send(post("/facebook/auth", camera.login_xml(u, method="logout"))).status == 200, "logout")


@check("upload.unknown-session-401")
def _(t):
    t.login(fresh_user())
    for what, target in (("all zero", "/upload/%s/SAM_0001.JPG" % ("0" * 32)), ("short", "/upload/badsession/x"), ("dots", "/upload/%2e%2e/x"),
                         ("percent", "/upload/%00/x"), ("long", "/upload/%s/x" % ("a" * 4000))):
        for method in ("PUT", "POST"):
            d = photo()
            a = t.put(target, d, method=method)
            t.is_error(a, 401, "%s %s" % (method, what))
            t.not_kept(d, what, settle=2)


@check("upload.not-announced-accepted")
def _(t):
    u = fresh_user()
    s = t.login(u)
    d = photo()
    t.is_succ(t.put("/upload/%s/NEVER_ANNOUNCED.JPG" % s, d))
    t.kept(d, user=u)
    rid = t.announce(s, "SAM_0001.JPG")
    d = photo()
    t.is_succ(t.put("/upload/%s/OTHER.JPG" % s, d), "another name than announced")
    t.kept(d, user=u)
    d = photo()
    t.is_succ(t.put("/" + rid, d), "then the announced one")
    t.kept(d, user=u)
    d2 = photo()
    t.is_succ(t.put("/" + rid, d2), "the same name a second time")
    t.kept(d2, user=u)
    t.kept(d, user=u)


@check("upload.any-bytes-kept-exactly")
def _(t):
    """no picture at all, NULs, HTTP or XML look-alikes, every length around buffer sizes"""
    u = fresh_user()
    s = t.login(u)
    bodies = [b"\0" * 5000 + os.urandom(8), b"GET / HTTP/1.1\r\n\r\n" + os.urandom(40), b"<xml/>" + os.urandom(9), b"\r\n\r\n" + os.urandom(9) + b"\r\n\r\n",
              bytes(range(256)) * 4 + os.urandom(8), b"x" + os.urandom(7)]
    for n in (1459, 1460, 4096, 8191, 8192, 8193, 16384, 65535, 65536, 65537, 131072, 262145):
        bodies.append(os.urandom(n))
    for i, b in enumerate(bodies):
        a = t.put("/upload/%s/ANY_%03d.BIN" % (s, i), b)
        t.is_succ(a, "%d bytes" % len(b))
        t.kept(b, "%d bytes" % len(b), user=u)
    d = photo()
    t.is_succ(t.put("/upload/%s/NOTYPE.JPG" % s, d, ctype=None), "without Content-Type")
    t.kept(d, user=u)


@check("upload.broken-off", timeout=60)
def _(t):
    """cut after the head, in the middle, one byte short; by FIN, RST and half-close: nothing under photos/, no succ"""
    s = t.login(fresh_user())
    total = 0
    for how in ("fin", "rst", "half"):
        for cut in ("head", "middle", "last"):
            d = photo(200_000)
            head, body = post("/upload/%s/CUT_%s_%s.JPG" % (s, how, cut), d, method="PUT", ctype="image/jpeg")
            part = {"head": b"", "middle": body[:100_000], "last": body[:-1]}[cut]
            a = cut_off(t, head + part, how)
            total += 1
            t.ok(b"succ" not in a.raw, "%s/%s: succ for a broken-off upload" % (how, cut))
            time.sleep(0.15)
            if cut != "head":
                t.not_kept(d, "%s/%s" % (how, cut), everywhere=False)
    time.sleep(0.3)
    left = [r for r, _ in t.srv.files() if "CUT_" in r]
    t.ok(not left, "left under photos/: %s" % left[:4])
    t.note("%d ways" % total)


def cut_off(t, data, how, read=True, wait=3.0):
    import socket
    import struct
    a = Answer()
    a.label = t.name
    s = open_connection(t.srv.port)
    try:
        s.sendall(data)
        if how == "rst":
            time.sleep(0.05)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "half":
            s.shutdown(socket.SHUT_WR)
            read_answer(s, a, wait)
        elif how == "fin":
            time.sleep(0.05)
    except OSError as e:
        a.send_error = type(e).__name__
    finally:
        s.close()
    a.strict = False
    t.answers.append(a)
    return a


@check("upload.broken-off-no-leftovers")
def _(t):
    """what a broken-off upload wrote is gone from the whole data folder soon after"""
    s = t.login(fresh_user())
    d = photo(3_000_000)
    head, body = post("/upload/%s/CUTTEMP.JPG" % s, d, method="PUT")
    cut_off(t, head + body[:2_000_000], "fin")
    t.not_kept(d, settle=8)


@check("upload.nothing-under-photos-while-running")
def _(t):
    """half an upload is not shown as a photo while it runs"""
    u = fresh_user()
    s = t.login(u)
    d = photo(400_000)
    head, body = post("/upload/%s/RUNNING.JPG" % s, d, method="PUT")
    c = open_connection(t.srv.port)
    try:
        c.sendall(head + body[:300_000])
        time.sleep(0.5)
        seen = [r for r in t.srv.holding(camera.marker_of(d), t.srv.photos) if not os.path.basename(r).startswith(".")]
        t.ok(not seen, "visible before it is complete: %s" % seen)
        c.sendall(body[300_000:])
        a = Answer()
        read_answer(c, a)
        a.strict = True
        t.answers.append(a)
        t.is_succ(a)
        t.kept(d, user=u)
    finally:
        c.close()


@check("upload.content-length-nonsense-400")
def _(t):
    u = fresh_user()
    s = t.login(u)
    cases = [("missing", False, ()), ("abc", b"abc", ()), ("negative", b"-1", ()), ("empty", b"", ()), ("hex", b"0x10", ()), ("float", b"5.0", ()),
             ("exponent", b"1e3", ()), ("beyond 64 bit", b"99999999999999999999999999", ()), ("two different", b"5", (b"Content-Length: 600",))]
    for what, length, extra in cases:
        d = photo(600)
        head, body = post("/upload/%s/CL.JPG" % s, d, method="PUT", length=length, headers=extra)
        a = t.x([head + body], shutdown=True, strict=False)
        t.is_error(a, (400, 413) if what == "beyond 64 bit" else 400, what)
        t.not_kept(d, what, settle=2)


@check("upload.content-length-missing-http10-400")
def _(t):
    """HTTP/1.0 knows bodies that end with the connection; a camera's upload without length is refused all the same"""
    s = t.login(fresh_user())
    d = photo(600)
    head, body = post("/upload/%s/CL10.JPG" % s, d, method="PUT", length=False, version="HTTP/1.0", host=None)
    a = t.x([head + body], shutdown=True, strict=False)
    t.is_error(a, 400)
    t.not_kept(d, settle=2)


@check("upload.extra-bytes-after-body")
def _(t):
    """the body ends with Content-Length: a CRLF, or more, sent behind it is not part of the file"""
    u = fresh_user()
    s = t.login(u)
    for what, extra in (("CRLF", b"\r\n"), ("next request", camera.get("/")), ("junk", b"x" * 3000)):
        d = photo(5000)
        a = t.x(b"".join(post("/upload/%s/EXTRA.JPG" % s, d, method="PUT")) + extra, strict=False)
        t.is_succ(a, what)
        t.kept(d, what, user=u)
    v = fresh_user()
    d = photo(5000)
    body = camera.email_body([("SAM_0001.JPG", d)], xml=camera.email_xml(sender=v), ending="none")
    a = t.x([camera.email_head(len(body)) + body + b"\r\n"], strict=False)
    t.is_succ(a, "e-mail")
    t.kept(d, "e-mail without last boundary, CRLF behind Content-Length", user=v)


@check("upload.soft-chunked")
def _(t):
    """a chunked PUT is not fixed by the documents: kept exactly, or 400 and nothing kept"""
    u = fresh_user()
    s = t.login(u)
    d = photo(3000)
    head, _ = post("/upload/%s/CHUNK.JPG" % s, d, method="PUT", length=False, headers=("Transfer-Encoding: chunked",))
    a = t.x([head + b"%x\r\n" % 1000 + d[:1000] + b"\r\n" + b"%x\r\n" % (len(d) - 1000) + d[1000:] + b"\r\n0\r\n\r\n"], strict=False, shutdown=True)
    if a.status == 200:
        t.is_succ(a)
        t.kept(d, user=u)
    else:
        t.is_error(a, (400, 411))
        t.not_kept(d, settle=2)
    t.note("status %d" % a.status)


# ---------------------------------------------------------------- files


@check("files.same-name-two-photos")
def _(t):
    u = fresh_user()
    s = t.login(u)
    d1, d2, d3 = photo(), photo(), photo()
    for d in (d1, d2, d3):
        rid = t.announce(s, "SAM_0001.JPG")
        t.is_succ(t.put("/" + rid, d))
    got = [t.kept(d, user=u) for d in (d1, d2, d3)]
    names = [g[0] for g in got if g]
    t.ok(len(set(names)) == 3, "names %s" % names)
    t.ok(names and os.path.basename(names[0]) == "SAM_0001.JPG", "the first one is called %s" % names[:1])
    # and the name the server chose for the second one, sent by a camera
    if len(names) == 3:
        for n in names[1:]:
            d = photo()
            t.is_succ(t.put("/upload/%s/%s" % (s, quote(os.path.basename(n))), d), "a photo called like the server's own choice")
            t.kept(d, user=u)
    for d in (d1, d2, d3):
        t.kept(d, "afterwards", user=u)


@check("files.same-size-one-byte-differs")
def _(t):
    u = fresh_user()
    s = t.login(u)
    d1 = photo(9000)
    d2 = d1[:-1] + bytes([d1[-1] ^ 1])
    for d in (d1, d2):
        t.is_succ(t.put("/upload/%s/SAM_0002.JPG" % s, d))
    t.kept(d1, user=u)
    t.kept(d2, user=u)


@check("files.same-bytes-kept-once")
def _(t):
    u = fresh_user()
    s = t.login(u)
    d = photo()
    for i in range(3):
        t.is_succ(t.put("/upload/%s/SAM_0003.JPG" % s, d), "time %d" % (i + 1))
    t.kept(d, "same name", user=u)
    t.is_succ(t.put("/upload/%s/ANOTHER_NAME.JPG" % s, d), "other name")
    t.kept(d, "other name", user=u)
    s2 = t.login(u)
    t.is_succ(t.put("/upload/%s/SAM_0003.JPG" % s2, d), "other session")
    t.kept(d, "other session of the same user", user=u)


@check("files.same-bytes-two-users")
def _(t):
    u, v = fresh_user(), fresh_user()
    d = photo()
    for w in (u, v):
        s = t.login(w)
        t.is_succ(t.put("/upload/%s/SAM_0004.JPG" % s, d))
    got = t.kept(d, times=2)
    t.ok({g.split("/")[0].lower() for g in got} == {u, v}, "in %s" % got)


@check("files.same-name-at-once", timeout=40)
def _(t):
    """twelve different photos of one name at the same time: all kept"""
    u = fresh_user()
    s = t.login(u)
    ds = [photo(150_000) for _ in range(12)]
    res = [None] * 12

    def one(i):
        head, body = post("/upload/%s/SAM_0005.JPG" % s, ds[i], method="PUT")
        try:
            res[i] = exchange(t.srv.port, [head, body[:70_000], 0.05 * (i % 3), body[70_000:]], timeout=20, label=t.name)
        except OSError:
            pass
    run_threads(one, 12)
    for i, a in enumerate(res):
        if a is None:
            t.bad("no connection %d" % i)
            continue
        a.strict = True
        t.answers.append(a)
        t.is_succ(a)
        t.kept(ds[i], user=u)


@check("files.same-bytes-at-once", timeout=40)
def _(t):
    """the same photo eight times at the same time: eight succ, one file"""
    u = fresh_user()
    s = t.login(u)
    d = photo(150_000)
    res = [None] * 8

    def one(i):
        head, body = post("/upload/%s/SAM_0006.JPG" % s, d, method="PUT")
        try:
            res[i] = exchange(t.srv.port, [head, body[:-10], 0.3, body[-10:]], timeout=20, label=t.name)
        except OSError:
            pass
    run_threads(one, 8)
    for a in res:
        if a is None:
            t.bad("no connection")
            continue
        a.strict = True
        t.answers.append(a)
        t.is_succ(a)
    t.kept(d, user=u)


def run_threads(f, n):
    ts = [threading.Thread(target=f, args=(i,), daemon=True) for i in range(n)]
    for x in ts:
        x.start()
    for x in ts:
        x.join(30)


@check("files.after-restart", server=None, timeout=40)
def _(t):
    """after a restart: the same bytes are still kept once, a new photo of an old name overwrites nothing"""
    u = fresh_user()
    srv = t.start()
    d1, d2, d3 = photo(), photo(), photo()
    s = t.login(u, srv=srv)
    for d in (d1, d2):
        t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d, srv=srv))
    srv.stop()
    srv2 = t.start(sandbox=srv.sandbox)
    s = t.login(u, srv=srv2)
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d3, srv=srv2), "new photo, old name")
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d1, srv=srv2), "old photo again")
    t.is_succ(t.put("/upload/%s/SAM_0009.JPG" % s, d2, srv=srv2), "old photo again, other name")
    for d in (d1, d2, d3):
        t.kept(d, srv=srv2, user=u)


@check("files.owner-moves-folder")
def _(t):
    """the owner takes a user's folder away while the server runs: the next photo is kept (or at least not acknowledged)"""
    import shutil
    u = fresh_user()
    s = t.login(u)
    d1, d2 = photo(), photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d1))
    got = t.kept(d1, user=u)
    t.need(got, "first photo not kept")
    shutil.rmtree(os.path.join(t.srv.photos, got[0].split("/")[0]))
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d2), "after the folder is gone")
    t.kept(d2, "after the folder is gone", user=u)
    a = t.put("/upload/%s/SAM_0001.JPG" % s, d1)
    t.note("the first photo sent again after its owner took it away: %d, %d copies on disk (not fixed by the documents)" % (a.status, len(t.srv.find(d1))))


@check("files.kill-9-in-an-upload", server=None, timeout=40)
def _(t):
    """kill -9 in the middle of a PUT and of an e-mail: nothing of them under photos/, the finished photo stays, the next run works"""
    import signal
    u = fresh_user()
    srv = t.start()
    s = t.login(u, srv=srv)
    d0, d1, d2 = photo(), photo(900_000), photo(900_000)
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d0, srv=srv))
    h, b = post("/upload/%s/SAM_0002.JPG" % s, d1, method="PUT")
    m = camera.email_body([("SAM_0003.JPG", d2)], xml=camera.email_xml(sender=u))
    c1, c2 = open_connection(srv.port), open_connection(srv.port)
    c1.sendall(h + b[:600_000])
    c2.sendall(camera.email_head(len(m)) + m[:600_000])
    time.sleep(0.5)
    os.kill(srv.pid, signal.SIGKILL)
    srv.wait(5)
    c1.close()
    c2.close()
    for d in (d1, d2):
        got = srv.holding(camera.marker_of(d), srv.photos)
        t.ok(not got, "under photos/ after kill -9: %s" % got)
    t.kept(d0, "finished before", srv=srv, user=u)
    srv2 = t.start(sandbox=srv.sandbox)
    time.sleep(0.3)
    for d in (d1, d2):
        got = srv2.holding(camera.marker_of(d), srv2.photos)
        t.ok(not got, "under photos/ after the next start: %s" % got)
    left = [x for d in (d1, d2) for x in srv2.holding(camera.marker_of(d))]
    t.note("half-received files left in the data folder after the next start: %d" % len(left))
    s = t.login(u, srv=srv2)
    t.is_succ(t.put("/upload/%s/SAM_0002.JPG" % s, d1, srv=srv2), "the next run")
    t.kept(d1, srv=srv2, user=u)


@check("upload.half-closed-after-request")
def _(t):
    """a client that ends its direction after a complete request is answered all the same"""
    u = fresh_user()
    s = t.login(u)
    d = photo(100_000)
    t.is_succ(t.put("/upload/%s/HALF.JPG" % s, d, shutdown=True))
    t.kept(d, user=u)
    a = t.x(camera.get("/", "gld.samsungosp.com"), shutdown=True)
    t.ok(a.status == 200, "gld: %s" % a)


URL_NAMES = [   # one path segment each, as a camera that escapes would send it: accepted, kept
    ("encoded dots up", "..%2F..%2Fx.JPG"), ("encoded many up", "..%2f" * 10 + "judge-evil-@RUN@.JPG"), ("encoded absolute", "%2Ftmp%2Fjudge-evil-@RUN@-put.JPG"),
    ("NUL", "a%00b.JPG"), ("NUL only", "%00"), ("300 chars", "N" * 300 + ".JPG"), ("3000 chars", "O" * 3000 + ".JPG"), ("encoded dot", "%2e"),
    ("encoded dotdot", "%2e%2e"), ("CON", "CON"), ("NUL.JPG", "NUL.JPG"), ("leading dot", ".hidden.JPG"), ("UTF-8 encoded", quote("사진.JPG")),
    ("EUC-KR encoded", quote("사진.JPG".encode("euc-kr"))), ("slash encoded", "a%2Fb%2Fc.JPG"), ("backslash encoded", "..%5C..%5Cx.JPG"),
    ("newline", "a%0Ab.JPG"), ("CRLF", "a%0D%0AX-Evil:%201.JPG"), ("bad escape", "a%zzb.JPG"), ("half escape", "a%2"), ("bare percent", "%"),
    ("twice encoded", "..%252F..%252Fx.JPG"), ("space", "a%20b.JPG"), ("plus", "a+b.JPG"), ("quote encoded", "a%22b.JPG"), ("tilde", "~root"),
    ("dash", "-rf"), ("query after", "Q.JPG?x=../../y"), ("escape char", "%1b%5b31m.JPG"), ("255 multi-byte", quote("é" * 127)),
    ("254 then multi-byte", quote("a" * 253 + "사진.JPG")), ("trailing dot", "abc."), ("trailing space", "abc%20"),
]


@check("files.hostile-url-names", timeout=60)
def _(t):
    u = fresh_user()
    s = t.login(u)
    for what, n in run_names(URL_NAMES):
        d = photo()
        a = t.put("/upload/%s/%s" % (s, n), d)
        t.is_succ(a, what)
        got = t.kept(d, what, user=u)
        judge_names(t, got, what)
    inside_only(t)
    t.note("%d names" % len(URL_NAMES))


def judge_names(t, got, what):
    for g in got:
        base = os.path.basename(g)
        if re.search(r"[\x00-\x1f\x7f]", base):
            t.bad("%s: control characters in the kept name %r" % (what, base))
        full = os.path.join(t.srv.photos, g)
        if not os.path.realpath(full).startswith(os.path.realpath(t.srv.photos) + "/"):
            t.bad("%s: outside photos/: %r" % (what, g))


@check("files.hostile-raw-paths", timeout=60)
def _(t):
    """more than one segment, or none: kept inside, or refused with 4xx and nothing kept"""
    u = fresh_user()
    s = t.login(u)
    for what, n in (("dots up", "../../x.JPG"), ("many up", "../" * 12 + "tmp/judge-evil-@RUN@.JPG"), ("absolute", "//tmp/judge-evil-@RUN@-raw.JPG"), ("dot", "."),
                    ("dotdot", ".."), ("sub folder", "a/b/c.JPG"), ("empty", ""), ("slashes", "////"), ("dot segments", "./././x.JPG"),
                    ("trailing slash", "x.JPG/"), ("backslash", "..\\..\\x.JPG"), ("fragment", "a#b.JPG")):
        n = n.replace("@RUN@", RUN)
        d = photo()
        a = t.put("/upload/%s/%s" % (s, n), d, strict=a_strict(what))
        if a.status == 200:
            t.is_succ(a, what)
            judge_names(t, t.kept(d, what, user=u), what)
        else:
            t.ok(400 <= a.status < 500, "%s: %s" % (what, a))
            t.not_kept(d, what, settle=2)
    inside_only(t)


def a_strict(_):
    return True


@check("files.hostile-email-names", timeout=60)
def _(t):
    for what, n in run_names(HOSTILE_NAMES) + [("empty", b"")]:
        if what in ("newline", "CR LF header", "quote", "long 5000"):
            n = {"newline": b"a%0Ab.JPG", "CR LF header": b"a%0d%0aX: 1.JPG", "quote": b'a\\"b.JPG', "long 5000": b"M" * 2000 + b".JPG"}[what]
        u = fresh_user("hn")
        d = photo()
        body = camera.email_body([(n, d)], xml=camera.email_xml(sender=u), ending="boundary")
        a = t.x([camera.email_head(len(body)) + body])
        t.is_succ(a, what)
        judge_names(t, t.kept(d, what, user=u), what)
    inside_only(t)
    t.note("%d names" % (len(HOSTILE_NAMES) + 1))


HOSTILE_USERS = ["../../evil", "..", ".", "/tmp/judge-evil-@RUN@-user", "a/b", "a\\b", ".hidden", "CON", "사용자", "new\nline", "tab\there", "~", "-rf",
                 "photos/../../x", "x" * 200, "a:b|c*d?", "café@example.com", "user%2F..%2Fx", " lead", "\x1b[31m"]


@check("files.hostile-users-login", timeout=60)
def _(t):
    for user in HOSTILE_USERS:
        user = user.replace("@RUN@", RUN)
        what = repr(user[:24])
        a = t.send(post("/facebook/auth", camera.login_xml(user)))
        if a.status != 200:
            t.bad("%s: trial mode admits anyone, got %s" % (what, a))
            continue
        s = t.session_of(a)
        d = photo()
        t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d), what)
        got = t.kept(d, what)
        judge_names(t, got, what)
        for g in got:
            t.ok(not re.search(r"[\x00-\x1f\x7f]", g), "%s: control characters in %r" % (what, g))
            t.ok(g.split("/")[0] not in ("..", "."), "%s: folder %r" % (what, g))
    inside_only(t)
    extra = set(os.listdir(t.srv.data))
    t.ok("evil" not in extra and "x" not in extra, "in the data folder: %s" % sorted(extra))


@check("files.odd-users-login")
def _(t):
    """empty or far too long: kept inside or refused, never a 5xx"""
    for user in ("", "y" * 300, "z" * 5000, "é" * 200, "a\0b"):
        what = "%r... (%d)" % (user[:5], len(user))
        a = t.send(post("/facebook/auth", camera.login_xml(user)))
        if a.status == 200:
            s = t.session_of(a)
            d = photo()
            t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d), what)
            judge_names(t, t.kept(d, what), what)
        else:
            t.ok(400 <= a.status < 500, "%s: %s" % (what, a))
    inside_only(t)


@check("files.hostile-users-email")
def _(t):
    for user in (u.replace("@RUN@", RUN) for u in ("../x@y", "../../evil@y", "/tmp/judge-evil-@RUN@-mail@y", "a/b@c", "..@..", "사용자@예.한국", "x" * 120 + "@y.example")):
        what = repr(user[:24])
        d = photo()
        body = camera.email_body([("SAM_0001.JPG", d)], xml=camera.email_xml(sender=user))
        a = t.x([camera.email_head(len(body)) + body])
        if a.status == 200:
            judge_names(t, t.kept(d, what), what)
        else:
            t.is_error(a, (400, 401), what)
            t.not_kept(d, what, settle=2)
    inside_only(t)
