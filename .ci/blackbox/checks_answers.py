"""Answers as such: drained bodies, early answers, stalls, fuzz, logs, SIGTERM."""
import os
import random
import re
import signal
import threading
import time

import camera
from camera import B, email_body, email_head, email_xml, get, photo, photo_xml, post
from checks_login import fresh_user
from checks_upload import cut_off, inside_only
from runner import check, Fail, Skip
from wire import PROBE, Answer, exchange, head_problems, open_connection, read_answer

BIG = 5_000_000


def big(n=BIG):
    block = os.urandom(65536)
    return (block * (n // 65536 + 1))[:n]


@check("drain.unknown-session-5MB", timeout=40)
def _(t):
    """5 MB to a bad session: all of it can be sent before reading, then 401 + error XML"""
    for method, version in (("PUT", "HTTP/1.1"), ("POST", "HTTP/1.0")):
        for what, target in (("bad session", "/upload/badsession/x"), ("unknown key", "/upload/%s/SAM_0001.JPG" % ("a" * 32))):
            head, body = post(target, big(), method=method, version=version)
            a = t.x([head] + [body[i:i + 65536] for i in range(0, len(body), 65536)])
            t.ok(a.sent_all, "%s %s: sending was cut off (%s)" % (method, what, a.send_error))
            t.is_error(a, 401, what)
            t.ok(not a.reset, "%s: connection reset instead of closed" % what)
            t.all_ok(head_problems(a, "plain"), what)


@check("drain.other-errors-5MB", timeout=60)
def _(t):
    cases = {
        "404 on PUT": (post("/nope/x", big(), method="PUT"), 404),
        "404 on POST": (post("/nope", big()), 404),
        "announce without a session": (post("/facebook/photo", photo_xml("0" * 32, "x", content="y" * 100_000)), (400, 401, 413)),
    }
    for what, ((head, body), status) in cases.items():
        a = t.x([head] + [body[i:i + 65536] for i in range(0, len(body), 65536)])
        t.ok(a.sent_all, "%s: sending was cut off (%s)" % (what, a.send_error))
        t.ok(a.status in (status if isinstance(status, tuple) else (status,)), "%s: %s" % (what, a))
        t.ok(not a.reset, "%s: connection reset instead of closed" % what)
    for what, kw in (("wrong boundary", dict(boundary="wrong" + B)), ("no sender", {})):
        xml = email_xml(sender="") if what == "no sender" else email_xml(sender=fresh_user())
        body = email_body([("SAM_0001.JPG", photo(BIG))], xml=xml)
        a = t.x([email_head(len(body), **kw)] + [body[i:i + 65536] for i in range(0, len(body), 65536)])
        t.ok(a.sent_all, "%s: sending was cut off (%s)" % (what, a.send_error))
        t.is_error(a, (400, 401), what)
        t.ok(not a.reset, "%s: connection reset instead of closed" % what)


@check("drain.no-early-answer", timeout=40)
def _(t):
    """nothing is answered before the whole body came, however clear the refusal is"""
    d = photo(200_000)
    em = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=fresh_user()))
    em_none = email_body([("SAM_0001.JPG", d)], message=False)
    cases = {"PUT to a bad session": post("/upload/badsession/x", d, method="PUT"),
             "404": post("/nope", d), "e-mail, wrong boundary": (email_head(len(em), boundary="other"), em),
             "e-mail without message": (email_head(len(em_none)), em_none),
             "login that is no XML": post("/facebook/auth", b"x" * 20_000), "announce, no session": post("/facebook/photo", photo_xml("0" * 32, "x", "y" * 9000)),
             "OAuth login": post("/flickr/auth", camera.oauth_xml())}
    for what, (head, body) in cases.items():
        h = len(body) // 2
        a = t.x([head + body[:h], 0.6, PROBE, body[h:-1], 0.3, PROBE, body[-1:]])
        t.ok(not a.early, "%s: answered early: %r" % (what, a.early[:60]))
        t.ok(a.sent_all and 400 <= a.status < 500, "%s: %s" % (what, a))
        t.ok(not a.reset, "%s: reset" % what)


@check("answers.every-kind", server="fresh", timeout=40)
def _(t):
    """one of each: status line HTTP/1.1 (also for HTTP/1.0), names and order of the head, length, below 1400, closed, no RST"""
    for what, shape, req in one_of_each(t):
        a = t.x(req)
        t.all_ok(head_problems(a, shape, content_type=what not in ("time", "list", "allshare")), what)
        t.ok(not a.reset, "%s: connection reset instead of closed" % what)
    t.note("%d kinds" % len(t.answers))


