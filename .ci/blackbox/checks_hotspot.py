"""Hotspot checks, pages and the small endpoints (facts sections 1 and 5)."""
import re
import time

import camera
from camera import get, post
from runner import check
from wire import head_problems, strstr

COOKIE = {"yahoo": "samsung=hotspot; Domain=.yahoo.co.kr; Path=/", "msn": "samsung=hotspot; Domain=.msn.com; Path=/"}


def is_cookie(t, a, which, what=""):
    ok = t.ok(a.status == 200, "%s: wanted 200 + cookie, got %s" % (what, a))
    c = a.header("Set-Cookie") or ""
    ok &= t.ok(re.search(r"[Dd]omain=\.%s\." % which, c), "%s: no cookie for .%s.*: %r" % (what, which, c))
    if ok:
        t.all_ok(head_problems(a, "cookie"), what)
        t.ok(c == COOKIE[which], "%s: cookie %r, known to work: %r" % (what, c, COOKIE[which]))
    return ok


def is_redirect(t, a, what=""):
    if not t.ok(a.status in (301, 302, 303, 307), "%s: wanted a redirect, got %s" % (what, a)):
        return
    loc = strstr(a.raw, b"Location: ", b"\r\n") or b""
    i = loc.find(b"yahoo.")
    t.ok(0 <= i <= 11, "%s: 'yahoo.' at offset %d of Location %r" % (what, i, loc))
    t.ok(a.header("Set-Cookie") is None, "%s: cookie in the redirect" % what)
    t.all_ok(head_problems(a, "location"), what)


@check("hotspot.gld")
def _(t):
    for what, req in (("HTTP/1.1", get("/", "gld.samsungosp.com")), ("HTTP/1.0", get("/", "gld.samsungosp.com", "HTTP/1.0")),
                      ("upper-case host", get("/", "GLD.samsungosp.com")), ("with port", get("/", "gld.samsungosp.com:80")),
                      ("absolute form", get("http://gld.samsungosp.com/", "gld.samsungosp.com")),
                      ("absolute form, no Host", get("http://gld.samsungosp.com/", None, "HTTP/1.0")),
                      ("absolute form without path", get("http://gld.samsungosp.com", "gld.samsungosp.com"))):
        a = t.x(req)
        t.ok(a.status == 200, "%s: %s" % (what, a))
        t.ok(a.body == b"", "%s: body is not empty: %r" % (what, a.body[:60]))
        t.all_ok(head_problems(a, "gld"), what)
        t.ok(b'\r\nETag: "deadbeef"\r\n' in a.raw, "%s: ETag %r" % (what, a.header("ETag")))
        servers = [v for n, v in a.headers if n == "Server"]
        t.ok(servers[1:] == ["nginx/notreally"], "%s: Server lines %s" % (what, servers))


@check("hotspot.yahoo-alternates", server="fresh")
def _(t):
    """cookie first, then redirect, and so on; per client address"""
    req = get("/", "www.yahoo.co.kr")
    is_cookie(t, t.x(req), "yahoo", "1st from .1")
    is_redirect(t, t.x(req), "2nd from .1")
    is_cookie(t, t.x(req, src="127.0.0.2"), "yahoo", "1st from .2")
    is_cookie(t, t.x(req), "yahoo", "3rd from .1")
    is_redirect(t, t.x(req, src="127.0.0.2"), "2nd from .2")
    is_redirect(t, t.x(req), "4th from .1")
    is_cookie(t, t.x(req, src="127.0.0.3"), "yahoo", "1st from .3")


@check("hotspot.yahoo-forms", server="fresh")
def _(t):
    """HTTP/1.0, host in capitals, with port, absolute form: each from an address of its own, so each the first"""
    for i, (what, req) in enumerate((("HTTP/1.0", get("/", "www.yahoo.co.kr", "HTTP/1.0")), ("capitals", get("/", "WWW.YAHOO.CO.KR")),
                                     ("port", get("/", "www.yahoo.co.kr:80")), ("absolute", get("http://www.yahoo.co.kr/", "www.yahoo.co.kr")),
                                     ("absolute, no Host", get("http://www.yahoo.co.kr/", None, "HTTP/1.0")))):
        src = "127.0.1.%d" % (i + 1)
        is_cookie(t, t.x(req, src=src), "yahoo", what)
        is_redirect(t, t.x(req, src=src), what)


@check("hotspot.msn-always-cookie", server="fresh")
def _(t):
    req = get("/", "www.msn.com")
    for i in range(4):
        is_cookie(t, t.x(req), "msn", "request %d" % (i + 1))
    is_cookie(t, t.x(get("/", "WWW.MSN.COM:80", "HTTP/1.0")), "msn", "capitals, port, HTTP/1.0")
    is_cookie(t, t.x(get("http://www.msn.com/", None, "HTTP/1.0")), "msn", "absolute, no Host")


