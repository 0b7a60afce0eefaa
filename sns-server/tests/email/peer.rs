//! A mail server: mailin speaks the protocol, this brings the bytes, and does to them what uplinks
//! and servers do.

use mail_parser::{Message, MessageParser};
use mailin::{Action, AuthMechanism, Handler, Session, SessionBuilder, response};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What is done when a line comes.
#[derive(Debug, Clone)]
pub(crate) enum Mischief {
    /// It is answered so, and never reaches the server.
    Say(&'static str),
    /// The connection ends.
    Cut,
    /// The server gets it, and the connection ends before its answer.
    LoseAnswer,
}

/// A mail that the server has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    pub(crate) fn parsed(&self) -> Message<'_> {
        MessageParser::default().parse(&self.bytes).unwrap()
    }

    pub(crate) fn id(&self) -> String {
        self.parsed().message_id().unwrap().to_owned()
    }
}

/// How the server is.
#[derive(Clone, Default)]
pub(crate) struct Nature {
    /// The longest mail it announces.
    pub(crate) size: Option<u64>,
    /// Whether it wants `me` and `opensesame`.
    pub(crate) login: bool,
    /// Its certificate, for STARTTLS, or from the first byte on.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) from_the_beginning: bool,
}

/// A running server; it ends with the test.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    nature: Arc<Mutex<Nature>>,
    rules: Arc<Mutex<Vec<(String, Mischief)>>>,
    mails: Arc<Mutex<Vec<Mail>>>,
    lines: Arc<Mutex<Vec<String>>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

enum End {
    Over,
    UpgradeTls,
}

