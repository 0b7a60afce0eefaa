use super::*;

const SECOND: u64 = 1_000_000_000;
const ADDRESSES: [u8; 8] = [10, 0, 0, 2, 10, 0, 0, 1];

/// A packet of IPv4 or IPv6 in parts.
#[derive(Clone, Copy)]
struct Way {
    is_six: bool,
    protocol: u8,
    has_checksum: bool,
}

const FOUR: Way = Way { is_six: false, protocol: TCP, has_checksum: true };
const SIX: Way = Way { is_six: true, ..FOUR };
const NAMES: Way = Way { protocol: UDP, ..FOUR };

impl Way {
    fn addresses(self) -> Vec<u8> {
        let long = |at: usize| [[0xfd; 12].as_slice(), &ADDRESSES[at..at + 4]].concat();
        if self.is_six { [long(0), long(4)].concat() } else { ADDRESSES.to_vec() }
    }

    /// What is inside IP: a header, and a payload.
    fn inner(self, payload: &str) -> Vec<u8> {
        let length = (8 + payload.len()) as u8;
        let (mut inner, at) = if self.protocol == TCP {
            (vec![4, 1, 0, 80, 0, 0, 3, 232, 0, 0, 19, 136, 0x50, 16, 255, 255, 0, 0, 0, 0], 16)
        } else {
            (vec![4, 1, 0, 53, 0, length, 0, 0], 6)
        };
        inner.extend_from_slice(payload.as_bytes());
        if self.has_checksum {
            let pseudo = [0, self.protocol, 0, inner.len() as u8];
            let all = [self.addresses(), pseudo.to_vec(), inner.clone(), vec![0]].concat();
            let words =
                all.chunks_exact(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
            let sum = words.sum::<u32>();
            let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
            inner[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        }
        inner
    }

    fn packet(self, inner: &[u8], fragment: u16) -> Vec<u8> {
        let length = inner.len() as u8;
        let head = if self.is_six {
            let [high, low] = fragment.to_be_bytes();
            let fragment = [self.protocol, 0, high, low, 0, 0, 0, 7];
            [&[0x60, 0, 0, 0, 0, length + 8, FRAGMENT, 64], &self.addresses()[..], &fragment]
                .concat()
        } else {
            let [high, low] = (fragment >> 3 | (fragment & 1) << 13).to_be_bytes();
            let head = [0x45, 0, 0, length + 20, 0, 7, high, low, 64, self.protocol, 0, 0];
            [&head[..], &ADDRESSES].concat()
        };
        [&head, inner].concat()
    }

    /// The two fragments of a packet whose payload has eight bytes in the second.
    fn fragments(self, payload: &str) -> [Vec<u8>; 2] {
        let inner = self.inner(payload);
        let cut = inner.len() - 8;
        assert_eq!(cut % 8, 0, "fragments are cut so");
        [self.packet(&inner[..cut], 1), self.packet(&inner[cut..], cut as u16)]
    }
}

/// What is heard of packets, each with its time in seconds, and how many fragments were lost.
fn heard(packets: &[(u64, &Vec<u8>)]) -> (Vec<String>, u64) {
    let (mut network, mut counts, mut all) = (Network::default(), Counts::default(), Vec::new());
    for (time, packet) in packets {
        network.datagram(packet, 0, time * SECOND, &mut counts, &mut |heard| {
            let payload = match heard {
                Heard::Segment(segment) => segment.payload,
                Heard::Message(message) => message.payload,
            };
            all.push(String::from_utf8(payload.to_vec()).unwrap());
        });
    }
    network.finish(&mut counts);
    assert_eq!(counts.unreadable, 0);
    (all, counts.lost_fragments)
}

#[test]
fn what_an_earlier_packet_left_fills_no_other() {
    for way in [FOUR, SIX, NAMES] {
        // To cut at eight bytes, TCP's head needs four more.
        let front = if way.protocol == TCP { "1234" } else { "12345678" };
        let (said, other) = (format!("{front}the same"), format!("{front}OF OTHER"));
        let [first, last] = way.fragments(&said);
        let [old_first, old_last] = way.fragments(&other);
        let told = (vec![said.clone()], 1);
        assert_eq!(heard(&[(0, &first), (0, &last)]), (vec![said.clone()], 0));
        assert_eq!(heard(&[(0, &last), (0, &first)]), (vec![said.clone()], 0));
        assert_eq!(heard(&[(0, &old_last), (0, &first), (0, &last)]), told);
        assert_eq!(heard(&[(0, &old_first), (0, &last), (0, &first)]), told);
        assert_eq!(heard(&[(0, &old_last), (0, &first)]), (vec![], 2));
        // Once it is whole, what comes again is passed over.
        let again = [(0, &first), (0, &last), (1, &last), (1, &first)];
        assert_eq!(heard(&again), (vec![said], 0));
    }
}

#[test]
fn without_a_checksum_time_decides() {
    let way = Way { has_checksum: false, ..NAMES };
    let [first, last] = way.fragments("12345678 a name ");
    let whole = (vec!["12345678 a name ".to_owned()], 0);
    assert_eq!(heard(&[(0, &last), (29, &first)]), whole);
    assert_eq!(heard(&[(0, &last), (31, &first)]), (vec![], 2));
    assert_eq!(heard(&[(0, &last), (31, &first), (32, &last)]), (whole.0, 1));
}

#[test]
fn the_checksum_of_a_whole_packet_does_not_count() {
    let way = Way { has_checksum: false, ..FOUR };
    let packet = way.packet(&way.inner("hello"), 0);
    assert_eq!(heard(&[(0, &packet)]), (vec!["hello".into()], 0));
}
