//! What must hold for any bytes: over every capture of `testdata/pcap/`, cut and damaged in many
//! places, and over random bytes.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod rules;

use proptest::collection::vec;
use proptest::prelude::*;
use std::path::Path;

fn captures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/pcap");
    let mut captures = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "pcap" || end == "pcapng") {
            captures.push(std::fs::read(path).unwrap());
        }
    }
    assert!(captures.len() > 30);
    captures
}

#[test]
fn every_capture_keeps_to_the_rules_whole_cut_and_damaged() {
    for capture in captures() {
        rules::capture(&capture);
        for at_a_time in [1, 7, 255] {
            rules::capture_file(&[&[at_a_time], &capture[..]].concat());
        }
        for at in (0..capture.len()).step_by(capture.len() / 13 + 1) {
            rules::capture(&capture[..at]);
            let mut damaged = capture.clone();
            for (offset, byte) in damaged[at..].iter_mut().take(3).enumerate() {
                *byte = byte.wrapping_mul(7).wrapping_add(offset as u8);
            }
            rules::capture(&damaged);
            rules::capture_file(&[&[31], &damaged[..]].concat());
        }
    }
}

#[test]
fn every_frame_of_every_capture_keeps_to_the_rules_under_every_link_layer() {
    for capture in captures() {
        // Frames need not be found exactly: anything is one.
        for (at, frame) in capture.chunks(97).enumerate() {
            rules::frame(&[&[at as u8], frame].concat());
            rules::fragments(frame);
        }
    }
}

proptest! {
    #[test]
    fn any_segments_make_a_stream(script in vec(any::<u8>(), 0..260)) {
        rules::stream(&script);
    }

    #[test]
    fn any_bytes_are_a_frame(bytes in vec(any::<u8>(), 0..200)) {
        rules::frame(&bytes);
        rules::fragments(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_header_are_a_capture(link in 0_u8..128, bytes in vec(any::<u8>(), 0..600)) {
        let header = [
            &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0][..],
            &[link, 0, 0, 0],
        ];
        rules::capture(&[&header.concat(), &bytes[..]].concat());
    }
}
