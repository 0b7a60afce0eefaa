"""Compares what sns-cli and tshark extract from captures; see .ci/captures.

An object that only one of both has is a failure, unless the capture is named below with the reason.
"""
import collections
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

OURS, SEEDS = sys.argv[1], sys.argv[2:]
FOLDER = pathlib.Path("testdata/pcap")

# Where tshark errs.
BEHIND_GAP = "tshark reads no further behind a gap in a connection with several requests"
TSHARK_ERRS = {
    "at-once-no-answer.pcap": BEHIND_GAP,
    "at-once-no-head.pcap": BEHIND_GAP,
    "begins-in-line.pcap": "tshark does not put the repeated beginning together, and takes single segments for objects",
    "cut-answer.pcap": "tshark takes what a cut packet holds of a body for all of it",
    "kept-no-answer.pcap": BEHIND_GAP,
    "kept-no-head.pcap": BEHIND_GAP,
    "kept-no-request.pcap": BEHIND_GAP,
    "kept-no-two.pcap": BEHIND_GAP,
    "two-lengths.pcap": "tshark believes the last length, whatever the first says",
    "begins-in-photo.pcap": "tshark takes one of the segments of a body without a head for an object",
    "framing.pcap": "tshark pairs every answer with the last of the requests that were sent without "
                    "waiting, so that the answer to HEAD has a body and swallows what follows",
    "pieces-plain.pcap": "tshark takes the checksum of each piece for a part of it, if nothing says that there is one",
    "port-reuse-no-syn.pcap": "tshark takes the second conversation on the same ports for an echo of the first",
    "snap.pcap": "tshark takes what a cut packet holds of a body for all of it",
}
# Nothing whole is in these.
NO_OBJECTS = {"cut-heads.pcap", "nano.pcap", "ends-in-photo.pcap", "encrypted.pcap",
              "unknown-link.pcap", "names-dead.pcap"}


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tshark(capture, folder):
    # It puts segments in order only if asked to.
    subprocess.run(["tshark", "-q", "-o", "tcp.reassemble_out_of_order:TRUE", "-r", capture,
                    "--export-objects", f"http,{folder}"],
                   check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return collections.Counter(sha(path) for path in folder.iterdir())


def ours(capture, folder):
    subprocess.run([OURS, "decode", "--json", "--extract", folder, capture],
                   stdout=subprocess.DEVNULL, check=False)
    whole, broken = collections.Counter(), collections.Counter()
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        path = folder / entry["name"]
        assert (path.stat().st_size, sha(path)) == (entry["length"], entry["sha256"]), entry
        # The parts of an e-mail are not objects of HTTP.
        if entry["field"] in ("body", "email"):
            (whole if entry["complete"] else broken)[entry["sha256"]] += 1
    return whole, broken


def compare(capture, name):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        theirs = tshark(capture, pathlib.Path(one))
        whole, broken = ours(capture, pathlib.Path(two))
    only_theirs, only_ours = theirs - whole - broken, whole - theirs
    note = next((text for start, text in TSHARK_ERRS.items() if name == start), "")
    good = bool(note) or not only_theirs and not only_ours
    if name in NO_OBJECTS:
        good = good and not whole
    elif not note:
        good = good and bool(whole or broken)
    print(f"{'ok  ' if good else 'FAIL'} {name}: {sum(whole.values())} objects, "
          f"{sum(broken.values())} broken; only tshark: {sum(only_theirs.values())}, "
          f"only we: {sum(only_ours.values())} {note}")
    return good


captures = sorted(path for path in FOLDER.iterdir() if ".pcap" in path.name and not path.name.endswith(".json"))
assert len(captures) > 30, "captures are missing"
results = [compare(path, path.name) for path in captures]
with tempfile.TemporaryDirectory() as folder:
    for seed in SEEDS:
        for source in ("social", "email", "wrong"):
            path = pathlib.Path(folder) / f"{source}-{seed}.pcap"
            subprocess.run([sys.executable, FOLDER / "rewrite.py", "--random", seed, FOLDER / f"{source}.pcap", path], check=True)
            results.append(compare(path, path.name))
sys.exit(not all(results))
