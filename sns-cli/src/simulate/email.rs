//! An e-mail: a text and all files in one request.
//!
//! Law: the bytes are those captured on an NX300, its malformed multipart included. Of the answer
//! only the status matters.

use super::answer::accepted;
use super::photo::Photo;
use super::server::Piece;
use super::{Arguments, Stop, Teller};
use samsung_sns::camera::{self, Attachment};
use samsung_sns::message::email::Email;

/// The number of the camera in the published capture.
const DUID: &str = "123456789033";

/// Sends all files to one recipient.
pub(super) fn send(
    arguments: &Arguments,
    to: &str,
    photos: &[Photo],
    teller: &mut Teller<'_>,
) -> Result<(), Stop> {
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
    let answer = arguments.server.exchange(&pieces, &teller.bar);
    let answer = answer.map_err(|stop| stop.of("e-mail"))?;
    accepted("e-mail", &answer)?;
    let files = match photos.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let safe = if camera::has_succeeded(&answer) {
        "the server says it is safe"
    } else {
        "the server answers 200, which is all the firmware looks at"
    };
    teller.say(&format!("e-mail with {files} to {to}: {safe}"));
    Ok(())
}
