//! Arguments that are programs themselves: the script of `sh -c`, of `python3 -c`, of `ssh HOST`.
//!
//! Law: nobody who sends a mail writes a part of a program. A placeholder in such a text is refused,
//! for no quoting around it holds.

use super::template::Template;
use std::ops::Range;

const SHELLS: [&str; 11] =
    ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash"];
/// Other languages: the letters of options, and the words, behind which stands a program.
const LANGUAGES: [(&str, &str, &[&str]); 7] = [
    ("python", "c", &[]),
    ("perl", "eE", &[]),
    ("ruby", "e", &[]),
    ("node", "ep", &["--eval", "--print"]),
    ("php", "rBRE", &["--run"]),
    ("lua", "e", &[]),
    ("Rscript", "e", &[]),
];
/// Those who hand a text to a shell, or take it apart, behind such an option only.
const CARRIERS: [(&str, &str, &[&str]); 5] = [
    ("su", "c", &["--command"]),
    ("runuser", "c", &["--command"]),
    ("script", "c", &["--command"]),
    ("flock", "c", &["--command"]),
    ("env", "S", &["--split-string"]),
];
/// Their first argument is a program.
const FIRST: [&str; 5] = ["awk", "gawk", "mawk", "sed", "eval"];
/// All their arguments become a program on another machine.
const REMOTE: [&str; 3] = ["ssh", "rsh", "mosh"];
/// Options of shells and languages whose value is the next argument.
const WITH_VALUE: [&str; 12] =
    ["-o", "+o", "-O", "+O", "-W", "-X", "-I", "-d", "-r", "--require", "-F", "-v"];

/// What is wrong if a placeholder stands in a program, and what to do. `arguments` are those of `argv`
/// without the first.
pub(super) fn of_senders(
    argv: &[String],
    arguments: &[Template],
    stdin: Option<&Template>,
) -> Option<String> {
    // Not the first word only: there are `sudo`, `timeout 5`, `busybox` and the like.
    for at in 0..argv.len() {
        let name = argv[at].rsplit('/').next().unwrap_or_default();
        let rest = &argv[at + 1..];
        let filled = |n: &usize| arguments.get(at + n).is_some_and(|argument| !argument.is_plain());
        match program(name, rest, at == 0) {
            Some(Program::Arguments(mut range)) => {
                // What stands behind a program is only what it is given.
                let found = range.find(filled)?;
                return Some(format!("argv: {}", advice(&format!("{:?}", rest[found]), name)));
            }
            Some(Program::Stdin) => {
                stdin.filter(|text| !text.is_plain())?;
                return Some(format!("stdin: {}", advice("what it holds", name)));
            }
            None => {}
        }
    }
    None
}

fn advice(what: &str, name: &str) -> String {
    format!(
        "{what} is a program that {name} runs, and with a placeholder in it whoever sends a photo \
         could write a part of that program. Take the placeholder out: read the value from the \
         environment ($SNS_BODY, $SNS_SUBJECT, …), or give it as an argument of its own behind the \
         program ([\"sh\", \"-c\", \"printf %s \\\"$1\\\"\", \"sh\", \"{{body}}\"])"
    )
}

/// Where a program text comes from.
enum Program {
    /// One of these arguments.
    Arguments(Range<usize>),
    Stdin,
}

/// The program text that somebody of this name would run with these arguments.
fn program(name: &str, rest: &[String], is_first_word: bool) -> Option<Program> {
    // python3.12, php8
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let first = first_argument(rest);
    if REMOTE.contains(&name) {
        return Some(Program::Arguments(0..rest.len()));
    }
    if FIRST.contains(&name) {
        return first.map(|first| Program::Arguments(first..first + 1));
    }
    let is_shell = SHELLS.contains(&name);
    let carrier = CARRIERS.iter().find(|(carrier, ..)| *carrier == name);
    let language = LANGUAGES.iter().find(|(language, ..)| *language == bare);
    let (letters, words): (&str, &[&str]) = match carrier.or(language) {
        Some((_, letters, words)) => (letters, words),
        None if is_shell => ("c", &[]),
        None => return None,
    };
    // Options behind the file with the program are that program's.
    let ours = if carrier.is_some() { rest.len() } else { first.unwrap_or(rest.len()) };
    let takes = |text: &String| {
        let is_word = |word: &&str| {
            text.strip_prefix(*word).is_some_and(|r| r.is_empty() || r.starts_with('='))
        };
        has_letter(text, letters) || words.iter().any(is_word)
    };
    if let Some(option) = rest[..ours].iter().position(takes) {
        let next = first_argument(&rest[option + 1..]).map_or(option, |next| option + 1 + next);
        return Some(Program::Arguments(option..next + 1));
    }
    let reads_stdin = match first {
        None => true,
        Some(first) => {
            ["-", "/dev/stdin"].contains(&rest[first].as_str())
                || is_shell && rest[..first].iter().any(|text| has_letter(text, "s"))
        }
    };
    match first {
        _ if carrier.is_some() => None,
        _ if reads_stdin => (is_first_word || is_shell).then_some(Program::Stdin),
        // The file with the program.
        Some(first) if is_first_word => Some(Program::Arguments(first..first + 1)),
        _ => None,
    }
}

