"""Resident memory while large things arrive. Judge on a release binary."""
import hashlib
import os
import threading
import time

import camera
from camera import B, MESSAGE_HEAD, binary_head, email_head, email_xml, photo, post
from checks_login import fresh_user
from runner import check
from wire import Answer, exchange

MB = 1_000_000
LIMIT_KB = 8 * 1024


class Meter:
    """peak of VmRSS from now on, over `base`"""

    def __init__(self, srv):
        self.srv = srv
        self.kernel = srv.reset_peak()
        self.base = srv.status_kb("VmRSS")
        self.peak = self.base
        self.go = True
        self.th = threading.Thread(target=self.run, daemon=True)
        self.th.start()

    def run(self):
        while self.go:
            try:
                self.peak = max(self.peak, self.srv.status_kb("VmRSS"))
                if self.kernel:
                    self.peak = max(self.peak, self.srv.status_kb("VmHWM"))
            except OSError:
                return
            time.sleep(0.05)

    def stop(self, t, what):
        self.go = False
        self.th.join(2)
        try:
            self.peak = max(self.peak, self.srv.status_kb("VmRSS"), self.srv.status_kb("VmHWM") if self.kernel else 0)
        except OSError:
            t.bad("%s: the server is gone" % what)
            return
        grown = self.peak - self.base
        t.note("%s: VmRSS %d kB before, peak %d kB, growth %d kB" % (what, self.base, self.peak, grown))
        t.ok(grown < LIMIT_KB, "%s: grew by %d kB (from %d to %d), limit %d" % (what, grown, self.base, self.peak, LIMIT_KB))


BASE = os.urandom(1 << 20).replace(b"--", b"++")


def stream(n, h=None):
    """n bytes in pieces of up to 1 MiB, all different"""
    i = 0
    while n > 0:
        p = (b"%016d" % i + BASE[16:])[:n]
        i += 1
        n -= len(p)
        if h is not None:
            h.update(p)
        yield p


def first(t, srv):
    u = fresh_user("mem")
    s = t.login(u, srv=srv)
    d = photo(20_000)
    t.is_succ(t.put("/upload/%s/FIRST.JPG" % s, d, srv=srv), "first small upload")
    time.sleep(0.5)
    return u, s


def long_x(t, pieces, srv):
    a = t.x(pieces, srv=srv, timeout=120, send_timeout=60)
    return a


@check("memory.video-300MB-and-email-200MB", server=None, timeout=300)
def _(t):
    """after one small upload: a 300 MB video, then a 200 MB e-mail; growth over the first figure below 8 MB"""
    srv = t.start()
    u, s = first(t, srv)
    m = Meter(srv)
    n = 300 * MB
    h = hashlib.sha256()
    head = post("/upload/%s/MOVIE.MP4" % s, b"", method="PUT", length=n, ctype="video/mp4")[0]

    def video():
        yield head
        yield from stream(n, h)
    t0 = time.monotonic()
    a = long_x(t, video(), srv)
    t.is_succ(a, "video")
    t.note("video %.1f s" % (time.monotonic() - t0))
    got = srv.find_sha(n, h.hexdigest())
    t.ok(len(got) == 1, "video: %d exact copies" % len(got))
    n = 200 * MB
    h2 = hashlib.sha256()
    lead = b"--" + B.encode() + b"\r\n" + MESSAGE_HEAD + email_xml(sender=u) + b"\r\n--" + B.encode() + b"\r\n" + binary_head("BIG.JPG")
    tail = b"\r\n--" + B.encode()

    def mail():
        yield email_head(len(lead) + n + len(tail)) + lead
        yield from stream(n, h2)
        yield tail
    a = long_x(t, mail(), srv)
    t.is_succ(a, "e-mail")
    got = srv.find_sha(n, h2.hexdigest())
    t.ok(len(got) == 1, "e-mail: %d exact copies of its photo" % len(got))
    m.stop(t, "both")


@check("memory.email-200MB-wrong-boundary", server=None, timeout=200)
def _(t):
    srv = t.start()
    u, s = first(t, srv)
    m = Meter(srv)
    n = 200 * MB
    lead = b"--" + B.encode() + b"\r\n" + MESSAGE_HEAD + email_xml(sender=u) + b"\r\n--" + B.encode() + b"\r\n" + binary_head("BIG.JPG")
    tail = b"\r\n--" + B.encode()

    def mail():
        yield email_head(len(lead) + n + len(tail), boundary="wrong0123456789") + lead
        yield from stream(n)
        yield tail
    a = long_x(t, mail(), srv)
    t.is_error(a, 400)
    t.ok(a.sent_all, "sending was cut off: %s" % a.send_error)
    m.stop(t, "wrong boundary")
    t.ok(len(srv.files()) == 1, "files under photos/: %s" % [r for r, _ in srv.files()])


