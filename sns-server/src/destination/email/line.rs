//! The conversation with a mail server, step by step, because each step fails in its own way.
//!
//! Law: nothing is sent in clear where encryption was asked for; a password only after that. What the
//! server says for good (5xx) waits for a person, everything else is tried again. lettre speaks the
//! protocol; its own `send` would give up all recipients where one is refused.

use crate::destination::Fault;
use crate::destination::apart::addresses;
use crate::destination::upload::Pulse;
use lettre::address::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::fmt;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// How long a server may take to answer a command (RFC 5321, 4.5.3.2).
const ANSWER: Duration = Duration::from_secs(300);
/// How long the uplink may be still. For its word that it has a mail the server has five times as long,
/// the ten minutes of RFC 5321.
const SILENCE: Duration = Duration::from_secs(120);
/// A mail goes out in such pieces.
const PIECE: usize = 16 * 1024;

/// How the conversation is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encryption {
    /// After the server has offered it; without its offer nothing is sent.
    #[default]
    Starttls,
    /// From the first byte on.
    Tls,
    /// Not at all.
    None,
}

/// A mail server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Encryption,
    pub(super) login: Option<(String, SecretString)>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A conversation.
pub(super) struct Line {
    connection: AsyncSmtpConnection,
    shown: String,
    /// The longest mail, if the server says so.
    most: Option<u64>,
    says_size: bool,
}

/// What became of each recipient of a mail.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// The addresses for which the server took it.
    pub(super) accepted: Vec<String>,
    /// Not now: the address and why.
    pub(super) deferred: Vec<String>,
    /// Not ever: the address and why.
    pub(super) refused: Vec<String>,
}

impl Line {
    /// Connects, encrypts, and logs in.
    pub(super) async fn connect(server: &Server) -> Result<Line, Fault> {
        let shown = server.to_string();
        Line::open(server, &shown).await.map_err(|fault| about(&shown, fault))
    }

    async fn open(server: &Server, shown: &str) -> Result<Line, Fault> {
        let tls = || {
            let tls = TlsParameters::new(server.host.clone());
            tls.map_err(|error| Fault::permanent(said("TLS", &error)))
        };
        let from_the_beginning = (server.tls == Encryption::Tls).then(tls).transpose()?;
        let client = ClientId::default();
        let found = timeout(ANSWER, addresses(&server.host, server.port)).await;
        let found = found.map_err(|_| late("no connection"))?;
        let found = found.map_err(|error| Fault::transient(format!("no connection: {error}")))?;
        let connecting = AsyncSmtpConnection::connect_tokio1(
            &found[..],
            Some(CONNECT),
            &client,
            from_the_beginning,
            None,
        );
        let mut connection = within(ANSWER, "no connection", connecting).await?;
        if server.tls == Encryption::Starttls {
            if !connection.can_starttls() {
                let problem = "does not offer STARTTLS, so nothing was sent; is it the right port? \
                               Encryption from the first byte on is tls = \"tls\"";
                return Err(Fault::permanent(problem));
            }
            within(ANSWER, "STARTTLS", connection.starttls(tls()?, &client)).await?;
        }
        // lettre keeps what it needs of the answer, and that is not the size.
        let extensions = connection.command(Ehlo::new(client));
        let extensions = within(ANSWER, "EHLO", extensions).await?;
        let (says_size, most) = size(&extensions);
        let mut line = Line { connection, shown: shown.to_owned(), most, says_size };
        if let Some((name, password)) = &server.login {
            line.log_in(name, password).await?;
        }
        Ok(line)
    }

