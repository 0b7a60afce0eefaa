//! Whatever an old configuration says, the new one is accepted, or says above the line what is to be
//! done; and what can be taken over is.

use super::toml_of;
use crate::config::{Config, ConfigError};
use crate::import_config::{ReadFile, convert, import};
use fastrand::Rng;
use std::path::Path;
use toml::{Table, Value};

/// The new configuration as it is accepted, but for lines that a comment explains.
pub(super) fn holds(new: &str) -> Result<Config, String> {
    let mut text = new.to_owned();
    loop {
        let (line, problem) = match Config::parse(Path::new("sns.toml"), &text) {
            Ok(config) => return Ok(config),
            Err(ConfigError::Mistake { line, problem, .. }) => (line, problem),
            Err(ConfigError::NobodyAdmitted { .. }) if text.contains("# SENDERS named nobody") => {
                text = format!("trial = true\n{text}");
                continue;
            }
            Err(error) => return Err(format!("{error} in\n{new}")),
        };
        let mut lines: Vec<&str> = text.lines().collect();
        let explained = line > 1 && lines[line - 2].starts_with('#');
        if !explained || !lines[line - 1].starts_with("token_file = ") {
            return Err(format!("line {line}: {problem} in\n{text}"));
        }
        lines[line - 1] = "token = \"t\"";
        text = lines.join("\n") + "\n";
    }
}

/// What people write, and what nobody should.
const WORDS: [&str; 14] = [
    "",
    " ",
    "x",
    "drop",
    "Facebook",
    "email",
    "Social",
    "a b",
    "*@x.y",
    "*",
    "Me@Example.com",
    "me@example.com",
    "photos/../x",
    "\"]\n[users.evil]\n# \\ ''' \"\"\"",
];
const SERVERS: [&str; 11] = [
    "photog.social",
    "https://photog.social/",
    "https://photog.social/@me",
    "https://me:secret@photog.social",
    "https://photog.social/api?x=1#y",
    "http://127.0.0.1:3000",
    "ftp://photog.social",
    "https://",
    "not a server",
    "://",
    "",
];
const TOKENS: [&str; 14] = [
    "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fw",
    "abc123",
    "t0ken",
    "aGVsbG8/d29y+bGQ=",
    "four.secret",
    "three.secret",
    "path.secret",
    "nowhere.secret",
    "secrets/nowhere",
    "/etc/nowhere",
    "two words",
    "tökén",
    "",
];
const COMMANDS: [&[&str]; 11] = [
    &["lp", "{filename}"],
    &["/bin/cat"],
    &["sh", "-c", "echo {body}"],
    &["sh", "-c", "echo \"$1\"", "sh", "{body}"],
    &["lp", "{file}"],
    &["{filename}"],
    &["awk", "{print $1}"],
    &["a", "b\0c"],
    &["a", "{sender}", "{subject}", "{recipient}"],
    &[""],
    &[],
];
const TEXTS: [&str; 6] = ["{body}", "{subject}\n\n{body}\n", "{album}", "{text}", "", "a\0b"];
const MAILS: [&str; 9] = [
    "a.example:587",
    "smtp.example.com",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "",
    " ",
    "a b",
    "smtp://x",
];
const ACTIONS: [&str; 19] = [
    "mail",
    "email",
    "store",
    "store.",
    "store.photos",
    "store.a/b",
    "mastodon",
    "mastodon.a",
    "mastodon.b",
    "mastodon.nobody",
    "shell",
    "shell.a",
    "shell.b",
    "shell.nobody",
    "drop",
    "drop.x",
    "Store",
    "fax",
    "",
];

/// So many old configurations are made; fifteen hundred were tried once.
const SEEDS: u64 = 200;

fn one<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

fn maybe(rng: &mut Rng, table: &mut Table, key: &str, value: impl FnOnce(&mut Rng) -> Value) {
    if rng.bool() {
        let value = value(rng);
        table.insert(key.to_owned(), value);
    }
}

