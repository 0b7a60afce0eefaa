//! `cargo bench -p samsung-sns`: each reader beside a yardstick, in turns, on the same bytes.
//!
//! What is printed is a ratio: machines differ and are noisy, and a ratio of two things that ran in
//! turns says the same on all of them. Median of the rounds, and the quarter on either side.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)] // it measures time and prints it

use samsung_sns::camera::BOUNDARY;
use samsung_sns::message::auth::AuthRequest;
use samsung_sns::quirk::Quirks;
use samsung_sns::wire::multipart::{Boundary, Event, Reader};
use samsung_sns::wire::request::{RequestHead, head_length};
use samsung_sns::wire::xml::{Document, decode};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 101;
const ROUND: Duration = Duration::from_millis(4);

fn time(work: &mut dyn FnMut(), times: u32) -> Duration {
    let start = Instant::now();
    (0..times).for_each(|_| work());
    start.elapsed()
}

fn ratio(what: &str, yardstick: &str, mut ours: impl FnMut(), mut theirs: impl FnMut()) {
    let once = time(&mut ours, 10).max(time(&mut theirs, 10)) / 10;
    let times = u32::try_from(ROUND.as_nanos() / once.as_nanos().max(1)).unwrap().max(1);
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| {
            let per = |duration: Duration| duration.as_secs_f64() * 1e9 / f64::from(times);
            let ours = per(time(&mut ours, times));
            (ours / per(time(&mut theirs, times)), ours)
        })
        .collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [low, median, high] = [ROUNDS / 4, ROUNDS / 2, ROUNDS * 3 / 4].map(|at| rounds[at].0);
    let nanos = rounds[ROUNDS / 2].1;
    println!("{what:<34} {median:5.2} × {yardstick:<34} ({low:.2} to {high:.2}; {nanos:.0} ns)");
}

fn main() {
    let login = include_bytes!("../../testdata/captured/nx300/login-facebook.xml");
    ratio(
        "login, read and decrypted",
        "one quick-xml pass",
        || {
            let mut quirks = Quirks::default();
            let text = decode(black_box(login), &mut quirks);
            let _ = black_box(AuthRequest::read(&Document::read(&text), &mut quirks));
        },
        || quick_xml_pass(black_box(login)),
    );
    ratio(
        "login, its elements only",
        "one quick-xml pass",
        || {
            let mut quirks = Quirks::default();
            let text = decode(black_box(login), &mut quirks);
            black_box(Document::read(&text));
        },
        || quick_xml_pass(black_box(login)),
    );

    let head = include_bytes!("../../testdata/captured/nx300/email-head.http");
    // httparse refuses two spaces in the request line, which is one of the things measured here.
    let plain = RequestHead::read(head).unwrap().to_http11();
    ratio(
        "e-mail head",
        "httparse on the same head, mended",
        || {
            let length = head_length(black_box(head), 0);
            let _ = black_box((length, RequestHead::read(head)));
        },
        || {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut headers);
            let _ = black_box(request.parse(black_box(&plain)));
        },
    );

    let photo: Vec<u8> =
        (0..5_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let start = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"binary\"\r\n\r\n");
    let end = format!("\r\n--{BOUNDARY}\r\n");
    let body = [start.as_bytes(), &photo, end.as_bytes()].concat();
    let delimiter = format!("\r\n--{BOUNDARY}");
    for piece in [1460, 64 * 1024] {
        ratio(
            &format!("5 MB photo in pieces of {piece}"),
            "memchr for the boundary",
            || {
                let mut reader = Reader::new(&Boundary::new(BOUNDARY.as_bytes()).unwrap());
                let mut length = 0;
                let mut drain = |reader: &mut Reader| {
                    while let Some(event) = reader.next_event().unwrap() {
                        if let Event::Data(bytes) = event {
                            length += black_box(bytes).len();
                        }
                    }
                };
                for piece in black_box(&body).chunks(piece) {
                    reader.feed(piece);
                    drain(&mut reader);
                }
                reader.finish();
                drain(&mut reader);
                assert_eq!(length, photo.len());
            },
            || {
                let finder = memchr::memmem::Finder::new(&delimiter);
                for piece in black_box(&body).chunks(piece) {
                    black_box(finder.find(piece));
                }
            },
        );
    }
}

fn quick_xml_pass(bytes: &[u8]) {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(bytes).unwrap());
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) | Err(_) => return,
            Ok(quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)) => {
                tag.html_attributes().with_checks(false).flatten().for_each(|a| drop(black_box(a)));
            }
            Ok(event) => drop(black_box(event)),
        }
    }
}