    async fn log_in(&mut self, name: &str, password: &SecretString) -> Result<(), Fault> {
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if self.connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
            let problem = "offers no login by password (PLAIN or LOGIN); leave out username, or use \
                           another port";
            return Err(Fault::permanent(problem));
        }
        let login = Credentials::new(name.to_owned(), password.expose_secret().to_owned());
        let what = format!("login as {name}");
        within(ANSWER, &what, self.connection.auth(&mechanisms, &login)).await?;
        Ok(())
    }

    /// The longest mail that the server takes, if it says so.
    pub(super) fn most(&self) -> Option<u64> {
        self.most
    }

    /// Whether addresses may have more than ASCII.
    pub(super) fn takes_utf8(&self) -> bool {
        self.connection.server_info().supports_feature(Extension::SmtpUtfEight)
    }

    /// Asks whether the server takes mails of this sender; sends none.
    pub(super) async fn try_sender(&mut self, from: &Address) -> Result<(), Fault> {
        let asked = self.connection.command(Mail::new(Some(from.clone()), Vec::new()));
        let answer = within(ANSWER, &format!("sender {from}"), asked).await;
        answer.map(|_| ()).map_err(|fault| about(&self.shown, fault))
    }

    /// Sends a mail to those whom the server lets have it.
    pub(super) async fn send(
        &mut self,
        from: &Address,
        to: &[&Mailbox],
        mail: &[u8],
    ) -> Result<Sent, Fault> {
        let sent = self.try_send(from, to, mail).await;
        sent.map_err(|fault| about(&self.shown, fault))
    }

    async fn try_send(
        &mut self,
        from: &Address,
        to: &[&Mailbox],
        mail: &[u8],
    ) -> Result<Sent, Fault> {
        let mut sent = Sent::default();
        let mut options = Vec::new();
        if self.says_size {
            // lettre ends its mails with a line end of its own.
            options.push(MailParameter::Size(mail.len() + 2));
        }
        if !mail.is_ascii() {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
            options.push(MailParameter::SmtpUtfEight);
        }
        let asked = self.connection.command(Mail::new(Some(from.clone()), options));
        within(ANSWER, &format!("sender {from}"), asked).await?;
        for to in to {
            let address = to.email.to_string();
            let asked = self.connection.command(Rcpt::new(to.email.clone(), Vec::new()));
            match timeout(ANSWER, asked).await {
                Ok(Ok(_)) => sent.accepted.push(address),
                // 421: the server hangs up.
                Ok(Err(error)) if error.is_permanent() => sent.refused.push(said(&address, &error)),
                Ok(Err(error)) if error.is_transient() && code(&error) != Some(421) => {
                    sent.deferred.push(said(&address, &error));
                }
                Ok(Err(error)) => return Err(fault(&address, &error)),
                Err(_) => return Err(late(&address)),
            }
        }
        if !sent.accepted.is_empty() {
            within(ANSWER, "DATA", self.connection.command(Data)).await?;
            self.hand_over(mail).await?;
        }
        Ok(sent)
    }

    /// Streams the mail; when this returns, the server answers for it.
    async fn hand_over(&mut self, mail: &[u8]) -> Result<(), Fault> {
        let pulse = Pulse::of(mail.len() as u64);
        // A piece is asked for when the one before it was taken by the uplink.
        let pieces = mail.chunks(PIECE).inspect(|piece| pulse.moved(piece.len()));
        let handing = self.connection.message_iter(pieces);
        let done = pulse.watch(SILENCE, handing).await;
        let done = done.map_err(|fault| about("the mail", fault))?;
        done.map(|_| ()).map_err(|error| fault("the mail", &error))
    }

    /// Says good-bye; whatever the server answers, what it took it has.
    pub(super) async fn quit(mut self) {
        let _ = timeout(CONNECT, self.connection.quit()).await;
    }
}

/// What a server says of sizes: whether it does, and the longest mail it takes, if there is a limit.
fn size(extensions: &Response) -> (bool, Option<u64>) {
    for line in extensions.message() {
        let mut words = line.split_whitespace();
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("SIZE")) {
            let most = words.next().and_then(|most| most.parse().ok());
            return (true, most.filter(|most| *most > 0));
        }
    }
    (false, None)
}

async fn within<T>(
    limit: Duration,
    what: &str,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Fault> {
    match timeout(limit, step).await {
        Ok(done) => done.map_err(|error| fault(what, &error)),
        Err(_) => Err(late(what)),
    }
}

fn late(what: &str) -> Fault {
    Fault::transient(format!("{what}: no answer (timed out)"))
}

fn about(shown: &str, fault: Fault) -> Fault {
    Fault { message: format!("{shown}: {}", fault.message), ..fault }
}

fn fault(what: &str, error: &Error) -> Fault {
    let message = said(what, error);
    match error.is_permanent() || error.is_client() {
        true => Fault::permanent(message),
        false => Fault::transient(message),
    }
}

fn code(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// What a server or the system said, in one line.
fn said(what: &str, error: &Error) -> String {
    let mut text = code(error).map_or(String::new(), |code| format!("{code} "));
    match std::error::Error::source(error) {
        Some(source) => text += &source.to_string(),
        None => text += &error.to_string(),
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|c| !c.is_control()).take(300).collect();
    format!("{what}: {line}")
}
