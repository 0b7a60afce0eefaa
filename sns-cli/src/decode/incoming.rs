//! One HTTP message that comes piece by piece, from a file or from a connection.
//!
//! Law: of a head that cannot be read, all lines before the bad one are; what follows it is kept as
//! it came, for it may be the only photo of its model, up to where another message begins.

use super::body::{Body, Fingerprint, Framing, Sink};
use super::damage::MAX_LISTED;
use super::long_head::LongHead;
use super::{MAX_HEAD, request, response, resync};
use crate::extract::{Extract, Outlets, Place};
use crate::report::{Node, Report, Text};
use samsung_sns::endpoint::Endpoint;
use samsung_sns::wire::request::{RequestHead, head_length};
use samsung_sns::wire::response::ResponseHead;
use std::io;

/// The first bytes of an answer are kept, for the firmware to search.
const MAX_SEARCHED: usize = 64 * 1024;

/// Which of the two kinds of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Request,
    Answer,
}

/// The head of a message.
pub(super) enum Head {
    Request(RequestHead<'static>, Endpoint),
    Answer(ResponseHead),
}

/// A message that comes.
pub(super) struct Incoming {
    role: Role,
    /// Whether it is all there is: without a length, its body goes on to the end.
    is_alone: bool,
    /// Whether it answers a `HEAD`: it has no body, whatever it says.
    is_bodiless: bool,
    buffer: Vec<u8>,
    state: State,
    head: Option<Head>,
    report: Report,
    place: Place,
    searched: Vec<u8>,
    has_known_end: bool,
    has_whole_head: bool,
    /// Its beginning is not there.
    is_headless: bool,
    /// Where bytes of it came twice and differed, before there was a body.
    conflicts: Vec<(u64, u64)>,
    /// What came of it, gaps included.
    came: u64,
    /// Behind the first line of what is no head, another begins here.
    another: Option<usize>,
    /// Where what follows a gap begins that ended the body.
    behind: Option<u64>,
}

enum State {
    Head,
    /// Behind the first 64 KiB of a head.
    LongHead(Box<LongHead>),
    Body(Box<Body>),
    Done,
}

/// Why nothing more comes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its stream, or its file, ends here.
    Stream,
    /// Its connection broke off, or another message begins.
    Broken,
    /// The capture holds no more.
    Capture,
}

/// A message that has ended.
pub(super) struct Finished {
    pub(super) head: Option<Head>,
    pub(super) report: Report,
    /// Of an answer, what the firmware searches.
    pub(super) searched: Vec<u8>,
    /// Whether all lines of its head are there.
    pub(super) has_whole_head: bool,
    /// Whether its beginning is missing.
    pub(super) is_headless: bool,
}

impl Incoming {
    /// A message at this place; `is_alone` if nothing follows it.
    pub(super) fn new(role: Role, is_alone: bool, mut place: Place) -> Incoming {
        let mut report = Report::new(Text::public(&place.source));
        report.form = match role {
            Role::Request => "request",
            Role::Answer => "response",
        };
        place.form = match role {
            Role::Request => "request",
            Role::Answer => "answer",
        };
        place.kind = "unknown";
        Incoming {
            role,
            is_alone,
            is_bodiless: false,
            buffer: Vec::new(),
            state: State::Head,
            head: None,
            report,
            place,
            searched: Vec::new(),
            has_known_end: false,
            has_whole_head: false,
            is_headless: false,
            conflicts: Vec::new(),
            came: 0,
            another: None,
            behind: None,
        }
    }

    /// What is left of a message whose beginning is not there: `lost` bytes before it are known to
    /// have been sent, of which the last `start` are its own, or the capture begins in it (`is_cut`).
    pub(super) fn headless(
        role: Role,
        place: Place,
        start: u64,
        lost: u64,
        is_cut: bool,
    ) -> Incoming {
        let mut incoming = Incoming::new(role, false, place);
        incoming.is_headless = true;
        let text = match lost {
            0 if is_cut => "its beginning is not in the capture".to_owned(),
            0 => "it does not begin as a message does".to_owned(),
            lost => {
                let least = if is_cut { "at least " } else { "" };
                format!(
                    "its beginning is not in the capture: {least}{lost} bytes before it are missing"
                )
            }
        };
        incoming.report.broken(None, text);
        incoming.came = start;
        incoming.state = State::Body(Box::new(incoming.rest(start)));
        incoming
    }

