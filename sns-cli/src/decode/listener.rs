//! The conversations of a capture become reports: one for each exchange as it completes, one for
//! each connection that could not be used, one for each name that was looked up, and one for the
//! capture.
//!
//! Law: an exchange is told once it is complete or cannot become so. What is known of a camera grows
//! with what it says; each exchange is told with what was known then.

mod lookup;
mod summary;

pub(super) use summary::Ending;

use super::conversation::Talk;
use super::exchange::{Doubt, Exchange, Half, Speech};
use super::firmware;
use super::guess::{Evidences, Guess};
use super::incoming::Head;
use super::lookups::Lookups;
use super::pending::Pending;
use super::teller::Teller;
use super::warnings::{self, Around, Warning};
use crate::Outcome;
use crate::capture::connections::{Cause, End, Listener, Peers, Side};
use crate::capture::network::Message;
use crate::capture::stream::{Oddities, Piece};
use crate::extract::Extract;
use crate::print::time;
use crate::redact;
use crate::report::{Fields, Node, Report, Text};
use samsung_sns::message::auth::LoginAnswer;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr};

/// So many clients are remembered.
const MAX_CLIENTS: usize = 1024;
/// Ports at which a connection that fails is told of: those that cameras call, and those at which
/// this server is tried.
const TOLD_PORTS: [u16; 3] = [80, 443, 8080];

/// What is known of whoever asks from one address.
#[derive(Default)]
struct Client {
    evidences: Evidences,
    /// The session that its last login was given.
    session: Option<String>,
    exchanges: u64,
    warnings: u64,
    last: u64,
    /// The first name that it looked up, and where that led.
    leads_to: Option<(&'static str, Ipv4Addr)>,
    /// It was told an address that some cameras refuse.
    was_warned: bool,
}

/// Hears a capture.
pub(super) struct Ear<'e, 't, 'o> {
    name: &'e str,
    extract: &'e mut Option<Extract>,
    teller: &'t mut Teller<'o>,
    clients: HashMap<IpAddr, Client>,
    names: Lookups,
    lookups: u64,
    exchanges: u64,
    connections: u64,
    other_connections: u64,
    told_connections: u64,
    given_up: u64,
    oddities: Oddities,
    first: u64,
    last: u64,
    warnings: BTreeMap<&'static str, u64>,
    worst: Outcome,
    done: Vec<Exchange>,
    pending: Pending,
}

