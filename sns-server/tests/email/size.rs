//! Mails have a size limit: the server's or our own.

use crate::peer::{Mischief, Nature, Peer};
use crate::posts::{Kept, photo, social};
use crate::{at, mail};
use sns_server::destination::FaultKind;
use sns_server::destination::Post;
use std::path::Path;

fn announcing(size: u64) -> Peer {
    Peer::new(Nature { size: Some(size), ..Nature::default() })
}

/// Five videos of 200 kB.
fn large(folder: &Path) -> Post {
    let videos: Vec<(String, Vec<u8>)> =
        (0..5_u8).map(|n| (format!("v{n}.mp4"), vec![n; 200_000])).collect();
    let files: Vec<_> = videos.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let mut post = mail(folder, &["a@example.com", "b@example.com"]);
    post.files = social(folder, &files).files;
    post
}

#[tokio::test]
async fn a_mail_says_its_size_and_is_never_larger_than_the_server_takes() {
    let (peer, folder) = (announcing(1 << 20), tempfile::tempdir().unwrap());
    let post = mail(folder.path(), &["a@example.com"]);
    at(&peer, "too_large = \"fail\"")
        .deliver(&post, &mut Kept::default().progress())
        .await
        .unwrap();
    let asked = peer.lines().into_iter().find(|line| line.starts_with("MAIL")).unwrap();
    // The line end after the final text is the dot's.
    let length = peer.mails()[0].bytes.len();
    assert_eq!(asked, format!("MAIL FROM:<relay@example.com> SIZE={length}"));
    for (size, more) in [(200_000, ""), (10 << 20, "max_size = \"200 KB\"\n")] {
        peer.announce(size);
        for too_large in ["fail", "downscale"] {
            let email = at(&peer, &format!("{more}too_large = {too_large:?}"));
            let post = large(folder.path());
            let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Permanent);
            assert!(fault.message.contains("too large"), "{fault}");
        }
    }
    assert_eq!(peer.mails().len(), 1);
}

#[tokio::test]
async fn a_large_post_is_split_and_each_mail_arrives_once() {
    let (peer, folder) = (announcing(600_000), tempfile::tempdir().unwrap());
    let post = large(folder.path());
    let (email, kept) = (at(&peer, "too_large = \"split\""), Kept::default());
    // The second mail meets a full disk, the third one recipient who is not there yet.
    peer.once("DATA", Mischief::Say("451 later"));
    assert!(email.deliver(&post, &mut kept.progress()).await.is_err());
    email.deliver(&post, &mut kept.progress()).await.unwrap();
    let mails = peer.mails();
    let ids: Vec<_> = mails.iter().map(|mail| mail.id()).collect();
    let id = |part| format!("{}.{part}of3@example.com", post.id);
    assert_eq!(ids, [id(1), id(2), id(3)]);
    let mut videos = Vec::new();
    for (part, mail) in (1..).zip(&mails) {
        assert!(mail.bytes.len() <= 600_000);
        let read = mail.parsed();
        assert_eq!(read.subject(), Some(format!("At the lake ({part}/3)").as_str()));
        videos.extend(read.attachments().map(|video| video.contents().to_owned()));
    }
    assert_eq!(videos, (0..5_u8).map(|n| vec![n; 200_000]).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_retry_is_cut_as_the_first_attempt_was_and_sends_what_is_missing() {
    let (peer, folder) = (announcing(600_000), tempfile::tempdir().unwrap());
    let post = large(folder.path());
    let (email, kept) = (at(&peer, "too_large = \"split\""), Kept::default());
    // The first mail goes to both, the second only to one, the third to none.
    peer.once(".", Mischief::Say("never"));
    let fault = email.deliver(&post, &mut kept.progress()).await;
    assert!(fault.is_err());
    let progress = kept.progress();
    assert_eq!(progress.of("size"), Some("600000"));
    peer.announce(300_000);
    peer.once("RCPT TO:<b@", Mischief::Say("450 later"));
    let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
    assert!(fault.message.contains("b@example.com: 450 later"), "{fault}");
    email.deliver(&post, &mut kept.progress()).await.unwrap();
    let got = |who: &str| {
        let mails = peer.mails().into_iter().filter(|mail| mail.to.iter().any(|to| to == who));
        mails.map(|mail| mail.id()).collect::<Vec<_>>()
    };
    let id = |part| format!("{}.{part}of3@example.com", post.id);
    assert_eq!(got("a@example.com"), [id(1), id(2), id(3)]);
    // Only the first was late for b.
    assert_eq!(got("b@example.com"), [id(2), id(3), id(1)]);
}

#[tokio::test]
async fn what_no_mail_can_hold_is_named_and_the_rest_arrives_once() {
    let (peer, folder) = (announcing(600_000), tempfile::tempdir().unwrap());
    let mut post = large(folder.path());
    post.files.push(social(folder.path(), &[("huge.mp4", &vec![9; 700_000])]).files.remove(0));
    let (email, kept) = (at(&peer, "too_large = \"split\""), Kept::default());
    for _ in 0..2 {
        let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent);
        assert!(fault.message.contains("\"huge.mp4\" is too large for a mail"), "{fault}");
    }
    assert_eq!(peer.mails().len(), 3);
}

#[tokio::test]
async fn nobody_taken_for_the_first_mail_means_no_second() {
    let (peer, folder) = (announcing(600_000), tempfile::tempdir().unwrap());
    let post = large(folder.path());
    let (email, kept) = (at(&peer, "too_large = \"split\""), Kept::default());
    peer.once("RCPT TO:<a@", Mischief::Say("550 gone"));
    peer.once("RCPT TO:<b@", Mischief::Say("550 gone too"));
    let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.ends_with("a@example.com: 550 gone; b@example.com: 550 gone too"));
    assert_eq!(peer.lines().iter().filter(|line| line.starts_with("MAIL")).count(), 1);
    email.deliver(&post, &mut kept.progress()).await.unwrap();
    assert_eq!(peer.mails().len(), 3);
}

#[tokio::test]
async fn large_pictures_are_made_smaller_and_small_ones_stay() {
    let (peer, folder) = (announcing(400_000), tempfile::tempdir().unwrap());
    let large = jpeg(3000, 2000);
    assert!(large.len() > 600_000, "{}", large.len());
    let files = [("large.JPG", &large[..]), ("small.JPG", &photo())];
    let mut post = mail(folder.path(), &["a@example.com"]);
    post.files = social(folder.path(), &files).files;
    at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap();
    let mails = peer.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].bytes.len() <= 400_000);
    let read = mails[0].parsed();
    let attachments: Vec<_> = read.attachments().map(|part| part.contents()).collect();
    assert_eq!(attachments[1], photo());
    let mut smaller = jpeg_decoder::Decoder::new(attachments[0]);
    smaller.decode().unwrap();
    let info = smaller.info().unwrap();
    assert!(info.width < 3000 && info.width > info.height, "{info:?}");
    // The original stays as it is.
    assert!(std::fs::read(&post.files[0].path).unwrap() == large);
}

/// A picture with so much in it that it is large.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(5);
    let pixels: Vec<u8> =
        (0..usize::from(width) * usize::from(height)).map(|_| random.u8(100..140)).collect();
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Luma).unwrap();
    bytes
}
