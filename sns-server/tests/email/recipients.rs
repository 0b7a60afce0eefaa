//! One who cannot be reached keeps nobody else from it.

use crate::peer::{Mischief, Nature, Peer};
use crate::posts::Kept;
use crate::{at, mail};
use sns_server::destination::FaultKind;

#[tokio::test]
async fn malformed_addresses_are_named_and_the_others_get_it_once() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let post = mail(folder.path(), &["family@example.com", "fam ily@", "Family@example.com"]);
    let (email, kept) = (at(&peer, ""), Kept::default());
    // A person retries, and nothing was mended.
    for _ in 0..2 {
        let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent);
        assert!(fault.message.contains("\"fam ily@\" is no mail address"), "{fault}");
    }
    assert_eq!(peer.mails().len(), 1);
    assert_eq!(peer.mails()[0].to, ["family@example.com"]);
    let post = mail(folder.path(), &["fam ily@"]);
    let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
}

#[tokio::test]
async fn who_is_refused_is_named_and_alone_tried_again() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let post = mail(folder.path(), &["a@example.com", "b@example.com", "c@example.com"]);
    peer.once("RCPT TO:<b@", Mischief::Say("550 5.1.1 No such person here"));
    let (email, kept) = (at(&peer, ""), Kept::default());
    let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("b@example.com: 550 5.1.1 No such person here"), "{fault}");
    assert_eq!(peer.mails()[0].to, ["a@example.com", "c@example.com"]);
    // The mailbox was made, a person retries.
    email.deliver(&post, &mut kept.progress()).await.unwrap();
    let mails = peer.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].to, ["b@example.com"]);
    assert_eq!(mails[0].bytes, mails[1].bytes);
}

#[tokio::test]
async fn who_is_busy_gets_it_later_and_the_others_once() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let post = mail(folder.path(), &["a@example.com", "b@example.com", "c@example.com"]);
    peer.once("RCPT TO:<a@", Mischief::Say("550 gone"));
    peer.once("RCPT TO:<b@", Mischief::Say("450 4.2.0 Greylisted"));
    let (email, kept) = (at(&peer, ""), Kept::default());
    let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault}");
    assert!(fault.message.contains("b@example.com: 450 4.2.0 Greylisted"), "{fault}");
    assert!(fault.message.contains("a@example.com: 550 gone"), "{fault}");
    peer.once("RCPT TO:<a@", Mischief::Say("550 gone"));
    let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
    let to: Vec<_> = peer.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [["c@example.com"], ["b@example.com"]]);
}

#[tokio::test]
async fn nobody_taken_means_nothing_sent() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    peer.once("RCPT", Mischief::Say("550 gone"));
    let post = mail(folder.path(), &["a@example.com"]);
    let fault = at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(!peer.lines().iter().any(|line| line == "DATA"));
}

#[tokio::test]
async fn addresses_that_the_server_cannot_read_are_named() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let post = mail(folder.path(), &["j\u{fc}rgen@example.com", "a@example.com"]);
    let fault = at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
    assert!(fault.message.contains("j\u{fc}rgen@example.com: this server takes no"), "{fault}");
    assert_eq!(peer.mails()[0].to, ["a@example.com"]);
}
