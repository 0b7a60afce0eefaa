"""Raw sockets and reading of answers. No HTTP library: what is on the wire is what is judged."""
import re
import socket
import time
from email.utils import parsedate_to_datetime


class Answer:
    """What came back on one connection."""

    def __init__(self):
        self.raw = b""
        self.eof = False          # the server closed (FIN or RST) before our timeout
        self.reset = False        # it closed with a RST
        self.send_error = None    # our sending was cut short
        self.sent_all = False
        self.early = b""          # bytes that had arrived at a "probe" point while we were still sending
        self.client = None        # our (address, port)
        self.label = ""
        self.seconds = 0.0
        self.at = time.time()     # when the connection was begun

    # -- parsed lazily, tolerantly; judging is done elsewhere
    @property
    def final(self):
        """raw without a leading 100 Continue"""
        raw = self.raw
        while raw.startswith(b"HTTP/1.1 100 "):
            _, _, raw = raw.partition(b"\r\n\r\n")
        return raw

    @property
    def head(self):
        return self.final.partition(b"\r\n\r\n")[0]

    @property
    def body(self):
        return self.final.partition(b"\r\n\r\n")[2]

    @property
    def status_line(self):
        return self.head.split(b"\r\n")[0].decode("latin-1")

    @property
    def status(self):
        m = re.match(r"HTTP/\d\.\d (\d{3})", self.status_line)
        return int(m.group(1)) if m else 0

    @property
    def headers(self):
        out = []
        for line in self.head.split(b"\r\n")[1:]:
            name, sep, value = line.partition(b":")
            out.append((name.decode("latin-1"), value.decode("latin-1").strip()))
        return out

    def header(self, name):
        for n, v in self.headers:
            if n.lower() == name.lower():
                return v
        return None

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def __str__(self):
        if not self.raw:
            how = "closed" if self.eof else "still open, no answer"
            if self.reset:
                how = "reset"
            return "no answer (%s%s)" % (how, ", send: %s" % self.send_error if self.send_error else "")
        return "%s | %s" % (self.status_line, self.text[:160].replace("\n", "\\n"))


SHAPES = {
    "plain": ["Server", "Date", "Content-Type", "Content-Length", "Connection"],
    "gld": ["Server", "Date", "ETag", "Server", "Content-Type", "Content-Length", "Connection"],
    "location": ["Server", "Date", "Content-Type", "Content-Length", "Location", "Connection"],
    "cookie": ["Server", "Date", "Content-Type", "Content-Length", "Set-Cookie", "Connection"],
}


