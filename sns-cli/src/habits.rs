//! What cameras do: the names that all ask for, and what single models do, for `--model`.
//!
//! Law: what is known is from facts.md sections 2, 5 and 6; whatever is not known of a model is done
//! as the NX300 does it, whose captures are the only ones, and the person is told so.

use samsung_sns::model::{MODELS, Model, Sends};

/// The names that a camera may ask for (facts.md section 1).
pub(crate) const NAMES: [&str; 6] = [
    "gld.samsungosp.com",
    "www.samsungimaging.com",
    "www.ospserver.net",
    "snsgw.samsungmobile.com",
    "www.yahoo.co.kr",
    "www.msn.com",
];

/// The model of this name, for the command line.
pub(crate) fn model(name: &str) -> Result<&'static Model, String> {
    Model::find(name).ok_or_else(|| {
        let plain = |name: &str| name.replace([' ', '-'], "").to_ascii_lowercase();
        let start: String = plain(name).chars().take(4).collect();
        let names = |model: &Model| plain(model.name).starts_with(&start);
        let near: Vec<_> = MODELS.iter().filter(|m| names(m)).map(|m| m.name).collect();
        if near.is_empty() || start.is_empty() {
            let known: Vec<_> = MODELS.iter().map(|model| model.name).collect();
            return format!("no model of this name is known; these are: {}", known.join(", "));
        }
        format!(
            "no model of this name is known; like it are: {}; all: sns-cli models",
            near.join(", ")
        )
    })
}

/// Whether it takes a server address that begins with `192.168.` for a captive portal.
pub(crate) fn refuses_192_168(model: &Model) -> bool {
    matches!(model.name, "SH100" | "ST1000")
}

/// Whether its credentials are only URL-encoded, since its connection is encrypted.
pub(crate) fn sends_credentials_in_clear(model: &Model) -> bool {
    matches!(model.name, "HMX-QF20" | "HMX-QF30")
}

/// Whether it asks for the time and a list of providers first, and has never come further.
pub(crate) fn begins_with_the_time(model: &Model) -> bool {
    model.name == "ST1000"
}

/// Whether of the gld check only an answer with `ETag`, of nginx and without a body is known to please it.
pub(crate) fn wants_an_empty_gld(model: &Model) -> bool {
    model.name == "NX mini"
}

/// Whether it sends e-mail only.
pub(crate) fn sends_email_only(model: &Model) -> bool {
    model.sends == Sends::EmailOnly
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_named_here_is_in_the_table() {
        let found = |has: fn(&Model) -> bool| MODELS.iter().filter(|model| has(model)).count();
        assert_eq!(found(refuses_192_168), 2);
        assert_eq!(found(sends_credentials_in_clear), 2);
        assert_eq!(found(begins_with_the_time), 1);
        assert_eq!(found(sends_email_only), 2);
        assert_eq!(found(wants_an_empty_gld), 1);
    }

    #[test]
    fn an_unknown_model_is_answered_with_the_known_ones() {
        assert_eq!(model("nx mini").map(|model| model.name), Ok("NX mini"));
        for (name, told) in [
            ("NX9000", "these are: NX500, NX1, NX300, NX310"),
            ("", "these are: NX500, NX1"),
            ("wb30", "like it are: WB30F; all"),
            ("nx-30o", "like it are: NX300, NX30, NX3000; all"),
        ] {
            assert!(model(name).is_err_and(|text| text.contains(told)), "{name}: {told}");
        }
    }
}
