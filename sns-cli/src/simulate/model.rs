//! What a single model does otherwise than an NX300, as far as it is known.
//!
//! Law: nothing is made up. Where a model's own bytes are not known, they are an NX300's, and the
//! first line says so.

use super::camera::{Camera, Step};
use super::photo::Photo;
use super::server::Piece;
use super::stop::{Kind, Stop};
use super::{Arguments, DUID};
use crate::check::verdict::Came;
use crate::habits;
use samsung_sns::camera;
use samsung_sns::endpoint::HotspotCheck;
use samsung_sns::model::Model;

/// The sites that an NX300 sends videos to.
const VIDEO_SITES: [&str; 2] = ["facebook", "youtube"];

/// Whether this camera can do what it is asked to; if so, it says what is known of it.
pub(super) fn prepare(camera: &mut Camera<'_>, photos: &[Photo]) -> Result<(), Stop> {
    let Arguments { model: Some(model), email, site, server, .. } = camera.arguments else {
        return Ok(());
    };
    let name = model.name;
    if habits::sends_email_only(model) && email.is_none() && !photos.is_empty() {
        return Err(Stop::impossible(format!("the {name} sends e-mail only: give --email TO")));
    }
    if let Some(video) = photos.iter().find(|photo| photo.is_video()) {
        let takes = email.is_none() && VIDEO_SITES.contains(&site.as_str());
        let why = match name {
            "NX mini" => Some("photos only"),
            "NX300" if !takes => Some("videos to facebook and youtube only"),
            _ => None,
        };
        if let Some(why) = why {
            return Err(Stop::impossible(format!("{}: the {name} sends {why}", video.name)));
        }
    }
    if habits::refuses_192_168(model) && server.addresses()?.iter().any(is_192_168) {
        let sentence = format!(
            "the {name} takes a server whose address begins with 192.168. for a login page, and \
             sends nothing"
        );
        camera.say(&sentence);
        return Err(Stop::new(Kind::Offline, sentence));
    }
    camera.say(&known(model));
    Ok(())
}

fn is_192_168(address: &std::net::SocketAddr) -> bool {
    match address.ip().to_canonical() {
        std::net::IpAddr::V4(address) => address.octets().starts_with(&[192, 168]),
        std::net::IpAddr::V6(_) => false,
    }
}

/// What is known of a model, in a sentence.
fn known(model: &Model) -> String {
    let mut text = format!("as the {}", model.name);
    if model.name == "NX300" {
        return text
            + ": its login and e-mail are as captured; of announce, upload and logout only the content is known";
    }
    text += match model.hotspot {
        Some(_) => ": its hotspot check is known",
        None => ": nothing is known of its hotspot check",
    };
    if habits::sends_credentials_in_clear(model) {
        text += "; its credentials are in clear, and the TLS or SSLv2 around them is left out";
    }
    text + "; its requests were never captured, so heads, boundary and User-Agent are an NX300's"
}

/// The hotspot check, as this model makes it.
pub(super) fn hotspot(camera: &mut Camera<'_>) -> Result<(), Stop> {
    let model = camera.arguments.model;
    let check = model.and_then(|model| model.hotspot).map(|its| its.check);
    let is_guess = model.is_some() && check.is_none();
    let check = check.unwrap_or(HotspotCheck::Gld);
    let name = match check {
        HotspotCheck::Gld => "gld",
        HotspotCheck::Yahoo => "Yahoo",
        HotspotCheck::Msn => "MSN",
    };
    let what = format!("hotspot check {name}");
    let strict = model.is_some_and(habits::wants_an_empty_gld);
    let request = camera::hotspot_check(check);
    let read = |came: &Came| came.hotspot(check, strict);
    camera.exchange(Step::Hotspot, &what, &[Piece::Bytes(&request)], read)?;
    let whose = if is_guess { " (the NX300's; its own is not known)" } else { "" };
    camera.say(&format!("{what}{whose}: online"));
    Ok(())
}

/// What an ST1000/CL65 does: it has never come further than this, so files stay where they are.
pub(super) fn st1000(camera: &mut Camera<'_>, photos: &[Photo]) -> Result<(), Stop> {
    let request = camera::time();
    camera.exchange(Step::Time, "time", &[Piece::Bytes(&request)], Came::time)?;
    camera.say("time: told");
    let request = camera::service_providers(DUID);
    let what = "list of providers";
    camera.exchange(Step::Providers, what, &[Piece::Bytes(&request)], Came::any)?;
    let told = "list of providers: answered; here the camera stops, since nobody knows its format";
    camera.say(told);
    match photos {
        [] => Ok(()),
        _ => Err(Stop::new(Kind::ComesNoFurther, told)),
    }
}
