//! Which answer of a connection belongs to which request.
//!
//! Law: answers come in the order of the requests. Where nothing is missing, that says all. Where a
//! message may be missing, what each end had received when it spoke says it: an answer belongs to the
//! request whose last bytes its sender had received, for who does not send requests without waiting,
//! as no camera does, has not sent more by then. Of who does, it is counted from the end of the
//! connection; and what is not settled even so is told as open, never guessed.
//!
//! ```text
//!   client  [R1      ][R2 ........][R3      ]      dots: not in the capture
//!   server            A1           A2       A3     A2 had received a part of what is missing:
//!                                                  its request is there; A3 belongs to R3
//! ```

use super::direction::Direction;
use super::exchange::{Doubt, Exchange, Half, Span};
use super::incoming::Head;
use super::pending::Share;
use crate::capture::connections::Cause;
use std::collections::VecDeque;

/// So many requests, or answers, may wait for what belongs to them.
const MAX_PENDING: usize = 64;

/// The messages of a connection that are not told yet.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) requests: VecDeque<Half>,
    pub(super) answers: VecDeque<Half>,
    /// Whether the client sends requests without waiting for answers.
    pub(super) is_pipelined: bool,
    /// Up to these places, what the client asked and what the server answered was told.
    asked: u64,
    answered: u64,
    /// In what was told last there is a gap in which others may stand.
    is_torn: bool,
    /// It was not settled what belongs together, so that counting does not help.
    is_open: bool,
    /// Something was told before what belongs to it could come.
    is_shed: bool,
    /// What waits here of all that waits.
    share: Share,
}

/// What belongs to an answer.
enum Partner {
    /// The request of this index; the one behind the last is still being sent.
    Request(usize),
    /// A request that is not there; it stood behind so many others.
    Missing(usize),
    /// That is not known yet.
    Later,
    /// That cannot be known.
    Unknown,
}

impl Pairs {
    /// Nothing yet; what waits is counted in this share.
    pub(super) fn new(share: Share) -> Pairs {
        Pairs { share, ..Pairs::default() }
    }

    /// Counts what waits.
    pub(super) fn weigh(&mut self) {
        self.share.set(self.requests.iter().chain(&self.answers).map(|half| half.weight).sum());
    }

    /// Whether no more may wait.
    pub(super) fn is_full(&self) -> bool {
        self.requests.len() + self.answers.len() > MAX_PENDING || self.share.is_over()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.answers.is_empty()
    }

    /// Who was taken for the client is the server.
    pub(super) fn turn_around(&mut self) {
        std::mem::swap(&mut self.requests, &mut self.answers);
        self.is_pipelined = false;
    }

    /// What is left of messages, where nothing was ever recognised.
    pub(super) fn take_rest(&mut self) -> Vec<Half> {
        self.requests.drain(..).chain(self.answers.drain(..)).collect()
    }

    /// Of a message that waits here, so many bytes at this place came twice, and differed.
    pub(super) fn conflict(&mut self, is_request: bool, place: u64, length: u64) {
        let halves = if is_request { &mut self.requests } else { &mut self.answers };
        let end = place + length;
        let half = halves.iter_mut().find(|h| place < h.span.end && h.span.start < end);
        if let Some(half) = half {
            half.contest(place, end);
        }
    }

