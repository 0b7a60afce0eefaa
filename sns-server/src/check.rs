//! `sns-server check`: the configuration as it is meant, and whether what it names works.
//!
//! Law: nothing is delivered and no secret is shown.

use crate::config::Config;
use crate::destination::Kind;
use crate::route::DROP;
use nix::unistd::User;
use samsung_sns::admission::Admission;
use samsung_sns::post::AltTexts;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

/// A destination may take so long to say how it is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says what the configuration means.
///
/// # Errors
/// The output cannot be written.
pub fn describe(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let listen: Vec<String> = config.listen.iter().map(ToString::to_string).collect();
    writeln!(out, "listens on {}", listen.join(", "))?;
    writeln!(out, "keeps everything under {}", config.data_dir.display())?;
    if let Some(user) = &config.run_as {
        let unknown = match User::from_name(user) {
            Ok(None) => "; THERE IS NO SUCH USER on this machine",
            _ => "",
        };
        writeln!(out, "goes on as user {user:?} once its ports are bound{unknown}")?;
    }
    match &config.admission {
        Admission::Anyone => writeln!(out, "TRIAL MODE: anyone may send")?,
        Admission::Users(users) => {
            for user in users.values() {
                let password = if user.has_password { "with a password" } else { "any password" };
                let networks: Vec<String> = user.networks.iter().map(ToString::to_string).collect();
                let from = match networks.join(", ") {
                    from if from.is_empty() => "from anywhere".to_owned(),
                    from => format!("from {from}"),
                };
                writeln!(out, "user {:?}: {password}, {from}", user.name)?;
            }
        }
    }
    for (user, pattern, names) in config.routes.listed() {
        let whose = user.map_or_else(String::new, |user| format!(" of {user:?}"));
        let to = match names {
            [] => "nothing: kept, goes nowhere".to_owned(),
            names => names.join(", "),
        };
        writeln!(out, "route{whose}: {pattern} -> {to}")?;
    }
    // Routes of one user help nobody else; those of everybody count beside a user's own.
    let mut owners: BTreeSet<Option<&str>> =
        config.routes.listed().map(|(user, ..)| user).collect();
    if owners.contains(&None) {
        owners = BTreeSet::from([None]);
    } else if !owners.is_empty() {
        writeln!(out, "no [routes]: of users without their own everything is kept, goes nowhere")?;
    }
    for owner in owners {
        let whose = owner.map_or_else(String::new, |user| format!(" of {user:?}"));
        let has = |pattern| {
            config.routes.listed().any(|(user, known, _)| (user, known) == (owner, pattern))
        };
        if !has("email") {
            writeln!(
                out,
                "no route `email`{whose}: an e-mail none of whose recipients has one is REFUSED"
            )?;
        }
        if !has("social") {
            writeln!(
                out,
                "no route `social`{whose}: what is shared to other sites is kept, goes nowhere"
            )?;
        }
    }
    let routed: BTreeSet<&str> = config.routes.named().map(|(_, name)| name).collect();
    for (name, destination) in &config.destinations {
        let alt = match destination.rules.alt_texts {
            AltTexts::Required => "alt texts required",
            AltTexts::Optional => "alt texts optional",
        };
        let quiet = humantime::format_duration(destination.rules.quiet);
        let kind = destination.kind.name();
        let unused = if routed.contains(name.as_str()) { "" } else { "; NO ROUTE LEADS HERE" };
        let nobody = match &destination.kind {
            Kind::Email(email) if !email.has_recipients() && gets_social(config, name) => {
                "; NOBODY TO SEND social posts TO: set `to`"
            }
            _ => "",
        };
        writeln!(
            out,
            "destination {name:?}: {kind}, {alt}, a post ends after {quiet}{unused}{nobody}"
        )?;
    }
    if config.routes.listed().next().is_none() {
        writeln!(out, "no routes: everything is kept and goes nowhere")?;
    } else if routed.contains(DROP) {
        writeln!(out, "destination \"drop\": kept, delivered nowhere")?;
    }
    match config.keep_delivered {
        None => writeln!(out, "photos stay for ever"),
        Some(time) => {
            let time = humantime::format_duration(time);
            writeln!(out, "photos go {time} after their last delivery is done")
        }
    }
}

