//! A post to a social site: login, then announce and upload of each file, then logout.
//!
//! Law: the order and the bytes are the camera's. It stops where the firmware would: at the first
//! answer that it does not understand.

use super::answer::{accepted, not_understood};
use super::camera::{Camera, Step};
use super::photo::Photo;
use super::server::Piece;
use super::stop::Stop;
use crate::{habits, login};
use samsung_sns::camera;
use samsung_sns::message::auth::{LoginAnswer, Logout};
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};

/// Posts all files.
pub(super) fn send(camera: &mut Camera<'_>, photos: &[Photo]) -> Result<(), Stop> {
    let session_key = login(camera)?;
    for photo in photos {
        let resource_id = announce(camera, &session_key, photo)?;
        upload(camera, &resource_id, photo)?;
    }
    let logout = Logout { session_key: Some(session_key), user: None };
    let request = camera::logout(&camera.arguments.site, &logout);
    camera.exchange(Step::Logout, "logout", &[Piece::Bytes(&request)], accepted)?;
    camera.say("logout accepted, session closed");
    Ok(())
}

fn login(camera: &mut Camera<'_>) -> Result<String, Stop> {
    let arguments = camera.arguments;
    // Without --model it sends anything anywhere, so that every site can be tried.
    if arguments.model.is_some() && arguments.site.wants_oauth() {
        let request = camera::oauth_login(&arguments.site);
        return session(camera, &request);
    }
    let in_clear = arguments.model.is_some_and(habits::sends_credentials_in_clear);
    let login =
        login::of(&arguments.user, &arguments.password, in_clear).map_err(Stop::impossible)?;
    let request = camera::login(&arguments.site, &login)
        .map_err(|error| Stop::impossible(format!("cannot log in: {error}")))?;
    session(camera, &request)
}

/// The session that a login opens.
fn session(camera: &mut Camera<'_>, request: &[u8]) -> Result<String, Stop> {
    let read = |answer: &[u8]| {
        let answer = LoginAnswer::scan(&accepted(answer)?);
        answer
            .filter(|answer| !answer.session_key.is_empty())
            .ok_or_else(|| not_understood("it finds no <Response SessionKey=\"…\"> in the body"))
    };
    let answer = camera.exchange(Step::Login, "login", &[Piece::Bytes(request)], read)?;
    camera.say(&format!(
        "login accepted, session opened; the camera shows the name {:?}",
        answer.screen_name
    ));
    Ok(answer.session_key)
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
    let read = |answer: &[u8]| {
        let answer = AnnounceAnswer::scan(&accepted(answer)?);
        answer
            .filter(|answer| !answer.resource_id.is_empty())
            .ok_or_else(|| not_understood("it finds no HostAddr and ResourceID in the body"))
    };
    let answer = camera.exchange(Step::Announce, &what, &[Piece::Bytes(&request)], read)?;
    let media = if photo.is_video() { "video" } else { "photo" };
    camera.say(&format!("{}: {media} announced, the server waits for it", photo.name));
    Ok(answer.resource_id)
}

fn upload(camera: &mut Camera<'_>, resource_id: &str, photo: &Photo) -> Result<(), Stop> {
    let head = camera::upload_head(resource_id, photo.media_type, photo.length);
    let what = format!("{}: upload", photo.name);
    let pieces = [Piece::Bytes(&head), Piece::File(photo)];
    camera.exchange(Step::Upload, &what, &pieces, |answer| {
        accepted(answer)?;
        match camera::has_succeeded(answer) {
            true => Ok(()),
            false => Err(not_understood("it finds no Status=\"succ\" in the body")),
        }
    })?;
    camera.say(&format!("{}: the server says it is safe", photo.name));
    Ok(())
}
