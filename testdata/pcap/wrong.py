#!/usr/bin/env python3
"""A server that is wrong on purpose, and whoever talks to it, over real sockets.

usage: wrong.py wrong|framing ADDRESS PHOTO

wrong:   every exchange breaks a rule that cameras hold servers to.
framing: everything HTTP allows and cameras do not do: one connection for several requests, sent
         without waiting, chunks, bodies up to the end of the connection, HEAD, 100 Continue.
"""
import socket
import sys
import threading
import time

MODE, ADDRESS, PHOTO = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read()
LOGIN = b"""<?xml version="1.0" encoding="UTF-8"?>
<Request Method="login" Timeout="3000">
<UserName Value="7xKPwb19QdFKzsjsrQx62g%3D%3D"/>
<Password Value="U%2BK0X1QnWUv4tkvrrtQ0aQ%3D%3D"/>
<CryptSessionKey Use="true" Type="SHA1" Value="/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y="/>
</Request>
"""
KEY = b"0123456789abcdef" * 4
CLOSE = b"Connection: close\r\n"


def answer(status, body, headers=CLOSE, length=True):
    head = b"HTTP/1.1 " + status + b"\r\n" + headers
    if length:
        head += b"Content-Length: %d\r\n" % len(body)
    return head + b"\r\n" + body


def post(target, body, host=b"snsgw.samsungmobile.com", method=b"POST", more=b""):
    return b"%s %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (
        method, target, host, more, len(body), body)


def get(host, agent=b""):
    return b"GET / HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n" % (host, agent)


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def read_request(connection, body=True):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    length = [int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")]
    while body and length and len(rest) < length[0]:
        rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest


LOGGED_IN = (b'<Response SessionKey="%s">\n<PersistKey Value=""/>\n<CryptSessionKey Value="%s"/>\n'
             b'<LoginPeopleID="Somebody with a long name"/>\n</Response>' % (KEY, KEY))

# What is asked, and what is answered: a list of writes, with pauses in seconds between them.
WRONG = [
    (get(b"www.yahoo.co.kr", b"User-Agent: SAMSUNG-SH100\r\n"),
     [answer(b"200 OK", b"YAHOO!", b"Set-Cookie: samsung=hotspot; Domain=yahoo.co.kr; Path=/\r\n" + CLOSE)]),
    (get(b"www.yahoo.co.kr"), [answer(b"302 Found", b"", b"Location: https://www.yahoo.com/\r\n" + CLOSE)]),
    (get(b"www.msn.com"), [answer(b"302 Found", b"", b"Location: http://msn.com\r\n" + CLOSE)]),
    (get(b"www.msn.com"), [answer(b"200 OK", b"MSN", b"set-cookie: a=b; Domain=.msn.com\r\nconnection: close\r\n")]),
    (post(b"/facebook/auth", LOGIN),
     [answer(b"200 OK", LOGGED_IN)[:-len(LOGGED_IN)], 0.2, LOGGED_IN]),
    (post(b"/facebook/photo", b'<Request SessionKey="other"><Photo><Album Name="x"/><File Name="SAM_0001.JPG"/>'
          b'<Content>Sea</Content></Photo></Request>'),
     [answer(b"200 OK", chunked(b'<Response HostAddr="snsgw.samsungmobile.com:80" ',
                                b'ResourceID="/upload/other/SAM_0001.JPG" />'),
             b"Transfer-Encoding: chunked\r\n", length=False)]),
    (post(b"/upload/other/SAM_0001.JPG", PHOTO, method=b"PUT", more=b"Content-Type: image/jpeg\r\n"),
     "early"),
    (post(b"/social/columbus/email?DUID=1234", b"--B\r\n\r\n--B--", host=b"www.ospserver.net"),
     [3.3, answer(b"500 Internal Server Error", b'<Response ErrCode="500" ErrSubCode="0" /><!-- mail server -->')]),
    (post(b"/facebook/auth", b'<Request Method="logout" SessionKey="other"/>'), "nothing"),
    (post(b"/facebook/auth", b""), [answer(b"401 UNAUTHORIZED", b"x" * 1600)]),
]

PIPELINED = (b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n" b"HEAD /two HTTP/1.1\r\nHost: a\r\n\r\n"
             b"GET /three HTTP/1.1\r\nHost: a\r\n\r\n" b"GET /four HTTP/1.1\r\nHost: a\r\n\r\n")
FRAMING = [
    (PIPELINED,
     [answer(b"200 OK", b"the first page", b"Content-Type: text/html\r\n"),
      b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", 0.05,
      answer(b"200 OK", chunked(b"in ", b"three ", b"chunks\n"),
             b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", length=False), 0.05,
      answer(b"200 OK", PHOTO[:3000], b"Content-Type: image/jpeg\r\n", length=False)]),
    (b"PUT /upload/0123456789abcdef0123456789abcdef/SAM_0002.JPG HTTP/1.1\r\nHost: snsgw.samsungmobile.com\r\n"
     b"Content-Type: image/jpeg\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", "continue"),
    (post(b"/facebook/auth", LOGIN), "drip"),
]


def serve(listener, script):
    for request, doing in script:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if doing == "early":
            read_request(connection, body=False)
            connection.sendall(answer(b"200 OK", b"thanks"))
            time.sleep(0.3)
            while connection.recv(65536):
                pass
        elif doing == "nothing":
            read_request(connection)
        elif doing == "continue":
            read_request(connection)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            data = b""
            while not data.endswith(b"0\r\n\r\n"):
                data += connection.recv(65536)
            connection.sendall(answer(b"200 OK", b'<Response Status="succ" />'))
        elif doing == "drip":
            read_request(connection)
            connection.sendall(answer(b"401 UNAUTHORIZED", b'<Response ErrCode="401" ErrSubCode="0" /><!-- no -->'))
        else:
            read_request(connection)
            for step in doing:
                time.sleep(step) if isinstance(step, float) else connection.sendall(step)
        connection.close()


def ask(request, doing):
    connection = socket.create_connection((ADDRESS, 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if doing == "early":
        connection.sendall(request[:2000])
        time.sleep(0.2)
        connection.sendall(request[2000:])
        connection.shutdown(socket.SHUT_WR)
    elif doing == "continue":
        connection.sendall(request)
        time.sleep(0.1)
        connection.sendall(chunked(PHOTO[:2500], PHOTO[2500:]))
    elif doing == "drip":
        for at in range(0, 40):
            connection.sendall(request[at:at + 1])
            time.sleep(0.002)
        connection.sendall(request[40:])
    else:
        connection.sendall(request)
    while connection.recv(65536):
        pass
    connection.close()


script = WRONG if MODE == "wrong" else FRAMING
listener = socket.create_server((ADDRESS, 80))
thread = threading.Thread(target=serve, args=(listener, script))
thread.start()
for request, doing in script:
    ask(request, doing)
thread.join()
