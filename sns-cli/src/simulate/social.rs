//! A post to a social site: login, then announce and upload of each file, then logout.
//!
//! Law: the order and the bytes are the camera's. It stops where the firmware would: at the first
//! answer that it does not understand.

use super::answer::{accepted, not_understood};
use super::photo::Photo;
use super::server::Piece;
use super::{Arguments, Stop, Teller};
use crate::login;
use samsung_sns::camera;
use samsung_sns::message::auth::{LoginAnswer, Logout};
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};

/// Posts all files.
pub(super) fn send(
    arguments: &Arguments,
    photos: &[Photo],
    teller: &mut Teller<'_>,
) -> Result<(), Stop> {
    let session_key = login(arguments, teller)?;
    for photo in photos {
        let resource_id = announce(arguments, &session_key, photo, teller)?;
        upload(arguments, &resource_id, photo, teller)?;
    }
    let logout = Logout { session_key: Some(session_key), user: None };
    let request = camera::logout(&arguments.site, &logout);
    let answer = exchange("logout", arguments, &[Piece::Bytes(&request)], teller)?;
    accepted("logout", &answer)?;
    teller.say("logout accepted, session closed");
    Ok(())
}

fn login(arguments: &Arguments, teller: &mut Teller<'_>) -> Result<String, Stop> {
    let login = login::of(&arguments.user, &arguments.password, false).map_err(Stop::Impossible)?;
    let request = camera::login(&arguments.site, &login)
        .map_err(|error| Stop::Impossible(format!("cannot log in: {error}")))?;
    let answer = exchange("login", arguments, &[Piece::Bytes(&request)], teller)?;
    let body = accepted("login", &answer)?;
    let answer = LoginAnswer::scan(&body).filter(|answer| !answer.session_key.is_empty());
    let answer = answer.ok_or_else(|| {
        not_understood("login", "it finds no <Response SessionKey=\"…\"> in the body")
    })?;
    teller.say(&format!(
        "login accepted, session opened; the camera shows the name {:?}",
        answer.screen_name
    ));
    Ok(answer.session_key)
}

fn announce(
    arguments: &Arguments,
    session_key: &str,
    photo: &Photo,
    teller: &mut Teller<'_>,
) -> Result<String, Stop> {
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
    let answer = exchange(&what, arguments, &[Piece::Bytes(&request)], teller)?;
    let body = accepted(&what, &answer)?;
    let answer = AnnounceAnswer::scan(&body).filter(|answer| !answer.resource_id.is_empty());
    let answer = answer
        .ok_or_else(|| not_understood(&what, "it finds no HostAddr and ResourceID in the body"))?;
    let media = if photo.is_video() { "video" } else { "photo" };
    teller.say(&format!("{}: {media} announced, the server waits for it", photo.name));
    Ok(answer.resource_id)
}

fn upload(
    arguments: &Arguments,
    resource_id: &str,
    photo: &Photo,
    teller: &mut Teller<'_>,
) -> Result<(), Stop> {
    let head = camera::upload_head(resource_id, photo.media_type, photo.length);
    let what = format!("{}: upload", photo.name);
    let pieces = [Piece::Bytes(&head), Piece::File(photo)];
    let answer = exchange(&what, arguments, &pieces, teller)?;
    accepted(&what, &answer)?;
    if !camera::has_succeeded(&answer) {
        return Err(not_understood(&what, "it finds no Status=\"succ\" in the body"));
    }
    teller.say(&format!("{}: the server says it is safe", photo.name));
    Ok(())
}

fn exchange(
    what: &str,
    arguments: &Arguments,
    pieces: &[Piece<'_>],
    teller: &Teller<'_>,
) -> Result<Vec<u8>, Stop> {
    arguments.server.exchange(pieces, &teller.bar).map_err(|stop| stop.of(what))
}
