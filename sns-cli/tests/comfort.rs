//! Help, completions, man pages, and readers that go away.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use std::process::{Command, Output};

const COMMANDS: [&str; 5] = ["decode", "simulate", "check", "key", "models"];

fn sns_cli(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sns-cli")).args(arguments).output().unwrap()
}

fn said(arguments: &[&str]) -> String {
    let output = sns_cli(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_names_every_command_but_the_hidden_ones() {
    let help = said(&["--help"]);
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in {help}");
        let its = said(&[command, "--help"]);
        assert!(its.contains("Examples") && its.contains("Exit code"), "{its}");
    }
    assert!(!help.contains("\n  man ") && !help.contains("\n  completions "), "{help}");
}

#[test]
fn completions_are_written_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = said(&["completions", shell]);
        for hidden in ["Write man pages", "Write a completion script", ",completions)"] {
            assert!(!script.contains(hidden), "{hidden} is in the script for {shell}");
        }
        for word in COMMANDS.iter().chain(&["--cut-at", "--dns"]) {
            let bare = word.trim_start_matches('-');
            assert!(script.contains(bare), "{word} is not in the script for {shell}");
        }
    }
    assert_eq!(sns_cli(&["completions", "cobol"]).status.code(), Some(2));
}

#[test]
fn bash_completes_what_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("sns-cli.bash");
    std::fs::write(&script, said(&["completions", "bash"])).unwrap();
    let Ok(bash) = Command::new("bash").arg("--version").output() else { return };
    assert!(bash.status.success());
    for (words, expected) in [
        ("che", "check"),
        ("m", "models"),
        ("comp", ""),
        ("simulate --para", "--parallel"),
        ("simulate --model NX31", "NX310"),
        ("simulate --model NXm", "NXmini"),
        ("check --model WB37", "WB37F"),
        ("models WB37", "WB37F"),
        ("simulate --rate /et", "/et"),
    ] {
        let ask = format!(
            "source {}; COMP_WORDS=(sns-cli {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _sns__cli sns-cli \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; echo \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), expected, "{words}");
    }
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("a/man1");
    assert_eq!(said(&["man", pages.to_str().unwrap()]), "");
    let mut found: Vec<String> = std::fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut expected: Vec<String> = COMMANDS.map(|command| format!("sns-cli-{command}.1")).into();
    expected.extend(["sns-cli.1", "sns-cli-key-open.1", "sns-cli-key-seal.1"].map(str::to_owned));
    expected.sort();
    assert_eq!(found, expected);
    let page = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
    let check = page("sns-cli-check.1");
    let example = ".SH EXAMPLES\n.EX\nsns\\-cli check 10.42.0.1 \\-\\-dns 10.42.0.1\n";
    assert!(check.contains(".SH OPTIONS") && check.contains(example), "{check}");
    let open = page("sns-cli-key-open.1");
    assert!(open.contains("<VALUE> open [OPTIONS] <FIELD>"), "{open}");
    assert!(page("sns-cli.1").contains("\n.SH ENVIRONMENT\nNO_COLOR "), "{}", page("sns-cli.1"));
    what_is_shown_can_be_typed(&pages);
    // A folder that cannot be made: there is a file in its place.
    let page = pages.join("sns-cli.1");
    let output = sns_cli(&["man", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write to"));
}

/// The examples of a page, as groff lays it out, are those of the help, letter by letter.
fn what_is_shown_can_be_typed(pages: &std::path::Path) {
    let groff = Command::new("groff")
        .args(["-man", "-Tutf8", "-P-cbou", "-rLL=60n"])
        .arg(pages.join("sns-cli-key.1"))
        .output();
    let Ok(shown) = groff else { return };
    let shown = String::from_utf8(shown.stdout).unwrap();
    let help = said(&["key", "--help"]);
    let examples: Vec<&str> =
        help.lines().map(str::trim).filter(|line| line.starts_with("sns-cli key")).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let is_example = |line: &str| line.trim() == example;
        assert!(shown.lines().any(is_example), "{example} is not in {shown}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let key = "/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y=";
    for (arguments, code) in [
        (&["models"][..], 0),
        (&["models", "NX300"], 0),
        (&["key", key], 0),
        (&["key", key, "seal", "f"], 0),
        (&["completions", "zsh"], 0),
        // A closed port stays one.
        (&["check", "127.0.0.1", "--port", "1", "--dns", "none"], 1),
        (&["check", "127.0.0.1", "--port", "1", "--dns", "none", "--json"], 1),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
        let output = command.args(arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}
