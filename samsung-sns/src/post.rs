//! Which files make one post, and when it is due.
//!
//! Law: a post is planned from what came and when, never from a running clock; the same files give
//! the same posts in the same order, and a post that is due never changes when more files come.
//!
//! Facts (facts.md section 7, configuration.md "Posts and alt texts"): cameras have no field for
//! alt texts and never say how many files come; people type `text~alt1~alt2`. A social post begins
//! with the first announce after a login or a changed text, and ends with logout, a changed text,
//! the session's end, or a quiet time. An e-mail is a whole post.
//!
//! ```text
//! alt texts given      social                              e-mail
//! none                 one post when it ends               one post (alt required: refused)
//! as many as files     due with the last file              one post
//! fewer than files     the first n due with the n-th;      required: the first n, then the rest
//!                      the rest, alt empty, at the end     optional: one post, the rest alt empty
//! more than files      when it ends                        one post
//! ```
//!
//! The first two columns of configuration.md agree for social posts: at the n-th file nobody can
//! know that more will come, so it is posted, and what comes after it is a post of its own.

use crate::time::UnixTime;
use std::ops::Range;
use std::time::Duration;

/// What a person typed: a text, and alt texts behind `~`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Caption {
    /// What is before the first `~`.
    pub text: String,
    /// What is between and behind the others, one for each file in order. May be empty strings.
    pub alt_texts: Vec<String>,
}

impl Caption {
    /// Takes apart what was typed; white space around each piece does not count.
    pub fn read(typed: &str) -> Caption {
        let mut pieces = typed.split('~').map(|piece| piece.trim().to_owned());
        Caption { text: pieces.next().unwrap_or_default(), alt_texts: pieces.collect() }
    }

    /// Whether a destination with this rule takes it: where alt texts are required, one is given.
    pub fn satisfies(&self, rule: AltTexts) -> bool {
        rule == AltTexts::Optional || !self.alt_texts.is_empty()
    }
}

/// Whether a destination insists on alt texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AltTexts {
    /// A post without any is refused.
    Required,
    /// Files without one have an empty one.
    Optional,
}

/// How a destination wants its posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rules {
    /// Whether it insists on alt texts.
    pub alt_texts: AltTexts,
    /// A social post ends when nothing came for this long.
    pub quiet: Duration,
}

/// Where the files are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Announce and upload, one file at a time.
    Social {
        /// Whether logout, a changed text or the session's end have ended it.
        ended: bool,
    },
    /// All at once.
    Email,
}

/// When a file of a series came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Arrival {
    /// When its announce or its first byte came, whichever was first.
    pub began: UnixTime,
    /// When its last byte came; `None` while the upload is under way.
    pub whole: Option<UnixTime>,
}

/// Files that are posted together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Post {
    /// Which of the series' files, by their order.
    pub files: Range<usize>,
    /// An alt text for each of them.
    pub alt_texts: Vec<String>,
    /// When it is to be posted.
    pub due: Due,
}

/// When a post is to be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Due {
    /// At once; it will not change any more.
    Now,
    /// When it has been quiet until then, if nothing else happens.
    At(UnixTime),
    /// When an upload that is under way is done, at the earliest.
    Open,
}

/// Plans the posts of a series: files that came under one text, in one session or one e-mail.
pub fn plan(
    source: Source,
    caption: &Caption,
    files: &[Arrival],
    rules: Rules,
    now: UnixTime,
) -> Vec<Post> {
    match source {
        Source::Email if rules.alt_texts == AltTexts::Optional => {
            vec![post(caption, 0..files.len(), 0, Due::Now)]
        }
        Source::Email => split(caption, 0..files.len(), Due::Now, Due::Now),
        Source::Social { ended } => {
            let mut posts = Vec::new();
            for segment in segments(files, rules.quiet) {
                let last = segment.end == files.len();
                let end = if last && !ended {
                    due(&files[segment.clone()], rules.quiet, now)
                } else {
                    Due::Now
                };
                // The n-th file is posted with its arrival, not with its announce.
                let first = segment.start..segment.end.min(segment.start + caption.alt_texts.len());
                let first = if files[first].iter().all(|f| f.whole.is_some()) {
                    Due::Now
                } else {
                    Due::Open
                };
                posts.extend(split(caption, segment, first, end));
            }
            posts
        }
    }
}

