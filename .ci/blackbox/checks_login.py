"""Social login and logout (facts section 2, configuration.md 'What cameras are answered')."""
import base64
import os
import re

import camera
from camera import post, login_xml, photo, seal
from runner import check, Fail
from wire import strstr, head_problems

_u = 0


def fresh_user(prefix="cam"):
    global _u
    _u += 1
    return "%s%d@judge.example" % (prefix, _u)


def upload_as(t, session, user, name="SAM_0001.JPG", site="facebook"):
    """announce + PUT, and where it must lie"""
    data = photo()
    rid = t.announce(session, name, site=site)
    a = t.put("/" + rid, data)
    t.is_succ(a, "PUT")
    t.kept(data, user=user, name=None)
    return data


@check("login.capture-nx300")
def _(t):
    """the published capture with its junk line: user f"""
    a = t.send(post("/facebook/auth", camera.LOGIN_NX300))
    s = t.session_of(a)
    upload_as(t, s, "f")


@check("login.capture-talk-no-closing-tag")
def _(t):
    a = t.send(post("/facebook/auth", camera.LOGIN_TALK))
    s = t.session_of(a)
    upload_as(t, s, "x")


@check("login.capture-crlf-and-one-line")
def _(t):
    for what, body in (("CRLF line ends", camera.LOGIN_NX300.replace(b"\n", b"\r\n")),
                       ("no line ends", camera.LOGIN_NX300.replace(b"\n", b"")),
                       ("talk capture cut inside ApplicationKey", camera.LOGIN_TALK[:-30]),
                       ("no XML declaration", camera.LOGIN_NX300.split(b"\n", 1)[1])):
        a = t.send(post("/facebook/auth", body))
        t.ok(a.status == 200 and strstr(a.raw, b'SessionKey="'), "%s: %s" % (what, a))


@check("login.own-credentials")
def _(t):
    """AES with random keys: user lands in the folder of his name; 1, 15, 16, 17, 33 characters"""
    for user in ("a", "exactly15chars.", "exactly16chars..", "exactly17chars...", "somebody.with.a.long.name@example.org"):
        s = t.login(user, "a longer pass-phrase of 34 characters")
        upload_as(t, s, user)


@check("login.golden-shape")
def _(t):
    """order and spelling of facts section 2, the malformed LoginPeopleID tag"""
    for what, body in (("NX300", camera.LOGIN_NX300), ("own", login_xml(fresh_user()))):
        a = t.send(post("/facebook/auth", body))
        t.all_ok(head_problems(a, "plain"), what)
        m = re.match(r'<Response SessionKey="([^"]*)">\s*<PersistKey Value="([^"]*)"/>\s*<CryptSessionKey Value="([^"]*)"/>\s*'
                     r'<LoginPeopleID="([^"]*)"/>\s*<OAuth URL="http://snsgw\.samsungmobile\.com/oauth"/>\s*</Response>\s*$', a.text)
        if not t.ok(m, "%s: not the golden answer: %r" % (what, a.text)):
            continue
        t.ok(re.fullmatch(r"[0-9a-fA-F]{32}", m.group(1)), "SessionKey %r is not 32 hex characters" % m.group(1))
        t.ok(m.group(3) == m.group(1), "CryptSessionKey %r is not the SessionKey's value" % m.group(3))
        t.ok(m.group(2) == "", "PersistKey %r is not empty" % m.group(2))
        t.ok(1 <= len(m.group(4)) <= 16 and re.fullmatch(r"[ -~]+", m.group(4)), "LoginPeopleID %r" % m.group(4))