    /// From `start` on, nothing is understood.
    fn rest(&self, start: u64) -> Body {
        let sink = Sink::Rest(Vec::new(), Fingerprint::new(self.place.has_checksums));
        Body::new(Framing::Open, sink, start).doubtful()
    }

    /// It answers a `HEAD`.
    pub(super) fn without_body(mut self) -> Incoming {
        self.is_bodiless = true;
        self
    }

    /// It begins so, and is no request.
    pub(super) fn refused(mut self, beginning: &[u8]) -> Finished {
        let _ = request::read(beginning, &mut self.report);
        let (report, searched) = (self.report, Vec::new());
        Finished { head: None, report, searched, has_whole_head: false, is_headless: false }
    }

    /// Whether all of it came.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Whether its beginning is not there.
    pub(super) fn is_headless(&self) -> bool {
        self.is_headless
    }

    /// Whether nothing tells where it ends: the next message may begin anywhere. An answer may do
    /// without, up to the end of its stream.
    pub(super) fn is_adrift(&self) -> bool {
        let State::Body(body) = &self.state else { return false };
        // Chunks that break had an end that was to be known.
        let had_end = self.role == Role::Request || !self.has_whole_head || self.has_known_end;
        body.is_adrift() && had_end
    }

    /// Where in what came, which is no head, another begins.
    pub(super) fn another(&self) -> Option<usize> {
        self.another
    }

    /// What came, if it is no head after all.
    pub(super) fn into_head(self) -> Vec<u8> {
        self.buffer
    }

    /// These bytes of it, so far behind its beginning, came twice and differed.
    pub(super) fn conflict(&mut self, offset: u64, length: u64) {
        match &mut self.state {
            State::Body(body) => body.conflict(offset, length),
            _ if self.conflicts.len() < MAX_LISTED => self.conflicts.push((offset, length)),
            _ => {}
        }
    }

    /// As much as came of a head that is not whole yet.
    pub(super) fn unfinished_head(&self) -> Option<&[u8]> {
        matches!(self.state, State::Head).then_some(&self.buffer[..])
    }

    /// Whether more of its head may show that it is none.
    pub(super) fn is_undecided(&self) -> bool {
        self.unfinished_head().is_some_and(|head| !resync::is_decided(head))
    }

    /// Its head, once it is whole.
    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Whether its head says where its body ends.
    pub(super) fn has_known_end(&self) -> bool {
        self.has_known_end
    }

