//! The command line: what was asked for becomes an exit code.
//!
//! Law: 0 is success, 1 a broken input or a server that refused, 2 something that could not even be
//! tried. A reader of our output that goes away (`| head`) is no error.

mod decode;
mod extract;
mod models;
mod print;
mod redact;
mod report;
mod simulate;

use clap::{Parser, Subcommand};
use sns_cli::capture;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

/// Explains what Samsung's WiFi cameras (2009-2015) sent, and behaves like one.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain what a camera said: packet captures, HTTP requests and answers, XML bodies,
    /// recognised by their content
    ///
    /// Exit code: 0 understood (oddities and warnings are only noted), 1 broken input, or something
    /// is missing in it, 2 a file that cannot be read. With several files, the worst of them.
    Decode(decode::Arguments),
    /// Send files to a server exactly as an NX300 does, and say what it answered
    ///
    /// Exit code: 0 everything was accepted, 1 the server refused or answered what the firmware
    /// would not understand, 2 no connection, or a file that cannot be read.
    Simulate(simulate::Arguments),
    /// Say what is known of each camera: what it sends, how it checks its hotspot, what works
    ///
    /// Exit code: 0, or 2 for a model that is not known.
    Models(models::Arguments),
}

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
        Command::Models(arguments) => models::run(&arguments, &mut io::stdout().lock()),
        Command::Simulate(arguments) => Ok(simulate::run(&arguments, &mut io::stdout().lock())),
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
