//! The table of cameras: what is known of each model, and nothing else.
//!
//! Law: unknown stays `None`. Every entry is from facts.md section 6 (the table of the talk of
//! February 2025), 5 (hotspot checks) or 1; inferred ones say so.

use crate::endpoint::HotspotCheck;
use std::fmt;

/// How well the existing re-implementation serves a model, as stated in February 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Everything the camera offers was seen working.
    Full,
    /// Some of it was.
    Partial,
    /// None of it.
    None,
    /// Nobody had one to try.
    Untested,
}

/// What a camera can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// E-mail only.
    EmailOnly,
    /// E-mail and social sites; the text says which and what.
    EmailAndSocial(&'static str),
    /// Not known in detail.
    Unknown,
}

/// A hotspot check and how surely the model makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Which check.
    pub check: HotspotCheck,
    /// `false` where it is inferred, not stated by someone who saw it.
    pub stated: bool,
}

/// What is known of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// Its name as printed on the camera.
    pub name: &'static str,
    /// The platform or group it belongs to.
    pub generation: &'static str,
    /// What it can send.
    pub sends: Sends,
    /// The hotspot check it makes; `None` if unknown.
    pub hotspot: Option<Check>,
    /// A firmware version that was seen working; `None` if unknown.
    pub firmware: Option<&'static str>,
    /// How well it is supported.
    pub support: Support,
    /// What is special about it; empty if nothing is known.
    pub remarks: &'static str,
}

const fn model(name: &'static str, generation: &'static str, support: Support) -> Model {
    let (sends, hotspot, firmware) = (Sends::Unknown, None, None);
    Model { name, generation, sends, hotspot, firmware, support, remarks: "" }
}

impl Model {
    const fn sends(mut self, sends: Sends) -> Model {
        self.sends = sends;
        self
    }

    const fn checks(mut self, check: HotspotCheck, stated: bool) -> Model {
        self.hotspot = Some(Check { check, stated });
        self
    }

    const fn firmware(mut self, firmware: &'static str) -> Model {
        self.firmware = Some(firmware);
        self
    }

    const fn remarks(mut self, remarks: &'static str) -> Model {
        self.remarks = remarks;
        self
    }

    /// The model of this name, in any case, with or without spaces and the maker's name before it:
    /// `nx300`, `NX mini`, `SAMSUNG-SH100`.
    pub fn find(name: &str) -> Option<&'static Model> {
        let plain = |name: &str| name.replace([' ', '-'], "").to_ascii_lowercase();
        let wanted = plain(name);
        let wanted = match wanted.strip_prefix("samsung").unwrap_or(&wanted) {
            "cl65" => "st1000", // the same camera, sold elsewhere
            wanted => wanted,
        };
        MODELS.iter().find(|model| plain(model.name) == wanted)
    }
}

const DRIME_V: &str = "DRIMeV";
const DRIME_IV: &str = "DRIMeIV";
const DRIME_III: &str = "DRIMeIII";
const MILBEAUT: &str = "Milbeaut M7MU";
const WB: &str = "WBxxxF compact";
const BRIDGE: &str = "bridge";
const COMPACT: &str = "other compact";
const CAMCORDER: &str = "camcorder";

const NO_192: &str = "refuses a server address that begins with 192.168.";
const TABLE: &str = "in the talk's list of WiFi models, in no support table";

use HotspotCheck::{Gld, Msn, Yahoo};
use Support::{Full, None as No, Partial, Untested};