/// The files that have alt texts, then the rest; one post where the alt texts do not run out.
fn split(caption: &Caption, files: Range<usize>, first: Due, end: Due) -> Vec<Post> {
    let given = caption.alt_texts.len();
    if given == 0 || files.len() < given {
        return vec![post(caption, files, 0, end)];
    }
    let middle = files.start + given;
    let mut posts = vec![post(caption, files.start..middle, 0, first)];
    if middle < files.end {
        posts.push(post(caption, middle..files.end, given, end));
    }
    posts
}

fn post(caption: &Caption, files: Range<usize>, used: usize, due: Due) -> Post {
    let alt_texts = (0..files.len())
        .map(|at| caption.alt_texts.get(used + at).cloned().unwrap_or_default())
        .collect();
    Post { files, alt_texts, due }
}

/// Cuts a series where it was quiet between two files.
fn segments(files: &[Arrival], quiet: Duration) -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    let mut start = 0;
    for at in 1..=files.len() {
        let cut = at == files.len()
            || files[at - 1]
                .whole
                .is_some_and(|whole| files[at].began.saturating_since(whole) >= quiet);
        if cut {
            segments.push(start..at);
            start = at;
        }
    }
    segments
}

fn due(files: &[Arrival], quiet: Duration, now: UnixTime) -> Due {
    // An upload that is under way is not quiet.
    let Some(last) = files.iter().map(|file| file.whole).collect::<Option<Vec<_>>>() else {
        return Due::Open;
    };
    let last = last.into_iter().max().unwrap_or(now);
    if now.saturating_since(last) >= quiet {
        return Due::Now;
    }
    let quiet = u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX);
    Due::At(UnixTime::from_millis(last.as_millis().saturating_add(quiet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: u64 = 60;

    fn rules(alt_texts: AltTexts) -> Rules {
        Rules { alt_texts, quiet: Duration::from_secs(QUIET) }
    }

    /// Files that came whole at these seconds, each begun a second before.
    fn came(seconds: &[u64]) -> Vec<Arrival> {
        let arrival = |&s: &u64| Arrival {
            began: UnixTime::from_secs(s - 1),
            whole: Some(UnixTime::from_secs(s)),
        };
        seconds.iter().map(arrival).collect()
    }

    /// The posts as `(number of files, alt texts, due)`.
    fn planned(
        source: Source,
        typed: &str,
        files: &[Arrival],
        alt_texts: AltTexts,
        now: u64,
    ) -> Vec<(usize, String, Due)> {
        plan(source, &Caption::read(typed), files, rules(alt_texts), UnixTime::from_secs(now))
            .into_iter()
            .map(|post| (post.files.len(), post.alt_texts.join("|"), post.due))
            .collect()
    }

    const OPEN: Source = Source::Social { ended: false };
    const ENDED: Source = Source::Social { ended: true };
    use AltTexts::{Optional, Required};

    #[test]
    fn what_is_typed_is_taken_apart() {
        let caption = Caption::read(" Sea ~ a boat~~ a gull");
        assert_eq!(caption.text, "Sea");
        assert_eq!(caption.alt_texts, ["a boat", "", "a gull"]);
        assert!(caption.satisfies(Required));
        assert!(!Caption::read("Sea").satisfies(Required));
        assert!(Caption::read("Sea").satisfies(Optional));
    }

    #[test]
    fn without_alt_texts_a_social_post_waits_for_its_end() {
        let files = came(&[10, 20]);
        let at = Due::At(UnixTime::from_secs(80));
        assert_eq!(planned(OPEN, "t", &files, Optional, 30), [(2, "|".into(), at)]);
        assert_eq!(planned(OPEN, "t", &files, Optional, 80), [(2, "|".into(), Due::Now)]);
        assert_eq!(planned(ENDED, "t", &files, Optional, 30), [(2, "|".into(), Due::Now)]);
    }

    #[test]
    fn as_many_alt_texts_as_files_are_due_with_the_last() {
        for rule in [Required, Optional] {
            let one = planned(OPEN, "t~a~b", &came(&[10]), rule, 11);
            assert_eq!(one, [(1, "a".into(), Due::At(UnixTime::from_secs(70)))]);
            let two = planned(OPEN, "t~a~b", &came(&[10, 20]), rule, 21);
            assert_eq!(two, [(2, "a|b".into(), Due::Now)]);
        }
    }

    #[test]
    fn more_files_than_alt_texts_begin_a_further_post() {
        for rule in [Required, Optional] {
            let posts = planned(OPEN, "t~a", &came(&[10, 20, 30]), rule, 31);
            let at = Due::At(UnixTime::from_secs(90));
            assert_eq!(posts, [(1, "a".into(), Due::Now), (2, "|".into(), at)]);
            let posts = planned(ENDED, "t~a", &came(&[10, 20, 30]), rule, 31);
            assert_eq!(posts, [(1, "a".into(), Due::Now), (2, "|".into(), Due::Now)]);
        }
    }

    #[test]
    fn fewer_files_than_alt_texts_are_posted_at_the_end() {
        for rule in [Required, Optional] {
            let posts = planned(ENDED, "t~a~b~c", &came(&[10, 20]), rule, 21);
            assert_eq!(posts, [(2, "a|b".into(), Due::Now)]);
        }
    }

    #[test]
    fn an_email_is_a_whole_post() {
        let email = |typed, rule| planned(Source::Email, typed, &came(&[10, 10, 10]), rule, 10);
        assert_eq!(email("t", Optional), [(3, "||".into(), Due::Now)]);
        assert_eq!(email("t~a~b~c", Required), [(3, "a|b|c".into(), Due::Now)]);
        assert_eq!(email("t~a~b~c~d", Required), [(3, "a|b|c".into(), Due::Now)]);
        assert_eq!(email("t~a", Optional), [(3, "a||".into(), Due::Now)]);
        assert_eq!(email("t~a", Required), [(1, "a".into(), Due::Now), (2, "|".into(), Due::Now)]);
        let text_only = planned(Source::Email, "t", &[], Optional, 10);
        assert_eq!(text_only, [(0, "".into(), Due::Now)]);
    }

    #[test]
    fn quiet_ends_a_post_and_an_upload_under_way_is_not_quiet() {
        // 61 seconds between the files: the second begins a post of its own, with its own alt text.
        let posts = planned(OPEN, "t~a~b", &came(&[10, 72]), Optional, 73);
        let at = Due::At(UnixTime::from_secs(132));
        assert_eq!(posts, [(1, "a".into(), Due::Now), (1, "a".into(), at)]);

        let mut files = came(&[10, 20]);
        files[1].whole = None;
        assert_eq!(planned(OPEN, "t", &files, Optional, 5000), [(2, "|".into(), Due::Open)]);
        assert_eq!(planned(OPEN, "t~a~b", &files, Required, 5000), [(2, "a|b".into(), Due::Open)]);
    }

    #[test]
    fn a_clock_that_goes_backwards_ends_nothing() {
        let files = came(&[1000, 20]);
        assert_eq!(planned(OPEN, "t", &files, Optional, 30).len(), 1);
    }

    /// What is due stays as it is when more files come: otherwise it would be posted twice.
    #[test]
    fn what_is_due_never_changes() {
        for typed in ["t", "t~a", "t~a~b", "t~a~b~c"] {
            let times = [10, 20, 90, 100, 110];
            let mut due: Vec<Post> = Vec::new();
            for count in 1..=times.len() {
                let files = came(&times[..count]);
                let now = UnixTime::from_secs(times[count - 1]);
                let posts = plan(OPEN, &Caption::read(typed), &files, rules(Optional), now);
                let now_due: Vec<Post> = posts.into_iter().filter(|p| p.due == Due::Now).collect();
                assert_eq!(now_due[..due.len()], due[..], "{typed} with {count}");
                due = now_due;
            }
        }
    }
}
