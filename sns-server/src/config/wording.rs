//! What the libraries say of a wrong value, in words for the person who wrote it.
//!
//! Law: no value is repeated but a word that is none of those that can be written there: a value may
//! be a password.

use super::place::{key, line_at};

/// Names less alike than this were not mistyped.
const ALIKE: f64 = 0.85;
/// Where the line that begins a section is missing, or stands too early, its keys are those of another.
pub(super) const WHOSE: &str = "a key belongs to the [section] above it, and those above the first \
                                [section] are the whole server's";

/// What is expected, by the word that the libraries have for it, and by ours.
const EXPECTED: [(&str, &str); 14] = [
    ("a string", "a text in quotes"),
    ("path string", "a text in quotes"),
    ("a boolean", "true or false"),
    ("a sequence", "a list"),
    ("a map", "a table"),
    ("a duration", "a duration with its unit such as \"60s\""),
    ("parsable string", "a size such as \"2 GiB\""),
    ("an integer or string", "a size such as \"2 GiB\""),
    ("integer overflow", "a size such as \"2 GiB\""),
    ("u16", "a whole number from 0 to 65535"),
    ("nonzero u16", "a whole number from 1 to 65535"),
    ("usize", "a whole number, 0 or more"),
    ("socket address", "an address with its port such as \"127.0.0.1:8081\""),
    ("IPv4 or IPv6 network address", "a network such as \"10.42.0.0/24\""),
];

/// What a text or a list holds is not always clear from its name.
const EXAMPLES: [(&str, &str); 9] = [
    ("routes", "{ facebook = \"gallery\" }"),
    ("listen", "[\"0.0.0.0:80\"]"),
    ("data_dir", "\"/var/lib/sns-server\""),
    ("networks", "[\"10.42.0.0/24\"]"),
    ("keep_delivered", "\"30d\""),
    ("body_rate", "\"1 KiB/s\""),
    ("path", "\"/srv/photos\""),
    ("to", "[\"family@example.com\"]"),
    ("argv", "[\"program\", \"{filename}\"]"),
];

/// What was found, in the same way.
const FOUND: [(&str, &str); 6] = [
    ("integer", "a number"),
    ("floating point", "a number with a point"),
    ("boolean", "true or false"),
    ("string", "a text"),
    ("sequence", "a list"),
    ("map", "a table"),
];

/// The one that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
    known
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// What to write instead of a name that is none.
pub(super) fn instead<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("the nearest is {nearest:?}"),
        None => {
            let known: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
            match &known[..] {
                [] => "there is none".to_owned(),
                [only] => format!("there is only {only}"),
                all => format!("there are {}", all.join(", ")),
            }
        }
    }
}

/// What is no TOML. Nothing of the line is repeated but a key.
pub(super) fn of_syntax(text: &str, at: usize, message: &str) -> String {
    let line = text.lines().nth(line_at(text, at) - 1).unwrap_or_default();
    let is_section = line.trim_start().starts_with('[');
    let advice = match message {
        "duplicate key" if is_section => "this section is there twice: join them, or rename one",
        "duplicate key" => "this key is there twice in its section",
        m if m.starts_with("invalid unquoted key") && is_section => {
            "a name with other characters than letters, digits, - and _ needs quotes: \
             [users.\"me@example.com\"]"
        }
        m if m.starts_with("invalid unquoted key") => {
            "with other characters than letters, digits, - and _ it needs quotes: \"me@example.com\" = …"
        }
        m if m.starts_with("invalid boolean") => {
            "a text needs quotes; yes and no are written true and false"
        }
        m if m.starts_with("string values must be quoted") => "a text needs quotes",
        m if m.starts_with("unexpected key or value") => {
            "there is something behind the value; several values stand in a list: [\"…\", \"…\"]"
        }
        m if m.starts_with("key with no value") => "after the key come = and its value",
        m => m,
    };
    let message = advice.replace('\n', " ");
    // The end of a secret in base64 is no key.
    let is_value = |rest: &str| !rest.trim().is_empty() && !rest.starts_with('=');
    match line.split_once('=').filter(|(_, rest)| is_value(rest)) {
        Some((key, _)) if !key.trim().is_empty() && !key.trim_start().starts_with(['#', '[']) => {
            format!("`{}`: {message}", key.trim())
        }
        _ => message,
    }
}