def one_of_each(t, srv=None):
    """(what, shape, pieces) of every kind of answer; the server must be in trial mode"""
    s = t.login("kinds@judge.example", srv=srv)
    d = photo(2000)
    em = email_body([("SAM_0001.JPG", photo())], xml=email_xml(sender="kinds@judge.example"))
    bad = email_body([("SAM_0001.JPG", photo())], message=False)

    def j(hb):
        return [hb[0] + hb[1]]
    return [
        ("login", "plain", j(post("/facebook/auth", camera.LOGIN_NX300))),
        ("login 1.0", "plain", j(post("/facebook/auth", camera.LOGIN_TALK, version="HTTP/1.0", host=None))),
        ("login 1.0 keep-alive", "plain", j(post("/facebook/auth", camera.LOGIN_TALK, version="HTTP/1.0", headers=("Connection: Keep-Alive",)))),
        ("login empty", "plain", j(post("/facebook/auth", b""))),
        ("login empty 1.0", "plain", j(post("/facebook/auth", b"", version="HTTP/1.0"))),
        ("login oauth", "plain", j(post("/flickr/auth", camera.oauth_xml()))),
        ("login split", "plain", [post("/facebook/auth", camera.LOGIN_NX300)[0], 0.2, camera.LOGIN_NX300]),
        ("announce", "plain", j(post("/facebook/photo", photo_xml(s, "SAM_0001.JPG")))),
        ("announce no session", "plain", j(post("/facebook/photo", photo_xml("0" * 32, "SAM_0001.JPG")))),
        ("video", "plain", j(post("/youtube/video", camera.video_xml(s, "SAM_0002.MP4")))),
        ("put", "plain", j(post("/upload/%s/SAM_0001.JPG" % s, d, method="PUT"))),
        ("put 1.0", "plain", j(post("/upload/%s/SAM_0003.JPG" % s, photo(), method="PUT", version="HTTP/1.0", host=None))),
        ("put bad session", "plain", j(post("/upload/badsession/x", d, method="PUT"))),
        ("put large", "plain", j(post("/upload/%s/SAM_0004.JPG" % s, photo(3_000_000), method="PUT"))),
        ("email", "plain", [email_head(len(em)) + em]),
        ("email bad", "plain", [email_head(len(bad)) + bad]),
        ("logout", "plain", j(post("/facebook/auth", camera.login_xml("kinds@judge.example", method="logout")))),
        ("gld", "gld", [get("/", "gld.samsungosp.com")]),
        ("gld 1.0", "gld", [get("/", "gld.samsungosp.com", "HTTP/1.0")]),
        ("yahoo cookie", "cookie", [get("/", "www.yahoo.co.kr")]),
        ("yahoo redirect", "location", [get("/", "www.yahoo.co.kr")]),
        ("msn", "cookie", [get("/", "www.msn.com")]),
        ("page", "plain", [get("/", "www.samsungimaging.com")]),
        ("page 1.0", "plain", [get("/", None, "HTTP/1.0")]),
        ("email path GET", "location", [get(camera.EMAIL_TARGET, "www.ospserver.net")]),
        ("time", "plain", [get("/security/sso/initialize/time")]),
        ("list", "plain", [get("/social/columbus/serviceproviders/list?DUID=1")]),
        ("404", "plain", [get("/nope")]),
        ("404 post", "plain", j(post("/nope", b"hello"))),
        ("garbage head", "plain", [b"this is no request\r\n\r\n"]),
    ]


@check("answers.closed-promptly")
def _(t):
    """the connection ends right after the answer, though we neither close nor half-close"""
    for what, req in (("page", get("/", "10.0.0.1")), ("1.0 keep-alive", get("/", None, "HTTP/1.0", headers=["Connection: Keep-Alive"])),
                      ("login", b"".join(post("/facebook/auth", camera.LOGIN_NX300)))):
        a = t.x([req], timeout=5)
        t.ok(a.eof, "%s: still open 5 s after" % what)
        t.ok(a.seconds < 2, "%s: took %.1f s" % (what, a.seconds))
        t.ok(not a.reset, "%s: reset" % what)


