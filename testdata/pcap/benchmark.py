#!/usr/bin/env python3
"""Makes a large capture: photos, uploaded one after the other.

usage: benchmark.py MEGABYTES FILE
"""
import random
import struct
import sys

PHOTO, SEGMENT = 4_000_000, 1460
megabytes, path = int(sys.argv[1]), sys.argv[2]
rng = random.Random(1)
photo = b"\xff\xd8\xff\xe0" + rng.randbytes(PHOTO - 4)
camera, server = bytes([10, 42, 0, 7]), bytes([10, 42, 0, 1])
clock, packets, written = 1_700_000_000_000_000, 0, 24


def packet(out, source, sport, target, dport, seq, ack, flags, payload=b""):
    global clock, packets, written
    clock += 50
    packets += 1
    length = 54 + len(payload)
    written += 16 + length
    out.write(struct.pack("<IIII", clock // 10**6, clock % 10**6, length, length)
              + b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
              + struct.pack(">BBHHHBBH", 0x45, 0, length - 14, packets & 0xFFFF, 0x4000, 64, 6, 0) + source + target
              + struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0) + payload)


with open(path, "wb", 1 << 20) as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    number = 0
    while written < megabytes * 1_000_000:
        number += 1
        port, one, two = 20_000 + number % 40_000, rng.getrandbits(32), rng.getrandbits(32)
        request = (b"PUT http://snsgw.samsungmobile.com/upload/0123456789abcdef0123456789abcdef/SAM_%04d.JPG HTTP/1.1\r\n"
                   b"Host: snsgw.samsungmobile.com\r\nUser-Agent: sdeClient\r\nContent-Type: image/jpeg\r\n"
                   b"Content-Length: %d\r\n\r\n" % (number, PHOTO)) + struct.pack("<I", number) + photo[4:]
        request = request[:-PHOTO] + photo[:4] + struct.pack("<I", number) + photo[8:]
        answer = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 26\r\n"
                  b"Connection: close\r\n\r\n<Response Status=\"succ\" />")
        packet(out, camera, port, server, 80, one, 0, 2)
        packet(out, server, 80, camera, port, two, one + 1, 18)
        packet(out, camera, port, server, 80, one + 1, two + 1, 16)
        for at in range(0, len(request), SEGMENT):
            part = request[at:at + SEGMENT]
            packet(out, camera, port, server, 80, one + 1 + at, two + 1, 24, part)
            if at // SEGMENT % 2:
                packet(out, server, 80, camera, port, two + 1, one + 1 + at + len(part), 16)
        end = one + 1 + len(request)
        packet(out, server, 80, camera, port, two + 1, end, 24, answer)
        packet(out, server, 80, camera, port, two + 1 + len(answer), end, 17)
        packet(out, camera, port, server, 80, end, two + 2 + len(answer), 17)
        packet(out, server, 80, camera, port, two + 2 + len(answer), end + 1, 16)
with open(path + ".packets", "w") as note:
    note.write(f"{packets:,}")
