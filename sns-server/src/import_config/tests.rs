//! Old configurations and what becomes of them: `testdata/import-config/NAME.toml` and
//! `NAME.sns.toml`. A mismatch leaves `*.failed` beside.

use super::*;
use crate::config::{Config, ConfigError};
use toml::{Table, Value};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/import-config")
}

/// The old files, and what we make of them.
fn all() -> Vec<(PathBuf, String)> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let old = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".toml") && !name.ends_with(".sns.toml")
    };
    let all: Vec<_> =
        files.filter(old).map(|path| (path.clone(), import_file(&path).unwrap())).collect();
    assert!(all.len() >= 5, "testdata/import-config/ is not there");
    all
}

#[test]
fn every_old_configuration_becomes_its_golden() {
    let mut wrong = Vec::new();
    for (old, new) in all() {
        let golden = old.with_extension("sns.toml");
        if std::fs::read_to_string(&golden).ok().as_ref() != Some(&new) {
            std::fs::write(golden.with_extension("toml.failed"), new).unwrap();
            wrong.push(old);
        }
    }
    assert!(wrong.is_empty(), "see testdata/import-config/*.failed: {wrong:?}");
}

/// What is written can be read: no key twice, every route leads to a destination, every command
/// can be run, every line is of a length that can be read.
#[test]
fn every_result_holds_together() {
    for (old, new) in all() {
        let table: Table = toml::from_str(&new).unwrap();
        let destinations = table["destinations"].as_table().unwrap();
        for (key, to) in table["routes"].as_table().unwrap() {
            let to = to.as_str().unwrap();
            assert!(to == "drop" || destinations.contains_key(to), "{old:?}: {key} = {to}");
        }
        for (name, destination) in destinations {
            let mut destination = destination.as_table().unwrap().clone();
            if let Some(Value::String(base)) = destination.remove("extends") {
                let mut all = destinations[&base].as_table().unwrap().clone();
                all.extend(destination);
                destination = all;
            }
            match destination.remove("type").unwrap().as_str().unwrap() {
                "command" => drop(
                    command::Command::new(Value::Table(destination).try_into().unwrap()).unwrap(),
                ),
                "store" | "email" => {}
                "mastodon" => {
                    assert_eq!(destination["alt_text"].as_str(), Some("required"));
                    assert!(
                        destination.contains_key("token") != destination.contains_key("token_file")
                    );
                }
                other => panic!("{old:?}: {name} is of type {other}"),
            }
        }
        match Config::parse(Path::new("sns.toml"), &new) {
            Ok(config) => assert_eq!(config.destinations.len(), destinations.len(), "{old:?}"),
            Err(ConfigError::NobodyAdmitted { .. }) => {
                assert!(!new.contains("\n[users."), "{old:?}")
            }
            // It says to log in again, and where.
            Err(error) => assert!(error.to_string().contains("mastodon-one.token"), "{error}"),
        }
        assert!(new.lines().all(|line| !line.starts_with('#') || line.chars().count() < 110));
    }
}