@check("answers.second-request-ignored")
def _(t):
    """two requests on one connection: one answer, then the end"""
    r = get("/", "gld.samsungosp.com")
    a = t.x([r + r], strict=False)
    t.ok(a.status == 200 and a.raw.count(b"HTTP/1.") == 1, "%d answers: %s" % (a.raw.count(b"HTTP/1."), a))
    t.ok(a.eof, "left open")


@check("answers.expect-100")
def _(t):
    """a client that waits for 100 Continue (curl) is served as well: the last answer is the real one"""
    u = fresh_user()
    s = t.login(u)
    d = photo(2000)
    head, body = post("/upload/%s/SAM_0001.JPG" % s, d, method="PUT", headers=("Expect: 100-continue",))
    a = t.x([head, 1.2, body], strict=False)
    t.is_succ(a)
    t.kept(d, user=u)


@check("stall.does-not-hold-others", timeout=40)
def _(t):
    """forty silent or half-sent connections: a camera is still served at once"""
    s = t.login(fresh_user())
    cs = []
    try:
        for i in range(40):
            c = open_connection(t.srv.port)
            cs.append(c)
            if i % 4 == 1:
                c.sendall(b"POST /facebook/au")
            elif i % 4 == 2:
                c.sendall(post("/upload/%s/STALL.JPG" % s, b"x" * 1000, method="PUT")[0] + b"half")
            elif i % 4 == 3:
                c.sendall(email_head(100000) + b"--" + B.encode() + b"\r\nconte")
        t0 = time.monotonic()
        u = fresh_user()
        k = t.login(u)
        d = photo(100_000)
        t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % k, d))
        t.kept(d, user=u)
        t.ok(time.monotonic() - t0 < 4, "took %.1f s" % (time.monotonic() - t0))
    finally:
        for c in cs:
            c.close()


@check("stall.slow-but-steady", timeout=40)
def _(t):
    """a photo that trickles in over 8 s is accepted"""
    u = fresh_user()
    s = t.login(u)
    d = photo(32_000)
    head, body = post("/upload/%s/SLOW.JPG" % s, d, method="PUT")
    pieces = [head]
    for i in range(0, len(body), 2000):
        pieces += [body[i:i + 2000], 0.5]
    t.is_succ(t.x(pieces, timeout=15))
    t.kept(d, user=u)


@check("concurrent.twenty-posts", timeout=60)
def _(t):
    """twenty cameras at once, each login, announce, PUT and an e-mail"""
    res = {}

    def one(i):
        u = "many%d@judge.example" % i
        try:
            a = exchange(t.srv.port, b"".join(post("/facebook/auth", camera.login_xml(u))), timeout=20)
            key = re.search(rb'SessionKey="([^"]+)"', a.raw).group(1).decode()
            d = photo(300_000)
            b = exchange(t.srv.port, b"".join(post("/upload/%s/SAM_0001.JPG" % key, d, method="PUT")), timeout=20)
            e = photo(200_000)
            m = email_body([("SAM_0002.JPG", e)], xml=email_xml(sender=u))
            c = exchange(t.srv.port, [email_head(len(m)), m], timeout=20)
            res[i] = (u, d, e, a, b, c)
        except Exception as x:
            res[i] = x
    ts = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(20)]
    for x in ts:
        x.start()
    for x in ts:
        x.join(50)
    for i in range(20):
        r = res.get(i)
        if not isinstance(r, tuple):
            t.bad("camera %d: %r" % (i, r))
            continue
        u, d, e, a, b, c = r
        for y in (a, b, c):
            y.label, y.strict = t.name, True
            t.answers.append(y)
        t.is_succ(b, "PUT %d" % i)
        t.is_succ(c, "e-mail %d" % i)
        t.kept(d, user=u)
        t.kept(e, user=u)


# ---------------------------------------------------------------- machine abuse


