//! Mistakes that people make, and the words that should help them.

use super::parse;
use crate::config::Config;

/// The file, and what its error must hold; the line first.
#[test]
fn what_people_write_wrong_is_told_with_what_to_write_instead() {
    for (text, words) in [
        // A key below a section belongs to that section.
        (
            "[users.me]\n[limits]\nupload = \"1 GiB\"\ndata_dir = \"/x\"\n",
            ["line 4", "unknown key `data_dir`", "above the first [section]"],
        ),
        ("[users.me]\ntrial = true\n", ["line 2", "`trial`", "above the first [section]"]),
        (
            "trial = true\n[destinations.x]\ntype = \"store\"\npath = \"/x\"\n[destinations.x.routes]\n",
            ["line 5", "unknown key `routes`", "belongs to the [section] above it"],
        ),
        (
            "email = \"smtp\"\n[users.me]\n[destinations.smtp]\ntype = \"email\"\nhost = \"h\"\n",
            ["line 1", "unknown key `email` here; there are", "belongs to the [section] above it"],
        ),
        (
            "[users.me]\nfacebook = \"drop\"\n",
            [
                "line 2",
                "unknown key `facebook` here; there are",
                "belongs to the [section] above it",
            ],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"store\"\ns3 = { bucket = \"b\", limits = 5 }\n",
            ["line 4", "unknown key `s3.limits` here; there are `", "`bucket`"],
        ),
        (
            "[users.me]\nnetworks = [5]\n",
            [
                "line 2",
                "`networks`: expected a network such as \"10.42.0.0/24\", found a number",
                "",
            ],
        ),
        // Not built: no key that resembles it.
        (
            "trial = true\n[dns]\nlisten = \"10.0.0.1:53\"\n",
            ["line 2", "unknown key `dns`", "`routes`"],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"store\"\npath = \"/x\"\n[destinations.x.dns]\n",
            ["line 5", "[destinations.x]: unknown key `dns`", "`template`"],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"store\"\npath = \"/x\"\ndns = { listen = \"a\" }\n",
            ["line 5", "[destinations.x]: unknown key `dns`", "`template`"],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"store\"\npath = \"/x\"\nalt_txt = \"required\"\n",
            ["line 5", "unknown key `alt_txt`", "the nearest is `alt_text`"],
        ),
        (
            "trial = true\n[destinations.x]\ntyp = \"store\"\npath = \"/x\"\n",
            ["line 3", "[destinations.x]: unknown key `typ`", "the nearest is `type`"],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"store\"\nwebdav = { url = \"https://a\", usr = \"me\" }\n",
            ["line 4", "[destinations.x]: unknown key `webdav.usr`", "the nearest is `user`"],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"email\"\nport = 25\n",
            ["line 2", "[destinations.x]: `host` is missing", ""],
        ),
        (
            "trial = true\n[destinations]\nmasto = \"x\"\n",
            ["line 3", "[destinations.masto]", "of its own"],
        ),
        (
            "trial = true\n[[destinations]]\ntype = \"store\"\n",
            ["line 2", "`destinations`", "[destinations.NAME]"],
        ),
        (
            "trial = true\n[routes]\nfacebook = \"x\"\n",
            ["line 3", "`facebook`", "there is only \"drop\""],
        ),
        (
            "trial = true\n[routes]\nemail = \"drop\"\n\"Me@x.y\" = \"drpo\"\n",
            ["line 4", "`Me@x.y`", "the nearest is \"drop\""],
        ),
        ("[users.me]\n[users.Me]\n", ["line 1", "[users.me]", "the same user as \"Me\""]),
        ("[users.\"\"]\n", ["line 1", "[users.\"\"]", "the name is empty"]),
        (
            "[users.me]\nroutes = { \"*\" = \"drop\" }\n",
            ["line 2", "[users.me]: `routes.\"*\"`", "no *@domain"],
        ),
        (
            "trial = true\n[destinations.x]\npath = \"/x\"\n",
            ["line 2", "[destinations.x]: `type` is missing", "store, mastodon"],
        ),
        (
            "trial = true\n[destinations.x]\nextend = \"y\"\n[destinations.y]\ntype = \"store\"\npath = \"y\"\n",
            ["line 3", "[destinations.x]: unknown key `extend`", "the nearest is `extends`"],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"nextcloud\"\n",
            ["line 3", "[destinations.x]: unknown type", "type = \"store\""],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"store\"\npath = \"/x\"\nwebdav = { url = \"https://a\" }\n",
            ["line 5", "[destinations.x]: `webdav`: ", "give only one of path, s3 and webdav"],
        ),
        (
            "trial = true\n[destinations.x]\ntype = \"email\"\nhost = \"smtp.example.com:587\"\n",
            ["line 4", "[destinations.x]: `host`: ", "`port`"],
        ),
        (
            "trial = true\n[routes]\nkeep_delivered = \"30d\"\n",
            [
                "line 3",
                "`keep_delivered`: \"30d\" is no destination",
                "belongs to the [section] above it",
            ],
        ),
        (
            "[users.me]\nroutes = \"drop\"\n",
            ["line 2", "`routes`: expected a table", "{ facebook = "],
        ),
        ("[users.me@example.com]\n", ["line 1", "needs quotes: [users.\"me@example.com\"]", ""]),
        (
            "trial = true\n[routes]\nme@example.com = \"drop\"\n",
            ["line 3", "`me@example.com`: ", "needs quotes"],
        ),
        (
            "trial = true\n[routes]\nsocial = family\n",
            ["line 3", "`social`: ", "a text needs quotes"],
        ),
        ("trial = yes\n", ["line 1", "`trial`: ", "a text needs quotes"]),
        (
            "trial = true\n[routes]\nsocial = \"drop\", \"drop\"\n",
            ["line 3", "`social`: ", "several values stand in a list"],
        ),
        ("[users.me]\n[limits]\n[limits]\n", ["line 3", "this section is there twice", ""]),
        // Broken off in the middle.
        ("trial = true\nlisten = [\"a\"\n[limits\n", ["line 3", "", ""]),
        ("trial = true\n[limits\nupload = 1\n", ["line 2", "", ""]),
        ("data_dir = /var/lib\n", ["line 1", "`data_dir`", ""]),
        ("trial = true\n[admin]\nmetrics = true\n", ["line 2", "`admin`: `listen` is missing", ""]),
        ("trial = true\ntrial = false\n", ["line 2", "`trial`", "there twice"]),
        (
            "trial = true\nlisten = [\n  \"0.0.0.0:80\",\n  \"wlan0\",\n]\n",
            ["line 2", "`listen`", "\"wlan0\" is neither"],
        ),
    ] {
        let said = parse(text).map(drop).unwrap_err();
        let line = format!("c.toml, {}: ", words[0]);
        assert!(said.starts_with(&line), "{line:?} does not begin {said:?} of\n{text}");
        for word in &words[1..] {
            assert!(said.contains(word), "{word:?} is not in {said:?} of\n{text}");
        }
        assert!(!said.contains('\n') && !said.contains("[limits]"), "{said}");
    }
}

