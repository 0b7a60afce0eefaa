//! The sections `[routes]` and `users.NAME.routes`: a pattern and one destination, or several.

use super::destinations::Destinations;
use super::place::{Document, Mistake, key};
use super::wording::{WHOSE, instead};
use crate::route::{DROP, Patterns, Routes, misspelt};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use tracing::warn;

/// Routes as they stand in the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct RouteKeys(BTreeMap<String, Names>);

/// One name, or a list of names.
#[derive(Debug, Clone)]
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a destination, or a list: \"gallery\", [\"masto\", \"gallery\"]")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

impl From<RouteKeys> for Patterns {
    fn from(keys: RouteKeys) -> Patterns {
        keys.0.into_iter().map(|(pattern, names)| (pattern, names.0)).collect()
    }
}

/// The routes, every name of which is a destination.
pub(super) fn read(
    everybody: &RouteKeys,
    of_user: BTreeMap<String, RouteKeys>,
    destinations: &Destinations,
    document: &Document<'_>,
) -> Result<Routes, Mistake> {
    let of_users = of_user.iter().map(|(user, routes)| (Some(user.as_str()), routes));
    for (user, routes) in of_users.chain([(None, everybody)]) {
        for (pattern, names) in &routes.0 {
            let unknown = names.0.iter().find(|n| *n != DROP && !destinations.contains_key(*n));
            if let Some(name) = unknown {
                let known = destinations.keys().map(String::as_str).chain([DROP]);
                let mut problem = format!("{name:?} is no destination; {}", instead(name, known));
                if misspelt(pattern).is_some() {
                    problem += &format!("; if this is no route: {WHOSE}");
                }
                return Err(at(document, user, pattern, &problem));
            }
        }
    }
    let of_user = of_user.into_iter().map(|(user, keys)| (user, keys.into())).collect();
    Routes::new(everybody.clone().into(), of_user)
        .map_err(|error| at(document, error.user.as_deref(), &error.pattern, error.problem))
}

/// Says which patterns no known camera would ever send.
pub(super) fn warn_of_misspelt(routes: &Routes) {
    for (_, pattern, _) in routes.listed() {
        if let Some(site) = misspelt(pattern) {
            warn!("[routes]: no known camera has a site {pattern:?}; the nearest is {site:?}");
        }
    }
}

fn at(document: &Document<'_>, user: Option<&str>, pattern: &str, problem: &str) -> Mistake {
    match user {
        Some(user) => {
            let problem = format!("`routes.{}`: {problem}", key(pattern));
            document.mistake(&["users", user, "routes", pattern], problem)
        }
        None => document.mistake(&["routes", pattern], format!("`{pattern}`: {problem}")),
    }
}
