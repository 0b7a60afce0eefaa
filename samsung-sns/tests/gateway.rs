//! Both ends of the wire as a pair, on a clock of the test's own: what the camera writes is what
//! the gateway reads, and the reverse.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test helps itself, and reads files

use samsung_sns::admission::{Admission, User};
use samsung_sns::answer::{Answer, Refusal, Status};
use samsung_sns::camera;
use samsung_sns::crypto::CryptSessionKey;
use samsung_sns::endpoint::{BodyKind, Endpoint, Site};
use samsung_sns::gateway::{Call, Gateway, Plan, Purpose, Ticket};
use samsung_sns::message::auth::{Login, LoginAnswer, Logout};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};
use samsung_sns::session::SeriesId;
use samsung_sns::time::UnixTime;
use samsung_sns::wire::multipart::{Boundary, Event, Reader};
use samsung_sns::wire::request::{RequestHead, head_length};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

struct Pair {
    gateway: Gateway,
    now: UnixTime,
    from: IpAddr,
    logins: u8,
}

impl Pair {
    fn new(admission: Admission) -> Pair {
        let gateway = Gateway::new(admission, 10, Duration::from_secs(100));
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Pair { gateway, now: UnixTime::from_secs(1000), from, logins: 0 }
    }

    /// Sends a request as bytes; what follows the head is the message, or that of the e-mail.
    fn send(&mut self, request: &[u8]) -> Plan {
        let length = head_length(request, 0).unwrap();
        let head = RequestHead::read(&request[..length]).unwrap();
        let body = &request[length..];
        let endpoint = Endpoint::of(&head.method, head.host().as_deref(), &head.target);
        let message = match endpoint.body() {
            BodyKind::Message => body.to_vec(),
            BodyKind::Multipart => message_part(&head, body),
            BodyKind::None | BodyKind::File => Vec::new(),
        };
        self.logins += 1;
        let turn = self.gateway.handle(Call {
            endpoint: &endpoint,
            message: &message,
            from: self.from,
            now: self.now,
            random: [self.logins; 16],
        });
        turn.plan
    }

    fn answer(&mut self, request: &[u8]) -> Answer {
        self.send(request).answer().unwrap()
    }

