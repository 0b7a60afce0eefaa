"""Starting, watching and ending the server under test. Only processes started here are ever signalled, by their id."""
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = None           # one temporary folder for the whole run


def make_root():
    global ROOT
    ROOT = tempfile.mkdtemp(prefix="sns-judge-")
    return ROOT


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    p = s.getsockname()[1]
    s.close()
    return p


def listening(port, addr="127.0.0.1"):
    """Is something listening there? Asked of the kernel, so that no stray connection reaches the server."""
    want = "%02X%02X%02X%02X" % tuple(reversed([int(x) for x in addr.split(".")])) + ":%04X" % port
    any_ = "00000000:%04X" % port
    try:
        with open("/proc/net/tcp") as f:
            for line in f:
                w = line.split()
                if len(w) > 3 and w[3] == "0A" and w[1] in (want, any_):
                    return True
        with open("/proc/net/tcp6") as f:
            for line in f:
                w = line.split()
                if len(w) > 3 and w[3] == "0A" and w[1].endswith(":%04X" % port) and set(w[1].split(":")[0]) == {"0"}:
                    return True
    except OSError:
        s = socket.socket()
        s.settimeout(0.3)
        try:
            s.connect((addr, port))
            return True
        except OSError:
            return False
        finally:
            s.close()
    return False


_count = 0
live = []


