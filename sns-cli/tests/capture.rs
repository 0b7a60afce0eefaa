//! `sns-cli decode` over packet captures, run as a person runs it, over every file of
//! `testdata/pcap/`.
//!
//! Beside each capture lies `<file>.json`: what `--json` says about it, as a list, laid out for
//! reading. A mismatch leaves `<file>.json.failed` beside it. With `UPDATE_GOLDENS=1` the files are
//! written instead of compared; read each of them before you commit it.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

fn sns_cli() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.current_dir(testdata()).arg("decode");
    command
}

fn captures() -> Vec<String> {
    let entries = std::fs::read_dir(testdata().join("pcap")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| [".pcap", ".pcapng", ".gz"].iter().any(|end| name.ends_with(end)))
        .map(|name| format!("pcap/{name}"))
        .collect();
    names.sort();
    assert!(names.len() > 35, "only {} captures", names.len());
    names
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `--json` says of a capture.
fn told(file: &str) -> Vec<Value> {
    lines(&sns_cli().arg("--json").arg(file).output().unwrap())
}

/// A decoder that reads from a pipe.
fn listening() -> Child {
    let piped = Stdio::piped;
    sns_cli().args(["--json", "-"]).stdin(piped()).stdout(piped()).spawn().unwrap()
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(testdata().join(file)).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_capture_is_told_as_its_golden_file_says() {
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut wrong = Vec::new();
    for file in captures() {
        let output = sns_cli().arg("--json").arg(&file).output().unwrap();
        let told = lines(&output);
        let is_broken = told.iter().any(|line| line.get("error").is_some());
        assert_eq!(output.status.code(), Some(i32::from(is_broken)), "{file}");
        assert_eq!(told.last().unwrap()["kind"], "summary", "{file}");
        let text = serde_json::to_string_pretty(&told).unwrap() + "\n";
        let golden = testdata().join(format!("{file}.json"));
        let failed = testdata().join(format!("{file}.json.failed"));
        if update {
            std::fs::write(&golden, &text).unwrap();
        }
        if std::fs::read_to_string(&golden).ok().as_ref() == Some(&text) {
            let _ = std::fs::remove_file(&failed);
        } else {
            std::fs::write(&failed, &text).unwrap();
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "see testdata/<file>.json.failed: {wrong:#?}");
}

fn schema() -> jsonschema::Validator {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/decode.schema.json");
    let schema = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn every_golden_file_and_every_redacted_line_keep_to_the_schema() {
    let schema = schema();
    let (mut forms, mut count) = (BTreeSet::new(), 0);
    let mut check = |value: &Value, file: &str| {
        count += 1;
        forms.insert(value["form"].as_str().unwrap().to_owned());
        let errors: Vec<String> = schema
            .iter_errors(value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{file}: {errors:#?}\n{value:#}");
    };
    let mut folders = vec![testdata()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".json") {
                let told: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                match told {
                    Value::Array(lines) => lines.iter().for_each(|line| check(line, name)),
                    line => check(&line, name),
                }
            }
        }
    }
    for file in captures() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = sns_cli();
        let output = command.args(["--json", "--redact", "--extract"]).arg(folder.path());
        for line in lines(&output.arg(&file).output().unwrap()) {
            check(&line, &file);
        }
    }
    let unreadable = lines(&sns_cli().args(["--json", "missing.pcap"]).output().unwrap());
    check(&unreadable[0], "missing.pcap");
    let expected =
        ["capture", "connection", "exchange", "lookup", "request", "response", "unknown", "xml"];
    let missing: Vec<_> = expected.iter().filter(|form| !forms.contains(**form)).collect();
    // Answers have no goldens of their own among files.
    assert!(missing.is_empty() || missing == [&"response"], "{missing:?}");
    assert!(count > 200, "only {count}");
}

#[test]
fn the_schema_refuses_what_is_not_described() {
    let schema = schema();
    let mut line = told("pcap/email.pcap").remove(0);
    assert!(schema.is_valid(&line));
    line["surprise"] = 1.into();
    assert!(!schema.is_valid(&line));
    line.as_object_mut().unwrap().remove("surprise");
    line["request"]["http"]["status"] = "200".into();
    assert!(!schema.is_valid(&line));
}

/// The same conversation, however it travelled and in whatever file it is.
#[test]
fn the_way_of_the_packets_changes_nothing_of_what_is_said() {
    let said = |file: &str| -> Vec<(Value, Value)> {
        let mut exchanges: Vec<Value> =
            told(file).into_iter().filter(|line| line["form"] == "exchange").collect();
        exchanges.sort_by_key(|line| line["connection"].as_u64());
        let plain = |half: &Value| {
            let mut half = half.clone();
            for of_the_way in ["segments", "conflicts"] {
                half.as_object_mut().unwrap().remove(of_the_way);
            }
            half
        };
        exchanges.iter().map(|line| (plain(&line["request"]), plain(&line["answer"]))).collect()
    };
    for (source, rewritten) in [
        (
            "social.pcap",
            &[
                "reordered.pcap",
                "repeated.pcap",
                "overlap.pcap",
                "wrap.pcap",
                "no-handshake.pcap",
                "keep-alive.pcap",
                "fragments.pcap",
                "ipv6-fragments.pcap",
                "vlan.pcap",
                "padded.pcap",
                "raw.pcap",
                "wireless.pcap",
                "radiotap.pcap",
                "aggregated.pcap",
                "pieces.pcap",
                "ppi.pcap",
                "prism.pcap",
                "avs.pcap",
                "pppoe.pcap",
                "authenticated.pcap",
                "fragments-twice.pcap",
                "ipv6-options.pcap",
                "sections.pcapng",
                "odd-block.pcapng",
                "old-blocks.pcapng",
            ][..],
        ),
        (
            "email.pcap",
            &[
                "raw-12.pcap",
                "null-big-endian.pcap",
                "loop.pcap",
                "mpls.pcap",
                "pieces-plain.pcap",
                "big-endian-nano.pcap",
                "email.pcapng.gz",
                "junk.pcap.gz",
            ],
        ),
        ("kept.pcap", &["kept-directions.pcap", "kept-answers-first.pcap"]),
    ] {
        let expected = said(&format!("pcap/{source}"));
        assert!(!expected.is_empty());
        for file in rewritten {
            assert_eq!(said(&format!("pcap/{file}")), expected, "{file}");
        }
    }
}

/// The packets of a pcap file, each with its head, and the file's head.
fn packets(bytes: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (head, mut rest) = bytes.split_at(24);
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (packet, behind) = rest.split_at(16 + length);
        packets.push(packet.to_vec());
        rest = behind;
    }
    (head.to_vec(), packets)
}

/// What is told of the packets of these numbers.
fn told_of(head: &[u8], packets: &[Vec<u8>], chosen: impl Iterator<Item = usize>) -> Vec<Value> {
    let chosen: Vec<u8> = chosen.flat_map(|at| packets[at].clone()).collect();
    let mut child = listening();
    child.stdin.take().unwrap().write_all(&[head, &chosen].concat()).unwrap();
    lines(&child.wait_with_output().unwrap())
}

/// Whatever one or two segments are lost, with or without the handshake: no answer is told as that
/// to another request, and no loss as a fault of the server.
#[test]
fn whatever_is_lost_no_pair_is_wrong() {
    for (file, can_be_open) in [("pcap/kept.pcap", false), ("pcap/at-once.pcap", true)] {
        let (head, packets) = packets(&bytes(file));
        let whole = told_of(&head, &packets, 0..packets.len());
        let header = |half: &Value, name: &str| -> Option<Value> {
            let headers = half["http"]["headers"].as_array()?;
            Some(headers.iter().find(|header| header["name"] == name)?["value"].clone())
        };
        let key = |half: &Value| (half["kind"].clone(), half["http"]["target"].clone());
        let number = |half: &Value| header(half, "X-Answer");
        let right: Vec<_> = whole
            .iter()
            .filter(|line| line["form"] == "exchange")
            .map(|line| (key(&line["request"]), number(&line["answer"]).unwrap()))
            .collect();
        assert_eq!(right.len(), 4);
        // Ethernet, IPv4 without options, TCP: those with data.
        let has_data = |at: &usize| packets[*at].len() > 16 + 14 + 20 + 32;
        let data: Vec<usize> = (0..packets.len()).filter(has_data).collect();
        assert!(data.len() > 10, "{file}");
        let (mut open, mut count) = (0, 0);
        for start in [0, 3] {
            for (nth, &one) in data.iter().enumerate() {
                for &two in &data[nth..] {
                    let chosen = (start..packets.len()).filter(|at| ![one, two].contains(at));
                    let told = told_of(&head, &packets, chosen);
                    for line in told.iter().filter(|line| line["form"] == "exchange") {
                        let what =
                            format!("{file}, from {start}, without {one} and {two}: {line:#}");
                        assert_eq!(line.get("no_answer"), None, "{what}");
                        for warning in line["warnings"].as_array().into_iter().flatten() {
                            let name = warning["name"].as_str().unwrap();
                            let is_cut = can_be_open && name == "answer-in-several-segments";
                            assert!(is_cut || name == "connection-kept", "{what}");
                        }
                        let accepts = &line["firmware"]["accepts"];
                        assert!(accepts != false || can_be_open, "{what}");
                        open += usize::from(
                            line["error"]
                                .as_str()
                                .is_some_and(|error| error.contains("cannot be told")),
                        );
                        let asked = key(&line["request"]);
                        let pair = right.iter().find(|(request, _)| *request == asked);
                        if let (Some((_, right)), Some(answered)) = (pair, number(&line["answer"]))
                        {
                            assert_eq!(answered, *right, "{what}");
                            count += 1;
                        }
                    }
                    assert_eq!(told.last().unwrap()["kind"], "summary");
                }
            }
        }
        assert_eq!(open > 0, can_be_open, "{file}: {open}");
        assert!(count > 200, "{file}: {count}");
    }
}

#[test]
fn times_are_told_whatever_their_resolution() {
    let times = |file: &str| -> Vec<Value> {
        told(file)
            .into_iter()
            .filter(|line| line["form"] == "exchange")
            .map(|line| line["time"].clone())
            .collect()
    };
    assert_eq!(times("pcap/email.pcap"), times("pcap/big-endian-nano.pcap"));
    assert_eq!(times("pcap/email.pcap"), times("pcap/email.pcapng.gz"));
    let (plain, sections) = (times("pcap/social.pcap"), times("pcap/sections.pcapng"));
    // One of its interfaces counts milliseconds, another 2^-30 seconds.
    for (a, b) in plain.iter().zip(&sections) {
        assert_eq!(a.as_str().unwrap()[..22], b.as_str().unwrap()[..22]);
    }
}

#[test]
fn a_gap_is_a_gap_and_all_around_it_is_told() {
    let told = told("pcap/loss.pcap");
    let kinds: Vec<&str> = told.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    let upload = told.iter().find(|line| line["kind"] == "upload").unwrap();
    let photo = bytes("photo.jpg");
    let (mut holed, mut missing) = (photo.clone(), 0);
    for gap in upload["request"]["gaps"].as_array().unwrap() {
        let at = gap["offset"].as_u64().unwrap() as usize;
        let length = gap["length"].as_u64().unwrap() as usize;
        holed[at..at + length].fill(0);
        missing += length;
    }
    assert!(missing > 1000 && upload["request"]["missing_bytes"] == missing);
    assert_eq!(upload["request"]["sha256"], hex(&holed));
    assert_eq!(upload["answer"]["kind"], "success_answer");
    let tree = sns_cli().arg("pcap/loss.pcap").output().unwrap().stdout;
    let tree = String::from_utf8(tree).unwrap();
    let gap = &upload["request"]["gaps"][0];
    let line = format!("{} bytes from byte {} on", gap["length"], gap["offset"]);
    assert!(tree.contains(&line) && tree.contains("a file is uploaded"), "{tree}");
}

#[test]
fn a_wrong_server_is_told_every_wrong() {
    let told = told("pcap/wrong.pcap");
    let warnings = |kind: &str, nth: usize| -> BTreeSet<String> {
        let line = told.iter().filter(|line| line["kind"] == kind).nth(nth).unwrap();
        let warnings = line["warnings"].as_array().unwrap();
        let names = warnings.iter().map(|warning| warning["name"].as_str().unwrap());
        names.filter(|name| *name != "server-at-192.168").map(str::to_owned).collect()
    };
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(warnings("hotspot", 0), set(&["cookie-without-dot"]));
    assert_eq!(warnings("hotspot", 1), set(&["redirect-too-far"]));
    assert_eq!(warnings("hotspot", 2), set(&["redirected-msn-check"]));
    assert_eq!(warnings("hotspot", 3), set(&["header-spelling"]));
    let login = ["answer-in-several-segments", "long-screen-name", "long-session-key"];
    assert_eq!(warnings("login", 0), set(&login));
    let photo = ["chunked-answer", "connection-kept", "other-session", "resource-id-with-slash"];
    assert_eq!(warnings("photo", 0), set(&photo));
    let upload = ["answer-before-body", "no-success-status", "other-session"];
    assert_eq!(warnings("upload", 0), set(&upload));
    assert_eq!(warnings("email", 0), set(&["answer-too-slow"]));
    assert_eq!(warnings("logout", 0), set(&["no-answer"]));
    let long = ["answer-in-several-segments", "answer-too-long"];
    assert_eq!(warnings("auth", 0), set(&long));
    // An SH100 by its own words: its server must not be at 192.168.
    assert_eq!(told[0]["warnings"][0]["name"], "server-at-192.168");
    assert_eq!(told[0]["camera"]["models"], serde_json::json!(["SH100"]));
    let login = told.iter().find(|line| line["kind"] == "login").unwrap();
    assert_eq!(
        (&login["request"]["user"], &login["request"]["password"]),
        (&"f".into(), &"p".into())
    );
    assert_eq!(login["firmware"]["accepts"], false, "it reads the first segment only");
}

#[test]
fn a_right_server_is_told_no_wrong() {
    for file in ["social", "email", "ipv6", "hotspot", "names"] {
        for line in told(&format!("pcap/{file}.pcap")) {
            assert_eq!(line.get("warnings"), None, "{file}");
            if line["form"] == "exchange" {
                assert_eq!(line["firmware"]["accepts"], true, "{file}");
            }
        }
    }
}

#[test]
fn what_is_extracted_is_what_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=2 {
        let mut command = sns_cli();
        command.args(["--json", "--extract"]).arg(folder.path());
        let output = command.args(["pcap/social.pcap", "pcap/email.pcap"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let manifest = if round == 1 { "manifest.jsonl" } else { "manifest-2.jsonl" };
        let manifest = std::fs::read_to_string(folder.path().join(manifest)).unwrap();
        let mut photos = 0;
        for line in manifest.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            let name = entry["name"].as_str().unwrap();
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            assert_eq!(
                (&entry["length"], &entry["sha256"]),
                (&bytes.len().into(), &hex(&bytes).into())
            );
            assert_eq!(entry["complete"], true);
            let kind = entry["kind"].as_str().unwrap();
            assert!(
                !["auth", "answer", "unknown"].contains(&kind),
                "as the report calls it: {kind}"
            );
            photos += usize::from(bytes == self::bytes("photo.jpg"));
        }
        assert_eq!((manifest.lines().count(), photos), (12, 2));
        let listed: Vec<Value> = lines(&output)
            .iter()
            .flat_map(|line| {
                [line["request"]["extracted"].clone(), line["answer"]["extracted"].clone()]
            })
            .filter_map(|names| names.as_array().cloned())
            .flatten()
            .collect();
        assert_eq!(listed.len(), 12);
    }
    // The second time nothing was overwritten.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 26);
}

/// What `--extract` says of a capture, each entry with its bytes.
fn extracted(file: &str) -> Vec<(Value, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = sns_cli();
    command.args(["--json", "--extract"]).arg(folder.path()).arg(file);
    command.output().unwrap();
    let manifest = std::fs::read_to_string(folder.path().join("manifest.jsonl")).unwrap();
    let read = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        let bytes = std::fs::read(folder.path().join(entry["name"].as_str().unwrap())).unwrap();
        assert_eq!(entry["sha256"], hex(&bytes));
        (entry, bytes)
    };
    manifest.lines().map(read).collect()
}

#[test]
fn a_photo_is_kept_whatever_became_of_its_head() {
    let photo = bytes("photo.jpg");
    // The head is there, but not understood: all of the photo is.
    for file in ["two-lengths", "long-head"] {
        let all = extracted(&format!("pcap/{file}.pcap"));
        let (entry, kept) = all.iter().find(|(entry, _)| entry["form"] == "request").unwrap();
        assert_eq!((kept, &entry["complete"]), (&photo, &false.into()), "{file}");
        assert_eq!((&entry["kind"], &entry["file_name"]), (&"upload".into(), &"photo.jpg".into()));
    }
    // The head is not there: what is left of the photo is, to its end.
    for file in ["middle", "kept-no-head", "kept-no-two", "begins-in-photo", "loss-email"] {
        let all = extracted(&format!("pcap/{file}.pcap"));
        let (entry, kept) = all.iter().find(|(entry, _)| entry["field"] == "rest").unwrap();
        let end = &photo[photo.len() - 1000..];
        let at = kept.windows(end.len()).position(|bytes| bytes == end).unwrap();
        let start = photo.len() - 1000 - at.min(photo.len() - 1000);
        let from = at + 1000 - (photo.len() - start);
        assert_eq!(kept[from..at + 1000], photo[start..], "{file}: every byte that is there");
        assert_eq!((&entry["complete"], &entry["start_known"]), (&false.into(), &false.into()));
        assert_eq!((&entry["kind"], entry.get("file_name")), (&"unknown".into(), None));
    }
}

#[test]
fn bytes_that_came_twice_and_differed_are_marked_at_their_file() {
    for file in ["repeated", "overlap"] {
        let all = extracted(&format!("pcap/{file}.pcap"));
        let contested: Vec<_> = all.iter().filter(|(e, _)| e.get("conflicts").is_some()).collect();
        assert_eq!(contested.len(), 1, "{file}");
        let (entry, _) = contested[0];
        assert_eq!(entry["conflicts"], serde_json::json!([{ "offset": 0, "length": 1448 }]));
        assert_eq!(entry["kind"], "upload");
    }
}

#[test]
fn what_the_capture_lacks_is_no_fault_of_the_server() {
    for (file, missing) in [("lost-answer", 188), ("lost-answer-no-syn", 188)] {
        let line = &told(&format!("pcap/{file}.pcap"))[0];
        assert_eq!((&line["kind"], &line["missing_bytes"]), (&"upload".into(), &missing.into()));
        let error = line["error"].as_str().unwrap();
        assert!(error.contains("not in the capture") && error.contains("188 bytes"), "{error}");
        assert_eq!((line.get("no_answer"), line.get("warnings")), (None, None), "{file}");
    }
    for file in ["cut-answer", "cut-answer-head"] {
        let line = &told(&format!("pcap/{file}.pcap"))[0];
        assert_eq!(line["firmware"].get("accepts"), None, "{file}");
        assert!(line["firmware"]["verdict"].as_str().unwrap().contains("cannot be told"), "{file}");
        assert_eq!((line.get("no_answer"), line.get("warnings")), (None, None), "{file}");
    }
    // But a server that closes without a word does so.
    let line = told("pcap/wrong.pcap").into_iter().find(|line| line["kind"] == "logout").unwrap();
    assert_eq!(line["no_answer"], true);
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("in");
    for name in
        ["%2e%2e%2f%2e%2e%2fescape.jpg", "..", "%2fetc%2fpasswd", "a%00b", "manifest.jsonl", "%ff"]
    {
        let request = format!("PUT /upload/k/{name} HTTP/1.1\r\nContent-Length: 4\r\n\r\n\u{1}abc");
        let part = "--B\r\nContent-Disposition: form-data; name=\"binary\"; fileName=\"../../x/..\"\r\n\r\nx\r\n--B--";
        let email = format!(
            "POST /social/columbus/email HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\n\
             Content-Length: {}\r\n\r\n{part}",
            part.len()
        );
        for message in [request, email] {
            let mut command = sns_cli();
            command
                .arg("--extract")
                .arg(&inner)
                .arg("-")
                .stdin(Stdio::piped())
                .stdout(Stdio::null());
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
            child.wait().unwrap();
        }
    }
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names(folder.path()), ["in"]);
    let names = names(&inner);
    assert_eq!(names.len(), 12 + 6 + 12, "{names:?}");
    for name in names {
        assert!(name.starts_with("00") || name.starts_with("manifest"), "{name}");
    }
}

