"""What only the system calls show: one write per answer; safe on disk before succ."""
import os
import re
import time

import camera
import straceread as tr
from camera import email_body, email_head, email_xml, photo, post
from checks_answers import one_of_each
from checks_login import fresh_user
from runner import check, Skip
from wire import Answer


def need_strace(t):
    why = tr.available()
    if why:
        raise Skip(why)


def traced(t, **kw):
    need_strace(t)
    return t.start(strace=tr.SYSCALLS, boot=20, **kw)


def finish(srv):
    time.sleep(0.2)
    srv.stop(8)
    return tr.calls(srv.strace_out)


@check("strace.one-write-per-answer", server=None, timeout=60)
def _(t):
    """every kind of answer leaves in exactly one write"""
    srv = traced(t)
    done = []
    for what, shape, req in one_of_each(t, srv):
        a = t.x(req, srv=srv)
        if a.raw:
            done.append((what, a))
        else:
            t.bad("%s: %s" % (what, a))
    cs = finish(srv)
    seen = 0
    for what, a in done:
        w = tr.writes_to(cs, a.client[1])
        seen += len(w)
        t.ok(len(w) == 1, "%s: %d writes %s" % (what, len(w), [(c.name, c.n) for c in w]))
        if len(w) == 1:
            t.ok(w[0].n == len(a.raw), "%s: one write of %s bytes, but %d were read" % (what, w[0].n, len(a.raw)))
    if not seen and done:
        t.problems.clear()
        raise Skip("strace shows no writes on camera connections (another way of writing, io_uring?)")
    t.note("%d answers, %d writes" % (len(done), seen))


@check("strace.one-write-limits-and-refusals", server=None, timeout=40)
def _(t):
    from checks_config import CONFIGS
    srv = traced(t, config=CONFIGS["users"] + '\n[limits]\nupload = "1 MiB"\nemail = "1 MiB"\n')
    s = t.login("f", srv=srv)
    n = 1_100_000
    m = email_body([("A.JPG", photo())], xml=email_xml(sender="stranger@example.com"))
    m2 = email_body([("A.JPG", photo(n))], xml=email_xml(sender="f"))
    done = []
    for what, req in (("413 PUT", list(post("/upload/%s/X.JPG" % s, photo(n), method="PUT"))), ("401 e-mail", [email_head(len(m)) + m]),
                      ("413 e-mail", [email_head(len(m2)), m2]), ("401 login", list(post("/facebook/auth", camera.login_xml("stranger")))),
                      ("4xx head", [b"GET / HTTP/1.1\r\nX: " + b"a" * 70000 + b"\r\n\r\n"])):
        a = t.x(req, srv=srv, strict=what != "4xx head")
        done.append((what, a))
        t.ok(400 <= a.status < 500, "%s: %s" % (what, a))
    cs = finish(srv)
    for what, a in done:
        w = tr.writes_to(cs, a.client[1])
        t.ok(len(w) == 1, "%s: %d writes %s" % (what, len(w), [(c.name, c.n) for c in w]))


def durable(t, cs, srv, rel, port, what):
    """fsync of the file -> rename/link into its folder -> fsync of the folder -> the answer"""
    final = os.path.realpath(os.path.join(srv.photos, rel))
    folder = os.path.dirname(final)
    w = tr.writes_to(cs, port)
    if not w:
        t.bad("%s: no write of the answer seen" % what)
        return
    answer = w[-1].start
    mv = [(c, a, b) for c, a, b in tr.moves(cs, srv.cwd) if os.path.realpath(b) == final and c.end < answer]
    if not mv:
        t.bad("%s: no rename or link to %s before the answer" % (what, rel))
        return
    move, source, _ = mv[-1]
    m = re.match(r"/proc/(?:self|\d+)/fd/(\d+)$", source)

    def is_source(c):
        if m:
            return c.fd == int(m.group(1))
        p = (c.path or "").replace(" (deleted)", "")
        return p == source or os.path.realpath(p) == os.path.realpath(source)
    syncs = [c for c in cs if c.name in ("fsync", "fdatasync") and c.n == 0 and is_source(c) and c.end <= move.start]
    if not syncs:
        t.bad("%s: the temporary file was not fsynced before the rename" % what)
    else:
        late = [c for c in cs if c.name in ("write", "writev", "pwrite64", "pwritev", "pwritev2", "copy_file_range", "ftruncate") and is_source(c)
                and c.end > syncs[-1].start and c.start < answer and (c.n or 0) > 0]
        t.ok(not late, "%s: written after its last fsync: %s" % (what, late[:1]))
    dirs = [c for c in cs if c.name in ("fsync", "fdatasync") and c.n == 0 and c.path and os.path.realpath(c.path) == folder
            and c.start >= move.end and c.end <= answer]
    t.ok(dirs, "%s: the folder was not fsynced between the rename and the answer" % what)
    return folder, move, answer


