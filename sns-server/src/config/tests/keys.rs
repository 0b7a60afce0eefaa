//! Every documented key with a value of the wrong type, and with one that cannot be: the line and
//! the key are named, also where the value is inherited.

use super::parse;
use std::collections::BTreeSet;
use std::path::Path;

/// A documented key, what else its destination needs, and values that are wrong.
type Case = (&'static str, &'static str, &'static [&'static str]);

const LINK: &str = "type = 'store'";
const S3: &str = "type = 'store'";
const MASTO: &str = "type = 'mastodon'\nserver = 'https://a.example'\ntoken = 't0ken'";
const MAIL: &str = "type = 'email'\nhost = 'localhost'\ntls = 'none'";
const RUN: &str = "type = 'command'\nargv = ['true']";
const HOOK: &str = "type = 'webhook'\nurl = 'https://a.example'";

const CASES: &[Case] = &[
    ("listen", "", &["5", "[]", "'0.0.0.0:80'", "['10.42.0.1:70000']", "['wlan0']"]),
    ("data_dir", "", &["5", "''"]),
    ("run_as", "", &["5", "['sns']", "''"]),
    ("trial", "", &["'yes'", "1"]),
    ("users.NAME.password_hash", "", &["5", "'secret'", "''"]),
    ("users.NAME.password_hash_file", "", &["5", "'/nowhere'"]),
    ("users.NAME.networks", "", &["5", "'10.42.0.0/24'", "['10.42.0.0/40']", "['10.42.0.1']"]),
    ("users.NAME.routes", "", &["5", "'drop'", "{ facebook = 'nowhere' }", "{ '*' = 'drop' }"]),
    ("routes.facebook", "", &["5", "true", "'nowhere'", "['drop', 'nowhere']", "[5]"]),
    ("retention.keep_delivered", "", &["5", "'30'", "'-1d'", "'300y'"]),
    ("limits.upload", "", &["true", "-1", "'much'", "'0 B'", "0"]),
    ("limits.email", "", &["true", "'2 Gigs'", "'0 B'"]),
    ("limits.free_space", "", &["true", "-1", "'20%'"]),
    ("limits.uploads_at_a_time", "", &["'64'", "-1", "0", "1.5"]),
    ("limits.connections", "", &["'64'", "-1", "0"]),
    ("limits.connections_per_address", "", &["'64'", "-1", "0"]),
    ("limits.head", "", &["true", "'0 B'", "'1023 B'"]),
    ("limits.heads", "", &["true", "'sixteen'"]),
    ("limits.head_timeout", "", &["15", "'15'", "'0s'", "'300y'"]),
    ("limits.body_timeout", "", &["60", "'60'", "'0s'", "'300y'"]),
    ("limits.body_rate", "", &["1024", "'1 KiB'", "'fast'"]),
    ("limits.sessions", "", &["'1000'", "-1", "0"]),
    ("limits.session_bound_to_address", "", &["'no'", "0"]),
    ("limits.session_lifetime", "", &["24", "'24'", "'0h'", "'300y'"]),
    ("admin.listen", "", &["8081", "'127.0.0.1'", "'127.0.0.1:70000'", "['127.0.0.1:8081']"]),
    ("admin.metrics", "listen = '127.0.0.1:1'", &["'yes'", "1"]),
    ("destinations.type", "", &["5", "'stor'", "'ftp'", "''"]),
    ("destinations.extends", LINK, &["5", "'nobody'", "'base'"]),
    ("destinations.alt_text", RUN, &["true", "'require'", "'yes'"]),
    ("destinations.quiet", RUN, &["60", "'60'", "''", "'300y'", "'99999999999999999999s'"]),
    ("destinations.path", LINK, &["5", "''"]),
    (
        "destinations.template",
        "type = 'store'\npath = '/x'",
        &["5", "'{file}/x'", "'{time}/{file}'", "'/{file}'", "''"],
    ),
    ("destinations.sidecar", "type = 'store'\npath = '/x'", &["'no'", "1"]),
    ("destinations.s3", S3, &["5", "'bucket'", "{ bucket = 'b' }"]),
    ("destinations.s3.bucket", "s3.access_key = 'a'\ns3.secret_key = 's'", &["5", "''"]),
    (
        "destinations.s3.region",
        "s3.bucket = 'b'\ns3.access_key = 'a'\ns3.secret_key = 's'",
        &["5", "''"],
    ),
    (
        "destinations.s3.endpoint",
        "s3.bucket = 'b'\ns3.access_key = 'a'\ns3.secret_key = 's'",
        &["5", "''", "'s3.example'"],
    ),
    ("destinations.s3.access_key", "s3.bucket = 'b'\ns3.secret_key = 's'", &["5", "''"]),
    ("destinations.s3.secret_key", "s3.bucket = 'b'\ns3.access_key = 'a'", &["5", "''"]),
    (
        "destinations.s3.secret_key_file",
        "s3.bucket = 'b'\ns3.access_key = 'a'",
        &["5", "'/nowhere'", "''"],
    ),
    ("destinations.webdav", S3, &["5", "'https://a.example'", "{ user = 'me' }"]),
    ("destinations.webdav.url", "", &["5", "'a.example'", "''"]),
    (
        "destinations.webdav.user",
        "webdav.url = 'https://a.example'\nwebdav.password = 'p'",
        &["5", "''"],
    ),
    (
        "destinations.webdav.password",
        "webdav.url = 'https://a.example'\nwebdav.user = 'me'",
        &["5", "''"],
    ),
    (
        "destinations.webdav.password_file",
        "webdav.url = 'https://a.example'\nwebdav.user = 'me'",
        &["5", "'/nowhere'", "''"],
    ),
    ("destinations.host", "type = 'email'", &["5", "''", "'a.example:25'", "'smtp://a.example'"]),
    ("destinations.tls", "type = 'email'\nhost = 'localhost'", &["true", "'ssl'", "'startls'"]),
    (
        "destinations.tls",
        "type = 'email'\nhost = 'a.example'\nusername = 'u'\npassword = 'p'",
        &["'none'"],
    ),
    ("destinations.port", MAIL, &["'587'", "70000", "0", "-1"]),
    ("destinations.username", "type = 'email'\nhost = 'h'\npassword = 'p'", &["5", "''"]),
    ("destinations.password", "type = 'email'\nhost = 'h'\nusername = 'u'", &["5", "''"]),
    (
        "destinations.password_file",
        "type = 'email'\nhost = 'h'\nusername = 'u'",
        &["5", "'/nowhere'", "''"],
    ),
    ("destinations.from", MAIL, &["5", "'nobody'", "''"]),
    ("destinations.to", MAIL, &["'family@example.com'", "['nobody']", "[5]"]),
    ("destinations.max_size", MAIL, &["true", "-1", "'20 Mo'", "'0 B'"]),
    ("destinations.too_large", MAIL, &["5", "'shrink'", "'splitt'"]),
    (
        "destinations.server",
        "type = 'mastodon'\ntoken = 't0ken'",
        &["5", "'ftp://a.example'", "'https://a.example/@me'", "''"],
    ),
    (
        "destinations.token",
        "type = 'mastodon'\nserver = 'https://a.example'",
        &["5", "'two words'", "''"],
    ),
    (
        "destinations.token_file",
        "type = 'mastodon'\nserver = 'https://a.example'",
        &["5", "'/nowhere'", "''"],
    ),
    ("destinations.visibility", MASTO, &["5", "true", "'everyone'", "'Public'"]),
    ("destinations.postscript", MASTO, &["5", "['#nx']"]),
    ("destinations.language", MASTO, &["5", "'e'", "'english, please'", "''"]),
    ("destinations.sensitive", MASTO, &["'yes'", "0"]),
    ("destinations.camera_line", MASTO, &["'yes'", "0"]),
    ("destinations.argv", "type = 'command'", &["'true'", "[]", "[5]", "['']", "['a', '{file}']"]),
    ("destinations.stdin", RUN, &["5", "'{file}'"]),
    ("destinations.per", RUN, &["1", "'photo'", "'files'"]),
    ("destinations.timeout", RUN, &["60", "'60'", "'0s'"]),
    ("destinations.url", "type = 'webhook'", &["5", "'a.example'", "'ftp://a.example'", "''"]),
    ("destinations.secret", HOOK, &["5", "'whsec_%'", "''"]),
    ("destinations.secret_file", HOOK, &["5", "'/nowhere'", "''"]),
];