impl<'e, 't, 'o> Ear<'e, 't, 'o> {
    /// Nothing heard yet of the capture of this name.
    pub(super) fn new(
        name: &'e str,
        extract: &'e mut Option<Extract>,
        teller: &'t mut Teller<'o>,
    ) -> Ear<'e, 't, 'o> {
        Ear {
            name,
            extract,
            teller,
            clients: HashMap::new(),
            names: Lookups::default(),
            lookups: 0,
            exchanges: 0,
            connections: 0,
            other_connections: 0,
            told_connections: 0,
            given_up: 0,
            oddities: Oddities::default(),
            first: 0,
            last: 0,
            warnings: BTreeMap::new(),
            worst: Outcome::Good,
            done: Vec::new(),
            pending: Pending::default(),
        }
    }

    fn report(&self, form: &'static str, kind: &'static str) -> Report {
        let mut report = Report::new(Text::public(self.name));
        report.form = form;
        report.kind = kind;
        report
    }

    fn tell(&mut self, report: Report) -> io::Result<()> {
        self.worst = self.worst.max(self.teller.tell(report)?);
        Ok(())
    }

    fn client(&mut self, address: IpAddr, now: u64) -> &mut Client {
        if self.clients.len() >= MAX_CLIENTS && !self.clients.contains_key(&address) {
            let oldest = self.clients.iter().min_by_key(|(_, client)| client.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.clients.remove(&oldest);
            }
        }
        let client = self.clients.entry(address).or_default();
        client.last = now;
        client
    }

    /// Tells the exchanges that are done.
    fn exchanges(&mut self, talk: &Talk) -> io::Result<()> {
        let mut done = std::mem::take(&mut self.done);
        for exchange in done.drain(..) {
            let report = self.exchange(talk, exchange);
            self.tell(report)?;
        }
        self.done = done;
        Ok(())
    }

    fn exchange(&mut self, talk: &Talk, mut exchange: Exchange) -> Report {
        // Then nobody knows how it went on, and there is nothing to judge.
        let is_given_up = exchange.ended.take_if(|ended| *ended == Cause::GivenUp).is_some();
        self.exchanges += 1;
        let (client, server) = talk.ends();
        let spans = [&exchange.request, &exchange.answer].map(|h| h.as_ref().map(|h| h.span));
        let began = spans.iter().flatten().map(|span| span.began).min().unwrap_or(0);
        let ended = spans.iter().flatten().map(|span| span.ended).max().unwrap_or(began);
        let known = self.client(client.ip(), ended);
        known.exchanges += 1;
        if let Some(request) = &exchange.request
            && let Some(head) = &request.finished.head
        {
            known.evidences.note(head, &request.finished.report);
        }
        let guess = known.evidences.guess();
        let session = known.session.clone();
        let around =
            Around { server: server.ip(), guess: guess.as_ref(), session: session.as_deref() };
        let warnings = warnings::of(&exchange, &around);
        self.count(client.ip(), ended, &warnings);
        let known = self.client(client.ip(), ended);
        if let Some(answer) = &exchange.answer
            && answer.finished.report.kind == "login_answer"
            && let Some(login) =
                LoginAnswer::scan(&String::from_utf8_lossy(&answer.finished.searched))
        {
            known.session = Some(login.session_key);
        }

        // What is left of a request says less of what it was than its answer does.
        let kind = match (&exchange.request, &exchange.answer) {
            (Some(request), Some(answer))
                if request.finished.is_headless && request.finished.report.kind == "unknown" =>
            {
                answer.finished.report.kind
            }
            (Some(half), _) | (None, Some(half)) => half.finished.report.kind,
            (None, None) => "unknown",
        };
        let mut report = self.report("exchange", kind);
        report.fields.number("exchange", self.exchanges);
        report.fields.number("connection", talk.peers.number);
        show_time("time", began, &mut report.fields);
        report.fields.text("client", redact::peer(client));
        report.fields.text("server", redact::peer(server));
        show_guess(guess.as_ref(), &mut report.fields);
        let verdict = match (&exchange.request, &exchange.answer) {
            (Some(request), Some(answer)) => match &request.finished.head {
                Some(Head::Request(_, endpoint)) => {
                    let kind = request.finished.report.kind;
                    firmware::verdict(endpoint, kind, &answer.finished.searched, &answer.span)
                }
                _ => None,
            },
            _ => None,
        };
        if let (Some(request), Some(answer)) = (&exchange.request, &exchange.answer)
            && request.span.ended > 0
        {
            let waited = answer.span.began.saturating_sub(request.span.ended);
            report.fields.number("answered_after_us", waited / 1000);
        }
        if exchange.unread > 0 {
            report.fields.number("unread_bytes", exchange.unread);
        }
        if is_given_up {
            report.broken(
                None,
                "too many connections were open at once, and this one was given up here",
            );
        }
        let Exchange { missing, doubt, .. } = exchange;
        let lost = |what: &str, who: &str| match missing {
            0 => what.to_owned(),
            missing => format!("{what}: {missing} bytes of what {who} said are missing"),
        };
        if missing > 0 {
            report.fields.number("missing_bytes", missing);
        }
        match doubt {
            Some(Doubt::Open) => report.broken(
                None,
                "requests were sent without waiting for answers, and something is missing: which \
                 answer belongs to which request cannot be told",
            ),
            Some(Doubt::Shed) => report.broken(
                None,
                "too much waited for what belongs to it, in this and in other connections: it is \
                 told alone",
            ),
            Some(Doubt::Counted) => report.fields.words(
                "paired_by",
                "counting from the end of the connection: something before is missing, and requests \
                 were sent without waiting for answers",
            ),
            None => {}
        }
        // What is left of a request may be a part of one that was answered.
        let is_rest = exchange.request.as_ref().is_some_and(|half| half.finished.is_headless);
        match exchange.request {
            Some(half) => nest("request", half, &mut report),
            None => {
                let what = "the request of this answer is not in the capture";
                report.broken(None, lost(what, "the client"));
            }
        }
        match (exchange.answer, exchange.ended) {
            (Some(half), _) => nest("answer", half, &mut report),
            (None, Some(Cause::OneSided)) => {
                let what = "the capture holds only what the client said";
                report.broken(None, lost(what, "the server"));
            }
            (None, Some(Cause::CaptureEnded)) if missing == 0 => {
                report.broken(None, "the capture ends before an answer");
            }
            (None, None) if is_given_up => {}
            (None, Some(_)) if is_rest => {}
            (None, Some(_)) if missing == 0 && doubt.is_none() => {
                report.fields.add("no_answer", Node::Flag(true));
            }
            (None, _) => {
                report.broken(None, lost("the answer is not in the capture", "the server"));
            }
        }
        if let Some(verdict) = verdict {
            let mut fields = Fields::default();
            if let Some(accepts) = verdict.accepts {
                fields.add("accepts", Node::Flag(accepts));
            }
            fields.words("verdict", verdict.text);
            if let Some(reason) = &verdict.reason {
                fields.text("reason", redact::refusal(reason));
            }
            report.fields.add("firmware", Node::Map(fields));
        }
        show_warnings(warnings, &mut report.fields);
        report
    }

    /// Counts warnings, for the camera and for the summary.
    fn count(&mut self, client: IpAddr, now: u64, warnings: &[Warning]) {
        self.client(client, now).warnings += warnings.len() as u64;
        for warning in warnings {
            *self.warnings.entry(warning.name).or_default() += 1;
        }
    }

    /// Tells of a connection on which nothing could be said, or understood.
    fn connection(&mut self, talk: &mut Talk, end: &End) -> io::Result<()> {
        let (mut unread, rest) = talk.take_unread();
        unread +=
            rest.iter().map(|half| half.span.end - half.span.start - half.span.lost).sum::<u64>();
        let (client, server) = talk.ends();
        let kind = match (end.cause, talk.speech) {
            (_, Speech::Handshake) => "tls",
            (Cause::Refused, _) => "refused",
            (Cause::Unanswered, _) => "unanswered",
            (Cause::GivenUp, _) => "given_up",
            _ => "other",
        };
        self.other_connections += u64::from(kind == "other");
        let is_told = match kind {
            "tls" => true,
            "other" => unread > 0 && TOLD_PORTS.contains(&server.port()),
            _ => TOLD_PORTS.contains(&server.port()),
        };
        if !is_told {
            return Ok(());
        }
        self.told_connections += 1;
        let mut report = self.report("connection", kind);
        report.fields.number("connection", talk.peers.number);
        show_time("time", talk.peers.since, &mut report.fields);
        report.fields.text("client", redact::peer(client));
        report.fields.text("server", redact::peer(server));
        if unread > 0 {
            report.fields.number("unread_bytes", unread);
        }
        let files = rest.into_iter().flat_map(|half| half.finished.report.fields.0);
        report.fields.0.extend(files.filter(|(name, _)| *name == "extracted").take(1));
        let meaning = match kind {
            "tls" => {
                "it is encrypted (TLS or SSLv2), and nothing of it can be read here; cameras other \
                 than the HMX camcorders speak plain HTTP"
            }
            "refused" => {
                "nothing listens there: start the server, on this address and this port (cameras \
                 call port 80)"
            }
            "unanswered" => {
                "nothing answered at all: the address is wrong, the host is down, or a firewall \
                 drops what comes"
            }
            "given_up" => {
                "too many connections were open at once, and this one was given up before anything \
                 was recognised in it"
            }
            _ => "no HTTP was recognised in it",
        };
        report.fields.words("meaning", meaning);
        self.tell(report)
    }
}

