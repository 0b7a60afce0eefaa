//! A mail server of Debian, as `.ci/peers/exim` sets it up; the mail is read in the mailbox of its
//! recipient.

use crate::posts::{Kept, photo};
use crate::{email, mail};
use mail_parser::{MessageParser, MimeHeaders};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; .ci/peers/exim runs this"))
}

/// The mails in a Maildir.
fn mails(maildir: &Path) -> Vec<Vec<u8>> {
    let Ok(new) = std::fs::read_dir(maildir.join("new")) else { return Vec::new() };
    new.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

#[tokio::test]
#[ignore = "needs a mail server: .ci/peers/exim runs it"]
async fn the_photo_is_in_the_mailbox_byte_for_byte() {
    let (to, maildir) = (variable("SNS_TEST_TO"), PathBuf::from(variable("SNS_TEST_MAILDIR")));
    let keys = format!(
        "host = {:?}\nport = {}\nfrom = {to:?}\nusername = {:?}\npassword_file = {:?}",
        variable("SNS_TEST_HOST"),
        variable("SNS_TEST_PORT"),
        variable("SNS_TEST_USER"),
        variable("SNS_TEST_PASSWORD_FILE"),
    );
    let email = email(&keys).unwrap();
    println!("{}", email.probe().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut post = mail(folder.path(), &[&to, "nobody-of-this-name@localhost"]);
    post.typed = "Gr\u{fc}\u{df}e\r\n.\r\nfrom the lake".to_owned();
    let kept = Kept::default();
    // The one who is not there is named; the other has it, and gets it no second time.
    for _ in 0..2 {
        let fault = email.deliver(&post, &mut kept.progress()).await.unwrap_err();
        println!("{fault}");
        assert!(fault.message.contains("nobody-of-this-name@localhost: 550 "), "{fault}");
    }
    let end = Instant::now() + Duration::from_secs(60);
    while mails(&maildir).is_empty() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    post.recipients.pop();
    post.id = "6f1d4e3a-0c55-4c8b-9d6e-2f6a54b1c002".to_owned();
    println!("{}", email.deliver(&post, &mut Kept::default().progress()).await.unwrap());
    while mails(&maildir).len() < 2 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mails = mails(&maildir);
    let read: Vec<_> = mails.iter().map(|m| MessageParser::default().parse(m).unwrap()).collect();
    let mut ids: Vec<_> = read.iter().map(|mail| mail.message_id().unwrap()).collect();
    ids.sort_unstable();
    let domain = to.split_once('@').unwrap().1;
    let id = |end| format!("6f1d4e3a-0c55-4c8b-9d6e-2f6a54b1c00{end}@{domain}");
    assert_eq!(ids, [id(1), id(2)]);
    for mail in read {
        assert_eq!(mail.subject(), Some("At the lake"));
        assert_eq!(
            mail.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
            "Gr\u{fc}\u{df}e\n.\nfrom the lake"
        );
        let attachment = mail.attachments().next().unwrap();
        assert_eq!(attachment.attachment_name(), Some("SAM_0001.JPG"));
        assert_eq!(attachment.contents(), photo());
    }
}
