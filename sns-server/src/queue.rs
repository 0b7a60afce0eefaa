//! `sns-server queue`: what is still to be delivered, for the person who owns it.
//!
//! Law: it works on the ledger of a server that may be running; the server notices within seconds.
//! Nothing is removed: what is dropped stays listed with `--all`, and can be tried again.

use crate::ledger::queue::{LeftBehind, Listed};
use crate::ledger::{Ledger, LedgerError};
use crate::names::is_harmless;
use clap::Subcommand;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// What to do with the queue.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// What waits, and what failed and waits for you
    List {
        /// Also what was delivered or dropped
        #[arg(long)]
        all: bool,
    },
    /// One delivery with its text, its files and what happened to it
    Show {
        /// Its number, as `list` shows it
        number: i64,
    },
    /// Try again at once: these, or everything that waits or has failed (but what has lost its files)
    Retry {
        /// Numbers, as `list` shows them
        numbers: Vec<i64>,
    },
    /// Give up these; the photos stay
    Drop {
        /// Numbers, as `list` shows them
        #[arg(required = true)]
        numbers: Vec<i64>,
    },
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nothing has this number.
    #[error("there is no delivery {0}; see `sns-server queue list --all`")]
    Unknown(i64),
    /// Some of them could not be changed.
    #[error("{done} of {asked} changed; the others do not exist or are delivered already")]
    NotAll {
        /// How many were.
        done: usize,
        /// How many were named.
        asked: usize,
    },
    /// The output could not be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Does it, on the ledger below `data_dir`. `configured` are the names of the destinations there are.
///
/// # Errors
/// [`QueueError`].
pub fn run(
    command: &Command,
    data_dir: &Path,
    configured: &BTreeSet<String>,
    out: &mut impl Write,
) -> Result<(), QueueError> {
    let mut ledger = Ledger::open_existing(&data_dir.join("sns.db"))?;
    match command {
        Command::List { all } => {
            let open = open_posts(&ledger)?;
            let listed = ledger.list(*all)?;
            if listed.is_empty() && open.is_empty() {
                writeln!(out, "nothing waits to be delivered")?;
            }
            let homeless = |destination: &str| match configured.contains(destination) {
                true => "",
                false => "  (THIS DESTINATION IS NOT CONFIGURED)",
            };
            for delivery in listed {
                let homeless = homeless(&delivery.destination);
                writeln!(out, "{}{homeless}", line(&delivery))?;
            }
            for (destination, files) in open {
                let homeless = homeless(&destination);
                writeln!(
                    out,
                    "-  open  {destination}  {files} files of a post that has not ended{homeless}"
                )?;
            }
        }
        Command::Show { number } => show(&ledger, *number, data_dir, out)?,
        Command::Retry { numbers } => {
            let done = ledger.retry(numbers)?;
            all_of(done, numbers)?;
            writeln!(out, "{done} tried again")?;
        }
        Command::Drop { numbers } => {
            let done = ledger.give_up(numbers)?;
            all_of(done, numbers)?;
            writeln!(out, "{done} given up; the photos stay where they are")?;
        }
    }
    Ok(())
}

/// Files that wait for the end of their post, by destination.
fn open_posts(ledger: &Ledger) -> Result<Vec<(String, usize)>, LedgerError> {
    let mut open = Vec::new();
    for thread in ledger.threads()? {
        let files = ledger.series_files(thread.series, &thread.destination)?;
        let waiting = files.iter().filter(|file| file.is_media && !file.posted).count();
        if waiting > 0 {
            open.push((thread.destination, waiting));
        }
    }
    Ok(open)
}

fn all_of(done: usize, numbers: &[i64]) -> Result<(), QueueError> {
    match numbers.len() {
        asked if done < asked => Err(QueueError::NotAll { done, asked }),
        _ => Ok(()),
    }
}

fn line(delivery: &Listed) -> String {
    let Listed { delivery: number, destination, state, attempts, user, channel, files, .. } =
        delivery;
    let when = when(delivery);
    let said = match delivery.said.as_str() {
        "" => String::new(),
        said => format!(": {}", harmless(said)),
    };
    let (user, channel) = (harmless(user), harmless(channel));
    let left = match delivery.left_behind {
        0 => String::new(),
        left => format!(" ({left} left behind)"),
    };
    format!(
        "{number}  {state}  {destination}  {when}  {user} by {channel}, {files} files{left}, {attempts} attempts{said}"
    )
}

fn show(
    ledger: &Ledger,
    number: i64,
    data_dir: &Path,
    out: &mut impl Write,
) -> Result<(), QueueError> {
    let listed = ledger.listed(number)?.ok_or(QueueError::Unknown(number))?;
    let photos = data_dir.join("photos");
    let (receipt, post) = ledger.delivery(number, &photos)?;
    writeln!(out, "{}", line(&listed))?;
    writeln!(out, "post {}, receipt {receipt}", post.id)?;
    if let Some(sender) = &post.sender {
        writeln!(out, "from {}", harmless(sender))?;
    }
    for recipient in &post.recipients {
        writeln!(out, "to {}", harmless(recipient))?;
    }
    if let Some(title) = post.title.as_deref().filter(|title| !title.is_empty()) {
        writeln!(out, "title {}", harmless(title))?;
    }
    if !post.text.is_empty() {
        writeln!(out, "text {}", harmless(&post.text))?;
    }
    for file in &post.files {
        let alt = match file.alt_text.as_str() {
            "" => "no alt text".to_owned(),
            alt => format!("alt text {}", harmless(alt)),
        };
        writeln!(
            out,
            "file {} ({} bytes, {}, {alt})",
            file.path.display(),
            file.length,
            file.media_type
        )?;
    }
    for LeftBehind { path, name, receipt } in ledger.left_behind(number, &photos)? {
        writeln!(
            out,
            "left behind {} (receipt {receipt}, sent as {:?}): no picture or video by its bytes",
            path.display(),
            name
        )?;
    }
    for (step, value) in ledger.steps(number)? {
        writeln!(out, "done {}: {}", harmless(&step), harmless(&value))?;
    }
    Ok(())
}

fn when(delivery: &Listed) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(delivery.received_at.as_millis()));
    time.map_or_else(String::new, |time| humantime::format_rfc3339_seconds(time).to_string())
}

/// Text from the wire for a terminal: control characters, and those that make a text read as another,
/// are shown, not obeyed.
fn harmless(text: &str) -> String {
    let shown = |c: char| match is_harmless(c) {
        true => c.to_string(),
        false => c.escape_unicode().to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_commanded_from_the_wire() {
        assert_eq!(
            harmless("a\u{1b}[31m\nb \u{e9}\u{202e}"),
            "a\\u{1b}[31m\\u{a}b \u{e9}\\u{202e}"
        );
    }
}
