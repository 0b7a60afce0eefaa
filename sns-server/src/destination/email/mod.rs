//! The destination `email`: a post becomes a mail, by way of a mail server.
//!
//! Law: a mail and its Message-ID are the same at every attempt, and who has it is noted before
//! anything else happens, so that a recipient gets it twice only if we die, or the connection does,
//! between the server's acceptance and our note of it. A recipient who is refused keeps nobody else
//! from it. One mail at a time is in memory, of all destinations together.

mod addresses;
mod cut;
mod letter;
mod line;

use super::{Fault, FaultKind, Post, Progress};
use crate::config::secret::secret;
use addresses::{Author, address_list, author, mailbox, text};
use bytesize::ByteSize;
use cut::TooLarge;
use letter::Letter;
use lettre::message::Mailbox;
use line::{Encryption, Line, Server};
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use tokio::sync::Semaphore;

/// A mail takes almost three times the memory of its files.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// What the configuration says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Encryption,
    username: Option<String>,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    max_size: Option<ByteSize>,
    #[serde(default)]
    too_large: TooLarge,
}

/// A destination of this type.
#[derive(Debug)]
pub struct Email {
    server: Server,
    from: Option<Mailbox>,
    to: Vec<String>,
    max_size: u64,
    too_large: TooLarge,
}

impl Email {
    /// The destination as configured.
    ///
    /// # Errors
    /// What is wrong with the keys, and what to do.
    pub fn new(keys: Keys) -> Result<Email, String> {
        let password = secret("password", keys.password.as_ref(), keys.password_file.as_deref())?;
        let login = match (keys.username, password) {
            (Some(name), Some(password)) => Some((name, password)),
            (None, None) => None,
            (Some(_), None) => return Err("password or password_file is missing".to_owned()),
            (None, Some(_)) => return Err("username is missing".to_owned()),
        };
        if keys.tls == Encryption::None && login.is_some() && !is_this_machine(&keys.host) {
            return Err(
                "tls = \"none\" would send the password readable to all; use \"starttls\" \
                        or \"tls\""
                    .to_owned(),
            );
        }
        let port = keys.port.unwrap_or(match keys.tls {
            Encryption::Starttls => 587,
            Encryption::Tls => 465,
            Encryption::None => 25,
        });
        let from = keys.from.as_deref().map(mailbox).transpose();
        let from = from.map_err(|error| format!("from: {error}"))?;
        if let Some(wrong) = keys.to.iter().find_map(|to| mailbox(to).err()) {
            return Err(format!("to: {wrong}"));
        }
        Ok(Email {
            server: Server { host: keys.host, port, tls: keys.tls, login },
            from,
            to: keys.to,
            max_size: keys.max_size.unwrap_or(ByteSize::mib(20)).as_u64(),
            too_large: keys.too_large,
        })
    }

