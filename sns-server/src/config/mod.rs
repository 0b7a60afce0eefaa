//! The configuration: a TOML file, overridden by the command line, or the trial mode without one.
//!
//! Law: every key has one meaning, that of `docs/guide/configuration.md`; what is not understood is
//! refused with file, line and the nearest key that exists. A key that is not built yet does not
//! exist.

pub mod admin;
pub mod destinations;
pub mod listen;
mod reload;
mod routes;
pub mod secret;

use self::destinations::{Destinations, Tables};
use self::routes::RouteKeys;
use crate::crowd::Room;
use crate::passwords::{Hash, NoHash};
use crate::route::Routes;
use admin::Admin;
use bytesize::ByteSize;
use ipnet::IpNet;
use listen::Listen;
use samsung_sns::admission::{Admission, User};
use samsung_sns::session::SessionRules;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Limits of what one request, or all of them, may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest file of one upload.
    pub upload: ByteSize,
    /// The longest e-mail request with all its files.
    pub email: ByteSize,
    /// Less than this left on the disk: nothing more is received.
    pub free_space: ByteSize,
    /// Files and e-mails that are received at a time.
    pub uploads_at_a_time: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address.
    pub connections_per_address: usize,
    /// The longest request head.
    pub head: ByteSize,
    /// All large request heads together.
    pub heads: ByteSize,
    /// How long a request head may take.
    #[serde(with = "humantime_serde")]
    pub head_timeout: Duration,
    /// How long a body may pause without any byte.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// A body must bring as much in each minute, on average.
    pub body_rate: Rate,
    /// How many sessions may live; the least recently used goes first.
    pub sessions: usize,
    /// How long a session lives after its last use.
    #[serde(with = "humantime_serde")]
    pub session_lifetime: Duration,
    /// Whether a session may be used from the address of its login only.
    pub session_bound_to_address: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            upload: ByteSize::gib(2),
            email: ByteSize::gib(1),
            free_space: ByteSize::mib(200),
            uploads_at_a_time: 64,
            connections: 2048,
            connections_per_address: 512,
            head: ByteSize::kib(64),
            heads: ByteSize::mib(16),
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(60),
            body_rate: Rate(ByteSize::kib(1)),
            sessions: 1000,
            session_lifetime: Duration::from_secs(24 * 60 * 60),
            session_bound_to_address: false,
        }
    }
}

impl Limits {
    /// Those of connections.
    pub fn room(&self) -> Room {
        Room {
            connections: self.connections,
            per_address: self.connections_per_address,
            heads: usize::try_from(self.heads.as_u64()).unwrap_or(usize::MAX),
        }
    }

    /// Those of sessions.
    pub fn session_rules(&self) -> SessionRules {
        SessionRules {
            most: self.sessions,
            lifetime: self.session_lifetime,
            bound_to_address: self.session_bound_to_address,
        }
    }
}

/// Bytes a second, written `"1 KiB/s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate(pub ByteSize);

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Rate, String> {
        let size = text.trim().strip_suffix("/s").and_then(|size| size.trim().parse().ok());
        size.map(Rate).ok_or_else(|| format!("{text:?} is not a rate such as \"1 KiB/s\""))
    }
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
    /// The file says something that is not understood.
    #[error("{path}, line {line}: {problem}")]
    Mistake {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// What is said of a user does not hold together.
    #[error("{path}, [users.{user:?}]: {problem}")]
    User {
        /// The file.
        path: PathBuf,
        /// The user.
        user: String,
        /// What is wrong, and what to do.
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
    #[serde(default)]
    destinations: Tables,
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
        duration.map(|duration| Keep(Some(duration))).map_err(refuse)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserKeys {
    password_hash: Option<HashText>,
    password_hash_file: Option<PathBuf>,
    #[serde(default)]
    networks: Vec<IpNet>,
    #[serde(default)]
    routes: RouteKeys,
}

/// A hash that was understood; kept apart so that the error names its line.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct HashText(Hash);

impl TryFrom<String> for HashText {
    type Error = NoHash;

    fn try_from(text: String) -> Result<HashText, NoHash> {
        Hash::read(&text).map(HashText)
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
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        Config::parse(path, &text)
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text[..at.min(text.len())].matches('\n').count() + 1;
            let mut problem = problem(&error);
            if let Some(key) =
                key_at(text, line).filter(|key| !problem.contains(&format!("`{key}`")))
            {
                problem = format!("`{key}`: {problem}");
            }
            ConfigError::Mistake { path: path.to_owned(), line, problem }
        })?;
        let mistake = |line: Option<usize>, problem| ConfigError::Mistake {
            path: path.to_owned(),
            line: line.unwrap_or(1),
            problem,
        };
        let destinations = destinations::read(&file.destinations).map_err(|wrong| {
            let at =
                file.destinations.get(&wrong.destination).map_or(0, |table| table.span().start);
            let line = line_of_key(text, at, &wrong.problem);
            mistake(Some(line), format!("[destinations.{}]: {}", wrong.destination, wrong.problem))
        })?;
        let mut passwords = BTreeMap::new();
        let mut of_user = BTreeMap::new();
        let admission = match file.users {
            _ if file.trial => Admission::Anyone,
            Some(keys) if !keys.is_empty() => {
                let mut users = Vec::new();
                let mut spelt = BTreeMap::new();
                for (name, keys) in keys {
                    if let Some(other) = spelt.insert(name.to_lowercase(), name.clone()) {
                        let problem = format!("is the same user as {other:?}: case does not count");
                        return Err(ConfigError::User {
                            path: path.to_owned(),
                            user: name,
                            problem,
                        });
                    }
                    let hash = keys.hash(path, &name)?;
                    let (networks, has_password) = (keys.networks, hash.is_some());
                    of_user.insert(name.clone(), keys.routes);
                    passwords.extend(hash.map(|hash| (name.clone(), hash)));
                    users.push(User { name, networks, has_password });
                }
                Admission::users(users)
            }
            _ => return Err(ConfigError::NobodyAdmitted { path: path.to_owned() }),
        };
        let routes = routes::read(file.routes, of_user, &destinations).map_err(|wrong| {
            let named = |line: &str| line.to_lowercase().contains(&wrong.pattern);
            let line = text.lines().position(named).map(|line| line + 1);
            mistake(line, format!("routes, `{}`: {}", wrong.pattern, wrong.problem))
        })?;
        let trial = Config::trial();
        Ok(Config {
            listen: file.listen.unwrap_or(trial.listen),
            data_dir: file.data_dir.unwrap_or(trial.data_dir),
            run_as: file.run_as,
            admission,
            passwords,
            limits: file.limits,
            destinations,
            routes,
            keep_delivered: file.retention.keep_delivered.0,
            admin: file.admin,
        })
    }

    /// Whether anyone may send.
    pub fn is_trial(&self) -> bool {
        self.admission == Admission::Anyone
    }
}

