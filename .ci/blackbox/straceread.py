"""Reading strace output: which system call, on what, in which order."""
import re
import shutil
import subprocess

SYSCALLS = ("accept,accept4,close,write,writev,send,sendto,sendmsg,sendmmsg,sendfile,splice,shutdown,pwrite64,pwritev,pwritev2,"
            "copy_file_range,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,fallocate,ftruncate")


def available():
    if not shutil.which("strace"):
        return "strace is not installed"
    try:
        p = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=write", "true"], capture_output=True, timeout=10)
    except Exception as e:
        return "strace cannot run: %s" % e
    if p.returncode != 0:
        return "strace cannot trace here: %s" % p.stderr.decode()[-120:]
    return None


class Call:
    __slots__ = ("pid", "name", "args", "ret", "start", "end", "port")

    def __init__(self, pid, name, args, ret, start, end):
        self.pid, self.name, self.args, self.ret, self.start, self.end = pid, name, args, ret, start, end
        self.port = None

    @property
    def n(self):
        m = re.match(r"-?\d+", self.ret)
        return int(m.group(0)) if m else None

    @property
    def fd(self):
        m = re.match(r"(\d+)", self.args)
        return int(m.group(1)) if m else None

    @property
    def path(self):
        """of the first descriptor, as strace -y shows it"""
        m = re.match(r"\d+<((?:[^<>\\]|\\.|->|<[^>]*>)*?)>(?:,|$|\(deleted\))", self.args)
        return m.group(1) if m else None

    def __repr__(self):
        return "%s(%s) = %s" % (self.name, self.args[:120], self.ret)


def calls(path):
    """every finished system call, with the line numbers of its begin and end as its time"""
    out, pending = [], {}
    with open(path, errors="replace") as f:
        for i, line in enumerate(f):
            m = re.match(r"(\d+)\s+[\d.]+ (.*)$", line.rstrip("\n"))
            if not m:
                continue
            pid, rest = int(m.group(1)), m.group(2)
            start = i
            r = re.match(r"<\.\.\. (\w+) resumed>(.*)$", rest)
            if r:
                if pid not in pending:
                    continue
                start, before = pending.pop(pid)
                rest = before + r.group(2)
            elif rest.endswith("<unfinished ...>"):
                pending[pid] = (i, rest[:-len("<unfinished ...>")].rstrip())
                continue
            m = re.match(r"(\w+)\((.*)\)\s+= (.*)$", rest)
            if m:
                out.append(Call(pid, m.group(1), m.group(2), m.group(3), start, i))
    out.sort(key=lambda c: c.end)
    # name each call on a camera's connection by the camera's port. A descriptor is free from the beginning of close() on,
    # so a close counts at its begin, everything else at its end.
    owner = {}
    for c in sorted(out, key=lambda c: c.start if c.name == "close" else c.end):
        if c.name in ("accept", "accept4") and (c.n if c.n is not None else -1) >= 0:
            m = re.search(r"sin_port=htons\((\d+)\)", c.args)
            if m:
                owner[c.n] = int(m.group(1))
        elif c.fd is not None and c.fd in owner:
            c.port = owner[c.fd] if c.name != "close" else owner.pop(c.fd)
    return out


WRITES = {"write", "writev", "send", "sendto", "sendmsg", "sendmmsg", "sendfile", "splice"}


def writes_to(cs, port):
    """successful writing calls on the connection of this client port"""
    return [c for c in cs if c.port == port and c.name in WRITES and (c.n or 0) > 0]


def unquote(s):
    return re.sub(r"\\([0-7]{1,3}|x[0-9a-f]{2}|.)", lambda m: m.group(0), s)


def moves(cs, cwd):
    """(call, source path or fd marker, destination path) of every rename and link that worked"""
    import os
    out = []
    for c in cs:
        if c.name not in ("rename", "renameat", "renameat2", "link", "linkat") or c.n != 0:
            continue
        parts = re.findall(r'(?:(AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"((?:[^"\\]|\\.)*)"', c.args)
        if len(parts) < 2:
            continue

        def full(p):
            d, dpath, name = p
            if name.startswith("/"):
                return name
            base = dpath if dpath else cwd
            return os.path.join(base, name)
        out.append((c, full(parts[0]), full(parts[1])))
    return out
