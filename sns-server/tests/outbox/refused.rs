//! The ledger refuses between a delivery and its note: what is known is held until it can be kept, and
//! nothing is delivered again meanwhile.

use crate::camera::email;
use crate::config;
use crate::harness::{Server, wait_until};
use crate::peer::{Nature, Peer};
use crate::receiver::{Deed, Receiver, Taken};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// From now on SQLite refuses every change of this kind, as it does on a full disk.
fn refuse(ledger: &Path, change: &str) {
    let sql = format!(
        "CREATE TRIGGER refuse BEFORE {change} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    );
    open(ledger).execute_batch(&sql).unwrap();
}

fn accept_again(ledger: &Path) {
    open(ledger).execute_batch("DROP TRIGGER refuse").unwrap();
}

fn open(ledger: &Path) -> Connection {
    let ledger = Connection::open(ledger).unwrap();
    ledger.busy_timeout(Duration::from_secs(10)).unwrap();
    ledger
}

/// A receiver that takes everything, and a server whose ledger refuses what came of the first post
/// that is under way.
fn whose_ledger_refuses() -> (Receiver, Server, PathBuf) {
    let place = Arc::<OnceLock<PathBuf>>::default();
    let told = Arc::clone(&place);
    let mut is_first = true;
    let receiver = Receiver::judging(move |_| {
        if std::mem::take(&mut is_first) {
            refuse(told.get().unwrap(), "UPDATE ON delivery");
        }
        Deed::Take
    });
    let server = Server::start(Some(&config(&receiver, "")));
    let ledger = server.folder.path().join("data/sns.db");
    place.set(ledger.clone()).unwrap();
    post(&server, "one");
    server.log_with("what came of it cannot be kept yet");
    (receiver, server, ledger)
}

fn post(server: &Server, text: &str) {
    assert!(email(server, &["x@y.z"], text, &[1]).contains("succ"));
}

/// Waits until the log has said it so often.
fn said(server: &Server, words: &str, times: usize) {
    for _ in 0..3 {
        if server.log_with(words).matches(words).count() >= times {
            return;
        }
        std::thread::sleep(Duration::from_secs(5));
    }
    assert!(server.log_with(words).matches(words).count() >= times, "{words:?}");
}

fn texts(taken: &[Taken]) -> Vec<String> {
    taken.iter().map(crate::seen).collect()
}

#[test]
fn what_was_delivered_is_held_until_the_ledger_takes_it() {
    let (receiver, server, ledger) = whose_ledger_refuses();
    // Cameras are served meanwhile; what they bring waits for its turn.
    post(&server, "two");
    said(&server, "what came of it cannot be kept yet", 2);
    assert_eq!(texts(&receiver.taken()), ["one []"]);
    accept_again(&ledger);
    wait_until("the held outcome is kept", || {
        let state = "SELECT count(*) FROM delivery WHERE state = 'delivered'";
        let delivered = open(&ledger).query_row(state, [], |row| row.get::<_, i64>(0));
        delivered.unwrap() > 0
    });
    assert_eq!(texts(&receiver.wait_for(2)), ["one []", "two []"]);
    assert_eq!(receiver.asked().len(), 2);
}

/// A server that stops tries once more to keep it.
#[test]
fn what_is_held_at_the_end_is_kept_if_the_ledger_takes_it_again() {
    let (receiver, mut server, ledger) = whose_ledger_refuses();
    accept_again(&ledger);
    assert!(server.terminate().success());
    let server = server.again();
    post(&server, "two");
    assert_eq!(texts(&receiver.wait_for(2)), ["one []", "two []"]);
}

/// The window that the guide names: the server ends, and could not note it. It is said, and the
/// second time has the same id.
#[test]
fn what_could_not_be_kept_to_the_end_comes_again_under_the_same_id() {
    let (receiver, mut server, ledger) = whose_ledger_refuses();
    assert!(server.terminate().success());
    server.log_with("what came of it is not kept: after the next start it is tried again");
    accept_again(&ledger);
    let server = server.again();
    post(&server, "two");
    let taken = receiver.wait_for(3);
    assert_eq!(texts(&taken), ["one []", "one []", "two []"]);
    assert_eq!(taken[0]["data"]["id"], taken[1]["data"]["id"]);
}

/// A mail server knows no id by which it would refuse the second one.
#[test]
fn a_mail_whose_acceptance_cannot_be_noted_is_not_sent_again() {
    let mails = Peer::new(Nature::default());
    let server = Server::start(Some(&format!(
        "[users.\"me@example.com\"]\n[routes]\nemail = \"mail\"\n\
         [destinations.mail]\ntype = \"email\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"relay@example.com\"\n",
        mails.address.port()
    )));
    let ledger = server.folder.path().join("data/sns.db");
    refuse(&ledger, "INSERT ON step");
    post(&server, "one");
    said(&server, "what was done cannot be kept yet", 3);
    accept_again(&ledger);
    post(&server, "two");
    wait_until("the second mail is there", || {
        mails.mails().iter().any(|mail| mail.parsed().body_text(0).unwrap().contains("two"))
    });
    assert_eq!(mails.mails().len(), 2);
}
