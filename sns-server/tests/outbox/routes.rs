//! Where what goes, and what is said at once of what can go nowhere.

use crate::camera::{email, logout, share};
use crate::harness::{Server, status};
use crate::receiver::Receiver;
use crate::seen;

/// A server with destinations `a` and `b` and these routes.
fn server(a: &Receiver, b: &Receiver, routes: &str) -> Server {
    let (a, b) = (a.address, b.address);
    Server::start(Some(&format!(
        "[users.f]\nroutes = {{ facebook = \"b\" }}\n[users.\"me@example.com\"]\n\
         [destinations.a]\ntype = \"webhook\"\nurl = \"http://{a}/\"\n\
         [destinations.b]\ntype = \"webhook\"\nurl = \"http://{b}/\"\n[routes]\n{routes}"
    )))
}

#[test]
fn recipients_are_told_apart_and_a_users_own_routes_come_first() {
    let (a, b) = (Receiver::willing(), Receiver::willing());
    let server = server(&a, &b, "facebook = \"a\"\n\"a@x.y\" = \"a\"\n\"*@x.y\" = [\"b\"]\n");
    assert!(email(&server, &["a@x.y", "c@x.y", "d@x.y", "e@f.g"], "mail", &[1]).contains("succ"));
    assert_eq!(a.wait_for(1)[0]["data"]["recipients"], serde_json::json!(["a@x.y"]));
    assert_eq!(b.wait_for(1)[0]["data"]["recipients"], serde_json::json!(["c@x.y", "d@x.y"]));
    let session = server.login();
    share(&server, &session, 1, "social");
    logout(&server, &session);
    assert_eq!(seen(&b.wait_for(2)[1]), "social []");
    assert_eq!(a.taken().len(), 1);
}

#[test]
fn an_email_without_any_route_is_refused_and_not_kept() {
    let (a, b) = (Receiver::willing(), Receiver::willing());
    let server = server(&a, &b, "\"a@x.y\" = \"a\"\n\"drop@x.y\" = \"drop\"\n");
    let refused = email(&server, &["e@f.g"], "mail", &[1]);
    assert_eq!(status(&refused), "400");
    assert!(refused.contains("no recipient has a route"), "{refused}");
    assert!(server.photos().is_empty());
    assert!(email(&server, &["drop@x.y"], "mail", &[1]).contains("succ"));
    assert_eq!(server.photos().len(), 1);
    assert!(email(&server, &["e@f.g", "a@x.y"], "mail", &[1]).contains("succ"));
    assert_eq!(seen(&a.wait_for(1)[0]), "mail []");
}

#[test]
fn a_wrong_configuration_is_refused_with_its_line() {
    let refused = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, text).unwrap();
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_sns-server"))
            .arg("--config")
            .arg(&path)
            .arg("check")
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(1), "{text}");
        String::from_utf8(done.stderr).unwrap().replace(path.to_str().unwrap(), "c.toml")
    };
    let hook = "trial = true\n[destinations.hook]\ntype = \"webhook\"\nurl = \"http://a/\"\n";
    for (text, said) in [
        (
            "[routes]\nfacebook = \"hok\"\n",
            "line 6: routes, `facebook`: \"hok\" is no destination; the nearest is \"hook\"",
        ),
        ("[routes]\n\"*\" = \"hook\"\n", "line 6: routes, `*`: "),
        (
            "[destinations.x]\nextends = \"y\"\n",
            "line 6: [destinations.x]: `extends` names \"y\", which is no destination",
        ),
        ("[destinations.x]\ntype = \"webhok\"\n", "[destinations.x]: unknown type \"webhok\""),
        ("[destinations.x]\nurl = \"http://a/\"\n", "line 5: [destinations.x]: `type` is missing"),
        (
            "[destinations.x]\nextends = \"hook\"\n\nsercet = \"s\"\n",
            "line 8: [destinations.x]: unknown key `sercet`; the nearest is `secret`",
        ),
        (
            "[destinations.drop]\ntype = \"webhook\"\n",
            "line 5: [destinations.drop]: this name is taken",
        ),
        (
            "[destinations.x]\nextends = \"hook\"\nalt_text = \"yes\"\n",
            "[destinations.x]: unknown variant `yes`",
        ),
        (
            "[retention]\nkeep_delivered = \"always\"\n",
            "line 6: `keep_delivered`: \"always\" is neither \"forever\" nor",
        ),
    ] {
        let error = refused(&format!("{hook}{text}"));
        assert!(error.contains(said), "{text}\n{error}");
    }
}
