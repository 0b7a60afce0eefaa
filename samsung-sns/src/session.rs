//! Sessions: what one login allows until its logout.
//!
//! Law: the table below is the only place where a session changes.
//!
//! ```text
//!              login                announce            upload
//!   (nobody) ─────────▶ LoggedIn ───────────▶ Posting ─────────┐
//!                          │  │                  │ ▲           │
//!                          │  └── upload ──▶ Posting └──────────┘
//!                          └────────┬────────────┘
//!                                   ▼
//!        logout · lifetime over · too many · no longer admitted: (gone)
//!
//!   state      announce          upload            logout   lifetime over
//!   (gone)     401               401               200      -
//!   LoggedIn   Posting           Posting           (gone)   (gone)
//!   Posting    Posting           Posting           (gone)   (gone)
//! ```
//!
//! Where sessions are bound to their address, the others see the row (gone) with 401, and a logout
//! from there changes nothing ([`Sessions::is_elsewhere`]).
//!
//! Files that come under one text in one session are a *series*. It ends when the text changes or
//! the session does; what of it is posted together is planned in [`post`](crate::post). A file
//! belongs to the series in which it was announced, also when another one has begun before it came.
//!
//! An upload needs no announce of its own name, and may come twice: the camera repeats itself when
//! an answer was lost (configuration.md).

use crate::admission::Admission;
use crate::endpoint::Site;
use crate::message::media::{Announce, MAX_RESOURCE_NAME, Media, resource_name};
use crate::time::UnixTime;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// The name of a session, as the camera repeats it: 32 hex characters. Whoever knows it may send,
/// so it is never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionKey(String);

impl SessionKey {
    /// A key of sixteen random bytes, as 32 hex characters: the form known to work.
    pub fn from_random(bytes: [u8; 16]) -> SessionKey {
        SessionKey(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A key as it was received or kept; whether a session has it is for [`Sessions`] to say.
    pub fn from_wire(key: impl Into<String>) -> SessionKey {
        SessionKey(key.into())
    }

    /// The key as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// Names a series of files; never used twice, not even after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SeriesId(pub u64);

/// What is allowed next; see the table above.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum State {
    /// Logged in, nothing announced or sent.
    LoggedIn,
    /// Files of one text are coming.
    Posting(Series),
}

/// Files that come under one text in one session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Series {
    /// Its name.
    pub id: SeriesId,
    /// What the person typed.
    pub text: String,
    /// What was announced last, photo or video, with its album or category.
    pub media: Option<Media>,
}

/// One login and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Session {
    /// Who logged in.
    pub user: String,
    /// Where.
    pub site: Site,
    /// From where.
    pub from: IpAddr,
    /// The last time the camera used it.
    pub used_at: UnixTime,
    /// What is allowed next.
    pub state: State,
    /// What was announced, by the resource names that the camera was told.
    announced: BTreeMap<String, Announced>,
    /// The last series before this one: what was announced in them may still come.
    earlier: VecDeque<Series>,
}

/// A file that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Announced {
    /// Its name as sent.
    file_name: String,
    series: SeriesId,
}

/// A session remembers this many announced names; one post has far fewer.
const MAX_ANNOUNCED: usize = 1000;
/// A longer name is not remembered; the file then has the one that the camera was told.
const MAX_ANNOUNCED_NAME: usize = 255;
/// So many series before the one under way are remembered; a camera announces one file at a time.
const MAX_EARLIER: usize = 4;

impl Session {
    /// The series that is under way.
    pub fn series(&self) -> Option<SeriesId> {
        match &self.state {
            State::Posting(series) => Some(series.id),
            State::LoggedIn => None,
        }
    }

    /// An announce: the series and the resource name for the answer.
    fn announce(
        &mut self,
        announce: &Announce,
        next: &mut NextSeries,
        ended: &mut Vec<SeriesId>,
    ) -> (Series, String) {
        let text = announce.content.clone();
        let id = match std::mem::replace(&mut self.state, State::LoggedIn) {
            State::Posting(series) if series.text == text => series.id,
            State::Posting(series) => {
                ended.push(series.id);
                self.earlier.truncate(MAX_EARLIER - 1);
                self.earlier.push_front(series);
                next.take()
            }
            State::LoggedIn => next.take(),
        };
        let series = Series { id, text, media: Some(announce.media.clone()) };
        self.state = State::Posting(series.clone());
        let base = resource_name(&announce.file_name);
        let mut name = base.clone();
        let mut number = 2;
        let taken = |other: &Announced| other.file_name != announce.file_name;
        // Two names may become the same when their characters are made safe.
        while self.announced.get(&name).is_some_and(taken) {
            let prefix = format!("{number}-");
            let room = MAX_RESOURCE_NAME - prefix.len();
            name = prefix + &base[base.len().saturating_sub(room)..];
            number += 1;
        }
        if self.announced.len() < MAX_ANNOUNCED && announce.file_name.len() <= MAX_ANNOUNCED_NAME {
            let announced = Announced { file_name: announce.file_name.clone(), series: id };
            self.announced.insert(name.clone(), announced);
        }
        (series, name)
    }

