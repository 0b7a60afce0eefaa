//! The old configuration, as it stands: what was given, with lines, in the order of the file.

use super::ImportError;
use super::toml_text::shown;
use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What stands in the file.
#[derive(Debug, Default)]
pub(super) struct Old<'a> {
    pub(super) upload_folder: Option<&'a str>,
    pub(super) session_folder: Option<Given<&'a str>>,
    pub(super) senders: Vec<&'a str>,
    pub(super) mail: Mail<'a>,
    pub(super) mastodon: Family<'a, Mastodon<'a>>,
    pub(super) shell: Family<'a, Shell<'a>>,
    pub(super) actions: Vec<Action<'a>>,
    /// The lines of keys that have no equal.
    pub(super) insecure_download: Option<usize>,
    pub(super) secret: Option<usize>,
    /// Keys that are not known, as they are shown, and their lines.
    pub(super) unknown: Vec<(String, usize)>,
}

/// The keys that begin with `MAIL_`.
#[derive(Debug, Default)]
pub(super) struct Mail<'a> {
    pub(super) server: Option<&'a str>,
    pub(super) port: Option<u16>,
    pub(super) username: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    pub(super) starttls: bool,
    pub(super) tls: bool,
    pub(super) is_given: bool,
}

/// A table and the tables in it, which inherit what they do not say themselves.
#[derive(Debug)]
pub(super) struct Family<'a, T> {
    pub(super) base: T,
    pub(super) instances: Vec<(&'a str, T)>,
}

impl<T: Default> Default for Family<'_, T> {
    fn default() -> Self {
        Family { base: T::default(), instances: Vec::new() }
    }
}

/// `[MASTODON]` or one of its instances.
#[derive(Debug, Default, Clone)]
pub(super) struct Mastodon<'a> {
    pub(super) base_url: Option<Given<&'a str>>,
    pub(super) token: Option<Given<&'a str>>,
    pub(super) postscript: Option<&'a str>,
    pub(super) visibility: Option<Given<&'a str>>,
}

/// `[SHELL]` or one of its instances.
#[derive(Debug, Default, Clone)]
pub(super) struct Shell<'a> {
    pub(super) cmd: Option<Given<Vec<&'a str>>>,
    pub(super) stdin: Option<&'a str>,
}

/// A value and its line.
#[derive(Debug, Clone)]
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// A line of `[ACTIONS]`.
#[derive(Debug)]
pub(super) struct Action<'a> {
    pub(super) key: &'a str,
    pub(super) action: &'a str,
    pub(super) line: usize,
}

/// A table that has instances.
pub(super) trait Inherits<'a>: Default {
    /// Takes a key; false if it is not known.
    fn take(&mut self, entry: &Entry<'a>) -> Result<bool, ImportError>;

    /// What holds if this is said on top of that.
    fn over(&self, base: &Self) -> Self;
}

