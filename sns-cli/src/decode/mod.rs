//! `sns-cli decode`: captured bytes become reports.
//!
//! Law: nothing is read a second time in another way: the core's readers say what the bytes mean,
//! here it is only told. Broken input is shown as far as it was understood. Files and bodies are
//! streamed; what is in memory does not depend on their length.

mod body;
mod email;
mod message;
mod others;
mod request;
mod response;

use crate::capture::Form;
use crate::report::{Report, Text};
use crate::{Outcome, print, redact};
use clap::Args;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A head must end within this many bytes, as on the server.
const MAX_HEAD: usize = 64 * 1024;

/// What is to be explained, and how.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write one JSON object a line for each file; sns-cli/README.md lists the names
    #[arg(long)]
    json: bool,
    /// Hide passwords, names, addresses, keys and typed texts, so that the output can be shared
    #[arg(long)]
    redact: bool,
    /// What to explain; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Explains every file; the outcome is that of the worst.
pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Outcome> {
    let mut worst = Outcome::Good;
    for (at, path) in arguments.files.iter().enumerate() {
        let name = shown_name(path, arguments.redact);
        let (report, outcome) = match open(path).and_then(|input| decode(&name, input)) {
            Ok(report) => {
                let outcome = if report.problem.is_some() { Outcome::Bad } else { Outcome::Good };
                (report, outcome)
            }
            Err(error) => {
                print::complain(&format!("cannot read {name}: {error}"));
                let mut report = Report::new(Text::public(&name));
                report.kind = "unreadable";
                report.broken(None, format!("it cannot be read: {error}"));
                (report, Outcome::Impossible)
            }
        };
        worst = worst.max(outcome);
        let report = if arguments.redact { redact::redact(report) } else { report };
        if arguments.json {
            print::json::write(&report, out)?;
        } else if outcome != Outcome::Impossible {
            if at > 0 {
                writeln!(out)?;
            }
            print::tree::write(&report, out)?;
        }
        out.flush()?;
    }
    Ok(worst)
}

/// The name as it was given; a shared report does not say in which folders somebody keeps it.
fn shown_name(path: &Path, is_shared: bool) -> String {
    let name =
        if is_shared { path.file_name().unwrap_or(path.as_os_str()) } else { path.as_os_str() };
    name.to_string_lossy().into_owned()
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(path)?))
}

/// Explains one file.
fn decode(name: &str, mut input: Box<dyn Read>) -> io::Result<Report> {
    let mut beginning = Vec::new();
    input.by_ref().take(MAX_HEAD as u64).read_to_end(&mut beginning)?;
    let mut report = Report::new(Text::public(name));
    let form = Form::of(&beginning);
    report.form = form.name();
    match form {
        Form::Request => request::read(&beginning, input, &mut report)?,
        Form::Response => response::read(&beginning, input, &mut report)?,
        Form::Xml => {
            let whole = body::Body::after(&beginning, 0, input, None).whole(&mut report)?;
            message::read(None, &whole, Some(0), &mut report);
        }
        Form::Empty => report.broken(Some(0), "there is nothing in it"),
        Form::Handshake => match samsung_sns::wire::request::RequestHead::read(&beginning) {
            Err(error) => report.broken(Some(0), error.to_string()),
            Ok(_) => report.broken(Some(0), "this is no HTTP"),
        },
        Form::Unknown => report.broken(
            Some(0),
            "this begins neither as an HTTP request or response nor as an XML message; \
             one raw object per file is understood",
        ),
    }
    Ok(report)
}
