//! The keys that begin with `MAIL_`.

use super::drafts::{Destinations, Draft};
use super::old::Mail;
use super::toml_text::Toml;

pub(super) fn write(old: &Mail<'_>, new: &mut Toml, destinations: &mut Destinations) {
    let as_it_was = draft(old, as_told(old));
    // A password that all could read is not sent.
    let readable = as_told(old) == "none" && login(old).is_some();
    let draft = match readable && destinations.refuses(&as_it_was).is_some() {
        true => draft(old, if old.port == Some(465) { "tls" } else { "starttls" }),
        false => as_it_was,
    };
    destinations.write("smtp", draft, new);
}

fn as_told(old: &Mail<'_>) -> &'static str {
    match (old.tls, old.starttls) {
        (true, _) => "tls",
        (false, true) => "starttls",
        (false, false) => "none",
    }
}

fn login<'a>(old: &Mail<'a>) -> Option<(&'a str, &'a str)> {
    let given = |text: Option<&'a str>| text.filter(|text| !text.is_empty());
    given(old.username).zip(given(old.password))
}

fn draft(old: &Mail<'_>, tls: &str) -> Draft {
    let mut draft = Draft::default();
    let new = &mut draft.text;
    new.comment("The actions `mail` and `email`.");
    new.table(&["destinations", "smtp"]);
    new.key("type", "email");
    // `smtp.example.com:587`
    let (host, its_port) = match old.server.and_then(|server| server.split_once(':')) {
        Some((host, port)) if port.parse::<u16>().is_ok() => (Some(host), port.parse().ok()),
        _ => (old.server, None),
    };
    match host.filter(|host| !host.is_empty()) {
        Some(host) => new.key("host", host),
        None => {
            new.comment("MAIL_SERVER was not given: the mail server of this machine.");
            new.key("host", "localhost");
        }
    }
    match old.port.or(its_port).filter(|port| *port != 0) {
        Some(port) => new.key("port", port),
        None => new.comment("MAIL_PORT was not given: the usual one of `tls`."),
    }
    if tls != as_told(old) {
        new.comment(
            "Neither MAIL_USE_TLS nor MAIL_USE_SSL was true, so anybody on the way could read the \
             password; this server does not send it so. Look with `sns-server check --probe` \
             whether the mail server can do this; else it may want tls = \"tls\" and another port.",
        );
    }
    new.key("tls", tls);
    match (login(old), old.username, old.password) {
        (Some((username, password)), ..) => {
            new.key("username", username);
            new.comment("Better in a file that only the server may read: password_file.");
            new.key("password", password);
        }
        (None, Some(username), _) if !username.is_empty() => {
            new.comment("MAIL_USERNAME was given without MAIL_PASSWORD: here both or none.");
            new.commented_key("username", username);
        }
        (None, _, Some(password)) if !password.is_empty() => {
            new.comment("MAIL_PASSWORD was given without MAIL_USERNAME, and was left out.");
        }
        _ => {}
    }
    new.comment(
        "Most relays refuse senders that are not theirs: with `from`, the camera's sender becomes \
         Reply-To.",
    );
    let from = old.username.filter(|name| name.contains('@')).unwrap_or("camera@example.com");
    new.commented_key("from", from);
    draft
}