/// Whether what is shared to a site is routed there; it names no recipients.
fn gets_social(config: &Config, destination: &str) -> bool {
    let is_site = |pattern: &str| pattern != "email" && !pattern.contains('@');
    config.routes.named().any(|(pattern, name)| name == destination && is_site(pattern))
}

/// Talks to every destination; one line each. Whether all of them work.
///
/// # Errors
/// The output cannot be written.
pub async fn probe(config: &Config, out: &mut impl Write) -> io::Result<bool> {
    let mut all_work = true;
    for (name, destination) in &config.destinations {
        let said = match tokio::time::timeout(PATIENCE, destination.probe()).await {
            Ok(said) => said.map_err(|fault| fault.message),
            Err(_) => Err(format!("no word within {PATIENCE:?}")),
        };
        all_work &= said.is_ok();
        match said {
            Ok(said) => writeln!(out, "works  {name}: {said}")?,
            Err(problem) => writeln!(out, "FAILS  {name}: {problem}")?,
        }
    }
    Ok(all_work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn described(text: &str) -> String {
        let config = Config::parse(Path::new("c.toml"), text).unwrap();
        let mut out = Vec::new();
        describe(&config, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_empty_route_says_what_it_means_and_is_not_taken_for_none() {
        let said = described("trial = true\n[routes]\nfacebook = []\nemail = \"drop\"\n");
        assert!(said.contains("route: facebook -> nothing: kept, goes nowhere\n"), "{said}");
        assert!(said.contains("route: email -> drop\n"), "{said}");
        assert!(!said.contains("no routes"), "{said}");
        let only = described("trial = true\n[routes]\nfacebook = []\n");
        assert!(only.contains("facebook -> nothing") && !only.contains("no routes"), "{only}");
        assert!(
            said.contains("no route `social`: ") && !said.contains("no route `email`: "),
            "{said}"
        );
        for none in ["", "[routes]\n"] {
            let none = described(&format!("trial = true\n{none}"));
            assert!(none.contains("no routes: everything is kept and goes nowhere"), "{none}");
        }
    }

    #[test]
    fn a_route_of_one_user_is_none_of_the_others() {
        const USERS: &str = "[users.b]\n[users.a.routes]\nemail = \"drop\"\nsocial = \"drop\"\n";
        let said = described(&format!("{USERS}[routes]\nfacebook = \"drop\"\n"));
        assert!(said.contains("route of \"a\": email -> drop\n"), "{said}");
        assert!(said.contains("no route `email`: ") && said.contains("REFUSED"), "{said}");
        assert!(said.contains("no route `social`: "), "{said}");
        let said = described(&format!("{USERS}[routes]\nemail = \"drop\"\n"));
        assert!(!said.contains("no route `email`"), "{said}");
        assert!(said.contains("no route `social`: "), "{said}");
        // Where nobody else has any, theirs is not refused.
        let said = described(USERS);
        assert!(
            said.contains("no [routes]: of users without their own") && !said.contains("REFUSED")
        );
        let said = described("[users.b]\n[users.a.routes]\nfacebook = \"drop\"\n");
        assert!(said.contains("no route `email` of \"a\": "), "{said}");
    }

    #[test]
    fn a_user_who_is_not_there_is_told() {
        let said = described("trial = true\nrun_as = \"no such user\"\n");
        assert!(said.contains("goes on as user \"no such user\""), "{said}");
        assert!(said.contains("THERE IS NO SUCH USER"), "{said}");
        assert!(!described("trial = true\nrun_as = \"root\"\n").contains("NO SUCH"));
    }
}
