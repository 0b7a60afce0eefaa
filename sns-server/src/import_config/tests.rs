//! Old configurations and what becomes of them: `testdata/import-config/NAME.toml` and
//! `NAME.sns.toml`. A mismatch leaves `*.failed` beside.

mod law;

use super::*;
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

/// What is written is accepted: no key twice, every route leads to a destination, every command can
/// be run. Only a login that has to be made again is missing, and the line says so. Every line is of
/// a length that can be read.
#[test]
fn every_result_holds_together() {
    for (old, new) in all() {
        law::holds(&new).unwrap_or_else(|why| panic!("{old:?}: {why}"));
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
    let new = import_file(&old).unwrap();
    assert!(new.replace("\n# ", " ").contains("secret, token, server) but 3."), "{new}");
    assert!(new.contains("token_file = \"mastodon.token\"") && !new.contains("s3cret"), "{new}");
}

/// Whatever stands in the old file, the result is TOML in which nothing was taken for something else.
#[test]
fn hostile_texts_stay_texts() {
    let hostile = "\"]\n[users.evil]\n# \\ ''' \"\"\" \u{7f}\u{2028}";
    let written = Value::String(hostile.to_owned());
    let mut old = Table::new();
    let keys = ["UPLOAD_FOLDER", "SESSION_FOLDER", "MAIL_USERNAME", "MAIL_PASSWORD"];
    for key in keys.into_iter().chain([hostile]) {
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
    let address = format!("{hostile}@b");
    let store = || format!("store.{hostile}");
    let actions = [("a@b", hostile.to_owned()), (hostile, store()), (&address, store())];
    let actions = actions.map(|(key, action)| (key.to_owned(), Value::String(action)));
    old.insert("ACTIONS".to_owned(), Table::from_iter(actions).into());

    let new: Table = toml::from_str(&import(&toml_of(&old)).unwrap()).unwrap();
    assert_eq!(new["users"].as_table().unwrap().keys().collect::<Vec<_>>(), [hostile]);
    assert_eq!(new["data_dir"], written);
    assert_eq!(new["destinations"]["smtp"]["password"], written);
    assert_eq!(new["destinations"][format!("shell-{hostile}")]["argv"][1], written);
    assert_eq!(new["routes"][&address].as_str(), Some(&*format!("store-{hostile}")));
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
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        other => panic!("{other:?} is not written here"),
    }
}
