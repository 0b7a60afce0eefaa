//! What must hold for any bytes at all. `fuzz/` and `cargo test` share these: a fuzz target is one
//! of these functions, a test runs it over `testdata/` and over random bytes.

use samsung_sns::admission::Admission;
use samsung_sns::camera::is_online;
use samsung_sns::crypto::{CryptSessionKey, credential};
use samsung_sns::endpoint::{Endpoint, HotspotCheck, Site};
use samsung_sns::gateway::{Call, Gateway, Plan, Purpose, Turn};
use samsung_sns::hotspot::HotspotMemory;
use samsung_sns::message::auth::{AuthRequest, LoginAnswer};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, resource_name};
use samsung_sns::message::sso::AllShareLogin;
use samsung_sns::quirk::{Quirk, Quirks};
use samsung_sns::time::UnixTime;
use samsung_sns::wire::multipart::{Boundary, Event, MultipartError, PartHead, Reader};
use samsung_sns::wire::request::{RequestHead, head_length};
use samsung_sns::wire::response::ResponseHead;
use samsung_sns::wire::xml::{Document, decode};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// A head is found at the same place however it arrives; one that was read is written as a plain
/// head, which reads the same and is no longer odd. The short ways lead where the long ones do.
pub(crate) fn request_head(bytes: &[u8]) {
    let whole = head_length(bytes, 0);
    let dripped =
        (0..=bytes.len()).find_map(|end| head_length(&bytes[..end], end.saturating_sub(1)));
    assert_eq!(whole, dripped);
    if let Some(length) = whole {
        // A control character anywhere has all values looked at byte by byte; this one is no part of
        // the head.
        let looked_at = [&bytes[..length], b"\x01"].concat();
        assert_eq!(RequestHead::read(&looked_at), RequestHead::read(&bytes[..length]));
    }
    let Ok(head) = RequestHead::read(bytes) else { return };
    let names: BTreeSet<_> =
        head.headers.iter().map(|header| header.name().to_ascii_lowercase()).collect();
    let repeated = names.len() < head.headers.len();
    assert_eq!(head.quirks.contains(Quirk::RepeatedHeader), repeated);
    let plain = head.to_http11();
    let again = RequestHead::read(&plain).expect("a plain head is a head");
    assert_eq!((&again.method, &again.target), (&head.method, &head.target));
    assert_eq!(again.host(), head.host());
    assert_eq!(again.is_chunked(), head.is_chunked());
    if !head.is_chunked() {
        assert_eq!(again.content_length, head.content_length);
    }
    assert_eq!(again.to_http11(), plain);
    assert_eq!(head_length(&plain, 0), Some(plain.len()));
    let _ = Endpoint::of(&head.method, head.host().as_deref(), &head.target);
}

/// A response head never ends behind the bytes.
pub(crate) fn response_head(bytes: &[u8]) {
    if let Some((head, length)) = ResponseHead::read(bytes) {
        assert!(length <= bytes.len());
        let _ = head.header("Content-Length");
    }
}

/// No message reader panics; what was read can be written and reads the same.
pub(crate) fn messages(bytes: &[u8]) {
    let mut quirks = Quirks::default();
    let text = decode(bytes, &mut quirks);
    let document = Document::read(&text);
    if let Ok(AuthRequest::Login(login)) = AuthRequest::read(&document, &mut quirks) {
        // What holds NULs or control characters cannot be written for a camera.
        if let Ok(xml) = login.to_xml() {
            if let Ok(AuthRequest::Login(again)) =
                AuthRequest::read(&Document::read(&xml), &mut quirks)
            {
                assert_eq!((&again.user, &again.password), (&login.user, &login.password));
                assert_eq!(again.crypt_session_key, login.crypt_session_key);
            } else {
                panic!("a login that was written is not read: {xml:?}");
            }
        }
    }
    for announce in [Announce::read_photo(&document), Announce::read_video(&document)] {
        let Ok(announce) = announce else { continue };
        let name = resource_name(&announce.file_name);
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
        assert!((1..=64).contains(&name.len()) && !name.starts_with('.'), "{name:?}");
    }
    if let Ok(email) = Email::read(&document, &mut quirks) {
        assert!(!email.sender_address().is_empty());
    }
    let _ = AllShareLogin::read(&document);
    let _ = LoginAnswer::scan(&text);
}

type Parts = Vec<(PartHead, Vec<u8>)>;

fn parts(body: &[u8], piece: usize) -> Result<(Parts, Quirks), MultipartError> {
    let boundary = Boundary::new(b"B").expect("a boundary");
    let mut reader = Reader::new(&boundary);
    let mut parts: Parts = Vec::new();
    let mut pieces = body.chunks(piece);
    loop {
        while let Some(event) = reader.next_event()? {
            match event {
                Event::Part(head) => parts.push((head, Vec::new())),
                Event::Data(bytes) => parts.last_mut().expect("a part").1.extend_from_slice(&bytes),
                Event::PartEnd => {}
                Event::End => return Ok((parts, reader.quirks().clone())),
            }
        }
        match pieces.next() {
            Some(piece) => reader.feed(piece),
            None => reader.finish(),
        }
    }
}

/// A body of boundary `B` gives the same parts however it is cut, ends once all of it was fed, and
/// never gives more bytes than it has. The first byte says how it is cut.
pub(crate) fn multipart(bytes: &[u8]) {
    let Some((&piece, body)) = bytes.split_first() else { return };
    let whole = parts(body, usize::MAX);
    assert_eq!(whole, parts(body, usize::from(piece).max(1)));
    if let Ok((parts, _)) = whole {
        assert!(parts.iter().map(|(_, data)| data.len()).sum::<usize>() <= body.len());
        parts.iter().for_each(|(head, _)| drop((head.name(), head.file_name(), head.media_type())));
    }
}

