//! XML as the cameras write it: tolerant scanning, not validation.
//!
//! Law: a field that is in the bytes is found. quick-xml reads the markup as far as it goes, with
//! every check off; where it gives up, and for elements that junk swallowed, fields are looked for
//! by substring, as the firmware itself does with `strstr()`.
//!
//! Facts (facts.md section 2): the published NX300 login holds a line of leftover buffer junk
//! (`4p4uaaq422af3"/>`), the second one never closes `<Request>`; the login answer contains
//! `<LoginPeopleID="…"/>`, which is no XML.

mod scan;

use crate::quirk::{Quirk, Quirks};
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use scan::{inner_text, scan_element};
use std::borrow::Cow;
use std::ops::Range;

/// No message has more than a dozen elements; what is beyond this many is not looked at.
pub const MAX_ELEMENTS: usize = 1000;

/// Makes text of a message's bytes: UTF-8 without byte order mark or trailing NULs, replacement
/// characters where it is none.
pub fn decode<'a>(bytes: &'a [u8], quirks: &mut Quirks) -> Cow<'a, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    if end < bytes.len() {
        quirks.note(Quirk::TrailingNuls);
    }
    let text = super::text(&bytes[..end]);
    if matches!(text, Cow::Owned(_)) {
        quirks.note(Quirk::NotUtf8);
    }
    text
}

/// Makes `text` safe to stand in an attribute or between elements.
pub fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

/// The name of an attribute and its value, unescaped where it can be.
pub type Attribute<'a> = (&'a str, Cow<'a, str>);

/// One element: its name, its attributes, and the text directly inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'d> {
    /// The name as it is spelt.
    pub name: &'d str,
    /// Attributes in order.
    pub attributes: &'d [Attribute<'d>],
    /// The text and CDATA directly inside, joined; white space alone is none.
    pub text: &'d str,
}

impl<'d> Element<'d> {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&'d str> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_ref())
    }
}

/// An element as it is kept.
#[derive(Debug, Clone)]
struct Node<'a> {
    name: &'a str,
    /// Where its attributes are among those of the document.
    attributes: Range<usize>,
    text: Cow<'a, str>,
    holds_others: bool,
}

/// Every element of a message in document order, however broken the message is.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    source: &'a str,
    nodes: Vec<Node<'a>>,
    /// Those of all elements, in order: one vector for each would cost more than reading them.
    attributes: Vec<Attribute<'a>>,
    quirks: Quirks,
    broken_at: Option<usize>,
}

impl<'a> Document<'a> {
    /// Reads all there is. Never fails: what cannot be read is missing.
    pub fn read(source: &'a str) -> Document<'a> {
        let mut document = Document {
            source,
            nodes: Vec::with_capacity(16),
            attributes: Vec::with_capacity(16),
            quirks: Quirks::default(),
            broken_at: None,
        };
        let start = prolog_length(source);
        if let Some(good) = document.read_markup(start) {
            document.broken_at = Some(good);
            document.quirks.note(Quirk::BrokenMarkup);
            document.scan_rest(good);
        }
        document
    }

    /// Whether there is an element of this name, be it hidden by junk.
    pub fn has(&self, element: &str) -> bool {
        self.nodes.iter().any(|node| node.name == element) || self.hidden(element).is_some()
    }

    /// The attributes of the first element of this name, found by substring search: junk may hide
    /// it from a parser.
    fn hidden(&self, element: &str) -> Option<Vec<Attribute<'a>>> {
        memchr::memmem::find_iter(self.source.as_bytes(), element)
            .filter(|&at| at > 0 && self.source.as_bytes()[at - 1] == b'<')
            .find_map(|at| {
                let mut attributes = Vec::new();
                let (node, _) = scan_element(self.source, at - 1, &mut attributes)?;
                (node.name == element).then_some(attributes)
            })
    }

    /// An attribute of the first element of this name.
    pub fn attribute(&self, element: &str, name: &str) -> Option<Cow<'_, str>> {
        if let Some(node) = self.nodes.iter().find(|node| node.name == element) {
            return self.element(node).attribute(name).map(Cow::Borrowed);
        }
        let hidden = self.hidden(element)?;
        hidden.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The text of the first element of this name; see [`texts`](Document::texts).
    pub fn text(&self, element: &str) -> Option<String> {
        self.texts(element).next()
    }

