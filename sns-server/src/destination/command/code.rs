//! Arguments that are programs themselves: the script of `sh -c`, of `python3 -c`, of `ssh HOST`.
//!
//! Law: nobody who sends a mail writes a part of a program. Behind an interpreter a placeholder stands
//! only where a value for its script stands, whatever its options mean; what is in doubt is refused.

use super::template::Template;

/// Those who run a text as a program, or hand it to a shell. Versions are left out: python3.12.
const INTERPRETERS: [&str; 35] = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash", "pwsh",
    "python", "pypy", "perl", "ruby", "node", "nodejs", "php", "lua", "luajit", "Rscript", "tclsh",
    "expect", "awk", "gawk", "mawk", "nawk", "sed", "gsed", "env", "su", "runuser", "flock",
    "script",
];
/// They join all their arguments to a program, all but one of them on another machine.
const JOINERS: [&str; 6] = ["ssh", "slogin", "autossh", "rsh", "mosh", "eval"];
/// Behind these stands their value, not the script, with most interpreters.
const WITH_VALUE: [&str; 10] = ["-o", "+o", "-O", "+O", "-W", "-X", "-I", "-F", "-v", "-d"];
/// The same with ssh.
const OF_SSH: [&str; 6] = ["-o", "-p", "-i", "-l", "-F", "-J"];

/// What is wrong if a placeholder stands in a program, and what to do. `arguments` are those of `argv`
/// without the first.
pub(super) fn of_senders(
    argv: &[String],
    arguments: &[Template],
    stdin: Option<&Template>,
) -> Option<String> {
    // Not the first word only: there are `sudo`, `timeout 5`, `find -exec` and the like.
    for at in 0..argv.len() {
        let name = name_of(&argv[at]);
        let joins = JOINERS.contains(&name);
        // rsync -e ssh
        let is_value = at > 0 && is_option(&argv[at - 1]);
        let is_value = is_value && argv[..at].iter().any(|word| name_of(word) == "rsync");
        if is_value || !joins && !INTERPRETERS.contains(&name) {
            continue;
        }
        let (texts, arguments) = (&argv[at + 1..], &arguments[at..]);
        let is_word = |n: usize, with_value: &[&str]| {
            let is_one = !texts[n].is_empty() && !is_option(&texts[n]) && texts[n] != "--";
            is_one && (n == 0 || !with_value.contains(&&*texts[n - 1]))
        };
        // su USER is a shell, and gives it what follows.
        let is_told = |n: usize| n > 0 && is_option(&texts[n - 1]) && texts[n - 1].contains('c');
        let script = (0..texts.len()).find(|n| {
            is_word(*n, &WITH_VALUE) && arguments[*n].is_plain() && (name != "su" || is_told(*n))
        });
        let is_value = |n: usize| {
            !joins
                && arguments[n].is_one_value()
                && script.is_some_and(|script| script < n)
                && !is_option(&texts[n - 1])
        };
        if let Some(n) = (0..texts.len()).find(|n| !arguments[*n].is_plain() && !is_value(*n)) {
            return Some(format!("argv: {}", advice(&format!("{:?}", texts[n]), name, joins)));
        }
        let is_shell = !joins && name.ends_with("sh");
        let reads_stdin = if joins {
            // A host and no program: a shell.
            (0..texts.len()).filter(|n| is_word(*n, &OF_SSH)).count() < 2
        } else {
            let options = &texts[..script.unwrap_or(0)];
            let is_s = |text: &String| is_option(text) && text.contains('s') && is_letters(text);
            script.is_none_or(|script| texts[script] == "/dev/stdin")
                || options.iter().any(|text| text == "-" || is_shell && is_s(text))
        };
        if reads_stdin && stdin.is_some_and(|text| !text.is_plain()) {
            return Some(format!("stdin: {}", advice("what it holds", name, joins)));
        }
        if is_shell && script.is_some() {
            // All that follows is what the script is given: ["sh", "-c", "…", "sh", "{body}"].
            return None;
        }
    }
    None
}

fn name_of(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
}

fn is_option(text: &str) -> bool {
    text.starts_with(['-', '+']) && text != "--"
}

/// Whether these are options that stand together: `-es`.
fn is_letters(option: &str) -> bool {
    option[1..].bytes().all(|letter| letter.is_ascii_alphabetic())
}

