//! What single models do, for `--model`.
//!
//! Law: what is known is from facts.md sections 2, 5 and 6; whatever is not known of a model is done
//! as the NX300 does it, whose captures are the only ones, and the person is told so.

use samsung_sns::model::{MODELS, Model, Sends};

/// The model of this name, for the command line.
pub(crate) fn model(name: &str) -> Result<&'static Model, String> {
    Model::find(name).ok_or_else(|| {
        let known: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
        format!("no model of this name is known; these are: {}", known.join(", "))
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
        assert!(model("NX9000").is_err_and(|text| text.contains("NX300, NX310")));
    }
}
