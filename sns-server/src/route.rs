//! Who gets it: site or recipient to destinations.
//!
//! Law: the most specific route wins: the address, then its domain, then the site, then `email` or
//! `social`. A user's own routes come before everybody's. Where there are no routes, everything is
//! kept and goes nowhere.

use samsung_sns::endpoint::Site;
use samsung_sns::message::email::address;
use std::collections::{BTreeMap, BTreeSet};

/// The destination that is always there: it takes everything and does nothing with it.
pub const DROP: &str = "drop";

/// What the configuration says under one `routes`: patterns and the destinations they lead to.
pub type Patterns = BTreeMap<String, Vec<String>>;

/// All routes.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    everybody: Table,
    /// By the user's name as it is spelt in the configuration.
    of_user: BTreeMap<String, Table>,
}

#[derive(Debug, Clone, Default)]
struct Table(Patterns);

/// Something is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}`: {problem}")]
pub struct PatternError {
    /// Whose routes it is in; everybody's if `None`.
    pub user: Option<String>,
    /// The pattern, as it is spelt.
    pub pattern: String,
    /// What is wrong.
    pub problem: &'static str,
}

const NO_PATTERN: &str = "this is no address, no *@domain, no site and neither email nor social";
const TWICE: &str = "this is there twice: case does not count";

/// Part of an e-mail: a destination and the recipients that are routed there.
pub type Share = (String, Vec<String>);

impl Routes {
    /// These routes, and those of users.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn new(
        everybody: Patterns,
        of_user: BTreeMap<String, Patterns>,
    ) -> Result<Routes, PatternError> {
        let wrong = |user, (pattern, problem)| PatternError { user, pattern, problem };
        let everybody = Table::new(everybody).map_err(|error| wrong(None, error))?;
        let mut tables = BTreeMap::new();
        for (user, routes) in of_user {
            let table = Table::new(routes).map_err(|error| wrong(Some(user.clone()), error))?;
            tables.insert(user, table);
        }
        Ok(Routes { everybody, of_user: tables })
    }

    /// Every destination that is named, with the pattern that names it.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.listed()
            .flat_map(|(_, pattern, names)| names.iter().map(move |name| (pattern, name.as_str())))
    }

    /// Every route as `(user, pattern, destinations)`; those without a user are everybody's.
    pub fn listed(&self) -> impl Iterator<Item = (Option<&str>, &str, &[String])> {
        let users = self.of_user.iter().map(|(user, table)| (Some(user.as_str()), table));
        users.chain([(None, &self.everybody)]).flat_map(|(user, table)| {
            table.0.iter().map(move |(pattern, names)| (user, pattern.as_str(), names.as_slice()))
        })
    }

    /// Where a user's files for a site go.
    pub fn of_site(&self, user: &str, site: &str) -> &[String] {
        let site = site.to_lowercase();
        self.tables(user)
            .find_map(|table| table.first(&[&site, "social"]))
            .map_or(&[], Vec::as_slice)
    }

    /// Where a user's e-mail goes; `None` if there are routes, and none for any recipient.
    pub fn of_email(&self, user: &str, recipients: &[String]) -> Option<Vec<Share>> {
        if self.tables(user).next().is_none() {
            return Some(Vec::new());
        }
        let mut shares: Vec<Share> = Vec::new();
        // Some cameras name nobody; what is for any recipient is for these too.
        let nobody = [String::new()];
        let all = if recipients.is_empty() { &nobody } else { recipients };
        let mut routed = false;
        for recipient in all {
            let address = address(recipient).to_lowercase();
            let domain = address.rsplit_once('@').map_or(String::new(), |(_, d)| format!("*@{d}"));
            let found = self.tables(user).find_map(|t| t.first(&[&address, &domain, "email"]));
            let Some(names) = found else { continue };
            routed = true;
            for name in names {
                let to = (!recipient.is_empty()).then(|| recipient.clone());
                match shares.iter_mut().find(|(known, _)| known == name) {
                    Some((_, recipients)) => recipients.extend(to),
                    None => shares.push((name.clone(), to.into_iter().collect())),
                }
            }
        }
        routed.then_some(shares)
    }

    /// The tables that hold for a user, in the order in which they are asked.
    fn tables(&self, user: &str) -> impl Iterator<Item = &Table> {
        let own = self.of_user.get(user);
        own.into_iter().chain([&self.everybody]).filter(|table| !table.0.is_empty())
    }
}

impl Table {
    /// The table, or the pattern in which something is wrong, and what.
    fn new(patterns: Patterns) -> Result<Table, (String, &'static str)> {
        let mut table = Patterns::new();
        for (pattern, names) in patterns {
            let lower = pattern.trim().to_lowercase();
            let domain = lower.strip_prefix("*@");
            let word = lower.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
            let good = match domain {
                Some(domain) => !domain.is_empty() && !domain.contains(['*', '@']),
                None if lower.contains('@') => !lower.contains('*'),
                None => word && !lower.is_empty(),
            };
            if !good {
                return Err((pattern, NO_PATTERN));
            }
            let mut seen = BTreeSet::new();
            let names: Vec<String> =
                names.into_iter().filter(|name| seen.insert(name.clone())).collect();
            if table.insert(lower, names).is_some() {
                return Err((pattern, TWICE));
            }
        }
        Ok(Table(table))
    }

