//! `kill`: the server is killed again and again while cameras send; whatever a camera was told is
//! kept is there afterwards.
//!
//! Law: the moment of each kill is drawn by the seed: after a time, or just after some request was
//! sent to its end (fsync, rename and record are under way), or just after some answer was read.
//! The folder is looked at after every start, before anybody sends, and read whole at the end.

use crate::args::Args;
use crate::camera::Camera;
use crate::client::Client;
use crate::journal::{Findings, Folder, Journal};
use crate::server::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: u8 = 6;
/// No session may go because others came.
const LIMITS: &str = "sessions = 1000000\n";

/// When to kill.
#[derive(Debug)]
enum Moment {
    After(Duration),
    /// So long after so many requests were sent whole.
    Sent(u64, Duration),
    /// So long after so many photos were acknowledged.
    Acknowledged(u64, Duration),
}

impl Moment {
    fn draw(rng: &mut fastrand::Rng) -> Moment {
        let a_little = Duration::from_micros(rng.u64(..4000));
        match rng.u8(..3) {
            0 => Moment::After(Duration::from_micros(rng.u64(..300_000))),
            1 => Moment::Sent(rng.u64(1..60), a_little),
            _ => Moment::Acknowledged(rng.u64(1..25), a_little),
        }
    }

    fn wait(&self, sent: &AtomicU64, acknowledged: &AtomicU64) {
        let until = Instant::now() + Duration::from_secs(3);
        let reach = |count: &AtomicU64, more: u64| {
            let goal = count.load(Ordering::SeqCst) + more;
            while count.load(Ordering::SeqCst) < goal && Instant::now() < until {
                std::thread::sleep(Duration::from_micros(50));
            }
        };
        match self {
            Moment::After(time) => std::thread::sleep(*time),
            Moment::Sent(number, then) => {
                reach(sent, *number);
                std::thread::sleep(*then);
            }
            Moment::Acknowledged(number, then) => {
                reach(acknowledged, *number);
                std::thread::sleep(*then);
            }
        }
    }
}

#[derive(Default)]
struct Tally {
    rounds: u64,
    sessions_checked: u64,
    sessions_lost: u64,
    cut_in_incoming: usize,
    half: u64,
    slowest_start: Duration,
    findings: Findings,
    problems: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let rounds = args.rounds.unwrap_or(if args.full { 200 } else { 12 });
    let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
    let journal = Journal::default();
    let mut tally = Tally::default();
    let outcome = all_rounds(args.seed, rounds, temporary.path(), &journal, &mut tally);
    let Tally { findings, .. } = &tally;
    println!(
        "rounds {}, photos acknowledged {}, photos lost {}, sessions lost {}, half photos {}",
        tally.rounds,
        journal.acknowledged.load(Ordering::SeqCst),
        findings.lost,
        tally.sessions_lost,
        tally.half
    );
    println!(
        "sessions looked for {}; hit by a kill: {} uploads in incoming/, {} photos in place \
         without an answer, of these {} without a record; kept twice {}; slowest start {} ms",
        tally.sessions_checked,
        tally.cut_in_incoming,
        findings.unacknowledged,
        findings.unrecorded,
        findings.twice,
        tally.slowest_start.as_millis()
    );
    if let Err(problem) = outcome {
        tally.problems.push(problem);
    }
    if tally.problems.is_empty() {
        return Ok(());
    }
    let (number, kept) = (tally.problems.len(), temporary.keep());
    tally.problems.truncate(20);
    let round = tally.rounds;
    Err(format!(
        "{number} problems after round {round}; everything is left in {}\n{}",
        kept.display(),
        tally.problems.join("\n")
    ))
}

/// Stops at the first round after which something is wrong.
fn all_rounds(
    seed: u64,
    rounds: u64,
    folder: &std::path::Path,
    journal: &Journal,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut clients: Vec<_> = (0..CLIENTS).map(|number| Client::new(number, seed)).collect();
    let mut data = Folder::new(folder.join("data"));
    for round in 0..=rounds {
        let last = round == rounds;
        if last {
            data.forget();
        }
        let started = Instant::now();
        let mut server = Server::start(folder, &format!("round-{round}"), LIMITS)?;
        tally.slowest_start = tally.slowest_start.max(started.elapsed());
        tally.findings = data.check(journal)?;
        tally.half += tally.findings.half;
        tally.problems.append(&mut tally.findings.problems);
        let sent = Arc::<AtomicU64>::default();
        let cameras: Vec<_> = clients
            .iter()
            .map(|client| Camera::new(server.address, client.number() + 1).counting(&sent))
            .collect();
        for (client, camera) in clients.iter_mut().zip(&cameras) {
            let (checked, mut lost) = client.check_sessions(camera, journal, last);
            tally.sessions_checked += checked;
            tally.sessions_lost += lost.len() as u64;
            tally.problems.append(&mut lost);
        }
        if last || !tally.problems.is_empty() {
            return server.is_well();
        }
        let moment = Moment::draw(&mut rng);
        let killed = AtomicBool::new(false);
        let worked: Vec<Result<(), String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = clients
                .iter_mut()
                .zip(&cameras)
                .map(|(client, camera)| scope.spawn(|| client.work(camera, journal, &killed)))
                .collect();
            moment.wait(&sent, &journal.acknowledged);
            let well = server.is_well();
            killed.store(true, Ordering::SeqCst);
            server.kill();
            threads.into_iter().map(|thread| thread.join().unwrap()).chain([well]).collect()
        });
        tally.rounds += 1;
        tally.cut_in_incoming += data.incoming();
        let mut files = data.check_files(journal)?;
        tally.half += files.half;
        tally.problems.append(&mut files.problems);
        for problem in worked.into_iter().filter_map(Result::err) {
            tally.problems.push(format!("round {round}, {moment:?}: {problem}"));
        }
        let _ = std::fs::remove_file(folder.join(format!("round-{}.log", round.wrapping_sub(3))));
    }
    Ok(())
}
