"""What a camera sends, byte for byte. Written from facts.md alone."""
import base64
import os
from urllib.parse import quote

# ---------------------------------------------------------------- AES-128 (encryption only), CBC, zero padding


def _sbox():
    p = q = 1
    box = [0] * 256
    while True:
        p = p ^ ((p << 1) & 0xFF) ^ (0x1B if p & 0x80 else 0)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = (x ^ 0x63) & 0xFF
        if p == 1:
            break
    box[0] = 0x63
    return box


SBOX = _sbox()


def _xt(a):
    return ((a << 1) ^ 0x1B) & 0xFF if a & 0x80 else a << 1


def _expand(key):
    w = [list(key[i:i + 4]) for i in range(0, 16, 4)]
    rcon = 1
    for i in range(4, 44):
        t = list(w[i - 1])
        if i % 4 == 0:
            t = [SBOX[b] for b in t[1:] + t[:1]]
            t[0] ^= rcon
            rcon = _xt(rcon)
        w.append([a ^ b for a, b in zip(w[i - 4], t)])
    return [sum(w[4 * r:4 * r + 4], []) for r in range(11)]


def aes_block(key, block):
    ks = _expand(key)
    s = [a ^ b for a, b in zip(block, ks[0])]
    for r in range(1, 11):
        s = [SBOX[b] for b in s]
        s = [s[(i + 4 * (i % 4)) % 16] for i in range(16)]
        if r < 10:
            o = []
            for c in range(0, 16, 4):
                a = s[c:c + 4]
                t = a[0] ^ a[1] ^ a[2] ^ a[3]
                o += [a[i] ^ t ^ _xt(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            s = o
        s = [a ^ b for a, b in zip(s, ks[r])]
    return bytes(s)


def aes_cbc(key32, plain):
    key, iv = key32[:16], key32[16:]
    plain = plain + b"\0" * (-len(plain) % 16)
    if not plain:
        plain = b"\0" * 16
    out = b""
    for i in range(0, len(plain), 16):
        iv = aes_block(key, bytes(a ^ b for a, b in zip(plain[i:i + 16], iv)))
        out += iv
    return out


def seal(key32, text):
    if isinstance(text, str):
        text = text.encode()
    return quote(base64.b64encode(aes_cbc(key32, text)), safe="")


def selftest_aes():
    k = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    assert aes_block(k, bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    k1 = base64.b64decode("/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y=")
    assert seal(k1, "f") == "7xKPwb19QdFKzsjsrQx62g%3D%3D" and seal(k1, "p") == "U%2BK0X1QnWUv4tkvrrtQ0aQ%3D%3D"
    k2 = base64.b64decode("//////S3mbZSAQAA/LOitv////9IIgS2UgEAAAAQBLY=")
    assert seal(k2, "x") == "uFK%2Fz%2BkEchpulalnJr1rBw%3D%3D" and seal(k2, "z") == "ob7Ue7q%2BkUSZFffy3%2BVfiQ%3D%3D"


# ---------------------------------------------------------------- published captures

LOGIN_NX300 = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<Request Method="login" Timeout="3000" CameraCryptKey="844e7f0fadf4ba1cf5b6de9edb06ac9a448c0d3031b73db65a308cecb570428a'
    b'44dea69bddd94403829e5c06efee9a4d555590f75a8c1313c3b935a0a03684d463733b30d3a34fe11b0da9d7f230366221ceec509419d89fd9b0cc36'
    b'adc7258fbc904b497173d1f154202727c402b2a25d58dd0ecc6d576294880226cfb46151">\n'
    b'<UserName Value="7xKPwb19QdFKzsjsrQx62g%3D%3D"/>\n'
    b'<Password Value="U%2BK0X1QnWUv4tkvrrtQ0aQ%3D%3D"/>\n'
    b'<PersistKey Use="true"/>\n'
    b'4p4uaaq422af3"/>\n'
    b'<SessionKey Type="APIF"/>\n'
    b'<CryptSessionKey Use="true" Type="SHA1" Value="/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y="/>\n'
    b'<ApplicationKey Value="6a563c3967f147d3adfa454ef913535d0d109ba4b4584914"/>\n'
    b'</Request>\n')

# the one of the talk: CameraCryptKey is cut on the slide (facts: 256 hex digits), filled up here; no closing tag
LOGIN_TALK = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<Request Method="login" Timeout="3000" CameraCryptKey="58a4c8161c8aa7b1287bc4934a2d89fa952da1cddc5b8f3d84d34'
    + b"7" * 211 + b'">\n'
    b'<UserName Value="uFK%2Fz%2BkEchpulalnJr1rBw%3D%3D"/>\n'
    b'<Password Value="ob7Ue7q%2BkUSZFffy3%2BVfiQ%3D%3D"/>\n'
    b'<PersistKey Use="true"/>\n'
    b'<SessionKey Type="APIF"/>\n'
    b'<CryptSessionKey Use="true" Type="SHA1" Value="//////S3mbZSAQAA/LOitv////9IIgS2UgEAAAAQBLY="/>\n'
    b'<ApplicationKey Value="6a563c3967f147d3adfa454ef913535d0d109ba4b4584914"/>\n')


def login_xml(user, password="pw", key=None, method="login", extra="", close=True, session=None):
    key = key or os.urandom(32)
    s = '<?xml version="1.0" encoding="UTF-8"?>\n'
    s += '<Request Method="%s" Timeout="3000"%s CameraCryptKey="%s">\n' % (
        method, ' SessionKey="%s"' % session if session else "", os.urandom(128).hex())
    s += '<UserName Value="%s"/>\n<Password Value="%s"/>\n' % (seal(key, user), seal(key, password))
    s += '<PersistKey Use="true"/>\n%s<SessionKey Type="APIF"/>\n' % extra
    s += '<CryptSessionKey Use="true" Type="SHA1" Value="%s"/>\n' % base64.b64encode(key).decode()
    s += '<ApplicationKey Value="6a563c3967f147d3adfa454ef913535d0d109ba4b4584914"/>\n'
    if close:
        s += "</Request>\n"
    return s.encode()


def qf30_xml(user, password):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<Request Method="login" Timeout="3000" CameraCryptKey="%s">\n'
            '<UserName Value="%s"/>\n<Password Value="%s"/>\n<PersistKey Use="true"/>\n<SessionKey Type="APIF"/>\n'
            '<CryptSessionKey Use="true" Type="SHA1"/>\n<ApplicationKey Value="6a563c3967f147d3"/>\n</Request>\n'
            % (os.urandom(128).hex(), quote(user, safe=""), quote(password, safe=""))).encode()


