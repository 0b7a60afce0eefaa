//! What arrives, for a person to read.

use crate::peer::{Nature, Peer};
use crate::posts::{Kept, photo, social};
use crate::{at, email, mail};
use mail_parser::MimeHeaders;
use samsung_sns::time::UnixTime;

#[tokio::test]
async fn a_mail_arrives_as_the_camera_gave_it() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let to = ["Family <family@example.com>", "J\u{fc}rgen <j@example.org>"];
    let mut post = mail(folder.path(), &to);
    post.title = Some("\u{c0ac}\u{c9c4} \u{2014} am See".to_owned());
    post.typed = "Gr\u{fc}\u{df}e!\r\n.\r\n..two dots\r\nfrom here ~ really".to_owned();
    post.files[0].name = "\u{c0ac}\u{c9c4} 1.JPG".to_owned();
    let said = at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert!(said.starts_with("family@example.com, j@example.org by 127.0.0.1:"), "{said}");
    let [mail] = &peer.mails()[..] else { panic!("not one mail: {:?}", peer.lines()) };
    assert_eq!(mail.from, "relay@example.com");
    assert_eq!(mail.to, ["family@example.com", "j@example.org"]);
    let read = mail.parsed();
    assert_eq!(read.from().unwrap().first().unwrap().address(), Some("relay@example.com"));
    let reply_to = read.reply_to().unwrap().first().unwrap();
    assert_eq!((reply_to.name(), reply_to.address()), (Some("Me"), Some("me@example.com")));
    let to: Vec<_> =
        read.to().unwrap().iter().map(|to| (to.name().unwrap(), to.address().unwrap())).collect();
    assert_eq!(to, [("Family", "family@example.com"), ("J\u{fc}rgen", "j@example.org")]);
    assert_eq!(read.subject(), post.title.as_deref());
    assert_eq!(read.message_id(), Some(format!("{}@example.com", post.id).as_str()));
    assert_eq!(read.date().unwrap().to_timestamp(), 1_777_636_800);
    assert_eq!(read.body_text(0).unwrap(), post.typed);
    let [attachment] = &read.attachments().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(attachment.attachment_name(), Some("\u{c0ac}\u{c9c4} 1.JPG"));
    let content = attachment.content_type().unwrap();
    assert_eq!((content.ctype(), content.subtype()), ("image", Some("jpeg")));
    assert_eq!(attachment.contents(), photo());
}

#[tokio::test]
async fn without_from_it_is_the_cameras_sender() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let keys = format!("host = \"127.0.0.1\"\nport = {}\ntls = \"none\"", peer.address.port());
    let email = email(&keys).unwrap();
    let mut post = mail(folder.path(), &["family@example.com"]);
    email.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    let mails = peer.mails();
    let read = mails[0].parsed();
    assert_eq!(mails[0].from, "me@example.com");
    assert_eq!(read.from().unwrap().first().unwrap().name(), Some("Me"));
    assert!(read.reply_to().is_none());
    for (sender, hint) in [(Some("Camera"), "the sender \"Camera\" is no"), (None, "set from")] {
        post.sender = sender.map(str::to_owned);
        let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
        assert!(fault.message.contains(hint), "{fault}");
    }
    assert_eq!(peer.mails().len(), 1);
}

#[tokio::test]
async fn a_social_post_gets_its_subject_from_its_words() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let email = at(&peer, "to = [\"family@example.com\"]");
    let mut post = social(folder.path(), &[("a.jpg", &photo()), ("clip.mp4", b"video")]);
    post.text = "At the lake, where the water was so cold that nobody but Anna went in".to_owned();
    post.files[0].alt_text = "Anna in the lake".to_owned();
    post.typed = format!("{}~Anna in the lake", post.text);
    let mut second = post.clone();
    second.title = Some("Holidays".to_owned());
    let mut third = post.clone();
    (third.text, third.typed) = (String::new(), String::new());
    third.files[0].alt_text = String::new();
    for (index, post) in [&mut post, &mut second, &mut third].into_iter().enumerate() {
        post.id = format!("post-{index}");
        email.deliver(post, &mut Kept::default().progress()).await.unwrap();
    }
    let mails = peer.mails();
    let read: Vec<_> = mails.iter().map(|mail| mail.parsed()).collect();
    let subjects: Vec<_> = read.iter().map(|mail| mail.subject().unwrap()).collect();
    let cut = "At the lake, where the water was so cold that nobody but\u{2026}";
    assert_eq!(subjects, [cut, "Holidays", "SAMSUNG NX300"]);
    let body = read[0].body_text(0).unwrap();
    assert_eq!(body.trim_end(), format!("{}\r\n\r\na.jpg: Anna in the lake", post.text));
    assert_eq!(read[2].body_text(0).unwrap().trim_end(), "");
    let types: Vec<_> =
        read[0].attachments().map(|part| part.content_type().unwrap().ctype().to_owned()).collect();
    assert_eq!(types, ["image", "video"]);
    // Without anybody to send it to.
    let fault = at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert!(fault.message.contains("set to = "), "{fault}");
}

