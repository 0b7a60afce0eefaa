//! `sns-cli decode` over captures that are damaged at random: what is left of each is told to its end.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// So many times each capture is damaged, each time in another way.
const ROUNDS: u64 = 30;

/// The same numbers on every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Changes, removes, adds and repeats bytes; more often what is text than what is a photo.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..[1, 2, 5, 20][dice.below(4)] {
        if bytes.len() < 80 {
            return;
        }
        let mut at = dice.below(bytes.len() - 64);
        let text = bytes[at..].windows(5).position(|five| five == b"HTTP/" || five == b"\r\n\r\n");
        if let Some(text) = text.filter(|_| dice.below(2) == 0) {
            at = (at + text + dice.below(40)).min(bytes.len() - 64);
        }
        let length = 1 + dice.below(60);
        match dice.below(7) {
            0 => bytes[at] = dice.below(256) as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.drain(at..at + length)),
            3 => bytes[at..at + 4].fill([0, 0xff, 0x80, 0x7f][dice.below(4)]),
            4 => bytes[at..at + 4].fill([0, 1, b'\n', b' '][dice.below(4)]),
            5 => bytes.truncate(at + length),
            _ => {
                let piece = bytes[at..at + length].to_vec();
                let to = dice.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
}

#[test]
fn however_a_capture_is_damaged_it_is_told_to_its_end() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/pcap");
    let mut captures: Vec<_> = std::fs::read_dir(source)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng"))
        .collect();
    captures.sort();
    let mut dice = Dice(0x5a4d_5355_4e47_0001);
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
        command.args(["decode", "--json", "--extract"]).arg(folder.path().join("out"));
        let mut names = BTreeSet::new();
        for capture in &captures {
            let mut bytes = std::fs::read(capture).unwrap();
            damage(&mut bytes, &mut dice);
            let path = folder.path().join(capture.file_name().unwrap());
            std::fs::write(&path, bytes).unwrap();
            command.arg(&path);
            names.insert(path.display().to_string());
        }
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let kept = || format!("round {round}, of {:?}: {errors}", folder.keep());
        assert!(matches!(output.status.code(), Some(0..=2)), "{}: {}", output.status, kept());
        let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
        let told = lines.map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["file"].as_str().unwrap().to_owned()
        });
        assert_eq!(told.collect::<BTreeSet<_>>(), names, "round {round}");
    }
}