def oauth_xml():
    return (b'<?xml version="1.0" encoding="UTF-8"?>\n<Request Method="login" Timeout="3000" CameraCryptKey="' + b"5" * 256 +
            b'">\n<OAuth Version="1.0"/>\n<PersistKey Use="true"/>\n<SessionKey Type="APIF"/>\n'
            b'<CryptSessionKey Use="true" Type="SHA1" Value="/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y="/>\n</Request>\n')


def esc(b):
    if isinstance(b, str):
        b = b.encode()
    return b.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b'"', b"&quot;")


def photo_xml(session, name, content="hello", album="NX300", raw_name=None):
    return (b'<?xml version="1.0" encoding="UTF-8"?>\n<Request Method="upload" Timeout="3000" SessionKey="' + session.encode() +
            b'">\n<Photo>\n<Album ID="" Name="' + esc(album) + b'"/>\n<File Name="' + (raw_name if raw_name is not None else esc(name)) +
            b'"/>\n<Content><![CDATA[' + content.encode() + b']]></Content>\n</Photo>\n</Request>\n')


def video_xml(session, name, content="film", owner=True):
    return (b'<?xml version="1.0" encoding="UTF-8"?>\n<Request Method="upload" Timeout="3000" SessionKey="' + session.encode() +
            b'">\n<Video>\n<Category Name="People"' + (b' OwnerID="12345"' if owner else b"") + b'/>\n<File Name="' + esc(name) +
            b'"/>\n<Content><![CDATA[' + content.encode() + b']]></Content>\n</Video>\n</Request>\n')


def post(target, body, *, method="POST", version="HTTP/1.1", host="snsgw.samsungmobile.com", headers=(), length=True,
         eol=b"\r\n", ctype="text/xml", pre=b" "):
    """One request as bytes: (head, body)"""
    if isinstance(target, str):
        target = target.encode()
    h = method.encode() + b" " + target + pre + version.encode() + eol
    if host is not None:
        h += b"Host: " + host.encode() + eol
    if ctype:
        h += b"Content-Type: " + ctype.encode() + eol
    for line in headers:
        h += (line if isinstance(line, bytes) else line.encode()) + eol
    if length is True:
        h += b"Content-Length: %d" % len(body) + eol
    elif length is not False and length is not None:
        h += b"Content-Length: " + (length if isinstance(length, bytes) else str(length).encode()) + eol
    return h + eol, body


def get(target, host="snsgw.samsungmobile.com", version="HTTP/1.1", headers=(), method="GET"):
    h = "%s %s %s\r\n" % (method, target, version)
    if host is not None:
        h += "Host: %s\r\n" % host
    for line in headers:
        h += line + "\r\n"
    return h.encode() + b"\r\n"


# ---------------------------------------------------------------- photos

