"""Configuration and command line (configuration.md; issue point 4)."""
import os
import re
import time

import camera
from camera import email_body, email_head, email_xml, photo, photo_xml, post
from checks_login import fresh_user
from runner import CONFIGS, check, Fail, Skip
from server import free_port, listening
from wire import head_problems

CONFIGS["users"] = '''listen = ["127.0.0.1:@PORT@"]
data_dir = "@DATA@"

[users."Camera@samsungcamera.com"]
[users."me@example.com"]
[users."f"]
[users."Mixed.Case"]
'''


def login(t, user, srv=None):
    return t.send(post("/facebook/auth", camera.login_xml(user)), srv=srv)


def mail(t, sender, d=None, n=1, srv=None):
    d = d or photo()
    body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender=sender))
    return t.x([email_head(len(body)) + body], srv=srv), d


@check("users.login-admitted", server="users")
def _(t):
    a = t.send(post("/facebook/auth", camera.LOGIN_NX300))
    s = t.session_of(a)
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d))
    t.kept(d, user="f")
    for user in ("me@example.com", "ME@Example.COM", "F", "mixed.case", "MIXED.CASE", "camera@samsungcamera.com"):
        s = t.session_of(login(t, user))
        d = photo()
        t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d), user)
        t.kept(d, user, user=user)


@check("users.login-refused-401", server="users")
def _(t):
    a = t.send(post("/facebook/auth", camera.LOGIN_TALK))       # user x
    t.is_error(a, 401, "capture of user x")
    t.all_ok(head_problems(a, "plain"))
    for user in ("stranger@example.com", "ff", "me@example.com.evil.example", "me@example.co", "xme@example.com", "me", "", "*", "%", "f/../f", "me@example.com,x"):
        a = login(t, user)
        t.is_error(a, (400, 401) if user == "" else 401, repr(user))
        t.ok(b"SessionKey" not in a.raw, "%r: a session was given" % user)
    a = t.send(post("/facebook/auth", camera.qf30_xml("stranger@example.com", "pw")))
    t.is_error(a, 401, "QF30 stranger")


@check("users.case-is-one-user", server="users")
def _(t):
    """compared without case: the same bytes by F and f are kept once"""
    d = photo()
    for user in ("mixed.case", "MIXED.CASE"):
        s = t.session_of(login(t, user))
        t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, d), user)
    t.kept(d, user="mixed.case")
    d = photo()
    for sender in ("me@example.com", "Me@EXAMPLE.com", "Somebody &lt;ME@example.com&gt;"):
        a, _ = mail(t, sender, d)
        t.is_succ(a, sender)
    t.kept(d, user="me@example.com")


@check("users.email-admitted", server="users")
def _(t):
    for sender in ("Camera@samsungcamera.com", "camera@SAMSUNGCAMERA.com", "My Cam &lt;Camera@samsungcamera.com&gt;", "<![CDATA[Cam <me@example.com>]]>",
                   "stranger@example.com &lt;me@example.com&gt;"):
        a, d = mail(t, sender)
        t.is_succ(a, sender)
        t.kept(d, sender, user="me@example.com" if "me@example.com" in sender else "camera@samsungcamera.com")


@check("users.email-refused-401", server="users")
def _(t):
    n = len(t.srv.files())
    for sender in ("stranger@example.com", "me@example.com &lt;stranger@example.com&gt;", "<![CDATA[me@example.com <stranger@example.com>]]>",
                   '"me@example.com" &lt;s@example.com&gt;', "me@example.com.evil.example", "xme@example.com", "me@example.co", "@example.com", "*"):
        a, d = mail(t, sender)
        t.is_error(a, 401 if sender not in ("@example.com", "*") else (400, 401), sender)
        t.all_ok(head_problems(a, "plain"), sender)
        t.not_kept(d, sender)
    t.ok(len(t.srv.files()) == n, "photos/ has grown from %d to %d files" % (n, len(t.srv.files())))


@check("users.refused-5MB-email-drained", server="users", timeout=40)
def _(t):
    d = photo(5_000_000)
    body = email_body([("SAM_0001.JPG", d)], xml=email_xml(sender="stranger@example.com"))
    half = len(body) // 2
    from wire import PROBE
    a = t.x([email_head(len(body)), body[:half], 0.7, PROBE, body[half:]])
    t.ok(a.sent_all and not a.reset, "sending was cut off (%s, reset %s)" % (a.send_error, a.reset))
    t.ok(not a.early, "answered before the body was in")
    t.is_error(a, 401)
    t.not_kept(d)


