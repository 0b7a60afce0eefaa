//! Messages of the wire, read from `testdata/` and written again.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test helps itself, and reads files

use samsung_sns::camera;
use samsung_sns::endpoint::Site;
use samsung_sns::message::MessageError;
use samsung_sns::message::auth::{AuthRequest, Login, LoginAnswer};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};
use samsung_sns::message::sso::AllShareLogin;
use samsung_sns::quirk::{Quirk, Quirks};
use samsung_sns::wire::request::head_length;
use samsung_sns::wire::xml::{Document, decode};
use std::path::Path;

fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn auth(name: &str) -> (Result<AuthRequest, MessageError>, Quirks) {
    let mut quirks = Quirks::default();
    let bytes = data(name);
    let text = decode(&bytes, &mut quirks);
    let document = Document::read(&text);
    quirks.extend(document.quirks());
    let read = AuthRequest::read(&document, &mut quirks);
    (read, quirks)
}

fn login(name: &str) -> (Login, Quirks) {
    match auth(name) {
        (Ok(AuthRequest::Login(login)), quirks) => (login, quirks),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_login_by_oauth_has_neither_user_nor_password() {
    let bytes = data("reconstructed/nx-mini/login-oauth.http");
    assert_eq!(camera::oauth_login(&Site::new("flickr")), bytes);
    let text = String::from_utf8(bytes).unwrap();
    let document = Document::read(text.split_once("\r\n\r\n").unwrap().1);
    let read = AuthRequest::read(&document, &mut Quirks::default());
    assert_eq!(read, Ok(AuthRequest::OAuthLogin { version: Some("1.0".to_owned()) }));
}

#[test]
fn the_published_logins_open() {
    let (login_f, quirks) = login("captured/nx300/login-facebook.xml");
    assert_eq!((login_f.user.as_str(), login_f.password.as_str()), ("f", "p"));
    assert_eq!(login_f.timeout.as_deref(), Some("3000"));
    assert_eq!(login_f.camera_crypt_key.unwrap().len(), 256);
    assert!(quirks.contains(Quirk::StrayText) && quirks.contains(Quirk::KeyIsIv));

    let (login_x, quirks) = login("captured/nx300/login-talk.xml");
    assert_eq!((login_x.user.as_str(), login_x.password.as_str()), ("x", "z"));
    assert!(quirks.contains(Quirk::BrokenMarkup));
}

#[test]
fn no_junk_hides_the_credentials() {
    for name in ["junk-tag", "junk-swallows", "broken-prolog", "trailing-nuls"] {
        let (login, _) = login(&format!("malformed/login-{name}.xml"));
        assert_eq!((login.user.as_str(), login.password.as_str()), ("f", "p"), "{name}");
    }
    let (login, quirks) = login("malformed/login-no-closing-tag.xml");
    assert_eq!((login.user.as_str(), login.password.as_str()), ("x", "z"));
    assert!(quirks.contains(Quirk::MissingEndTag));
}

#[test]
fn what_a_login_lacks_is_named() {
    use sns_crypto::{CredentialError, SessionKeyError};
    let error = |name: &str| auth(&format!("malformed/login-{name}.xml")).0.unwrap_err();
    assert!(matches!(error("truncated"), MessageError::Credential { field: "Password", .. }));
    let no_password = "<Request Method=\"login\"><UserName Value=\"a\"/></Request>";
    assert_eq!(
        AuthRequest::read(&Document::read(no_password), &mut Quirks::default()),
        Err(MessageError::Missing("Password/@Value"))
    );
    let empty = AuthRequest::read(&Document::read("\r\n"), &mut Quirks::default());
    assert_eq!(empty, Err(MessageError::Empty));
    assert!(matches!(
        error("bad-base64"),
        MessageError::Credential { field: "UserName", error: CredentialError::Base64 { .. } }
    ));
    assert!(matches!(
        error("bad-percent"),
        MessageError::Credential {
            field: "UserName",
            error: CredentialError::PercentSequence { .. }
        }
    ));
    assert!(matches!(error("short-key"), MessageError::SessionKey(SessionKeyError::Length { .. })));
    assert_eq!(error("unknown-method"), MessageError::UnknownMethod("register".into()));
}

/// The HMX-QF30 sends no key: its credentials are only URL-encoded.
#[test]
fn a_login_without_a_key_is_in_clear() {
    let request = data("reconstructed/hmx-qf30/login.http");
    let length = head_length(&request, 0).unwrap();
    let text = String::from_utf8(request[length..].to_vec()).unwrap();
    let mut quirks = Quirks::default();
    match AuthRequest::read(&Document::read(&text), &mut quirks) {
        Ok(AuthRequest::Login(login)) => {
            assert_eq!(login.user, "me@example.com");
            assert_eq!(login.password.as_str(), "p%w");
            assert_eq!(login.crypt_session_key, None);
            let again = login.to_xml().unwrap();
            let again = AuthRequest::read(&Document::read(&again), &mut quirks);
            assert_eq!(again, Ok(AuthRequest::Login(login)));
        }
        other => panic!("{other:?}"),
    }
    assert!(quirks.contains(Quirk::CredentialsInClear));
}

#[test]
fn an_oauth_login_is_recognised() {
    let xml = "<Request Method=\"login\"><OAuth Version=\"1.0\"/></Request>";
    let read = AuthRequest::read(&Document::read(xml), &mut Quirks::default());
    assert_eq!(read, Ok(AuthRequest::OAuthLogin { version: Some("1.0".into()) }));
}

#[test]
fn an_allshare_login_is_read_as_the_nx300_writes_it() {
    let login = AllShareLogin { login_id: "x<y".into(), password: "e&e".to_owned().into() };
    assert_eq!(AllShareLogin::read(&Document::read(&login.to_xml())), Ok(login));
}

#[test]
fn a_login_written_is_the_login_read() {
    for name in ["captured/nx300/login-facebook.xml", "malformed/login-no-closing-tag.xml"] {
        let (login, _) = login(name);
        let xml = login.to_xml().unwrap();
        let read = AuthRequest::read(&Document::read(&xml), &mut Quirks::default()).unwrap();
        assert_eq!(read, AuthRequest::Login(login));
    }
}

/// Encoding is byte for byte what the NX300 sent, but for the junk line and the missing newline.
#[test]
fn the_published_login_is_written_as_captured() {
    let (login, _) = login("captured/nx300/login-facebook.xml");
    let captured = String::from_utf8(data("captured/nx300/login-facebook.xml")).unwrap();
    assert_eq!(login.to_xml().unwrap(), captured.replace("4p4uaaq422af3\"/>\n", ""));
}

#[test]
fn the_captured_email_is_understood_and_written_as_captured() {
    let captured = String::from_utf8(data("captured/nx300/email-message.xml")).unwrap();
    let mut quirks = Quirks::default();
    let email = Email::read(&Document::read(&captured), &mut quirks).unwrap();
    assert_eq!(
        email,
        Email {
            sender: "Camera@samsungcamera.com".into(),
            recipients: vec!["a@b".into()],
            title: "[Samsung Smart Camera] sent you files.".into(),
            body: "Sent from Samsung Camera.".into(),
        }
    );
    assert!(quirks.contains(Quirk::LanguageMarker));
    // The copies differ in where lines end between the elements.
    let without_ends = |text: &str| text.replace("\\r\\n", "").replace("\r\n", "");
    assert_eq!(without_ends(&email.to_xml()), without_ends(&captured));
}

#[test]
fn announces_are_read_as_written() {
    for media in [
        Media::Photo { album: None },
        Media::Photo { album: Some("NX300 \"<&>\"".into()) },
        Media::Video { category: Some("Travel".into()), owner_id: None },
        Media::Video { category: None, owner_id: Some("me".into()) },
    ] {
        let announce = Announce {
            session_key: "0123456789abcdef0123456789abcdef".into(),
            media,
            file_name: "SAM & 'co'.JPG".into(),
            content: "a < b ~ \"c\" & d".into(),
        };
        let xml = announce.to_xml();
        let document = Document::read(&xml);
        let read = match &announce.media {
            Media::Photo { .. } => Announce::read_photo(&document),
            Media::Video { .. } => Announce::read_video(&document),
        };
        assert_eq!(read.unwrap(), announce);
    }
}

#[test]
fn what_people_type_arrives_although_the_firmware_escapes_nothing() {
    let xml = "<Request SessionKey=\"k\"><Photo><File Name=\"a&b.jpg\"/>\
               <Content>Q&A: me & you &amp; 3 &lt; 4 &unknown; &#233;</Content></Photo></Request>";
    let announce = Announce::read_photo(&Document::read(xml)).unwrap();
    assert_eq!(announce.file_name, "a&b.jpg");
    assert!(Document::read(xml).quirks().contains(Quirk::BareAmpersand));
    assert_eq!(announce.content, "Q&A: me & you & 3 < 4 &unknown; \u{e9}");
}

#[test]
fn answers_are_found_by_substring_as_the_firmware_does() {
    let answer = LoginAnswer { session_key: "ab".repeat(16), screen_name: "Me".into() };
    assert_eq!(LoginAnswer::scan(&answer.to_answer().body), Some(answer));
    let answer = AnnounceAnswer::new("k", "a.jpg");
    assert_eq!(answer.resource_id, "upload/k/a.jpg");
    assert_eq!(AnnounceAnswer::scan(&answer.to_answer().body), Some(answer));
}
