//! What one end writes the other end reads, for every message and any text a person can type.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use proptest::option;
use proptest::prelude::*;
use samsung_sns::camera::{self, Attachment};
use samsung_sns::crypto::{CryptSessionKey, Zeroizing};
use samsung_sns::endpoint::{Endpoint, Site};
use samsung_sns::message::auth::{AuthRequest, Login, LoginAnswer, Logout};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};
use samsung_sns::message::sso::{AllShareLogin, scan_time, time_answer};
use samsung_sns::quirk::Quirks;
use samsung_sns::time::UnixTime;
use samsung_sns::wire::multipart::{Boundary, Event, Reader};
use samsung_sns::wire::request::{RequestHead, head_length};
use samsung_sns::wire::xml::{Document, decode};

/// What a person can type: any character but control characters.
fn text() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{0,30}"
}

fn some_text() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{0,20}[a-z][^\\p{Cc}]{0,10}"
}

/// What stands in an element is read without the white space around it.
fn trimmed() -> impl Strategy<Value = String> {
    some_text().prop_map(|text| text.trim().to_owned())
}

fn key() -> impl Strategy<Value = Option<CryptSessionKey>> {
    option::of(any::<[u8; 32]>().prop_map(CryptSessionKey::from_bytes))
}

/// Head and body of a request, read as a server reads it.
fn received(request: &[u8]) -> (RequestHead<'_>, Endpoint, String) {
    let length = head_length(request, 0).unwrap();
    let head = RequestHead::read(&request[..length]).unwrap();
    assert_eq!(head.content_length, Some((request.len() - length) as u64));
    let endpoint = Endpoint::of(&head.method, head.host().as_deref(), &head.target);
    let body = decode(&request[length..], &mut Quirks::default()).into_owned();
    (head, endpoint, body)
}

fn auth(body: &str) -> AuthRequest {
    AuthRequest::read(&Document::read(body), &mut Quirks::default()).unwrap()
}

proptest! {
    #[test]
    fn login(
        user in some_text(), password in text(), key in key(), camera_crypt_key in option::of("[0-9a-f]{256}"),
        timeout in option::of(text()), persist_key in option::of(text()),
        session_key_type in option::of(text()), application_key in option::of(text()),
    ) {
        let password = Zeroizing::new(password);
        let login = Login {
            crypt_session_key: key, camera_crypt_key, timeout, persist_key, session_key_type,
            application_key, ..Login::new(user, password.as_str())
        };
        let request = camera::login(&Site::new("facebook"), &login).unwrap();
        let (_, endpoint, body) = received(&request);
        prop_assert_eq!(endpoint, Endpoint::Auth(Site::new("facebook")));
        prop_assert_eq!(auth(&body), AuthRequest::Login(login));
    }

    #[test]
    fn logout(session_key in option::of(some_text())) {
        let logout = Logout { session_key, user: None };
        let request = camera::logout(&Site::new("picasa"), &logout);
        prop_assert_eq!(auth(&received(&request).2), AuthRequest::Logout(logout));
    }

    #[test]
    fn announce(
        session_key in some_text(), file_name in text(), content in text(),
        photo in any::<bool>(), group in option::of(text()), owner_id in option::of(text()),
    ) {
        let media = if photo {
            Media::Photo { album: group }
        } else {
            Media::Video { category: group, owner_id }
        };
        let announce = Announce { session_key, media, file_name, content };
        let request = camera::announce(&Site::new("youtube"), &announce);
        let (_, endpoint, body) = received(&request);
        let document = Document::read(&body);
        let read = match endpoint {
            Endpoint::Photo(_) => Announce::read_photo(&document),
            Endpoint::Video(_) => Announce::read_video(&document),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(read.unwrap(), announce);
    }

    #[test]
    fn email(
        sender in trimmed(), recipients in proptest::collection::vec(trimmed(), 0..4),
        title in trimmed(), body in text(),
        photos in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..4),
    ) {
        // A sender of nothing but an empty address is none.
        prop_assume!(!sender.contains(['<', '>']));
        let email = Email { sender, recipients, title, body };
        let attachments: Vec<Attachment> = photos.iter().map(|photo| Attachment {
            file_name: "SAM_0001.JPG".into(),
            media_type: "image/jpeg".into(),
            length: photo.len() as u64,
        }).collect();
        let parts = camera::email(&email, "123", &attachments);
        let mut request = parts.opening;
        for (head, photo) in parts.part_heads.iter().zip(&photos) {
            request.extend_from_slice(head);
            request.extend_from_slice(photo);
        }
        request.extend_from_slice(&parts.closing);

        let length = head_length(&request, 0).unwrap();
        let (head, endpoint, _) = received(&request);
        prop_assert_eq!(endpoint, Endpoint::Email { duid: Some("123".into()) });
        let boundary = Boundary::from_content_type(&head.header("Content-Type").unwrap()).unwrap();
        let mut reader = Reader::new(&boundary);
        reader.feed(&request[length..]);
        reader.finish();
        let mut found: Vec<Vec<u8>> = Vec::new();
        while let Some(event) = reader.next_event().unwrap() {
            match event {
                Event::Part(_) => found.push(Vec::new()),
                Event::Data(bytes) => found.last_mut().unwrap().extend_from_slice(&bytes),
                Event::PartEnd | Event::End => {}
            }
        }
        let message = String::from_utf8(found.remove(0)).unwrap();
        prop_assert_eq!(found, photos);
        let read = Email::read(&Document::read(&message), &mut Quirks::default()).unwrap();
        // Trailing line ends belong to the marker; any other text is kept as typed.
        prop_assert_eq!(read, email);
    }

    #[test]
    fn allshare(login_id in some_text(), password in text()) {
        let login = AllShareLogin { login_id, password: Zeroizing::new(password) };
        let (_, endpoint, body) = received(&camera::allshare(&login));
        prop_assert_eq!(endpoint, Endpoint::AllShare);
        prop_assert_eq!(AllShareLogin::read(&Document::read(&body)).unwrap(), login);
    }

    #[test]
    fn time(millis in any::<u64>()) {
        let request = camera::time();
        let head = RequestHead::read(&request).unwrap();
        prop_assert_eq!(Endpoint::of(&head.method, None, &head.target), Endpoint::Time);
        let now = UnixTime::from_millis(millis);
        prop_assert_eq!(scan_time(&time_answer(now).body), Some(now));
    }

    #[test]
    fn service_providers(duid in "[0-9]{1,12}") {
        let request = camera::service_providers(&duid);
        let head = RequestHead::read(&request).unwrap();
        prop_assert_eq!(Endpoint::of(&head.method, None, &head.target), Endpoint::ServiceProviders);
    }

    #[test]
    fn answers(session_key in "[0-9a-f]{32}", screen_name in "[A-Za-z ]{0,16}", name in "[A-Za-z0-9._-]{1,64}") {
        let answer = LoginAnswer { session_key: session_key.clone(), screen_name };
        prop_assert_eq!(LoginAnswer::scan(&answer.to_answer().body), Some(answer));
        let answer = AnnounceAnswer::new(&session_key, &name);
        prop_assert_eq!(AnnounceAnswer::scan(&answer.to_answer().body), Some(answer));
    }
}