@check("login.golden-bytes")
def _(t):
    """the answer known to work: LF between the lines, none at the end (239 bytes with a name of 16 characters)"""
    a = t.send(post("/facebook/auth", camera.LOGIN_NX300))
    key = (strstr(a.raw, b'SessionKey="') or b"").decode()
    name = (strstr(a.raw, b'LoginPeopleID="') or b"").decode()
    want = ('<Response SessionKey="%s">\n<PersistKey Value=""/>\n<CryptSessionKey Value="%s"/>\n<LoginPeopleID="%s"/>\n'
            '<OAuth URL="http://snsgw.samsungmobile.com/oauth"/>\n</Response>' % (key, key, name)).encode()
    t.ok(a.body == want, "body differs: %r (wanted %r)" % (a.body, want))
    t.note("%d bytes, LoginPeopleID %r" % (len(a.body), name))


@check("login.strstr-reader")
def _(t):
    """the whole answer, head included, searched as the firmware does"""
    a = t.send(post("/facebook/auth", camera.LOGIN_NX300))
    t.need(a.status == 200, a)
    s = strstr(a.raw, b'SessionKey="')
    c = strstr(a.raw, b'<CryptSessionKey Value="')
    t.ok(s and s == c, "SessionKey=%r CryptSessionKey=%r" % (s, c))
    t.ok(strstr(a.raw, b'PersistKey Value="') == b"", "PersistKey %r" % strstr(a.raw, b'PersistKey Value="'))
    t.ok(strstr(a.raw, b'LoginPeopleID="'), "no LoginPeopleID")
    t.ok(strstr(a.raw, b'OAuth URL="') == b"http://snsgw.samsungmobile.com/oauth", "OAuth URL")
    t.ok(strstr(a.raw, b"Content-Length: ", b"\r\n") == b"%d" % len(a.body), "Content-Length by strstr")
    t.ok(b"ErrCode" not in a.raw, "ErrCode in a success")
    for k in (b'SessionKey="', b'LoginPeopleID="'):
        t.ok(a.raw.count(k) == 1, "%r occurs %d times" % (k, a.raw.count(k)))


@check("login.same-key-two-users")
def _(t):
    """the camera's session key is reused: two users with the same one get different sessions and folders"""
    key = os.urandom(32)
    u1, u2 = fresh_user(), fresh_user()
    s1 = t.session_of(t.send(post("/facebook/auth", login_xml(u1, key=key))))
    s2 = t.session_of(t.send(post("/facebook/auth", login_xml(u2, key=key))))
    t.ok(s1 != s2, "same SessionKey for two users")
    upload_as(t, s1, u1)
    upload_as(t, s2, u2)
    upload_as(t, s1, u1)


@check("login.qf30-no-value")
def _(t):
    """HMX-QF30: CryptSessionKey without Value, credentials only URL-encoded"""
    for user, pw in (("me+cam%d@example.com" % os.getpid(), "p&ss w=rd%"), ("plainuser%d" % os.getpid(), "pw")):
        a = t.send(post("/youtube/auth", camera.qf30_xml(user, pw)))
        s = t.session_of(a)
        upload_as(t, s, user, site="youtube")


@check("login.junk")
def _(t):
    """other junk than the captured line: tolerant scanning, not validation"""
    def junk(j):
        return login_xml("f", extra=j)
    base = login_xml("f")
    cases = {
        "captured junk": junk('4p4uaaq422af3"/>\n'),
        "tail of an attribute": junk('ue="true"/>\n'),
        "unbalanced quote": junk('4p4uaa"q422af3\n'),
        "lone <": junk("4p4u<aaq4\n"),
        "ampersands": junk("&&&q4&;\n"),
        "closing tag of something else": junk("</Other>\n"),
        "junk before the XML": b"\r\n  4p4u\n" + base,
        "junk after the XML": base + b'4p4uaaq422af3"/>\n',
        "NULs after the XML": base + b"\0" * 64,
        "a second, cut copy after the XML": base + base[:200].replace(b"Request", b"Reques_"),
        "NULs between elements": base.replace(b"<PersistKey", b"\0\0\0<PersistKey"),
        "bytes that are not UTF-8": base.replace(b"<PersistKey", b"\xff\xfe\xb0\xa1\n<PersistKey"),
        "unknown elements and attributes": junk('<Foo Bar="1"/><Baz>q</Baz>\n'),
        "BOM": b"\xef\xbb\xbf" + base,
        "encoding declared euc-kr": base.replace(b"UTF-8", b"EUC-KR"),
        "Value before Type": base.replace(b' Use="true" Type="SHA1" Value="', b' Value="', 1),
        "spaces around =": base.replace(b'UserName Value="', b'UserName  Value = "'),
        "space before />": base.replace(b'"/>', b'" />'),
        "open and close tags": base.replace(b'<PersistKey Use="true"/>', b'<PersistKey Use="true"></PersistKey>'),
    }
    for what, body in cases.items():
        a = t.send(post("/facebook/auth", body))
        t.ok(a.status == 200 and strstr(a.raw, b'SessionKey="'), "%s: %s" % (what, a))
    t.note("%d kinds" % len(cases))