    fn ticket(&mut self, request: &[u8]) -> Ticket {
        match self.send(request) {
            Plan::Receive(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    fn login(&mut self, user: &str) -> Option<String> {
        let answer = self.answer(&camera::login(&facebook(), &login(user)).unwrap());
        LoginAnswer::scan(&answer.body).map(|answer| answer.session_key)
    }

    fn announce(&mut self, session_key: &str, file_name: &str, content: &str) -> Option<String> {
        let answer = self.answer(&announce(session_key, file_name, content));
        AnnounceAnswer::scan(&answer.body).map(|answer| answer.resource_id)
    }

    /// What an announce promises.
    fn announced(&mut self, session_key: &str, file_name: &str, content: &str) -> Ticket {
        match self.send(&announce(session_key, file_name, content)) {
            Plan::Announced(ticket, _) => ticket,
            other => panic!("{other:?}"),
        }
    }
}

fn announce(session_key: &str, file_name: &str, content: &str) -> Vec<u8> {
    let announce = Announce {
        session_key: session_key.to_owned(),
        media: Media::Photo { album: Some("NX300".into()) },
        file_name: file_name.to_owned(),
        content: content.to_owned(),
    };
    camera::announce(&facebook(), &announce)
}

fn message_part(head: &RequestHead<'_>, body: &[u8]) -> Vec<u8> {
    let boundary = Boundary::from_content_type(&head.header("Content-Type").unwrap()).unwrap();
    let mut reader = Reader::new(&boundary);
    reader.feed(body);
    reader.finish();
    let mut message = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        match event {
            Event::Data(bytes) => message.extend_from_slice(&bytes),
            Event::PartEnd => break,
            _ => {}
        }
    }
    message
}

fn facebook() -> Site {
    Site::new("facebook")
}

fn login(user: &str) -> Login {
    Login {
        crypt_session_key: Some(CryptSessionKey::from_bytes([7; 32])),
        timeout: Some("3000".into()),
        ..Login::new(user, "secret")
    }
}

fn email(sender: &str) -> Vec<u8> {
    let email = Email {
        sender: sender.to_owned(),
        recipients: vec!["masto@example.com".into()],
        title: "Title".into(),
        body: "Text".into(),
    };
    let request = camera::email(&email, "123", &[]);
    [request.opening, request.closing].concat()
}

#[test]
fn a_photo_goes_the_whole_way() {
    let mut pair = Pair::new(Admission::Anyone);
    let key = pair.login("me@example.com").unwrap();
    assert_eq!(key.len(), 32);
    let resource = pair.announce(&key, "SAM 0001.JPG", "hello").unwrap();
    assert_eq!(resource, format!("upload/{key}/SAM_0001.JPG"));
    let ticket = pair.ticket(&camera::upload_head(&resource, "image/jpeg", 5));
    assert_eq!(ticket.user, "me@example.com");
    assert_eq!(
        ticket.purpose,
        Purpose::Upload {
            series: SeriesId(1),
            site: facebook(),
            file_name: "SAM 0001.JPG".into(),
            text: "hello".into(),
            media: Some(Media::Photo { album: Some("NX300".into()) }),
        }
    );
    assert!(camera::has_succeeded(&ticket.clone().stored().to_bytes("")));
    assert!(!camera::has_succeeded(&ticket.failed(&Refusal::NoSpace).to_bytes("")));
}

#[test]
fn an_announce_says_what_is_coming_so_that_it_can_be_refused() {
    let mut pair = Pair::new(Admission::Anyone);
    let key = pair.login("me").unwrap();
    let first = pair.announce(&key, "a.jpg", "hello").unwrap();
    let promised = pair.announced(&key, "b.jpg", "hello");
    let coming = pair.ticket(&camera::upload_head(&first, "image/jpeg", 5));
    let series = |ticket: &Ticket| match &ticket.purpose {
        Purpose::Upload { series, text, .. } => (*series, text.clone()),
        purpose => panic!("{purpose:?}"),
    };
    assert_eq!(series(&promised), (SeriesId(1), "hello".into()));
    assert_eq!(series(&coming), series(&promised));
    assert_eq!(series(&pair.announced(&key, "c.jpg", "bye")).0, SeriesId(2));
    let refused = promised.failed(&Refusal::AltTextsMissing);
    assert_eq!(refused.status.code(), 400);
}

#[test]
fn a_file_that_was_not_announced_is_taken_on_a_live_session_only() {
    let mut pair = Pair::new(Admission::Anyone);
    let key = pair.login("me").unwrap();
    let head = camera::upload_head(&format!("upload/{key}/x.jpg"), "image/jpeg", 5);
    let _ = pair.ticket(&head);
    let _ = pair.ticket(&head);
    let stranger =
        camera::upload_head(&format!("upload/{}/x.jpg", "0".repeat(32)), "image/jpeg", 5);
    assert_eq!(pair.send(&stranger), Plan::Refuse(Refusal::NoSession));
}

#[test]
fn a_session_ends_by_logout_and_by_time() {
    let mut pair = Pair::new(Admission::Anyone);
    let [first, second, third] = [(); 3].map(|()| pair.login("me").unwrap());
    let logout = Logout { session_key: Some(first.clone()), user: None };
    assert_eq!(pair.answer(&camera::logout(&facebook(), &logout)).status, Status::Ok);
    assert_eq!(pair.announce(&first, "a.jpg", ""), None);
    assert!(pair.announce(&second, "a.jpg", "").is_some());
    pair.now = UnixTime::from_secs(1099);
    assert!(pair.announce(&second, "a.jpg", "").is_some());
    pair.now = UnixTime::from_secs(1101);
    assert_eq!(pair.announce(&third, "a.jpg", ""), None, "its last use was its login");
    assert!(pair.announce(&second, "a.jpg", "").is_some());
    // A logout that names nothing ends what came from there.
    assert_eq!(pair.answer(&camera::logout(&facebook(), &Logout::default())).status, Status::Ok);
    assert_eq!(pair.announce(&second, "a.jpg", ""), None);
}

#[test]
fn only_users_are_admitted_in_any_case_and_with_any_display_name() {
    let users = ["Me@Example.com".to_owned(), "f".to_owned()];
    let mut pair = Pair::new(Admission::users(users));
    assert!(pair.login("F").is_some());
    assert!(pair.login("stranger").is_none());
    assert_eq!(pair.ticket(&email("Somebody <me@example.COM>")).user, "Me@Example.com");
    assert_eq!(pair.send(&email("stranger@example.com")), Plan::Refuse(Refusal::NotAdmitted));
}

#[test]
fn a_user_may_be_bound_to_networks() {
    let networks = vec!["10.42.0.0/24".parse().unwrap()];
    let user = User { networks, ..User::from("me@example.com".to_owned()) };
    let mut pair = Pair::new(Admission::users([user]));
    assert!(pair.login("me@example.com").is_none());
    assert_eq!(pair.send(&email("me@example.com")), Plan::Refuse(Refusal::NotAdmitted));
    pair.from = [10, 42, 0, 17].into();
    assert!(pair.login("me@example.com").is_some());
    assert_eq!(pair.ticket(&email("me@example.com")).user, "me@example.com");
}

#[test]
fn a_password_is_checked_before_there_is_a_session() {
    let user = User { has_password: true, ..User::from("me".to_owned()) };
    let mut pair = Pair::new(Admission::users([user]));
    let request = camera::login(&facebook(), &login("ME")).unwrap();
    let Plan::CheckPassword(pending) = pair.send(&request) else { panic!("no check") };
    assert_eq!((pending.user.as_str(), pending.password.as_str()), ("me", "secret"));
    assert!(!format!("{pending:?}").contains("secret"));
    let mut finish = |right| pair.gateway.finish_login(pending.clone(), right, pair.now, [9; 16]);
    assert_eq!(finish(false).plan, Plan::Refuse(Refusal::WrongPassword));
    let turn = finish(true);
    assert_eq!(turn.changes.sessions.len(), 1);
    assert!(LoginAnswer::scan(&turn.plan.answer().unwrap().body).is_some());
    // An e-mail carries no password, so none is asked for.
    assert_eq!(pair.ticket(&email("me")).user, "me");
}

#[test]
fn what_a_camera_cannot_mean_is_refused_and_nothing_else_is() {
    let mut pair = Pair::new(Admission::Anyone);
    let mut refusal = |request: &str| match pair.send(request.as_bytes()) {
        Plan::Refuse(refusal) => refusal.status().code(),
        Plan::Answer(answer) | Plan::Announced(_, answer) => answer.status.code(),
        Plan::Receive(_) | Plan::CheckPassword(_) => 0,
    };
    let oauth = "<Request Method=\"login\"><OAuth Version=\"1.0\"/></Request>";
    assert_eq!(refusal(&format!("POST /flickr/auth HTTP/1.1\r\n\r\n{oauth}")), 401);
    assert_eq!(refusal("POST /facebook/auth HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(refusal("POST /facebook/photo HTTP/1.1\r\n\r\n<Request/>"), 400);
    assert_eq!(refusal("GET /facebook HTTP/1.1\r\n\r\n"), 404);
    assert_eq!(refusal("GET /social/columbus/email HTTP/1.1\r\n\r\n"), 302);
    assert_eq!(refusal("GET /social/columbus/serviceproviders/list?DUID=1 HTTP/1.1\r\n\r\n"), 200);
}
