//! Threads become deliveries when their posts are due.
//!
//! Law: what is due is the core's to say ([`samsung_sns::post`]), from what came and when; planning
//! again repeats nothing, because a file that is in a delivery is not put into another one.

use super::{Expected, Outbox, later, only_words};
use crate::ledger::outbox::{SeriesFile, Thread};
use crate::ledger::{Ledger, LedgerError};
use samsung_sns::post::{self, Arrival, Caption, Due, Rules, Source};
use samsung_sns::time::UnixTime;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::error;

/// So often it is looked whether `sns-server queue` has changed something.
const GLANCE: Duration = Duration::from_secs(2);
/// How long to wait where the ledger cannot be read or written.
pub(super) const DISK_PAUSE: Duration = Duration::from_secs(10);

pub(super) async fn keep_planning(outbox: Arc<Outbox>, mut stopping: watch::Receiver<bool>) {
    let mut changed = outbox.changed.subscribe();
    changed.mark_changed();
    let mut due = None;
    let mut version = 0;
    loop {
        let now = outbox.clock.now();
        let until_due = |due: UnixTime| due.saturating_since(now).min(GLANCE);
        let told = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            _ = changed.changed() => true,
            () = tokio::time::sleep(due.map_or(GLANCE, until_due)) => false,
        };
        if !told {
            let theirs = outbox.on_ledger(|ledger| ledger.version()).await.unwrap_or(version);
            if version != theirs {
                version = theirs;
                outbox.look_again();
            }
        }
        if !told && due.is_none_or(|due| outbox.clock.now() < due) {
            continue;
        }
        let planner = Arc::clone(&outbox);
        match outbox.on_ledger(move |ledger| planner.post_what_is_due(ledger)).await {
            Ok(Planned { next, posted }) => {
                due = next;
                if posted {
                    outbox.look_again();
                }
            }
            Err(failure) => {
                error!(%failure, "posts cannot be planned; it is tried again");
                due = Some(later(outbox.clock.now(), DISK_PAUSE));
            }
        }
    }
}

struct Planned {
    /// When the next post is due, if nothing else happens.
    next: Option<UnixTime>,
    /// Whether there is something new to deliver.
    posted: bool,
}

impl Outbox {
    fn post_what_is_due(&self, ledger: &mut Ledger) -> Result<Planned, LedgerError> {
        let (now, settings) = (self.clock.now(), self.settings());
        let mut planned = Planned { next: None, posted: false };
        let threads = ledger.threads()?;
        self.coming().keep_only(&threads.iter().map(|thread| thread.series).collect());
        for thread in threads {
            let rules = settings.rules(&thread.destination);
            let Expected { began: coming, until } = self.coming().of(&thread, rules.quiet, now);
            let files = ledger.series_files(thread.series, &thread.destination)?;
            let (posts, next) = cut(&thread, &files, &coming, rules, now);
            for Cut { receipt, files, held } in posts {
                let to = &thread.destination;
                ledger.post(to, receipt, &files, held.as_deref(), now)?;
                if let Some(reason) = held {
                    error!(receipt, to, reason, "not delivered, waits for you");
                }
                planned.posted = true;
            }
            let next_of_all =
                |next: Option<UnixTime>, at| Some(next.map_or(at, |next| next.min(at)));
            planned.next = until.map_or(planned.next, |until| next_of_all(planned.next, until));
            match next {
                Next::Nothing if thread.ended && coming.is_empty() => {
                    ledger.thread_is_done(&thread)?;
                }
                Next::Nothing => {}
                Next::At(at) => planned.next = next_of_all(planned.next, at),
            }
        }
        self.counts.look(ledger)?;
        Ok(planned)
    }
}

/// A post that is due: the receipt it began with, and its files as `(mention, alt text)`.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    receipt: i64,
    files: Vec<(i64, String)>,
    /// Why it waits for a person, if it does.
    held: Option<String>,
}

/// What is to be waited for.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Nothing, or something else that has to happen.
    Nothing,
    /// This moment.
    At(UnixTime),
}

fn cut(
    thread: &Thread,
    files: &[SeriesFile],
    coming: &[UnixTime],
    rules: Rules,
    now: UnixTime,
) -> (Vec<Cut>, Next) {
    // Words of which some went out with a picture need nobody's decision.
    let has_media = files.iter().any(|file| file.is_media);
    let files = without_repeats(files, rules.quiet);
    let whole = files.iter().map(|(_, arrival)| *arrival);
    let open = coming.iter().map(|began| Arrival { began: *began, whole: None });
    let arrivals: Vec<Arrival> = whole.chain(open).collect();
    let source = Source::Social { ended: thread.ended };
    let mut due = Vec::new();
    let mut next = Next::Nothing;
    for post in post::plan(source, &Caption::read(&thread.text), &arrivals, rules, now) {
        match post.due {
            // An upload that outlives its session still belongs to its post.
            Due::Now if post.files.end <= files.len() => {}
            Due::At(at) => {
                next = Next::At(at);
                continue;
            }
            Due::Now | Due::Open => continue,
        }
        let members = files[post.files].iter().map(|(file, _)| *file).zip(post.alt_texts);
        let members: Vec<(&SeriesFile, String)> =
            members.filter(|(file, _)| !file.posted).collect();
        let goes_out = members.iter().any(|(file, _)| file.is_media);
        if let Some((first, _)) = members.first()
            && (goes_out || !has_media)
        {
            let receipt = first.receipt;
            let held = (!goes_out).then(|| only_words(members.len()));
            let files = members.into_iter().map(|(file, alt)| (file.mention, alt)).collect();
            due.push(Cut { receipt, files, held });
        }
    }
    (due, next)
}

