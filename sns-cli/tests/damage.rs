//! `sns-cli decode --extract` of what is not whole: what is missing, and what is open to doubt, is told
//! at the file that it belongs to, and costs no room.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod peer;

use peer::{Peer, pcap};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What is told of a capture, and what became of its files: each line of the manifest, with the file.
fn extracted(packets: &[Vec<u8>]) -> (Vec<Value>, Vec<(Value, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.pcap");
    std::fs::write(&file, pcap(101, packets)).unwrap();
    let into = folder.path().join("files");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.args(["decode", "--json", "--extract"]).arg(&into).arg(&file);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/decode.schema.json");
    let schema = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for line in &told {
        let errors: Vec<_> = schema.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {line:#}");
    }
    let manifest = std::fs::read_to_string(into.join("manifest.jsonl")).unwrap();
    let files = manifest.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let bytes = std::fs::read(into.join(line["name"].as_str().unwrap())).unwrap();
        (line, bytes)
    });
    (told, files.collect())
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const MESSAGE: &str = "--B\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n<email><sender>a@b.c\
                       </sender><receiverList><receiver>d@e.f</receiver></receiverList><title>t</title>\
                       <body>b</body></email>\r\n";

/// The head of a photo's part.
fn part(name: &str) -> String {
    let disposition =
        format!("Content-Disposition: form-data; name=\"binary\"; filename=\"{name}\"");
    format!("--B\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n")
}

/// The head of an e-mail with a body of this length.
fn email(length: usize) -> String {
    format!(
        "POST /social/columbus/email?DUID=1 HTTP/1.1\r\nHost: www.ospserver.net\r\nContent-Type: \
         multipart/form-data; boundary=B\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// The end of a part's head and the beginning of its photo are lost: the head goes on up to the next
/// empty line, which is one in the photo.
#[test]
fn a_photo_of_which_the_head_is_torn_is_not_whole() {
    let body = format!(
        "{MESSAGE}{}{}\r\n\r\nREST OF PHOTO\r\n{}whole\r\n--B--\r\n",
        part("A.JPG"),
        "x".repeat(300),
        part("B.JPG")
    );
    let lost = body.find("Content-Type: image/jpeg").unwrap();
    let lost = lost..lost + 36;
    let mut packets = Vec::new();
    let mut camera = Peer::open(9999, &mut packets);
    camera.say(true, email(body.len()).as_bytes(), &mut packets);
    camera.say(true, &body.as_bytes()[..lost.start], &mut packets);
    camera.sent += lost.len() as u32;
    camera.say(true, &body.as_bytes()[lost.end..], &mut packets);
    camera.say(false, ANSWER, &mut packets);
    let (told, files) = extracted(&packets);
    let shown = told[0]["request"]["files"].as_array().unwrap();
    let shown: Vec<_> = shown.iter().map(|f| (&f["length"], &f["complete"])).collect();
    assert_eq!(shown, [(&json!(13), &json!(false)), (&json!(5), &json!(true))]);
    let kept: Vec<_> = files.iter().map(|(line, _)| (&line["field"], &line["complete"])).collect();
    let expected = [("message", true), ("binary", false), ("binary", true), ("email", false)];
    assert_eq!(
        kept[..4],
        expected.map(|(f, c)| (json!(f), json!(c))).each_ref().map(|(f, c)| (f, c))
    );
}

/// A gap in the first photo, and bytes of the second that come once more and differ, the last of them
/// when it has ended.
#[test]
fn what_is_wrong_with_an_email_is_told_at_its_photos() {
    let (first, second) = ("x".repeat(500), "y".repeat(400));
    let body = format!(
        "{MESSAGE}{}{first}\r\n{}{second}\r\n{}z\r\n--B--\r\n",
        part("A"),
        part("B"),
        part("C")
    );
    let (first, second) = (body.find("xxx").unwrap(), body.find("yyy").unwrap());
    let mut packets = Vec::new();
    let mut camera = Peer::open(9999, &mut packets);
    camera.say(true, email(body.len()).as_bytes(), &mut packets);
    let start = camera.sent;
    camera.say(true, &body.as_bytes()[..first + 100], &mut packets);
    camera.sent += 50;
    camera.say(true, &body.as_bytes()[first + 150..second + 300], &mut packets);
    let (end, tail) = (second + 450, camera.sent);
    camera.say(true, &body.as_bytes()[second + 300..end], &mut packets);
    for (from, length) in [(second as u32 + 10, 20), (second as u32 + 390, 10)] {
        camera.sent = start + from;
        camera.say(true, "?".repeat(length).as_bytes(), &mut packets);
    }
    camera.sent = tail + (end - second - 300) as u32;
    camera.say(true, &body.as_bytes()[end..], &mut packets);
    camera.say(false, ANSWER, &mut packets);
    let (told, files) = extracted(&packets);
    let gaps = json!([{ "offset": 100, "length": 50 }]);
    let conflicts = json!([{ "offset": 10, "length": 20 }, { "offset": 390, "length": 10 }]);
    let shown = &told[0]["request"]["files"];
    for (at, gaps, conflicts, complete) in
        [(0, Some(&gaps), None, false), (1, None, Some(&conflicts), true), (2, None, None, true)]
    {
        for entry in [&shown[at], &files[at + 1].0] {
            assert_eq!((entry.get("gaps"), entry.get("conflicts")), (gaps, conflicts), "{entry}");
            assert_eq!(entry["complete"], complete, "{entry}");
        }
    }
    let expected = ["x".repeat(100), "\0".repeat(50), "x".repeat(350)].concat();
    assert_eq!(files[1].1, expected.as_bytes());
    assert_eq!(files[2].1, "y".repeat(400).as_bytes(), "what came first is kept");
}

/// Little of a very long upload: what is missing is told, and not written as zeros.
#[test]
fn zeros_take_no_more_room_than_a_gap_may() {
    let mut packets = Vec::new();
    let mut camera = Peer::open(9999, &mut packets);
    let head = "PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n";
    camera.say(true, head.as_bytes(), &mut packets);
    let gap = 6 * 1024 * 1024;
    for _ in 0..12 {
        camera.sent += gap;
        camera.say(true, b"photo", &mut packets);
    }
    let (told, files) = extracted(&packets);
    assert_eq!(told[0]["kind"], "upload");
    assert_eq!(files.len(), 2, "what came before it was too much, and what came behind");
    assert_eq!(files[0].1.len(), 2 * (gap as usize + 5));
    let rest = &files[1].1;
    assert_eq!(rest.iter().filter(|byte| **byte != 0).count(), 10 * 5, "all that came is there");
    assert!(rest.len() < 16 * 1024 * 1024, "{}", rest.len());
}

#[test]
fn gaps_that_are_not_listed_are_counted() {
    let mut packets = Vec::new();
    let mut camera = Peer::open(9999, &mut packets);
    let head = "PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\nContent-Length: 20000\r\n\r\n";
    camera.say(true, head.as_bytes(), &mut packets);
    for _ in 0..100 {
        camera.sent += 100;
        camera.say(true, &[b'a'; 100], &mut packets);
    }
    let (told, files) = extracted(&packets);
    for entry in [&told[0]["request"], &files[0].0] {
        assert_eq!(entry["gaps"].as_array().unwrap().len(), 64);
        assert_eq!(entry["more_gaps"], 36);
    }
}
