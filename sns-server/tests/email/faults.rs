//! What goes wrong between us and a mail server, and how many mails there are in the end.

use crate::peer::{Mischief, Nature, Peer};
use crate::posts::Kept;
use crate::{at, email, mail};
use sns_server::destination::{Fault, FaultKind};
use std::sync::Arc;

fn is_transient(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Transient { .. })
}

#[tokio::test]
async fn what_passes_is_tried_again_and_arrives_once() {
    for (line, mischief, hint) in [
        ("", Mischief::Say("421 4.3.2 Going down"), "421 4.3.2 Going down"),
        ("", Mischief::Cut, ""),
        ("EHLO", Mischief::Cut, ""),
        ("MAIL", Mischief::Say("451 4.3.0 Try later"), "451 4.3.0 Try later"),
        ("MAIL", Mischief::Cut, ""),
        ("RCPT", Mischief::Say("421 4.7.0 Too many"), "421 4.7.0 Too many"),
        ("RCPT", Mischief::Cut, ""),
        ("DATA", Mischief::Say("451 4.3.1 Disk full"), "451 4.3.1 Disk full"),
        (":", Mischief::Cut, ""),
        (".", Mischief::Say("452 4.3.1 Disk full"), "452 4.3.1 Disk full"),
        (".", Mischief::Cut, ""),
    ] {
        let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
        let shown = format!("{line}: {mischief:?}");
        peer.once(line, mischief);
        let post = mail(folder.path(), &["family@example.com"]);
        let (email, kept) = (at(&peer, ""), Kept::default());
        let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
        assert!(is_transient(&fault), "{shown}: {fault}");
        assert!(fault.message.contains(hint), "{shown}: {fault}");
        assert!(fault.message.starts_with("127.0.0.1:"), "{shown}: {fault}");
        assert_eq!(peer.mails().len(), 0, "{shown}");
        email.deliver(&post, &mut kept.progress()).await.unwrap();
        // After it is done, and noted, but the queue did not hear of it.
        email.deliver(&post, &mut kept.progress()).await.unwrap();
        assert_eq!(peer.mails().len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn what_is_refused_waits_for_a_person() {
    for (line, answer) in [
        ("", "554 5.7.1 You are on a list"),
        ("MAIL", "550 5.7.1 Not your sender address"),
        ("DATA", "554 5.5.1 No valid recipients"),
        (".", "552 5.3.4 Too large"),
        (".", "554 5.7.1 Looks like\tspam"),
    ] {
        let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
        peer.once(line, Mischief::Say(answer));
        let post = mail(folder.path(), &["family@example.com"]);
        let (email, kept) = (at(&peer, ""), Kept::default());
        let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
        assert!(fault.message.contains(&answer.replace('\t', " ")), "{fault}");
        assert_eq!(peer.mails().len(), 0);
        email.deliver(&post, &mut kept.progress()).await.unwrap();
        assert_eq!(peer.mails().len(), 1);
    }
}

/// The window in which a duplicate is possible: the server has it, we do not know.
#[tokio::test]
async fn an_answer_that_is_lost_makes_two_mails_with_one_id() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    peer.once(".", Mischief::LoseAnswer);
    let post = mail(folder.path(), &["family@example.com"]);
    let (email, kept) = (at(&peer, ""), Kept::default());
    let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
    assert!(is_transient(&fault), "{fault}");
    email.deliver(&post, &mut kept.progress()).await.unwrap();
    let mails = peer.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].id(), mails[1].id());
    assert_eq!(mails[0].bytes, mails[1].bytes);
}

#[tokio::test]
async fn without_uplink_it_waits() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let post = mail(folder.path(), &["family@example.com"]);
    for host in ["127.0.0.1", "no-such-host.invalid"] {
        let keys = format!("host = {host:?}\nport = {}\ntls = \"none\"", closed.port());
        let email = email(&keys).unwrap();
        let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
        assert!(is_transient(&fault), "{fault}");
        assert!(is_transient(&email.probe().await.unwrap_err()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_left() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let post = mail(folder.path(), &["family@example.com"]);
    let port = silent.local_addr().unwrap().port();
    let keys = format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"");
    let fault =
        email(&keys).unwrap().deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert!(is_transient(&fault), "{fault}");
    assert!(fault.message.contains("timed out"), "{fault}");
}

#[tokio::test]
async fn a_wrong_password_waits_for_a_person_and_is_not_shown() {
    let peer = Peer::new(Nature { login: true, ..Nature::default() });
    let folder = tempfile::tempdir().unwrap();
    let post = mail(folder.path(), &["family@example.com"]);
    let email = at(&peer, "username = \"me\"\npassword = \"openbarley\"");
    let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("login as me: 535 Invalid credentials"), "{fault}");
    let probed = email.probe().await.unwrap_err();
    assert_eq!(probed, fault);
    assert!(!format!("{fault:?}{email:?}").contains("barley"));
    assert_eq!(peer.mails().len(), 0);
    // Now the right one.
    let email = at(&peer, "username = \"me\"\npassword = \"opensesame\"");
    email.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert_eq!(peer.mails().len(), 1);
    // The server cannot check passwords now.
    peer.once("AUTH", Mischief::Say("454 4.7.0 Temporary authentication failure"));
    let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert!(is_transient(&fault), "{fault}");
}

#[tokio::test]
async fn a_server_without_login_gets_no_password() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let post = mail(folder.path(), &["family@example.com"]);
    let email = at(&peer, "username = \"me\"\npassword = \"opensesame\"");
    let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("offers no login by password"), "{fault}");
    assert!(!peer.lines().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn one_mail_at_a_time() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let post = Arc::new(mail(folder.path(), &["family@example.com"]));
    let many = (0..8).map(|_| {
        let (email, post) = (at(&peer, ""), Arc::clone(&post));
        tokio::spawn(async move { email.deliver(&post, &mut Kept::default().progress()).await })
    });
    for one in many.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
    assert_eq!((peer.mails().len(), peer.at_a_time()), (8, 1));
}

#[tokio::test]
async fn a_probe_says_what_works_and_sends_nothing() {
    let peer = Peer::new(Nature { size: Some(10 << 20), login: true, ..Nature::default() });
    let email = at(&peer, "username = \"me\"\npassword = \"opensesame\"");
    let said = email.probe().await.unwrap();
    assert!(said.ends_with("lets me in, unencrypted, takes up to 10.0 MiB"), "{said}");
    peer.once("MAIL", Mischief::Say("553 5.7.1 Not your address"));
    let fault = email.probe().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("sender relay@example.com: 553"), "{fault}");
    assert_eq!(peer.mails().len(), 0);
}
