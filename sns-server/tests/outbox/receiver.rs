//! A receiver of webhooks over real sockets: takes posts, or does what goes wrong with peers.

use crate::harness::wait_until;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What the receiver does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Takes it.
    Take,
    /// Answers this status, with these header lines.
    Refuse(u16, &'static str),
    /// Hangs up in the middle of the body.
    CutBody,
    /// Takes it, and hangs up before the answer.
    TakeAndCut,
}

/// A post that was taken, as its JSON.
pub(crate) type Taken = serde_json::Value;

type Judge = dyn FnMut(&Taken) -> Deed + Send;

/// A running receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    taken: Arc<Mutex<Vec<Taken>>>,
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Receiver {
    /// Takes everything.
    pub(crate) fn willing() -> Receiver {
        Receiver::judging(|_| Deed::Take)
    }

    /// Does these with the first requests, and takes what comes after them.
    pub(crate) fn at_first<const N: usize>(deeds: [Deed; N]) -> Receiver {
        let mut deeds = deeds.into_iter();
        Receiver::judging(move |_| deeds.next().unwrap_or(Deed::Take))
    }

    pub(crate) fn judging(judge: impl FnMut(&Taken) -> Deed + Send + 'static) -> Receiver {
        Receiver::on(TcpListener::bind("127.0.0.1:0").unwrap(), judge)
    }

    pub(crate) fn on(
        listener: TcpListener,
        judge: impl FnMut(&Taken) -> Deed + Send + 'static,
    ) -> Receiver {
        let address = listener.local_addr().unwrap();
        let (taken, asked) = <(Arc<Mutex<Vec<Taken>>>, Arc<Mutex<Vec<String>>>)>::default();
        let over = Arc::new(AtomicBool::new(false));
        let receiver = Receiver { address, taken, asked, over };
        let (taken, asked, over) =
            (Arc::clone(&receiver.taken), Arc::clone(&receiver.asked), Arc::clone(&receiver.over));
        let judge: Arc<Mutex<Box<Judge>>> = Arc::new(Mutex::new(Box::new(judge)));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (taken, asked, judge) =
                    (Arc::clone(&taken), Arc::clone(&asked), Arc::clone(&judge));
                std::thread::spawn(move || serve(stream, &taken, &asked, &judge));
            }
        });
        receiver
    }

    /// Everything that was taken, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// Everything that was taken, once there is so much of it.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Taken> {
        wait_until(&format!("{count} posts were taken"), || self.taken().len() >= count);
        self.taken()
    }

    /// The ids of all requests, taken or not, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    mut stream: TcpStream,
    taken: &Mutex<Vec<Taken>>,
    asked: &Mutex<Vec<String>>,
    judge: &Mutex<Box<Judge>>,
) {
    let mut bytes = Vec::new();
    let mut read = |bytes: &mut Vec<u8>| {
        let mut piece = [0; 65536];
        let length = stream.read(&mut piece).unwrap_or(0);
        bytes.extend_from_slice(&piece[..length]);
        length > 0
    };
    let head = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at + 4;
        }
        if !read(&mut bytes) {
            return;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap().to_ascii_lowercase();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.trim().to_owned())
    };
    let length: usize = field("content-length").expect("a body of known length").parse().unwrap();
    // The JSON is the first part, and by it the deed is chosen.
    let json = loop {
        if let Some(post) = json_of(&bytes[head..]) {
            break post;
        }
        if !read(&mut bytes) {
            return;
        }
    };
    asked.lock().unwrap().push(field("webhook-id").expect("webhook-id"));
    assert_eq!(field("webhook-id").as_deref(), json["data"]["id"].as_str());
    let deed = (judge.lock().unwrap())(&json);
    if deed == Deed::CutBody {
        return;
    }
    while bytes.len() < head + length {
        if !read(&mut bytes) {
            return;
        }
    }
    let answer = match deed {
        Deed::Take => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned(),
        Deed::Refuse(status, headers) => format!(
            "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n"
        ),
        Deed::TakeAndCut | Deed::CutBody => String::new(),
    };
    if matches!(deed, Deed::Take | Deed::TakeAndCut) {
        taken.lock().unwrap().push(json);
    }
    let _ = stream.write_all(answer.as_bytes());
}

fn json_of(body: &[u8]) -> Option<Taken> {
    let start = find(body, b"\r\n\r\n")? + 4;
    let length = find(&body[start..], b"\r\n--")?;
    serde_json::from_slice(&body[start..start + length]).ok()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
