//! The real server in a process of its own, seen from outside.
//!
//! Law: only this process is started and ended, by its own handle. Its log goes to a file, so that
//! nobody has to read it for the server to go on.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A running server, killed when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    log: PathBuf,
    child: Child,
}

/// What the kernel says about a process, in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    pub(crate) peak: u64,
}

impl Server {
    /// Starts on `<folder>/data`; the log is `<folder>/<name>.log`.
    pub(crate) fn start(folder: &Path, name: &str, limits: &str) -> Result<Server, String> {
        let config = folder.join("config.toml");
        let log = folder.join(format!("{name}.log"));
        let failed = |error: std::io::Error| format!("cannot start the server: {error}");
        fs::write(&config, format!("trial = true\n[limits]\n{limits}")).map_err(failed)?;
        let child = Command::new(env!("CARGO_BIN_EXE_sns-server"))
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(&config)
            .arg("--data-dir")
            .arg(folder.join("data"))
            .current_dir(folder)
            .env_remove("SNS_CONFIG")
            .stderr(File::create(&log).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Server { address, log, child };
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let said = server.log();
            if let Some(address) = listening_address(&said) {
                server.address = address;
                return Ok(server);
            }
            let ended = server.child.try_wait().map_err(failed)?;
            if ended.is_some() || Instant::now() > until {
                return Err(format!("the server does not start ({ended:?}); it says: {said}"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error if the process has ended by itself, or a thread of it has died.
    pub(crate) fn is_well(&mut self) -> Result<(), String> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(format!("the server ended by itself, {status}; {}", self.last_words()));
        }
        match self
            .log()
            .lines()
            .find(|line| line.contains("panicked at") || line.contains("thread died"))
        {
            Some(line) => Err(format!("the server's log says: {line}")),
            None => Ok(()),
        }
    }

    fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Resident memory now, and its peak since [`forget_peak`](Server::forget_peak).
    pub(crate) fn memory(&self) -> Result<Memory, String> {
        let path = format!("/proc/{}/status", self.pid());
        let status = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| format!("{path} has no {name}"))
        };
        Ok(Memory { resident: field("VmRSS:")?, peak: field("VmHWM:")? })
    }

    /// From now on the peak is counted anew.
    pub(crate) fn forget_peak(&self) -> Result<(), String> {
        let path = format!("/proc/{}/clear_refs", self.pid());
        fs::write(&path, "5").map_err(|error| format!("{path}: {error}"))
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).map_or(0, Iterator::count)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The address in "listens on http://127.0.0.1:1234; …", once the line is whole.
fn listening_address(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("listens on http://")?;
    let (line, _) = rest.split_once('\n')?;
    line.split([';', ',', ' ']).next()?.parse().ok()
}

/// KiB as MB, as people read them.
pub(crate) fn mb(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