/// Whether one of these is among options that stand together (`-ec`), or has its value behind it
/// (`-eprint`).
fn has_letter(text: &str, letters: &str) -> bool {
    let options = text.strip_prefix('-').unwrap_or_default();
    options.chars().take_while(char::is_ascii_alphabetic).any(|option| letters.contains(option))
}

/// The first that is neither an option nor the value of one.
fn first_argument(rest: &[String]) -> Option<usize> {
    let mut is_value = false;
    rest.iter().position(|text| {
        let has_value = WITH_VALUE.contains(&text.as_str());
        let is_option = text.len() > 1 && text.starts_with(['-', '+']);
        !std::mem::replace(&mut is_value, has_value) && !is_option
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Keys};

    fn new(toml: &str) -> Result<(), String> {
        let keys: Keys = toml::from_str(toml).unwrap();
        Command::new(keys).map(drop)
    }

    #[test]
    fn a_placeholder_within_a_program_is_refused() {
        for toml in [
            "argv = ['sh', '-c', 'echo {body}']",
            "argv = ['sh', '-c', '{body}']",
            "argv = ['/bin/bash', '-lc', 'echo \"{subject}\"']",
            "argv = ['bash', '-eu', '-o', 'pipefail', '-c', 'echo {user}']",
            "argv = ['sh', '-c', '-e', 'echo {user}']",
            "argv = ['sudo', '-u', 'me', 'sh', '-c', 'cat {filename}']",
            "argv = ['timeout', '5', 'sh', '-c', 'cat {filename}']",
            "argv = ['busybox', 'sh', '-c', 'cat {filename}']",
            "argv = ['xargs', 'sh', '-c', 'cat {filename}']",
            "argv = ['sh', '{filename}']",
            "argv = ['sh']\nstdin = 'echo {body}'",
            "argv = ['sh', '-s']\nstdin = 'echo {body}'",
            "argv = ['sh', '-s', 'a']\nstdin = 'echo {body}'",
            "argv = ['sudo', 'bash']\nstdin = 'echo {body}'",
            "argv = ['python3', '-']\nstdin = 'print(\"{body}\")'",
            "argv = ['python3', '-W', 'ignore', '-c', 'print(\"{body}\")']",
            "argv = ['php', '-r', 'echo {body};']",
            "argv = ['python3', '-c', 'print(\"{body}\")']",
            "argv = ['python3.12', '-c', 'print(\"{body}\")']",
            "argv = ['/usr/bin/perl', '-e', 'print \"{body}\"']",
            "argv = ['node', '--eval={body}']",
            "argv = ['perl', '-lane', 'print \"{body}\"']",
            "argv = ['perl', '-eprint \"{body}\"']",
            "argv = ['awk', 'BEGIN { print \"{body}\" }']",
            "argv = ['awk', '-F', ':', 'BEGIN { print \"{body}\" }']",
            "argv = ['su', 'me', '-c', 'echo {body}']",
            "argv = ['env', '-S', 'echo {body}']",
            "argv = ['ssh', 'printer', 'lp', '{filename}']",
            "argv = ['sudo', 'ssh', 'printer', 'lp {filename}']",
        ] {
            let said = new(toml).unwrap_err();
            assert!(
                said.contains("is a program that") && said.contains("SNS_BODY"),
                "{toml}: {said}"
            );
            assert!(said.starts_with("argv: ") || said.starts_with("stdin: "), "{said}");
        }
    }

    #[test]
    fn what_a_program_gets_as_a_value_is_not() {
        for toml in [
            "argv = ['sh', '-c', 'echo \"$1\"', 'sh', '{body}']",
            "argv = ['sh', '-c', 'cat']\nstdin = '{body}'",
            "argv = ['sh', '-c', 'cat', 'sh']\nstdin = '{body}'",
            "argv = ['sh', '-ec', 'echo \"$SNS_BODY\"', 'sh', '{filename}']",
            "argv = ['sh', '/usr/local/bin/print.sh', '{filename}', '-c', '{body}']",
            "argv = ['python3', '/x.py', '{body}']\nstdin = '{subject}'",
            "argv = ['python3', '-c', 'import sys', '{body}']",
            "argv = ['lp', '-t', '{subject}', '--', '{filename}']",
            "argv = ['mail', '-s', '{subject}', 'me']\nstdin = '{body}'",
            "argv = ['convert', '{filename}', '-c', 'a{user}']",
            "argv = ['sudo', '-u', 'me', 'lp', '{filename}']",
            "argv = ['env', 'A={body}', 'lp']",
            "argv = ['ssh', 'printer', 'lp']\nstdin = '{body}'",
            "argv = ['archive', \"awk '{print $1}'\", '{filename}']",
        ] {
            assert_eq!(new(toml), Ok(()), "{toml}");
        }
    }
}
