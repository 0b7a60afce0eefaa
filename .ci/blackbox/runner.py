"""Registration and running of checks."""
import fnmatch
import os
import re
import signal
import sys
import time
import traceback

import camera
import server as srvmod
import wire
from server import Server
from wire import Answer, exchange

CHECKS = []          # (name, function, options)


class Fail(Exception):
    pass


class Skip(Exception):
    pass


class TimedOut(BaseException):
    pass


def check(name, server="trial", timeout=25, **opt):
    """server: the key of a shared server, 'fresh' for one of its own, or None"""
    def deco(f):
        CHECKS.append((name, f, dict(server=server, timeout=timeout, **opt)))
        return f
    return deco


CONFIGS = {"trial": None}     # shared servers by key: configuration text or None


class T:
    """What a check has in its hands."""

    def __init__(self, judge, name, opt):
        self.judge = judge
        self.name = name
        self.opt = opt
        self.problems = []
        self.notes = []
        self.answers = []
        self.own = []
        self.srv = None
        self.expect_5xx = ()

    # ------------------------------------------------------------ verdicts
    def bad(self, text):
        self.problems.append(str(text))

    def note(self, text):
        self.notes.append(str(text))

    def ok(self, cond, text):
        if not cond:
            self.bad(text)
        return bool(cond)

    def need(self, cond, text):
        if not cond:
            raise Fail(text)

    def all_ok(self, problems, what=""):
        for p in problems:
            self.bad("%s%s" % (what + ": " if what else "", p))

    # ------------------------------------------------------------ servers
    def start(self, **kw):
        need = kw.pop("need", True)
        s = Server(self.judge.binary, **kw)
        self.own.append(s)
        if need and not s.started:
            raise Fail("server did not start listening; exit %s; stderr: %s" % (s.proc.poll(), s.stderr()[-300:]))
        return s

    # ------------------------------------------------------------ exchanges
    def x(self, pieces, strict=True, srv=None, **kw):
        """one connection. strict: counts for the judgement over every answer"""
        srv = srv or self.srv
        try:
            a = exchange(srv.port, pieces, label=kw.pop("label", self.name), **kw)
        except (ConnectionRefusedError, ConnectionResetError, TimeoutError) as e:
            raise Fail("could not connect: %s (server alive: %s, stderr: %s)" % (type(e).__name__, srv.alive(), srv.stderr()[-300:]))
        a.strict = strict
        self.answers.append(a)
        return a

    def send(self, head_body, **kw):
        return self.x([head_body[0] + head_body[1]], **kw)

    def login(self, user, password="pw", site="facebook", srv=None, **kw):
        """a login that must work; gives the session key"""
        a = self.send(camera.post("/%s/auth" % site, camera.login_xml(user, password)), srv=srv, **kw)
        return self.session_of(a)

    def session_of(self, a):
        key = wire.strstr(a.raw, b'SessionKey="')
        if a.status != 200 or not key or not re.fullmatch(rb"[A-Za-z0-9._-]+", key):
            raise Fail("login: %s" % a)
        return key.decode()

    def announce(self, session, name, site="facebook", srv=None, kind="photo", content="hello", **kw):
        """an announce that must work; gives the ResourceID"""
        xml = camera.photo_xml(session, name, content, **kw) if kind == "photo" else camera.video_xml(session, name, content)
        a = self.send(camera.post("/%s/%s" % (site, kind), xml), srv=srv)
        return self.resource_of(a)

    def resource_of(self, a):
        rid = wire.strstr(a.raw, b'ResourceID="')
        if a.status != 200 or not rid:
            raise Fail("announce: %s" % a)
        return rid.decode("latin-1")

    def put(self, target, data, srv=None, method="PUT", ctype="image/jpeg", **kw):
        k = {n: kw.pop(n) for n in ("version", "host", "headers", "eol", "pre", "length") if n in kw}
        return self.send(camera.post(target, data, method=method, ctype=ctype, **k), srv=srv, **kw)

    def is_succ(self, a, what=""):
        what = what + ": " if what else ""
        if a.status != 200:
            self.bad("%swanted 200 succ, got %s" % (what, a))
            return False
        if not re.match(r'<Response Status="succ" />\s*$', a.text):
            self.bad("%sbody is not the succ answer: %r" % (what, a.text[:120]))
            return False
        return True

    def is_error(self, a, status, what=""):
        p = wire.error_problems(a, status)
        self.all_ok(p, what)
        return not p

    def kept(self, data, what="", times=1, user=None, srv=None, name=None):
        """exactly so many copies under photos/, in that user's folder"""
        srv = srv or self.srv
        got = srv.find(data)
        what = what + ": " if what else ""
        if len(got) != times:
            near = [r for r in srv.holding(camera.marker_of(data), srv.photos)]
            self.bad("%s%d exact copies under photos/, wanted %d%s" % (
                what, len(got), times, "; its marker is in %s" % [(n, os.path.getsize(os.path.join(srv.photos, n)), len(data)) for n in near[:3]]
                if near and not got else " %s" % got[:4]))
            return got
        for g in got:
            if user is not None and g.split("/")[0].lower() != user.lower():
                self.bad("%skept as %r, wanted under photos/%s/" % (what, g, user))
            if "/" not in g:
                self.bad("%skept directly in photos/: %r" % (what, g))
        if name is not None and got and os.path.basename(got[0]) != name:
            self.bad("%skept as %r, wanted the name %r" % (what, got[0], name))
        return got

    def not_kept(self, data, what="", srv=None, settle=5.0, everywhere=True):
        """nothing of it under photos/ (at once), nor (after a moment) anywhere in the data folder"""
        srv = srv or self.srv
        what = what + ": " if what else ""
        m = camera.marker_of(data)
        got = srv.holding(m, srv.photos)
        if got:
            # a hidden temporary file that goes away by itself is no photo
            shown = [g for g in got if not any(p.startswith(".") for p in g.split("/"))]
            time.sleep(0.5)
            still = srv.holding(m, srv.photos)
            if shown or still:
                self.bad("%sfound under photos/: %s" % (what, (still or shown)[:3]))
                return
        if everywhere:
            end = time.monotonic() + settle
            while True:
                got = srv.holding(m)
                if not got or time.monotonic() > end:
                    break
                time.sleep(0.1)
            if got:
                self.bad("%sstill in the data folder after %.0f s: %s" % (what, settle, got[:3]))