impl<'a> Inherits<'a> for Mastodon<'a> {
    fn take(&mut self, entry: &Entry<'a>) -> Result<bool, ImportError> {
        match entry.key {
            "BASE_URL" => self.base_url = Some(entry.given(entry.text()?)),
            "TOKEN" => self.token = Some(entry.given(entry.text()?)),
            "POSTSCRIPT" => self.postscript = Some(entry.text()?),
            "VISIBILITY" => self.visibility = Some(entry.given(entry.text()?)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn over(&self, base: &Self) -> Self {
        let (own, base) = (self.clone(), base.clone());
        Mastodon {
            base_url: own.base_url.or(base.base_url),
            token: own.token.or(base.token),
            postscript: own.postscript.or(base.postscript),
            visibility: own.visibility.or(base.visibility),
        }
    }
}

impl<'a> Inherits<'a> for Shell<'a> {
    fn take(&mut self, entry: &Entry<'a>) -> Result<bool, ImportError> {
        match entry.key {
            "CMD" => self.cmd = Some(entry.given(entry.texts()?)),
            "STDIN" => self.stdin = Some(entry.text()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn over(&self, base: &Self) -> Self {
        let (own, base) = (self.clone(), base.clone());
        Shell { cmd: own.cmd.or(base.cmd), stdin: own.stdin.or(base.stdin) }
    }
}

/// The table that a text is.
pub(super) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, ImportError> {
    DeTable::parse(text).map_err(|error| ImportError {
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        problem: error.message().replace('\n', " "),
    })
}

fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

impl<'a> Old<'a> {
    /// Reads what was parsed from this text.
    pub(super) fn read(text: &str, table: &'a DeTable<'a>) -> Result<Old<'a>, ImportError> {
        let mut old = Old::default();
        for entry in entries(text, table) {
            match entry.key {
                "UPLOAD_FOLDER" => old.upload_folder = Some(entry.text()?),
                "SESSION_FOLDER" => old.session_folder = Some(entry.given(entry.text()?)),
                "SENDERS" => old.senders = entry.texts()?,
                "INSECURE_DOWNLOAD" => old.insecure_download = Some(entry.line),
                "SECRET" => old.secret = Some(entry.line),
                "MASTODON" => old.mastodon = family(text, &entry, &mut old.unknown)?,
                "SHELL" => old.shell = family(text, &entry, &mut old.unknown)?,
                "ACTIONS" => {
                    for Entry { key, line, value } in entries(text, entry.table()?) {
                        let action = Entry { key, line, value }.text()?;
                        old.actions.push(Action { key, action, line });
                    }
                }
                key if key.starts_with("MAIL_") && old.mail.take(&entry)? => {}
                _ => old.unknown.push((shown(entry.key), entry.line)),
            }
        }
        Ok(old)
    }
}

impl<'a> Mail<'a> {
    fn take(&mut self, entry: &Entry<'a>) -> Result<bool, ImportError> {
        match entry.key {
            "MAIL_SERVER" => self.server = Some(entry.text()?),
            "MAIL_PORT" => self.port = Some(entry.port()?),
            "MAIL_USERNAME" => self.username = Some(entry.text()?),
            "MAIL_PASSWORD" => self.password = Some(entry.text()?),
            "MAIL_USE_TLS" => self.starttls = entry.flag()?,
            "MAIL_USE_SSL" => self.tls = entry.flag()?,
            _ => return Ok(false),
        }
        self.is_given = true;
        Ok(true)
    }
}

fn family<'a, T: Inherits<'a>>(
    text: &str,
    entry: &Entry<'a>,
    unknown: &mut Vec<(String, usize)>,
) -> Result<Family<'a, T>, ImportError> {
    let mut family = Family { base: T::default(), instances: Vec::new() };
    for inner in entries(text, entry.table()?) {
        let DeValue::Table(table) = inner.value else {
            if !family.base.take(&inner)? {
                unknown.push((format!("{}.{}", shown(entry.key), shown(inner.key)), inner.line));
            }
            continue;
        };
        let mut instance = T::default();
        for key in entries(text, table) {
            if !instance.take(&key)? {
                let name = [entry.key, inner.key, key.key].map(shown).join(".");
                unknown.push((name, key.line));
            }
        }
        family.instances.push((inner.key, instance));
    }
    Ok(family)
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    key: &'a str,
    line: usize,
    value: &'a DeValue<'a>,
}

fn entries<'a>(text: &str, table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut keys: Vec<_> = table.iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    let entry = |(key, value): (&'a Spanned<Cow<'a, str>>, &'a Spanned<DeValue<'a>>)| Entry {
        key: key.get_ref(),
        line: line_at(text, key.span().start),
        value: value.get_ref(),
    };
    keys.into_iter().map(entry).collect()
}

impl<'a> Entry<'a> {
    fn given<T>(&self, value: T) -> Given<T> {
        Given { value, line: self.line }
    }

    fn refuse<T>(&self, expected: &str) -> Result<T, ImportError> {
        let problem = format!("{} is no {expected}", shown(self.key));
        Err(ImportError { line: self.line, problem })
    }

    fn text(&self) -> Result<&'a str, ImportError> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => self.refuse("text in quotes"),
        }
    }

    fn texts(&self) -> Result<Vec<&'a str>, ImportError> {
        let text = |value: &'a Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::String(text) => Some(&**text),
            _ => None,
        };
        let texts = match self.value {
            DeValue::Array(array) => array.iter().map(text).collect(),
            _ => None,
        };
        texts.map_or_else(|| self.refuse("list of texts in quotes"), Ok)
    }

    fn flag(&self) -> Result<bool, ImportError> {
        match self.value {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => self.refuse("true or false"),
        }
    }

    fn port(&self) -> Result<u16, ImportError> {
        let port = match self.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::String(text) => text.parse().ok(),
            _ => None,
        };
        port.map_or_else(|| self.refuse("port number"), Ok)
    }

    fn table(&self) -> Result<&'a DeTable<'a>, ImportError> {
        match self.value {
            DeValue::Table(table) => Ok(table),
            _ => self.refuse("table"),
        }
    }
}