    /// The texts of all elements of this name: whatever stands between the tags, CDATA and entities
    /// resolved. The firmware escapes nothing, so a `<` in there is what a person typed
    /// (`I <3 this`, `Me <me@example.com>`) and not markup.
    pub fn texts<'d>(&'d self, element: &'d str) -> impl Iterator<Item = String> + 'd {
        let source = self.source;
        memchr::memmem::find_iter(source.as_bytes(), element)
            .filter(move |&at| at > 0 && source.as_bytes()[at - 1] == b'<')
            .filter_map(move |at| inner_text(&source[at + element.len()..], element))
    }

    /// Whether there is nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.source.trim().is_empty()
    }

    /// All elements in document order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        self.nodes.iter().map(|node| self.element(node))
    }

    fn element<'d>(&'d self, node: &'d Node<'a>) -> Element<'d> {
        let attributes = &self.attributes[node.attributes.clone()];
        Element { name: node.name, attributes, text: &node.text }
    }

    /// What was odd.
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// The offset at which the markup broke down, if it did; in bytes of the text.
    pub fn broken_at(&self) -> Option<usize> {
        self.broken_at
    }

    /// Reads with quick-xml; gives the offset of the first byte it could make nothing of.
    fn read_markup(&mut self, start: usize) -> Option<usize> {
        let mut reader = Reader::from_str(&self.source[start..]);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        // Indices of the elements that are open.
        let mut open: Vec<usize> = Vec::with_capacity(8);
        loop {
            let before = start + reader.buffer_position() as usize;
            let source = self.source;
            // The same bytes, borrowed from the source and not from the event.
            let inside = |tag: &BytesStart<'_>| &source[before + 1..before + 1 + tag.len()];
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(_) => return Some(before),
            };
            match event {
                // A tag within a tag: an unclosed quote, or junk that swallowed what follows.
                Event::Start(tag) | Event::Empty(tag)
                    if memchr::memchr(b'<', tag.as_bytes()).is_some() =>
                {
                    return Some(before);
                }
                Event::Start(tag) => {
                    self.push(inside(&tag), tag.name().as_ref().len(), &open);
                    open.push(self.nodes.len() - 1);
                }
                Event::Empty(tag) => self.push(inside(&tag), tag.name().as_ref().len(), &open),
                Event::End(tag) => {
                    let name = tag.name().into_inner();
                    match open.iter().rposition(|&at| self.nodes[at].name == name.trim()) {
                        Some(at) => {
                            if at + 1 < open.len() {
                                self.quirks.note(Quirk::MissingEndTag);
                            }
                            open.truncate(at);
                        }
                        None => self.quirks.note(Quirk::StrayEndTag),
                    }
                }
                Event::Text(text) => {
                    let text = text.into_inner();
                    if text.contains('&') {
                        self.quirks.note(Quirk::BareAmpersand);
                    }
                    self.text_inside(&open, text);
                }
                Event::CData(text) => self.text_inside(&open, text.into_inner()),
                Event::GeneralRef(entity) => {
                    let resolved = match entity.resolve_char_ref() {
                        Ok(Some(c)) => Cow::Owned(c.to_string()),
                        _ => match resolve_predefined_entity(&entity) {
                            Some(text) => Cow::Borrowed(text),
                            None => Cow::Owned(format!("&{};", &*entity)),
                        },
                    };
                    self.text_inside(&open, resolved);
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
            if self.nodes.len() >= MAX_ELEMENTS {
                break;
            }
        }
        if !open.is_empty() {
            self.quirks.note(Quirk::MissingEndTag);
        }
        // Quirk(NX300): `4p4uaaq422af3"/>` between the elements of the published login.
        if self.nodes.iter().any(|node| node.holds_others && !node.text.trim().is_empty()) {
            self.quirks.note(Quirk::StrayText);
        }
        None
    }

    /// Takes a tag, given as what stands between `<` and `>` or `/>`.
    fn push(&mut self, tag: &'a str, name_length: usize, open: &[usize]) {
        if let Some(&parent) = open.last() {
            self.nodes[parent].holds_others = true;
        }
        let first = self.attributes.len();
        let mut name = &tag[..name_length];
        // `<LoginPeopleID="x"/>`: the firmware's own spelling, a value where a name belongs.
        if let Some(equals) = memchr::memchr(b'=', name.as_bytes()) {
            self.quirks.note(Quirk::ValueInElementName);
            let value = name[equals + 1..].trim_matches('"');
            self.attributes.push(("", Cow::Borrowed(value)));
            name = &name[..equals];
        }
        let mut at = name_length;
        while let Some((key, value, length)) = plain_attribute(&tag[at..]) {
            self.attributes.push((key, Cow::Borrowed(value)));
            at += length;
        }
        for attribute in Attributes::html(tag, at).with_checks(false).flatten() {
            let value = match attribute.value {
                Cow::Borrowed(raw) => self.unescaped(raw),
                Cow::Owned(value) => Cow::Owned(value),
            };
            self.attributes.push((attribute.key.into_inner(), value));
        }
        let attributes = first..self.attributes.len();
        self.nodes.push(Node { name, attributes, text: Cow::Borrowed(""), holds_others: false });
    }

    fn unescaped(&mut self, raw: &'a str) -> Cow<'a, str> {
        unescape(raw).unwrap_or_else(|_| {
            self.quirks.note(Quirk::BareAmpersand);
            Cow::Borrowed(raw)
        })
    }

    fn text_inside(&mut self, open: &[usize], text: Cow<'a, str>) {
        if text.trim().is_empty() {
            return; // what separates the elements
        }
        match open.last() {
            Some(&at) => {
                let inside = &mut self.nodes[at].text;
                if inside.is_empty() { *inside = text } else { inside.to_mut().push_str(&text) }
            }
            None => self.quirks.note(Quirk::StrayText),
        }
    }

    fn scan_rest(&mut self, from: usize) {
        let mut at = from;
        while let Some(found) = self.source[at..].find('<') {
            at += found;
            match scan_element(self.source, at, &mut self.attributes) {
                Some((node, length)) if self.nodes.len() < MAX_ELEMENTS => {
                    self.nodes.push(node);
                    at += length;
                }
                Some(_) => return,
                None => at += 1,
            }
        }
    }
}

/// The attribute at the start, written as cameras write nearly all of theirs: ` key="value"`, without
/// entities. Gives key, value and the length of it all; `None` for anything else, which quick-xml
/// reads. It would read this the same, but byte by byte.
fn plain_attribute(tag: &str) -> Option<(&str, &str, usize)> {
    let rest = tag.trim_start_matches([' ', '\t', '\r', '\n']);
    let key_length = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric())?;
    let (key, rest) = rest.split_at(key_length);
    let rest = rest.strip_prefix("=\"").filter(|_| !key.is_empty())?;
    let end = memchr::memchr2(b'"', b'&', rest.as_bytes())?;
    let behind = rest[end..].strip_prefix('"')?;
    Some((key, &rest[..end], tag.len() - behind.len()))
}

