//! One report as one line of JSON.
//!
//! Law: names are snake_case and stable (`sns-cli/README.md` lists them); a field that does not
//! apply is left out. The line is pure JSON, and pure text: what a terminal might obey is `\u…`.

use super::is_dangerous;
use crate::report::{Fields, Node, Report, Text};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Writes the line.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    line(report, out)
}

/// Writes any other value as such a line.
pub(crate) fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Escaping);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Writes what JSON would allow raw, and a terminal should not see, as `\u…`.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_dangerous(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("file", &self.file)?;
        map.serialize_entry("form", self.form)?;
        map.serialize_entry("kind", self.kind)?;
        for (name, node) in &self.fields.0 {
            map.serialize_entry(name, node)?;
        }
        let quirks: Vec<&str> = self.quirks.iter().map(|quirk| quirk.name()).collect();
        map.serialize_entry("quirks", &quirks)?;
        if let Some(problem) = &self.problem {
            map.serialize_entry("error", &problem.text)?;
            if let Some(offset) = problem.offset {
                map.serialize_entry("error_offset", &offset)?;
            }
        }
        map.end()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.value)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, node)| (name, node)))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Text(text) => text.serialize(serializer),
            Node::Words(words) => serializer.serialize_str(words),
            Node::Number(number) => serializer.serialize_u64(*number),
            Node::Flag(flag) => serializer.serialize_bool(*flag),
            Node::List(nodes) => serializer.collect_seq(nodes),
            Node::Map(fields) => fields.serialize(serializer),
            Node::Pairs(key, pairs) => {
                serializer.collect_seq(pairs.iter().map(|pair| Pair(key, pair)))
            }
        }
    }
}

struct Pair<'a>(&'static str, &'a (Text, Text));

impl Serialize for Pair<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Pair(key, (name, value)) = self;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(key, name)?;
        map.serialize_entry("value", value)?;
        map.end()
    }
}