@check("login.empty-body-400")
def _(t):
    a = t.send(post("/facebook/auth", b""))
    t.is_error(a, 400, "Content-Length: 0")
    a = t.send(post("/facebook/auth", b"", length=False))
    t.is_error(a, 400, "no Content-Length")
    a = t.send(post("/facebook/auth/", b"", version="HTTP/1.0", host=None))
    t.is_error(a, 400, "HTTP/1.0, no Host")


@check("login.not-understood-400")
def _(t):
    for what, body in (("text", b"hello"), ("NULs", b"\0" * 300), ("other XML", b"<a><b/></a>"), ("random", os.urandom(700)),
                       ("login without credentials", b'<Request Method="login">\n</Request>'),
                       ("login without a password", login_xml("f").replace(b"<Password", b"<Passwort"))):
        a = t.send(post("/facebook/auth", body))
        if what == "login without a password":
            t.ok(a.status < 500 and a.raw, "%s: %s" % (what, a))      # not fixed by the documents
        else:
            t.is_error(a, 400, what)


@check("login.undecodable-400")
def _(t):
    key = os.urandom(32)
    ok = login_xml("f", key=key).decode()
    un = re.search(r'UserName Value="([^"]*)"', ok).group(1)
    pw = re.search(r'Password Value="([^"]*)"', ok).group(1)
    k = base64.b64encode(key).decode()

    def b64(b):
        from urllib.parse import quote
        return quote(base64.b64encode(b).decode(), safe="")
    cases = {
        "user: no base64": ok.replace(un, "%21%21%21%21%21%21"),
        "user: 15 bytes": ok.replace(un, b64(os.urandom(15))),
        "user: 17 bytes": ok.replace(un, b64(os.urandom(17))),
        "user: bad percent": ok.replace(un, un[:-6] + "%ZZ%3D"),
        "user: plaintext not UTF-8": ok.replace(un, seal(key, b"\xff\xfe\xb0\xff")),
        "password: 15 bytes": ok.replace(pw, b64(os.urandom(15))),
        "password: no base64": ok.replace(pw, "%21%21%21%21"),
        "key: 31 bytes": ok.replace(k, base64.b64encode(key[:31]).decode()),
        "key: 33 bytes": ok.replace(k, base64.b64encode(key + b"x").decode()),
        "key: 16 bytes": ok.replace(k, base64.b64encode(key[:16]).decode()),
        "key: no base64": ok.replace(k, "!" * 44),
    }
    for what, body in cases.items():
        a = t.send(post("/facebook/auth", body.encode()))
        t.is_error(a, 400, what)
        t.ok(b"SessionKey" not in a.raw, "%s: a session was given" % what)


@check("login.oauth-sites-401")
def _(t):
    for site in ("skydrive", "flickr", "dropbox"):
        a = t.send(post("/%s/auth" % site, camera.oauth_xml()))
        t.is_error(a, 401, site)