def head_problems(a, shape=None, content_type=True):
    """Everything facts section 5 and configuration.md say about any answer. Returns a list of sentences."""
    bad = []
    if not a.raw:
        return ["no answer: %s" % a]
    if b"\r\n\r\n" not in a.raw:
        return ["head is not ended by an empty line: %r" % a.raw[:80]]
    if not re.match(r"HTTP/1\.1 [2345]\d\d [ -~]+$", a.status_line):
        bad.append("status line %r" % a.status_line)
    if a.status == 200 and a.status_line != "HTTP/1.1 200 OK":
        bad.append("status line %r is not 'HTTP/1.1 200 OK'" % a.status_line)
    if re.search(rb"(?<!\r)\n", a.head) or re.search(rb"\r(?!\n)", a.head):
        bad.append("bare CR or LF in the head")
    for line in a.head.split(b"\r\n")[1:]:
        if not re.match(rb"[A-Za-z-]+: \S(.*\S)?$", line):
            bad.append("header line %r is not 'Name: value'" % line)
    names = [n for n, _ in a.headers]
    allowed = [SHAPES[shape]] if shape else list(SHAPES.values())
    if names not in allowed:
        bad.append("header names/order %s%s" % (names, ", wanted %s" % allowed[0] if shape else ""))
    if (a.header("Connection") or "") != "close":
        bad.append("Connection: %r" % a.header("Connection"))
    if a.header("Transfer-Encoding"):
        bad.append("Transfer-Encoding present")
    if a.header("Content-Encoding"):
        bad.append("Content-Encoding present")
    if a.header("Content-Length") != str(len(a.body)):
        bad.append("Content-Length %r but %d body bytes" % (a.header("Content-Length"), len(a.body)))
    if content_type and a.header("Content-Type") != "text/html; charset=utf-8":
        bad.append("Content-Type: %r" % a.header("Content-Type"))
    try:
        d = a.header("Date") or ""
        when = parsedate_to_datetime(d)
        if not re.match(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$", d):
            bad.append("Date form %r" % d)
        elif abs(when.timestamp() - a.at) > 60:
            bad.append("Date off: %r" % d)
    except Exception:
        bad.append("Date unreadable: %r" % a.header("Date"))
    if len(a.raw) >= 1400:
        bad.append("%d bytes, not below 1400" % len(a.raw))
    if not a.eof:
        bad.append("connection not closed after the answer")
    return bad


ERROR_XML = re.compile(r'<Response ErrCode="(\d{3})" ErrSubCode="0" />(\s*<!-- .*? -->)\s*$', re.S)


def error_problems(a, status):
    """a must be <status> with the error XML."""
    wanted = (status,) if isinstance(status, int) else tuple(status)
    bad = []
    if a.status not in wanted:
        bad.append("wanted %s + error XML, got %s" % ("/".join(map(str, wanted)), a))
        return bad
    m = ERROR_XML.match(a.text)
    if not m:
        bad.append("body is not the error XML: %r" % a.text[:200])
    elif int(m.group(1)) != a.status:
        bad.append("ErrCode %s in a %d" % (m.group(1), a.status))
    if "succ" in a.text:
        bad.append("an error that contains 'succ'")
    return bad


PROBE = object()     # in a list of pieces: note in Answer.early what has come back so far


def open_connection(port, src=None, timeout=10.0, host="127.0.0.1"):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.settimeout(timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if src:
        s.bind((src, 0))
    s.connect((host, port))
    return s


def read_answer(s, a, timeout=10.0):
    end = time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return a
        s.settimeout(left)
        try:
            got = s.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            a.reset = a.eof = True
            return a
        except (TimeoutError, socket.timeout):
            return a
        if not got:
            a.eof = True
            return a
        a.raw += got
        if len(a.raw) > 4_000_000:
            return a


def exchange(port, pieces, *, src=None, timeout=10.0, shutdown=False, send_timeout=None, label=""):
    """Connect, send everything, only then read until the server closes: as a camera does.

    pieces: bytes, or an iterable of bytes (one send each), floats (pause) and PROBE."""
    if isinstance(pieces, (bytes, bytearray)):
        pieces = [bytes(pieces)]
    a = Answer()
    a.label = label
    start = time.monotonic()
    s = open_connection(port, src, send_timeout or timeout)
    try:
        a.client = s.getsockname()
        try:
            for p in pieces:
                if p is PROBE:
                    s.setblocking(False)
                    try:
                        a.early += s.recv(65536, socket.MSG_PEEK)
                    except BlockingIOError:
                        pass
                    s.settimeout(send_timeout or timeout)
                elif isinstance(p, (int, float)):
                    time.sleep(p)
                elif p:
                    s.settimeout(send_timeout or timeout)
                    s.sendall(p)
            a.sent_all = True
            if shutdown:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError, TimeoutError, socket.timeout, OSError) as e:
            a.send_error = type(e).__name__
        read_answer(s, a, timeout)
    finally:
        s.close()
    a.seconds = time.monotonic() - start
    return a


def strstr(haystack, needle, end=b'"'):
    """Read a field as the firmware does: find needle, take what follows up to end. None if not there."""
    i = haystack.find(needle)
    if i < 0:
        return None
    i += len(needle)
    j = haystack.find(end, i)
    return haystack[i:j] if j >= 0 else None