fn advice(what: &str, name: &str, joins: bool) -> String {
    let instead = if joins {
        format!(
            "Name the program behind {name} without any placeholder, and give it the value by `stdin` \
             ([\"ssh\", \"printer\", \"lp\"])"
        )
    } else {
        "Read the value from the environment ($SNS_BODY, $SNS_SUBJECT, …), or give it as a whole \
         argument behind the script and not behind an option \
         ([\"sh\", \"-c\", \"printf %s \\\"$1\\\"\", \"sh\", \"{body}\"])"
            .to_owned()
    };
    format!(
        "{what} can become a part of a program that {name} runs, which whoever sends a photo would \
         write. {instead}"
    )
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
            // Not the first program text only.
            "argv = ['perl', '-e', 'use X;', '-e', 'print \"{body}\"']",
            "argv = ['perl', '-e', 'use X;', '-e', '{body}']",
            "argv = ['sed', '-e', 's/a/b/', '-e', 's/c/{body}/', '/f']",
            "argv = ['sed', '-r', 's/{body}/x/', '/f']",
            "argv = ['sed', 's/a/b/', '/f', '--expression={body}']",
            // Behind options, of whomever.
            "argv = ['sudo', '-n', 'sh', '-c', 'echo {body}']",
            "argv = ['ionice', '-c', '3', 'sh', '-c', 'echo {body}']",
            "argv = ['find', '/x', '-exec', 'sh', '-c', 'echo {body}', ';']",
            "argv = ['nice', '--', 'sh', '-c', 'echo {body}']",
            "argv = ['flock', '/lock', '-c', '{body}']",
            "argv = ['flock', '/lock', 'sh', '{filename}']",
            // No script before it.
            "argv = ['bash', '-o', 'pipefail', '{filename}']",
            "argv = ['sh', '+x', '{filename}']",
            "argv = ['sh', '--', '{filename}']",
            "argv = ['sh', '-c', '--', '{body}']",
            "argv = ['sh', '-', '{filename}']",
            "argv = ['awk', '-F', ':', '{body}']",
            "argv = ['sed', '-i', '', '{body}']",
            "argv = ['sh', '-s', '--', '{body}']",
            "argv = ['su', 'me', '{filename}']",
            "argv = ['su', '-l', 'me', '{filename}']",
            "argv = ['su', 'me']\nstdin = 'echo {body}'",
            "argv = ['sh', '/dev/stdin']\nstdin = 'echo {body}'",
            "argv = ['awk', '-f', '-', '/f']\nstdin = '{body}'",
            "argv = ['sudo', '-n', 'python3']\nstdin = 'print(\"{body}\")'",
        ] {
            let said = new(toml).unwrap_err();
            assert!(said.contains("a program that") && said.contains("SNS_BODY"), "{toml}: {said}");
            assert!(said.starts_with("argv: ") || said.starts_with("stdin: "), "{said}");
        }
    }

    #[test]
    fn a_placeholder_for_a_program_on_another_machine_is_refused() {
        for toml in [
            "argv = ['ssh', 'printer', 'lp', '{filename}']",
            "argv = ['sudo', 'ssh', 'printer', 'lp {filename}']",
            "argv = ['sshpass', '-e', 'ssh', 'printer', 'lp', '{filename}']",
            "argv = ['ssh', 'nas']\nstdin = 'echo {body}'",
            "argv = ['ssh', '--', 'nas']\nstdin = 'echo {body}'",
            "argv = ['ssh', '-p', '22', 'nas']\nstdin = 'echo {body}'",
        ] {
            let said = new(toml).unwrap_err();
            assert!(said.contains("that ssh runs") && said.contains("by `stdin`"), "{said}");
        }
    }

    #[test]
    fn what_a_program_gets_as_a_value_is_not() {
        for toml in [
            "argv = ['sh', '-c', 'echo \"$1\"', 'sh', '{body}']",
            "argv = ['sh', '-c', 'echo \"$1\"', '--', '{body}']",
            "argv = ['bash', '-eu', '-o', 'pipefail', '-c', 'echo \"$1\"', 'bash', '{body}']",
            "argv = ['sudo', '-n', 'sh', '-c', 'echo \"$1\"', 'sh', '{body}']",
            "argv = ['sh', '-c', 'cat']\nstdin = '{body}'",
            "argv = ['sh', '-c', 'cat', 'sh']\nstdin = '{body}'",
            "argv = ['sh', '-ec', 'echo \"$SNS_BODY\"', 'sh', '{filename}']",
            "argv = ['sh', '/usr/local/bin/print.sh', '{filename}', '{body}']",
            "argv = ['python3', '/x.py', '{body}']\nstdin = '{subject}'",
            "argv = ['python3', '-u', '/x.py', '{body}']",
            "argv = ['python3', '-c', 'import sys', '{body}']",
            "argv = ['lp', '-t', '{subject}', '--', '{filename}']",
            "argv = ['mail', '-s', '{subject}', 'me']\nstdin = '{body}'",
            "argv = ['convert', '{filename}', '-c', 'a{user}']",
            "argv = ['sudo', '-u', 'me', 'lp', '{filename}']",
            "argv = ['env', 'A=b', 'lp', '{filename}']",
            "argv = ['flock', '/lock', 'lp', '{filename}']\nstdin = '{body}'",
            "argv = ['su', 'me', '-c', 'lp \"$1\"', '--', '{filename}']",
            "argv = ['su', '-l', 'me', '-c', 'lp']\nstdin = '{body}'",
            "argv = ['ssh', 'printer', 'lp']\nstdin = '{body}'",
            "argv = ['ssh', '-p', '22', 'printer', 'lp']\nstdin = '{body}'",
            "argv = ['rsync', '-a', '-e', 'ssh', '{filename}', 'nas:photos/']",
            "argv = ['nice', 'rsync', '-ave', 'ssh', '{filename}', 'nas:photos/']",
            "argv = ['rsync', '-a', '--rsh', 'ssh', '{filename}', 'nas:photos/']",
            "argv = ['sed', '-r', 's/a/b/', '{filename}']",
            "argv = ['sed', '-e', 's/a/b/', '-e', 's/c/d/', '{filename}']",
            "argv = ['sed', 's/a/b/', '-']\nstdin = '{body}'",
            "argv = ['awk', '-F', ':', '{print $1}', '{filename}']",
            "argv = ['archive', \"awk '{print $1}'\", '{filename}']",
        ] {
            assert_eq!(new(toml), Ok(()), "{toml}");
        }
    }
}
