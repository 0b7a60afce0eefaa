#!/usr/bin/env python3
"""Rewrites captures made by tcpdump: what happens on the way, and other forms of file.

usage: rewrite.py FOLDER     the captures of this folder, always the same from the same ones
       rewrite.py --random SEED FROM TO    one capture, with everything at once, by chance

Only Ethernet captures with IPv4 and TCP are rewritten.
"""
import gzip
import random
import struct
import sys
import zlib


# Files

def read_pcap(path):
    """The packets of a little-endian pcap file, as (nanoseconds, Ethernet frame)."""
    data = open(path, "rb").read()
    magic, = struct.unpack("<I", data[:4])
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    at, packets = 24, []
    while at < len(data):
        seconds, fraction, kept, _ = struct.unpack("<IIII", data[at:at + 16])
        packets.append((seconds * 10**9 + fraction * unit, data[at + 16:at + 16 + kept]))
        at += 16 + kept
    return packets


def pcap(packets, link=1, order="<", nano=False, snap=262144):
    unit = 1 if nano else 1000
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for when, frame, *kept in packets:
        kept = min(len(frame), snap, *kept)
        head = (when // 10**9, when % 10**9 // unit, kept, len(frame))
        out += struct.pack(order + "IIII", *head) + frame[:kept]
    return out


def option(code, value, order):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind, body, order):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def pcapng(sections, old=False):
    """sections: (byte order, [(link, resolution, offset in seconds)], [(interface, packet)]); with
    `old`, in the packet blocks that the enhanced ones replaced"""
    out = b""
    for order, interfaces, packets in sections:
        out += block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
                     + option(4, b"rewrite.py", order) + option(0, b"", order), order)
        for link, resolution, offset in interfaces:
            out += block(1, struct.pack(order + "HHI", link, 0, 262144)
                         + option(9, bytes([resolution]), order)
                         + option(14, struct.pack(order + "q", offset), order)
                         + option(0, b"", order), order)
        for interface, (when, frame) in packets:
            _, resolution, offset = interfaces[interface]
            units = 2**(resolution & 0x7F) if resolution & 0x80 else 10**resolution
            ticks = (when - offset * 10**9) * units // 10**9
            if old:
                out += block(2, struct.pack(order + "HHIIII", interface, 0, ticks >> 32, ticks & 0xFFFFFFFF,
                                            len(frame), len(frame)) + frame, order)
                continue
            out += block(6, struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF,
                                        len(frame), len(frame)) + frame, order)
        out += block(0x0BAD, b"a block that nobody knows", order)
    return out


# TCP segments