/// What is wrong at a path. `also_known` are keys that may stand there and of which the library does
/// not know.
pub(super) fn of_value(path: &[String], message: &str, also_known: &[&str]) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let named: Vec<String> = path.iter().skip(inner(path)).map(|name| key(name)).collect();
    let named = named.join(".");
    // serde: unknown field `lisen`, expected one of `listen`, `data_dir`, …
    if message.starts_with("unknown field") {
        let unknown = quoted.next().unwrap_or_default();
        let is_deeper = path.len() > inner(path) + 1;
        let also_known = if is_deeper { &[] } else { also_known };
        let known = quoted.chain(also_known.iter().copied()).collect();
        return unknown_key(unknown, &named, known);
    }
    // serde: missing field `host`
    if message.starts_with("missing field") {
        let missing = quoted.next().unwrap_or_default();
        return match named.as_str() {
            "" => format!("`{missing}` is missing"),
            named => format!("`{named}`: `{missing}` is missing"),
        };
    }
    // serde: unknown variant `pubic`, expected one of `public`, `unlisted`, …
    if message.starts_with("unknown variant") {
        let given = quoted.next().unwrap_or_default();
        let words: Vec<&str> = quoted.collect();
        let list: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        let list = list.join(", ");
        return match nearest(given, words.into_iter()) {
            _ if given.is_empty() => format!("`{named}`: expected one of {list}"),
            Some(nearest) => {
                format!(
                    "unknown variant `{given}` of `{named}`; the nearest of {list} is {nearest:?}"
                )
            }
            None => format!("unknown variant `{given}` of `{named}`; expected one of {list}"),
        };
    }
    let problem = if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|m| m.rsplit_once(", expected "))
    {
        // serde: invalid type: integer `1234`, expected a string. The value may be a password.
        let found = found.split(['`', '"']).next().unwrap_or_default().trim();
        let expected = ours(&EXPECTED, expected);
        let expected = if expected.starts_with("struct ") { "a table" } else { expected };
        let example = EXAMPLES
            .iter()
            .find(|(key, _)| named == *key)
            .filter(|_| ["a text in quotes", "a list", "a table"].contains(&expected));
        let example = example.map_or_else(String::new, |(key, value)| format!(": {key} = {value}"));
        format!("expected {expected}, found {}{example}", ours(&FOUND, found))
    } else if let Some((_, expected)) =
        message.strip_prefix("invalid value: ").and_then(|m| m.rsplit_once(", expected "))
    {
        format!("expected {}", ours(&EXPECTED, expected))
    } else {
        match message {
            "invalid IP address syntax" => "expected a network such as \"10.42.0.0/24\"".to_owned(),
            "invalid socket address syntax" => {
                "expected an address with its port such as \"127.0.0.1:8081\"".to_owned()
            }
            message => message.replace('\n', " "),
        }
    };
    match named.as_str() {
        "" => problem,
        named => format!("`{named}`: {problem}"),
    }
}

/// How many keys at the beginning of a path say only which section it is.
fn inner(path: &[String]) -> usize {
    match path.first().map(String::as_str) {
        Some("users" | "destinations") => 2,
        Some("limits" | "routes" | "retention" | "admin") if path.len() > 1 => 1,
        _ => 0,
    }
}

fn unknown_key(unknown: &str, shown: &str, known: Vec<&str>) -> String {
    if let Some(nearest) = nearest(unknown, known.iter().copied()) {
        return format!("unknown key `{shown}`; the nearest is `{nearest}`");
    }
    let known = match known.is_empty() {
        true => "nothing can be set here".to_owned(),
        false => format!("there are `{}`", known.join("`, `")),
    };
    format!("unknown key `{shown}` here; {known}; {WHOSE}")
}

fn ours<'a>(words: &[(&str, &'a str)], theirs: &'a str) -> &'a str {
    words.iter().find(|(word, _)| *word == theirs).map_or(theirs, |(_, ours)| ours)
}
