//! The real server in a process of its own, and a camera's side of a socket.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running server, killed when it is dropped.
pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) first_line: String,
    pub(crate) child: Child,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Without a configuration: the trial mode.
    pub(crate) fn trial() -> Server {
        Server::start(None)
    }

    /// With a configuration file of this text; address and folder are the harness's.
    pub(crate) fn start(config: Option<&str>) -> Server {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = config {
            std::fs::write(folder.path().join("config.toml"), text).unwrap();
        }
        Server::start_in(folder)
    }

    /// Another server on what this one, which has ended, has left.
    pub(crate) fn again(mut self) -> Server {
        let other = tempfile::tempdir().unwrap();
        Server::start_in(std::mem::replace(&mut self.folder, other))
    }

    fn start_in(folder: tempfile::TempDir) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sns-server"));
        command.args(["--listen", "127.0.0.1:0"]);
        Server::launch(command, folder)
    }

    /// By a command of which the server is the end; its folder and configuration are the harness's.
    pub(crate) fn launch(mut command: Command, folder: tempfile::TempDir) -> Server {
        command.arg("--data-dir").arg(folder.path().join("data"));
        command.current_dir(folder.path()).env_remove("SNS_CONFIG").stderr(Stdio::piped());
        let config = folder.path().join("config.toml");
        if config.exists() {
            command.arg("--config").arg(config);
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first_line = lines.next().and_then(Result::ok).unwrap_or_default();
        // Where it waits for an interface there is no address yet.
        let address = match first_line.split_once("http://") {
            Some((_, rest)) => {
                rest.split([';', ',', ' ']).next().and_then(|text| text.parse().ok())
            }
            None if first_line.contains("sns-server listens on ") => Some(([0, 0, 0, 0], 0).into()),
            None => None,
        };
        let Some(address) = address else {
            let _ = child.kill();
            panic!("no address in {first_line:?}");
        };
        let log = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *sink.lock().unwrap() += &(line + "\n");
            }
        });
        Server { folder, address, first_line, child, log }
    }

    /// What the server logged so far, after the first line; at least these words are waited for.
    pub(crate) fn log_with(&self, words: &str) -> String {
        let log = || self.log.lock().unwrap().clone();
        wait_until(&format!("the log says {words:?}"), || log().contains(words));
        log()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request in one piece and reads the answer to its end.
    pub(crate) fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        answer(&mut stream)
    }

    /// Sends a request in pieces of this size, each in a segment of its own.
    pub(crate) fn exchange_in_pieces(&self, request: &[u8], piece: usize) -> String {
        let mut stream = self.connect();
        stream.set_nodelay(true).unwrap();
        for piece in request.chunks(piece) {
            stream.write_all(piece).unwrap();
        }
        answer(&mut stream)
    }

    /// Sends the start of a request and ends the connection.
    pub(crate) fn break_off(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        answer(&mut stream)
    }

    /// Logs in with the published capture of user `f`; the session key.
    pub(crate) fn login(&self) -> String {
        let answer = self.exchange(&data("reconstructed/nx300/login-facebook.http"));
        between(&answer, "<Response SessionKey=\"", "\"").to_owned()
    }

    /// Everything below the folder of photos, by path.
    pub(crate) fn photos(&self) -> BTreeMap<String, Vec<u8>> {
        let root = self.folder.path().join("data/photos");
        let mut found = BTreeMap::new();
        collect(&root, &root, &mut found);
        found
    }

    /// Waits until so many uploads have begun.
    pub(crate) fn wait_for_uploads(&self, count: usize) {
        let incoming = self.folder.path().join("data/incoming");
        wait_until("uploads have begun", || std::fs::read_dir(&incoming).unwrap().count() >= count);
    }

    /// Asks the server to stop, and waits until it has.
    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        self.signal_stop();
        self.child.wait().unwrap()
    }

    pub(crate) fn signal_stop(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that takes a moment on a quiet machine and longer on a busy one.
pub(crate) fn wait_until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited ten seconds in vain until {what}");
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// Reads an answer until the server closes.
pub(crate) fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// A file of `testdata/`.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between two strings, as a camera finds it.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before:?} in {text:?}"));
    let rest = &text[start + before.len()..];
    &rest[..rest.find(after).unwrap()]
}

/// A `PUT` of a file.
pub(crate) fn put(session: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "PUT /upload/{session}/{name} HTTP/1.1\r\nHost: snsgw.samsungmobile.com\r\n\
         Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    [head.as_bytes(), bytes].concat()
}

pub(crate) fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").map_or("", |rest| &rest[..3])
}
