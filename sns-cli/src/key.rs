//! `sns-cli key`: a `CryptSessionKey` taken apart, and single fields opened and sealed with it.
//!
//! Law: what is predictable is judged by the crypto crate; here it is only told. The key is no
//! secret: cameras send it in clear beside what it seals.

use crate::{Outcome, print};
use clap::{Args, Subcommand};
use samsung_sns::crypto::weakness::{self, Fit, Origin, Weakness};
use samsung_sns::crypto::{CryptSessionKey, credential};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Which key, and what to do with it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The key: the Value of CryptSessionKey in a login, 44 characters that end in =
    #[arg(value_name = "VALUE")]
    key: String,
    /// Write one line of JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Open a field that was sealed with this key
    Open {
        /// The Value of UserName or Password, as it stands in the XML
        #[arg(allow_hyphen_values = true)]
        field: String,
    },
    /// Seal a text with this key, as a camera does
    Seal {
        /// The text
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
}

const EXAMPLES: &str = "\
Examples (the login of an NX300 that was published):
  sns-cli key /////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y=
  sns-cli key /////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y= open 7xKPwb19QdFKzsjsrQx62g%3D%3D
  sns-cli key /////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y= seal f";

/// Takes the key apart, or uses it.
pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Outcome> {
    let key = match CryptSessionKey::from_base64(&arguments.key) {
        Ok(key) => key,
        Err(error) => {
            print::complain(&format!(
                "{error}; give the Value of <CryptSessionKey> as it stands in the login, 44 characters \
                 that end in =; whole logins are for sns-cli decode"
            ));
            return Ok(Outcome::Bad);
        }
    };
    let (name, made) = match &arguments.action {
        None => {
            let weakness = weakness::analyse(&key);
            match arguments.json {
                true => print::json::line(&as_json(&key, &weakness), out)?,
                false => out.write_all(as_tree(&key, &weakness).as_bytes())?,
            }
            out.flush()?;
            return Ok(Outcome::Good);
        }
        Some(Action::Open { field }) => {
            ("text", credential::open(&key, field).map(|text| text.to_string()))
        }
        Some(Action::Seal { text }) => ("field", credential::seal(&key, text)),
    };
    match made {
        Ok(made) if arguments.json => print::json::line(&json!({ name: made }), out)?,
        Ok(made) => writeln!(out, "{}", print::escaped(&made))?,
        Err(error) => {
            let what = match arguments.action {
                Some(Action::Open { .. }) => {
                    "; give the Value of <UserName> or <Password> as it stands in the login that the \
                     key is from"
                }
                _ => "",
            };
            print::complain(&format!("{error}{what}"));
            return Ok(Outcome::Bad);
        }
    }
    out.flush()?;
    Ok(Outcome::Good)
}

/// Bytes of one word that seem to be of one origin.
struct Part {
    first: usize,
    last: usize,
    origin: Origin,
    bits: u32,
}

fn parts(weakness: &Weakness) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (at, byte) in weakness.bytes().iter().enumerate() {
        let bits = u32::from(byte.bits);
        match parts.last_mut() {
            Some(part) if part.origin == byte.origin && at % 4 != 0 => {
                part.last = at;
                part.bits += bits;
            }
            _ => parts.push(Part { first: at, last: at, origin: byte.origin, bits }),
        }
    }
    parts
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    })
}

fn as_tree(key: &CryptSessionKey, weakness: &Weakness) -> String {
    let same = if key.key_is_iv() { " (the same bytes)" } else { "" };
    let mut text = format!("session key: {}\n", weakness.fit());
    text += &format!("├─ AES key: {}\n", hex(key.aes_key()));
    text += &format!("├─ IV:      {}{same}\n", hex(key.iv()));
    text += "├─ where its bytes seem to come from\n";
    let parts = parts(weakness);
    for (at, part) in parts.iter().enumerate() {
        let mark = if at + 1 == parts.len() { "└─" } else { "├─" };
        let Part { first, last, origin, bits } = part;
        let bytes = hex(&key.as_bytes()[*first..=*last]);
        text +=
            &format!("│  {mark} {first:>2}-{last:<2}  {bytes:<8}  {origin:<22} {bits:>2} bits\n");
    }
    let assumptions: Vec<String> = weakness.assumptions().map(|each| each.to_string()).collect();
    let (aes_key, iv) = (weakness.aes_key_bits(), weakness.iv_bits());
    let mark = if assumptions.is_empty() { "└─" } else { "├─" };
    text += &format!(
        "{mark} left to guess: at most {aes_key} of 128 bits of the AES key, {iv} of 128 of the IV\n"
    );
    if !assumptions.is_empty() {
        text += "└─ taken for granted\n";
    }
    for (at, assumption) in assumptions.iter().enumerate() {
        let mark = if at + 1 == assumptions.len() { "└─" } else { "├─" };
        text += &format!("   {mark} {assumption}\n");
    }
    text
}

fn as_json(key: &CryptSessionKey, weakness: &Weakness) -> Value {
    let part = |part: &Part| {
        json!({
            "first": part.first,
            "last": part.last,
            "bytes": hex(&key.as_bytes()[part.first..=part.last]),
            "origin": part.origin.to_string(),
            "bits": part.bits,
        })
    };
    json!({
        "aes_key": hex(key.aes_key()),
        "iv": hex(key.iv()),
        "key_is_iv": key.key_is_iv(),
        "fit": match weakness.fit() {
            Fit::Structure => "structure",
            Fit::Constants => "constants",
            _ => "none",
        },
        "parts": parts(weakness).iter().map(part).collect::<Vec<_>>(),
        "aes_key_bits": weakness.aes_key_bits(),
        "iv_bits": weakness.iv_bits(),
        "assumptions": weakness.assumptions().map(|each| each.to_string()).collect::<Vec<_>>(),
    })
}
