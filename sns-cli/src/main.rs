//! The command line: what was asked for becomes an exit code.
//!
//! Law: 0 is success, 1 a broken input or a server that refused, 2 something that could not even be
//! tried. A reader of our output that goes away (`| head`) is no error.

mod check;
mod complete;
mod decode;
mod extract;
mod habits;
mod key;
mod login;
mod models;
mod print;
mod redact;
mod report;
mod simulate;

use clap::{CommandFactory, Parser, Subcommand};
use sns_cli::capture;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

/// Explains what Samsung's WiFi cameras (2009-2015) sent, and behaves like one.
#[derive(Debug, Parser)]
#[command(version, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain what a camera said: packet captures, HTTP requests and answers, XML bodies,
    /// recognised by their content
    ///
    /// Ctrl-C ends a capture that is still being made, and tells what there is so far; a second one
    /// ends at once.
    ///
    /// Exit code: 0 understood (oddities and warnings are only noted), 1 broken input, or something
    /// is missing in it, or nothing could be decoded, 2 a file that cannot be read. With several
    /// files, the worst of them.
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(decode::Arguments),
    /// Send files to a server exactly as a camera does, and say what it answered
    ///
    /// It stops where a camera would: at what `sns-cli check` calls red.
    ///
    /// Exit code: 0 everything was accepted, 1 the server refused, or answered so that a camera
    /// stops, or the model comes no further, or --cut-at cut, or Ctrl-C ended --repeat (the table
    /// is shown all the same), 2 no connection, a file that cannot be read, something this model
    /// cannot do, output that cannot be written, or a wrong command line.
    Simulate(simulate::Arguments),
    /// Walk through a server from a camera's point of view: names, address, port, every answer
    ///
    /// Exit code: 0 nothing is red, 1 something is, 2 it could not be tried.
    Check(check::Arguments),
    /// Take the session key of a login apart, or open and seal single fields with it
    ///
    /// Exit code: 0 done, 1 the key or the field cannot be read, 2 a wrong command line.
    Key(key::Arguments),
    /// Say what is known of each camera: what it sends, how it checks its hotspot, what works
    ///
    /// Exit code: 0, or 2 for a model that is not known.
    #[command(after_help = MODELS_EXAMPLES)]
    Models(models::Arguments),
    /// Write a completion script for a shell to standard output
    ///
    /// Exit code: 0, or 2 for a shell that is not known.
    #[command(hide = true)]
    Completions(complete::Completions),
    /// Write man pages into a folder
    ///
    /// Exit code: 0, or 2 if they cannot be written.
    #[command(hide = true)]
    Man(complete::Man),
}

const HELP: &str = "\
Examples:
  sns-cli decode login.xml
  sns-cli check 10.42.0.1 --dns 10.42.0.1
  sns-cli simulate --server http://127.0.0.1:8080 SAM_0001.JPG

Exit code: 0 success, 1 a broken input, or a server that refused or is wrong, 2 what could not even be
tried, such as a wrong command line. A reader of the output that goes away is no error.

Packages: sns-cli completions SHELL, and sns-cli man DIR.

Environment: NO_COLOR switches colours off; without a terminal there are none.";

const DECODE_EXAMPLES: &str = "\
Examples:
  sns-cli decode login.xml
  sns-cli decode --json request.http answer.http
  sns-cli decode --redact -
  sns-cli decode --extract photos camera.pcapng

Live, until you press Ctrl-C: tcpdump -i wlan0 -U -w - | sns-cli decode -";

const MODELS_EXAMPLES: &str = "\
Examples:
  sns-cli models
  sns-cli models 'NX mini'";

/// How it went; the worst of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Understood, or accepted.
    Good = 0,
    /// Broken, or refused.
    Bad = 1,
    /// Could not be tried.
    Impossible = 2,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Decode(arguments) => decode::run(&arguments, &mut io::stdout().lock()),
        Command::Check(arguments) => check::run(&arguments, &mut io::stdout().lock()),
        Command::Key(arguments) => key::run(&arguments, &mut io::stdout().lock()),
        Command::Models(arguments) => models::run(&arguments, &mut io::stdout().lock()),
        Command::Completions(arguments) => {
            complete::completions(&arguments, Arguments::command(), &mut io::stdout().lock())
        }
        Command::Man(arguments) => Ok(complete::man(&arguments, Arguments::command())),
        Command::Simulate(arguments) => simulate::run(&arguments, &mut io::stdout().lock()),
    };
    match done {
        Ok(outcome) => ExitCode::from(outcome as u8),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            print::complain(&format!("cannot write the output: {error}"));
            ExitCode::from(Outcome::Impossible as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line, as a shell would take them apart.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match (c, words.last_mut()) {
                ('\'', _) => quoted = !quoted,
                (' ', _) if !quoted => words.push(String::new()),
                (_, Some(word)) => word.push(c),
                (_, None) => {}
            }
        }
        words
    }

    #[test]
    fn every_command_has_examples_that_can_be_typed() {
        Arguments::command().debug_assert();
        let mut command = Arguments::command();
        command.build();
        let commands = command.get_subcommands().filter(|command| command.get_name() != "help");
        for command in [&command].into_iter().chain(commands) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            let examples: Vec<&str> =
                help.lines().filter_map(|line| line.strip_prefix("  sns-cli ")).collect();
            assert!(help.starts_with("Examples") && !examples.is_empty(), "{name}: {help:?}");
            for example in examples {
                let typed = example.split(" > ").next().unwrap_or_default();
                let typed = [vec!["sns-cli".to_owned()], words(typed)].concat();
                assert!(Arguments::try_parse_from(&typed).is_ok(), "{typed:?}");
                assert!(name == "sns-cli" || typed[1] == name, "{name}: {example}");
            }
            let told = command.get_long_about().map(ToString::to_string).unwrap_or_default();
            assert!((help + &told).contains("Exit code"), "{name}");
        }
    }
}