fn mastodon(rng: &mut Rng) -> Table {
    let mut table = Table::new();
    maybe(rng, &mut table, "BASE_URL", |rng| one(rng, &SERVERS).into());
    maybe(rng, &mut table, "TOKEN", |rng| one(rng, &TOKENS).into());
    maybe(rng, &mut table, "POSTSCRIPT", |rng| one(rng, &WORDS).into());
    maybe(rng, &mut table, "VISIBILITY", |rng| one(rng, &["public", "private", "all", ""]).into());
    table
}

fn shell(rng: &mut Rng) -> Table {
    let mut table = Table::new();
    maybe(rng, &mut table, "CMD", |rng| {
        let argv = COMMANDS[rng.usize(..COMMANDS.len())];
        Value::Array(argv.iter().map(|word| Value::from(*word)).collect())
    });
    maybe(rng, &mut table, "STDIN", |rng| one(rng, &TEXTS).into());
    table
}

/// An old configuration.
fn old(rng: &mut Rng) -> Table {
    let mut old = Table::new();
    for key in ["UPLOAD_FOLDER", "SESSION_FOLDER", "SECRET"] {
        maybe(rng, &mut old, key, |rng| one(rng, &["/srv/nx", "upload/", "/", "", "a\nb"]).into());
    }
    maybe(rng, &mut old, "SENDERS", |rng| {
        Value::Array((0..rng.usize(..4)).map(|_| one(rng, &WORDS).into()).collect())
    });
    maybe(rng, &mut old, "MAIL_SERVER", |rng| one(rng, &MAILS).into());
    maybe(rng, &mut old, "MAIL_PORT", |rng| [0, 25, 465, 587, 65535][rng.usize(..5)].into());
    maybe(rng, &mut old, "MAIL_USERNAME", |rng| one(rng, &WORDS).into());
    maybe(rng, &mut old, "MAIL_PASSWORD", |rng| one(rng, &WORDS).into());
    for key in ["MAIL_USE_TLS", "MAIL_USE_SSL", "INSECURE_DOWNLOAD", "STRANGE"] {
        maybe(rng, &mut old, key, |rng| rng.bool().into());
    }
    for (key, make) in [("MASTODON", mastodon as fn(&mut Rng) -> Table), ("SHELL", shell)] {
        maybe(rng, &mut old, key, |rng| {
            let mut family = make(rng);
            for name in ["a", "b", "c d"] {
                maybe(rng, &mut family, name, |rng| make(rng).into());
            }
            family.into()
        });
    }
    maybe(rng, &mut old, "ACTIONS", |rng| {
        let mut actions = Table::new();
        for key in WORDS.iter().chain(&["facebook", "FLICKR", "x@y.z", "X@Y.Z"]) {
            maybe(rng, &mut actions, key, |rng| one(rng, &ACTIONS).into());
        }
        actions.into()
    });
    old
}

fn read(name: &str) -> Option<String> {
    match name {
        "four.secret" => Some("id\nsecret\nt0ken\nhttps://photog.social\n".to_owned()),
        "path.secret" => Some("id\nsecret\nt0ken\nhttps://photog.social/@me\n".to_owned()),
        "three.secret" => Some("id\nsecret\ns3cr3t\n".to_owned()),
        _ => None,
    }
}

#[test]
fn the_result_of_any_old_configuration_is_accepted_or_explained() {
    let read: &ReadFile<'_> = &read;
    let (mut mastodons, mut commands, mut mails) = (0, 0, 0);
    for seed in 0..SEEDS {
        let text = toml_of(&old(&mut Rng::with_seed(seed)));
        let new = convert(&text, read).unwrap_or_else(|error| panic!("{seed}: {error} in\n{text}"));
        let config =
            holds(&new).unwrap_or_else(|why| panic!("seed {seed}: {why}\nmade of\n{text}"));
        for destination in config.destinations.values() {
            match destination.kind.name() {
                "mastodon" => mastodons += 1,
                "command" => commands += 1,
                "email" => mails += 1,
                _ => {}
            }
        }
        assert!(config.destinations.contains_key("store"), "{new}");
        assert!(!new.contains("s3cr3t"), "{new}");
    }
    // Not everything is left out.
    let enough = mastodons > SEEDS / 2 && commands > SEEDS / 5 && mails > SEEDS / 2;
    assert!(enough, "{mastodons} {commands} {mails}");
}