@check("fuzz.mutated-captures", server="fresh", timeout=150)
def _(t):
    """500 damaged requests (fixed seed): never a 5xx, a crash, a hang or a leak; afterwards a camera is served"""
    rnd = random.Random(20250201)
    s = t.login("fuzz@judge.example")
    em = email_body([("SAM_4371.JPG", photo(600)), ("SAM_4372.JPG", photo(300))], xml=email_xml(sender="fuzz@judge.example"), ending="dashes-crlf")
    seeds = [b"".join(post("/facebook/auth", camera.LOGIN_NX300)), b"".join(post("/facebook/auth", camera.LOGIN_TALK)),
             b"".join(post("/facebook/photo", photo_xml(s, "SAM_0001.JPG"))), b"".join(post("/youtube/video", camera.video_xml(s, "S.MP4"))),
             b"".join(post("/upload/%s/SAM_0001.JPG" % s, photo(300), method="PUT")), email_head(len(em)) + em, email_head(len(em)) + em,
             get("/", "www.yahoo.co.kr"), get("/", "gld.samsungosp.com", "HTTP/1.0"), b"".join(post("/youtube/auth", camera.qf30_xml("a@b", "c")))]
    time.sleep(0.3)
    fds = t.srv.fds()
    hang = 0
    for i in range(500):
        b = bytearray(rnd.choice(seeds))
        for _ in range(rnd.choice((1, 1, 2, 4, 8))):
            if not b:
                break
            p = rnd.randrange(len(b))
            k = rnd.randrange(7)
            if k == 0:
                b[p] = rnd.randrange(256)
            elif k == 1:
                b[p] ^= 1 << rnd.randrange(8)
            elif k == 2:
                del b[p:p + rnd.choice((1, 2, 5, 40))]
            elif k == 3:
                b[p:p] = bytes(rnd.randrange(256) for _ in range(rnd.choice((1, 3, 20))))
            elif k == 4:
                q = rnd.randrange(len(b))
                b[p:p] = b[q:q + rnd.choice((4, 30, 200))]
            elif k == 5:
                del b[p:]
            else:
                b[p:p] = rnd.choice((b"\r\n", b"\n", b"\0", b"--" + B.encode(), b"<", b'"', b"]]>", b"%00", b"\r\n\r\n", b"&#0;", b"../"))
        a = t.x([bytes(b)], shutdown=True, timeout=6, strict=False)
        if a.status >= 500:
            t.bad("mutation %d: %s, sent %r" % (i, a, bytes(b[:200])))
        if not a.eof:
            hang += 1
            if hang < 3:
                t.bad("mutation %d: neither answer nor end 6 s after our end; sent %r" % (i, bytes(b[:120])))
            if hang > 6:
                break
        if not t.srv.alive():
            raise Fail("server died at mutation %d: %r" % (i, bytes(b[:200])))
    u = fresh_user()
    k = t.login(u)
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % k, d), "afterwards")
    t.kept(d, user=u)
    time.sleep(1.5)
    t.ok(t.srv.fds() <= fds + 6, "open descriptors went from %d to %d" % (fds, t.srv.fds()))
    inside_only(t)
    by = {}
    for a in t.answers:
        by[a.status] = by.get(a.status, 0) + 1
    t.note("statuses %s, descriptors %d -> %d" % (by, fds, t.srv.fds()))


@check("leak.two-thousand-requests", server="fresh", timeout=120)
def _(t):
    """two thousand requests of all kinds: no descriptor stays open, memory does not grow"""
    s = t.login("leak@judge.example")
    t.is_succ(t.put("/upload/%s/FIRST.JPG" % s, photo()))
    em = email_body([("SAM_0001.JPG", photo())], message=False)
    reqs = [b"".join(post("/facebook/auth", camera.LOGIN_NX300)), b"".join(post("/facebook/auth", b"")), b"".join(post("/facebook/photo", photo_xml(s, "SAM_0001.JPG"))),
            b"".join(post("/upload/badsession/x", photo(), method="PUT")), email_head(len(em)) + em, get("/", "gld.samsungosp.com"), get("/", "www.yahoo.co.kr"), get("/nope"),
            b"garbage\r\n\r\n", b"POST /facebook/auth HTTP/1.1\r\nContent-Length: 99\r\n\r\nhalf"]
    for r in reqs * 10:
        exchange(t.srv.port, r, shutdown=True)
    time.sleep(0.5)
    fds, rss = t.srv.fds(), t.srv.status_kb("VmRSS")
    for i in range(2000):
        r = reqs[i % len(reqs)]
        exchange(t.srv.port, r, shutdown=True, timeout=5)
    time.sleep(1.5)
    t.ok(t.srv.fds() <= fds + 3, "open descriptors went from %d to %d" % (fds, t.srv.fds()))
    t.ok(t.srv.status_kb("VmRSS") - rss < 8192, "VmRSS grew by %d kB" % (t.srv.status_kb("VmRSS") - rss))
    t.note("descriptors %d -> %d, VmRSS %d -> %d kB" % (fds, t.srv.fds(), rss, t.srv.status_kb("VmRSS")))