    /// The request that an answer belongs to which begins so.
    pub(super) fn request_of<'a>(
        &'a self,
        answer: &Span,
        client: &'a Direction,
        server: &Direction,
    ) -> Option<&'a Head> {
        let Partner::Request(index) = self.partner(answer, self.answers.len(), client, server)
        else {
            return None;
        };
        match self.requests.get(index) {
            Some(half) => half.finished.head.as_ref(),
            None => client.current.as_ref().and_then(|(incoming, _)| incoming.head()),
        }
    }

    /// Whether nothing is missing before an answer with so many others ahead of it, nor before the
    /// request that it belongs to if the answers are counted.
    fn is_counted(
        &self,
        answer: &Span,
        ahead: usize,
        client: &Direction,
        server: &Direction,
    ) -> bool {
        let is_whole = |halves: &VecDeque<Half>, direction: &Direction| {
            let mut some = halves.iter().take(ahead + 1).enumerate();
            some.all(|(at, half)| {
                !half.finished.is_headless && (at == ahead || !direction.is_torn(&half.span))
            })
        };
        let asked = match self.requests.get(ahead) {
            Some(half) => half.span.start,
            None => client.current.as_ref().map_or(u64::MAX, |(_, span)| span.start),
        };
        !self.is_open
            && !self.is_torn
            && is_whole(&self.requests, client)
            && is_whole(&self.answers, server)
            && client.missing_between(self.asked, asked) == 0
            && server.missing_between(self.answered, answer.start) == 0
    }

    fn partner(
        &self,
        answer: &Span,
        ahead: usize,
        client: &Direction,
        server: &Direction,
    ) -> Partner {
        let current = client.current.as_ref().map(|(_, span)| span);
        let span = |index: usize| {
            let current = current.filter(|_| index == self.requests.len());
            self.requests.get(index).map(|half| &half.span).or(current)
        };
        if self.is_counted(answer, ahead, client, server) {
            let asked = span(ahead);
            let is_asked = asked.is_some_and(|s| answer.heard.is_none_or(|heard| heard > s.start));
            return if is_asked { Partner::Request(ahead) } else { Partner::Missing(ahead) };
        }
        let Some(heard) = answer.heard.filter(|_| !self.is_pipelined) else {
            return Partner::Unknown;
        };
        // The last of which the server had received something, and which was sent before the client
        // had received anything of this answer.
        let count = self.requests.len() + usize::from(current.is_some());
        let may_be =
            |s: &Span| s.start < heard && s.heard.is_none_or(|known| known <= answer.start);
        let Some(mut index) = (0..count).rev().find(|&index| span(index).is_some_and(may_be))
        else {
            return Partner::Missing(0);
        };
        let end = span(index).map_or(0, |s| s.end);
        // What was sent with a request, and is none, has no answer.
        let is_surplus = |index: usize| match self.requests.get(index) {
            Some(half) => half.is_surplus(),
            None => client
                .current
                .as_ref()
                .is_some_and(|(incoming, span)| incoming.is_headless() && !span.is_first_cut),
        };
        let heard_by = |index: usize| span(index).and_then(|s| s.heard);
        while index > 0 && is_surplus(index) && heard_by(index) == heard_by(index - 1) {
            index -= 1;
        }
        let is_current = index == self.requests.len();
        // Had the server received more by then, that was a request, too.
        if !is_current && client.missing_between(end, heard) > 0 {
            return Partner::Missing(index + 1);
        }
        Partner::Request(index)
    }

    /// Pairs what can be paired; everything, once it has `ended`.
    pub(super) fn pair(
        &mut self,
        client: &Direction,
        server: &Direction,
        ended: Option<Cause>,
        done: &mut Vec<Exchange>,
    ) {
        while let Some(answer) = self.answers.front() {
            let span = answer.span;
            let is_final = ended.is_some() || self.answers.len() > MAX_PENDING;
            // What its sender had received is still to come: a packet stands late.
            let is_early = span.heard.is_some_and(|heard| heard > client.given);
            let partner = match self.partner(&span, 0, client, server) {
                _ if is_early && !is_final => Partner::Later,
                Partner::Request(index) if index == self.requests.len() && !is_final => {
                    // It answers a request that is still being sent. Those before it have none.
                    self.give_up(index, client, server, ended, done);
                    Partner::Later
                }
                Partner::Unknown if self.answers.len() > MAX_PENDING => {
                    self.is_open = true;
                    let (answer, doubt) = (self.answers.pop_front(), Some(Doubt::Open));
                    done.push(Exchange { answer, doubt, ..Exchange::default() });
                    continue;
                }
                partner => partner,
            };
            match partner {
                Partner::Later | Partner::Unknown => break,
                Partner::Request(index) => {
                    self.give_up(index, client, server, ended, done);
                    let (request, answer) = (self.requests.pop_front(), self.answers.pop_front());
                    self.asked = request.as_ref().map_or(self.asked, |half| half.span.end);
                    self.answered = span.end;
                    self.is_torn = server.is_torn(&span)
                        || request.as_ref().is_some_and(|half| client.is_torn(&half.span));
                    done.push(Exchange { request, answer, ..Exchange::default() });
                }
                Partner::Missing(index) => {
                    self.give_up(index, client, server, ended, done);
                    let answer = self.answers.pop_front();
                    let until = span.heard.unwrap_or(client.given);
                    let missing = client.missing_between(self.asked, until);
                    (self.asked, self.answered) = (self.asked.max(until), span.end);
                    self.is_torn |= server.is_torn(&span);
                    let doubt = self.is_shed.then_some(Doubt::Shed);
                    done.push(Exchange { answer, missing, doubt, ..Exchange::default() });
                }
            }
        }
        if ended.is_some() && !self.answers.is_empty() {
            self.count_from_the_end(client, server, ended, done);
        }
        let left = if ended.is_some() { 0 } else { MAX_PENDING };
        let over = self.requests.len().saturating_sub(left);
        self.give_up(over, client, server, ended, done);
        self.shed(done);
    }

    /// Tells the oldest as they are, while too much waits.
    fn shed(&mut self, done: &mut Vec<Exchange>) {
        self.weigh();
        while self.share.is_over() {
            let is_request = match (self.requests.front(), self.answers.front()) {
                (Some(request), Some(answer)) => request.span.began <= answer.span.began,
                (request, _) => request.is_some(),
            };
            let (request, answer) = match is_request {
                true => (self.requests.pop_front(), None),
                false => (None, self.answers.pop_front()),
            };
            self.asked = request.as_ref().map_or(self.asked, |half| half.span.end);
            self.answered = answer.as_ref().map_or(self.answered, |half| half.span.end);
            (self.is_open, self.is_shed) = (true, true);
            let doubt = Some(Doubt::Shed);
            done.push(Exchange { request, answer, doubt, ..Exchange::default() });
            self.weigh();
        }
    }

    /// Tells the first requests, so many, without answers.
    fn give_up(
        &mut self,
        count: usize,
        client: &Direction,
        server: &Direction,
        ended: Option<Cause>,
        done: &mut Vec<Exchange>,
    ) {
        for _ in 0..count.min(self.requests.len()) {
            let Some(request) = self.requests.pop_front() else { return };
            let next = self.requests.front().map(|half| half.span);
            let next = next.or(client.current.as_ref().map(|(_, span)| *span));
            // Who waits has heard the answer when it asks again.
            let until = next.and_then(|span| span.heard).filter(|_| !self.is_pipelined);
            let until = until.unwrap_or(u64::MAX);
            let missing = server.missing_between(request.span.heard.unwrap_or(0), until);
            self.asked = request.span.end;
            self.is_torn |= client.is_torn(&request.span);
            // An answer belongs to somebody behind it: it is not that nothing came.
            let ended = ended.filter(|_| next.is_none() || missing == 0);
            let request = Some(request);
            let doubt = self.is_shed.then_some(Doubt::Shed);
            done.push(Exchange { request, ended, missing, doubt, ..Exchange::default() });
        }
    }

    /// Requests were sent without waiting, something is missing, and nothing more comes: of a
    /// connection that was closed in peace, the last answer is that to the last request.
    fn count_from_the_end(
        &mut self,
        client: &Direction,
        server: &Direction,
        ended: Option<Cause>,
        done: &mut Vec<Exchange>,
    ) {
        let mut paired = Vec::new();
        let mut is_known = ended == Some(Cause::Closed);
        while is_known
            && let (Some(request), Some(answer)) = (self.requests.back(), self.answers.back())
        {
            let (asked, answered) = (request.span, answer.span);
            is_known = !client.is_missing_behind(asked.end)
                && !server.is_missing_behind(answered.end)
                && answered.heard.is_none_or(|heard| heard > asked.start);
            if !is_known {
                break;
            }
            let is_alone = self.requests.len() == 1 && self.answers.len() == 1;
            let (request, answer) = (self.requests.pop_back(), self.answers.pop_back());
            let doubt = (!is_alone || !paired.is_empty()).then_some(Doubt::Counted);
            paired.push(Exchange { request, answer, doubt, ..Exchange::default() });
            // What stands before something that is missing cannot be counted from here.
            is_known = !client.is_missing_before(asked.start, &self.requests)
                && !server.is_missing_before(answered.start, &self.answers);
        }
        let is_open = !self.requests.is_empty() && !self.answers.is_empty();
        let doubt = is_open.then_some(Doubt::Open);
        for request in std::mem::take(&mut self.requests) {
            let missing = server.missing_between(request.span.heard.unwrap_or(0), u64::MAX);
            // One of the answers may be its own: it is not that nothing came.
            let request = Some(request);
            done.push(Exchange { request, missing, doubt, ..Exchange::default() });
        }
        for answer in std::mem::take(&mut self.answers) {
            let until = answer.span.heard.unwrap_or(client.given);
            let missing = client.missing_between(self.asked, until);
            done.push(Exchange { answer: Some(answer), missing, doubt, ..Exchange::default() });
        }
        done.extend(paired.into_iter().rev());
    }
}