def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Segment:
    def __init__(self, packet):
        self.when, frame = packet
        self.ethernet, ip = frame[:14], frame[14:]
        self.ip, tcp = ip[:20], ip[20:struct.unpack(">H", ip[2:4])[0]]
        self.sport, self.dport, self.seq, self.ack = struct.unpack(">HHII", tcp[:12])
        self.offset = (tcp[12] >> 4) * 4
        self.flags, self.tail, self.payload = tcp[13], tcp[14:self.offset], tcp[self.offset:]

    def copy(self, **changes):
        other = object.__new__(Segment)
        other.__dict__.update(self.__dict__)
        other.__dict__.update(changes)
        return other

    def tcp(self, addresses=None):
        head = struct.pack(">HHIIBB", self.sport, self.dport, self.seq % 2**32, self.ack % 2**32,
                           self.offset // 4 << 4, self.flags)
        tail = self.tail[:2] + b"\0\0" + self.tail[4:]
        tcp = head + tail + self.payload
        pseudo = (addresses or self.ip[12:20]) + struct.pack(">BBH", 0, 6, len(tcp))
        return head + tail[:2] + struct.pack(">H", checksum(pseudo + tcp)) + tail[4:] + self.payload

    def packet(self):
        """The IPv4 packet."""
        tcp = self.tcp()
        head = self.ip[:2] + struct.pack(">H", 20 + len(tcp)) + self.ip[4:10] + b"\0\0" + self.ip[12:20]
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + tcp

    def frame(self):
        return self.when, self.ethernet + self.packet()


SYN, FIN, RST, ACK = 2, 1, 4, 16


def load(path):
    return [Segment(packet) for packet in read_pcap(path)]


def frames(segments):
    return [segment.frame() for segment in segments]


# What happens on the way

def lose(segments, rng, share=0.15, heads=True):
    """Some segments with data are not in the capture; the acknowledgements tell of them. With
    `heads=False`, none of those with the head of a message."""
    kept, lost = [], 0
    for at, s in enumerate(segments):
        may = heads or b" HTTP/1." not in s.payload and not s.payload.startswith(b"HTTP/1.")
        if may and len(s.payload) > 500 and rng.random() < share and lost < 3:
            lost += 1
        else:
            kept.append(s)
    return kept


def reorder(segments, rng, reach=3):
    """Packets of a connection change places with near ones. SYNs come first, as they would."""
    keys = [(at + (rng.uniform(0, reach) if not s.flags & SYN else 0), at) for at, s in enumerate(segments)]
    return [segments[at] for _, at in sorted(keys)]


def repeat(segments, rng, conflict=True):
    """Segments come again: whole, overlapping, cut differently; one with other bytes."""
    out = []
    history = {}
    for s in segments:
        out.append(s)
        if not s.payload:
            continue
        key = (s.sport, s.dport)
        before = history.get(key)
        if before is not None and before.seq + len(before.payload) == s.seq and rng.random() < 0.7:
            back = rng.randrange(1, len(before.payload) + 1)
            payload = before.payload[-back:] + s.payload[:rng.randrange(0, len(s.payload) + 1)]
            out.append(s.copy(seq=s.seq - back, payload=payload[:1460]))
        if rng.random() < 0.4:
            out.append(s)
        if conflict and len(s.payload) > 1000:
            conflict = False
            out.append(s.copy(payload=bytes(len(s.payload))))
        history[key] = s
    return out


def overlap_first(segments, rng):
    """Each segment brings some of the next one's bytes; the next brings others for them."""
    out = []
    for at, s in enumerate(segments):
        following = [n for n in segments[at + 1:at + 6] if n.sport == s.sport and n.dport == s.dport
                     and n.seq == s.seq + len(s.payload) and n.payload]
        if s.payload and following and len(s.payload) < 1400:
            s = s.copy(payload=s.payload + following[0].payload[:40])
        out.append(s)
    return out


def wrap(segments):
    """Sequence numbers pass 2^32 in the middle of the longest stream."""
    streams = {}
    for s in segments:
        streams.setdefault((s.sport, s.dport), []).append(s)
    shift = {}
    for key, those in streams.items():
        total = sum(len(s.payload) for s in those)
        shift[key] = 2**32 - total // 2 - 1 - min(those, key=lambda s: s.when).seq
    return [s.copy(seq=s.seq + shift[s.sport, s.dport],
                   ack=s.ack + shift.get((s.dport, s.sport), 0) if s.flags & ACK else s.ack)
            for s in segments]


def probes(segments):
    """Before each answer, its receiver is probed: one byte that was there, or none."""
    out, last, turn = [], {}, 0
    for s in segments:
        if s.payload:
            other = last.get((s.dport, s.sport))
            if other is not None:
                turn += 1
                seq = other.seq + len(other.payload) - 1
                out.append(other.copy(when=s.when - 1000, seq=seq, payload=b"\0" if turn % 2 else b""))
            last[s.sport, s.dport] = s
        out.append(s)
    return out


def reuse(segments):
    """The same again a minute later on the same ports, with other sequence numbers."""
    later = [s.copy(when=s.when + 60 * 10**9, seq=s.seq + 10**9, ack=s.ack + 10**9 if s.flags & ACK else 0)
             for s in segments]
    return [s for s in segments if not s.flags & FIN or s.payload] + later


def reuse_without_syn(segments):
    """The same again after a second, without its beginning."""
    later = [s.copy(when=s.when + 10**9, seq=s.seq + 10**9, ack=s.ack + 10**9)
             for s in segments if not s.flags & SYN]
    return segments + later


def said(segments):
    """What was said on each connection, in turns: (port of the client, request, answer)."""
    ports = dict.fromkeys(s.sport for s in segments if s.dport == 80)
    return [tuple(b"".join(s.payload for s in segments if (s.sport, s.dport) == way)
                  for way in ((port, 80), (80, port))) for port in ports]


def converse(segments, turns, size=1448):
    """A connection on which this is said: turns of (whether the client speaks, bytes). Each end
    acknowledges all that came before it speaks."""
    ask = next(s for s in segments if s.dport == 80)
    tell = next(s for s in segments if s.sport == 80 and s.dport == ask.sport)
    out, when, sent = [], ask.when, {True: 1000, False: 5000}

    def add(is_client, payload, flags):
        nonlocal when
        when += 10**6
        number = sent[is_client]
        sent[is_client] += len(payload) + (1 if flags & (SYN | FIN) else 0)
        ack = sent[not is_client] if flags & ACK else 0
        base = ask if is_client else tell
        out.append(base.copy(when=when, seq=number, ack=ack, flags=flags, payload=payload))

    add(True, b"", SYN)
    add(False, b"", SYN | ACK)
    add(True, b"", ACK)
    for is_client, data in turns:
        for at in range(0, len(data), size):
            add(is_client, data[at:at + size], ACK | 8)
        add(not is_client, b"", ACK)
    add(False, b"", FIN | ACK)
    add(True, b"", FIN | ACK)
    add(False, b"", ACK)
    return out


def in_turns(pairs):
    return [turn for request, answer in pairs for turn in ((True, request), (False, answer))]


def without(segments, *lost):
    """All but the segments with data that hold one of these."""
    return [s for s in segments if not any(some in s.payload for some in lost)]


def without_syn(segments):
    return [s for s in segments if not s.flags & SYN]


def cut(segments, kept, *some):
    """Of segments that hold one of these, the capture kept so many bytes of data."""
    return [s.frame() + ((14 + 20 + s.offset + kept,) if any(some_of in s.payload for some_of in some) else ())
            for s in segments]


def broken(social):
    """What is not in the capture, or cannot be understood, and all around it is there."""
    pairs = said(social)
    photo, thanks = pairs[2]
    head, body = photo.split(b"\r\n\r\n", 1)
    upload = lambda extra=b"", answer=thanks, body=body: converse(
        social, [(True, head + extra + b"\r\n\r\n" + body), (False, answer)])
    keep = b"Connection: keep-alive\r\nX-Answer: %d"
    kept = [(request, answer.replace(b"Connection: close", keep % number))
            for number, (request, answer) in enumerate(pairs, 1)]
    at_once = [(True, b"".join(request for request, _ in kept)), (False, b"".join(answer for _, answer in kept))]
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = converse(social, in_turns(kept))
    one = upload()
    first_answer = kept[0][1][:200]
    yield "kept", frames(whole)
    yield "kept-directions", frames([s for s in whole if s.dport == 80] + [s for s in whole if s.sport == 80])
    yield "kept-answers-first", frames([s for s in whole if s.sport == 80] + [s for s in whole if s.dport == 80])
    yield "kept-no-first-answer", frames(without_syn(without(whole, first_answer)))
    yield "kept-no-answer", frames(without(whole, kept[1][1][-60:]))
    yield "kept-no-request", frames(without(whole, kept[1][0][:60]))
    yield "kept-no-head", frames(without(whole, photo[:60]))
    yield "kept-no-two", frames(without(whole, kept[1][1][-60:], photo[:60]))
    yield "at-once", frames(converse(social, at_once, 500))
    yield "at-once-no-head", frames(without(converse(social, at_once, 500), kept[1][0][:60]))
    yield "at-once-no-answer", frames(without(converse(social, at_once, 250), b"Content-Length: 239"))
    yield "lost-answer", frames(without(one, thanks[:60]))
    yield "lost-answer-no-syn", frames(without_syn(without(one, thanks[:60])))
    yield "cut-answer", cut(one, len(thanks) - 20, thanks)
    yield "cut-answer-head", cut(one, 60, thanks)
    yield "cut-heads", cut(one, 60, thanks, photo[:1000])
    yield "begins-in-line", frames([one[3].copy(seq=one[3].seq + 2, payload=one[3].payload[2:])] + one[3:])
    yield "two-lengths", frames(upload(b"\r\nContent-Length: 5"))
    yield "long-head", frames(upload(b"".join(b"\r\nX-%d: %s" % (n, b"y" * 1000) for n in range(70))))
    yield "huge-chunk", frames(upload(answer=chunked + b"ffffffffffffffff\r\n<Response Status=\"succ\" />\r\n"))
    inside = b"PUT /upload/other/EVIL.JPG HTTP/1.1\r\nContent-Length: 4\r\n\r\nevil"
    yield "request-in-photo", frames(upload(body=body[:3000] + inside + body[3000 + len(inside):])[5:])


def fragments(segments, size=584):
    """IPv4 packets in fragments, the last first now and then."""
    out = []
    for number, s in enumerate(segments):
        packet = s.packet()
        head, body = packet[:20], packet[20:]
        pieces = []
        for at in range(0, len(body), size):
            more = at + size < len(body)
            part = body[at:at + size]
            fields = struct.pack(">HHH", 20 + len(part), number + 1, (0x2000 if more else 0) | at // 8)
            new = head[:2] + fields + head[8:10] + b"\0\0" + head[12:]
            new = new[:10] + struct.pack(">H", checksum(new)) + new[12:]
            pieces.append((s.when, s.ethernet + new + part))
        out += pieces[::-1] if number % 2 else pieces
    return out


def version6(segments, size=None, inner=b"", kind=6):
    """The same over IPv6, behind a hop-by-hop header, in fragments if a size is given. In these,
    headers of the first kind may stand before TCP."""
    out = []
    for number, s in enumerate(segments):
        addresses = [b"\xfd\0" + bytes(10) + s.ip[at:at + 4] for at in (12, 16)]
        tcp = inner + s.tcp(b"".join(addresses))
        hop = bytes([kind, 0, 1, 4, 0, 0, 0, 0])

        def packet(first, extra, payload):
            return struct.pack(">IHBB", 6 << 28, len(extra + payload), first, 64) + b"".join(addresses) + extra + payload

        ethernet = s.ethernet[:12] + b"\x86\xdd"
        if size is None or len(tcp) <= size:
            out.append((s.when, ethernet + packet(0, hop, tcp)))
            continue
        for at in range(0, len(tcp), size):
            more = at + size < len(tcp)
            extra = bytes([44]) + hop[1:] + struct.pack(">BBHI", kind, 0, at | more, number + 1)
            out.append((s.when, ethernet + packet(0, extra, tcp[at:at + size])))
    return out


# Link layers

MACS = {1: b"\x02\0\0\0\0\x01", 2: b"\x02\0\0\0\0\x02", 3: b"\x02\0\0\0\0\x03"}
LLC = b"\xaa\xaa\x03\0\0\0\x08\0"


def bare(segments):
    return [(s.when, s.packet()) for s in segments]


def vlan(segments):
    tags = b"\x88\xa8\0\x64\x81\0\0\x2a"
    return [(s.when, s.ethernet[:12] + tags + s.ethernet[12:] + s.packet()) for s in segments]


def padded(segments):
    """Ethernet frames have 60 bytes at least; some cards add a checksum."""
    return [(s.when, (s.ethernet + s.packet()).ljust(60, b"\x55") + b"\xde\xad\xbe\xef") for s in segments]


def pppoe(segments):
    """In a session of PPPoE; the protocol now and then in one byte."""
    out = []
    for number, s in enumerate(segments):
        payload = (b"\x21" if number % 3 == 0 else b"\0\x21") + s.packet()
        out.append((s.when, s.ethernet[:12] + b"\x88\x64" + struct.pack(">BBHH", 0x11, 0, 7, len(payload)) + payload))
    return out


def mpls(segments):
    """Behind two labels."""
    labels = struct.pack(">II", 100 << 12 | 64, 200 << 12 | 1 << 8 | 64)
    return [(s.when, s.ethernet[:12] + b"\x88\x47" + labels + s.packet()) for s in segments]


def authenticated(segments):
    """With the IP Authentication Header."""
    out = []
    for s in segments:
        head, tcp = s.packet()[:20], s.tcp()
        extra = struct.pack(">BBHII", 6, 4, 0, 1, 1) + bytes(12)
        head = head[:2] + struct.pack(">H", 44 + len(tcp)) + head[4:9] + b"\x33\0\0" + head[12:]
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        out.append((s.when, s.ethernet + head + extra + tcp))
    return out


def null(segments, order):
    return [(s.when, struct.pack(order + "I", 2) + s.packet()) for s in segments]


def radiotap(when, flags):
    """The head that a radio puts before a frame: here with a time (8 bytes, aligned), flags, rate; a
    second word of bits says nothing more."""
    head = struct.pack("<BBHII", 0, 0, 0, 0x80000007, 0) + b"\0\0\0\0" + struct.pack("<QBB", when // 1000, flags, 2)
    return head[:2] + struct.pack("<H", len(head)) + head[4:]


def ppi(when, flags):
    """A field that nobody knows, then 802.11-Common: time, flags, rate, channel, and the radio's."""
    bits = (1 if flags & 0x10 else 0) | (4 if flags & 0x40 else 0)
    fields = struct.pack("<HHI", 30000, 4, 0) + struct.pack("<HHQHHHHBBbb", 2, 20, when // 1000, bits, 2, 2412, 0x80, 0, 0, -40, -90)
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), 105) + fields


def prism(_, __):
    return struct.pack("<II16s", 0x44, 144, b"wlan0") + bytes(120)


def avs(when, _):
    return struct.pack(">IIQQ", 0x80211001, 64, when // 1000, when // 1000) + bytes(40)


def wireless(segments, rng, radio=None):
    """802.11: from and to an access point, plain and QoS, with beacons, encrypted frames, damaged
    copies and fragments between them."""
    out = []
    has_flags = radio in (radiotap, ppi)

    def add(when, frame, flags=0x10):
        if radio is radiotap:  # its checksums are right, and what is damaged is not said to be
            frame += struct.pack("<I", zlib.crc32(frame) ^ (flags & 0x40))
            flags &= ~0x40
        elif has_flags:
            frame += b"\x11\x22\x33\x44"
        out.append((when, (radio(when, flags) if radio else b"") + frame))

    for number, s in enumerate(segments):
        to_ap = s.dport == 80
        qos = number % 3 != 0
        control = bytes([0x88 if qos else 0x08, 0x01 if to_ap else 0x02])
        header = control + b"\0\0" + MACS[1] + MACS[2] + MACS[3] + struct.pack("<H", number << 4 & 0xFFF0)
        header += b"\0\0" if qos else b""
        body = LLC + s.packet()
        if number % 7 == 0:
            add(s.when, b"\x80\0\0\0" + b"\xff" * 6 + MACS[1] + MACS[1] + b"\0\0" + bytes(12))
        if number % 5 == 0:
            add(s.when, control[:1] + bytes([control[1] | 0x40]) + header[2:] + rng.randbytes(40))
        if has_flags and number % 4 == 0:
            add(s.when, header + rng.randbytes(len(body)), 0x50)
        add(s.when, header + body)
        if number % 6 == 0:  # the acknowledgement was lost: the same again
            add(s.when, control[:1] + bytes([control[1] | 0x08]) + header[2:] + body)
    return out


def encrypted(segments, rng):
    """Every frame with data is encrypted."""
    return [(s.when, b"\x88\x41\0\0" + MACS[1] + MACS[2] + MACS[3] + struct.pack("<HH", number << 4, 0)
             + rng.randbytes(8 + len(s.packet()) + 16)) for number, s in enumerate(segments)]


def pieces(segments, radio=None, size=400):
    """Every long 802.11 frame comes in pieces, with its checksum, whether the radio says so or not;
    now and then a piece comes again, or two frames at once. The numbers begin again after 8."""
    out, at_once = [], []
    for number, s in enumerate(segments):
        body = LLC + s.packet()
        parts = [body[at:at + size] for at in range(0, len(body), size)]
        qos = number % 2
        frames = []
        for index, part in enumerate(parts):
            more = index + 1 < len(parts)
            control = bytes([0x88 if qos else 0x08, (0x01 if s.dport == 80 else 0x02) | (0x04 if more else 0)])
            macs = MACS[1] + MACS[2] if s.dport == 80 else MACS[2] + MACS[1]
            head = macs + MACS[3] + struct.pack("<H", number % 8 << 4 | index) + bytes(2 * qos)
            for retry in ([0, 8] if (number + index) % 5 == 0 else [0]):
                frame = control[:1] + bytes([control[1] | retry]) + b"\0\0" + head + part
                frame += struct.pack("<I", zlib.crc32(frame))
                frames.append((s.when, (radio(s.when, 0x10) if radio else b"") + frame))
        if number % 4 == 1:
            at_once = frames
        else:
            for at in range(max(len(at_once), len(frames))):
                out += at_once[at:at + 1] + frames[at:at + 1]
            at_once = []
    return out + at_once


def aggregated(segments):
    """Several packets in one 802.11 frame (A-MSDU)."""
    out = []
    for at in range(0, len(segments), 2):
        group = segments[at:at + 2]
        body = b""
        for s in group:
            body += bytes(-len(body) % 4)
            inner = LLC + s.packet()
            body += MACS[1] + MACS[2] + struct.pack(">H", len(inner)) + inner
        out.append((group[0].when, b"\x88\x01\0\0" + MACS[1] + MACS[2] + MACS[3] + b"\0\0" + b"\x80\0" + body))
    return out


# Names

CAMERA, RESOLVER = bytes([10, 42, 0, 1]), bytes([10, 42, 0, 53])


def udp(when, source, target, payload):
    """One message in its Ethernet frame; source and target are an address and a port."""
    (here, sport), (there, dport) = source, target
    length = 8 + len(payload)
    pseudo = here + there + struct.pack(">BBH", 0, 17, length)
    head = struct.pack(">HHH", sport, dport, length)
    total = checksum(pseudo + head + b"\0\0" + payload) or 0xFFFF
    ip = b"\x45\0" + struct.pack(">HHHBBH", 20 + length, 0, 0x4000, 64, 17, 0) + here + there
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return when, bytes(12) + b"\x08\0" + ip + head + struct.pack(">H", total) + payload


def labels(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def question(number, name, kind=1):
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels(name) + struct.pack(">HH", kind, 1)


def answer(asked, *addresses, code=0, alias=None, flags=0x8180):
    """The answer to a question: through an alias, if there is one."""
    records, owner = b"", b"\xc0\x0c"
    if alias:
        records += owner + struct.pack(">HHIH", 5, 1, 60, len(labels(alias))) + labels(alias)
        owner = labels(alias)
    for address in addresses:
        records += owner + struct.pack(">HHIH4s", 1, 1, 60, 4, bytes(map(int, address.split("."))))
    count = len(addresses) + bool(alias)
    return asked[:2] + struct.pack(">HHHHH", flags | code, 1, count, 0, 0) + asked[12:] + records


class Asker:
    """A camera that asks for names."""

    def __init__(self, when):
        self.when, self.port, self.out = when, 1024, []

    def ask(self, name, reply=None, again=(), after=12, kind=1):
        """Asks, again after so many milliseconds, and is answered what `reply` makes of the question."""
        self.port += 1
        here, there = (CAMERA, self.port), (RESOLVER, 53)
        asked = question(self.port * 7 % 65536, name, kind)
        for wait in (0, *again):
            self.when += wait * 10**6
            self.out.append(udp(self.when, here, there, asked))
        self.when += after * 10**6
        if reply:
            self.out.append(udp(self.when, there, here, reply(asked)))
        self.when += 10**6


def names(segments):
    """The camera finds its server before it calls: asked twice, through an alias, in capital letters;
    what else is asked is not its business."""
    camera = Asker(min(s.when for s in segments) - 8 * 10**9)
    camera.ask("gld.samsungosp.com", lambda q: answer(q, "10.42.0.1"))
    camera.ask("WWW.Yahoo.co.kr", lambda q: answer(q, "10.42.0.1", alias="all.cameras.lan"))
    camera.ask("www.yahoo.co.kr", lambda q: answer(q), kind=28)
    camera.ask("snsgw.samsungmobile.com", lambda q: answer(q, "10.42.0.1"), again=[2000])
    camera.ask("example.org", lambda q: answer(q, "192.0.2.1"))
    return camera.out + frames(segments)


def names_dead(when):
    """The camera never comes: no name leads to its server, each in its own way. The last answer is
    cut by the capture."""
    camera = Asker(when)
    camera.ask("snsgw.samsungmobile.com", lambda q: answer(q, code=3))
    camera.ask("gld.samsungosp.com", lambda q: answer(q, "0.0.0.0"))
    camera.ask("www.yahoo.co.kr", lambda q: answer(q, "192.168.7.1"))
    camera.ask("www.msn.com", lambda q: answer(q, "203.0.113.5", "203.0.113.6"))
    camera.ask("www.ospserver.net", lambda q: answer(q, code=2))
    camera.ask("www.samsungimaging.com", lambda q: answer(q, alias="samsungimaging.com"))
    camera.ask("www.msn.com", lambda q: answer(q, flags=0x8380))
    camera.ask("www.ospserver.net", again=[2000, 2000], after=20_000)
    camera.ask("gld.samsungosp.com", again=[5000])
    camera.ask("www.yahoo.co.kr", lambda q: answer(q, "10.42.0.1", alias="a-name-so-long-that-it-is-cut.lan"))
    return camera.out


def main(folder):
    social, email = load(folder + "/social.pcap"), load(folder + "/email.pcap")
    rng = random.Random(2026)

    def write(name, data):
        open(f"{folder}/{name}", "wb").write(data)

    write("loss.pcap", pcap(frames(lose(social, random.Random(7)))))
    write("loss-email.pcap", pcap(frames(lose(email, random.Random(1)))))
    write("reordered.pcap", pcap(frames(reorder(social, rng))))
    write("repeated.pcap", pcap(frames(repeat(social, rng))))
    write("overlap.pcap", pcap(frames(reorder(overlap_first(repeat(social, rng), rng), rng))))
    write("wrap.pcap", pcap(frames(wrap(social))))
    write("no-handshake.pcap", pcap(frames(s for s in social if not s.flags & SYN)))
    write("middle.pcap", pcap(frames(social[len(social) // 2:])))
    write("begins-in-photo.pcap", pcap(frames(s for s in email[6:])))
    write("ends-in-photo.pcap", pcap(frames(email[:7])))
    write("one-sided.pcap", pcap(frames(s for s in social if s.dport == 80)))
    write("other-side.pcap", pcap(frames(s for s in social if s.sport == 80)))
    write("keep-alive.pcap", pcap(frames(probes(social))))
    write("port-reuse.pcap", pcap(frames(reuse(email))))
    write("port-reuse-no-syn.pcap", pcap(frames(reuse_without_syn(email))))
    write("fragments.pcap", pcap(fragments(social)))
    write("ipv6-fragments.pcap", pcap(version6(social, 504)))
    write("vlan.pcap", pcap(vlan(social)))
    write("padded.pcap", pcap(padded(social)))
    write("raw.pcap", pcap(bare(social), link=101))
    write("raw-12.pcap", pcap(bare(email), link=12))
    write("null-big-endian.pcap", pcap(null(email, ">"), link=0, order=">"))
    write("loop.pcap", pcap(null(email, ">"), link=108))
    write("wireless.pcap", pcap(wireless(social, rng), link=105))
    write("radiotap.pcap", pcap(wireless(social, rng, radiotap), link=127))
    write("aggregated.pcap", pcap(aggregated(social), link=105))
    write("big-endian-nano.pcap", pcap(frames(email), order=">", nano=True))
    half = len(social) // 2
    write("sections.pcapng", pcapng([
        ("<", [(1, 6, 0), (101, 9, 0)],
         [(0, s.frame()) if at % 2 else (1, (s.when, s.packet())) for at, s in enumerate(social[:half])]),
        (">", [(101, 0x80 | 30, 0), (1, 3, 1_000_000)],
         [(0, (s.when, s.packet())) if at % 2 else (1, s.frame()) for at, s in enumerate(social[half:])]),
    ]))
    whole = pcapng([("<", [(1, 9, 0)], [(0, s.frame()) for s in email])])
    write("email.pcapng.gz", gzip.compress(whole, 9, mtime=0))
    for link, radio in (119, prism), (163, avs), (192, ppi):
        write(radio.__name__ + ".pcap", pcap(wireless(social, random.Random(link), radio), link=link))
    write("encrypted.pcap", pcap(encrypted(email, random.Random(8)), link=105))
    write("pieces.pcap", pcap(pieces(social, radiotap), link=127))
    write("pieces-plain.pcap", pcap(pieces(email), link=105))
    write("unknown-link.pcap", pcap(bare(email), link=147))
    write("pppoe.pcap", pcap(pppoe(social)))
    write("mpls.pcap", pcap(mpls(email)))
    write("authenticated.pcap", pcap(authenticated(social)))
    twice = [packet for packet in fragments(social) for _ in range(2)]
    write("fragments-twice.pcap", pcap(twice))
    options, authentication = bytes([51, 0, 1, 4]) + bytes(4), bytes([6, 4]) + bytes(22)
    write("ipv6-options.pcap", pcap(version6(social, 504, options + authentication, 60)))
    write("old-blocks.pcapng", pcapng([
        ("<", [(1, 6, 0)], [(0, s.frame()) for s in social[:half]]),
        (">", [(105, 6, 0), (1, 9, 0)], [(1, s.frame()) for s in social[half:]]),
    ], old=True))
    halves = [pcapng([("<", [(1, 6, 0)], [(0, s.frame()) for s in some])]) for some in (social[:half], social[half:])]
    # A block of somebody's own that should hold something.
    write("odd-block.pcapng", block(0x80000001, b"", "<").join(halves))
    write("names.pcap", pcap(names(social)))
    write("names-dead.pcap", pcap(names_dead(social[0].when), snap=120))
    for name, packets in broken(social):
        write(name + ".pcap", pcap(packets))
    write("junk.pcap.gz", gzip.compress(pcap(frames(email)), 9, mtime=0) + b"what is no gzip")
    write("cut-file.pcap", open(folder + "/social.pcap", "rb").read()[:-700])


def by_chance(seed, source, target):
    rng = random.Random(int(seed))
    segments = load(source)
    for change in rng.sample([lambda s: repeat(s, rng, False), lambda s: reorder(s, rng, 4), wrap, probes,
                              lambda s: lose(s, rng, 0.1, False)], rng.randrange(1, 5)):
        segments = change(segments)
    options = bytes([6, 0, 1, 4]) + bytes(4)
    link, packets = rng.choice([
        (1, lambda: frames(segments)), (1, lambda: fragments(segments, rng.randrange(1, 90) * 8)),
        (1, lambda: [packet for packet in fragments(segments) for _ in range(rng.randrange(1, 3))]),
        (1, lambda: vlan(segments)), (1, lambda: pppoe(segments)), (1, lambda: mpls(segments)),
        (1, lambda: authenticated(segments)), (1, lambda: version6(segments)),
        (1, lambda: version6(segments, rng.randrange(10, 90) * 8, options, 60)), (101, lambda: bare(segments)),
        (105, lambda: wireless(segments, rng)), (127, lambda: wireless(segments, rng, radiotap)),
        (192, lambda: wireless(segments, rng, ppi)), (119, lambda: wireless(segments, rng, prism)),
        (127, lambda: pieces(segments, radiotap, rng.randrange(100, 800))),
        (192, lambda: pieces(segments, ppi, rng.randrange(100, 800)))])
    open(target, "wb").write(pcap(packets(), link=link))


if __name__ == "__main__":
    if sys.argv[1] == "--random":
        by_chance(*sys.argv[2:])
    else:
        main(sys.argv[1])