impl UserKeys {
    fn hash(&self, path: &Path, name: &str) -> Result<Option<Hash>, ConfigError> {
        let refuse = |problem: String| ConfigError::User {
            path: path.to_owned(),
            user: name.to_owned(),
            problem,
        };
        match (&self.password_hash, &self.password_hash_file) {
            (Some(_), Some(_)) => {
                Err(refuse("both password_hash and password_hash_file are given".to_owned()))
            }
            (Some(hash), None) => Ok(Some(hash.0.clone())),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| refuse(format!("password_hash_file {file:?}: {error}")))?;
                let hash = Hash::read(&text);
                hash.map(Some).map_err(|error| refuse(format!("{}: {error}", file.display())))
            }
            (None, None) => Ok(None),
        }
    }
}

/// The line of the key that a problem names first, in the table that begins at `at`; else that of the
/// table.
fn line_of_key(text: &str, at: usize, problem: &str) -> usize {
    let first = text[..at.min(text.len())].matches('\n').count();
    let key = problem.split('`').nth(1).unwrap_or("");
    let mut lines = text.lines().skip(first).enumerate();
    let is_key = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let mut inside = lines.by_ref().take_while(|(n, line)| *n == 0 || !line.starts_with('['));
    let found = inside.find(|(_, line)| !key.is_empty() && is_key(line));
    first + 1 + found.map_or(0, |(n, _)| n)
}

/// The key whose value stands on a line: the last one that begins on it or above.
fn key_at(text: &str, line: usize) -> Option<&str> {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let key = lines.iter().rev().find_map(|line| line.split_once('='))?.0.trim();
    Some(key).filter(|key| !key.is_empty() && !key.starts_with('#'))
}