impl Listener for Ear<'_, '_, '_> {
    type Talk = Talk;

    fn opened(&mut self, peers: &Peers) -> io::Result<Talk> {
        self.connections += 1;
        self.heard(peers.since);
        let has_checksums = self.extract.is_some() || self.teller.is_for_programs();
        Ok(Talk::new(peers, self.name, has_checksums, self.pending.share()))
    }

    fn piece(&mut self, talk: &mut Talk, from: Side, piece: Piece<'_>) -> io::Result<()> {
        self.heard(piece.time);
        talk.piece(from, &piece, self.extract, &mut self.done)?;
        if self.done.is_empty() { Ok(()) } else { self.exchanges(talk) }
    }

    fn finished(&mut self, talk: &mut Talk, from: Side) -> io::Result<()> {
        talk.finished(from, self.extract, &mut self.done)?;
        self.exchanges(talk)
    }

    fn closed(&mut self, mut talk: Talk, peers: &Peers, end: &End) -> io::Result<()> {
        self.heard(end.time);
        self.given_up += u64::from(end.cause == Cause::GivenUp);
        talk.peers = *peers;
        talk.end(end.cause, self.extract, &mut self.done)?;
        self.exchanges(&talk)?;
        for odd in [end.opener, end.called] {
            self.oddities.gaps += odd.gaps;
            self.oddities.missing += odd.missing;
            self.oddities.repeated += odd.repeated;
            self.oddities.conflicts += odd.conflicts;
            self.oddities.reordered += odd.reordered;
            self.oddities.probes += odd.probes;
            self.oddities.strays += odd.strays;
        }
        if talk.speech == Speech::Http { Ok(()) } else { self.connection(&mut talk, end) }
    }

    fn conflict(&mut self, talk: &mut Talk, from: Side, place: u64, length: u64) -> io::Result<()> {
        talk.conflict(from, place, length);
        Ok(())
    }

    fn message(&mut self, message: &Message<'_>, time: u64) -> io::Result<()> {
        self.heard(time);
        for lookup in self.names.message(message, time) {
            self.lookup(lookup)?;
        }
        Ok(())
    }
}