@check("login.sites")
def _(t):
    """every known site but the OAuth ones, and one nobody knows"""
    for site in ("facebook picasa youtube photobucket samsungimaging cyworld me2day poco weibo renren vkontakte odnoklassniki "
                 "kakaostory evernote zzunknownsite").split():
        a = t.send(post("/%s/auth" % site, login_xml("sites@judge.example")))
        t.ok(a.status == 200 and strstr(a.raw, b'SessionKey="'), "%s: %s" % (site, a))


@check("login.unknown-site-works")
def _(t):
    u = fresh_user()
    s = t.login(u, site="a-site-of-2031")
    upload_as(t, s, u, site="a-site-of-2031")


@check("login.long-user-answer-short")
def _(t):
    """a hostile long or quoted user name never makes the answer long or breaks a value"""
    for user in ("u" * 400, 'a"b<c>&d', "ü" * 100, "x\r\nSet-Cookie: a=b"):
        a = t.send(post("/facebook/auth", login_xml(user)))
        t.ok(a.status < 500 and a.raw, "%r: %s" % (user[:10], a))
        t.all_ok(head_problems(a, "plain"), repr(user[:10]))
        if a.status == 200:
            t.ok(re.fullmatch(rb"[ -~\r\n]*", a.body), "not ASCII for %r" % user[:10])
            n = strstr(a.raw, b'LoginPeopleID="')
            t.ok(n and len(n) <= 16, "LoginPeopleID %r" % n)
            t.ok(len(a.body) <= 239 + 8, "answer of %d bytes" % len(a.body))


# ---------------------------------------------------------------- logout


@check("logout.always-200")
def _(t):
    for what, body in (("bare", b'<?xml version="1.0" encoding="UTF-8"?>\n<Request Method="logout" Timeout="3000">\n</Request>\n'),
                       ("unclosed", b'<Request Method="logout">'),
                       ("with credentials", login_xml(fresh_user(), method="logout")),
                       ("with unknown SessionKey", login_xml(fresh_user(), method="logout", session="0" * 32)),
                       ("with junk", login_xml("f", method="logout", extra='4p4u"/>\n'))):
        for path in ("/facebook/auth", "/picasa/auth/"):
            a = t.send(post(path, body))
            t.ok(a.status == 200, "%s to %s: %s" % (what, path, a))


@check("logout.ends-named-session")
def _(t):
    """a logout that names a SessionKey ends that one and no other"""
    u = fresh_user()
    s1, s2 = t.login(u), t.login(fresh_user())
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<Request Method="logout" Timeout="3000" SessionKey="' + s1.encode() + b'">\n</Request>\n'
    a = t.send(post("/facebook/auth", body))
    t.ok(a.status == 200, "logout: %s" % a)
    d = photo()
    t.is_error(t.put("/upload/%s/SAM_0001.JPG" % s1, d), 401, "PUT after logout")
    t.not_kept(d)
    t.is_error(t.send(post("/facebook/photo", camera.photo_xml(s1, "SAM_0001.JPG"))), 401, "announce after logout")
    d = photo()
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % s2, d), "PUT on another user's session")


@check("logout.ends-user-from-address")
def _(t):
    """without a SessionKey: all sessions of that user from that address, no others"""
    u, v = fresh_user(), fresh_user()
    s1, s2, other = t.login(u), t.login(u), t.login(v)
    away = t.login(u, src="127.0.0.2")
    a = t.send(post("/facebook/auth", login_xml(u, method="logout")))
    t.ok(a.status == 200, "logout: %s" % a)
    for what, s in (("first", s1), ("second", s2)):
        t.is_error(t.put("/upload/%s/SAM_0001.JPG" % s, photo()), 401, "PUT on the %s session after logout" % what)
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % other, photo()), "another user's session")
    t.is_succ(t.put("/upload/%s/SAM_0001.JPG" % away, photo(), src="127.0.0.2"), "the user's session from another address")