@check("users.nothing-without-session", server="users")
def _(t):
    d = photo()
    t.is_error(t.put("/upload/%s/SAM_0001.JPG" % ("1" * 32), d), 401, "PUT")
    t.is_error(t.put("/upload/f/SAM_0001.JPG", d), 401, "PUT with a user's name")
    t.is_error(t.send(post("/facebook/photo", photo_xml("1" * 32, "SAM_0001.JPG"))), 401, "announce")
    t.not_kept(d)


@check("users.logout-of-strangers", server="users")
def _(t):
    """logout is always 200, and a stranger's ends nobody's session"""
    s = t.session_of(login(t, "f"))
    a = t.send(post("/facebook/auth", camera.login_xml("stranger@example.com", method="logout")))
    t.ok(a.status == 200, a)
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s, photo()), "PUT after a stranger's logout")


# ---------------------------------------------------------------- limits

CONFIGS["limits"] = '''listen = ["127.0.0.1:@PORT@"]
data_dir = "@DATA@"
trial = true

[limits]
upload = "1 MiB"
email = "2 MiB"
'''
MiB = 1 << 20


@check("limits.upload-413", server="limits", timeout=40)
def _(t):
    u = fresh_user()
    s = t.login(u)
    d = photo(MiB)[:MiB]
    a = t.put("/upload/%s/EXACT.JPG" % s, d)
    t.is_succ(a, "exactly 1 MiB")
    t.kept(d, "exactly 1 MiB", user=u)
    for n in (MiB + 1, MiB + 100_000, 5 * MiB):
        d = photo(n)[:n]
        head, body = post("/upload/%s/OVER.JPG" % s, d, method="PUT")
        a = t.x([head] + [body[i:i + 65536] for i in range(0, len(body), 65536)])
        t.is_error(a, 413, "%d bytes" % n)
        t.not_kept(d, "%d bytes" % n)
        if n < 2 * MiB:
            t.ok(a.sent_all and not a.reset, "%d bytes: sending cut off (%s, reset %s)" % (n, a.send_error, a.reset))
        else:
            t.note("%d bytes: all could be sent: %s, closed by reset: %s" % (n, a.sent_all, a.reset))
        t.all_ok(head_problems(a, "plain"), "%d bytes" % n)
    d = photo()
    t.is_succ(t.put("/upload/%s/AFTER.JPG" % s, d), "a small one afterwards, same session")
    t.kept(d, user=u)