_n = 0


def photo(size=3000, tail=None, middle=b""):
    """Looks like a JPEG, unlike any other: random marker, random bytes. .marker is found again on disk."""
    global _n
    _n += 1
    marker = b"JUDGE-%s-%06d-" % (os.urandom(8).hex().encode(), _n)
    data = b"\xff\xd8\xff\xe1" + marker + os.urandom(max(0, size - len(marker) - len(middle) - 6)) + middle + os.urandom(8)
    data += tail if tail is not None else b"\xff\xd9"
    return data


def marker_of(data):
    return data[4:4 + 30]


# ---------------------------------------------------------------- e-mail

B = "---------------------------7d93b9550d4a"

EMAIL_HEAD = (
    'POST %(target)s%(pre)sHTTP/1.0%(eol)s'
    'Authorization:OAuth oauth_consumer_key="%(auth)s",oauth_nonce="0f3b3a1cN",oauth_signature="k6kxq1u0wJmJq2w2Zk3bUe0Hc4E=",'
    'oauth_signature_method="HmacSHA1",oauth_timestamp="9717886885",oauth_version="1.0"%(eol)s'
    'x-osp-version:v1%(eol)s'
    'User-Agent: sdeClient%(eol)s'
    'Content-Type: %(ctype)s%(eol)s'
    'Accept: image/gif, image/x-xbitmap, image/jpeg, image/pjpeg, application/x-shockwave-flash, application/vnd.ms-excel, '
    'application/vnd.ms-powerpoint, application/msword, */*%(eol)s'
    'Pragma: no-cache%(eol)s'
    'Accept-Language: ko%(eol)s'
    'User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1) ; '
    '.NET CLR 1.1.4322; InfoPath.2; .NET CLR 2.0.50727)%(eol)s'
    '%(host)s'
    'Content-Length: %(length)s%(eol)s%(eol)s')

EMAIL_TARGET = "/social/columbus/email?DUID=123456789033"


def email_head(length, *, target=EMAIL_TARGET, pre="  ", ctype=None, boundary=B, auth="abcdefconsumer", eol="\r\n",
               host="www.ospserver.net"):
    return (EMAIL_HEAD % dict(target=target, pre=pre, ctype=ctype or "multipart/form-data; boundary=" + boundary, auth=auth,
                              length=length, eol=eol, host="Host: %s%s" % (host, eol) if host else "")).encode("latin-1")


def email_xml(sender="Camera@samsungcamera.com", to=("a@b.example",), title="<![CDATA[[Samsung Smart Camera] sent you files.]]>",
              body="<![CDATA[Sent from Samsung Camera.\r\nlanguage_sh100_utf8]]>", eol="", body_element=None):
    rec = eol.join("<receiver>%s</receiver>" % r for r in to)
    be = body_element if body_element is not None else "<body>%s</body>" % body
    x = eol.join(['<?xml version="1.0" encoding="UTF-8"?>', "<email>", "<sender>%s</sender>" % sender, "<receiverList>", rec,
                  "</receiverList>", "<title>%s</title>" % title, be, "</email>"])
    return x.encode()


MESSAGE_HEAD = b'content-disposition: form-data; name="message"; fileName="sample.txt"\r\ncontent-Type: multipart/form-data;\r\n\r\n'


def binary_head(name):
    if isinstance(name, str):
        name = name.encode()
    return b'content-disposition: form-data; name="binary"; fileName="' + name + b'"\r\ncontent-Type: image/jpeg;\r\n\r\n'


ENDINGS = {   # what stands after the last part's bytes; None = nothing at all, not even the CRLF
    "boundary": b"--B",
    "boundary-crlf": b"--B\r\n",
    "boundary-crlf-crlf": b"--B\r\n\r\n",
    "dashes": b"--B--",
    "dashes-crlf": b"--B--\r\n",
    "dashes-crlf-text": b"--B--\r\nand some text after the end, to be ignored\r\n",
    "one-dash": b"--B-",
    "none": None,
}


def email_body(photos, *, xml=None, boundary=B, ending="boundary", message=True, heads=None, message_head=MESSAGE_HEAD):
    """photos: list of (name, bytes)"""
    d = b"--" + boundary.encode()
    parts = []
    if message:
        parts.append(message_head + (xml if xml is not None else email_xml()))
    for i, (name, data) in enumerate(photos):
        parts.append((heads[i] if heads else binary_head(name)) + data)
    out = b"".join(d + b"\r\n" + p + b"\r\n" for p in parts)
    end = ENDINGS[ending]
    if end is None:
        return out[:-2]
    return out + end.replace(b"--B", d, 1)


if __name__ == "__main__":
    selftest_aes()
    print("aes ok")