/// The file that sets a key, the line at which it does so, and the key as it is spelt there.
fn file(key: &str, beside: &str, value: &str) -> (String, usize, String) {
    let (section, own) = match key.split_once('.') {
        Some(("users", name)) => ("[users.me]".to_owned(), name.strip_prefix("NAME.").unwrap()),
        Some(("destinations", own)) => ("[destinations.base]".to_owned(), own),
        Some((section, own)) => (format!("[{section}]"), own),
        None => (String::new(), key),
    };
    let user = if section.starts_with("[users") { "" } else { "[users.you]\n" };
    let beside = match own.split_once('.') {
        Some(_) => format!("type = 'store'\n{beside}"),
        None => beside.to_owned(),
    };
    let text = match section.as_str() {
        "" => format!("# top\n{own} = {value}\n{user}"),
        "[destinations.base]" => format!(
            "{user}{section}\n{beside}\n{own} = {value}\n\n[destinations.a-child]\nextends = 'base'\n"
        ),
        _ => format!("{user}\n{section}\n{beside}\n{own} = {value}\n"),
    };
    let line = text.lines().position(|line| line.starts_with(&format!("{own} = {value}")));
    (text.clone(), line.unwrap() + 1, own.to_owned())
}

#[test]
fn a_wrong_value_of_any_key_names_its_line_and_its_key() {
    let mut silent = Vec::new();
    for (key, beside, values) in CASES {
        for value in *values {
            let (text, line, own) = file(key, beside, value);
            let said = match parse(&text) {
                Ok(_) => "it was accepted".to_owned(),
                Err(said) => said,
            };
            if cfg!(not(feature = "cloud-store")) && said.contains("built without") {
                assert!(said.contains("]: `s3`: ") || said.contains("]: `webdav`: "), "{said}");
                continue;
            }
            // `routes` of a user name the pattern, too.
            let named = [format!("`{own}`"), format!("`{own}."), format!("`{own} ")];
            let first = own.split('.').next().unwrap_or_default();
            let both = own.rsplit('.').next().unwrap_or_default();
            let apart = said.contains(&format!("{first}: ")) && said.contains(both);
            let is_named = named.iter().any(|name| said.contains(name)) || apart;
            let child = !key.starts_with("destinations") || said.contains("[destinations.");
            if !said.starts_with(&format!("c.toml, line {line}: ")) || !is_named || !child {
                silent.push(format!("{own} = {value} at line {line}: {said}"));
            }
            println!("{own} = {value}: {said}");
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn a_key_in_the_wrong_section_is_told_whose_it_is() {
    let mut tried = 0;
    for (key, ..) in CASES {
        let own = key.rsplit('.').next().unwrap();
        for (section, line) in [("", 1), ("[admin]\nlisten = '127.0.0.1:1'\n", 3)] {
            let is_home = section.is_empty() && !key.contains('.');
            if is_home || ["listen", "metrics", "routes"].contains(&own) {
                continue;
            }
            let said = parse(&format!("{section}{own} = 5\n[users.me]\n")).unwrap_err();
            assert!(
                said.starts_with(&format!("c.toml, line {line}: unknown key `{own}`")),
                "{said}"
            );
            let is_told = said.contains("a key belongs to the [section] above it");
            assert!(is_told || said.contains("the nearest is"), "{said}");
            tried += usize::from(is_told);
        }
    }
    assert!(tried > 100, "{tried}");
}

/// The keys of the tables and of the examples of the guide.
fn documented() -> BTreeSet<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide");
    let mut keys = BTreeSet::new();
    for page in ["configuration", "posting", "storage", "mail", "mastodon", "commands-and-webhooks"]
    {
        let text = std::fs::read_to_string(guide.join(page).with_extension("md")).unwrap();
        let above = if page == "configuration" { "" } else { "destinations." };
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("| key |") {
                let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
                for cell in rows.map(|row| row.split('|').nth(1).unwrap().to_owned()) {
                    let spans = cell.split('`').skip(1).step_by(2);
                    let spans = spans.filter(|key| !key.starts_with('['));
                    keys.extend(spans.map(|key| format!("{above}{key}")));
                }
            }
        }
        for example in text.split("```toml\n").skip(1) {
            let example: toml::Table =
                toml::from_str(example.split("```").next().unwrap()).unwrap();
            let Some(toml::Value::Table(destinations)) = example.get("destinations") else {
                continue;
            };
            for (_, destination) in destinations {
                for (key, value) in destination.as_table().unwrap() {
                    keys.insert(format!("destinations.{key}"));
                    let inner = value.as_table().into_iter().flatten();
                    keys.extend(inner.map(|(inner, _)| format!("destinations.{key}.{inner}")));
                }
            }
        }
    }
    keys
}

#[test]
fn no_documented_key_is_forgotten_here() {
    let documented = documented();
    assert!(documented.len() > 50, "{documented:?}");
    let cases: BTreeSet<String> = CASES.iter().map(|(key, ..)| (*key).to_owned()).collect();
    let missing: Vec<_> = documented.difference(&cases).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
