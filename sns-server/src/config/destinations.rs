//! The section `[destinations]`: tables of keys become destinations.
//!
//! Law: `extends` lays a table's own keys over all those of another. Where a key can be given in
//! several forms, one form takes the place of all others that are inherited. What is wrong is named
//! where it stands: with an inherited key, at the destination it comes from.

use super::A_CENTURY;
use super::place::{self, Document, Mistake, key};
use super::wording::{instead, nearest};
use crate::destination::{Destination, Kind, command, email, mastodon, store, webhook};
use crate::route::DROP;
use bytesize::ByteSize;
use samsung_sns::post::{AltTexts, Rules};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Destinations by their names.
pub type Destinations = BTreeMap<String, Arc<Destination>>;

/// Social posts end after a quiet minute.
const QUIET: Duration = Duration::from_secs(60);

/// The keys that may stand in every destination.
const COMMON: [&str; 4] = ["type", "extends", "alt_text", "quiet"];
const TYPES: [&str; 5] = ["store", "mastodon", "email", "command", "webhook"];
/// What people write for a type.
const MEANT: [(&str, &str); 16] = [
    ("folder", "store"),
    ("local", "store"),
    ("file", "store"),
    ("path", "store"),
    ("s3", "store"),
    ("webdav", "store"),
    ("nextcloud", "store"),
    ("mail", "email"),
    ("smtp", "email"),
    ("pixelfed", "mastodon"),
    ("gotosocial", "mastodon"),
    ("fediverse", "mastodon"),
    ("shell", "command"),
    ("program", "command"),
    ("http", "webhook"),
    ("post", "webhook"),
];
/// Where photos are stored: one of these. Besides, every `x` and its `x_file` are one key in two
/// forms.
const PLACES: [&str; 3] = ["path", "s3", "webdav"];
/// Texts that may be empty.
const MAY_BE_EMPTY: [&str; 2] = ["postscript", "stdin"];

/// What can be said of every destination.
#[derive(Deserialize)]
struct Common {
    #[serde(default)]
    alt_text: Demand,
    #[serde(default = "quiet", with = "humantime_serde")]
    quiet: Duration,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Demand {
    Required,
    #[default]
    Optional,
}

fn quiet() -> Duration {
    QUIET
}

pub(super) fn read(document: &Document<'_>) -> Result<Destinations, Mistake> {
    let mut destinations = Destinations::new();
    let Some(section) = document.root().get("destinations") else { return Ok(destinations) };
    let DeValue::Table(section) = section.get_ref() else {
        let problem = "`destinations`: write each as a section of its own, [destinations.NAME]";
        return Err(document.mistake(&["destinations"], problem.to_owned()));
    };
    for name in section.keys().map(|name| name.get_ref().as_ref()) {
        if name == DROP {
            let problem = "this name is taken: drop takes everything and does nothing";
            return Err(document.mistake(&["destinations", name], problem.to_owned()));
        }
        let whole = Whole::of(document, section, name)?;
        destinations.insert(name.to_owned(), Arc::new(whole.destination()?));
    }
    Ok(destinations)
}

/// The keys of a destination, laid over those of the one it extends.
struct Whole<'a> {
    document: &'a Document<'a>,
    name: &'a str,
    keys: DeTable<'a>,
    /// The destination in which each key stands.
    origin: BTreeMap<String, &'a str>,
}