def endless(name, lead_of, filler, wanted=(400, 413), size=200 * MB):
    @check(name, server=None, timeout=200)
    def _(t):
        srv = t.start()
        u, s = first(t, srv)
        m = Meter(srv)
        lead = lead_of(u)
        block = filler * (1_000_000 // len(filler))

        def mail():
            yield email_head(len(lead) + len(block) * (size // MB)) + lead
            for _ in range(size // MB):
                yield block
        a = long_x(t, mail(), srv)
        m.stop(t, name.split(".")[1])
        t.is_error(a, wanted)
        t.ok(len(srv.files()) == 1, "files under photos/: %s" % [r for r, _ in srv.files()])
        t.note("all could be sent: %s" % a.sent_all)
        u, s = fresh_user(), None
        k = t.login(u, srv=srv)
        t.is_succ(t.put("/upload/%s/AFTER.JPG" % k, photo(), srv=srv), "afterwards")


D = b"--" + B.encode() + b"\r\n"
endless("memory.endless-part-header-one-line", lambda u: D + b'content-disposition: form-data; name="message"; fileName="', b"a" * 1000)
endless("memory.endless-part-header-many-lines", lambda u: D + b'content-disposition: form-data; name="message"\r\n', b"X-Header: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
endless("memory.endless-part-header-of-photo", lambda u: D + MESSAGE_HEAD + email_xml(sender=u) + b"\r\n" + D + b'content-disposition: form-data; name="binary"; fileName="',
        b"a" * 1000)
endless("memory.endless-message", lambda u: D + MESSAGE_HEAD + b"<email><sender>" + u.encode() + b"</sender><body>", b"lorem ipsum " * 80)
endless("memory.endless-preamble", lambda u: b"", b"no boundary at all\r\n" * 50)
endless("memory.endless-crlf", lambda u: D + MESSAGE_HEAD, b"\r\n" * 500)
endless("memory.endless-tiny-parts", lambda u: D, b'content-disposition: form-data; name="q"\r\n\r\nx\r\n' + D, size=100 * MB)


@check("memory.login-body-64MB", server=None, timeout=120)
def _(t):
    """a login of 64 MB: refused, memory bounded"""
    srv = t.start()
    first(t, srv)
    m = Meter(srv)
    block = b"<a b='c'/>" * 100_000

    def body():
        yield post("/facebook/auth", b"", length=64 * len(block))[0]
        for _ in range(64):
            yield block
    a = long_x(t, body(), srv)
    m.stop(t, "64 MB login")
    t.is_error(a, (400, 413))


@check("memory.refused-300MB", server=None, timeout=200)
def _(t):
    """300 MB to a bad session: drained without keeping it in memory, then 401"""
    srv = t.start()
    first(t, srv)
    m = Meter(srv)

    def body():
        yield post("/upload/badsession/MOVIE.MP4", b"", method="PUT", length=300 * MB)[0]
        yield from stream(300 * MB)
    a = long_x(t, body(), srv)
    m.stop(t, "300 MB refused")
    t.is_error(a, 401)
    t.ok(a.sent_all, "sending was cut off: %s" % a.send_error)


@check("memory.many-small-uploads", server=None, timeout=200)
def _(t):
    """400 photos of 100 kB, each its own PUT, one session: growth below 8 MB"""
    srv = t.start()
    u, s = first(t, srv)
    m = Meter(srv)
    for i in range(400):
        a = exchange(srv.port, b"".join(post("/upload/%s/SAM_%04d.JPG" % (s, i), photo(100_000), method="PUT")))
        if b"succ" not in a.raw:
            t.bad("upload %d: %s" % (i, a))
            break
    m.stop(t, "400 uploads")


@check("memory.eight-at-once", server=None, timeout=200)
def _(t):
    """eight videos of 40 MB at the same time, a report and a generous bound (64 MB in all)"""
    srv = t.start()
    u, s = first(t, srv)
    m = Meter(srv)
    res = {}

    def one(i):
        def body():
            yield post("/upload/%s/M%d.MP4" % (s, i), b"", method="PUT", length=40 * MB)[0]
            yield b"%08d" % i
            yield from stream(40 * MB - 8)
        try:
            res[i] = exchange(srv.port, body(), timeout=90, send_timeout=60)
        except OSError as e:
            res[i] = e
    ts = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(8)]
    for x in ts:
        x.start()
    for x in ts:
        x.join(150)
    for i in range(8):
        a = res.get(i)
        t.ok(isinstance(a, Answer) and b'Status="succ"' in a.raw, "video %d: %s" % (i, a))
    m.go = False
    m.th.join(2)
    t.note("VmRSS %d kB before, peak %d kB" % (m.base, m.peak))
    t.ok(m.peak < 64 * 1024, "peak %d kB" % m.peak)