@check("fuzz.cut-at-every-offset", server="fresh", timeout=120)
def _(t):
    """each capture cut at every fifth offset, then our end: no 5xx, no hang, no succ"""
    em = email_body([("SAM_4371.JPG", photo(200))], xml=email_xml(sender="cut@judge.example"), ending="boundary")
    s = t.login("cut@judge.example")
    for what, data in (("login", b"".join(post("/facebook/auth", camera.LOGIN_NX300))), ("e-mail", email_head(len(em)) + em),
                       ("PUT", b"".join(post("/upload/%s/X.JPG" % s, photo(100), method="PUT")))):
        for n in range(0, len(data), 5):
            a = t.x([data[:n]], shutdown=True, timeout=6, strict=False)
            t.ok(a.status < 500, "%s cut at %d: %s" % (what, n, a))
            t.ok(a.eof, "%s cut at %d: left open" % (what, n))
            t.ok(b"succ" not in a.raw, "%s cut at %d: succ" % (what, n))
            if len(t.problems) > 4:
                return
    time.sleep(0.3)
    t.ok(not t.srv.files(), "left under photos/: %s" % [r for r, _ in t.srv.files()][:3])


# ---------------------------------------------------------------- logs


@check("logs.no-secrets", server="fresh", timeout=40)
def _(t):
    """stderr and stdout hold no password, session key, crypt key or Authorization value; not on success, not on errors"""
    import base64
    tag = os.urandom(4).hex()
    pw = "Pa55-%s-word" % tag
    key = os.urandom(32)
    secrets = {"password": pw, "crypt key": base64.b64encode(key).decode(), "crypt key in hex": key.hex()}
    xml = camera.login_xml("logs@judge.example", pw, key=key)
    m = re.search(rb'Password Value="([^"]+)"', xml).group(1).decode()
    secrets["encrypted password"] = m
    s = t.session_of(t.send(post("/facebook/auth", xml)))
    secrets["session key"] = s
    d = photo()
    t.announce(s, "SAM_0001.JPG")
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d))
    t.put("/upload/%s/../../x" % s, d)
    t.put("/upload/%s" % s, d)
    t.put("/upload/%s/y" % s, d, length=b"abc", shutdown=True, strict=False)
    t.put("http://a.b/upload/%s/quote\".JPG" % s, d)
    cut_off(t, post("/upload/%s/CUT.JPG" % s, d, method="PUT")[0] + b"half", "fin")
    auth = "consumer%sconsumer" % tag
    secrets["Authorization"] = auth
    em = email_body([("SAM_0001.JPG", photo())], xml=email_xml(sender="logs@judge.example"))
    t.x([email_head(len(em), auth=auth) + em])
    em = email_body([("SAM_0001.JPG", photo())], message=False)
    t.x([email_head(len(em), auth=auth) + em])
    t.x([b"GET / HTTQ/1.1\r\nAuthorization: OAuth " + auth.encode() + b"\r\n\r\n"], strict=False, shutdown=True)
    t.x([get("/social/columbus/serviceproviders/list?DUID=1", headers=["Authorization: OAuth " + auth])])
    secrets["clear password (QF30)"] = "QF-%s-pw" % tag
    t.session_of(t.send(post("/youtube/auth", camera.qf30_xml("qf@judge.example", secrets["clear password (QF30)"]))))
    secrets["password (AllShare)"] = "AS-%s-pw" % tag
    t.send(post("/security/sso/userprofiles/authentication/emailid",
                b"<userAuthRequest><loginID>xxx</loginID><password>" + secrets["password (AllShare)"].encode() + b"</password></userAuthRequest>"))
    # refusals: undecodable credentials, a dead session
    k = base64.b64encode(key).decode()
    t.send(post("/facebook/auth", xml.replace(b"UserName Value=\"", b"UserName Value=\"%ZZ")))
    t.send(post("/facebook/auth", xml.replace(k.encode(), k[:-4].encode() + b"!!!=")))
    t.send(post("/facebook/auth", b"garbage Password " + pw.encode()))
    t.send(post("/facebook/auth", camera.login_xml("logs@judge.example", pw, method="logout", session=s)))
    t.put("/upload/%s/after-logout.JPG" % s, d)
    t.send(post("/facebook/photo", photo_xml(s, "after-logout.JPG")))
    time.sleep(0.5)
    log = t.srv.stderr() + t.srv.stdout()
    for what, v in secrets.items():
        for form in {v, v.replace("%", "%25")}:
            i = log.find(form)
            if i >= 0:
                line = log[log.rfind("\n", 0, i) + 1:(log.find("\n", i) + 1 or len(log))].strip()
                t.bad("%s in the log: %r" % (what, line[:200]))
    t.note("%d lines of log" % log.count("\n"))