/// Every model with this WiFi that is known, by generation.
pub static MODELS: &[Model] = &[
    model("NX500", DRIME_V, Full).sends(Sends::EmailOnly).checks(Gld, true),
    model("NX1", DRIME_V, Untested).sends(Sends::EmailOnly).checks(Gld, true),
    model("NX300", DRIME_IV, Full)
        .sends(Sends::EmailAndSocial("photos to every site, videos to facebook and youtube"))
        .checks(Gld, true)
        .remarks("all published captures are from this model; a plain 200 satisfies its gld check"),
    model("NX310", DRIME_IV, Full).checks(Gld, true),
    model("NX2000", DRIME_IV, Full).checks(Gld, true).remarks("runs Linux"),
    model("NX30", DRIME_IV, Untested).checks(Gld, true).remarks("runs Linux"),
    model("NX1000", DRIME_III, Full).checks(Gld, true),
    model("NX1100", DRIME_III, Full).checks(Gld, true),
    model("EX2F", DRIME_III, Full).checks(Yahoo, true),
    model("NX mini", MILBEAUT, Full)
        .sends(Sends::EmailAndSocial("photos to four sites, flickr and dropbox among them"))
        .checks(Gld, true)
        .firmware("1.10"),
    model("NX3000", MILBEAUT, Untested).checks(Gld, true).remarks(TABLE),
    model("NX3300", MILBEAUT, Untested).checks(Gld, true).remarks(TABLE),
    model("WB150F", WB, Full),
    model("WB250F", WB, Full),
    model("WB350F", WB, Full),
    model("WB351F", WB, Full),
    model("WB380F", WB, Full),
    model("WB800F", WB, Full),
    model("WB850F", WB, Full).checks(Yahoo, true),
    model("WB30F", WB, Partial),
    model("WB31F", WB, Partial),
    model("WB32F", WB, Partial),
    model("WB35F", WB, Partial).checks(Msn, true),
    model("WB36F", WB, Partial).checks(Msn, true),
    model("WB37F", WB, Partial).checks(Msn, true).remarks("refuses a redirect, wants the cookie"),
    model("WB50F", WB, Partial),
    model("WB200F", WB, Partial),
    model("WB1100F", BRIDGE, Partial).checks(Msn, true),
    model("WB2200F", BRIDGE, No),
    model("ST150F", COMPACT, Full),
    model("ST200F", COMPACT, Full).checks(Yahoo, false).firmware("1303204"),
    model("SH100", COMPACT, Full).firmware("1103021").remarks(NO_192),
    model("DV150F", COMPACT, Full).checks(Msn, true).firmware("1310101"),
    model("DV300F", COMPACT, Full).checks(Yahoo, false),
    model("ST1000", COMPACT, No).remarks(
        "also sold as CL65; asks for the time and a list of providers whose format is unknown; \
         refuses a server address that begins with 192.168.",
    ),
    model("DV180F", COMPACT, Untested),
    model("MV900F", COMPACT, Untested),
    model("HMX-QF30", CAMCORDER, Full)
        .remarks("speaks TLS; credentials are not encrypted, only URL-encoded"),
    model("HMX-QF20", CAMCORDER, Untested)
        .remarks("speaks SSLv2 without checking certificates; credentials are not encrypted"),
    model("HMX-S10", CAMCORDER, Untested),
    model("HMX-S15", CAMCORDER, Untested),
    model("HMX-S16", CAMCORDER, Untested),
];

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Support::Full => "works",
            Support::Partial => "partly",
            Support::None => "no",
            Support::Untested => "untested",
        })
    }
}

impl fmt::Display for Sends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sends::EmailOnly => f.write_str("e-mail only"),
            Sends::EmailAndSocial(what) => write!(f, "e-mail; {what}"),
            Sends::Unknown => f.write_str("unknown"),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.check {
            Gld => "gld",
            Yahoo => "Yahoo",
            Msn => "MSN",
        };
        write!(f, "{name}{}", if self.stated { "" } else { " (inferred)" })
    }
}

/// The table as Markdown: what `docs/models.md` consists of.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Cameras\n\n\
         Generated from `samsung-sns/src/model.rs`, which is the place to correct it. What is not \
         known says \"unknown\".\nSupport is what the re-implementation of Georg Lukas was seen to \
         do in February 2025; nobody has tried\nthis server with a camera yet.\n\n\
         | model | generation | support | sends | hotspot check | firmware seen working | remarks |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for m in MODELS {
        let hotspot = m.hotspot.map_or("unknown".to_owned(), |check| check.to_string());
        out += &format!(
            "| {} | {} | {} | {} | {hotspot} | {} | {} |\n",
            m.name,
            m.generation,
            m.support,
            m.sends,
            m.firmware.unwrap_or("unknown"),
            m.remarks
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_found_as_people_write_them() {
        for name in ["NX300", "nx300", "NX mini", "nxmini", "HMX-QF30", "hmxqf30", "Samsung NX300"]
        {
            assert!(Model::find(name).is_some(), "{name}");
        }
        assert_eq!(Model::find("CL65").map(|model| model.name), Some("ST1000"));
        assert_eq!(Model::find("Samsung"), None);
        assert_eq!(Model::find("NX9000"), None);
    }

    #[test]
    fn no_model_is_listed_twice() {
        for (at, model) in MODELS.iter().enumerate() {
            let first = MODELS.iter().position(|other| other.name == model.name);
            assert_eq!(first, Some(at), "{}", model.name);
        }
        assert_eq!(MODELS.len(), 42);
    }
}
