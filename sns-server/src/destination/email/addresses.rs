//! Addresses as cameras and people write them.
//!
//! Law: what is no address is named as it came, and never sent to.

use crate::destination::Fault;
use lettre::address::Address;
use lettre::message::Mailbox;

/// Who a mail is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Author {
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
}

/// An address as text.
pub(super) fn text(address: &Address) -> &str {
    address.as_ref()
}

/// An address, with or without a display name.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let text = text.trim();
    let malformed = || format!("{text:?} is no mail address");
    if text.contains(char::is_control) {
        return Err(malformed());
    }
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        return Ok(mailbox);
    }
    // Cameras do not quote display names.
    let loose = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let (name, address) = loose.unwrap_or(("", text));
    let name = name.trim().trim_matches('"').trim();
    match address.trim().parse::<Address>() {
        Ok(address) => Ok(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address)),
        Err(_) => Err(malformed()),
    }
}

/// Those who can be sent to, each once, and what is wrong with the others.
pub(super) fn address_list(wanted: &[String]) -> (Vec<Mailbox>, Vec<String>) {
    let mut list: Vec<Mailbox> = Vec::new();
    let mut malformed = Vec::new();
    for one in wanted {
        match mailbox(one) {
            Ok(one) => {
                let same =
                    |known: &Mailbox| text(&known.email).eq_ignore_ascii_case(text(&one.email));
                if !list.iter().any(same) {
                    list.push(one);
                }
            }
            Err(problem) => malformed.push(problem),
        }
    }
    (list, malformed)
}

/// Who a mail is from: as configured, because relays refuse foreign senders, or else the camera's
/// sender.
pub(super) fn author(configured: Option<&Mailbox>, sender: Option<&str>) -> Result<Author, Fault> {
    let sender = sender.map(mailbox).transpose();
    match (configured, sender) {
        (Some(from), sender) => {
            // What is not ASCII needs a server that knows it, and is not worth failing for.
            let reply_to = sender
                .ok()
                .flatten()
                .filter(|sender| sender.email != from.email && text(&sender.email).is_ascii());
            Ok(Author { from: from.clone(), reply_to })
        }
        (None, Ok(Some(from))) => Ok(Author { from, reply_to: None }),
        (None, Ok(None)) => {
            Err(Fault::permanent("this post has no sender: set from = \"…\" in this destination"))
        }
        (None, Err(problem)) => Err(Fault::permanent(format!(
            "the sender {problem}: set from = \"…\" in this destination"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_cameras_write_them() {
        for (text, name, address) in [
            ("me@example.com", None, "me@example.com"),
            (" <me@example.com> ", None, "me@example.com"),
            ("Camera <Camera@samsungcamera.com>", Some("Camera"), "Camera@samsungcamera.com"),
            ("\"Doe, Jane\" <jane@example.com>", Some("Doe, Jane"), "jane@example.com"),
            ("Doe, Jane <jane@example.com>", Some("Doe, Jane"), "jane@example.com"),
            ("J\u{fc}rgen \u{c0ac} <j@example.com>", Some("J\u{fc}rgen \u{c0ac}"), "j@example.com"),
        ] {
            let read = mailbox(text).unwrap();
            assert_eq!((read.name.as_deref(), read.email.as_ref()), (name, address), "{text:?}");
        }
        for text in [
            "",
            "me",
            "me@",
            "@example.com",
            "a b@example.com",
            "me@example.com>",
            "me@exa mple.com",
            "a@b@c.com",
            "me@example.com\r\nRCPT TO:<x@y>",
            "<>",
        ] {
            let problem = mailbox(text).unwrap_err();
            assert!(problem.contains("is no mail address"), "{problem}");
        }
    }

    #[test]
    fn the_same_address_is_sent_to_once() {
        let wanted = ["a@b.com", "A <A@B.com>", "nobody", "c@d.com"].map(str::to_owned);
        let (list, malformed) = address_list(&wanted);
        assert_eq!(list.len(), 2);
        assert_eq!(malformed, ["\"nobody\" is no mail address"]);
    }

    #[test]
    fn the_configured_sender_stands_above_the_cameras() {
        let from = mailbox("relay@example.com").unwrap();
        let both = author(Some(&from), Some("Me <me@example.com>")).unwrap();
        assert_eq!(both.from, from);
        assert_eq!(both.reply_to.unwrap().email.to_string(), "me@example.com");
        assert_eq!(author(Some(&from), Some("relay@example.com")).unwrap().reply_to, None);
        assert_eq!(author(Some(&from), Some("nonsense")).unwrap().reply_to, None);
        let cameras = author(None, Some("me@example.com")).unwrap();
        assert_eq!((cameras.from.email.as_ref(), cameras.reply_to), ("me@example.com", None));
        assert!(author(None, None).unwrap_err().message.contains("set from"));
        assert!(author(None, Some("nonsense")).unwrap_err().message.contains("\"nonsense\""));
    }
}