@check("logs.no-raw-control-characters", server="fresh")
def _(t):
    """what a camera sends reaches no log line unescaped: line ends and escape sequences"""
    s = t.login("evil\nFORGED LINE one\x1b[31m")
    t.put("/upload/%s/a%%0AFORGED%%20LINE%%20two.JPG" % s, photo())
    t.send(post("/facebook/photo", photo_xml(s, b"a\nFORGED LINE three.JPG")))
    em = email_body([("SAM\x1b[32m.JPG", photo())], xml=email_xml(sender="logs@judge.example", title="x\nFORGED LINE four"))
    t.x([email_head(len(em)) + em])
    t.x([b"GET /\x1b[31mred HTTP/1.1\r\nHost: x\r\n\r\n"], strict=False, shutdown=True)
    t.x([get("/social/columbus/serviceproviders/list?DUID=1", headers=["X-A: \x1b[31mred"])], strict=False)
    time.sleep(0.3)
    log = t.srv.stderr()
    for line in log.splitlines():
        t.ok(not line.startswith("FORGED"), "a forged log line: %r" % line[:80])
    t.ok("\x1b[31mred" not in log and "\x1b[32m.JPG" not in log, "a camera's escape sequence in the log")


@check("logs.bad-input-is-logged", server="fresh")
def _(t):
    """bad input is logged, once"""
    before = len(t.srv.stderr().splitlines())
    t.is_error(t.send(post("/facebook/auth", b"")), 400)
    time.sleep(0.3)
    lines = t.srv.stderr().splitlines()[before:]
    t.ok(len(lines) == 1, "%d lines for one bad request: %s" % (len(lines), lines[:3]))


# ---------------------------------------------------------------- ending


@check("sigterm.idle", server=None)
def _(t):
    s = t.start()
    s.term()
    code = s.wait(8)
    t.ok(code == 0, "exit code %s" % code)


@check("sigterm.finishes-upload", server=None, timeout=40)
def _(t):
    """SIGTERM in the middle of a PUT and of an e-mail: both get succ, the photos are kept, exit code 0"""
    srv = t.start()
    t.srv = srv
    u = fresh_user()
    s = t.login(u)
    d, e = photo(600_000), photo(500_000)
    h, b = post("/upload/%s/TERM.JPG" % s, d, method="PUT")
    m = email_body([("TERM2.JPG", e)], xml=email_xml(sender=u))
    c1, c2 = open_connection(srv.port), open_connection(srv.port)
    c1.sendall(h + b[:100_000])
    c2.sendall(email_head(len(m)) + m[:100_000])
    time.sleep(0.5)
    srv.term()
    time.sleep(0.5)
    t.ok(srv.alive(), "exited at once, with uploads running")
    answers = []
    try:
        for i in range(100_000, 600_000 + 60_000, 50_000):
            for c, x in ((c1, b), (c2, m)):
                if x[i:i + 50_000]:
                    c.sendall(x[i:i + 50_000])
            time.sleep(0.1)
        for what, c in (("PUT", c1), ("e-mail", c2)):
            a = Answer()
            a.label, a.strict = t.name, True
            read_answer(c, a, 10)
            t.answers.append(a)
            t.is_succ(a, what)
    except OSError as x:
        t.bad("sending after SIGTERM: %s" % type(x).__name__)
    finally:
        c1.close()
        c2.close()
    code = srv.wait(10)
    t.ok(code == 0, "exit code %s" % code)
    t.kept(d, "PUT", user=u)
    t.kept(e, "e-mail", user=u)
    t.srv = None


@check("sigterm.idle-connection-does-not-hold", server=None, timeout=50)
def _(t):
    """a silent connection does not keep the server from ending (head_timeout is 15 s)"""
    srv = t.start()
    c = open_connection(srv.port)
    c2 = open_connection(srv.port)
    c2.sendall(b"GET / HTT")
    time.sleep(0.2)
    t0 = time.monotonic()
    srv.term()
    code = srv.wait(30)
    t.ok(code == 0, "exit code %s after %.0f s" % (code, time.monotonic() - t0))
    t.note("%.1f s" % (time.monotonic() - t0))
    c.close()
    c2.close()
