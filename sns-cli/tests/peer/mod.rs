//! Captures made in a test: cameras and their server, packet by packet, over raw IPv4 (link layer 101).

/// A capture of these packets, a millisecond apart.
pub(crate) fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let head = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, link];
    let mut file: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
    for (at, packet) in packets.iter().enumerate() {
        let (at, length) = (at as u32, packet.len() as u32);
        for word in [1_700_000_000 + at / 1000, at % 1000 * 1000, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

pub(crate) const SYN: u8 = 2;
const ACK: u8 = 16;

/// One connection of a camera to its server, packet by packet.
pub(crate) struct Peer {
    pub(crate) port: u16,
    pub(crate) sent: u32,
    pub(crate) heard: u32,
}

impl Peer {
    /// One packet, from the camera or from its server.
    pub(crate) fn packet(&self, is_camera: bool, flags: u8, payload: &[u8]) -> Vec<u8> {
        let (camera, server) = ([10, 0, 0, 2], [10, 0, 0, 1]);
        let (from, to) = if is_camera { (camera, server) } else { (server, camera) };
        let length = 40 + payload.len() as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        packet.extend([from, to].concat());
        let (mine, other) = if is_camera { (self.port, 80) } else { (80, self.port) };
        let (sequence, acknowledged) =
            if is_camera { (self.sent, self.heard) } else { (self.heard, self.sent) };
        packet.extend([mine.to_be_bytes(), other.to_be_bytes()].concat());
        packet.extend([sequence.to_be_bytes(), acknowledged.to_be_bytes()].concat());
        packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(payload);
        packet
    }

    /// The connection is opened.
    pub(crate) fn open(port: u16, packets: &mut Vec<Vec<u8>>) -> Peer {
        let mut peer = Peer { port, sent: 1000, heard: 5000 };
        packets.push(peer.packet(true, SYN, b""));
        peer.sent += 1;
        packets.push(peer.packet(false, SYN | ACK, b""));
        peer.heard += 1;
        peer
    }

    /// One of them says something.
    pub(crate) fn say(&mut self, is_camera: bool, bytes: &[u8], packets: &mut Vec<Vec<u8>>) {
        packets.push(self.packet(is_camera, ACK, bytes));
        *(if is_camera { &mut self.sent } else { &mut self.heard }) += bytes.len() as u32;
    }
}