/// A configuration made by `import`, and what must be in it.
fn becomes(old: &str, pieces: &[&str]) -> Config {
    let new = import(old).unwrap();
    for piece in pieces {
        assert!(new.contains(piece), "{piece:?} is not in\n{new}");
    }
    holds(&new).unwrap()
}

#[test]
fn a_token_is_told_from_the_name_of_a_file() {
    for token in [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fw",
        "a.b.c",
        "abc123",
        "aGVsbG8/d29y+bGQ=",
        "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE",
    ] {
        let old = format!("[MASTODON]\nBASE_URL = \"a.example\"\nTOKEN = \"{token}\"\n");
        let new = import(&old).unwrap();
        assert!(new.contains(&format!("\ntoken = \"{token}\"\n")), "{new}");
        assert_eq!(new.contains("taken for the token itself"), token.len() < 20, "{new}");
    }
    for name in ["masto.secret", "/etc/token", "secrets/one", "my.Token", "token.txt"] {
        let old = format!("[MASTODON]\nBASE_URL = \"a.example\"\nTOKEN = \"{name}\"\n");
        let new = import(&old).unwrap().replace("\n# ", " ");
        assert!(new.contains(&format!("names the file {name:?}, which was not")), "{new}");
        assert!(new.contains("\ntoken_file = \"mastodon.token\""), "{new}");
    }
}

#[test]
fn what_cannot_be_taken_over_keeps_nothing_else_from_it() {
    let config = becomes(
        "SENDERS = [\"me\"]\n[SHELL.good]\nCMD = [\"lp\", \"{filename}\"]\n[SHELL.bad]\n\
         CMD = [\"lp\", \"{file}\"]\n[SHELL.evil]\nCMD = [\"sh\", \"-c\", \"echo {body}\"]\n[ACTIONS]\n\
         \"p@x.y\" = \"shell.bad\"\n\"q@x.y\" = \"shell.good\"\n",
        &[
            "unknown placeholder",
            "# [destinations.shell-bad]\n# type = \"command\"\n# argv = [\"lp\", \"{file}\"]\n",
            "# [destinations.shell-evil]\n",
            "# \"p@x.y\" = \"shell-bad\"\n\"p@x.y\" = \"drop\"\n\"q@x.y\" = \"shell-good\"\n",
        ],
    );
    assert_eq!(config.destinations.keys().collect::<Vec<_>>(), ["shell-good", "store"]);
}

#[test]
fn a_password_that_all_could_read_is_not_sent() {
    let mail = "MAIL_USERNAME = \"me\"\nMAIL_PASSWORD = \"p\"\nMAIL_USE_TLS = false\n";
    let told = "# Neither MAIL_USE_TLS nor MAIL_USE_SSL was true";
    becomes(&format!("MAIL_SERVER = \"a.example\"\n{mail}"), &[told, "\ntls = \"starttls\"\n"]);
    let old = format!("MAIL_SERVER = \"a.example\"\nMAIL_PORT = 465\n{mail}");
    becomes(&old, &[told, "\nport = 465\n", "\ntls = \"tls\"\n"]);
    let here = format!("MAIL_SERVER = \"localhost\"\n{mail}");
    becomes(&here, &["\ntls = \"none\"\n", "\npassword = \"p\"\n"]);
    assert!(!import(&here).unwrap().contains(told));
    becomes("MAIL_SERVER = \"a.example:2525\"\n", &["\nhost = \"a.example\"\nport = 2525\n"]);
    becomes("MAIL_SERVER = \"a\"\nMAIL_USERNAME = \"me\"\n", &["# username = \"me\"\n"]);
}

#[test]
fn a_base_url_with_a_path_becomes_its_server() {
    let old = "[MASTODON]\nBASE_URL = \"https://a.example/@me\"\nTOKEN = \"t0ken\"\n";
    becomes(old, &["# Line 2 had more than the address", "\nserver = \"https://a.example\"\n"]);
    let old = "[MASTODON]\nBASE_URL = \"no server\"\nTOKEN = \"t0ken\"\n";
    becomes(old, &["# Line 2 has no address", "\nserver = \"https://mastodon.invalid\"\n"]);
}
