//! `sns-cli decode`: captured bytes become reports.
//!
//! Law: nothing is read a second time in another way: the core's readers say what the bytes mean,
//! here it is only told. Broken input is shown as far as it was understood. Files and bodies are
//! streamed; what is in memory does not depend on their length.

mod adrift;
mod aside;
pub(crate) mod body;
mod chunks;
mod conversation;
pub(crate) mod damage;
mod direction;
mod email;
mod exchange;
mod firmware;
mod guess;
mod incoming;
mod input;
mod listener;
mod long_head;
mod lookups;
mod message;
mod others;
mod pairs;
mod pending;
mod progress;
mod request;
mod response;
mod resync;
mod teller;
mod unzipped;
mod warnings;

use crate::capture::{self, Form};
use crate::extract::{Extract, Outlets, Place};
use crate::report::{Node, Report, Text};
use crate::{Outcome, print};
use body::{Body, Framing, Sink};
use clap::Args;
use incoming::{Ending, Incoming, Role};
use input::Stop;
use listener::Ear;
use progress::Watched;
use samsung_sns::wire::request::RequestHead;
use std::io::{self, Cursor, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use teller::Teller;
use unzipped::Unzipped;

/// A head must end within this many bytes, as on the server.
const MAX_HEAD: usize = 64 * 1024;
/// What is read of a file at a time.
const PIECE: usize = 64 * 1024;
/// A message without a head is read no further.
const MAX_MESSAGE: u64 = 1024 * 1024;

/// What is to be explained, and how.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write JSON, one object a line; sns-cli/README.md and docs/decode.schema.json say which
    #[arg(long)]
    json: bool,
    /// Make output that can be shown to strangers: passwords, names, texts, keys, addresses hidden
    ///
    /// Only words of the protocol, sizes, times and what is concluded stay. All else, names of files
    /// too, becomes a placeholder such as <text-3, 12 bytes> or <address-1, 192.168.x.x>: the same
    /// for the same, so that it can still be followed. This is about the output alone: what --extract
    /// writes meanwhile (photos, messages, manifest.jsonl) is as it was sent, and not for strangers.
    #[arg(long)]
    redact: bool,
    /// Write every photo and message into this folder, with a manifest; nothing is overwritten
    #[arg(long, value_name = "DIR")]
    extract: Option<PathBuf>,
    /// What to explain: a packet capture (pcap, pcapng), a request, an answer or a message, gzip'd
    /// or not; - is standard input, explained while it comes
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Why a file was not explained to its end.
enum Failure {
    /// It cannot be read.
    Reading(io::Error),
    /// What is found cannot be written.
    Writing(io::Error),
}

/// Explains every file; the outcome is that of the worst.
pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Outcome> {
    let stop = match Stop::on_signals() {
        Ok(stop) => stop,
        Err(error) => {
            print::complain(&format!("cannot listen for Ctrl-C: {error}"));
            return Ok(Outcome::Impossible);
        }
    };
    let has_more_to_do = arguments.extract.is_some();
    let mut teller = Teller::new(arguments.json, arguments.redact, has_more_to_do, out);
    let mut extract = match &arguments.extract {
        None => None,
        Some(folder) => match Extract::into(folder) {
            Ok(extract) => Some(extract),
            Err(error) => {
                let error = teller.error(error);
                print::complain(&format!("cannot extract into this folder: {error}"));
                return Ok(Outcome::Impossible);
            }
        },
    };
    let mut worst = Outcome::Good;
    for path in &arguments.files {
        let name = path.to_string_lossy();
        let done = open(path, &stop, &mut teller)
            .map_err(Failure::Reading)
            .and_then(|input| decode(&name, input, &stop, &mut extract, &mut teller));
        match done {
            Ok(outcome) => worst = worst.max(outcome),
            Err(Failure::Writing(error)) => return Err(teller.error(error)),
            Err(Failure::Reading(error)) => {
                print::complain(&format!("cannot read {}: {error}", teller.name_of(&name)));
                let mut report = Report::new(Text::public(&*name));
                report.kind = "unreadable";
                report.broken(None, format!("it cannot be read: {error}"));
                teller.unreadable(report)?;
                worst = Outcome::Impossible;
            }
        }
        teller.flush()?;
        if stop.is_asked() {
            break;
        }
    }
    Ok(worst)
}

/// Opens a file, and lets the teller know what is shown of its reading.
fn open(path: &Path, stop: &Stop, teller: &mut Teller<'_>) -> io::Result<Box<dyn Read>> {
    let (input, length) = input::open(path, stop)?;
    let input = Watched::new(input, length, io::stderr().is_terminal());
    teller.makes_way(input.bar());
    Ok(Box::new(input))
}

/// Explains one file.
fn decode(
    name: &str,
    mut input: Box<dyn Read>,
    stop: &Stop,
    extract: &mut Option<Extract>,
    teller: &mut Teller<'_>,
) -> Result<Outcome, Failure> {
    // No more is waited for than it takes to tell a capture that is still being made.
    let mut beginning = beginning(&mut *input, 12).map_err(Failure::Reading)?;
    if beginning.starts_with(b"\x1f\x8b") {
        input = Box::new(Unzipped::new(&teller.name_of(name), Cursor::new(beginning).chain(input)));
        beginning = self::beginning(&mut *input, 12).map_err(Failure::Reading)?;
    }
    if Form::of(&beginning) == Form::Capture {
        return packets(name, beginning, input, stop, extract, teller);
    }
    input.by_ref().take(MAX_HEAD as u64).read_to_end(&mut beginning).map_err(Failure::Reading)?;
    let mut report = single(name, &beginning, input, extract)?;
    if stop.is_asked() {
        report.fields.add("stopped", Node::Flag(true));
        if let Some(problem) = &mut report.problem {
            problem.text += " (it was stopped while it was read)";
        }
    }
    teller.tell(report).map_err(Failure::Writing)
}

/// The first bytes, as many as are wanted if there are so many.
fn beginning(input: &mut dyn Read, wanted: u64) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    input.take(wanted).read_to_end(&mut beginning)?;
    Ok(beginning)
}

