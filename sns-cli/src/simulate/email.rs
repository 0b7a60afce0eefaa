//! An e-mail: a text and all files in one request.
//!
//! Law: the bytes are those captured on an NX300, its malformed multipart included. Of the answer
//! only the status matters.

use super::DUID;
use super::camera::{Camera, Step};
use super::photo::Photo;
use super::server::Piece;
use super::stop::Stop;
use samsung_sns::camera::{self, Attachment};
use samsung_sns::message::email::Email;

/// Sends all files to one recipient.
pub(super) fn send(camera: &mut Camera<'_>, to: &str, photos: &[Photo]) -> Result<(), Stop> {
    let arguments = camera.arguments;
    let email = Email {
        sender: arguments.sender.clone(),
        recipients: vec![to.to_owned()],
        title: "[Samsung Smart Camera] sent you files.".to_owned(),
        body: arguments.text.clone().unwrap_or_else(|| "Sent from Samsung Camera.".to_owned()),
    };
    let attachments: Vec<Attachment> = photos
        .iter()
        .map(|photo| Attachment {
            file_name: photo.name.clone(),
            media_type: photo.media_type.to_owned(),
            length: photo.length,
        })
        .collect();
    let request = camera::email(&email, DUID, &attachments);
    let mut pieces = vec![Piece::Bytes(&request.opening)];
    for (head, photo) in request.part_heads.iter().zip(photos) {
        pieces.extend([Piece::Bytes(head), Piece::File(photo)]);
    }
    pieces.push(Piece::Bytes(&request.closing));
    let mut has_succeeded = false;
    camera.exchange(Step::Email, "e-mail", &pieces, |came| {
        has_succeeded = camera::has_succeeded(came.bytes());
        came.any()
    })?;
    camera.safe = photos.len();
    let files = match photos.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let safe = if has_succeeded {
        "the server says it is safe"
    } else {
        "the server answers 200, which is all the firmware looks at"
    };
    camera.say(&format!("e-mail with {files} to {to}: {safe}"));
    Ok(())
}