    /// Takes its part of these bytes; gives how many that are.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        extract: &mut Option<Extract>,
    ) -> io::Result<usize> {
        let taken = match &mut self.state {
            State::Done => return Ok(0),
            State::LongHead(head) => match head.feed(bytes) {
                None => bytes.len(),
                Some(taken) => {
                    let framing = head.framing();
                    self.begin_body(framing, self.came + taken as u64, extract)?;
                    taken
                }
            },
            State::Head => {
                let before = self.buffer.len();
                let taken = bytes.len().min(MAX_HEAD - before);
                self.buffer.extend_from_slice(&bytes[..taken]);
                match head_length(&self.buffer, before) {
                    Some(length) => {
                        self.buffer.truncate(length);
                        self.head_is_whole(length, extract)?;
                        length - before
                    }
                    None => {
                        if self.buffer.len() == MAX_HEAD {
                            let head = LongHead::behind(&self.buffer);
                            self.head_is_cut("the head does not end within 64 KiB".to_owned());
                            self.state = State::LongHead(Box::new(head));
                        }
                        taken
                    }
                }
            }
            State::Body(body) => {
                let mut out = Outlets { extract, place: &mut self.place };
                let taken = body.feed(bytes, &mut out)?;
                if body.is_done() {
                    self.finish_body(true, extract)?;
                }
                taken
            }
        };
        self.came += taken as u64;
        if self.role == Role::Answer {
            let room = MAX_SEARCHED - self.searched.len();
            self.searched.extend_from_slice(&bytes[..taken.min(room)]);
        }
        Ok(taken)
    }

    /// Takes its part of a gap; gives how much that is. What cannot go on behind it, ends.
    pub(super) fn gap(&mut self, length: u64, extract: &mut Option<Extract>) -> io::Result<u64> {
        let taken = match &mut self.state {
            State::Done => 0,
            State::Head | State::LongHead(_) => {
                // What the first lines of a long one say is told.
                if matches!(self.state, State::Head) {
                    self.head_is_cut(format!(
                        "the head is cut: {length} bytes behind its first {} are not in the capture",
                        self.buffer.len()
                    ));
                }
                self.state = State::Body(Box::new(self.rest(self.came + length)));
                length
            }
            State::Body(body) => {
                let mut out = Outlets { extract, place: &mut self.place };
                let taken = body.gap(length, &mut out)?;
                let is_rest = body.is_rest();
                if body.is_done() || taken.is_none() {
                    self.finish_body(false, extract)?;
                }
                if taken.is_none() && !is_rest {
                    let start = self.came + length;
                    self.behind = Some(start);
                    self.state = State::Body(Box::new(self.rest(start)));
                }
                // Behind what is not understood already, another message may stand as well.
                taken.unwrap_or(if is_rest { 0 } else { length })
            }
        };
        self.came += taken;
        Ok(taken)
    }

    /// There is no more.
    pub(super) fn end(
        mut self,
        ending: Ending,
        extract: &mut Option<Extract>,
    ) -> io::Result<Finished> {
        match self.state {
            State::Head if ending == Ending::Capture => {
                self.head_is_cut("the head is cut: its end is not in the capture".to_owned());
            }
            State::Head => {
                self.show_cut_head();
                let text = "the head does not end: its empty line is missing";
                self.report.broken(Some(self.buffer.len() as u64), text);
            }
            State::Body(_) => self.finish_body(ending == Ending::Stream, extract)?,
            State::LongHead(_) | State::Done => {}
        }
        match &self.head {
            Some(Head::Request(head, _)) => request::show_head(head, &mut self.report),
            Some(Head::Answer(head)) => {
                response::note_hotspot(head, &self.searched, &mut self.report);
                response::show_head(head, &mut self.report);
            }
            None => {}
        }
        Ok(Finished {
            head: self.head,
            report: self.report,
            searched: self.searched,
            has_whole_head: self.has_whole_head,
            is_headless: self.is_headless,
        })
    }

    fn finish_body(&mut self, at_end: bool, extract: &mut Option<Extract>) -> io::Result<()> {
        let State::Body(body) = std::mem::replace(&mut self.state, State::Done) else {
            return Ok(());
        };
        let Some(start) = self.behind else {
            let mut out = Outlets { extract, place: &mut self.place };
            return body.finish(&mut self.report, at_end, &mut out);
        };
        // What follows the gap that ended a body is told apart from it.
        self.place.names.clear();
        let mut report = Report::new(self.report.file.clone());
        report.fields.number("offset", start);
        let mut out = Outlets { extract, place: &mut self.place };
        body.finish(&mut report, at_end, &mut out)?;
        if report.kind != "unknown" {
            report.fields.words("kind", report.kind);
        }
        self.report.quirks.extend(&report.quirks);
        self.report.fields.add("rest", Node::Map(report.fields));
        Ok(())
    }

    fn head_is_whole(&mut self, length: usize, extract: &mut Option<Extract>) -> io::Result<()> {
        let (framing, sink) = match self.role {
            Role::Request => {
                let Some((head, endpoint)) = request::read(&self.buffer, &mut self.report) else {
                    return self.is_no_head(extract);
                };
                self.has_whole_head = true;
                self.place.kind = self.report.kind;
                if let Endpoint::Upload { file_name, .. } = &endpoint {
                    self.place.file_name = Some(String::from_utf8_lossy(file_name).into_owned());
                }
                let is_good = self.report.problem.is_none();
                let checksums = self.place.has_checksums;
                let (framing, sink) = request::body(
                    &head,
                    &endpoint,
                    length,
                    self.is_alone,
                    checksums,
                    &mut self.report,
                );
                self.head = Some(Head::Request(head.into_owned(), endpoint));
                // What a bad head says of the length may not be what was meant.
                (if is_good { framing } else { Framing::Open }, sink)
            }
            Role::Answer => {
                let Some((head, _)) = ResponseHead::read(&self.buffer) else {
                    self.report.broken(Some(0), "the first line is no HTTP status line");
                    return self.is_no_head(extract);
                };
                self.has_whole_head = true;
                self.report.kind = "answer";
                self.place.kind = "answer";
                let framing = response::framing(&head, self.is_bodiless);
                self.head = Some(Head::Answer(head));
                (framing, Sink::Unknown(Vec::new()))
            }
        };
        self.has_body(Body::new(framing, sink, length as u64), extract)
    }

    fn has_body(&mut self, mut body: Body, extract: &mut Option<Extract>) -> io::Result<()> {
        for (offset, length) in std::mem::take(&mut self.conflicts) {
            body.conflict(offset, length);
        }
        if self.report.problem.is_some() {
            body = body.doubtful();
        }
        self.has_known_end = body.has_known_end();
        let is_done = body.is_done();
        self.state = State::Body(Box::new(body));
        if is_done { self.finish_body(true, extract) } else { Ok(()) }
    }

    /// What looked like a head is none: it is kept with what follows it, unless it is a file as it
    /// is.
    fn is_no_head(&mut self, extract: &mut Option<Extract>) -> io::Result<()> {
        if self.is_alone {
            self.state = State::Done;
            return Ok(());
        }
        self.another = resync::another(&self.buffer, self.role);
        if self.another.is_some() {
            return Ok(());
        }
        let mut body = self.rest(0);
        let mut out = Outlets { extract, place: &mut self.place };
        body.feed(&self.buffer, &mut out)?;
        self.state = State::Body(Box::new(body));
        Ok(())
    }

    /// The body behind a head of which only the first 64 KiB were read.
    fn begin_body(
        &mut self,
        framing: Framing,
        start: u64,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        let checksums = self.place.has_checksums;
        let sink = match &self.head {
            Some(Head::Request(head, endpoint)) => {
                request::body(head, endpoint, MAX_HEAD, true, checksums, &mut self.report).1
            }
            Some(Head::Answer(_)) => Sink::Unknown(Vec::new()),
            None => Sink::Rest(Vec::new(), Fingerprint::new(checksums)),
        };
        self.place.is_start_known = true;
        self.has_body(Body::new(framing, sink, start), extract)
    }

    /// Says why a head does not end, and shows what came of it.
    fn head_is_cut(&mut self, why: String) {
        self.report.broken(Some(self.buffer.len() as u64), why);
        self.show_cut_head();
    }

    /// Shows the whole lines of a head that does not end.
    fn show_cut_head(&mut self) {
        match self.role {
            Role::Request => {
                let read = request::read(&self.buffer, &mut self.report);
                let Some((head, endpoint)) = read else {
                    if let Some(kind) = request::kind_of_cut_line(&self.buffer) {
                        (self.report.kind, self.place.kind) = (kind, kind);
                    }
                    return;
                };
                self.place.kind = self.report.kind;
                if let Endpoint::Upload { file_name, .. } = &endpoint {
                    self.place.file_name = Some(String::from_utf8_lossy(file_name).into_owned());
                }
                self.head = Some(Head::Request(head.into_owned(), endpoint));
            }
            Role::Answer => {
                // Its end is given back to it, so that its whole lines are shown.
                let length = self.buffer.len();
                let whole = memchr::memrchr(b'\n', &self.buffer).map_or(length, |at| at + 1);
                let lines = [&self.buffer[..whole], b"\r\n\r\n"].concat();
                let Some((head, _)) = ResponseHead::read(&lines) else {
                    self.report.broken(Some(0), "the first line is no HTTP status line");
                    return;
                };
                self.report.kind = "answer";
                self.place.kind = "answer";
                self.head = Some(Head::Answer(head));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_remembers_no_more_conflicts_than_a_body() {
        let mut incoming = Incoming::new(Role::Request, false, Place::default());
        for offset in 0..2000 {
            incoming.conflict(offset, 1);
        }
        assert_eq!(incoming.conflicts.len(), MAX_LISTED);
    }
}