/// A boundary is found in any header value or refused.
pub(crate) fn boundary(bytes: &[u8]) {
    if let Ok(boundary) = Boundary::from_content_type(&String::from_utf8_lossy(bytes)) {
        assert!((1..=200).contains(&boundary.as_bytes().len()));
    }
}

/// A credential opens or is refused; what opens can be sealed and opens the same.
pub(crate) fn credentials(bytes: &[u8]) {
    let (key, value) = bytes.split_at(bytes.len().min(32));
    let mut raw = [0; 32];
    raw[..key.len()].copy_from_slice(key);
    let key = CryptSessionKey::from_bytes(raw);
    let value = String::from_utf8_lossy(value);
    if let Ok(text) = credential::open(&key, &value)
        && let Ok(sealed) = credential::seal(&key, &text)
    {
        assert_eq!(credential::open(&key, &sealed).as_ref(), Ok(&text));
    }
    if let Ok(sealed) = credential::seal(&key, &value) {
        assert_eq!(credential::open(&key, &sealed).map(|t| t.to_string()), Ok(value.to_string()));
    }
    let _ = credential::open_plain(&value);
    let _ = CryptSessionKey::from_base64(&value);
}

/// Whatever clients ask in whatever order: each gets what its own firmware takes for "online", Yahoo's
/// two answers in turn, and MSN's cookie always. The first byte says how many clients there are.
pub(crate) fn hotspot(bytes: &[u8]) {
    let Some((&clients, steps)) = bytes.split_first() else { return };
    let mut memory = HotspotMemory::default();
    let mut turns = [0_u32; 256];
    for (at, &step) in steps.iter().enumerate() {
        let client = step % clients.max(1);
        let check = [HotspotCheck::Gld, HotspotCheck::Yahoo, HotspotCheck::Msn][at % 3];
        let from = IpAddr::V4(Ipv4Addr::new(10, 0, 0, client));
        let answer = memory.answer(check, from, UnixTime::from_secs(step.into()));
        assert!(is_online(check, &answer.to_bytes("now")), "{check:?}: {answer:?}");
        if check == HotspotCheck::Yahoo {
            let expected = if turns[usize::from(client)].is_multiple_of(2) { 200 } else { 302 };
            assert_eq!(answer.status.code(), expected);
            turns[usize::from(client)] += 1;
        } else {
            assert_eq!(answer.status.code(), 200);
        }
    }
}

/// A conversation made of bytes: nothing is received without a live session, sessions stay within
/// their bound, a series ends once, and the same conversation goes the same way twice, also when the
/// server is restarted between any two calls.
pub(crate) fn conversation(bytes: &[u8]) {
    assert_eq!(converse(bytes, false), converse(bytes, true));
}

fn converse(bytes: &[u8], restarts: bool) -> Vec<Turn> {
    const MOST: usize = 3;
    let lifetime = Duration::from_secs(50);
    let mut gateway = Gateway::new(Admission::Anyone, MOST, lifetime);
    let mut live: BTreeSet<String> = BTreeSet::new();
    let mut turns = Vec::new();
    let mut ended = BTreeSet::new();
    let mut now = UnixTime::from_secs(1000);
    let key = |n: u8| format!("{:02x}", n % 5).repeat(16);
    for step in bytes.chunks_exact(2).take(200) {
        let (action, n) = (step[0] % 6, step[1]);
        let site = Site::new("facebook");
        let named = format!("<Request Method=\"logout\" SessionKey=\"{}\"/>", key(n));
        let (endpoint, message) = match action {
            0 => (Endpoint::Auth(site), login_in_clear(n)),
            1 => (Endpoint::Auth(site), named),
            2 => {
                let file =
                    format!("<Request SessionKey=\"{}\"><File Name=\"{n}\"/></Request>", key(n));
                (Endpoint::Photo(site), file)
            }
            3 => {
                let upload = Endpoint::Upload { session: key(n), file_name: vec![b'a', n] };
                (upload, String::new())
            }
            4 => (Endpoint::Auth(site), "<Request Method=\"logout\"/>".to_owned()),
            _ => {
                now = UnixTime::from_millis(now.as_millis() + u64::from(n) * 1000);
                continue;
            }
        };
        if restarts {
            gateway = Gateway::restore(Admission::Anyone, MOST, lifetime, gateway.snapshot());
        }
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let message = message.as_bytes();
        let turn =
            gateway.handle(Call { endpoint: &endpoint, message, from, now, random: [n % 5; 16] });
        match (action, &turn.plan) {
            (0, Plan::Answer(_)) => drop(live.insert(key(n))),
            (1, _) => drop(live.remove(&key(n))),
            (3, Plan::Receive(ticket)) => {
                assert!(live.contains(&key(n)), "received without a session");
                assert!(matches!(ticket.purpose, Purpose::Upload { .. }));
            }
            (4, _) => live.clear(),
            _ => {}
        }
        assert!(gateway.live_sessions() <= MOST);
        for series in &turn.changes.ended {
            assert!(ended.insert(*series), "{series:?} ended twice");
        }
        turns.push(turn);
    }
    turns
}

fn login_in_clear(n: u8) -> String {
    let user = n % 5;
    format!(
        "<Request Method=\"login\"><UserName Value=\"u{user}\"/><Password Value=\"p\"/></Request>"
    )
}
