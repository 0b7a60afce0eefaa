//! One run of a program: its input, its output into the log, its time limit, its end.
//!
//! Law: it and all it has started in its process group are gone when its time is over, or when
//! nobody waits for it any more. When the server stops, it is asked to end before it is made to. Its
//! output never fills our memory and never makes it wait.

use crate::destination::{Fault, Recall};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;
use tracing::{info, warn};

/// `EX_TEMPFAIL` of sysexits.h: try again later.
const TRY_AGAIN: i32 = 75;
/// So much of a run's output is logged, in bytes; the rest is read and forgotten.
const LOGGED: usize = 64 * 1024;
/// Longer lines are logged in pieces.
const LINE: usize = 1024;
/// What a program started in the background may hold its output open; we do not wait for that.
const GRACE: Duration = Duration::from_secs(1);
/// When the server stops, a program that was asked to end (SIGTERM) has so long to do it: to remove a
/// lock, to close a file. Then it is killed.
pub const ENDING: Duration = Duration::from_secs(1);

/// Runs it to its end, or to ours.
pub(super) async fn run(
    mut command: Command,
    program: &str,
    stdin: Option<Vec<u8>>,
    limit: Duration,
    recall: &Recall,
) -> Result<(), Fault> {
    let input = if stdin.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)));

    let log = Log { program, said: Mutex::default() };
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let talk = async {
        tokio::join!(feed(pipes.0, stdin), log.read(pipes.1), log.read(pipes.2));
    };
    tokio::pin!(talk);
    let mut talking = true;
    let mut end = Box::pin(timeout(limit, async {
        loop {
            tokio::select! {
                status = child.wait() => break status,
                () = &mut talk, if talking => talking = false,
            }
        }
    }));
    let mut ended = tokio::select! {
        ended = &mut end => Some(ended),
        () = recall.called() => None,
    };
    if ended.is_none() {
        group.signal(Signal::TERM);
        ended = timeout(ENDING, &mut end).await.ok();
        // Whatever of it is left, itself or what it has started: the number is theirs until then.
        group.kill();
    }
    drop(end);
    let status = match ended {
        Some(Ok(status)) => status,
        Some(Err(_)) => {
            group.kill();
            let _ = child.wait().await;
            let limit = humantime::format_duration(limit);
            return Err(Fault::transient(format!(
                "program {program} was not done within {limit} (timeout) and was ended{}",
                log.last_line()
            )));
        }
        None => child.wait().await,
    };
    group.0 = None;
    if talking {
        let _ = timeout(GRACE, talk).await;
    }
    let status = status.map_err(|error| Fault::transient(format!("program {program}: {error}")))?;
    judge(program, status, &log.last_line())
}

fn not_started(program: &str, error: &io::Error) -> Fault {
    let message = format!("program {program} cannot be started: {error}");
    match Errno::from_io_error(error) {
        Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::TXTBSY) => {
            Fault::transient(message)
        }
        _ => Fault::permanent(message),
    }
}

fn judge(program: &str, status: ExitStatus, last_line: &str) -> Result<(), Fault> {
    if status.success() {
        return Ok(());
    }
    // `exit status: 3`, `signal: 9 (SIGKILL)`
    let message = format!("program {program} ended with {status}{last_line}");
    let by_somebody = [Signal::HUP, Signal::INT, Signal::TERM, Signal::KILL].map(Signal::as_raw);
    match (status.code(), status.signal()) {
        (Some(TRY_AGAIN), _) => Err(Fault::transient(message)),
        (None, Some(signal)) if by_somebody.contains(&signal) => Err(Fault::transient(message)),
        _ => Err(Fault::permanent(message)),
    }
}

/// The process group of a program that has not been waited for: its number is still its own.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails only if nobody is left.
            let _ = kill_process_group(group, signal);
        }
    }

    fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program need not read what it is given: that it closes the pipe is no fault.
async fn feed(pipe: Option<tokio::process::ChildStdin>, text: Option<Vec<u8>>) {
    if let (Some(mut pipe), Some(text)) = (pipe, text) {
        let _ = pipe.write_all(&text).await;
    }
}

struct Log<'a> {
    program: &'a str,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    bytes: usize,
    last: String,
}

impl Log<'_> {
    async fn read(&self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = [0; LINE];
        let mut filled = 0;
        // An error of a pipe is its end.
        while let Ok(read @ 1..) = pipe.read(&mut buffer[filled..]).await {
            filled += read;
            let mut begin = 0;
            while let Some(end) = buffer[begin..filled].iter().position(|byte| *byte == b'\n') {
                self.line(&buffer[begin..begin + end]);
                begin += end + 1;
            }
            if begin == 0 && filled == LINE {
                self.line(&buffer);
                begin = LINE;
            }
            buffer.copy_within(begin..filled, 0);
            filled -= begin;
        }
        self.line(&buffer[..filled]);
    }

    fn line(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        if line.is_empty() {
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let before = said.bytes;
        said.bytes = before.saturating_add(line.len());
        if said.bytes <= LOGGED {
            info!(program = self.program, "said: {}", line.escape_debug());
        } else if before <= LOGGED {
            warn!(program = self.program, "says too much: no more of it is logged");
        }
        said.last = line.chars().take(200).collect();
    }

    /// What it said last, in words that follow what became of it.
    fn last_line(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.last.as_str() {
            "" => String::new(),
            last => format!("; it said last: {}", last.escape_debug()),
        }
    }
}