impl<'a> Whole<'a> {
    fn of(
        document: &'a Document<'a>,
        section: &'a DeTable<'a>,
        name: &'a str,
    ) -> Result<Whole<'a>, Mistake> {
        let mut layers = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = Some((name, name));
        while let Some((by, name)) = next {
            let extends = |problem: String| {
                document.mistake(&["destinations", by, "extends"], format!("`extends` {problem}"))
            };
            if !seen.insert(name) {
                return Err(extends(format!("goes in a circle at {name:?}")));
            }
            let Some((found, table)) = section.get_key_value(name) else {
                let others = section.keys().map(|name| name.get_ref().as_ref());
                let instead = instead(name, others.filter(|other| *other != by));
                return Err(extends(format!("names {name:?}, which is no destination; {instead}")));
            };
            let DeValue::Table(table) = table.get_ref() else {
                let problem = format!("this is a section of its own: [destinations.{}]", key(name));
                return Err(document.mistake(&["destinations", name], problem));
            };
            let name: &str = found.get_ref();
            layers.push((name, table));
            next = match table.get("extends").map(Spanned::get_ref) {
                None => None,
                Some(DeValue::String(base)) => Some((name, base.as_ref())),
                Some(_) => {
                    let problem = "`extends` is the name of another destination, in quotes";
                    let path = ["destinations", name, "extends"];
                    return Err(document.mistake(&path, problem.to_owned()));
                }
            };
        }
        let keys = DeTable::new();
        let mut whole = Whole { document, name, keys, origin: BTreeMap::new() };
        for (name, layer) in layers.into_iter().rev() {
            whole.lay(name, layer)?;
        }
        Ok(whole)
    }

    /// Lays the keys of a destination over those it inherits.
    fn lay(&mut self, name: &'a str, layer: &'a DeTable<'a>) -> Result<(), Mistake> {
        let text = |value: Option<&Spanned<DeValue<'_>>>| match value.map(Spanned::get_ref) {
            Some(DeValue::String(text)) => Some(text.to_string()),
            _ => None,
        };
        if let (Some(base), Some(own)) = (text(self.keys.get("type")), text(layer.get("type")))
            && base != own
        {
            let of = self.origin.get("type").copied().unwrap_or_default();
            let problem = format!(
                "`type`: {own:?} cannot extend [destinations.{}], which is of type {base:?}; leave \
                 out either `type` or `extends`",
                key(of)
            );
            return Err(self.document.mistake(&["destinations", name, "type"], problem));
        }
        for own in layer.keys().map(|own| own.get_ref().as_ref()) {
            for form in other_forms(own) {
                self.keys.remove(form.as_str());
            }
        }
        for (own, value) in layer {
            let own_name = own.get_ref().as_ref();
            // Else the place of the inherited key would stay.
            self.keys.remove(own_name);
            if own_name != "extends" {
                self.origin.insert(own_name.to_owned(), name);
                self.keys.insert(own.clone(), value.clone());
            }
        }
        Ok(())
    }

    fn destination(&self) -> Result<Destination, Mistake> {
        let kind = match self.keys.get("type").map(Spanned::get_ref) {
            Some(DeValue::String(kind)) => kind,
            Some(_) => return Err(self.wrong(&["type"], format!("`type` is {}", one_of_types()))),
            None => return Err(self.without_type()),
        };
        if !TYPES.contains(&kind.as_ref()) {
            let meant = MEANT.iter().find(|(word, _)| kind.eq_ignore_ascii_case(word));
            let instead = match meant {
                Some((_, meant)) => format!("that is type = {meant:?}"),
                None => instead(kind, TYPES.into_iter()),
            };
            return Err(
                self.wrong(&["type"], format!("unknown type {kind:?} in `type`; {instead}"))
            );
        }
        self.out_of_range(&self.keys, &[])?;
        let Common { alt_text, quiet } = self.read(|key| ["alt_text", "quiet"].contains(&key))?;
        if quiet > A_CENTURY {
            let problem = "`quiet`: this is more than a hundred years".to_owned();
            return Err(self.wrong(&["quiet"], problem));
        }
        let alt_texts = match alt_text {
            Demand::Required => AltTexts::Required,
            Demand::Optional => AltTexts::Optional,
        };
        let kind = match kind.as_ref() {
            "store" => self.make(store::Store::new).map(Kind::Store),
            "mastodon" => self.make(mastodon::Mastodon::new).map(Kind::Mastodon),
            "email" => self.make(email::Email::new).map(Kind::Email),
            "command" => self.make(command::Command::new).map(Kind::Command),
            _ => self.make(webhook::Webhook::new).map(Kind::Webhook),
        }?;
        Ok(Destination { name: self.name.to_owned(), rules: Rules { alt_texts, quiet }, kind })
    }

    /// Nothing says what it is; perhaps the key that should is misspelt.
    fn without_type(&self) -> Mistake {
        let names = self.keys.keys().map(|name| name.get_ref().as_ref());
        let mut unknown = names.filter(|name| !COMMON.contains(name));
        let nearest = |name| Some((name, nearest(name, ["type", "extends"].into_iter())?));
        match unknown.find_map(nearest) {
            Some((name, nearest)) => {
                self.wrong(&[name], format!("unknown key `{name}`; the nearest is `{nearest}`"))
            }
            None => self.wrong(&[], format!("`type` is missing: {}", one_of_types())),
        }
    }

    /// Values that are none for any type.
    fn out_of_range(&self, table: &DeTable<'_>, above: &[&str]) -> Result<(), Mistake> {
        for (name, value) in table {
            let name: &str = name.get_ref();
            let path: Vec<&str> = above.iter().copied().chain([name]).collect();
            let problem = match value.get_ref() {
                DeValue::Table(inner) => {
                    self.out_of_range(inner, &path)?;
                    continue;
                }
                DeValue::String(text) if text.is_empty() && !MAY_BE_EMPTY.contains(&name) => {
                    "it is empty; write a value, or leave the line out"
                }
                DeValue::String(text)
                    if name == "max_size"
                        && text.parse().is_ok_and(|size: ByteSize| size.0 == 0) =>
                {
                    "no mail is as small as this; the default is \"20 MiB\""
                }
                DeValue::String(text) if name == "host" && !is_host(text) => {
                    "this is more than the name of a machine; its port stands in `port`, and how it is \
                     encrypted in `tls`"
                }
                DeValue::Integer(number) if name == "port" && is_zero(number.as_str()) => {
                    "no server has the port 0; leave the line out for the usual one"
                }
                _ => continue,
            };
            return Err(self.wrong(&path, format!("`{}`: {problem}", path.join("."))));
        }
        Ok(())
    }

    /// A destination of the keys that are not common to all.
    fn make<K: DeserializeOwned, D>(
        &self,
        new: impl FnOnce(K) -> Result<D, String>,
    ) -> Result<D, Mistake> {
        let keys = self.read(|key| !COMMON.contains(&key))?;
        new(keys).map_err(|problem| {
            let path = named(&problem, &self.keys);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.wrong(&path, naming(&path, problem))
        })
    }

    /// What some of the keys say.
    fn read<T: DeserializeOwned>(&self, of: impl Fn(&str) -> bool) -> Result<T, Mistake> {
        let some = self.keys.iter().filter(|(key, _)| of(key.get_ref()));
        let some: DeTable<'_> = some.map(|(key, value)| (key.clone(), value.clone())).collect();
        let path = ["destinations", self.name];
        let begin = self.document.place_of(&path);
        place::read(&some, &path, begin, &COMMON).map_err(|mistake| self.at_origin(mistake))
    }

    /// What is wrong with a key of this destination, or with all of it.
    fn wrong(&self, path: &[&str], problem: String) -> Mistake {
        let origin = path.first().and_then(|key| self.origin.get(*key)).copied();
        let above = ["destinations", origin.unwrap_or(self.name)];
        let path: Vec<&str> = above.into_iter().chain(path.iter().copied()).collect();
        self.at_origin(self.document.mistake(&path, problem))
    }

    /// The same mistake, where the key stands; said is also who inherits it.
    fn at_origin(&self, mut mistake: Mistake) -> Mistake {
        let origin = mistake.path.get(2).and_then(|key| self.origin.get(key.as_str())).copied();
        let Some(origin) = origin.filter(|origin| *origin != self.name) else { return mistake };
        mistake.path[1] = origin.to_owned();
        mistake.problem = format!(
            "{} ([destinations.{}], line {}, inherits this by `extends`)",
            mistake.problem,
            key(self.name),
            self.document.line_of(&["destinations", self.name])
        );
        mistake
    }
}