impl Peer {
    pub(crate) fn new(nature: Nature) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = Peer {
            address: listener.local_addr().unwrap(),
            nature: Arc::new(Mutex::new(nature)),
            rules: Arc::default(),
            mails: Arc::default(),
            lines: Arc::default(),
            now: Arc::default(),
            most: Arc::default(),
        };
        let kept = peer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let peer = kept.clone();
                std::thread::spawn(move || peer.serve(stream));
            }
        });
        peer
    }

    /// The next line that begins so meets this. `.` is the end of a mail, `:` a line in its middle,
    /// and the empty beginning the connection itself.
    pub(crate) fn once(&self, line: &str, mischief: Mischief) {
        self.rules.lock().unwrap().push((line.to_owned(), mischief));
    }

    pub(crate) fn announce(&self, size: u64) {
        self.nature.lock().unwrap().size = Some(size);
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// The commands that came, and what came as plain text where nothing should.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// How many conversations there were at a time, at most.
    pub(crate) fn at_a_time(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    fn meets(&self, place: &str) -> Option<Mischief> {
        let mut rules = self.rules.lock().unwrap();
        let is_met = |beginning: &String| match beginning.as_str() {
            "" | "." | ":" => place == beginning,
            beginning => place.to_ascii_uppercase().starts_with(&beginning.to_ascii_uppercase()),
        };
        let at = rules.iter().position(|(beginning, _)| is_met(beginning))?;
        Some(rules.remove(at).1)
    }

    fn serve(&self, stream: TcpStream) {
        // What breaks off is what some tests want.
        let _ = self.converse(stream);
    }

    fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let nature = self.nature.lock().unwrap().clone();
        let mut session = SessionBuilder::new("peer.example");
        if nature.tls.is_some() && !nature.from_the_beginning {
            session.enable_start_tls();
        }
        if nature.login {
            session.enable_auth(AuthMechanism::Plain).enable_auth(AuthMechanism::Login);
            if nature.tls.is_none() || nature.from_the_beginning {
                session.insecure_enable_plaintext_auth();
            }
        }
        let peer: IpAddr = stream.peer_addr()?.ip();
        let mut session = session.build(peer, Desk { peer: self.clone(), mail: Mail::empty() });
        let encrypted = |stream, config: &Arc<ServerConfig>| {
            let connection = ServerConnection::new(Arc::clone(config)).unwrap();
            StreamOwned::new(connection, stream)
        };
        let first: Box<dyn Stream> = match &nature.tls {
            Some(config) if nature.from_the_beginning => {
                Box::new(encrypted(stream.try_clone()?, config))
            }
            _ => Box::new(stream.try_clone()?),
        };
        let mut first = BufReader::new(first);
        match self.meets("") {
            None => session.greeting().write_to(first.get_mut())?,
            Some(Mischief::Say(answer)) => write!(first.get_mut(), "{answer}\r\n")?,
            Some(_) => return Ok(()),
        }
        first.get_mut().flush()?;
        if let End::UpgradeTls = self.talk(&mut session, &mut first, &nature)? {
            session.tls_active();
            let config = nature.tls.as_ref().unwrap();
            let mut second = BufReader::new(encrypted(stream, config));
            self.talk(&mut session, &mut second, &nature)?;
        }
        Ok(())
    }

    fn talk<S: Read + Write>(
        &self,
        session: &mut Session<Desk>,
        stream: &mut BufReader<S>,
        nature: &Nature,
    ) -> std::io::Result<End> {
        let mut in_mail = false;
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let text = String::from_utf8_lossy(&line).into_owned();
            let place = match in_mail {
                true if text == ".\r\n" => ".",
                true => ":",
                false => {
                    self.lines.lock().unwrap().push(text.trim_end().to_owned());
                    text.trim_end()
                }
            };
            // A mail is under way until its end has come: before anybody hears of it.
            if place.starts_with("MAIL") {
                self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            } else if place == "." {
                self.now.fetch_sub(1, Ordering::SeqCst);
            }
            let met = self.meets(place);
            match met {
                Some(Mischief::Say(answer)) => {
                    write!(stream.get_mut(), "{answer}\r\n")?;
                    stream.get_mut().flush()?;
                    // A mail that was refused at its end begins anew.
                    if in_mail {
                        return Ok(End::Over);
                    }
                    continue;
                }
                Some(Mischief::Cut) => return Ok(End::Over),
                Some(Mischief::LoseAnswer) | None => {}
            }
            // mailin knows no SIZE.
            let understood = match text.to_ascii_uppercase().starts_with("MAIL ") {
                true => text.split(" SIZE=").next().unwrap().trim_end().to_owned() + "\r\n",
                false => text,
            };
            let line = if in_mail { line } else { understood.into_bytes() };
            let answer = session.process(&line);
            in_mail = (in_mail && answer.action == Action::NoReply) || answer.code == 354;
            let mut said = Vec::new();
            answer.write_to(&mut said)?;
            if let Some(size) = nature.size.filter(|_| line.starts_with(b"EHLO")) {
                let said_before = String::from_utf8(said).unwrap();
                let (first, rest) = said_before.split_once("\r\n").unwrap();
                said = format!("{}\r\n250-SIZE {size}\r\n{rest}", first.replacen(' ', "-", 1))
                    .into_bytes();
                assert!(!rest.is_empty(), "a server with only one line");
            }
            if matches!(met, Some(Mischief::LoseAnswer)) {
                return Ok(End::Over);
            }
            stream.get_mut().write_all(&said)?;
            stream.get_mut().flush()?;
            match answer.action {
                Action::Close => return Ok(End::Over),
                Action::UpgradeTls => return Ok(End::UpgradeTls),
                Action::Reply | Action::NoReply => {}
            }
        }
    }
}

impl Mail {
    fn empty() -> Mail {
        Mail { from: String::new(), to: Vec::new(), bytes: Vec::new() }
    }
}

/// Who takes mails in.
struct Desk {
    peer: Peer,
    mail: Mail,
}

impl Handler for Desk {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> response::Response {
        self.mail = Mail { from: from.to_owned(), ..Mail::empty() };
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> response::Response {
        self.mail.to.push(to.to_owned());
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.mail.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> response::Response {
        let mail = std::mem::replace(&mut self.mail, Mail::empty());
        self.peer.mails.lock().unwrap().push(mail);
        response::OK
    }

    fn auth_plain(&mut self, _: &str, name: &str, password: &str) -> response::Response {
        match (name, password) {
            ("me", "opensesame") => response::AUTH_OK,
            _ => response::INVALID_CREDENTIALS,
        }
    }
}
