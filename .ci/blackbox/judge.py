#!/usr/bin/env python3
"""Black-box judge of an sns-server: raw sockets, system calls, the disk. See README.md beside this file.

    python3 judge.py --server-bin /path/to/sns-server [--only NAME]... [--skip NAME]... [--list] [--keep] [-v]
"""
import argparse
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import camera
import server
import runner
import checks_login
import checks_upload
import checks_hotspot
import checks_head
import checks_email
import checks_answers
import checks_config
import checks_strace
import checks_memory
import wire
from runner import check


@check("answers.everywhere", server=None)
def _(t):
    """every answer any check has read to a request whose form the documents fix: head, length, size, end"""
    n, groups = 0, {}
    for name, a in t.judge.all_answers:
        if not getattr(a, "strict", False) or not a.raw:
            continue
        n += 1
        loose = "st1000" in name or "allshare" in name or b"currentServerTime" in a.raw
        for p in wire.head_problems(a, content_type=not loose):
            groups.setdefault(p[:60], []).append((name, a.status))
        if a.reset and a.sent_all:
            groups.setdefault("closed by reset", []).append((name, a.status))
    for p, where in sorted(groups.items(), key=lambda g: -len(g[1]))[:6]:
        t.bad("%s: %d times, e.g. in %s (%d)" % (p, len(where), *where[0]))
    t.note("%d answers" % n)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--server-bin")
    ap.add_argument("--only", action="append", default=[], metavar="NAME", help="a check, a group (`email`), or a pattern (`*.lookalike.*`); may be repeated")
    ap.add_argument("--skip", action="append", default=[], metavar="NAME")
    ap.add_argument("--list", action="store_true")
    ap.add_argument("--keep", action="store_true", help="keep the temporary folder")
    ap.add_argument("--max-seconds", type=int, default=1500, help="no check is begun after this")
    ap.add_argument("-v", "--verbose", action="store_true")
    args = ap.parse_args()
    camera.selftest_aes()
    names = [c[0] for c in runner.CHECKS]
    assert len(names) == len(set(names)), "two checks of one name"
    if args.list:
        j = runner.Judge("x", args.only, args.skip)
        for n, f, opt in runner.CHECKS:
            if j.wanted(n):
                print("%-45s %s" % (n, " ".join((f.__doc__ or "").split())))
        return 0
    if not args.server_bin or not os.access(args.server_bin, os.X_OK):
        ap.error("--server-bin must be an executable file")
    root = server.make_root()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that what we started is ended with us
    j = runner.Judge(args.server_bin, args.only, args.skip, args.max_seconds, args.keep, args.verbose)
    try:
        return j.run()
    finally:
        server.stop_all()
        if args.keep:
            print("kept: %s" % root)
        else:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