    /// An upload: its series, and the name as it was announced, or as it is in the path.
    fn upload(&mut self, resource_name: &str, next: &mut NextSeries) -> (Series, String) {
        let announced = self.announced.get(resource_name);
        let name = announced.map_or(resource_name, |announced| &announced.file_name).to_owned();
        let earlier = announced
            .and_then(|announced| self.earlier.iter().find(|series| series.id == announced.series));
        let series = match (earlier, &self.state) {
            (Some(series), _) | (None, State::Posting(series)) => series.clone(),
            (None, State::LoggedIn) => {
                let series = Series { id: next.take(), text: String::new(), media: None };
                self.state = State::Posting(series.clone());
                series
            }
        };
        (series, name)
    }
}

/// What a step has changed, for those who keep it or wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Sessions that began, changed or ended: [`Sessions::get`] says which.
    pub sessions: Vec<SessionKey>,
    /// Series that have ended: their posts are due.
    pub ended: Vec<SeriesId>,
}

impl Changes {
    fn gone(&mut self, key: SessionKey, session: &Session) {
        self.ended.extend(session.series());
        self.sessions.push(key);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NextSeries(u64);

impl NextSeries {
    fn take(&mut self) -> SeriesId {
        self.0 += 1;
        SeriesId(self.0)
    }
}

/// All there is to remember of sessions, for a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// Every live session.
    pub sessions: Vec<(SessionKey, Session)>,
    /// The number of the last series; those that come are higher.
    pub last_series: SeriesId,
}

/// What bounds sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// So many at a time; the least recently used goes first.
    pub most: usize,
    /// Each ends so long after its last use.
    pub lifetime: Duration,
    /// Whether each may be used from the address of its login only.
    pub bound_to_address: bool,
}

/// All live sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    live: BTreeMap<SessionKey, Session>,
    next_series: NextSeries,
    rules: SessionRules,
}

impl Sessions {
    /// Room for `max` sessions, of which each ends `lifetime` after its last use.
    pub fn new(max: usize, lifetime: Duration) -> Sessions {
        Sessions::restore(max, lifetime, Snapshot::default())
    }

    /// The sessions of a snapshot, under these bounds.
    pub fn restore(max: usize, lifetime: Duration, snapshot: Snapshot) -> Sessions {
        Sessions {
            live: snapshot.sessions.into_iter().collect(),
            next_series: NextSeries(snapshot.last_series.0),
            rules: SessionRules { most: max, lifetime, bound_to_address: false },
        }
    }

    /// From now on these hold. Sessions that are too many by them go when the next one opens.
    pub fn set_rules(&mut self, rules: SessionRules) {
        self.rules = rules;
    }

    /// Whether a session is bound to another address than this one.
    pub fn is_elsewhere(&self, key: &str, from: IpAddr) -> bool {
        let session = self.live.get(&SessionKey::from_wire(key));
        self.rules.bound_to_address && session.is_some_and(|session| session.from != from)
    }

