//! `POST /social/columbus/email`: a text and its files in one multipart request.
//!
//! Law: the message part says who, to whom and what; files are streamed past it and never seen
//! here.
//!
//! Facts (facts.md section 4): the captured NX300 e-mail. Only `200` matters as the answer.

use super::{MessageError, not_empty};
use crate::quirk::{Quirk, Quirks};
use crate::wire::xml::{Document, escape};

/// What the NX300 writes behind every body text.
pub const LANGUAGE_MARKER: &str = "language_sh100_utf8";

/// The message part of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Email {
    /// The sender as it came: an address, or `Name <address>`.
    pub sender: String,
    /// The recipients' addresses, as they came. May be empty.
    pub recipients: Vec<String>,
    /// The subject.
    pub title: String,
    /// The text, without the firmware's own marker at its end. May be empty.
    pub body: String,
}

impl Email {
    /// Reads the message part.
    ///
    /// # Errors
    /// [`MessageError`] if it is empty or has no sender.
    pub fn read(document: &Document<'_>, quirks: &mut Quirks) -> Result<Email, MessageError> {
        not_empty(document)?;
        let trimmed = |name| document.text(name).map(|text| text.trim().to_owned());
        let sender = trimmed("sender").filter(|sender| !address(sender).is_empty());
        let mut recipients: Vec<String> =
            document.texts("receiver").map(|recipient| recipient.trim().to_owned()).collect();
        recipients.retain(|recipient| !recipient.is_empty());
        // Whoever takes one address for two sends to somebody who was never asked about.
        if sender.iter().any(|sender| sender.contains(char::is_control)) {
            return Err(MessageError::ControlCharacters("sender"));
        }
        if recipients.iter().any(|recipient| recipient.contains(char::is_control)) {
            return Err(MessageError::ControlCharacters("receiver"));
        }
        let text = document.text("body").unwrap_or_default();
        let body = match text.trim_end().strip_suffix(LANGUAGE_MARKER) {
            Some(rest) => {
                quirks.note(Quirk::LanguageMarker);
                // The published copy of the capture shows the line end as the four characters \r\n.
                let rest = rest.strip_suffix("\\r\\n").unwrap_or(rest);
                rest.trim_end_matches(['\r', '\n']).to_owned()
            }
            None => text,
        };
        Ok(Email {
            sender: sender.ok_or(MessageError::Missing("sender"))?,
            recipients,
            title: trimmed("title").unwrap_or_default(),
            body,
        })
    }

    /// The sender's address without its display name.
    pub fn sender_address(&self) -> &str {
        address(&self.sender)
    }

    /// The message as an NX300 writes it, its marker included.
    pub fn to_xml(&self) -> String {
        let receivers: String = self
            .recipients
            .iter()
            .map(|recipient| format!("<receiver>{}</receiver>", escape(recipient)))
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
             <email><sender>{}</sender><receiverList>{receivers}</receiverList>\
             <title>{}</title>\r\n<body>{}</body></email>",
            escape(&self.sender),
            cdata(&self.title),
            cdata(&format!("{}\r\n{LANGUAGE_MARKER}", self.body)),
        )
    }
}

/// The address in `Name <address>`, or the text itself.
pub fn address(sender: &str) -> &str {
    match (sender.rfind('<'), sender.rfind('>')) {
        (Some(open), Some(close)) if open < close => sender[open + 1..close].trim(),
        _ => sender.trim(),
    }
}

fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<Email, MessageError> {
        Email::read(&Document::read(xml), &mut Quirks::default())
    }

    #[test]
    fn the_marker_goes_whatever_line_end_stands_before_it() {
        for body in ["Hi", "", "two\r\nlines"] {
            for end in ["\r\n", "\n", "\\r\\n", ""] {
                let xml = format!(
                    "<email><sender>a@b</sender><body><![CDATA[{body}{end}{LANGUAGE_MARKER}]]></body></email>"
                );
                assert_eq!(read(&xml).unwrap().body, body, "{end:?}");
            }
        }
    }

    #[test]
    fn a_display_name_is_not_part_of_the_address() {
        let xml = "<email><sender>Me &lt;a@b&gt;</sender></email>";
        assert_eq!(read(xml).unwrap().sender_address(), "a@b");
        let xml = "<email><sender><![CDATA[Me <a@b>]]></sender></email>";
        assert_eq!(read(xml).unwrap().sender_address(), "a@b");
        let xml = "<email><sender>Me <a@b></sender><title>I <3 it & you</title></email>";
        let email = read(xml).unwrap();
        assert_eq!((email.sender_address(), email.title.as_str()), ("a@b", "I <3 it & you"));
    }

    #[test]
    fn an_address_is_one_address() {
        for (field, xml) in [
            ("receiver", "<email><sender>a@b</sender><receiver>c@d\ne@f</receiver></email>"),
            ("sender", "<email><sender>a@b\r\nc@d</sender></email>"),
        ] {
            assert_eq!(read(xml), Err(MessageError::ControlCharacters(field)));
        }
        let xml = "<email><sender>\na@b\n</sender><receiver>\r\nc@d </receiver></email>";
        assert_eq!(read(xml).unwrap().recipients, ["c@d"]);
    }

    #[test]
    fn without_sender_it_means_nothing() {
        let missing = Err(MessageError::Missing("sender"));
        assert_eq!(read("<email><body>x</body></email>"), missing);
        assert_eq!(read("<email><sender> </sender></email>"), missing);
        assert_eq!(read(" \r\n"), Err(MessageError::Empty));
    }
}
