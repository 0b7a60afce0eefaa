#!/usr/bin/env bash
# Makes the captures of this folder: real traffic in a network namespace of its own, recorded by
# tcpdump, then rewritten by rewrite.py. Needs root, tcpdump, curl and python3; run it from anywhere
# as `unshare -n testdata/pcap/make.sh`, after `cargo build -p sns-server -p sns-cli`.
#
# Times, ports and session keys differ with each run: the goldens must be made anew with it
# (UPDATE_GOLDENS=1 cargo test -p sns-cli --test capture).
set -euo pipefail
cd "$(dirname "$0")"
bin=${CARGO_TARGET_DIR:-../../target}/debug
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

ip link set lo up mtu 1500
ip link set lo gso_max_segs 1
for address in 10.42.0.1/24 10.42.0.7/24 192.168.7.1/24; do ip addr add "$address" dev lo; done

"$bin/sns-server" --listen 10.42.0.1:80 --listen '[::1]:80' --data-dir "$work/data" 2>"$work/server.log" &
server=$!
for _ in $(seq 100); do [ "$(grep -c 'listens on' "$work/server.log")" -ge 1 ] && break; sleep 0.1; done

# record FILE OPTION… -- COMMAND…
record() {
    local file=$1 options=() dump
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    : >"$work/dump.log"
    tcpdump -U -B 8192 -Z root "${options[@]}" -w "$file" tcp 2>"$work/dump.log" &
    dump=$!
    for _ in $(seq 100); do grep -q 'listening on' "$work/dump.log" && break; sleep 0.1; done
    "$@" || true
    sleep 1.3 # until the kernel hands over what it holds
    kill -INT $dump
    wait $dump || true
}
camera() { "$bin/sns-cli" simulate --server "$1" --user anna@example.com --password secret5 "${@:2}"; }
check() { curl -sS -o /dev/null --interface 10.42.0.7 -A '' -H 'Accept:' -H "Host: $1" -H 'Connection: close' http://10.42.0.1/; }
checks() { for host in gld.samsungosp.com www.yahoo.co.kr www.yahoo.co.kr www.msn.com; do check "$host"; done; }
dead() {
    curl -sS http://10.42.0.7/ || true
    curl -sSk https://10.42.0.1:80/ || true
}

record social.pcap -i lo -- camera http://10.42.0.1:80 --text 'Sea~waves' ../photo.jpg
record email.pcap -i lo -- camera http://10.42.0.1:80 --email granny@example.net ../photo.jpg
record ipv6.pcap -i lo -- camera 'http://[::1]:80' ../photo.jpg
record sll.pcap -i any -y LINUX_SLL -- camera http://10.42.0.1:80 --email granny@example.net ../photo.jpg
record sll2.pcap -i any -y LINUX_SLL2 -- camera http://10.42.0.1:80 --email granny@example.net ../photo.jpg
record hotspot.pcap -i lo -- checks
record dead.pcap -i lo -- dead
record snap.pcap -i lo -s 400 -- camera http://10.42.0.1:80 ../photo.jpg
record nano.pcap -i lo --time-stamp-precision=nano -- check gld.samsungosp.com
record wrong.pcap -i lo -- python3 wrong.py wrong 192.168.7.1 ../photo.jpg
record framing.pcap -i lo -- python3 wrong.py framing 10.42.0.7 ../photo.jpg
python3 rewrite.py .
ls -l