/// What a TOML error says, with the nearest key that exists.
fn problem(error: &toml::de::Error) -> String {
    let message = error.message();
    // serde: unknown field `lisen`, expected one of `listen`, `data_dir`, …
    let mut names = message.split('`').skip(1).step_by(2);
    match names.next() {
        Some(unknown) if message.starts_with("unknown field") => {
            let nearest = names.max_by(|a, b| {
                let likeness = |name| strsim::jaro_winkler(unknown, name);
                likeness(a).total_cmp(&likeness(b))
            });
            match nearest {
                Some(nearest) => format!("unknown key `{unknown}`; the nearest is `{nearest}`"),
                None => format!("unknown key `{unknown}`; nothing can be set here"),
            }
        }
        // serde: invalid type: integer `1234`, expected a string. The value may be a password.
        _ if message.starts_with("invalid type: ") => {
            let mut pieces = message.split('`');
            let (found, rest) = (pieces.next().unwrap_or(""), pieces.next_back());
            format!("{}{}", found.trim_end(), rest.unwrap_or("")).replace('\n', " ")
        }
        // bytesize does not say what it would understand.
        _ => message.replace('\n', " ").replace("parsable string", "a size such as \"2 GiB\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_of_the_documentation_are_understood() {
        let config = parse(
            "listen = [\"0.0.0.0:80\", \"[::1]:8080\", \"wlan0:80\"]\n\
             data_dir = \"/var/lib/sns-server\"\nrun_as = \"sns\"\n\
             [limits]\nupload = \"2 GiB\"\nemail = \"10 MiB\"\nhead = \"64 KiB\"\n\
             head_timeout = \"15s\"\nbody_timeout = \"1m\"\nsessions = 5\n\
             body_rate = \"2 KiB/s\"\nfree_space = \"1 GiB\"\nuploads_at_a_time = 3\n\
             connections = 10\nconnections_per_address = 5\n\
             session_lifetime = \"30d\"\nheads = \"1 MiB\"\nsession_bound_to_address = true\n\
             [users.\"Camera@samsungcamera.com\"]\n[users.\"me@example.com\"]\n\
             [admin]\nlisten = \"127.0.0.1:8081\"\nmetrics = false\n",
        )
        .unwrap();
        assert_eq!(config.listen.len(), 3);
        assert_eq!(config.run_as.as_deref(), Some("sns"));
        assert!(config.admin.is_some_and(|admin| !admin.metrics && admin.listen.port() == 8081));
        assert_eq!(config.data_dir, Path::new("/var/lib/sns-server"));
        assert_eq!(config.limits.email, ByteSize::mib(10));
        assert_eq!(config.limits.body_rate, Rate(ByteSize::kib(2)));
        assert_eq!(config.limits.session_lifetime, Duration::from_secs(30 * 86_400));
        let here = [10, 42, 0, 17].into();
        let user = config.admission.admit("camera@samsungcamera.com", here).unwrap();
        assert_eq!(user.name, "Camera@samsungcamera.com");
        assert_eq!(config.admission.admit("other@example.com", here), None);
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_the_nearest_key() {
        let error = |text| parse(text).unwrap_err();
        assert_eq!(
            error("trial = true\nlisten_on = []\n"),
            "c.toml, line 2: unknown key `listen_on`; the nearest is `listen`"
        );
        assert_eq!(
            error("trial = true\n\n[limits]\nuplaod = \"1 MiB\"\n"),
            "c.toml, line 4: unknown key `uplaod`; the nearest is `upload`"
        );
        assert_eq!(
            error("[users.\"a@b\"]\npassword = \"x\"\n"),
            "c.toml, line 2: unknown key `password`; the nearest is `password_hash`"
        );
        assert!(error("trial = true\nlisten = [\"wlan0\"]\n").starts_with("c.toml, line 2: "));
        assert_eq!(
            error("trial = true\n[admin]\nlisten = \"127.0.0.1:1\"\npassword_hash = \"x\"\n"),
            "c.toml, line 4: unknown key `password_hash`; the nearest is `listen`"
        );
        assert!(
            error("trial = true\n[limits]\nemail = \"much\"\n").starts_with("c.toml, line 3: ")
        );
    }

    #[test]
    fn users_may_have_networks_and_a_hash() {
        let hash = Hash::of("secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hash");
        std::fs::write(&file, format!("{}\n", hash.as_str())).unwrap();
        let text = format!(
            "[users.me]\nnetworks = [\"10.42.0.0/24\"]\npassword_hash = {:?}\n\
             [users.you]\npassword_hash_file = {file:?}\n",
            hash.as_str()
        );
        let config = parse(&text).unwrap();
        assert_eq!(config.passwords.len(), 2);
        assert_eq!(config.passwords["you"], hash);
        assert!(config.admission.admit("me", [10, 42, 0, 17].into()).unwrap().has_password);
        assert_eq!(config.admission.admit("me", [10, 43, 0, 17].into()), None);

        let both = text + "password_hash = \"x\"\n";
        assert!(parse(&both).unwrap_err().contains("hash-password"));
        let missing = parse("[users.me]\npassword_hash_file = \"/nowhere\"\n").unwrap_err();
        assert!(missing.contains("[users.\"me\"]") && missing.contains("/nowhere"), "{missing}");
        let network = parse("[users.me]\nnetworks = [\"10.42\"]\n").unwrap_err();
        assert!(network.starts_with("c.toml, line 2: `networks`: "), "{network}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_not_shown_for_it_may_be_a_password() {
        for text in [
            "[users.me]\npassword_hash = 77345612\n",
            "trial = true\n[destinations.e]\ntype = \"email\"\nhost = \"h\"\npassword = 77345612\n",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("expected a string") && !error.contains("77345612"), "{error}");
        }
    }

    #[test]
    fn a_pattern_that_is_there_twice_is_refused() {
        let text = "trial = true\n[routes]\n\"A@b.c\" = \"drop\"\n\"a@b.c\" = \"drop\"\n";
        assert!(parse(text).unwrap_err().contains("twice"));
    }

    #[test]
    fn a_configuration_that_admits_nobody_is_refused() {
        for text in ["", "data_dir = \"x\"", "trial = false", "[users]"] {
            assert!(parse(text).unwrap_err().contains("admits nobody"), "{text:?}");
        }
        assert!(parse("trial = true").unwrap().is_trial());
    }
}