/// Explains a packet capture, while it comes.
fn packets(
    name: &str,
    beginning: Vec<u8>,
    input: Box<dyn Read>,
    stop: &Stop,
    extract: &mut Option<Extract>,
    teller: &mut Teller<'_>,
) -> Result<Outcome, Failure> {
    let mut capture = capture::Capture::new(Ear::new(name, extract, teller));
    let mut done = Ok(());
    let broken = match capture::file::Packets::new(beginning, input) {
        Err(error) => Some(error),
        Ok(mut packets) => loop {
            match packets.next(|packet| capture.packet(packet)) {
                Ok(Some(Ok(()))) => {}
                Ok(Some(error)) => {
                    done = error;
                    break None;
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        },
    };
    done.and_then(|()| {
        let (ear, counts) = capture.finish()?;
        ear.summary(&counts, &listener::Ending { broken, was_stopped: stop.is_asked() })
    })
    .map_err(Failure::Writing)
}

/// Explains a file that is one request, answer or message.
fn single(
    name: &str,
    beginning: &[u8],
    input: Box<dyn Read>,
    extract: &mut Option<Extract>,
) -> Result<Report, Failure> {
    let mut report = Report::new(Text::public(name));
    let form = Form::of(beginning);
    report.form = form.name();
    let mut place =
        Place { source: name.to_owned(), message: 1, has_checksums: true, ..Place::default() };
    match form {
        Form::Request => return http(Role::Request, place, beginning, input, extract),
        Form::Response => return http(Role::Answer, place, beginning, input, extract),
        Form::Xml => {
            (place.form, place.kind) = ("xml", "message");
            let mut whole = beginning.to_vec();
            input.take(MAX_MESSAGE).read_to_end(&mut whole).map_err(Failure::Reading)?;
            let mut body = Body::new(Framing::Open, Sink::Xml(Vec::new()), 0);
            let mut out = Outlets { extract, place: &mut place };
            body.feed(&whole, &mut out).map_err(Failure::Writing)?;
            body.finish(&mut report, true, &mut out).map_err(Failure::Writing)?;
        }
        Form::Empty => report.broken(Some(0), "there is nothing in it"),
        Form::Handshake => match RequestHead::read(beginning) {
            Err(error) => report.broken(Some(0), error.to_string()),
            Ok(_) => report.broken(Some(0), "this is no HTTP"),
        },
        Form::Capture | Form::Unknown => report.broken(
            Some(0),
            "this begins neither as a packet capture nor as an HTTP request or response nor as an \
             XML message",
        ),
    }
    Ok(report)
}

/// Explains a file that is one HTTP message.
fn http(
    role: Role,
    place: Place,
    beginning: &[u8],
    mut input: Box<dyn Read>,
    extract: &mut Option<Extract>,
) -> Result<Report, Failure> {
    let mut message = Incoming::new(role, true, place);
    let mut after = After::default();
    let mut rest = Cursor::new(beginning).chain(&mut input);
    let mut piece = vec![0; PIECE];
    loop {
        let length = rest.read(&mut piece).map_err(Failure::Reading)?;
        if length == 0 {
            break;
        }
        let mut bytes = &piece[..length];
        while !bytes.is_empty() {
            let taken = message.feed(bytes, extract).map_err(Failure::Writing)?;
            bytes = &bytes[taken..];
            if message.is_done() {
                after.take(bytes);
                break;
            }
        }
    }
    let is_followed = message.has_known_end();
    let mut report = message.end(Ending::Stream, extract).map_err(Failure::Writing)?.report;
    if is_followed && after.last > 0 {
        report.fields.number("bytes_after", after.last);
    }
    Ok(report)
}

/// What follows the declared end: how many bytes, white space at the end of the file aside.
#[derive(Default)]
struct After {
    count: u64,
    last: u64,
}

impl After {
    fn take(&mut self, bytes: &[u8]) {
        if let Some(at) = bytes.iter().rposition(|b| !b.is_ascii_whitespace()) {
            self.last = self.count + at as u64 + 1;
        }
        self.count += bytes.len() as u64;
    }
}