class Judge:
    def __init__(self, binary, only=(), skip=(), max_seconds=1500, keep=False, verbose=False):
        self.binary = os.path.abspath(binary)
        self.only = only
        self.skip = skip
        self.max_seconds = max_seconds
        self.keep = keep
        self.verbose = verbose
        self.shared = {}
        self.marks = {}
        self.results = []       # (verdict, name, detail)
        self.all_answers = []   # (check name, Answer)

    def wanted(self, name):
        def hit(pats):
            return any(name == p or name.startswith(p.rstrip(".") + ".") or fnmatch.fnmatch(name, p) for p in pats)
        return (not self.only or hit(self.only)) and not hit(self.skip)

    def shared_server(self, key):
        s = self.shared.get(key)
        if s and s.alive():
            return s
        if s:
            s.stop()
        s = Server(self.binary, config=CONFIGS[key])
        self.shared[key] = s
        self.marks[key] = 0
        if not s.started:
            raise Fail("server did not start listening; exit %s; stderr: %s" % (s.proc.poll(), s.stderr()[-300:]))
        return s

    def run(self):
        begin = time.monotonic()
        wire_checks = [c for c in CHECKS if self.wanted(c[0])]

        def on_alarm(*_):
            raise TimedOut()
        signal.signal(signal.SIGALRM, on_alarm)
        try:
            for name, f, opt in wire_checks:
                if time.monotonic() - begin > self.max_seconds:
                    self.say("FAIL", name, "not run: the run has used its %d s" % self.max_seconds)
                    continue
                self.one(name, f, opt)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for s in list(self.shared.values()):
                s.stop()
            srvmod.stop_all()
        passed = sum(1 for r in self.results if r[0] == "PASS")
        failed = sum(1 for r in self.results if r[0] == "FAIL")
        skipped = sum(1 for r in self.results if r[0] == "SKIP")
        if skipped:
            print("(%d skipped)" % skipped)
        print("(%.0f s, %d answers read)" % (time.monotonic() - begin, len(self.all_answers)))
        print("%d passed, %d failed" % (passed, failed), flush=True)
        return 0 if failed == 0 else 1

    def say(self, verdict, name, detail):
        detail = re.sub(r"\s+", " ", str(detail)).strip()
        if len(detail) > 700 and not self.verbose:
            detail = detail[:700] + " ..."
        detail = detail.encode("ascii", "backslashreplace").decode()
        print("%s %s - %s" % (verdict, name, detail), flush=True)
        self.results.append((verdict, name, detail))

    def one(self, name, f, opt):
        t = T(self, name, opt)
        t0 = time.monotonic()
        verdict = None
        try:
            signal.setitimer(signal.ITIMER_REAL, opt["timeout"])
            try:
                if opt["server"] == "fresh":
                    t.srv = t.start()
                elif opt["server"]:
                    t.srv = self.shared_server(opt["server"])
                    t.mark = os.path.getsize(t.srv.stderr_path)
                f(t)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Skip as e:
            verdict = "SKIP"
            t.note(e)
        except Fail as e:
            t.bad(e)
        except TimedOut:
            t.bad("timed out after %d s" % opt["timeout"])
        except Exception as e:
            tb = traceback.extract_tb(sys.exc_info()[2])[-1]
            t.bad("harness error %s: %s (%s:%d)" % (type(e).__name__, e, os.path.basename(tb.filename), tb.lineno))
            if self.verbose:
                traceback.print_exc()
        # whatever a check is about: no 5xx, no crash, no panic
        for a in t.answers:
            if a.status >= 500 and a.status not in t.expect_5xx:
                t.bad("answered %s" % a)
            self.all_answers.append((name, a))
        for s in ([t.srv] if t.srv else []) + t.own:
            if s is t.srv and not s.alive() and not opt.get("may_exit"):
                t.bad("server died, exit %s: %s" % (s.proc.poll(), s.stderr()[-300:]))
            err = s.stderr()
            if s is t.srv and opt["server"] != "fresh":
                err = err[getattr(t, "mark", 0):]
            for line in err.splitlines():
                if re.search(r"panicked at|stack overflow|Traceback \(most recent|segmentation fault", line):
                    t.bad("crash in the log: %s" % line[:160])
                    break
        for s in t.own:
            s.stop()
            if not self.keep:
                s.remove()
        detail = "; ".join(t.problems) if t.problems else "; ".join(t.notes) or "ok"
        if verdict is None:
            verdict = "FAIL" if t.problems else "PASS"
        self.say(verdict, name, "%s (%.1f s)" % (detail, time.monotonic() - t0))
