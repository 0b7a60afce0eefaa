//! The section `[users]`: who may send, with which password, from where.
//!
//! Law: a name is one user however it is spelt; the spelling of the configuration is the one that
//! names folders.

use super::place::{Document, Mistake};
use super::routes::RouteKeys;
use crate::passwords::{Hash, NoHash};
use ipnet::IpNet;
use samsung_sns::admission::User;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A user as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserKeys {
    password_hash: Option<HashText>,
    password_hash_file: Option<PathBuf>,
    #[serde(default)]
    networks: Vec<IpNet>,
    #[serde(default)]
    routes: RouteKeys,
}

/// A hash that was understood.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct HashText(Hash);

impl TryFrom<String> for HashText {
    type Error = NoHash;

    fn try_from(text: String) -> Result<HashText, NoHash> {
        Hash::read(&text).map(HashText)
    }
}

/// All users.
#[derive(Default)]
pub(super) struct Users {
    pub(super) users: Vec<User>,
    /// By their name as it is spelt.
    pub(super) passwords: BTreeMap<String, Hash>,
    pub(super) routes: BTreeMap<String, RouteKeys>,
}

pub(super) fn read(
    keys: BTreeMap<String, UserKeys>,
    document: &Document<'_>,
) -> Result<Users, Mistake> {
    let mut users = Vec::new();
    let mut spelt = BTreeMap::new();
    let (mut passwords, mut routes) = (BTreeMap::new(), BTreeMap::new());
    for (name, keys) in keys {
        if name.trim().is_empty() {
            let problem = "the name is empty: write that of a login or an e-mail address";
            return Err(document.mistake(&["users", &name], problem.to_owned()));
        }
        if let Some(other) = spelt.insert(name.to_lowercase(), name.clone()) {
            let problem = format!("is the same user as {other:?}: case does not count");
            return Err(document.mistake(&["users", &name], problem));
        }
        let hash = keys.hash(&name, document)?;
        let has_password = hash.is_some();
        passwords.extend(hash.map(|hash| (name.clone(), hash)));
        routes.insert(name.clone(), keys.routes);
        users.push(User { name, networks: keys.networks, has_password });
    }
    Ok(Users { users, passwords, routes })
}

impl UserKeys {
    fn hash(&self, name: &str, document: &Document<'_>) -> Result<Option<Hash>, Mistake> {
        const FILE: &str = "password_hash_file";
        let refuse = |problem: String| document.mistake(&["users", name, FILE], problem);
        match (&self.password_hash, &self.password_hash_file) {
            (Some(_), Some(_)) => {
                Err(refuse(format!("both `password_hash` and `{FILE}` are given; keep one")))
            }
            (Some(hash), None) => Ok(Some(hash.0.clone())),
            (None, Some(file)) => {
                let shown = file.display();
                let text = std::fs::read_to_string(file)
                    .map_err(|error| refuse(format!("`{FILE}`: {shown}: {error}")))?;
                let hash = Hash::read(&text);
                hash.map(Some).map_err(|error| refuse(format!("`{FILE}`: {shown}: {error}")))
            }
            (None, None) => Ok(None),
        }
    }
}
