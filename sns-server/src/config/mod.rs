//! The configuration: a TOML file, overridden by the command line, or the trial mode without one.
//!
//! Law: every key has one meaning, that of `docs/guide/configuration.md`; what is not understood is
//! refused with file, line, key, and what to write instead. A key that is not built yet does not
//! exist.

pub mod admin;
pub mod destinations;
mod limits;
pub mod listen;
mod place;
mod reload;
mod routes;
pub mod secret;
#[cfg(test)]
mod tests;
mod users;
mod wording;

pub use limits::{Limits, Rate};

use self::destinations::Destinations;
use self::place::{Document, Mistake};
use self::routes::RouteKeys;
use self::users::{UserKeys, Users};
use crate::passwords::Hash;
use crate::route::Routes;
use admin::Admin;
use listen::Listen;
use samsung_sns::admission::Admission;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No time in a configuration is longer; what is added to the clock must stay a time.
const A_CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The configuration as meant.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Whose rights the server has after it has bound its ports; those of who started it if `None`.
    pub run_as: Option<String>,
    /// Who may send.
    pub admission: Admission,
    /// The hashes of those whose password is checked, by their name as it is spelt here.
    pub passwords: BTreeMap<String, Hash>,
    /// What is too much.
    pub limits: Limits,
    /// Where posts can go.
    pub destinations: Destinations,
    /// Where which of them go.
    pub routes: Routes,
    /// How long photos stay whose deliveries are all done; `None`: for ever.
    pub keep_delivered: Option<Duration>,
    /// The owner's listener.
    pub admin: Option<Admin>,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file says something that is not understood, or that does not hold together.
    #[error("{path}, line {line}: {problem}")]
    Mistake {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Which key it is, what is wrong, and what to do.
        problem: String,
    },
    /// Nobody could send.
    #[error(
        "{path} admits nobody: name the users ([users.\"me@example.com\"]), or set trial = true \
         to let anyone send"
    )]
    NobodyAdmitted {
        /// The file.
        path: PathBuf,
    },
}

/// What stands in the file, but for the destinations: what their keys are depends on their types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Vec<Listen>>,
    data_dir: Option<PathBuf>,
    run_as: Option<String>,
    #[serde(default)]
    trial: bool,
    users: Option<BTreeMap<String, UserKeys>>,
    #[serde(default)]
    limits: Limits,
    #[serde(rename = "destinations")]
    _destinations: Option<IgnoredAny>,
    #[serde(default)]
    routes: RouteKeys,
    #[serde(default)]
    retention: Retention,
    admin: Option<Admin>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Retention {
    keep_delivered: Keep,
}

/// `"forever"`, or a duration.
#[derive(Deserialize, Default)]
#[serde(try_from = "String")]
struct Keep(Option<Duration>);

impl TryFrom<String> for Keep {
    type Error = String;

    fn try_from(text: String) -> Result<Keep, String> {
        if text == "forever" {
            return Ok(Keep(None));
        }
        let duration = humantime::parse_duration(&text);
        let refuse = |_| format!("{text:?} is neither \"forever\" nor a duration such as \"30d\"");
        match duration.map_err(refuse)? {
            longer if longer > A_CENTURY => Err("this is more than a hundred years".to_owned()),
            duration => Ok(Keep(Some(duration))),
        }
    }
}

impl Config {
    /// What holds without a configuration file: the trial mode, on this machine only.
    pub fn trial() -> Config {
        Config {
            listen: vec![Listen::Address(SocketAddr::from(([127, 0, 0, 1], 8080)))],
            data_dir: PathBuf::from("./sns-data"),
            run_as: None,
            admission: Admission::Anyone,
            passwords: BTreeMap::new(),
            limits: Limits::default(),
            destinations: Destinations::new(),
            routes: Routes::default(),
            keep_delivered: None,
            admin: None,
        }
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] for what cannot be read or understood.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let bytes = std::fs::read(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        match String::from_utf8(bytes) {
            Ok(text) => Config::parse(path, &text),
            Err(error) => {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                Err(ConfigError::Mistake {
                    path: path.to_owned(),
                    line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
                    problem: "this line is not UTF-8; save the file as UTF-8".to_owned(),
                })
            }
        }
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
        let wrong = |mistake: Mistake| mistake.into_error(path, text);
        let document = Document::parse(text).map_err(wrong)?;
        let file: File = place::read(document.root(), &[], 0, &[]).map_err(wrong)?;
        file.mean(&document)
            .map_err(wrong)?
            .ok_or_else(|| ConfigError::NobodyAdmitted { path: path.to_owned() })
    }

    /// Whether anyone may send.
    pub fn is_trial(&self) -> bool {
        self.admission == Admission::Anyone
    }
}

impl File {
    /// What is meant; nothing if it admits nobody.
    fn mean(self, document: &Document<'_>) -> Result<Option<Config>, Mistake> {
        if let Some((key, problem)) = self.limits.wrong() {
            return Err(document.mistake(&["limits", key], format!("`{key}`: {problem}")));
        }
        let empty = [
            ("data_dir", self.data_dir.as_ref().is_some_and(|path| path.as_os_str().is_empty())),
            ("run_as", self.run_as.as_ref().is_some_and(String::is_empty)),
        ];
        if self.listen.as_ref().is_some_and(Vec::is_empty) {
            let problem = "`listen`: an empty list lets no camera in; leave the line out for the \
                           default, or where systemd hands over sockets";
            return Err(document.mistake(&["listen"], problem.to_owned()));
        }
        if let Some((key, _)) = empty.into_iter().find(|(_, is_empty)| *is_empty) {
            let problem = format!("`{key}`: it is empty; leave the line out for the default");
            return Err(document.mistake(&[key], problem));
        }
        let destinations = destinations::read(document)?;
        let users = match self.users {
            Some(keys) if !keys.is_empty() => users::read(keys, document)?,
            _ if self.trial => Users::default(),
            _ => return Ok(None),
        };
        let routes = routes::read(&self.routes, users.routes, &destinations, document)?;
        let (admission, passwords, routes) = match self.trial {
            // What is said of users must be right all the same; it counts once the trial is over.
            true => {
                let everybody =
                    routes::read(&self.routes, BTreeMap::new(), &destinations, document)?;
                (Admission::Anyone, BTreeMap::new(), everybody)
            }
            false => (Admission::users(users.users), users.passwords, routes),
        };
        routes::warn_of_misspelt(&routes);
        let trial = Config::trial();
        Ok(Some(Config {
            listen: self.listen.unwrap_or(trial.listen),
            data_dir: self.data_dir.unwrap_or(trial.data_dir),
            run_as: self.run_as,
            admission,
            passwords,
            limits: self.limits,
            destinations,
            routes,
            keep_delivered: self.retention.keep_delivered.0,
            admin: self.admin,
        }))
    }
}