#[tokio::test]
async fn nothing_a_camera_sends_becomes_a_header() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let hostile = "Hi\r\nBcc: evil@example.com\r\n\r\nbody";
    let mut post = mail(folder.path(), &["family@example.com"]);
    post.title = Some(hostile.to_owned());
    post.sender = Some("Me\r\nBcc: evil@example.com\r\n <me@example.com>".to_owned());
    post.files[0].name = format!("{hostile}\".JPG");
    at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap();
    let mails = peer.mails();
    let read = mails[0].parsed();
    assert_eq!(mails[0].to, ["family@example.com"]);
    assert!(read.bcc().is_none() && read.reply_to().is_none());
    assert_eq!(read.subject(), Some("Hi Bcc: evil@example.com body"));
    assert_eq!(read.attachment_count(), 1);
    assert_eq!(read.attachments().next().unwrap().contents(), photo());
}

#[tokio::test]
async fn a_date_that_cannot_be_is_replaced() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (came, shown) in [(60, now), (now + 86_400, now), (now - 3600, now - 3600)] {
        let mut post = mail(folder.path(), &["family@example.com"]);
        post.received_at = UnixTime::from_secs(came);
        at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap();
        let mails = peer.mails();
        let date = mails.last().unwrap().parsed().date().unwrap().to_timestamp();
        assert!(date.abs_diff(shown as i64) < 30, "{came}: {date}");
    }
}

#[tokio::test]
async fn a_mail_without_files_and_subject_is_a_mail() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let mut post = mail(folder.path(), &["family@example.com"]);
    post.title = None;
    post.files.clear();
    at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap();
    let mails = peer.mails();
    let read = mails[0].parsed();
    assert_eq!((read.subject(), read.attachment_count()), (None, 0));
    assert_eq!(read.body_text(0).unwrap().trim_end(), "At the lake");
}

/// RFC 5322 section 2.1.1: servers refuse longer lines for good.
#[tokio::test]
async fn no_line_of_a_head_is_longer_than_servers_take() {
    let (peer, folder) = (Peer::new(Nature::default()), tempfile::tempdir().unwrap());
    let to: Vec<String> = (0..100)
        .map(|n| match n % 3 {
            0 => format!("recipient{n}@photos.example.com"),
            1 => format!("\"Doe, J\u{fc}rgen {n}\" <recipient{n}@photos.example.com>"),
            _ => format!("{} <recipient{n}@photos.example.com>", "x".repeat(1500)),
        })
        .collect();
    let mut post = mail(folder.path(), &to.iter().map(String::as_str).collect::<Vec<_>>());
    post.title = Some("x".repeat(1500));
    post.sender = Some(format!("{} <me@example.com>", "y".repeat(1500)));
    at(&peer, "").deliver(&post, &mut Kept::default().progress()).await.unwrap();
    let mails = peer.mails();
    let text = String::from_utf8_lossy(&mails[0].bytes);
    let longest = text.lines().map(str::len).max().unwrap();
    assert!(longest <= 998, "{longest}");
    let read = mails[0].parsed();
    let read: Vec<_> = read.to().unwrap().iter().map(|to| to.address().unwrap()).collect();
    let all: Vec<_> = (0..100).map(|n| format!("recipient{n}@photos.example.com")).collect();
    assert_eq!(read, all);
}