    /// What [`restore`](Sessions::restore) needs to go on as if nothing had happened.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            sessions: self
                .live
                .iter()
                .map(|(key, session)| (key.clone(), session.clone()))
                .collect(),
            last_series: SeriesId(self.next_series.0),
        }
    }

    /// login
    pub fn open(
        &mut self,
        key: SessionKey,
        user: String,
        site: Site,
        from: IpAddr,
        now: UnixTime,
    ) -> Changes {
        let mut changes = self.expire(now);
        while self.live.len() >= self.rules.most.max(1) {
            let oldest = self.live.iter().min_by_key(|(_, session)| session.used_at);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            self.end(oldest, &mut changes);
        }
        self.end(key.clone(), &mut changes);
        let state = State::LoggedIn;
        let (announced, earlier) = (BTreeMap::new(), VecDeque::new());
        let session = Session { user, site, from, used_at: now, state, announced, earlier };
        changes.sessions.push(key.clone());
        self.live.insert(key, session);
        changes
    }

    /// announce: the session, the file's series and the resource name, or `None` if there is no such
    /// session.
    pub fn announce(
        &mut self,
        announce: &Announce,
        now: UnixTime,
    ) -> (Option<(&Session, Series, String)>, Changes) {
        let mut changes = self.expire(now);
        let key = SessionKey::from_wire(&announce.session_key);
        let Some(session) = self.live.get_mut(&key) else { return (None, changes) };
        session.used_at = now;
        let (series, name) = session.announce(announce, &mut self.next_series, &mut changes.ended);
        changes.sessions.push(key);
        (Some((session, series, name)), changes)
    }

    /// upload: the session, the file's series and its name as sent, or `None` if there is no such
    /// session.
    pub fn upload(
        &mut self,
        key: &str,
        resource_name: &str,
        now: UnixTime,
    ) -> (Option<(&Session, Series, String)>, Changes) {
        let mut changes = self.expire(now);
        let key = SessionKey::from_wire(key);
        let Some(session) = self.live.get_mut(&key) else { return (None, changes) };
        session.used_at = now;
        let (series, name) = session.upload(resource_name, &mut self.next_series);
        changes.sessions.push(key);
        (Some((session, series, name)), changes)
    }

    /// logout of one session
    pub fn close(&mut self, key: &str) -> Changes {
        let mut changes = Changes::default();
        self.end(SessionKey::from_wire(key), &mut changes);
        changes
    }

    /// logout of all sessions from an address, or of one user's there
    pub fn close_from(&mut self, from: IpAddr, user: Option<&str>) -> Changes {
        self.end_where(|session| {
            session.from == from && user.is_none_or(|user| session.user == user)
        })
    }

    /// lifetime over
    pub fn expire(&mut self, now: UnixTime) -> Changes {
        let lifetime = self.rules.lifetime;
        self.end_where(|session| now.saturating_since(session.used_at) >= lifetime)
    }

    /// no longer admitted: others go on, under the names by which they are admitted now
    pub fn readmit(&mut self, admission: &Admission) -> Changes {
        let mut renamed = Vec::new();
        let mut changes =
            self.end_where(|session| admission.admit(&session.user, session.from).is_none());
        for (key, session) in &mut self.live {
            if let Some(user) = admission.admit(&session.user, session.from)
                && user.name != session.user
            {
                session.user = user.name;
                renamed.push(key.clone());
            }
        }
        changes.sessions.extend(renamed);
        changes
    }

    /// no longer admitted: all sessions of one user, because the password is another one now
    pub fn close_all_of(&mut self, user: &str) -> Changes {
        self.end_where(|session| session.user == user)
    }

    /// A session, if it is live.
    pub fn get(&self, key: &SessionKey) -> Option<&Session> {
        self.live.get(key)
    }

    /// How many sessions are live.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether no session is live.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    fn end(&mut self, key: SessionKey, changes: &mut Changes) {
        if let Some(session) = self.live.remove(&key) {
            changes.gone(key, &session);
        }
    }

    fn end_where(&mut self, mut over: impl FnMut(&Session) -> bool) -> Changes {
        let mut changes = Changes::default();
        self.live.retain(|key, session| {
            let over = over(session);
            if over {
                changes.gone(key.clone(), session);
            }
            !over
        });
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn key(n: u8) -> SessionKey {
        SessionKey::from_random([n; 16])
    }

    fn opened(sessions: &mut Sessions, n: u8, now: u64) {
        sessions.open(key(n), format!("user{n}"), Site::new("facebook"), HERE, at(now));
    }

    fn announce(n: u8, file_name: &str, content: &str) -> Announce {
        Announce {
            session_key: key(n).as_str().to_owned(),
            media: Media::Photo { album: None },
            file_name: file_name.to_owned(),
            content: content.to_owned(),
        }
    }

    #[test]
    fn every_cell_of_the_table() {
        let new = || Sessions::new(10, Duration::from_secs(100));
        let mut sessions = new();
        let (photo, k) = (announce(1, "a.jpg", "hello"), key(1));
        // (gone)
        assert!(sessions.announce(&photo, at(1)).0.is_none());
        assert!(sessions.upload(k.as_str(), "a.jpg", at(1)).0.is_none());
        sessions.close(k.as_str());
        // LoggedIn × announce, then Posting × announce and upload
        opened(&mut sessions, 1, 1);
        for _ in 0..2 {
            let (session, series, name) = sessions.announce(&photo, at(2)).0.unwrap();
            assert_eq!((series.text.as_str(), name.as_str()), ("hello", "a.jpg"));
            assert_eq!(session.state, State::Posting(series));
        }
        for _ in 0..2 {
            let (session, series, name) = sessions.upload(k.as_str(), "a.jpg", at(3)).0.unwrap();
            assert_eq!((session.user.as_str(), name.as_str()), ("user1", "a.jpg"));
            assert_eq!(series.text, "hello");
            assert_eq!(session.state, State::Posting(series));
        }
        // LoggedIn × upload
        opened(&mut sessions, 2, 3);
        let (session, series, name) = sessions.upload(key(2).as_str(), "b.jpg", at(3)).0.unwrap();
        assert_eq!((series.text.as_str(), &series.media, name.as_str()), ("", &None, "b.jpg"));
        assert_eq!(session.state, State::Posting(series));
        // × logout
        sessions.close(k.as_str());
        assert!(sessions.upload(k.as_str(), "a.jpg", at(4)).0.is_none());
        // × lifetime over, counted from the last use
        assert!(sessions.upload(key(2).as_str(), "b.jpg", at(102)).0.is_some());
        assert!(sessions.upload(key(2).as_str(), "b.jpg", at(202)).0.is_none());
        assert!(sessions.is_empty());
    }

    #[test]
    fn a_series_ends_with_its_text_or_its_session() {
        let mut sessions = Sessions::new(10, Duration::from_secs(100));
        opened(&mut sessions, 1, 1);
        let announced = |sessions: &mut Sessions, text| {
            let (found, changes) = sessions.announce(&announce(1, "a.jpg", text), at(2));
            assert!(changes.sessions.contains(&key(1)));
            (found.unwrap().0.series().unwrap(), changes.ended)
        };
        let (first, ended) = announced(&mut sessions, "one");
        assert_eq!(ended, []);
        assert_eq!(announced(&mut sessions, "one"), (first, vec![]));
        let (second, ended) = announced(&mut sessions, "two");
        assert_eq!(ended, [first]);
        assert_ne!(second, first);
        let (found, changes) = sessions.upload(key(1).as_str(), "a.jpg", at(3));
        assert_eq!((found.unwrap().0.series(), changes.ended), (Some(second), vec![]));
        let changes = sessions.close(key(1).as_str());
        assert_eq!((changes.sessions, changes.ended), (vec![key(1)], vec![second]));
        assert!(sessions.get(&key(1)).is_none());
        // A login with nothing sent has no series; one that expired has.
        opened(&mut sessions, 2, 1);
        assert_eq!(sessions.expire(at(500)).ended, []);
        opened(&mut sessions, 3, 500);
        let (found, _) = sessions.upload(key(3).as_str(), "a.jpg", at(501));
        let third = found.unwrap().0.series().unwrap();
        assert_eq!(sessions.expire(at(601)).ended, [third]);
    }

    #[test]
    fn a_file_keeps_the_text_under_which_it_was_announced() {
        let lifetime = Duration::from_secs(100);
        let mut sessions = Sessions::new(10, lifetime);
        opened(&mut sessions, 1, 1);
        for number in 0..=MAX_EARLIER {
            let announce = announce(1, &format!("{number}.jpg"), &format!("text {number}"));
            sessions.announce(&announce, at(2)).0.unwrap();
        }
        let mut sessions = Sessions::restore(10, lifetime, sessions.snapshot());
        let last = sessions.get(&key(1)).unwrap().series();
        let mut text = |name: &str| {
            let (session, series, _) = sessions.upload(key(1).as_str(), name, at(3)).0.unwrap();
            assert_eq!(session.series(), last, "what is late changes nothing");
            series.text
        };
        // In any order, and again.
        for number in (0..=MAX_EARLIER).chain([0]) {
            assert_eq!(text(&format!("{number}.jpg")), format!("text {number}"));
        }
        assert_eq!(text("unannounced.jpg"), format!("text {MAX_EARLIER}"));
        // Too long ago: a photo under the words of another is better than no photo.
        sessions.announce(&announce(1, "new.jpg", "new"), at(4)).0.unwrap();
        let (_, series, _) = sessions.upload(key(1).as_str(), "0.jpg", at(4)).0.unwrap();
        assert_eq!(series.text, "new");
        // The same name under another text is another file.
        sessions.announce(&announce(1, "1.jpg", "newer"), at(5)).0.unwrap();
        let (_, series, _) = sessions.upload(key(1).as_str(), "1.jpg", at(5)).0.unwrap();
        assert_eq!(series.text, "newer");
    }

    #[test]
    fn a_restart_goes_on_where_it_was() {
        let mut sessions = Sessions::new(10, Duration::from_secs(100));
        opened(&mut sessions, 1, 1);
        let (found, _) = sessions.announce(&announce(1, "a b.jpg", "text"), at(2));
        let series = found.unwrap().0.series();
        let mut restored = Sessions::restore(10, Duration::from_secs(100), sessions.snapshot());
        let (found, _) = restored.upload(key(1).as_str(), "a_b.jpg", at(3));
        let (session, of, name) = found.unwrap();
        assert_eq!((session.series(), Some(of.id), name.as_str()), (series, series, "a b.jpg"));
        let (found, changes) = restored.announce(&announce(1, "c.jpg", "other"), at(4));
        assert_ne!(found.unwrap().0.series(), series, "a number is never used twice");
        assert_eq!(changes.ended, [series.unwrap()]);
    }

    #[test]
    fn names_that_become_the_same_stay_apart() {
        let mut sessions = Sessions::new(10, Duration::from_secs(100));
        opened(&mut sessions, 1, 1);
        let mut name = |sent: &str| sessions.announce(&announce(1, sent, ""), at(1)).0.unwrap().2;
        assert_eq!(name("a b.jpg"), "a_b.jpg");
        assert_eq!(name("a?b.jpg"), "2-a_b.jpg");
        assert_eq!(name("a b.jpg"), "a_b.jpg");
        let long = "x".repeat(100);
        assert_eq!(name(&format!("{long}1.jpg")).len(), MAX_RESOURCE_NAME);
        assert_eq!(name(&format!("y{long}1.jpg")).len(), MAX_RESOURCE_NAME);
        let (_, _, sent) = sessions.upload(key(1).as_str(), "2-a_b.jpg", at(1)).0.unwrap();
        assert_eq!(sent, "a?b.jpg");
    }

    #[test]
    fn the_session_used_longest_ago_makes_room() {
        let mut sessions = Sessions::new(2, Duration::from_secs(100));
        opened(&mut sessions, 1, 1);
        opened(&mut sessions, 2, 2);
        sessions.upload(key(1).as_str(), "x", at(3)).0.unwrap();
        opened(&mut sessions, 3, 4);
        assert_eq!(sessions.len(), 2);
        assert!(sessions.upload(key(2).as_str(), "x", at(5)).0.is_none());
        assert!(sessions.upload(key(1).as_str(), "x", at(5)).0.is_some());
    }

    #[test]
    fn a_logout_without_a_key_ends_what_came_from_there() {
        let mut sessions = Sessions::new(10, Duration::from_secs(100));
        opened(&mut sessions, 1, 1);
        opened(&mut sessions, 2, 1);
        sessions.close_from(Ipv4Addr::new(10, 0, 0, 1).into(), None);
        assert_eq!(sessions.len(), 2);
        sessions.close_from(HERE, Some("user1"));
        assert_eq!(sessions.len(), 1);
        sessions.close_from(HERE, None);
        assert!(sessions.is_empty());
    }

    #[test]
    fn a_bound_session_is_known_at_its_own_address_only() {
        let there = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        let lifetime = Duration::from_secs(100);
        let mut sessions = Sessions::new(10, lifetime);
        opened(&mut sessions, 1, 0);
        let key = key(1);
        assert!(!sessions.is_elsewhere(key.as_str(), there), "not bound");
        sessions.set_rules(SessionRules { most: 10, lifetime, bound_to_address: true });
        assert!(sessions.is_elsewhere(key.as_str(), there));
        assert!(!sessions.is_elsewhere(key.as_str(), HERE));
        assert!(!sessions.is_elsewhere("unknown", there), "that is for others to say");
    }

    #[test]
    fn who_is_no_longer_admitted_is_gone_and_the_others_have_their_new_names() {
        let mut sessions = Sessions::new(10, Duration::from_secs(100));
        (1..=3).for_each(|n| opened(&mut sessions, n, 0));
        sessions.upload(key(1).as_str(), "x", at(1)).0.unwrap();
        let changes = sessions.readmit(&Admission::users(["USER2".to_owned(), "user3".to_owned()]));
        assert_eq!(changes.sessions, [key(1), key(2)], "one has gone, one is spelt anew");
        assert_eq!(changes.ended, [SeriesId(1)]);
        assert_eq!(sessions.get(&key(1)), None);
        assert_eq!(sessions.get(&key(2)).unwrap().user, "USER2");
        assert_eq!(sessions.close_all_of("USER2").sessions, [key(2)]);
        assert_eq!(sessions.len(), 1);
    }
}
