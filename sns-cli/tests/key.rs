//! `sns-cli key`, as people type it, with the two keys that were published.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use serde_json::{Value, json};
use std::process::{Command, Output};

const BLOG: &str = "/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y=";
const TALK: &str = "//////S3mbZSAQAA/LOitv////9IIgS2UgEAAAAQBLY=";

fn key(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sns-cli")).arg("key").args(arguments).output().unwrap()
}

fn said(arguments: &[&str]) -> String {
    let output = key(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_key_is_taken_apart() {
    let expected = "\
session key: filled like the published keys
├─ AES key: fffffffff4b799b652010000fcb3a2b6
├─ IV:      ffffffff482204b652010000001004b6
├─ where its bytes seem to come from
│  ├─  0-3   ffffffff  constant                0 bits
│  ├─  4-6   f4b799    pointer, low byte      22 bits
│  ├─  7-7   b6        pointer, highest byte   1 bits
│  ├─  8-11  52010000  constant                0 bits
│  ├─ 12-14  fcb3a2    pointer, low byte      22 bits
│  ├─ 15-15  b6        pointer, highest byte   1 bits
│  ├─ 16-19  ffffffff  constant                0 bits
│  ├─ 20-22  482204    pointer, low byte      22 bits
│  ├─ 23-23  b6        pointer, highest byte   1 bits
│  ├─ 24-27  52010000  constant                0 bits
│  ├─ 28-30  001004    pointer, low byte      22 bits
│  └─ 31-31  b6        pointer, highest byte   1 bits
├─ left to guess: at most 46 of 128 bits of the AES key, 46 of 128 of the IV
└─ taken for granted
   ├─ what is equal in both published keys is equal in all
   ├─ pointers are multiples of 4
   ├─ pointers are from a0000000 to bfffffff
   └─ the highest byte of a pointer is a4 or b6
";
    assert_eq!(said(&[TALK]), expected);
    assert!(said(&[BLOG]).contains("f007b6 (the same bytes)\n"));
}

#[test]
fn json_says_the_same() {
    let told: Value = serde_json::from_str(&said(&[BLOG, "--json"])).unwrap();
    assert_eq!(told["key_is_iv"], true);
    assert_eq!((&told["aes_key_bits"], &told["iv_bits"]), (&json!(46), &json!(0)));
    assert_eq!((&told["fit"], &told["aes_key"]), (&json!("structure"), &told["iv"]));
    let part = json!({"first": 4, "last": 6, "bytes": "1000c0", "origin": "pointer, low byte", "bits": 22});
    assert_eq!(told["parts"][1], part);
    assert_eq!(told["assumptions"][4], "the IV repeats words of the AES key");
}

#[test]
fn a_key_that_no_camera_made_leaves_all_bits() {
    let told = said(&["AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="]);
    assert!(told.starts_with("session key: not filled like the published keys\n"), "{told}");
    let last = "└─ left to guess: at most 128 of 128 bits of the AES key, 128 of 128 of the IV\n";
    assert!(told.ends_with(last), "{told}");
}

#[test]
fn a_field_is_opened_and_sealed() {
    assert_eq!(said(&[BLOG, "open", "7xKPwb19QdFKzsjsrQx62g%3D%3D"]), "f\n");
    assert_eq!(said(&[TALK, "open", "ob7Ue7q%2BkUSZFffy3%2BVfiQ%3D%3D"]), "z\n");
    assert_eq!(said(&[BLOG, "seal", "f"]), "7xKPwb19QdFKzsjsrQx62g%3D%3D\n");
    assert_eq!(
        said(&[BLOG, "seal", "f", "--json"]),
        "{\"field\":\"7xKPwb19QdFKzsjsrQx62g%3D%3D\"}\n"
    );
    // Whatever it holds, the terminal does not obey it.
    let sealed = said(&[BLOG, "seal", "-a\u{1b}[2J\u{202e}é"]);
    let opened = said(&[BLOG, "open", sealed.trim_end()]);
    assert_eq!(opened, "-a\\u{1b}[2J\\u{202e}é\n");
    let json = said(&["--json", BLOG, "open", sealed.trim_end()]);
    assert_eq!(json, "{\"text\":\"-a\\u001b[2J\\u202eé\"}\n");
}

#[test]
fn what_cannot_be_read_is_exit_code_1_and_says_where() {
    let cases: [(&[&str], i32, &str); 7] = [
        (&["AAAA"], 1, "3 bytes instead of 32"),
        (&["login.xml"], 1, "whole logins are for sns-cli decode"),
        (&[BLOG, "open", "x"], 1, "the Value of <UserName> or <Password>"),
        (&["//%2F"], 1, "not base64 at byte 2"),
        (&[BLOG, "open", "7xKPwb19QdFKzsjsrQx62g%3"], 1, "two hexadecimal digits at byte 22"),
        (&[TALK, "open", "7xKPwb19QdFKzsjsrQx62g%3D%3D"], 1, "credential: "),
        (&[], 2, "<VALUE>"),
    ];
    for (arguments, code, told) in cases {
        let output = key(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(told) && output.stdout.is_empty(), "{error}");
    }
}
