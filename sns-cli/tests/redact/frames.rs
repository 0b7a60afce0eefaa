//! Conversations become captures.
//!
//! Law: as little as a reader of captures needs: connections that open, speak in order, and close.

use std::net::IpAddr;

/// A capture of Ethernet frames: each pair is a connection of its own, from `client` to `server`.
pub(crate) fn capture(
    pairs: &[(Vec<u8>, Vec<u8>)],
    client: IpAddr,
    server: IpAddr,
    macs: [[u8; 6]; 2],
) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(262_144_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    let mut time = 0_u32;
    for (number, (request, answer)) in pairs.iter().enumerate() {
        let port = 40_000 + number as u16;
        let mut numbers = [1000_u32, 5000];
        let mut send = |from: usize, flags: u8, data: &[u8]| {
            let frame = frame([client, server], macs, port, from, numbers, flags, data);
            time += 1;
            file.extend((1_700_000_000 + time / 1000).to_le_bytes());
            file.extend((time % 1000 * 1000).to_le_bytes());
            file.extend((frame.len() as u32).to_le_bytes());
            file.extend((frame.len() as u32).to_le_bytes());
            file.extend(&frame);
            let counts = u32::from(flags & 0b11 != 0);
            numbers[from] = numbers[from].wrapping_add(data.len() as u32 + counts);
        };
        const FIN: u8 = 1;
        const SYN: u8 = 2;
        const ACK: u8 = 16;
        send(0, SYN, b"");
        send(1, SYN | ACK, b"");
        send(0, ACK, b"");
        for (from, message) in [(0, request), (1, answer)] {
            for piece in message.chunks(1300) {
                send(from, ACK, piece);
            }
            send(1 - from, ACK, b"");
        }
        send(1, FIN | ACK, b"");
        send(0, FIN | ACK, b"");
    }
    file
}

fn frame(
    addresses: [IpAddr; 2],
    macs: [[u8; 6]; 2],
    port: u16,
    from: usize,
    numbers: [u32; 2],
    flags: u8,
    data: &[u8],
) -> Vec<u8> {
    let mut ports = [port, 80];
    let (mut numbers, mut macs, mut addresses) = (numbers, macs, addresses);
    if from == 1 {
        ports.reverse();
        numbers.reverse();
        macs.reverse();
        addresses.reverse();
    }
    let mut tcp = Vec::new();
    tcp.extend(ports.map(u16::to_be_bytes).concat());
    tcp.extend(numbers.map(u32::to_be_bytes).concat());
    tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    tcp.extend(data);
    let length = tcp.len() as u16;
    let (kind, head) = match addresses {
        [IpAddr::V4(source), IpAddr::V4(target)] => {
            let mut head = vec![0x45, 0];
            head.extend((length + 20).to_be_bytes());
            head.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
            head.extend(source.octets());
            head.extend(target.octets());
            ([8, 0], head)
        }
        [source, target] => {
            let octets = |address: IpAddr| match address {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            let mut head = vec![0x60, 0, 0, 0];
            head.extend(length.to_be_bytes());
            head.extend([6, 64]);
            head.extend(octets(source));
            head.extend(octets(target));
            ([0x86, 0xdd], head)
        }
    };
    [&macs[1][..], &macs[0], &kind, &head, &tcp].concat()
}
