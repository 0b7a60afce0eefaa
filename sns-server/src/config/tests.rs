//! Whole files, what they mean, and what is said of their mistakes.

mod extends;
mod keys;
mod mistakes;

use super::*;
use bytesize::ByteSize;

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
        "c.toml, line 2: [users.\"a@b\"]: unknown key `password`; the nearest is `password_hash`"
    );
    assert!(error("trial = true\nlisten = [\"wlan0\"]\n").starts_with("c.toml, line 2: "));
    assert_eq!(
        error("trial = true\n[admin]\nlisten = \"127.0.0.1:1\"\npassword_hash = \"x\"\n"),
        "c.toml, line 4: unknown key `password_hash` here; there are `listen`, `metrics`; a key belongs \
         to the [section] above it, and those above the first [section] are the whole server's"
    );
    assert!(error("trial = true\n[limits]\nemail = \"much\"\n").starts_with("c.toml, line 3: "));
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
    assert!(
        missing.contains("line 2: [users.me]: `password_hash_file`")
            && missing.contains("/nowhere"),
        "{missing}"
    );
    let network = parse("[users.me]\nnetworks = [\"10.42\"]\n").unwrap_err();
    assert!(network.starts_with("c.toml, line 2: [users.me]: `networks`: "), "{network}");
}

#[test]
fn a_value_of_the_wrong_type_is_not_shown_for_it_may_be_a_password() {
    for text in [
        "[users.me]\npassword_hash = 77345612\n",
        "trial = true\n[destinations.e]\ntype = \"email\"\nhost = \"h\"\npassword = 77345612\n",
    ] {
        let error = parse(text).unwrap_err();
        assert!(
            error.contains("expected a text in quotes") && !error.contains("77345612"),
            "{error}"
        );
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