    /// The first of these patterns that is here.
    fn first(&self, patterns: &[&str]) -> Option<&Vec<String>> {
        patterns.iter().filter(|p| !p.is_empty()).find_map(|pattern| self.0.get(*pattern))
    }
}

/// The site that was probably meant, where a pattern is a word that no known camera sends.
pub fn misspelt(pattern: &str) -> Option<&'static str> {
    let pattern = pattern.to_lowercase();
    let known = Site::new(pattern.clone()).is_known();
    if known || pattern.contains('@') || ["email", "social"].contains(&pattern.as_str()) {
        return None;
    }
    let likeness = |name: &str| strsim::jaro_winkler(name, &pattern);
    let words = Site::KNOWN.into_iter().chain(["email", "social"]);
    words.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &str) -> Patterns {
        toml::from_str::<BTreeMap<String, String>>(text)
            .unwrap()
            .into_iter()
            .map(|(pattern, names)| (pattern, names.split(' ').map(str::to_owned).collect()))
            .collect()
    }

    fn routes(everybody: &str, me: &str) -> Routes {
        let of_user = BTreeMap::from([("me".to_owned(), patterns(me))]);
        Routes::new(patterns(everybody), of_user).unwrap()
    }

    const PLAN: &str = "facebook = 'masto gallery'\n'masto@example.com' = 'public'\n\
                        '*@photos.example.com' = 'gallery'\n'drop@example.com' = 'drop'\n\
                        email = 'smtp'\nsocial = 'gallery'\n";

    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(PLAN, "");
        assert_eq!(routes.of_site("me", "facebook"), ["masto", "gallery"]);
        assert_eq!(routes.of_site("me", "Weibo"), ["gallery"]);
        let to = |recipients: &[&str]| {
            let recipients: Vec<String> = recipients.iter().map(|r| r.to_string()).collect();
            let shares = routes.of_email("me", &recipients).unwrap();
            let share = |(name, to): Share| format!("{name}: {}", to.join(" "));
            shares.into_iter().map(share).collect::<Vec<_>>()
        };
        assert_eq!(to(&["Masto@Example.com"]), ["public: Masto@Example.com"]);
        assert_eq!(
            to(&["x@photos.example.com", "y@a.b"]),
            ["gallery: x@photos.example.com", "smtp: y@a.b"]
        );
        assert_eq!(to(&["x@a.b", "Y <y@a.b>"]), ["smtp: x@a.b Y <y@a.b>"]);
        assert_eq!(to(&[]), ["smtp: "]);
    }

    #[test]
    fn a_users_own_routes_come_first() {
        let routes = routes(PLAN, "facebook = 'mine'\nemail = 'mine'");
        assert_eq!(routes.of_site("me", "facebook"), ["mine"]);
        assert_eq!(routes.of_site("me", "flickr"), ["gallery"]);
        assert_eq!(routes.of_site("you", "facebook"), ["masto", "gallery"]);
        let masto = ["masto@example.com".to_owned()];
        assert_eq!(routes.of_email("me", &masto).unwrap()[0].0, "mine");
        assert_eq!(routes.of_email("you", &masto).unwrap()[0].0, "public");
    }

    #[test]
    fn without_routes_all_is_kept_and_with_some_an_email_needs_one() {
        let to = ["x@a.b".to_owned()];
        assert_eq!(Routes::default().of_email("me", &to), Some(vec![]));
        assert_eq!(routes("", "facebook = 'm'").of_email("me", &to), None);
        assert_eq!(routes("", "facebook = 'm'").of_email("you", &to), Some(vec![]));
        assert!(routes("", "").of_site("me", "facebook").is_empty());
        let some = routes("'y@a.b' = 'm'", "");
        assert_eq!(some.of_email("me", &to), None);
        let both = ["x@a.b".to_owned(), "y@a.b".to_owned()];
        assert_eq!(some.of_email("me", &both), Some(vec![("m".into(), vec!["y@a.b".into()])]));
    }

    #[test]
    fn a_pattern_that_can_never_match_is_refused() {
        for bad in ["*", "a b", "*@", "*@*", "a*@b", ""] {
            let patterns = Patterns::from([(bad.to_owned(), vec![])]);
            assert!(Routes::new(patterns, BTreeMap::new()).is_err(), "{bad:?}");
        }
        assert_eq!(misspelt("facebok"), Some("facebook"));
        assert_eq!(misspelt("facebook"), None);
        assert_eq!(misspelt("a@b"), None);
    }
}
