//! Which camera it may be, by what it says and how.
//!
//! Law: the table of models is the core's. Each piece of evidence says what it is; stronger ones
//! come first, and one that contradicts them is left out. What no camera would say is no evidence.

use super::incoming::Head;
use crate::report::Report;
use samsung_sns::endpoint::{Endpoint, HotspotCheck};
use samsung_sns::model::{MODELS, Model};
use samsung_sns::quirk::Quirk;

/// What speaks for some models.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Evidence {
    /// The strongest first.
    rank: u8,
    models: Vec<&'static str>,
    reason: String,
}

/// All evidence about one camera.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidences(Vec<Evidence>);

/// Which camera it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    /// The models that it may be.
    pub(super) models: Vec<&'static str>,
    /// Why.
    pub(super) reasons: Vec<String>,
    /// Whether it is one of these by its own words or habits, not just by its hotspot check.
    pub(super) is_distinct: bool,
}

impl Evidences {
    /// Takes note of what a request says.
    pub(super) fn note(&mut self, head: &Head, report: &Report) {
        let Head::Request(head, endpoint) = head else { return };
        let agents = head.headers.iter().filter(|h| h.is("User-Agent"));
        let agents: Vec<_> = agents.map(|header| header.text().into_owned()).collect();
        for agent in &agents {
            if let Some(model) = named_in(agent) {
                self.add(0, vec![model], format!("its User-Agent names the {model}"));
            }
        }
        if let Some(model) = album(report).and_then(Model::find) {
            self.add(0, vec![model.name], format!("its album is called {}", model.name));
        }
        let is_clear = report.quirks.contains(Quirk::CredentialsInClear);
        match endpoint {
            Endpoint::Time | Endpoint::ServiceProviders => {
                self.add(1, vec!["ST1000"], "only the ST1000/CL65 asks for this".to_owned());
            }
            Endpoint::AllShare => {
                self.add(
                    1,
                    vec!["NX300"],
                    "only an NX300 was seen to log in to AllShare".to_owned(),
                );
            }
            Endpoint::Auth(_) if is_clear => {
                let reason = "its credentials are not encrypted, as a camcorder's".to_owned();
                self.add(1, vec!["HMX-QF30", "HMX-QF20"], reason);
            }
            Endpoint::Hotspot(check) => {
                let makes = |model: &&Model| model.hotspot.is_some_and(|made| made.check == *check);
                let models = MODELS.iter().filter(makes).map(|model| model.name).collect();
                let name = match check {
                    HotspotCheck::Gld => "gld.samsungosp.com",
                    HotspotCheck::Yahoo => "Yahoo",
                    HotspotCheck::Msn => "MSN",
                };
                self.add(2, models, format!("it checks its hotspot at {name}"));
            }
            Endpoint::Email { .. }
                if report.quirks.contains(Quirk::SpacesInRequestLine)
                    && report.quirks.contains(Quirk::RepeatedHeader) =>
            {
                let reason = "the head of its e-mail has the oddities captured from an NX300";
                self.add(3, vec!["NX300"], reason.to_owned());
            }
            Endpoint::Auth(_)
            | Endpoint::Photo(_)
            | Endpoint::Video(_)
            | Endpoint::Upload { .. }
                if head.quirks.contains(Quirk::AbsoluteTarget)
                    && agents.iter().any(|agent| agent == "sdeClient") =>
            {
                let reason = "its requests are written as those captured from an NX300";
                self.add(3, vec!["NX300"], reason.to_owned());
            }
            _ => {}
        }
    }

    fn add(&mut self, rank: u8, models: Vec<&'static str>, reason: String) {
        if self.0.len() < 16 && !self.0.iter().any(|evidence| evidence.reason == reason) {
            let at = self.0.partition_point(|evidence| evidence.rank <= rank);
            self.0.insert(at, Evidence { rank, models, reason });
        }
    }

    /// Which camera it may be; `None` if nothing speaks for any.
    pub(super) fn guess(&self) -> Option<Guess> {
        let mut evidences = self.0.iter();
        let first = evidences.next()?;
        let mut models = first.models.clone();
        let mut reasons = vec![first.reason.clone()];
        let mut is_distinct = first.rank != 2;
        for evidence in evidences {
            let both: Vec<_> =
                models.iter().copied().filter(|model| evidence.models.contains(model)).collect();
            if !both.is_empty() {
                is_distinct |= evidence.rank != 2;
                models = both;
                reasons.push(evidence.reason.clone());
            }
        }
        Some(Guess { models, reasons, is_distinct })
    }
}

/// The model that a text names as a word of its own; the longest name counts.
fn named_in(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_uppercase();
    let mut found = MODELS.iter().map(|model| model.name).filter(|name| {
        [name.to_ascii_uppercase(), name.replace(' ', "").to_ascii_uppercase()].iter().any(|name| {
            text.match_indices(name.as_str()).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + name.len()..].chars().next();
                let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
                is_end(before) && is_end(after)
            })
        })
    });
    found.next()
}

/// What a photo's announce calls its album: some cameras put their own name there.
fn album(report: &Report) -> Option<&str> {
    report.fields.get("album")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_by_a_word_of_its_own() {
        for (agent, model) in [
            ("SAMSUNG-NX300/1.40", Some("NX300")),
            ("Samsung NX3000", Some("NX3000")),
            ("nx mini browser", Some("NX mini")),
            ("SH100", Some("SH100")),
            ("sdeClient", None),
            ("NX30000", None),
        ] {
            assert_eq!(named_in(agent), model, "{agent}");
        }
    }

    #[test]
    fn what_contradicts_stronger_evidence_is_left_out() {
        let mut evidences = Evidences::default();
        assert_eq!(evidences.guess(), None);
        evidences.add(3, vec!["NX300"], "habits".to_owned());
        evidences.add(2, vec!["EX2F", "WB850F"], "check".to_owned());
        evidences.add(0, vec!["EX2F"], "name".to_owned());
        let guess = evidences.guess().unwrap();
        assert_eq!((guess.models, guess.is_distinct), (vec!["EX2F"], true));
        assert_eq!(guess.reasons, ["name", "check"]);
    }
}