/// Reads lines until one of this kind comes.
fn await_kind(reader: &mut impl BufRead, kind: &str) -> Value {
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "no {kind} came");
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["kind"] == kind {
            return line;
        }
    }
}

#[test]
fn a_capture_that_is_still_made_is_told_as_it_grows() {
    for file in ["pcap/social.pcap", "pcap/sections.pcapng"] {
        let bytes = bytes(file);
        let mut child = listening();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // By and by, and the login is told before the rest is there.
        let (some, rest) = bytes.split_at(bytes.len() * 2 / 5);
        for piece in some.chunks(97) {
            input.write_all(piece).unwrap();
            input.flush().unwrap();
        }
        let login = await_kind(&mut output, "login");
        assert_eq!(login["request"]["user"], "anna@example.com", "{file}");
        input.write_all(rest).unwrap();
        drop(input);
        await_kind(&mut output, "upload");
        assert_eq!(await_kind(&mut output, "summary")["exchanges"], 4);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn wherever_a_capture_is_cut_the_rest_is_told() {
    let bytes = bytes("pcap/social.pcap");
    let mut most = 0;
    for end in (0..bytes.len()).step_by(613).chain([bytes.len() - 1]) {
        let mut child = listening();
        child.stdin.take().unwrap().write_all(&bytes[..end]).unwrap();
        let output = child.wait_with_output().unwrap();
        let told = lines(&output);
        assert_eq!(output.status.code(), Some(1), "{end}");
        if end >= 24 {
            assert_eq!(told.last().unwrap()["kind"], "summary");
            let exchanges = told.last().unwrap()["exchanges"].as_u64().unwrap();
            assert!(exchanges >= most, "{end}");
            most = exchanges;
        }
    }
    assert_eq!(most, 4);
}

#[test]
fn nothing_secret_of_a_capture_is_left_when_redacted() {
    for file in captures() {
        for arguments in [&["--redact"][..], &["--redact", "--json"]] {
            let output = sns_cli().args(arguments).arg(&file).output().unwrap();
            let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            for secret in [
                "anna",
                "secret5",
                "granny",
                "Sea",
                "waves",
                "Samsung NX Lover",
                "123456789033",
                "0123456789abcdef",
            ] {
                assert!(!text.contains(secret), "{file}: {secret} is left in:\n{text}");
            }
            assert!(!text.contains("pcap/"), "{file}");
        }
    }
}

#[test]
fn there_is_no_colour_in_a_pipe() {
    let mut child = sns_cli().arg("pcap/wrong.pcap").stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    assert!(!text.contains('\u{1b}') && text.contains("cookie-without-dot"), "{text}");
    let mut command = sns_cli();
    let output = command.arg("pcap/wrong.pcap").env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(output.stdout.contains(&0x1b), "who forces colour gets it");
    let mut command = sns_cli();
    command.arg("pcap/wrong.pcap").env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    assert!(!command.output().unwrap().stdout.contains(&0x1b));
}
