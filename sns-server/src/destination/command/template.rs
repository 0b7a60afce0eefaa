//! Text with placeholders, and what stands in their places.
//!
//! Law: replaced in one pass, so that a value that looks like a placeholder stays what it is. No
//! value holds a NUL.

use crate::destination::{Fault, Post, PostFile};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The placeholders, as they stand between braces.
const NAMES: [&str; 8] =
    ["sender", "recipient", "filename", "subject", "body", "site", "user", "album"];

/// A text that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(&'static str),
}

impl Template {
    /// Braces around anything but a word are text.
    pub(super) fn read(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            plain += &rest[..open];
            rest = &rest[open..];
            let end = rest[1..].find(|c: char| !c.is_ascii_alphabetic() && c != '_').map(|n| n + 1);
            match end {
                Some(end) if end > 1 && rest[end..].starts_with('}') => {
                    let word = &rest[1..end];
                    let name = NAMES.into_iter().find(|name| *name == word).ok_or_else(|| {
                        let known = NAMES.map(|name| format!("{{{name}}}")).join(" ");
                        format!("unknown placeholder {{{word}}}; there are {known}")
                    })?;
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Value(name));
                    rest = &rest[end + 1..];
                }
                _ => {
                    plain.push('{');
                    rest = &rest[1..];
                }
            }
        }
        plain += rest;
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template(pieces))
    }

    pub(super) fn is_plain(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// One placeholder, and nothing beside it.
    pub(super) fn is_one_value(&self) -> bool {
        matches!(self.0[..], [Piece::Value(_)])
    }

    pub(super) fn is(&self, text: &str) -> bool {
        matches!(&self.0[..], [Piece::Text(plain)] if plain == text)
    }

    pub(super) fn has(&self, name: &'static str) -> bool {
        self.0.contains(&Piece::Value(name))
    }

    pub(super) fn begins_with_value(&self) -> bool {
        matches!(self.0.first(), Some(Piece::Value(_)))
    }

    /// The text with values in the placeholders' places, `file` in that of `{filename}`.
    pub(super) fn render(&self, values: &Values, file: &[u8]) -> Vec<u8> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.as_bytes().to_vec(),
            Piece::Value("filename") => file.to_vec(),
            Piece::Value(name) => values.get(name).to_vec(),
        };
        self.0.iter().flat_map(piece).collect()
    }
}

/// What stands in the placeholders' places for one run.
#[derive(Debug)]
pub(super) struct Values {
    id: String,
    texts: Vec<(&'static str, Vec<u8>)>,
    files: Vec<Vec<u8>>,
}

impl Values {
    pub(super) fn of(post: &Post, files: &[&PostFile]) -> Result<Values, Fault> {
        let email = post.channel == "email";
        let title = post.title.as_deref().unwrap_or_default();
        let texts = [
            ("sender", post.sender.as_deref().unwrap_or(&post.user)),
            ("recipient", &post.recipients.join(", ")),
            ("subject", if email { title } else { "" }),
            ("body", &post.typed),
            ("site", &post.channel),
            ("user", &post.user),
            ("album", if email { "" } else { title }),
        ];
        let texts = texts.map(|(name, text)| (name, text.replace('\0', "").into_bytes()));
        // A relative path would depend on where the program looks.
        let absolute = |file: &&PostFile| match std::path::absolute(&file.path) {
            Ok(path) => Ok(path.as_os_str().as_bytes().to_vec()),
            Err(error) => Err(Fault::transient(format!("{}: {error}", file.path.display()))),
        };
        let files = files.iter().map(absolute).collect::<Result<_, _>>()?;
        Ok(Values { id: post.id.clone(), texts: texts.to_vec(), files })
    }

    pub(super) fn files(&self) -> &[Vec<u8>] {
        &self.files
    }

    /// One path a line, where there is one place for all.
    pub(super) fn all_files(&self) -> Vec<u8> {
        self.files.join(&b'\n')
    }

    /// `SNS_SENDER` and so on, and `SNS_POST`, by which a program knows a post that comes again.
    pub(super) fn environment(&self) -> Vec<(String, OsString)> {
        let variable = |name: &str, value: Vec<u8>| {
            (format!("SNS_{}", name.to_ascii_uppercase()), OsString::from_vec(value))
        };
        let mut all: Vec<_> =
            self.texts.iter().map(|(name, value)| variable(name, value.clone())).collect();
        all.push(variable("filename", self.all_files()));
        all.push(variable("post", self.id.clone().into_bytes()));
        all
    }

    fn get(&self, name: &str) -> &[u8] {
        self.texts.iter().find(|(known, _)| *known == name).map_or(&[], |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_in_braces_are_placeholders() {
        use Piece::{Text, Value};
        let text = |text: &str| Text(text.to_owned());
        for (written, pieces) in [
            ("", vec![]),
            ("plain", vec![text("plain")]),
            ("{sender}", vec![Value("sender")]),
            ("a{user}b{site}", vec![text("a"), Value("user"), text("b"), Value("site")]),
            ("{{body}}", vec![text("{"), Value("body"), text("}")]),
            ("{print $1} {} {", vec![text("{print $1} {} {")]),
            ("{\"text\": \"{body}\"}", vec![text("{\"text\": \""), Value("body"), text("\"}")]),
        ] {
            assert_eq!(Template::read(written), Ok(Template(pieces)), "{written}");
        }
        for written in ["{file}", "x{Sender}y", "{_}"] {
            let problem = Template::read(written).unwrap_err();
            assert!(problem.contains("unknown placeholder") && problem.contains("{filename}"));
        }
    }
}