#[test]
fn a_mistake_is_told_with_its_line() {
    for (old, line, words) in [
        ("SENDERS = [\n", 1, ""),
        ("A = 1\nA = 2\n", 2, "duplicate key"),
        ("\n\nSENDERS = \"me\"", 3, "SENDERS is no list"),
        ("SENDERS = [1]", 1, "SENDERS is no list"),
        ("\nUPLOAD_FOLDER = 3", 2, "UPLOAD_FOLDER is no text"),
        ("MAIL_PORT = 70000", 1, "port number"),
        ("MAIL_USE_TLS = \"yes\"", 1, "true or false"),
        ("MASTODON = \"x\"", 1, "MASTODON is no table"),
        ("[SHELL]\n\nCMD = \"print\"", 3, "CMD is no list"),
        ("[SHELL]\nCMD = []", 2, "argv is empty"),
        ("[SHELL.x]\nCMD = [\"a\", \"{file}\"]", 2, "unknown placeholder {file}"),
        ("[ACTIONS]\nfacebook = [\"drop\"]", 2, "facebook is no text"),
    ] {
        let error = import(old).unwrap_err();
        assert_eq!(error.line, line, "{old}: {error}");
        assert!(error.to_string().starts_with(&format!("line {line}: ")));
        assert!(error.problem.contains(words), "{old}: {error}");
        assert!(!error.problem.contains('\n'));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = import_file(Path::new("/nowhere/config.toml")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read /nowhere/config.toml: No such file"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("config.toml");
    std::fs::write(&old, "[MASTODON]\nTOKEN = \"t\"").unwrap();
    std::fs::write(folder.path().join("t"), "id\nsecret\ns3cret-token\n").unwrap();
    let error = import_file(&old).unwrap_err().to_string();
    assert!(error.contains("config.toml, line 2: the file t of TOKEN has 3 lines"), "{error}");
    assert!(!error.contains("s3cret"));
}

/// Whatever stands in the old file, the result is TOML in which nothing was taken for something else.
#[test]
fn hostile_texts_stay_texts() {
    let hostile = "\"]\n[users.evil]\n# \\ ''' \"\"\" \u{7f}\u{2028}";
    let written = Value::String(hostile.to_owned());
    let mut old = Table::new();
    for key in ["UPLOAD_FOLDER", "SESSION_FOLDER", "MAIL_SERVER", "MAIL_PASSWORD", hostile] {
        old.insert(key.to_owned(), written.clone());
    }
    old.insert("SENDERS".to_owned(), Value::Array(vec![written.clone()]));
    let shell = Table::from_iter([
        ("CMD".to_owned(), Value::Array(vec!["a".into(), written.clone()])),
        ("STDIN".to_owned(), written.clone()),
    ]);
    let masto = Table::from_iter(
        ["TOKEN", "BASE_URL", "VISIBILITY", "POSTSCRIPT", hostile]
            .map(|key| (key.to_owned(), written.clone())),
    );
    old.insert("SHELL".to_owned(), Table::from_iter([(hostile.to_owned(), shell.into())]).into());
    old.insert("MASTODON".to_owned(), masto.into());
    let actions = [("a@b", hostile.to_owned()), (hostile, format!("store.{hostile}"))];
    let actions = actions.map(|(key, action)| (key.to_owned(), Value::String(action)));
    old.insert("ACTIONS".to_owned(), Table::from_iter(actions).into());

    let new: Table = toml::from_str(&import(&toml_of(&old)).unwrap()).unwrap();
    assert_eq!(new["users"].as_table().unwrap().keys().collect::<Vec<_>>(), [hostile]);
    assert_eq!(new["data_dir"], written);
    assert_eq!(new["destinations"]["smtp"]["password"], written);
    assert_eq!(new["destinations"][format!("shell-{hostile}")]["argv"][1], written);
    assert_eq!(new["routes"][hostile].as_str(), Some(&*format!("store-{hostile}")));
    assert_eq!(new["routes"].as_table().unwrap().len(), 3);
}

/// Written with the library's quoting of keys and values, one key after the other.
fn toml_of(table: &Table) -> String {
    table.iter().map(|(key, value)| format!("{}={}\n", shown(key), inline(value))).collect()
}

fn inline(value: &Value) -> String {
    use toml_writer::ToTomlValue;
    match value {
        Value::String(text) => text.to_toml_value(),
        Value::Array(all) => format!("[{}]", all.iter().map(inline).collect::<Vec<_>>().join(",")),
        Value::Table(table) => {
            let key = |(key, value): (&String, &Value)| format!("{}={}", shown(key), inline(value));
            format!("{{{}}}", table.iter().map(key).collect::<Vec<_>>().join(","))
        }
        other => panic!("{other:?} is not written here"),
    }
}
