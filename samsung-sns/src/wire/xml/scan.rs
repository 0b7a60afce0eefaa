//! Elements as the firmware finds them: by substring.
//!
//! Law: nothing here asks whether the markup around a field is any.

use super::{Attribute, Node};
use quick_xml::escape::unescape;
use std::borrow::Cow;

/// The text of an element, from behind the name in its opening tag; `None` if the name goes on.
pub(super) fn inner_text(behind_name: &str, name: &str) -> Option<String> {
    if !behind_name.starts_with([' ', '\t', '\r', '\n', '/', '>']) {
        return None;
    }
    let open_end = behind_name.find('>')?;
    if behind_name[..open_end].ends_with('/') {
        return Some(String::new());
    }
    let inside = &behind_name[open_end + 1..];
    let mut text = String::new();
    let mut at = 0;
    loop {
        let rest = &inside[at..];
        let end = closing_tag(rest, name);
        let data = rest.find("<![CDATA[").filter(|&data| end.is_none_or(|end| data < end));
        let Some(data) = data else {
            // Without its closing tag it ends where the next tag begins.
            let end = end.or_else(|| rest.find('<')).unwrap_or(rest.len());
            resolve(&rest[..end], &mut text);
            return Some(text);
        };
        resolve(&rest[..data], &mut text);
        let data = data + "<![CDATA[".len();
        let data_end = rest[data..].find("]]>").map(|end| data + end);
        text.push_str(&rest[data..data_end.unwrap_or(rest.len())]);
        at += data_end.map_or(rest.len(), |end| end + "]]>".len());
    }
}

fn closing_tag(text: &str, name: &str) -> Option<usize> {
    let behind = |at: usize| text[at + 2..].strip_prefix(name);
    memchr::memmem::find_iter(text.as_bytes(), "</")
        .find(|&at| behind(at).is_some_and(|rest| rest.trim_start().starts_with('>')))
}

/// Appends text with its entities resolved, where they are entities.
fn resolve(raw: &str, text: &mut String) {
    let mut rest = raw;
    while let Some(start) = rest.find('&') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(';').filter(|&end| end <= 10).map(|end| end + 1);
        match end.and_then(|end| Some((unescape(&rest[..end]).ok()?, end))) {
            Some((resolved, end)) => {
                text.push_str(&resolved);
                rest = &rest[end..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
}

/// Reads one element at a `<` as the firmware would: a name, `key="value"` pairs up to `>` or the
/// next tag, then the text up to the next tag. Gives the length of the tag without the text.
pub(super) fn scan_element<'a>(
    source: &'a str,
    at: usize,
    attributes: &mut Vec<Attribute<'a>>,
) -> Option<(Node<'a>, usize)> {
    let inside = source[at..].strip_prefix('<')?;
    let name_length = inside
        .find(|c: char| !(c.is_ascii_alphanumeric() || "_-.:".contains(c)))
        .unwrap_or(inside.len());
    if name_length == 0 {
        return None;
    }
    let name = &inside[..name_length];
    let first = attributes.len();
    let mut rest = &inside[name_length..];
    let (text, length) = loop {
        rest = rest.trim_start();
        let key_length = rest.find(['=', '"', '<', '>', ' ', '\n']).unwrap_or(rest.len());
        let (key, behind) = rest.split_at(key_length);
        if let Some(value) = behind.strip_prefix("=\"") {
            // An unclosed quote ends with its line, so that it costs one value and not the message.
            let end = value.find(['"', '\r', '\n']).unwrap_or(value.len());
            let raw = &value[..end];
            attributes.push((key, unescape(raw).unwrap_or(Cow::Borrowed(raw))));
            rest = value[end..].strip_prefix('"').unwrap_or(&value[end..]);
        } else if let Some(text) = behind.strip_prefix('>') {
            let length = source.len() - at - text.len();
            let text = match text.strip_prefix("<![CDATA[") {
                Some(data) => Cow::Borrowed(&data[..data.find("]]>").unwrap_or(data.len())]),
                None => {
                    let raw = &text[..text.find('<').unwrap_or(text.len())];
                    unescape(raw).unwrap_or(Cow::Borrowed(raw))
                }
            };
            break (text, length);
        } else if behind.is_empty() || behind.starts_with('<') {
            break (Cow::Borrowed(""), source.len() - at - behind.len());
        } else {
            // A lone word or quote: pass over it.
            rest = &behind[behind.chars().next().map_or(0, char::len_utf8)..];
        }
    };
    let attributes = first..attributes.len();
    Some((Node { name, attributes, text, holds_others: false }, length))
}
