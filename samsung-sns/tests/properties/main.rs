//! The rules of `rules.rs` over every file of `testdata/`, over cut and changed copies of them, and
//! over random bytes. The same rules are the fuzz targets of `fuzz/`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test helps itself, and reads files

mod rules;

use proptest::prelude::*;
use std::path::{Path, PathBuf};

type Rule = fn(&[u8]);

const RULES: [(&str, Rule); 8] = [
    ("request_head", rules::request_head),
    ("response_head", rules::response_head),
    ("messages", rules::messages),
    ("multipart", rules::multipart),
    ("boundary", rules::boundary),
    ("credentials", rules::credentials),
    ("hotspot", rules::hotspot),
    ("conversation", rules::conversation),
];

fn seeds(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Captures are no input of these readers, and large; sns-cli's own properties have them.
            if !path.ends_with("pcap") {
                seeds(&path, found);
            }
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn every_rule_holds_for_every_file_cut_anywhere() {
    let mut files = Vec::new();
    seeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata"), &mut files);
    assert!(files.len() > 40, "testdata/ is not there");
    for (path, bytes) in &files {
        println!("{}", path.display());
        for (_, rule) in RULES {
            rule(bytes);
            // Every cut of every file would be a minute; a prime stride meets every place in time.
            (0..bytes.len()).step_by(37).for_each(|cut| rule(&bytes[cut..]));
            (0..bytes.len()).step_by(37).for_each(|cut| rule(&bytes[..cut]));
        }
    }
}

#[test]
fn a_fuzz_target_exists_for_every_rule_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    let mut targets: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    targets.sort();
    let mut names = RULES.map(|(name, _)| name);
    names.sort();
    assert_eq!(targets, names);
}

/// Bytes of which much means something to some reader.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "\r\n",
        "\n",
        " ",
        ":",
        "--B",
        "\r\n--B",
        "--",
        "<",
        ">",
        "\"",
        "=",
        "/>",
        "<!CDATA[",
        "]]>",
        "<Request Method=\"login\"",
        "<UserName Value=\"",
        "<Password Value=\"%3D",
        "&amp;",
        "&",
        "POST /facebook/auth HTTP/1.1",
        "Content-Length: 5",
        "content-disposition: form-data; name=\"",
        "<email><sender>a@b</sender>",
        "<File Name=\"",
        "SessionKey=\"k\"",
        "</Request>",
        "HTTP/1.1 200 OK",
    ];
    let piece = prop_oneof![
        3 => proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_rule_holds_for_any_bytes(bytes in bytes()) {
        RULES.iter().for_each(|(_, rule)| rule(&bytes));
    }

    #[test]
    fn every_conversation_keeps_the_rules(steps in proptest::collection::vec(any::<u8>(), 0..400)) {
        rules::conversation(&steps);
    }
}