class Server:
    """One run of the binary in a sandbox: <root>/run-N/deep/er/{cwd,data}. Anything new outside data/ is an escape."""

    def __init__(self, binary, *, config=None, args=None, env=None, strace=None, port=None, data_arg=True, listen_arg=True,
                 boot=10.0, sandbox=None, wait=True):
        global _count
        _count += 1
        self.binary = binary
        self.sandbox = sandbox or os.path.join(ROOT, "run-%03d" % _count)
        self.cwd = os.path.join(self.sandbox, "deep", "er", "cwd")
        self.data = os.path.join(self.sandbox, "deep", "er", "data")
        self.outside = os.path.join(self.sandbox, "outside")
        for d in (self.cwd, self.outside):
            os.makedirs(d, exist_ok=True)
        self.port = port or free_port()
        self.stderr_path = os.path.join(self.sandbox, "stderr-%03d.txt" % _count)
        self.stdout_path = os.path.join(self.sandbox, "stdout-%03d.txt" % _count)
        cmd = [binary]
        if listen_arg:
            cmd += ["--listen", "127.0.0.1:%d" % self.port]
        if data_arg:
            cmd += ["--data-dir", self.data]
        self.config_path = None
        e = {k: v for k, v in os.environ.items() if not k.startswith("SNS_") and k not in ("RUST_LOG", "RUST_BACKTRACE")}
        if config is not None:
            self.config_path = os.path.join(self.sandbox, "deep", "er", "sns-test.toml")
            text = config.replace("@PORT@", str(self.port)).replace("@DATA@", self.data)
            with open(self.config_path, "w") as f:
                f.write(text)
            if env != "SNS_CONFIG":
                cmd += ["--config", self.config_path]
            else:
                e["SNS_CONFIG"] = self.config_path
        if isinstance(env, dict):
            e.update(env)
        cmd += args or []
        self.strace_out = None
        if strace:
            self.strace_out = os.path.join(self.sandbox, "strace-%03d.txt" % _count)
            cmd = ["strace", "-f", "-y", "-s", "64", "-ttt", "-o", self.strace_out, "-e", "trace=" + strace] + cmd
        self.cmd = cmd
        self.before = self.outside_listing()
        self.proc = subprocess.Popen(cmd, cwd=self.cwd, env=e, stdin=subprocess.DEVNULL,
                                     stdout=open(self.stdout_path, "wb"), stderr=open(self.stderr_path, "wb"))
        live.append(self)
        self.started = False
        self._pid = None
        if wait:
            end = time.monotonic() + boot
            while time.monotonic() < end:
                if self.proc.poll() is not None:
                    break
                if listening(self.port):
                    self.started = True
                    break
                time.sleep(0.01)

    # ------------------------------------------------------------ process

    @property
    def pid(self):
        """of the server itself, also under strace"""
        if not self.strace_out:
            return self.proc.pid
        if self._pid is None:
            for _ in range(200):
                try:
                    kids = open("/proc/%d/task/%d/children" % (self.proc.pid, self.proc.pid)).read().split()
                    if kids:
                        self._pid = int(kids[0])
                        break
                except OSError:
                    pass
                time.sleep(0.01)
        return self._pid

    def alive(self):
        return self.proc.poll() is None

    def term(self, sig=signal.SIGTERM):
        if self.alive() and self.pid:
            os.kill(self.pid, sig)

    def wait(self, timeout):
        try:
            return self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, timeout=4.0):
        if self.alive():
            try:
                self.term()
            except ProcessLookupError:
                pass
            if self.wait(timeout) is None:
                for p in {self._pid, self.proc.pid} - {None}:
                    try:
                        os.kill(p, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                self.wait(5)
        if self in live:
            live.remove(self)
        return self.proc.returncode

    def remove(self):
        shutil.rmtree(self.sandbox, ignore_errors=True)

    def stderr(self):
        with open(self.stderr_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def stdout(self):
        with open(self.stdout_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def status_kb(self, field):
        with open("/proc/%d/status" % self.pid) as f:
            m = re.search(r"^%s:\s+(\d+) kB" % field, f.read(), re.M)
        return int(m.group(1)) if m else 0

    def reset_peak(self):
        try:
            with open("/proc/%d/clear_refs" % self.pid, "w") as f:
                f.write("5")
            return True
        except OSError:
            return False

    def fds(self):
        try:
            return len(os.listdir("/proc/%d/fd" % self.pid))
        except OSError:
            return -1

    # ------------------------------------------------------------ disk

    @property
    def photos(self):
        return os.path.join(self.data, "photos")

    def files(self, under=None):
        """every non-directory below under (default photos/), as (path relative to it, absolute path)"""
        top = under or self.photos
        out = []
        for d, dirs, names in os.walk(os.fsencode(top)):
            for n in names + [x for x in dirs if os.path.islink(os.path.join(d, x))]:
                p = os.path.join(d, n)
                out.append((os.fsdecode(os.path.relpath(p, os.fsencode(top))), os.fsdecode(p)))
        return sorted(out)

    def find(self, content):
        """paths below photos/ of plain files that hold exactly these bytes"""
        out = []
        for rel, p in self.files():
            try:
                if not os.path.islink(p) and os.path.isfile(p) and os.path.getsize(p) == len(content):
                    with open(p, "rb") as f:
                        if f.read() == content:
                            out.append(rel)
            except OSError:
                pass
        return out

    def find_sha(self, size, sha):
        out = []
        for rel, p in self.files():
            if os.path.isfile(p) and os.path.getsize(p) == size:
                h = hashlib.sha256()
                with open(p, "rb") as f:
                    while True:
                        b = f.read(1 << 20)
                        if not b:
                            break
                        h.update(b)
                if h.hexdigest() == sha:
                    out.append(rel)
        return out

    def holding(self, marker, under=None, limit=64 << 20):
        """files below under (default: the whole data folder) that contain the marker"""
        out = []
        for rel, p in self.files(under or self.data):
            try:
                if os.path.isfile(p) and not os.path.islink(p):
                    with open(p, "rb") as f:
                        if marker in f.read(limit):
                            out.append(rel)
            except OSError:
                pass
        return out

    def outside_listing(self):
        """everything in the sandbox that is not the data folder or our own log files"""
        out = set()
        for d, dirs, names in os.walk(self.sandbox):
            if d == os.path.dirname(self.data) and "data" in dirs:
                dirs.remove("data")
            for n in dirs + names:
                p = os.path.join(d, n)
                rel = os.path.relpath(p, self.sandbox)
                if not re.match(r"(stderr|stdout|strace)-\d+\.txt$", rel):
                    out.add(rel)
        return out

    def escaped(self):
        """what is new in the sandbox outside the data folder"""
        now = self.outside_listing()
        new = sorted(now - self.before)
        self.before = now            # reported once
        return new


def stop_all():
    for s in list(live):
        s.stop(2.0)
