//! A post to a social site: login, then announce and upload of each file, then logout.
//!
//! Law: the order and the bytes are the camera's. It stops where the firmware would: at the first
//! answer that it does not understand. What it has logged in to it logs out of, as long as somebody
//! answers; whether cameras do that after a refusal is not known.

use super::Arguments;
use super::camera::{Camera, Step};
use super::photo::Photo;
use super::server::Piece;
use super::stop::Stop;
use crate::check::verdict::Came;
use crate::login;
use samsung_sns::camera;
use samsung_sns::message::auth::{LoginAnswer, Logout};
use samsung_sns::message::media::{Announce, Media};
use std::net::SocketAddr;

/// Posts all files.
pub(super) fn send(camera: &mut Camera<'_>, photos: &[Photo]) -> Result<(), Stop> {
    let session_key = login(camera)?;
    let sent = photos.iter().try_for_each(|photo| {
        let resource_id = announce(camera, &session_key, photo)?;
        upload(camera, &resource_id, photo)
    });
    match sent {
        Err(stop) if !stop.was_answered() => Err(stop),
        sent => sent.and(logout(camera, session_key)),
    }
}

fn logout(camera: &mut Camera<'_>, session_key: String) -> Result<(), Stop> {
    let logout = Logout { session_key: Some(session_key), user: None };
    let request = camera::logout(&camera.arguments.site, &logout);
    camera.exchange(Step::Logout, "logout", &[Piece::Bytes(&request)], Came::any)?;
    camera.say("logout accepted, session closed");
    Ok(())
}

fn login(camera: &mut Camera<'_>) -> Result<String, Stop> {
    let arguments = camera.arguments;
    let Arguments { model, site, user, password, .. } = arguments;
    let request = login::request(*model, site, user, password).map_err(Stop::impossible)?;
    open(camera, &request)
}

/// The session that a login opens.
fn open(camera: &mut Camera<'_>, request: &[u8]) -> Result<String, Stop> {
    let mut name = String::new();
    let session_key = camera.exchange(Step::Login, "login", &[Piece::Bytes(request)], |came| {
        let answer = LoginAnswer::scan(&camera::body(came.bytes()));
        name = answer.map(|answer| answer.screen_name).unwrap_or_default();
        came.login()
    })?;
    camera.say(&format!("login accepted, session opened; the camera shows the name {name:?}"));
    Ok(session_key)
}

fn announce(camera: &mut Camera<'_>, session_key: &str, photo: &Photo) -> Result<String, Stop> {
    let arguments = camera.arguments;
    let media = if photo.is_video() {
        Media::Video { category: None, owner_id: None }
    } else {
        Media::Photo { album: None }
    };
    let announce = Announce {
        session_key: session_key.to_owned(),
        media,
        file_name: photo.name.clone(),
        content: arguments.text.clone().unwrap_or_default(),
    };
    let request = camera::announce(&arguments.site, &announce);
    let what = format!("{}: announce", photo.name);
    let addresses: Vec<_> = arguments.server.addresses()?.iter().map(SocketAddr::ip).collect();
    let read = |came: &Came| came.announce(&addresses, arguments.server.port());
    let resource_id = camera.exchange(Step::Announce, &what, &[Piece::Bytes(&request)], read)?;
    let media = if photo.is_video() { "video" } else { "photo" };
    camera.say(&format!("{}: {media} announced, the server waits for it", photo.name));
    Ok(resource_id)
}

fn upload(camera: &mut Camera<'_>, resource_id: &str, photo: &Photo) -> Result<(), Stop> {
    let head = camera::upload_head(resource_id, photo.media_type, photo.length);
    let what = format!("{}: upload", photo.name);
    let pieces = [Piece::Bytes(&head), Piece::File(photo)];
    camera.exchange(Step::Upload, &what, &pieces, Came::upload)?;
    camera.safe += 1;
    camera.say(&format!("{}: the server says it is safe", photo.name));
    Ok(())
}