@check("hotspot.golden-bodies", server="fresh")
def _(t):
    """bodies and redirect target as the server known to work sends them"""
    a = t.x(get("/", "www.yahoo.co.kr"))
    t.ok(a.body.strip() == b"YAHOO!", "yahoo body %r" % a.body)
    a = t.x(get("/", "www.yahoo.co.kr"))
    t.ok(a.status == 302 and a.header("Location") == "http://yahoo.com", "yahoo redirect %s to %r" % (a.status, a.header("Location")))
    a = t.x(get("/", "www.msn.com"))
    t.ok(a.body.strip() == b"MSN", "msn body %r" % a.body)


@check("page.for-people")
def _(t):
    for what, req in (("IP", get("/", "10.42.0.1")), ("localhost with port", get("/", "127.0.0.1:%d" % t.srv.port)),
                      ("samsungimaging", get("/", "www.samsungimaging.com")), ("HTTP/1.0 without Host", get("/", None, "HTTP/1.0")),
                      ("snsgw", get("/", "snsgw.samsungmobile.com"))):
        a = t.x(req)
        t.ok(a.status == 200, "%s: %s" % (what, a))
        t.all_ok(head_problems(a, "plain"), what)
        t.ok(re.search(rb"<(!doctype|html|head|body|h1|p)\b", a.body, re.I), "%s: no HTML: %r" % (what, a.body[:60]))


@check("page.email-path-get-redirects")
def _(t):
    for target in ("/social/columbus/email", "/social/columbus/email?DUID=123456789033"):
        a = t.x(get(target, "www.ospserver.net"))
        t.ok(a.status in (301, 302, 303, 307, 308), "%s: %s" % (target, a))
        t.ok(a.header("Location") in ("/", "http://www.ospserver.net/"), "%s: Location %r" % (target, a.header("Location")))
        t.all_ok(head_problems(a, "location"), target)


@check("st1000.time")
def _(t):
    before = time.time() * 1000
    a = t.x(get("/security/sso/initialize/time", "www.ospserver.net", "HTTP/1.0"))
    after = time.time() * 1000
    t.ok(a.status == 200, a)
    m = re.match(r'<\?xml version="1\.0" encoding="UTF-8" standalone="yes"\?><initializeResult><currentServerTime>(\d+)</currentServerTime>'
                 r'</initializeResult>\s*$', a.text)
    if t.ok(m, "not the captured answer: %r" % a.text):
        t.ok(before - 5000 <= int(m.group(1)) <= after + 5000, "%s is not now in milliseconds" % m.group(1))
    t.all_ok(head_problems(a, "plain", content_type=False))
    t.note("Content-Type %r" % a.header("Content-Type"))


@check("st1000.provider-list", server="fresh")
def _(t):
    a = t.x(get("/social/columbus/serviceproviders/list?DUID=357710098800771", "www.ospserver.net", headers=["X-Judge-Probe: columbus-1492"]))
    t.ok(a.status == 200, a)
    t.all_ok(head_problems(a, "plain", content_type=False))
    time.sleep(0.3)
    log = t.srv.stderr()
    t.ok("serviceproviders/list" in log and "357710098800771" in log, "target not in the log")
    t.ok("columbus-1492" in log, "the request is to be logged in full; a header of it is missing")


ALLSHARE = (b"<userAuthRequest><loginID>xxx</loginID><password>eee</password><duid></duid><mobileCountryCode></mobileCountryCode>"
            b"<tncAccepted>Y</tncAccepted></userAuthRequest>")


@check("allshare.survives")
def _(t):
    for body in (ALLSHARE, b"", b"\0" * 50, ALLSHARE[:40]):
        a = t.send(post("/security/sso/userprofiles/authentication/emailid", body, host="www.ospserver.net"))
        t.ok(a.raw and a.status < 500, "%r: %s" % (body[:20], a))
        t.all_ok(head_problems(a, content_type=False), repr(body[:10]))
    t.note("status %d" % a.status)


@check("unknown.path-404")
def _(t):
    for req in (get("/nope"), get("/favicon.ico"), get("/a/b/c/d/e"), get("/upload"), get("/%2e%2e/%2e%2e/etc/passwd"), get("/../../etc/passwd"),
                get("/photos/"), get("/social/columbus/nothing", "www.ospserver.net")):
        a = t.x(req)
        t.ok(a.status == 404 or (b".." in req and a.status == 400), "%r: %s" % (req[:40], a))
        t.all_ok(head_problems(a, "plain"), repr(req[:30]))
    for target in ("/nope", "/facebook/nope", "/social/columbus/nothing?DUID=1", "/a/b/c/d"):
        a = t.send(post(target, b"<a/>"))
        t.ok(a.status == 404, "POST %s: %s" % (target, a))
    a = t.send(post("/nope", b"x" * 5000, method="PUT"))
    t.ok(a.status == 404, "PUT /nope: %s" % a)


@check("unknown.methods-no-crash")
def _(t):
    """a known path with another method: status not fixed, but an answer below 500"""
    for m in ("GET", "HEAD", "DELETE", "OPTIONS", "FOO", "CONNECT", "TRACE", "PATCH"):
        for path in ("/facebook/auth", "/", "/upload/x/y", "/social/columbus/email"):
            a = t.x(get(path, method=m), strict=False)
            t.ok(a.status < 500, "%s %s: %s" % (m, path, a))
            t.ok(a.raw or a.eof, "%s %s: hangs" % (m, path))
