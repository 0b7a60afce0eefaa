#!/usr/bin/env bash
# Time and peak memory of sns-cli and tshark on the same large capture, in one run.
#
# usage: testdata/pcap/benchmark.sh [MEGABYTES]     1000 if not said
#
# The capture is made by benchmark.py: photos of 4 MB, uploaded over TCP in segments of 1460 bytes,
# with acknowledgements. Needs tshark, GNU time, python3, and three times its size on the disk.
set -euo pipefail
cd "$(dirname "$0")/../.."
megabytes=${1:-1000}
cargo build -q --release -p sns-cli
cli=${CARGO_TARGET_DIR:-target}/release/sns-cli
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# measure WHAT COMMAND…
measure() {
    local what=$1
    shift
    /usr/bin/time -f '%e %M' -o "$work/time" "$@" >/dev/null 2>"$work/errors" || true
    read -r seconds kilobytes <"$work/time"
    printf '%-52s %8.2f s %8d MB\n' "$what" "$seconds" $((kilobytes / 1024))
}

for size in $((megabytes / 10)) "$megabytes"; do
    python3 testdata/pcap/benchmark.py "$size" "$work/large.pcap"
    printf '\n%s MB, %s packets\n' "$size" "$(cat "$work/large.pcap.packets")"
    cat "$work/large.pcap" >/dev/null # both find it in memory
    measure 'sns-cli decode' "$cli" decode "$work/large.pcap"
    measure 'sns-cli decode --json (with checksums)' "$cli" decode --json "$work/large.pcap"
    measure 'sns-cli decode --json --extract' "$cli" decode --json --extract "$work/ours" "$work/large.pcap"
    measure 'tshark (one line a packet)' tshark -n -r "$work/large.pcap"
    mkdir "$work/theirs"
    measure 'tshark --export-objects http' tshark -n -q -r "$work/large.pcap" --export-objects "http,$work/theirs"
    printf 'files written: %s by us, %s by tshark\n' "$(ls "$work/ours" | wc -l)" "$(ls "$work/theirs" | wc -l)"
    rm -rf "$work/ours" "$work/theirs"
done
