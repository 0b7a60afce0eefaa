//! One HTTP message that comes piece by piece, from a file or from a connection.
//!
//! Law: of a head that cannot be read, all lines before the bad one are; behind it nothing can be
//! understood.

use super::body::{Body, Sink};
use super::{MAX_HEAD, request, response};
use crate::extract::{Extract, Outlets, Place};
use crate::report::{Report, Text};
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
}

enum State {
    Head,
    Body(Box<Body>),
    Done,
    /// What follows it cannot be understood.
    Lost,
}

/// A message that has ended.
pub(super) struct Finished {
    pub(super) head: Option<Head>,
    pub(super) report: Report,
    /// Of an answer, what the firmware searches.
    pub(super) searched: Vec<u8>,
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
        }
    }

    /// It answers a `HEAD`.
    pub(super) fn without_body(mut self) -> Incoming {
        self.is_bodiless = true;
        self
    }

    /// It begins so, and is no request.
    pub(super) fn refused(mut self, beginning: &[u8]) -> Finished {
        let _ = request::read(beginning, &mut self.report);
        Finished { head: None, report: self.report, searched: Vec::new() }
    }

    /// Whether all of it came.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done | State::Lost)
    }

    /// Whether what follows it cannot be understood.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost)
    }

    /// As much as came of a head that is not whole yet.
    pub(super) fn unfinished_head(&self) -> Option<&[u8]> {
        matches!(self.state, State::Head).then_some(&self.buffer[..])
    }

    /// Its head, once it is whole.
    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Whether its head says where its body ends.
    pub(super) fn has_known_end(&self) -> bool {
        self.has_known_end
    }

    /// Whether its body goes on to the end of the stream, and nothing of it came yet.
    pub(super) fn may_have_no_body(&self) -> bool {
        let State::Body(body) = &self.state else { return false };
        self.role == Role::Request && !body.has_known_end() && body.is_empty()
    }

    /// Takes its part of these bytes; gives how many that are.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        extract: &mut Option<Extract>,
    ) -> io::Result<usize> {
        let taken = match &mut self.state {
            State::Done | State::Lost => return Ok(0),
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
                            self.head_is_cut();
                            self.state = State::Lost;
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
        if self.role == Role::Answer {
            let room = MAX_SEARCHED - self.searched.len();
            self.searched.extend_from_slice(&bytes[..taken.min(room)]);
        }
        Ok(taken)
    }

    /// Takes its part of a gap; gives how much that is. What cannot go on behind it, ends.
    pub(super) fn gap(&mut self, length: u64, extract: &mut Option<Extract>) -> io::Result<u64> {
        match &mut self.state {
            State::Done | State::Lost => Ok(0),
            State::Head => {
                self.head_is_cut();
                self.state = State::Lost;
                Ok(length)
            }
            State::Body(body) => {
                let mut out = Outlets { extract, place: &mut self.place };
                let taken = body.gap(length, &mut out)?;
                let is_done = body.is_done();
                if is_done || taken.is_none() {
                    self.finish_body(false, extract)?;
                }
                if taken.is_none() {
                    self.state = State::Lost;
                }
                Ok(taken.unwrap_or(length))
            }
        }
    }

    /// There is no more. `at_end` if its stream ends here, not just what was captured of it.
    pub(super) fn end(
        mut self,
        at_end: bool,
        extract: &mut Option<Extract>,
    ) -> io::Result<Finished> {
        match self.state {
            State::Head => self.head_is_cut(),
            State::Body(_) => self.finish_body(at_end, extract)?,
            State::Done | State::Lost => {}
        }
        match &self.head {
            Some(Head::Request(head, _)) => request::show_head(head, &mut self.report),
            Some(Head::Answer(head)) => {
                response::note_hotspot(head, &self.searched, &mut self.report);
                response::show_head(head, &mut self.report);
            }
            None => {}
        }
        Ok(Finished { head: self.head, report: self.report, searched: self.searched })
    }

    fn finish_body(&mut self, at_end: bool, extract: &mut Option<Extract>) -> io::Result<()> {
        let State::Body(body) = std::mem::replace(&mut self.state, State::Done) else {
            return Ok(());
        };
        let mut out = Outlets { extract, place: &mut self.place };
        body.finish(&mut self.report, at_end, &mut out)
    }

    fn head_is_whole(&mut self, length: usize, extract: &mut Option<Extract>) -> io::Result<()> {
        let (framing, sink) = match self.role {
            Role::Request => {
                let Some((head, endpoint)) = request::read(&self.buffer, &mut self.report) else {
                    self.state = State::Lost;
                    return Ok(());
                };
                self.place.kind = self.report.kind;
                if let Endpoint::Upload { file_name, .. } = &endpoint {
                    self.place.file_name = Some(String::from_utf8_lossy(file_name).into_owned());
                }
                if self.report.problem.is_some() {
                    self.head = Some(Head::Request(head.into_owned(), endpoint));
                    self.state = State::Lost;
                    return Ok(());
                }
                let checksums = self.place.has_checksums;
                let body = request::body(
                    &head,
                    &endpoint,
                    length,
                    self.is_alone,
                    checksums,
                    &mut self.report,
                );
                self.head = Some(Head::Request(head.into_owned(), endpoint));
                body
            }
            Role::Answer => {
                let Some((head, _)) = ResponseHead::read(&self.buffer) else {
                    self.report.broken(Some(0), "the first line is no HTTP status line");
                    self.state = State::Lost;
                    return Ok(());
                };
                self.report.kind = "answer";
                self.place.kind = "answer";
                let framing = response::framing(&head, self.is_bodiless);
                self.head = Some(Head::Answer(head));
                (framing, Sink::Unknown(Vec::new()))
            }
        };
        let body = Body::new(framing, sink, length as u64);
        self.has_known_end = body.has_known_end();
        let is_done = body.is_done();
        self.state = State::Body(Box::new(body));
        if is_done { self.finish_body(true, extract) } else { Ok(()) }
    }

    /// Shows what came of a head that does not end.
    fn head_is_cut(&mut self) {
        let length = self.buffer.len();
        let text = match length {
            MAX_HEAD => "the head does not end within 64 KiB",
            _ => "the head does not end: its empty line is missing",
        };
        match self.role {
            Role::Request => {
                let read = request::read(&self.buffer, &mut self.report);
                let Some((head, endpoint)) = read else { return };
                self.head = Some(Head::Request(head.into_owned(), endpoint));
            }
            Role::Answer => {
                // Its end is given back to it, so that its lines are shown.
                self.buffer.extend_from_slice(b"\r\n\r\n");
                let Some((head, _)) = ResponseHead::read(&self.buffer) else {
                    self.report.broken(Some(0), "the first line is no HTTP status line");
                    return;
                };
                self.report.kind = "answer";
                self.head = Some(Head::Answer(head));
            }
        }
        self.report.broken(Some(length as u64), text);
    }
}