@check("limits.email-413", server="limits", timeout=40)
def _(t):
    u = fresh_user()
    for n, ok in ((MiB - 4000, True), (2 * MiB + 1000, False), (6 * MiB, False)):
        ps = [("A.JPG", photo(n // 2 - 4000 if not ok else n)), ("B.JPG", photo(n // 2))] if not ok else [("A.JPG", photo(n - 4000))]
        body = email_body(ps, xml=email_xml(sender=u))
        if not ok and len(body) <= 2 * MiB:
            ps[1] = ("B.JPG", ps[1][1] + b"x" * (2 * MiB + 1000 - len(body)))
            body = email_body(ps, xml=email_xml(sender=u))
        a = t.x([email_head(len(body))] + [body[i:i + 65536] for i in range(0, len(body), 65536)])
        if ok:
            t.is_succ(a, "%d bytes" % len(body))
            for _, d in ps:
                t.kept(d, user=u)
        else:
            t.is_error(a, 413, "%d bytes" % len(body))
            for _, d in ps:
                t.not_kept(d, "%d bytes" % len(body))
            t.note("%d bytes: all could be sent: %s, closed by reset: %s" % (len(body), a.sent_all, a.reset))


@check("limits.huge-content-length", server="limits")
def _(t):
    """a length far over the limit, with only a few bytes behind it: 413 or closed, nothing kept, no memory taken"""
    s = t.login(fresh_user())
    before = t.srv.status_kb("VmRSS")
    for n in (b"99999999999", b"9223372036854775807", b"18446744073709551615"):
        d = photo(1000)
        head, _ = post("/upload/%s/HUGE.JPG" % s, d, method="PUT", length=n)
        a = t.x([head + d], shutdown=True, strict=False, timeout=15)
        t.ok(a.eof, "%s: left open after our end" % n.decode())
        t.ok(a.status in (0, 400, 413), "%s: %s" % (n.decode(), a))
        t.not_kept(d)
    t.ok(t.srv.status_kb("VmRSS") - before < 8192, "VmRSS grew by %d kB" % (t.srv.status_kb("VmRSS") - before))


# ---------------------------------------------------------------- refused configurations


def refused(t, config, *needles, what="", lines=(), files=True, **kw):
    s = t.start(config=config, need=False, wait=False, **kw)
    code = s.wait(10)
    err = s.stderr()
    what = what or (config or "").strip()[:40]
    if code is None:
        t.bad("%s: runs instead of being refused" % what)
        s.stop()
        return err
    t.ok(code != 0, "%s: exit code 0" % what)
    t.ok(code > 0, "%s: killed by signal %s" % (what, -code))
    for n in needles:
        t.ok(n.lower() in err.lower(), "%s: stderr does not name %r: %r" % (what, n, err[-250:]))
    for n in lines:
        t.ok(re.search(r"(?<![\d.])%d(?![\d])" % n, err.replace(s.config_path, "")), "%s: line %d not named: %r" % (what, n, err[-250:]))
    if files:
        t.ok(os.path.basename(s.config_path) in err, "%s: the file is not named: %r" % (what, err[-250:]))
    t.ok("panicked" not in err and "RUST_BACKTRACE" not in err, "%s: panic" % what)
    t.ok(not os.path.exists(s.photos) or not s.files(), "%s: photos written" % what)
    return err


TOP = '''listen = ["127.0.0.1:@PORT@"]
data_dir = "@DATA@"
trial = true
'''


@check("config.unknown-keys", server=None, timeout=60)
def _(t):
    """refused with file, line and the nearest known key"""
    K = dict(listen_arg=False, data_arg=False)
    e = refused(t, TOP + 'lisen = ["127.0.0.1:1"]\n', "lisen", what="top level", lines=(4,), **K)
    t.ok(re.search(r"\blisten\b", e), "top level: nearest known key `listen` not named: %r" % e[-200:])
    e = refused(t, TOP + '\n[limits]\nuplaod = "1 MiB"\n', "uplaod", what="in [limits]", lines=(6,), **K)
    t.ok(re.search(r"\bupload\b", e), "in [limits]: nearest known key `upload` not named: %r" % e[-200:])
    refused(t, TOP + '\n\n[userz."a@b"]\n', "userz", what="unknown table", lines=(6,), **K)
    refused(t, TOP.replace("trial = true", "") + '\n[users."a@b"]\npasword_hash = "x"\n', "pasword_hash", what="in [users]", lines=(6,), **K)
    refused(t, TOP + 'UPLOAD_FOLDER = "/x"\n', "UPLOAD_FOLDER", what="a key of the old server", lines=(4,), **K)


@check("config.no-users-no-trial", server=None)
def _(t):
    K = dict(listen_arg=False, data_arg=False)
    e = refused(t, 'listen = ["127.0.0.1:@PORT@"]\ndata_dir = "@DATA@"\n', what="neither [users] nor trial", files=False, **K)
    t.ok("users" in e and "trial" in e, "stderr names not both `users` and `trial`: %r" % e[-250:])
    refused(t, 'listen = ["127.0.0.1:@PORT@"]\ndata_dir = "@DATA@"\ntrial = false\n', "trial", what="trial = false, no [users]", files=False, **K)
    refused(t, "", what="empty file", files=False, **K)


@check("config.wrong-values", server=None, timeout=60)
def _(t):
    K = dict(listen_arg=False, data_arg=False)
    refused(t, 'listen = 5\ntrial = true\n', "listen", what="listen = 5", lines=(1,), **K)
    refused(t, TOP.replace("true", '"yes"'), "trial", what='trial = "yes"', lines=(3,), **K)
    refused(t, TOP + '[limits]\nupload = "many"\n', "upload", what='upload = "many"', lines=(5,), **K)
    refused(t, TOP + 'this is no TOML\n', what="no TOML", lines=(4,), **K)
    refused(t, TOP + '[limits\n', what="open table", lines=(4,), **K)
    refused(t, 'listen = ["not an address"]\ntrial = true\ndata_dir = "@DATA@"\n', "listen", what="bad address", files=False, **K)
    refused(t, TOP + 'trial = true\n', "trial", what="a key twice", **K)


@check("config.missing-file", server=None)
def _(t):
    s = t.start(args=["--config", "/nonexistent/judge.toml"], need=False, wait=False)
    code = s.wait(10)
    t.ok(code is not None and code > 0, "exit code %s" % code)
    t.ok("/nonexistent/judge.toml" in s.stderr(), "file not named: %r" % s.stderr()[-200:])
    s.stop()
    s = t.start(env={"SNS_CONFIG": "/nonexistent/judge2.toml"}, need=False, wait=False)
    code = s.wait(10)
    t.ok(code is not None and code > 0, "SNS_CONFIG: exit code %s" % code)
    t.ok("/nonexistent/judge2.toml" in s.stderr(), "SNS_CONFIG: file not named: %r" % s.stderr()[-200:])


@check("config.bad-command-line", server=None)
def _(t):
    for args in (["--no-such-option"], ["--listen", "nonsense"]):
        s = t.start(args=args, need=False, wait=False, listen_arg=False)
        code = s.wait(10)
        t.ok(code is not None and code > 0, "%s: exit code %s" % (args, code))
        t.ok(s.stderr().strip(), "%s: nothing on stderr" % args)
        s.stop()
    # an address in use
    a = t.start()
    b = t.start(port=a.port, need=False, wait=False)
    code = b.wait(10)
    t.ok(code is not None and code > 0, "port in use: exit code %s" % code)
    t.ok(str(a.port) in b.stderr(), "port in use: address not named: %r" % b.stderr()[-200:])


@check("config.file-is-used", server=None)
def _(t):
    """listen and data_dir from the file alone; [users] in force"""
    s = t.start(config=CONFIGS["users"], listen_arg=False, data_arg=False)
    t.is_error(login(t, "stranger@example.com", srv=s), 401)
    k = t.session_of(login(t, "f", srv=s))
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % k, d, srv=s))
    t.kept(d, user="f", srv=s)
    t.ok(os.listdir(s.cwd) == [], "made in the working folder: %s" % os.listdir(s.cwd))


@check("config.sns-config-env", server=None)
def _(t):
    s = t.start(config=CONFIGS["users"], env="SNS_CONFIG", listen_arg=False, data_arg=False)
    t.is_error(login(t, "stranger@example.com", srv=s), 401)
    t.session_of(login(t, "f", srv=s))


@check("config.trial-true", server=None)
def _(t):
    s = t.start(config=TOP, listen_arg=False, data_arg=False)
    k = t.session_of(login(t, "anybody@anywhere.example", srv=s))
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % k, d, srv=s))
    t.kept(d, srv=s, user="anybody@anywhere.example")


