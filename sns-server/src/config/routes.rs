//! The sections `[routes]` and `users.NAME.routes`: a pattern and one destination, or several.

use super::destinations::Destinations;
use crate::route::{DROP, Patterns, Routes, misspelt};
use serde::Deserialize;
use std::collections::BTreeMap;
use tracing::warn;

/// Routes as they stand in the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct RouteKeys(BTreeMap<String, Names>);

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

impl From<RouteKeys> for Patterns {
    fn from(keys: RouteKeys) -> Patterns {
        let names = |names| match names {
            Names::One(name) => vec![name],
            Names::Several(names) => names,
        };
        keys.0.into_iter().map(|(pattern, found)| (pattern, names(found))).collect()
    }
}

/// What is wrong, and the pattern under which it stands.
pub(super) struct Mistake {
    pub(super) pattern: String,
    pub(super) problem: String,
}

/// The routes, every name of which is a destination.
pub(super) fn read(
    everybody: RouteKeys,
    of_user: BTreeMap<String, RouteKeys>,
    destinations: &Destinations,
) -> Result<Routes, Mistake> {
    let of_user = of_user.into_iter().map(|(user, keys)| (user, keys.into())).collect();
    let routes = Routes::new(everybody.into(), of_user)
        .map_err(|error| Mistake { pattern: error.pattern().into(), problem: error.to_string() })?;
    for (pattern, name) in routes.named() {
        if name != DROP && !destinations.contains_key(name) {
            let likeness = |known: &&String| strsim::jaro_winkler(known, name);
            let nearest = destinations.keys().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let nearest = nearest.map_or("drop", String::as_str);
            let problem = format!("{name:?} is no destination; the nearest is {nearest:?}");
            return Err(Mistake { pattern: pattern.to_owned(), problem });
        }
        if let Some(site) = misspelt(pattern) {
            warn!("[routes]: no known camera has a site {pattern:?}; the nearest is {site:?}");
        }
    }
    Ok(routes)
}