/// How much of the start is byte order mark, white space or XML declaration. A declaration that is
/// never closed ends where the next tag begins: a parser would lose the whole message.
fn prolog_length(source: &str) -> usize {
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    let mut rest = source.trim_start_matches(blank);
    if let Some(declaration) = rest.strip_prefix("<?") {
        let next_tag = declaration.find('<').unwrap_or(declaration.len());
        let end = declaration.find("?>").map_or(declaration.len(), |at| at + 2);
        // quick-xml passes over a mark without counting it, so none may be left for it.
        rest = declaration[next_tag.min(end)..].trim_start_matches(blank);
    }
    source.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn as_quick_xml_reads(tag: &str, at: usize) -> Vec<(String, String)> {
        Attributes::html(tag, at)
            .with_checks(false)
            .flatten()
            .map(|read| (read.key.into_inner().to_owned(), read.value.into_owned()))
            .collect()
    }

    proptest! {
        #[test]
        fn a_plain_attribute_is_what_quick_xml_reads(
            tag in "([ \t\r\n\x0c]?([a-zA-Z0-9:é=]{0,2}=?\"?[a&;'=/ é]{0,3}[\"' ]?)){0,4}"
        ) {
            let mut read = Vec::new();
            let mut at = 0;
            while let Some((key, value, length)) = plain_attribute(&tag[at..]) {
                read.push((key.to_owned(), value.to_owned()));
                at += length;
            }
            read.extend(as_quick_xml_reads(&tag, at));
            prop_assert_eq!(read, as_quick_xml_reads(&tag, 0));
        }
    }
}