impl Ear<'_, '_, '_> {
    fn heard(&mut self, time: u64) {
        if time > 0 {
            self.first = if self.first == 0 { time } else { self.first.min(time) };
            self.last = self.last.max(time);
        }
    }
}

fn show_time(name: &'static str, nanoseconds: u64, fields: &mut Fields) {
    if nanoseconds > 0 {
        fields.words(name, time::utc(nanoseconds));
    }
}

fn show_warnings(warnings: Vec<Warning>, fields: &mut Fields) {
    if warnings.is_empty() {
        return;
    }
    let warnings = warnings.into_iter().map(|warning| {
        let mut fields = Fields::default();
        fields.words("name", warning.name);
        fields.words("text", warning.text);
        Node::Map(fields)
    });
    fields.add("warnings", Node::List(warnings.collect()));
}

fn show_guess(guess: Option<&Guess>, fields: &mut Fields) {
    if let Some(guess) = guess {
        let mut camera = Fields::default();
        guess_fields(guess, &mut camera);
        fields.add("camera", Node::Map(camera));
    }
}

fn guess_fields(guess: &Guess, fields: &mut Fields) {
    let words = |text: &str| Node::Words(text.to_owned());
    fields.add("models", Node::List(guess.models.iter().map(|model| words(model)).collect()));
    fields.add("reasons", Node::List(guess.reasons.iter().map(|reason| words(reason)).collect()));
}

/// Puts a message into the report of its exchange.
fn nest(name: &'static str, half: Half, into: &mut Report) {
    let Half { finished, span, .. } = half;
    let Report { kind, fields: said, quirks, problem, .. } = finished.report;
    let mut fields = Fields::default();
    fields.words("kind", kind);
    fields.0.extend(said.0);
    fields.number("segments", span.segments);
    into.quirks.extend(&quirks);
    if let Some(problem) = problem {
        into.broken(None, format!("{name}: {}", problem.text));
        fields.words("error", problem.text);
        if let Some(offset) = problem.offset {
            fields.number("error_offset", offset);
        }
    }
    into.fields.add(name, Node::Map(fields));
}