@check("config.command-line-over-file", server=None)
def _(t):
    """--listen and --data-dir beside --config"""
    other = free_port()
    s = t.start(config=CONFIGS["users"].replace("@PORT@", str(other)).replace("@DATA@", "/nonexistent/never"))
    k = t.session_of(login(t, "f", srv=s))
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % k, d, srv=s))
    t.kept(d, srv=s, user="f")


@check("config.two-listens", server=None)
def _(t):
    second = free_port()
    s = t.start(args=["--listen", "127.0.0.1:%d" % second])
    for p in (s.port, second):
        s.port = p
        t.ok(login(t, "f", srv=s).status == 200, "port %d" % p)
    first = s.stderr().splitlines()
    t.ok(first and str(second) in s.stderr(), "the second address is not mentioned: %r" % s.stderr()[:200])


@check("config.first-line", server=None)
def _(t):
    """the first line on stderr says where it listens and what it will do with photos; trial mode is announced"""
    s = t.start()
    time.sleep(0.2)
    lines = [x for x in s.stderr().splitlines()]
    t.need(lines, "nothing on stderr")
    t.ok("127.0.0.1:%d" % s.port in lines[0], "first line %r does not say 127.0.0.1:%d" % (lines[0], s.port))
    t.ok("photo" in lines[0].lower() or s.data in lines[0], "first line %r does not say what happens to photos" % lines[0])
    t.ok(re.search(r"trial|any (camera|one)|anyone", s.stderr(), re.I), "no line announces trial mode: %r" % s.stderr()[:300])
    t.note(lines[0])
    s = t.start(config=CONFIGS["users"])
    time.sleep(0.2)
    lines = s.stderr().splitlines()
    t.ok(lines and "127.0.0.1:%d" % s.port in lines[0], "with [users]: first line %r" % lines[:1])
    t.ok(not re.search(r"\btrial\b", s.stderr(), re.I), "with [users]: speaks of trial mode: %r" % s.stderr()[:200])


@check("config.nothing-given", server=None)
def _(t):
    """no argument at all: 127.0.0.1:8080, ./sns-data, anyone"""
    if listening(8080):
        raise Skip("something already listens on 8080")
    s = t.start(port=8080, listen_arg=False, data_arg=False)
    s.data = os.path.join(s.cwd, "sns-data")
    k = t.session_of(login(t, "anybody@anywhere.example", srv=s))
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % k, d, srv=s))
    t.kept(d, srv=s, user="anybody@anywhere.example")
    t.ok("127.0.0.1:8080" in (s.stderr().splitlines() or [""])[0], "first line %r" % s.stderr()[:120])
    t.ok(os.listdir(s.cwd) == ["sns-data"], "in the working folder: %s" % os.listdir(s.cwd))
