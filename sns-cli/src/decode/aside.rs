//! What of a capture was left aside, and what to do about it.
//!
//! Law: nothing is left aside silently, and a capture of which nothing could be told is broken: it
//! says why in words.

use crate::capture::Counts;
use crate::capture::connections::MAX_OPEN;
use crate::capture::file::NO_LINK;
use crate::report::{Fields, Node};

/// The counts, by name, and what to do about those that may have hidden something.
pub(super) fn fields(counts: &Counts) -> Fields {
    let mut aside = Fields::default();
    for (name, count) in [
        ("not_tcp", counts.not_tcp),
        ("encrypted_frames", counts.protected),
        ("damaged_frames", counts.damaged),
        ("fragments_of_frames", counts.frame_fragments),
        ("lost_ip_fragments", counts.lost_fragments),
        ("unreadable_packets", counts.unreadable),
        ("unfollowed_segments", counts.unfollowed),
        ("cut_packets", counts.cut_packets),
    ] {
        if count > 0 {
            aside.number(name, count);
        }
    }
    if !counts.unknown_links.is_empty() {
        let links = counts.unknown_links.iter().map(|(link, count)| {
            let mut fields = Fields::default();
            if *link != NO_LINK {
                fields.number("link_type", u64::from(*link));
            }
            fields.number("packets", *count);
            Node::Map(fields)
        });
        aside.add("unknown_link_layers", Node::List(links.collect()));
    }
    let advice = advice(counts);
    if !advice.is_empty() {
        aside.add("advice", Node::List(advice.into_iter().map(Node::Words).collect()));
    }
    aside
}

/// Why nothing at all could be told, if that is so: `told` are exchanges, lookups and connections.
pub(super) fn nothing(counts: &Counts, told: u64, connections: u64) -> Option<String> {
    if told > 0 {
        return None;
    }
    if counts.packets == 0 {
        return Some("there is no packet in it".to_owned());
    }
    let mut reasons = advice(counts);
    let others = counts.not_tcp + counts.messages;
    if connections == 0 && others > 0 {
        reasons.push(format!(
            "{} of other protocols than TCP, or in a tunnel: record the interface over which the \
             camera speaks HTTP",
            are(others, "packet")
        ));
    }
    if connections > 0 {
        let what = match connections {
            1 => "in its only TCP connection".to_owned(),
            count => format!("in its {count} TCP connections"),
        };
        reasons.push(format!(
            "{what}, no HTTP was recognised: record while the camera sends, where it speaks to the \
             server (port 80)"
        ));
    }
    if reasons.is_empty() {
        reasons.push("its packets hold nothing but what ends connections".to_owned());
    }
    Some(format!("nothing could be decoded: {}", reasons.join("; ")))
}

/// What was given up, because too much was open at once.
pub(super) fn given_up(counts: &Counts, connections: u64) -> Option<String> {
    let what = match (connections, counts.unfollowed) {
        (0, 0) => return None,
        (1, _) => "1 connection was given up before its end".to_owned(),
        (0, segments) => format!("{} passed over", are(segments, "TCP segment")),
        (connections, _) => format!("{connections} connections were given up before their end"),
    };
    Some(format!(
        "{what}, because more than {MAX_OPEN} were open at once; split the capture by address \
         (tcpdump -r FILE -w PART host ADDRESS)"
    ))
}

/// What to do about each kind that may have hidden something.
fn advice(counts: &Counts) -> Vec<String> {
    let mut advice = Vec::new();
    for (link, count) in &counts.unknown_links {
        advice.push(if *link == NO_LINK {
            format!("{} of an interface that the capture does not describe", are(*count, "packet"))
        } else {
            format!(
                "{} of link layer {link}, which is not read here: record it as Ethernet, or let \
                 Wireshark export its IP packets",
                are(*count, "packet")
            )
        });
    }
    for (count, one, what) in [
        (
            counts.protected,
            "frame",
            "encrypted: decrypt with airdecap-ng or Wireshark first, or capture behind the access \
             point",
        ),
        (counts.damaged, "frame", "damaged, as the checksum says: capture nearer to the camera"),
        (counts.frame_fragments, "piece", "of 802.11 frames whose other pieces are missing"),
        (counts.lost_fragments, "fragment", "of IP packets whose other fragments are missing"),
        (
            counts.unreadable,
            "packet",
            "not to be read, with headers that make no sense or were cut off",
        ),
        (
            counts.cut_packets,
            "packet",
            "there only with the beginning: record with tcpdump -s 0, which keeps all of each",
        ),
    ] {
        if count > 0 {
            advice.push(format!("{} {what}", are(count, one)));
        }
    }
    advice
}

fn are(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what} is") } else { format!("{count} {what}s are") }
}
