//! A server in a test that answers as the core's gateway does, so that a test may spoil its answers.

use samsung_sns::admission::Admission;
use samsung_sns::endpoint::Endpoint;
use samsung_sns::gateway::{Call, Gateway, Plan};
use samsung_sns::time::UnixTime;
use samsung_sns::wire::request::{RequestHead, head_length};
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The date of every answer.
pub(crate) const DATE: &str = "Sat, 21 Nov 2026 23:00:00 GMT";

/// One request, as it arrived on a connection of its own.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn read(stream: &mut TcpStream) -> Received {
        let mut bytes = Vec::new();
        let mut piece = [0; 8192];
        loop {
            if let Some(length) = head_length(&bytes, 0) {
                let head = RequestHead::read(&bytes[..length]).unwrap();
                if bytes.len() as u64 == length as u64 + head.content_length.unwrap_or(0) {
                    let body = bytes[length..].to_vec();
                    return Received { bytes, body };
                }
            }
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "cut off: {}", bytes.escape_ascii());
            bytes.extend_from_slice(&piece[..count]);
        }
    }

    pub(crate) fn head(&self) -> RequestHead<'_> {
        RequestHead::read(&self.bytes).unwrap()
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        let head = self.head();
        Endpoint::of(&head.method, head.host().as_deref(), &head.target)
    }
}

/// Answers as the core's gateway does.
pub(crate) fn gateway(admission: Admission) -> impl FnMut(&Received) -> Vec<u8> {
    let mut gateway = Gateway::new(admission, 10, Duration::from_secs(100));
    move |request| {
        let endpoint = request.endpoint();
        let message = match &endpoint {
            Endpoint::Upload { .. } => &[][..],
            Endpoint::Email { .. } => {
                let start = request.body.windows(5).position(|w| w == b"<?xml").unwrap();
                let end = request.body.windows(8).position(|w| w == b"</email>").unwrap();
                &request.body[start..end + 8]
            }
            _ => &request.body,
        };
        let call = Call {
            endpoint: &endpoint,
            message,
            from: Ipv4Addr::LOCALHOST.into(),
            now: UnixTime::from_secs(1_795_302_000),
            random: [7; 16],
        };
        match gateway.handle(call).plan {
            Plan::Receive(ticket) => ticket.stored(),
            plan => plan.answer().unwrap(),
        }
        .to_bytes(DATE)
    }
}