/// The keys that say the same as this one in another way.
fn other_forms(own: &str) -> Vec<String> {
    if PLACES.contains(&own) {
        return PLACES.into_iter().filter(|place| *place != own).map(str::to_owned).collect();
    }
    vec![own.strip_suffix("_file").map_or_else(|| format!("{own}_file"), str::to_owned)]
}

fn one_of_types() -> String {
    "store, mastodon, email, command or webhook".to_owned()
}

fn is_host(text: &str) -> bool {
    let is_name = !text.contains(|c: char| c.is_whitespace() || "/:@[]".contains(c));
    is_name || text.parse::<IpAddr>().is_ok()
}

fn is_zero(number: &str) -> bool {
    number.bytes().all(|digit| b"+-0_".contains(&digit))
}

/// The problem, with the key that it is about marked as one.
fn naming(path: &[&str], problem: String) -> String {
    let Some(last) = path.last() else { return problem };
    let shown = format!("`{}`", path.join("."));
    // `tls = "none" would …`, `s3: endpoint …`, `secret_key_file /x …` begin with the key.
    let begins = [path.join(": "), (*last).to_owned()];
    match begins.iter().find_map(|begin| problem.strip_prefix(begin.as_str())) {
        Some(rest) if rest.starts_with([':', ' ']) => format!("{shown}{rest}"),
        _ => format!("{shown}: {problem}"),
    }
}

/// The key of a table that a problem is about: the one that it names first, alone, before a colon or
/// in `both …`; other words are only words.
fn named(problem: &str, table: &DeTable<'_>) -> Vec<String> {
    // Of several, and where this build knows none of them.
    if problem.contains("s3 and webdav") {
        let there = PLACES.iter().filter_map(|place| table.get_key_value(*place));
        let last = there.max_by_key(|(key, _)| key.span().start);
        return last.map(|(key, _)| key.get_ref().clone().into_owned()).into_iter().collect();
    }
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let rest = ["both ", "the "].into_iter().find_map(|begin| problem.strip_prefix(begin));
    let rest = rest.unwrap_or(problem);
    let first = word(rest);
    let inner = |name: &str| match table.get(name).map(Spanned::get_ref) {
        Some(DeValue::Table(inner)) => Some(inner),
        _ => None,
    };
    if let Some(table) = inner(&first) {
        let second = word(rest[first.len()..].trim_start_matches([':', ' ']));
        let known = table.contains_key(second.as_str());
        return [first].into_iter().chain(known.then_some(second)).collect();
    }
    if table.contains_key(first.as_str()) {
        return vec![first];
    }
    let of = |place: &&&str| inner(place).is_some_and(|table| table.contains_key(first.as_str()));
    PLACES.iter().find(of).map_or_else(Vec::new, |place| vec![(*place).to_owned(), first.clone()])
}
