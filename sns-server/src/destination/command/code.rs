//! Arguments that are programs themselves: the script of `sh -c`, of `python3 -c`, of `ssh HOST`.
//!
//! Law: nobody who sends a mail writes a part of a program. A placeholder in such a text is refused,
//! for no quoting around it holds.

use super::template::Template;

/// Who reads a program: by its name, the options before the program; where it has none of them, the
/// first argument is a file with the program, and without any the program comes by stdin.
const SHELLS: [&str; 11] =
    ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash"];
/// The same for other languages.
const LANGUAGES: [(&str, &[&str]); 8] = [
    ("python", &["-c"]),
    ("perl", &["-e", "-E"]),
    ("ruby", &["-e"]),
    ("node", &["-e", "--eval", "-p", "--print"]),
    ("php", &["-r"]),
    ("lua", &["-e"]),
    ("Rscript", &["-e"]),
    ("osascript", &["-e"]),
];
/// Those who hand a text to a shell behind an option.
const CARRIERS: [(&str, &[&str]); 5] = [
    ("su", &["-c", "--command"]),
    ("runuser", &["-c", "--command"]),
    ("script", &["-c", "--command"]),
    ("flock", &["-c", "--command"]),
    ("env", &["-S", "--split-string"]),
];
/// Their first argument is a program.
const FIRST: [&str; 5] = ["awk", "gawk", "mawk", "sed", "eval"];
/// All their arguments become a program on another machine.
const REMOTE: [&str; 3] = ["ssh", "rsh", "mosh"];

/// Options of shells and languages whose value is the next argument.
const WITH_VALUE: [&str; 10] = ["-o", "+o", "-O", "+O", "-W", "-X", "-I", "-d", "-r", "--require"];

/// What is wrong if a placeholder stands in a program, and what to do.
pub(super) fn of_senders(
    argv: &[String],
    arguments: &[Template],
    stdin: Option<&Template>,
) -> Option<String> {
    for at in 0..argv.len() {
        // Behind `sudo`, `timeout 5`, `busybox` and the like.
        let name = argv[at].rsplit('/').next().unwrap_or_default();
        let rest = &argv[at + 1..];
        let filled = |n: usize| arguments.get(at + n).is_some_and(|template| !template.is_plain());
        let first = first_argument(rest);
        let found = match kind(name) {
            Kind::None => None,
            Kind::Remote => (0..rest.len()).find(|n| filled(*n)),
            Kind::First => first.filter(|n| filled(*n)),
            Kind::Options(is_shell, options) => {
                let is_carrier = CARRIERS.iter().any(|(carrier, _)| *carrier == name);
                // What stands behind the file with the program is that program's.
                let ours = if is_carrier { rest.len() } else { first.unwrap_or(rest.len()) };
                let is_ours = |text: &String| is_option(text, is_shell, options);
                let is_stdin = |text: &String| ["-", "/dev/stdin"].contains(&text.as_str());
                let from_stdin = first.is_none_or(|first| is_stdin(&rest[first]))
                    || is_shell && rest[..ours].iter().any(|text| in_cluster(text, 's'));
                match rest[..ours].iter().position(is_ours) {
                    Some(option) if rest[option].starts_with("--") && filled(option) => {
                        Some(option)
                    }
                    Some(option) => first_argument(&rest[option + 1..])
                        .map(|n| option + 1 + n)
                        .filter(|n| filled(*n)),
                    None if is_carrier => None,
                    None if from_stdin && stdin.is_some_and(|text| !text.is_plain()) => {
                        return Some(format!("stdin: {}", advice("what it holds", name)));
                    }
                    None => first.filter(|n| at == 0 && filled(*n)),
                }
            }
        };
        if let Some(found) = found {
            return Some(format!("argv: {}", advice(&format!("{:?}", rest[found]), name)));
        }
        // What stands behind a program is only what it is given.
        let has_program = match kind(name) {
            Kind::None => false,
            Kind::Options(is_shell, options) => {
                let is_carrier = CARRIERS.iter().any(|(carrier, _)| *carrier == name);
                !is_carrier || rest.iter().any(|text| is_option(text, is_shell, options))
            }
            Kind::First | Kind::Remote => true,
        };
        if has_program {
            break;
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

enum Kind {
    None,
    /// Whether it is a shell, whose options may stand together (`-ec`).
    Options(bool, &'static [&'static str]),
    First,
    Remote,
}

fn kind(name: &str) -> Kind {
    // python3.12, php8
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let named = |list: &[(&'static str, &'static [&'static str])]| {
        list.iter().find(|(other, _)| *other == bare).map(|(_, options)| *options)
    };
    if SHELLS.contains(&name) {
        return Kind::Options(true, &["-c"]);
    }
    match named(&LANGUAGES).or_else(|| named(&CARRIERS)) {
        Some(options) => Kind::Options(false, options),
        None if FIRST.contains(&name) => Kind::First,
        None if REMOTE.contains(&name) => Kind::Remote,
        None => Kind::None,
    }
}

fn is_option(text: &str, is_shell: bool, options: &[&str]) -> bool {
    let with_value = |option: &&str| text.starts_with(&format!("{option}="));
    is_shell && in_cluster(text, 'c') || options.contains(&text) || options.iter().any(with_value)
}

/// Whether an option of one letter is among those that stand together: `-ec`.
fn in_cluster(text: &str, option: char) -> bool {
    text.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(option))
}

/// The first that is neither an option nor the value of one.
fn first_argument(rest: &[String]) -> Option<usize> {
    let mut is_value = false;
    rest.iter().position(|text| {
        let has_value = WITH_VALUE.contains(&text.as_str());
        let is_value = std::mem::replace(&mut is_value, has_value);
        !is_value && !(text.len() > 1 && text.starts_with(['-', '+']))
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
            "argv = ['awk', 'BEGIN { print \"{body}\" }']",
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
