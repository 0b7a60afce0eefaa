//! The section `[destinations]`: tables of keys become destinations.
//!
//! Law: `extends` lays a table's own keys over all those of another; what is wrong is named with the
//! destination and the line.

use super::problem;
use crate::destination::{Destination, Kind, command, email, mastodon, store, webhook};
use crate::route::DROP;
use samsung_sns::post::{AltTexts, Rules};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use toml::{Spanned, Table};

/// Destinations by their names.
pub type Destinations = BTreeMap<String, Arc<Destination>>;

/// The tables as they stand in the file.
pub(super) type Tables = BTreeMap<String, Spanned<Table>>;

/// Social posts end after a quiet minute.
const QUIET: Duration = Duration::from_secs(60);

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

/// What is wrong with which destination.
pub(super) struct Mistake {
    /// Its name.
    pub(super) destination: String,
    /// What is wrong, and what to do.
    pub(super) problem: String,
}

pub(super) fn read(tables: &Tables) -> Result<Destinations, Mistake> {
    let mut destinations = Destinations::new();
    for name in tables.keys() {
        let mistake = |problem| Mistake { destination: name.clone(), problem };
        if name == DROP {
            return Err(mistake(
                "this name is taken: drop takes everything and does nothing".into(),
            ));
        }
        let table = whole(tables, name).map_err(mistake)?;
        let destination = destination(name, table).map_err(mistake)?;
        destinations.insert(name.clone(), Arc::new(destination));
    }
    Ok(destinations)
}

/// The keys of a destination, laid over those of the one it extends.
fn whole(tables: &Tables, name: &str) -> Result<Table, String> {
    let mut layers: Vec<&Table> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        if !seen.insert(name.clone()) {
            return Err(format!("`extends` goes in a circle at {name:?}"));
        }
        let table = tables.get(&name).map(Spanned::get_ref);
        let table =
            table.ok_or_else(|| format!("`extends` names {name:?}, which is no destination"))?;
        layers.push(table);
        next = match table.get("extends") {
            None => None,
            Some(toml::Value::String(name)) => Some(name.clone()),
            Some(_) => return Err("`extends` is the name of another destination".to_owned()),
        };
    }
    let mut whole = Table::new();
    for layer in layers.into_iter().rev() {
        whole.extend(layer.clone());
    }
    whole.remove("extends");
    Ok(whole)
}

fn destination(name: &str, mut table: Table) -> Result<Destination, String> {
    let kind = match table.remove("type") {
        Some(toml::Value::String(kind)) => kind,
        _ => return Err("`type` is missing: store, mastodon, email, command or webhook".to_owned()),
    };
    let mut common = Table::new();
    for key in ["alt_text", "quiet"] {
        common.extend(table.remove_entry(key));
    }
    let Common { alt_text, quiet } = keys(common)?;
    let alt_texts = match alt_text {
        Demand::Required => AltTexts::Required,
        Demand::Optional => AltTexts::Optional,
    };
    let kind = match kind.as_str() {
        "store" => Kind::Store(store::Store::new(keys(table)?)?),
        "mastodon" => Kind::Mastodon(mastodon::Mastodon::new(keys(table)?)?),
        "email" => Kind::Email(email::Email::new(keys(table)?)?),
        "command" => Kind::Command(command::Command::new(keys(table)?)?),
        "webhook" => Kind::Webhook(webhook::Webhook::new(keys(table)?)?),
        other => {
            return Err(format!(
                "unknown type {other:?}: store, mastodon, email, command or webhook"
            ));
        }
    };
    Ok(Destination { name: name.to_owned(), rules: Rules { alt_texts, quiet }, kind })
}

fn keys<T: DeserializeOwned>(table: Table) -> Result<T, String> {
    table.try_into().map_err(|error| problem(&error))
}
