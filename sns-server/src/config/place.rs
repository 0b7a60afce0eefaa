//! Where in the file something stands, and what is wrong there.
//!
//! Law: a mistake names the line and the key at which a person has to write something else. A value
//! that was inherited is named where it stands, not where it is inherited.

use super::{ConfigError, wording};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

/// The word by which this library says that it wanted one of several words, without naming them.
const NO_WORD: &str = "wanted string or table";

/// What is wrong at which key.
#[derive(Debug)]
pub(super) struct Mistake {
    /// Where in the text.
    pub(super) at: usize,
    /// The keys that lead there, outermost first.
    pub(super) path: Vec<String>,
    /// What is wrong, and what to do. It names the key.
    pub(super) problem: String,
}

impl Mistake {
    pub(super) fn into_error(self, file: &Path, text: &str) -> ConfigError {
        let Mistake { at, path, problem } = self;
        let problem = match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [section @ ("destinations" | "users"), name, ..] => {
                format!("[{section}.{}]: {problem}", key(name))
            }
            ["routes", _, ..] => format!("routes, {problem}"),
            _ => problem,
        };
        ConfigError::Mistake { path: file.to_owned(), line: line_at(text, at), problem }
    }
}

/// The file, as it stands.
#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Document<'a>, Mistake> {
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let problem = wording::of_syntax(text, at, error.message());
            Mistake { at, path: Vec::new(), problem }
        })?;
        Ok(Document { text, root: table.into_inner() })
    }

    pub(super) fn root(&self) -> &DeTable<'a> {
        &self.root
    }

    /// The line of the key to which a path leads.
    pub(super) fn line_of(&self, path: &[&str]) -> usize {
        line_at(self.text, self.place_of(path))
    }

    /// Where the key begins to which a path leads, or else the innermost table on the way to it.
    pub(super) fn place_of(&self, path: &[&str]) -> usize {
        begin_of(&self.root, path.iter().copied()).unwrap_or(0)
    }

    /// What is wrong with the key to which a path leads, or with the innermost table on the way to
    /// it, if the key is not there.
    pub(super) fn mistake(&self, path: &[&str], problem: String) -> Mistake {
        let at = self.place_of(path);
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        Mistake { at, path, problem }
    }
}

/// Reads what a table says, to which a path leads and which begins at a place in the text.
/// `also_known` are keys that may stand in it beside those of `T`.
pub(super) fn read<T: DeserializeOwned>(
    table: &DeTable<'_>,
    path: &[&str],
    begin: usize,
    also_known: &[&str],
) -> Result<T, Mistake> {
    let read =
        |table: DeTable<'_>| T::deserialize(Deserializer::from(Spanned::new(begin..begin, table)));
    read(table.clone()).map_err(|error| {
        let at = error.span().map_or(begin, |span| span.start);
        let below = path_at(table, at);
        let message = match error.message() {
            NO_WORD => words(table, &below, read).unwrap_or_else(|| NO_WORD.to_owned()),
            message => message.to_owned(),
        };
        let at = begin_of(table, below.iter().map(String::as_str)).unwrap_or(at);
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).chain(below).collect();
        let problem = wording::of_value(&path, &message, also_known);
        Mistake { at, path, problem }
    })
}

/// The message that names the words one of which was wanted.
fn words<T>(
    table: &DeTable<'_>,
    path: &[String],
    read: impl Fn(DeTable<'_>) -> Result<T, Error>,
) -> Option<String> {
    let mut table = table.clone();
    let (last, before) = path.split_last()?;
    let mut inner = &mut table;
    for name in before {
        match inner.get_mut(name.as_str())?.get_mut() {
            DeValue::Table(table) => inner = table,
            _ => return None,
        }
    }
    *inner.get_mut(last.as_str())?.get_mut() = DeValue::String(Cow::Borrowed(""));
    read(table).err().map(|error| error.message().to_owned())
}

/// The keys that lead to what stands somewhere in the text.
fn path_at(table: &DeTable<'_>, at: usize) -> Vec<String> {
    let is_at = |span: Range<usize>| span.contains(&at) || span.start == at;
    let mut found = Vec::new();
    for (key, value) in table {
        let mut path = match value.get_ref() {
            DeValue::Table(inner) => path_at(inner, at),
            _ => Vec::new(),
        };
        let is_here = !path.is_empty() || is_at(key.span()) || is_at(value.span());
        if is_here && path.len() >= found.len() {
            path.insert(0, key.get_ref().clone().into_owned());
            found = path;
        }
    }
    found
}

/// Where the key begins to which a path leads, or else the innermost table on the way to it.
fn begin_of<'p>(table: &DeTable<'_>, path: impl Iterator<Item = &'p str>) -> Option<usize> {
    let mut at = None;
    let mut table = Some(table);
    for name in path {
        let Some((key, value)) = table.and_then(|table| table.get_key_value(name)) else { break };
        at = Some(key.span().start);
        table = value.get_ref().as_table();
    }
    at
}

/// The line of a place in the text, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    // What is missing at the end is missing in the last line.
    text.as_bytes()[..at.min(text.trim_end().len())].iter().filter(|byte| **byte == b'\n').count()
        + 1
}

/// A key as it has to be written.
pub(super) fn key(name: &str) -> String {
    use toml_writer::ToTomlKey;
    name.to_toml_key()
}