@check("strace.durable-put", server=None, timeout=60)
def _(t):
    """order of system calls of a PUT (first of a user, second, and of the same name)"""
    srv = traced(t)
    u = fresh_user("durable")
    s = t.login(u, srv=srv)
    got = []
    for i in range(3):
        d = photo(200_000)
        a = t.put("/upload/%s/SAM_0001.JPG" % s, d, srv=srv)
        if t.is_succ(a, "PUT %d" % i):
            rel = t.kept(d, srv=srv, user=u)
            if rel:
                got.append((i, rel[0], a.client[1]))
    cs = finish(srv)
    for i, rel, port in got:
        durable(t, cs, srv, rel, port, "PUT %d" % i)
    t.ok(got, "nothing was kept")


@check("strace.durable-email", server=None, timeout=60)
def _(t):
    """the same for each photo of an e-mail of three"""
    srv = traced(t)
    u = fresh_user("durable")
    ps = [("SAM_%d.JPG" % i, photo(100_000)) for i in range(3)]
    body = email_body(ps, xml=email_xml(sender=u))
    a = t.x([email_head(len(body)) + body], srv=srv)
    rels = []
    if t.is_succ(a):
        for n, d in ps:
            rels += t.kept(d, n, srv=srv, user=u)
    cs = finish(srv)
    for rel in rels:
        durable(t, cs, srv, rel, a.client[1], rel)


@check("strace.durable-retry", server=None, timeout=60)
def _(t):
    """the same bytes again while the first are being received: no succ before the photo is in its folder"""
    srv = traced(t)
    u = fresh_user("durable")
    s = t.login(u, srv=srv)
    d = photo(100_000)
    a1 = t.put("/upload/%s/SAM_0001.JPG" % s, d, srv=srv)
    a2 = t.put("/upload/%s/SAM_0001.JPG" % s, d, srv=srv)
    t.is_succ(a1)
    t.is_succ(a2)
    rel = t.kept(d, srv=srv, user=u)
    cs = finish(srv)
    if rel:
        durable(t, cs, srv, rel[0], a1.client[1], "first")


@check("strace.durable-new-folder", server=None, timeout=60)
def _(t):
    """the first photo of a user makes his folder: the folder above it is fsynced too before succ (else a power cut loses both)"""
    srv = traced(t)
    u = fresh_user("newfolder")
    s = t.login(u, srv=srv)
    d = photo(50_000)
    a = t.put("/upload/%s/SAM_0001.JPG" % s, d, srv=srv)
    t.is_succ(a)
    rel = t.kept(d, srv=srv, user=u)
    cs = finish(srv)
    if rel:
        top = os.path.realpath(srv.photos)
        answer = tr.writes_to(cs, a.client[1])[-1].start
        user_dir = os.path.join(top, rel[0].split("/")[0])
        made = [c for c in cs if c.name in ("mkdir", "mkdirat") and c.n == 0 and os.path.basename(user_dir) in c.args and c.end < answer]
        begin = made[-1].end if made else 0
        up = [c for c in cs if c.name in ("fsync", "fdatasync") and c.n == 0 and c.path and os.path.realpath(c.path) == top and begin <= c.start and c.end <= answer]
        t.ok(up, "photos/ was not fsynced between the making of the user's folder and the answer")
