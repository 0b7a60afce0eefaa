//! `extends`: what is inherited, what takes its place, and where its mistakes are.

use super::parse;

const MASTO: &str = "trial = true\n\n[destinations.masto]\ntype = \"mastodon\"\n\
                     server = \"https://a.example\"\nvisibility = \"public\"\n";

/// The base in the first place, what its heir says in the second.
fn extended(base: &str, heir: &str) -> Result<(), String> {
    let text = format!(
        "trial = true\n[destinations.b]\n{base}\n[destinations.a]\nextends = \"b\"\n{heir}\n\
         [destinations.c]\nextends = \"a\"\n"
    );
    parse(&text).map(drop)
}

#[test]
fn one_form_of_a_key_takes_the_place_of_the_inherited_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret\n").unwrap();
    let file = format!("{:?}", file.to_str().unwrap());
    let masto = "type = \"mastodon\"\nserver = \"https://a.example\"\n";
    let mail = "type = \"email\"\nhost = \"h\"\nusername = \"u\"\n";
    let hook = "type = \"webhook\"\nurl = \"https://a.example\"\n";
    for (keys, name) in [(masto, "token"), (mail, "password"), (hook, "secret")] {
        let (inline, in_file) = (format!("{name} = \"t\""), format!("{name}_file = {file}"));
        let forms = [&inline, &in_file];
        for (base, heir) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
            let said = extended(&format!("{keys}{}", forms[base]), forms[heir]);
            assert_eq!(said, Ok(()), "{name}: {base} {heir}");
        }
        let both = extended(&format!("{keys}{inline}"), &format!("{inline}\n{in_file}"));
        let both = both.unwrap_err();
        let line = 6 + keys.lines().count();
        assert!(both.starts_with(&format!("c.toml, line {line}: [destinations.a]: ")), "{both}");
        assert!(both.contains(&format!("both {name} and {name}_file are given")), "{both}");
    }
}

#[test]
#[cfg(feature = "cloud-store")]
fn one_place_of_a_store_takes_the_place_of_the_inherited_others() {
    let places = [
        "path = \"/x\"",
        "s3 = { bucket = \"b\", access_key = \"a\", secret_key = \"s\" }",
        "webdav = { url = \"https://a.example\" }",
    ];
    for base in places {
        for heir in places {
            let said = extended(&format!("type = \"store\"\n{base}"), heir);
            assert_eq!(said, Ok(()), "{base} {heir}");
        }
    }
    let two = format!("{}\n{}", places[0], places[2]);
    let said = extended(&format!("type = \"store\"\n{}", places[1]), &two).unwrap_err();
    assert!(
        said.contains("[destinations.a]: `webdav`: give only one of path, s3 and webdav"),
        "{said}"
    );
}

#[test]
fn a_mistake_stands_where_it_was_written_and_who_inherits_it_is_said() {
    let first = parse(&format!(
        "{}token = \"t\"\n\n[destinations.a]\nextends = \"masto\"\n",
        MASTO.replace("public", "pubic")
    ));
    assert_eq!(
        first.unwrap_err(),
        "c.toml, line 6: [destinations.masto]: unknown variant `pubic` of `visibility`; the nearest of \
         \"public\", \"unlisted\", \"private\", \"direct\" is \"public\" ([destinations.a], line 9, \
         inherits this by `extends`)"
    );
    let own = parse(&format!(
        "{MASTO}token = \"t\"\n\n[destinations.z]\nextends = \"masto\"\nvisibility = \"pubic\"\n"
    ));
    assert!(
        own.unwrap_err().starts_with(
            "c.toml, line 11: [destinations.z]: unknown variant `pubic` of `visibility`"
        )
    );
    // Only together they are wrong: the inherited key is named, and whose it is.
    let together = extended(
        "type = \"email\"\nhost = \"localhost\"\ntls = \"none\"\nusername = \"u\"\npassword = \"p\"",
        "host = \"mail.example\"",
    );
    let together = together.unwrap_err();
    assert!(
        together.starts_with("c.toml, line 5: [destinations.b]: `tls` = \"none\" "),
        "{together}"
    );
    assert!(together.contains("([destinations.a], line 8, inherits this"), "{together}");
}

#[test]
fn another_type_cannot_be_extended_and_a_name_is_guessed() {
    let other =
        format!("{MASTO}token = \"t\"\n[destinations.x]\nextends = \"masto\"\ntype = \"store\"\n");
    assert_eq!(
        parse(&other).unwrap_err(),
        "c.toml, line 10: [destinations.x]: `type`: \"store\" cannot extend [destinations.masto], \
         which is of type \"mastodon\"; leave out either `type` or `extends`"
    );
    let nobody = format!("{MASTO}token = \"t\"\n[destinations.x]\nextends = \"mastodon\"\n");
    assert_eq!(
        parse(&nobody).unwrap_err(),
        "c.toml, line 9: [destinations.x]: `extends` names \"mastodon\", which is no destination; \
         the nearest is \"masto\""
    );
    let circle =
        "trial = true\n[destinations.a]\nextends = \"b\"\n[destinations.b]\nextends = \"a\"\n";
    let circle = parse(circle).unwrap_err();
    assert!(
        circle.starts_with("c.toml, line 5: [destinations.b]: `extends` goes in a circle"),
        "{circle}"
    );
}
