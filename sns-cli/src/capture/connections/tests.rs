use super::super::stream::Content;
use super::*;

const SECOND: u64 = 1_000_000_000;
const SYN: u8 = 2;
const RST: u8 = 4;
const FIN: u8 = 1;
const ACK: u8 = 16;

/// What each connection said, the camera's in lower case, and why it ended.
#[derive(Default)]
struct Ear(Vec<(String, Option<Cause>)>);

impl Listener for Ear {
    type Talk = usize;

    fn opened(&mut self, _: &Peers) -> io::Result<usize> {
        self.0.push((String::new(), None));
        Ok(self.0.len() - 1)
    }

    fn piece(&mut self, talk: &mut usize, _: Side, piece: Piece<'_>) -> io::Result<()> {
        match piece.content {
            Content::Bytes(bytes) => self.0[*talk].0.push_str(std::str::from_utf8(bytes).unwrap()),
            Content::Gap(length) => self.0[*talk].0.push_str(&".".repeat(length as usize)),
        }
        Ok(())
    }

    fn finished(&mut self, _: &mut usize, _: Side) -> io::Result<()> {
        Ok(())
    }

    fn closed(&mut self, talk: usize, _: &Peers, end: &End) -> io::Result<()> {
        self.0[talk].1 = Some(end.cause);
        Ok(())
    }

    fn message(&mut self, _: &Message<'_>, _: u64) -> io::Result<()> {
        Ok(())
    }
}

/// A segment of a camera or its server: time in seconds, flags, number, what it acknowledges, bytes.
type Said = (bool, u64, u8, u32, u32, &'static str);

fn told(said: &[Said], times: u64) -> Vec<(String, Cause)> {
    let camera: SocketAddr = "10.0.0.2:1025".parse().unwrap();
    let server: SocketAddr = "10.0.0.1:80".parse().unwrap();
    let mut connections = Connections::new(Ear::default());
    for &(is_camera, time, flags, sequence, acknowledged, payload) in said {
        let (from, to) = if is_camera { (camera, server) } else { (server, camera) };
        let segment = Segment {
            from,
            to,
            sequence,
            acknowledged: (flags & ACK != 0).then_some(acknowledged),
            is_first: flags & SYN != 0,
            is_last: flags & FIN != 0,
            is_reset: flags & RST != 0,
            payload: payload.as_bytes(),
            missing: 0,
        };
        connections.segment(&segment, times.saturating_add(time * SECOND)).unwrap();
    }
    let ear = connections.finish().unwrap();
    ear.0.into_iter().map(|(said, cause)| (said, cause.unwrap())).collect()
}

const OPEN: [Said; 3] = [
    (true, 0, SYN, 999, 0, ""),
    (false, 0, SYN | ACK, 4999, 1000, ""),
    (true, 0, ACK, 1000, 5000, "abc"),
];

const REST: [Said; 4] = [
    (true, 3, ACK, 1003, 5000, "def"),
    (false, 3, ACK, 5000, 1006, "OK"),
    (true, 3, FIN | ACK, 1006, 5002, ""),
    (false, 3, FIN | ACK, 5002, 1007, ""),
];

fn between(middle: &[Said]) -> Vec<(String, Cause)> {
    told(&[&OPEN, middle, &REST].concat(), 0)
}

#[test]
fn a_reset_of_another_number_ends_nothing() {
    let whole = [("abcdefOK".into(), Cause::Closed)];
    assert_eq!(between(&[]), whole);
    for number in [77, 4999, 5001 + (1 << 30), u32::MAX] {
        assert_eq!(between(&[(false, 0, RST, number, 0, "")]), whole, "{number}");
    }
    assert_eq!(between(&[(true, 0, RST | ACK, 77, 5000, "")]), whole);
}

#[test]
fn who_goes_on_did_not_break_it_off() {
    let at_once =
        REST.map(|(from, _, flags, number, heard, said)| (from, 1, flags, number, heard, said));
    let forged = [(false, 0, RST, 5000, 0, "")];
    let heard = told(&[&OPEN, forged.as_slice(), &at_once].concat(), 0);
    assert_eq!(heard, [("abcdefOK".into(), Cause::Closed)]);
    // After a silence it is taken for the end; what follows is another connection, and not lost.
    let heard = between(&forged);
    assert_eq!(heard[0], ("abc".into(), Cause::Reset(Side::Called)));
    assert_eq!(heard[1], ("defOK".into(), Cause::Closed));
    assert_eq!(heard.len(), 2);
}

#[test]
fn a_reset_ends_it_whatever_was_on_the_way() {
    let reset = [
        (false, 0, RST | ACK, 5000, 1003, ""),
        (true, 0, ACK, 1003, 5000, "def"),
        (true, 4, ACK, 1003, 5000, "def"),
        (true, 5, ACK, 1000, 5000, "abcdef"),
        (false, 5, RST, 5000, 0, ""),
    ];
    let heard = told(&[OPEN.as_slice(), &reset].concat(), 0);
    assert_eq!(heard, [("abcdef".into(), Cause::Reset(Side::Called))]);
    let refused = [OPEN[0], (false, 0, RST | ACK, 0, 1000, "")];
    assert_eq!(told(&refused, 0), [(String::new(), Cause::Refused)]);
}

#[test]
fn an_end_that_acknowledges_nothing_is_an_end() {
    let said = [OPEN[0], OPEN[1], (false, 0, ACK, 5000, 1000, "OK"), (true, 0, FIN, 1000, 0, "")];
    assert_eq!(told(&said, 0), [("OK".into(), Cause::CaptureEnded)]);
}

#[test]
fn the_end_of_time_is_a_time() {
    let said = [OPEN.as_slice(), &REST].concat();
    assert_eq!(told(&said, u64::MAX), [("abcdefOK".into(), Cause::Closed)]);
}

#[test]
fn a_clock_that_is_set_meanwhile_ends_nothing() {
    let years = 100_000_000;
    let late = REST.map(|(from, time, flags, number, heard, said)| {
        (from, time + years, flags, number, heard, said)
    });
    let heard = told(&[&OPEN[..], &late].concat(), 0);
    assert_eq!(heard, [("abcdefOK".into(), Cause::Closed)]);
    // Who says nothing more was silent, and no end of the capture cut it off.
    let heard = told(&[OPEN[0], OPEN[1], OPEN[2], (false, years, SYN, 7, 0, "")], 0);
    assert_eq!(heard[0], ("abc".into(), Cause::Silence));
    let alone = [OPEN[0], OPEN[1], OPEN[2], (true, years, ACK, 77, 0, "")];
    assert_eq!(told(&alone, 0)[0].1, Cause::CaptureEnded);
}

#[test]
fn the_numbers_of_a_reset_say_what_was_said_before_it() {
    for reset in [(false, 1, RST, 5002, 0, ""), (true, 1, RST | ACK, 1003, 5002, "")] {
        let heard = told(&[&OPEN[..], &[reset]].concat(), 0);
        assert_eq!(heard[0].0, "abc..", "{reset:?}");
    }
    let refused = [OPEN[0], (false, 0, RST | ACK, 0, 1000, "")];
    assert_eq!(told(&refused, 0), [(String::new(), Cause::Refused)]);
}
