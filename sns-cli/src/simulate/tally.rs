//! Many posts, by many cameras at once, and the table of how it went.
//!
//! Law: each post is a whole conversation with connections of its own. A failure is counted, and the
//! next post is sent all the same. Ctrl-C ends it at once, with the table of what there is.

use super::camera::{Camera, Sample, Step};
use super::photo::Photo;
use super::stop::{Kind, Stop};
use super::{Arguments, post};
use crate::{Outcome, print};
use indicatif::ProgressBar;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often it is looked whether somebody pressed Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

/// What all cameras together have done.
#[derive(Debug, Default)]
struct Tally {
    samples: Vec<Sample>,
    whole_posts: usize,
    was_interrupted: bool,
    failures: BTreeMap<Kind, Failure>,
}

/// How often, and what was said the first time.
#[derive(Debug)]
struct Failure {
    count: usize,
    first: String,
}

/// Sends everything `posts` times, by `cameras` at once, and tells how it went.
pub(super) fn run(
    arguments: &Arguments,
    (posts, cameras): (usize, usize),
    bar: &ProgressBar,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let interrupted = Arc::new(AtomicBool::new(false));
    flag::register(SIGINT, Arc::clone(&interrupted))?;
    let next = Arc::new(AtomicUsize::new(0));
    let (sender, posted) = mpsc::channel();
    let began = Instant::now();
    for _ in 0..cameras.min(posts) {
        let (next, sender) = (Arc::clone(&next), sender.clone());
        let (arguments, bar) = (arguments.clone(), bar.clone());
        // Nobody waits for their end: after Ctrl-C they end with the program.
        std::thread::spawn(move || {
            while next.fetch_add(1, Ordering::Relaxed) < posts
                && sender.send(one(&arguments, &bar)).is_ok()
            {}
        });
    }
    drop(sender);
    let mut tally = Tally::default();
    loop {
        match posted.recv_timeout(TICK) {
            Ok((samples, done)) => tally.add(samples, done),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if interrupted.load(Ordering::Relaxed) {
            tally.was_interrupted = true;
            break;
        }
    }
    let took = began.elapsed();
    bar.finish_and_clear();
    let told = tally.tell(posts, cameras, took, out).and_then(|()| {
        match arguments.cut_at.is_some() && !tally.failures.contains_key(&Kind::Cut) {
            true => writeln!(out, "note: --cut-at cut nothing: no request was that long"),
            false => Ok(()),
        }
    });
    match told {
        // Somebody who no longer reads does not change how it went.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(tally.outcome()),
    }
}

/// One post of a camera of its own.
fn one(arguments: &Arguments, bar: &ProgressBar) -> (Vec<Sample>, Result<(), Stop>) {
    let mut camera = Camera::new(arguments, bar, None);
    let done = Photo::open_all(&arguments.photos).and_then(|photos| post(&mut camera, &photos));
    (camera.samples, done)
}

impl Tally {
    fn add(&mut self, samples: Vec<Sample>, done: Result<(), Stop>) {
        self.samples.extend(samples);
        match done {
            Ok(()) => self.whole_posts += 1,
            Err(stop) => {
                let new = Failure { count: 0, first: stop.sentence };
                self.failures.entry(stop.kind).or_insert(new).count += 1;
            }
        }
    }

    fn outcome(&self) -> Outcome {
        let untried = |kind: &Kind| matches!(kind, Kind::NoConnection | Kind::Impossible);
        if self.was_interrupted {
            Outcome::Bad
        } else if self.failures.is_empty() {
            Outcome::Good
        } else if self.whole_posts == 0 && self.failures.keys().all(untried) {
            Outcome::Impossible
        } else {
            Outcome::Bad
        }
    }

    fn tell(
        &self,
        posts: usize,
        cameras: usize,
        took: Duration,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        writeln!(
            out,
            "{:<10} {:>8} {:>8} {:>12} {:>12} {:>12}",
            "request", "sent", "failed", "median", "95 %", "longest"
        )?;
        for step in Step::ALL {
            let of_step = || self.samples.iter().filter(|sample| sample.step == step);
            let (sent, failed) =
                (of_step().count(), of_step().filter(|sample| sample.failure.is_some()).count());
            let mut times: Vec<Duration> = of_step()
                .filter(|sample| sample.failure.is_none())
                .map(|sample| sample.took)
                .collect();
            times.sort_unstable();
            if sent > 0 {
                let [median, most, longest] = [50, 95, 100].map(|percent| shown(&times, percent));
                writeln!(
                    out,
                    "{:<10} {sent:>8} {failed:>8} {median:>12} {most:>12} {longest:>12}",
                    step.name()
                )?;
            }
        }
        let bytes: u64 = self
            .samples
            .iter()
            .filter(|sample| sample.failure.is_none())
            .map(|sample| sample.length)
            .sum();
        let seconds = took.as_secs_f64();
        let each = if cameras == 1 { "1 camera".to_owned() } else { format!("{cameras} cameras") };
        writeln!(
            out,
            "{} of {posts} posts whole, by {each} in {seconds:.2} s: {:.1} posts/s, {:.2} MiB/s",
            self.whole_posts,
            self.whole_posts as f64 / seconds,
            bytes as f64 / seconds / (1024.0 * 1024.0),
        )?;
        if self.was_interrupted {
            let failed: usize = self.failures.values().map(|failure| failure.count).sum();
            let ended = self.whole_posts + failed;
            writeln!(out, "interrupted by Ctrl-C when {ended} of {posts} had ended")?;
        }
        for (kind, Failure { count, first }) in &self.failures {
            let line = format!("{count} failed: {kind}; the first: {first}");
            writeln!(out, "{}", print::escaped(&line))?;
        }
        out.flush()
    }
}

/// The time that so many per cent of the requests kept to.
fn shown(sorted: &[Duration], percent: usize) -> String {
    let Some(rank) = (sorted.len() * percent).div_ceil(100).checked_sub(1) else {
        return "-".to_owned();
    };
    format!("{:.1} ms", sorted[rank].as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_cent_are_by_nearest_rank() {
        let times: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!([50, 95, 100].map(|p| shown(&times, p)), ["10.0 ms", "19.0 ms", "20.0 ms"]);
        assert_eq!([50, 95].map(|p| shown(&times[..1], p)), ["1.0 ms", "1.0 ms"]);
        assert_eq!(shown(&[], 50), "-");
    }

    #[test]
    fn failures_are_counted_by_kind_and_come_to_an_exit_code() {
        let stop = |kind| Err(Stop::new(kind, "why"));
        let mut tally = Tally::default();
        assert_eq!(tally.outcome(), Outcome::Good);
        tally.add(Vec::new(), stop(Kind::NoConnection));
        assert_eq!(tally.outcome(), Outcome::Impossible);
        tally.add(Vec::new(), stop(Kind::Refused(503)));
        tally.add(Vec::new(), stop(Kind::Refused(503)));
        tally.add(Vec::new(), Ok(()));
        assert_eq!(tally.outcome(), Outcome::Bad);
        let mut told = Vec::new();
        tally.tell(4, 2, Duration::from_secs(2), &mut told).unwrap();
        let told = String::from_utf8(told).unwrap();
        assert!(told.contains("1 of 4 posts whole, by 2 cameras in 2.00 s: 0.5 posts/s"), "{told}");
        assert!(told.contains("2 failed: refused with 503; the first: why\n"), "{told}");
    }
}
