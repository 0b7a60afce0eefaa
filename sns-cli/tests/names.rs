//! `sns-cli decode` tells which of the six names a camera looked up, and why it never came.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

fn decode(arguments: &[&str], file: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sns-cli"))
        .arg("decode")
        .args(arguments)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/pcap").join(file))
        .output()
        .unwrap()
}

fn told(file: &str) -> Vec<Value> {
    let text = String::from_utf8(decode(&["--json"], file).stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_camera_that_finds_its_server_is_told_so() {
    let told = told("names.pcap");
    let forms: Vec<&str> = told.iter().map(|line| line["form"].as_str().unwrap()).collect();
    assert_eq!(forms[..4], ["lookup", "lookup", "lookup", "exchange"]);
    for (line, name) in
        told.iter().zip(["gld.samsungosp.com", "www.yahoo.co.kr", "snsgw.samsungmobile.com"])
    {
        assert_eq!((&line["kind"], &line["name"]), (&json!("found"), &json!(name)));
        assert_eq!(line["addresses"], json!(["10.42.0.1"]));
        assert_eq!(line.get("warnings"), None);
    }
    assert_eq!(
        (&told[2]["asked_times"], &told[2]["answered_after_us"]),
        (&2.into(), &2_012_000.into())
    );
    // Another name, and another kind of address, are not its business.
    assert_eq!(told.last().unwrap()["lookups"], 3);
}

#[test]
fn a_camera_that_never_came_is_told_why() {
    let told = told("names-dead.pcap");
    let lookups: Vec<(&str, &str, Vec<&str>)> = told
        .iter()
        .filter(|line| line["form"] == "lookup")
        .map(|line| {
            let warnings = line["warnings"].as_array().into_iter().flatten();
            (
                line["name"].as_str().unwrap(),
                line["kind"].as_str().unwrap(),
                warnings.map(|warning| warning["name"].as_str().unwrap()).collect(),
            )
        })
        .collect();
    assert_eq!(
        lookups,
        [
            ("snsgw.samsungmobile.com", "unknown_name", vec!["name-unknown"]),
            ("gld.samsungosp.com", "found", vec!["name-blocked"]),
            ("www.yahoo.co.kr", "found", vec!["server-at-192.168"]),
            ("www.msn.com", "found", vec!["name-elsewhere"]),
            ("www.ospserver.net", "refused", vec!["resolver-refused"]),
            ("www.samsungimaging.com", "no_address", vec!["name-without-address"]),
            ("www.msn.com", "garbled", vec!["resolver-garbled"]),
            ("www.ospserver.net", "unanswered", vec!["resolver-silent"]),
            ("www.yahoo.co.kr", "garbled", vec![]),
            ("gld.samsungosp.com", "unanswered", vec!["resolver-silent"]),
        ]
    );
    assert_eq!(told[7]["asked_times"], 3);
    assert_eq!(told[4]["code"], "SERVFAIL");
    let error = told[8]["error"].as_str().unwrap();
    assert!(error.contains("only the beginning of the answer"), "{error}");
}

#[test]
fn the_tree_says_the_name_and_what_to_do() {
    let tree = String::from_utf8(decode(&[], "names-dead.pcap").stdout).unwrap();
    assert!(tree.contains("snsgw.samsungmobile.com is looked up: there is no such name"), "{tree}");
    assert!(tree.contains("name-unknown: the camera is told that there is no such name"), "{tree}");
}

#[test]
fn an_address_is_not_shared_but_what_kind_it_is() {
    let output = decode(&["--json", "--redact"], "names-dead.pcap");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("203.0.113") && !text.contains("192.168.7.1"), "{text}");
    assert!(text.contains("192.168.x.x") && text.contains("www.msn.com"), "{text}");
}
