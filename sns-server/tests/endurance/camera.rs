//! A camera's side of a socket.
//!
//! Law: an answer counts when it is whole, however the connection ends after it; whether a request
//! was sent to its last byte is told apart from whether it was answered.

use crate::photo::Photo;
use samsung_sns::camera::{self, Attachment};
use samsung_sns::endpoint::Site;
use samsung_sns::message::auth::{Login, LoginAnswer, Logout};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};
use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const PIECE: usize = 64 * 1024;

/// A camera at its own address of the loopback network.
#[derive(Debug, Clone)]
pub(crate) struct Camera {
    server: SocketAddr,
    from: Ipv4Addr,
    sent: Arc<AtomicU64>,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A whole answer.
    Answered(Vec<u8>),
    /// No whole answer.
    Broken {
        /// Whether all bytes of the request left.
        sent_whole: bool,
        why: String,
    },
}

impl Outcome {
    /// The answer if it is `succ`; otherwise what came instead.
    pub(crate) fn succeeded(self) -> Result<(), String> {
        match self {
            Outcome::Answered(answer) if camera::has_succeeded(&answer) => Ok(()),
            other => Err(other.describe()),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Outcome::Answered(answer) => {
                format!("answered {:?}", String::from_utf8_lossy(answer).trim_end())
            }
            Outcome::Broken { sent_whole, why } => {
                format!("no answer (request sent whole: {sent_whole}): {why}")
            }
        }
    }
}

/// A file of an e-mail: its name and what is in it.
pub(crate) type Named = (String, Photo);

/// Where bytes of a request go, with the step at which others are waited for.
pub(crate) type Sending<'a> = &'a mut dyn FnMut(&mut TcpStream) -> io::Result<()>;

impl Camera {
    pub(crate) fn new(server: SocketAddr, last_byte: u8) -> Camera {
        Camera { server, from: Ipv4Addr::new(127, 0, 0, last_byte), sent: Arc::default() }
    }

    /// Counts the requests that were sent whole in `sent`.
    pub(crate) fn counting(self, sent: &Arc<AtomicU64>) -> Camera {
        Camera { sent: Arc::clone(sent), ..self }
    }

    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(IpAddr::V4(self.from), 0).into())?;
        socket.connect_timeout(&self.server.into(), Duration::from_secs(20))?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(60)))?;
        Ok(stream)
    }

    /// Sends by `send`, then reads one answer.
    pub(crate) fn exchange(&self, send: Sending<'_>) -> Outcome {
        let broken =
            |sent_whole, why: io::Error| Outcome::Broken { sent_whole, why: why.to_string() };
        let mut stream = match self.connect() {
            Ok(stream) => stream,
            Err(error) => return broken(false, error),
        };
        if let Err(error) = send(&mut stream) {
            return broken(false, error);
        }
        self.sent.fetch_add(1, Ordering::SeqCst);
        let mut answer = Vec::new();
        let mut piece = [0; 2048];
        while whole_length(&answer).is_none_or(|length| answer.len() < length) {
            match stream.read(&mut piece) {
                Ok(0) => return broken(true, io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => answer.extend_from_slice(&piece[..n]),
                Err(error) => return broken(true, error),
            }
        }
        Outcome::Answered(answer)
    }

    /// A session key.
    pub(crate) fn login(&self, user: &str) -> Result<String, Outcome> {
        let request = camera::login(&site(), &Login::new(user, "secret")).unwrap();
        let outcome = self.exchange(&mut |stream| stream.write_all(&request));
        let Outcome::Answered(answer) = &outcome else { return Err(outcome) };
        match LoginAnswer::scan(&camera::body(answer)) {
            Some(answer) => Ok(answer.session_key),
            None => Err(outcome),
        }
    }

    pub(crate) fn logout(&self, session: &str) -> Outcome {
        let logout = Logout { session_key: Some(session.to_owned()), user: None };
        let request = camera::logout(&site(), &logout);
        self.exchange(&mut |stream| stream.write_all(&request))
    }

    /// The resource to put the file to.
    pub(crate) fn announce(
        &self,
        session: &str,
        name: &str,
        text: &str,
    ) -> Result<String, Outcome> {
        let announce = Announce {
            session_key: session.to_owned(),
            media: Media::Photo { album: None },
            file_name: name.to_owned(),
            content: text.to_owned(),
        };
        let request = camera::announce(&site(), &announce);
        let outcome = self.exchange(&mut |stream| stream.write_all(&request));
        let Outcome::Answered(answer) = &outcome else { return Err(outcome) };
        match AnnounceAnswer::scan(&camera::body(answer)) {
            Some(answer) => Ok(answer.resource_id),
            None => Err(outcome),
        }
    }

    pub(crate) fn put(&self, resource: &str, photo: Photo) -> Outcome {
        self.exchange(&mut |stream| {
            stream.write_all(&camera::upload_head(resource, "image/jpeg", photo.length))?;
            send_photo(stream, photo, 0..photo.length)
        })
    }

    /// Sends the beginning of a file, and closes.
    pub(crate) fn put_and_break_off(
        &self,
        resource: &str,
        photo: Photo,
        sent: u64,
    ) -> io::Result<()> {
        let mut stream = self.connect()?;
        stream.write_all(&camera::upload_head(resource, "image/jpeg", photo.length))?;
        send_photo(&mut stream, photo, 0..sent)
    }

    pub(crate) fn email(&self, sender: &str, text: &str, files: &[Named]) -> Outcome {
        let email = Email {
            sender: sender.to_owned(),
            recipients: vec!["family@example.com".to_owned()],
            title: "Photos".to_owned(),
            body: text.to_owned(),
        };
        let attachments: Vec<_> = files
            .iter()
            .map(|(name, photo)| Attachment {
                file_name: name.clone(),
                media_type: "image/jpeg".to_owned(),
                length: photo.length,
            })
            .collect();
        let request = camera::email(&email, "123", &attachments);
        self.exchange(&mut |stream| {
            stream.write_all(&request.opening)?;
            for (head, (_, photo)) in request.part_heads.iter().zip(files) {
                stream.write_all(head)?;
                send_photo(stream, *photo, 0..photo.length)?;
            }
            stream.write_all(&request.closing)
        })
    }
}

fn site() -> Site {
    Site::new("facebook")
}

/// The bytes of a photo within this range.
pub(crate) fn send_photo(
    stream: &mut TcpStream,
    photo: Photo,
    range: Range<u64>,
) -> io::Result<()> {
    let mut reader = photo.open();
    io::copy(&mut reader.by_ref().take(range.start), &mut io::sink())?;
    let mut reader = reader.take(range.end - range.start);
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        if reader.by_ref().take(PIECE as u64).read_to_end(&mut piece)? == 0 {
            return Ok(());
        }
        stream.write_all(&piece)?;
    }
}

/// How long an answer is by its own head, once that is there.
pub(crate) fn whole_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: "))?;
    Some(head + length.parse::<usize>().ok()?)
}
