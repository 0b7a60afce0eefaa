//! Who may send, and from where.
//!
//! Law: names are compared without case. A network restricts its user and admits nobody else. What a
//! password proves is checked outside, because it takes long on purpose.

use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Who may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Anyone: the trial mode.
    Anyone,
    /// These social login names and e-mail addresses, by their lower-case form.
    Users(BTreeMap<String, User>),
}

/// Somebody who may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name or e-mail address, spelt as it shall be shown.
    pub name: String,
    /// Where this user may send from; anywhere if empty.
    pub networks: Vec<IpNet>,
    /// Whether the password of a social login is to be checked. An e-mail carries none.
    pub has_password: bool,
}

impl From<String> for User {
    fn from(name: String) -> User {
        User { name, networks: Vec::new(), has_password: false }
    }
}

impl Admission {
    /// Only these.
    pub fn users(users: impl IntoIterator<Item = impl Into<User>>) -> Admission {
        let users = users.into_iter().map(Into::into);
        Admission::Users(users.map(|user: User| (user.name.to_lowercase(), user)).collect())
    }

    /// The user of this name, compared without case, if admitted from this address.
    pub fn admit(&self, name: &str, from: IpAddr) -> Option<User> {
        match self {
            Admission::Anyone => Some(User::from(name.to_owned())),
            Admission::Users(users) => users
                .get(&name.trim().to_lowercase())
                .filter(|user| {
                    user.networks.is_empty() || user.networks.iter().any(|n| n.contains(&from))
                })
                .cloned(),
        }
    }
}