    /// See [`Destination::deliver`](super::Destination::deliver).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn deliver(&self, post: &Post, progress: &mut Progress) -> Result<String, Fault> {
        let author = author(self.from.as_ref(), post.sender.as_deref())?;
        let wanted = if post.recipients.is_empty() { &self.to } else { &post.recipients };
        let (to, malformed) = address_list(wanted);
        if to.is_empty() {
            return Err(Fault::permanent(match malformed.is_empty() {
                true => "nobody to send it to: set to = [\"…\"] in this destination".to_owned(),
                false => malformed.join("; "),
            }));
        }
        // Never closed.
        let _turn = ONE_AT_A_TIME.acquire().await;
        let mut line = Line::connect(&self.server).await?;
        let outcome = self.send(post, progress, &author, &to, &mut line).await;
        line.quit().await;
        let Outcome { deferred, mut refused } = outcome?;
        refused.extend(malformed);
        let kind = match (deferred.is_empty(), refused.is_empty()) {
            (true, true) => {
                let to: Vec<&str> = to.iter().map(|to| text(&to.email)).collect();
                return Ok(format!("{} by {}", to.join(", "), self.server));
            }
            (true, false) => FaultKind::Permanent,
            (false, _) => FaultKind::Transient { retry_after: None },
        };
        let problems: Vec<String> = deferred.into_iter().chain(refused).collect();
        Err(Fault { kind, message: format!("{}: {}", self.server, problems.join("; ")) })
    }

    async fn send(
        &self,
        post: &Post,
        progress: &mut Progress,
        author: &Author,
        to: &[Mailbox],
        line: &mut Line,
    ) -> Result<Outcome, Fault> {
        // A retry cuts as the first attempt did, whatever the server says meanwhile.
        let limit = match progress.of("size").and_then(|noted| noted.parse().ok()) {
            Some(noted) => noted,
            None => line.most().map_or(self.max_size, |most| most.min(self.max_size)),
        };
        let (to, strange): (Vec<Mailbox>, Vec<Mailbox>) =
            to.iter().cloned().partition(|to| line.takes_utf8() || text(&to.email).is_ascii());
        let plan = cut::plan(post, to.len(), limit, self.too_large).map_err(Fault::permanent)?;
        if plan.mails.len() > 1 && progress.of("size").is_none() {
            progress.note("size", &limit.to_string()).await;
        }
        let mut outcome = Outcome { deferred: Vec::new(), refused: plan.left_out };
        let why = "this server takes no addresses beyond ASCII";
        outcome.refused.extend(strange.iter().map(|to| format!("{}: {why}", to.email)));
        let parts = plan.mails.len();
        for (part, items) in (1..).zip(&plan.mails) {
            let (have, step) = who_has(progress, part);
            let missing: Vec<_> = to.iter().filter(|to| !have.contains(text(&to.email))).collect();
            if missing.is_empty() {
                continue;
            }
            let attachments = letter::attachments(post, items).await?;
            let letter = Letter { post, author, to: &to, part, parts, attachments };
            let bytes = letter.write()?;
            if bytes.len() as u64 > limit {
                let wanted = ByteSize(bytes.len() as u64);
                let problem = format!("the mail would be {wanted}, of at most {}", ByteSize(limit));
                return Err(Fault::permanent(problem));
            }
            let sent = line.send(&author.from.email, &missing, &bytes).await?;
            let nobody = sent.accepted.is_empty();
            if !nobody {
                progress.note(&step, &sent.accepted.join("\n")).await;
            }
            outcome.deferred.extend(sent.deferred);
            outcome.refused.extend(sent.refused);
            // Whom it refuses the first mail it refuses the second.
            if nobody {
                break;
            }
        }
        Ok(outcome)
    }

    /// Whether posts that name no recipients have any.
    pub fn has_recipients(&self) -> bool {
        !self.to.is_empty()
    }

    /// See [`Destination::probe`](super::Destination::probe).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn probe(&self) -> Result<String, Fault> {
        let mut line = Line::connect(&self.server).await?;
        let taken = match &self.from {
            Some(from) => line.try_sender(&from.email).await,
            None => Ok(()),
        };
        let limit = line.most();
        line.quit().await;
        taken?;
        let how = match (self.server.tls, &self.server.login) {
            (Encryption::None, None) => "answers, unencrypted".to_owned(),
            (Encryption::None, Some((name, _))) => format!("lets {name} in, unencrypted"),
            (_, None) => "answers, encrypted".to_owned(),
            (_, Some((name, _))) => format!("lets {name} in, encrypted"),
        };
        let limit = limit.map_or(String::new(), |most| format!(", takes up to {}", ByteSize(most)));
        Ok(format!("{} {how}{limit}", self.server))
    }
}

/// What became of those who do not have it.
struct Outcome {
    deferred: Vec<String>,
    refused: Vec<String>,
}

/// Who has a mail by what was noted, and the step under which more are noted.
fn who_has(progress: &Progress, part: usize) -> (BTreeSet<String>, String) {
    let mut have = BTreeSet::new();
    let mut attempt = 1;
    loop {
        let step = format!("mail {part}.{attempt}");
        match progress.of(&step) {
            Some(noted) => have.extend(noted.lines().map(str::to_owned)),
            None => return (have, step),
        }
        attempt += 1;
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
