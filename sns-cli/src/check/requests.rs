//! Requests that only a check makes, and the oddities of real ones.
//!
//! Law: the rest is the core's camera end as it is. A server that takes only proper requests must
//! not pass: what is odd here was captured, or is reported of a camera.

use samsung_sns::camera;
use samsung_sns::endpoint::Site;
use samsung_sns::message::media::AnnounceAnswer;

/// The picture of every test.
const PHOTO: &[u8] = include_bytes!("../../../testdata/photo.jpg");
/// What it is called.
pub(super) const PHOTO_NAME: &str = "SNS-CLI-CHECK.JPG";
/// A session that no server has opened.
const NO_SESSION: &str = "00000000000000000000000000000000";
/// What a server without doors may keep: no photo, and it says so.
const NO_PHOTO: &[u8] = b"No photo: sns-cli check asks whether strangers may upload. Delete me.\n";
/// What stood behind the `PersistKey` of the captured login, from a buffer's earlier use.
const JUNK: &str = "4p4uaaq422af3\"/>\n";

/// The page that a camera opens in its browser.
pub(super) fn page() -> &'static [u8] {
    b"GET / HTTP/1.1\r\nHost: www.samsungimaging.com\r\n\r\n"
}

/// A login as both captures have it: with junk, as in the one, and without an end, as in the other.
pub(super) fn as_captured(login: &[u8]) -> Vec<u8> {
    let login = String::from_utf8_lossy(login);
    let (head, body) = login.split_once("\r\n\r\n").unwrap_or((&login, ""));
    let behind = "<PersistKey Use=\"true\"/>\n";
    let odd = body.replace(behind, &format!("{behind}{JUNK}"));
    let odd = odd.trim_end().trim_end_matches("</Request>").trim_end();
    with_body(head, odd)
}

/// The empty login of an NX300, at the path with a slash behind it, which is as good.
pub(super) fn empty_login(site: &Site) -> Vec<u8> {
    let login =
        String::from_utf8_lossy(&camera::oauth_login(site)).replacen("/auth ", "/auth/ ", 1);
    let head = login.split("\r\n\r\n").next().unwrap_or_default();
    with_body(head, "")
}

fn with_body(head: &str, body: &str) -> Vec<u8> {
    let kept = head.lines().filter(|line| !line.starts_with("Content-Length:"));
    let mut request: String = kept.map(|line| format!("{line}\r\n")).collect();
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    request.into_bytes()
}

/// A file from somebody who has not logged in, by `PUT` or, as a talk has it, `POST`.
pub(super) fn upload_of_a_stranger(method: &str) -> Vec<u8> {
    let path = AnnounceAnswer::new(NO_SESSION, PHOTO_NAME).resource_id;
    let head = camera::upload_head(&path, "image/jpeg", NO_PHOTO.len() as u64);
    [method.as_bytes(), head.strip_prefix(b"PUT").unwrap_or(&head), NO_PHOTO].concat()
}

/// The picture as a camera uploads it that calls it a progressive one, as some do.
pub(super) fn upload(resource_id: &str) -> Vec<u8> {
    let photo = photo();
    let head = camera::upload_head(resource_id, "image/pjpeg", photo.len() as u64);
    [head, photo].concat()
}

/// The picture, with a comment inside that says what it is.
pub(super) fn photo() -> Vec<u8> {
    let comment = b"A test picture of sns-cli check: delete it as you like.";
    let length = (comment.len() as u16 + 2).to_be_bytes();
    let (start, rest) = PHOTO.split_at(2);
    [start, &[0xff, 0xfe], &length, comment, rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login;

    #[test]
    fn a_login_has_the_oddities_of_both_captures_and_its_right_length() {
        let tidy = login::of("f", "p", false).unwrap();
        let tidy = camera::login(&Site::new("facebook"), &tidy).unwrap();
        let odd = String::from_utf8(as_captured(&tidy)).unwrap();
        let (head, body) = odd.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
        assert!(
            body.contains("<PersistKey Use=\"true\"/>\n4p4uaaq422af3\"/>\n<SessionKey"),
            "{body}"
        );
        assert!(body.ends_with("\"/>") && !body.contains("</Request>"), "{body}");
        let captured = include_str!("../../../testdata/captured/nx300/login-facebook.xml");
        assert!(captured.contains(JUNK.trim_end()));
    }

    #[test]
    fn an_empty_login_is_empty() {
        let odd = String::from_utf8(empty_login(&Site::new("facebook"))).unwrap();
        assert!(odd.starts_with("POST http://snsgw.samsungmobile.com/facebook/auth/ HTTP/1.1\r\n"));
        assert!(odd.ends_with("Content-Length: 0\r\n\r\n"));
    }
}