#[test]
fn what_is_said_of_users_is_right_in_a_trial_too_and_counts_later() {
    let said = parse("trial = true\n[users.me]\nroutes = { facebook = \"nowhere\" }\n");
    assert!(said.unwrap_err().starts_with("c.toml, line 3: [users.me]: `routes.facebook`: "));
    let config = parse("trial = true\n[users.me]\nroutes = { facebook = \"drop\" }\n").unwrap();
    assert!(config.is_trial() && config.routes.listed().next().is_none());
}

#[test]
fn a_file_that_is_no_text_is_told_with_its_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"trial = true\n# caf\xe9\n").unwrap();
    let said = Config::read(file.path()).unwrap_err().to_string();
    assert!(said.contains(", line 2: ") && said.contains("save the file as UTF-8"), "{said}");
}

/// Whatever becomes of a file by a slip of the hand, it is read or refused, at one of its lines.
#[test]
fn a_slip_anywhere_is_told_at_a_line_that_is_there() {
    let good = "[users.\"me@example.com\"]\nnetworks = [\"10.42.0.0/24\"]\n[destinations.a]\n\
                type = \"store\"\npath = \"/x\"\n[destinations.b]\nextends = \"a\"\nquiet = \"5m\"\n\
                [destinations.c]\ntype = \"command\"\nargv = [\"lp\", \"{filename}\"]\n[limits]\n\
                upload = \"1 GiB\"\n[routes]\nfacebook = [\"a\", \"b\"]\n\"*@x.y\" = \"c\"\n";
    let mut rng = fastrand::Rng::with_seed(5);
    let mut refused = 0;
    for _ in 0..3000 {
        let mut text: Vec<char> = good.chars().collect();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..text.len().max(1));
            match rng.u8(..3) {
                0 if !text.is_empty() => drop(text.remove(at)),
                0 => {}
                1 => text.insert(
                    at,
                    rng.choice("\"'[]{}=#\n.,5xä`\\".chars().collect::<Vec<_>>()).unwrap(),
                ),
                _ => text.truncate(at.max(1)),
            }
        }
        let text: String = text.into_iter().collect();
        if let Err(said) = parse(&text) {
            refused += 1;
            let line = said.strip_prefix("c.toml, line ").and_then(|rest| rest.split(':').next());
            match line.map(|line| line.parse::<usize>().unwrap()) {
                Some(line) => {
                    assert!((1..=text.lines().count().max(1)).contains(&line), "{said}\n{text}")
                }
                None => assert!(said.contains("admits nobody"), "{said}"),
            }
            assert!(!said.contains('\n'), "{said}");
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn no_secret_is_repeated_in_a_mistake() {
    const SECRET: &str = "hunter2-s3cr3t";
    for text in [
        "[destinations.x]\ntype = \"email\"\nhost = \"h\"\npassword = [\"SECRET\"]\n",
        "[destinations.x]\ntype = \"email\"\nhost = \"h\"\nusername = 5\npassword = \"SECRET\"\n",
        "[destinations.x]\ntype = \"mastodon\"\nserver = \"https://a\"\ntoken = \"SECRET two\"\n",
        "[destinations.x]\ntype = \"mastodon\"\nserver = \"https://a\"\ntoken = SECRET\n",
        "[destinations.x]\ntype = \"mastodon\"\nserver = \"https://a\"\ntoken = \"SECRET\n",
        "[destinations.x]\ntype = \"mastodon\"\ntoken = \"\nSECRET==\"\n",
        "[destinations.x]\ntype = \"webhook\"\nurl = \"ftp://SECRET/\"\n",
        "[destinations.x]\ntype = \"webhook\"\nurl = \"https://a\"\nsecret = \"whsec_SECRET\"\n",
        "[users.me]\npassword_hash = \"SECRET\"\n",
        "[limits]\nsession_bound_to_address = \"SECRET, expected a list\"\n",
    ] {
        let said = parse(&format!("trial = true\n{}", text.replace("SECRET", SECRET))).unwrap_err();
        assert!(!said.contains(SECRET), "{said}");
    }
}