/// The same bytes again within one post are a camera's retry of a lost answer; they only show that the
/// post is still going on.
fn without_repeats(files: &[SeriesFile], quiet: Duration) -> Vec<(&SeriesFile, Arrival)> {
    let mut kept: Vec<(&SeriesFile, Arrival)> = Vec::with_capacity(files.len());
    let mut in_this_post = BTreeSet::new();
    for file in files {
        let last = kept.last_mut();
        let goes_on = last.as_ref().is_some_and(|(_, arrival)| {
            arrival.whole.is_none_or(|whole| file.began.saturating_since(whole) < quiet)
        });
        if !goes_on {
            in_this_post.clear();
        }
        match last {
            Some((_, arrival)) if goes_on && in_this_post.contains(&file.photo) => {
                arrival.whole = arrival.whole.max(Some(file.whole));
            }
            _ => {
                in_this_post.insert(file.photo);
                kept.push((file, Arrival { began: file.began, whole: Some(file.whole) }));
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsung_sns::post::AltTexts;
    use samsung_sns::session::SeriesId;

    const RULES: Rules = Rules { alt_texts: AltTexts::Optional, quiet: Duration::from_secs(60) };

    fn thread(text: &str, ended: bool) -> Thread {
        Thread { series: SeriesId(1), destination: "d".into(), ended, text: text.into() }
    }

    /// Files as `(photo, second at which it came, whether it is posted)`; below 0: no picture or video.
    fn files(came: &[(i64, u64, bool)]) -> Vec<SeriesFile> {
        let file = |(n, &(photo, at, posted)): (usize, &(i64, u64, bool))| SeriesFile {
            mention: n as i64,
            receipt: 100 + n as i64,
            photo,
            began: UnixTime::from_secs(at - 1),
            whole: UnixTime::from_secs(at),
            posted,
            is_media: photo > 0,
        };
        came.iter().enumerate().map(file).collect()
    }

    fn cuts(
        text: &str,
        ended: bool,
        came: &[(i64, u64, bool)],
        coming: &[u64],
        now: u64,
    ) -> (Vec<String>, Next) {
        let coming: Vec<_> = coming.iter().map(|at| UnixTime::from_secs(*at)).collect();
        let now = UnixTime::from_secs(now);
        let (posts, next) = cut(&thread(text, ended), &files(came), &coming, RULES, now);
        let file = |(mention, alt): &(i64, String)| format!("{mention}{alt}");
        let post = |Cut { files, held, .. }: Cut| {
            let held = if held.is_some() { "held " } else { "" };
            format!("{held}{}", files.iter().map(file).collect::<Vec<_>>().join(" "))
        };
        (posts.into_iter().map(post).collect(), next)
    }

    #[test]
    fn a_post_is_made_once_whenever_it_is_planned_again() {
        let at = |seconds| Next::At(UnixTime::from_secs(seconds));
        assert_eq!(cuts("t", false, &[(7, 10, false)], &[], 20), (vec![], at(70)));
        assert_eq!(cuts("t", false, &[(7, 10, false)], &[], 70), (vec!["0".into()], Next::Nothing));
        assert_eq!(cuts("t", false, &[(7, 10, true)], &[], 70), (vec![], Next::Nothing));
        let further = [(7, 10, true), (8, 90, false)];
        assert_eq!(cuts("t", false, &further, &[], 91), (vec![], at(150)));
        assert_eq!(cuts("t", true, &further, &[], 91), (vec!["1".into()], Next::Nothing));
    }

    #[test]
    fn what_is_still_coming_holds_its_post_back_even_after_the_logout() {
        let came = [(7, 10, false)];
        assert_eq!(cuts("t", true, &came, &[12], 500), (vec![], Next::Nothing));
        assert_eq!(cuts("t", false, &came, &[12], 500), (vec![], Next::Nothing));
        // What comes after a quiet time is a post of its own, and does not hold this one back.
        assert_eq!(cuts("t", false, &came, &[100], 101).0, ["0"]);
    }

    #[test]
    fn what_is_no_picture_keeps_its_alt_text_and_its_post_does_not_leave_without_a_picture() {
        let came = [(-7, 10, false), (8, 20, false)];
        assert_eq!(cuts("t~a~b", false, &came, &[], 21).0, ["0a 1b"]);
        assert_eq!(cuts("t", true, &[(-7, 10, false)], &[], 11).0, ["held 0"]);
        assert_eq!(cuts("t", true, &[(-7, 10, true)], &[], 11).0, Vec::<String>::new());
        // The words are out already.
        let came = [(8, 10, true), (-7, 11, false)];
        assert_eq!(cuts("t~a", true, &came, &[], 12).0, Vec::<String>::new());
    }

    #[test]
    fn the_same_bytes_again_in_one_post_are_a_retry_and_later_are_not() {
        let came = [(7, 10, false), (7, 30, false), (8, 80, false)];
        assert_eq!(cuts("t~a~b", true, &came, &[], 81).0, ["0a 2b"]);
        let came = [(7, 10, true), (7, 100, false)];
        assert_eq!(cuts("t~a", true, &came, &[], 101).0, ["1a"]);
        let came = [(7, 10, true), (7, 30, false)];
        assert_eq!(cuts("t~a", true, &came, &[], 31).0, Vec::<String>::new());
    }
}
