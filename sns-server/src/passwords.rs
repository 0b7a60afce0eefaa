//! Passwords of social logins: checked against argon2id hashes, slowly for those who guess.
//!
//! Law: one check at a time, because each takes 19 MiB. Wrong ones slow down the same address and
//! user only, so that nobody can lock out another; no password and no hash is ever shown.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// So many wrong ones are a person's mistakes; after that it takes longer each time.
const FREE_TRIES: u32 = 3;
/// It never takes longer than this; a camera would have given up.
const LONGEST: Duration = Duration::from_secs(30);
/// So many pairs are remembered; the one that failed longest ago is forgotten first.
const MAX_PAIRS: usize = 1024;

/// A hash that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no argon2id hash; make one with `sns-server hash-password`")]
pub struct NoHash;

/// The argon2id hash of a password, as `sns-server hash-password` prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(String);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(..)")
    }
}

impl Hash {
    /// Reads a hash.
    ///
    /// # Errors
    /// [`NoHash`] for anything but argon2id.
    pub fn read(text: &str) -> Result<Hash, NoHash> {
        let parsed = PasswordHash::new(text.trim()).map_err(|_| NoHash)?;
        let is_argon2id = parsed.algorithm.as_str() == Algorithm::Argon2id.as_str();
        is_argon2id.then(|| Hash(text.trim().to_owned())).ok_or(NoHash)
    }

    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// [`NoHash`] if the system has no randomness to give.
    pub fn of(password: &str) -> Result<Hash, NoHash> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
        argon2.hash_password(password.as_bytes()).map(|h| Hash(h.to_string())).map_err(|_| NoHash)
    }

    /// The hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn fits(&self, password: &str) -> bool {
        PasswordHash::new(&self.0)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    }
}

/// The hashes of all users that have one, and who guessed wrong lately.
#[derive(Debug)]
pub struct Passwords {
    hashes: Mutex<BTreeMap<String, Hash>>,
    one_at_a_time: Semaphore,
    wrong: Mutex<HashMap<(IpAddr, String), Wrong>>,
}

#[derive(Debug, Clone, Copy)]
struct Wrong {
    tries: u32,
    last: Instant,
}

impl Passwords {
    /// The passwords of these users.
    pub fn new(hashes: BTreeMap<String, Hash>) -> Passwords {
        let hashes = Mutex::new(hashes);
        Passwords { hashes, one_at_a_time: Semaphore::new(1), wrong: Mutex::default() }
    }

    /// From now on these are the passwords; the users for whom another one holds than before. Who
    /// guessed wrong is remembered.
    pub fn set(&self, new: BTreeMap<String, Hash>) -> Vec<String> {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = new.iter().filter(|(user, hash)| hashes.get(*user) != Some(hash));
        let renewed = renewed.map(|(user, _)| user.clone()).collect();
        *hashes = new;
        renewed
    }

    /// Whether this is the user's password. Takes longer the more often the same address was wrong
    /// about the same user.
    pub async fn is_right(self: &Arc<Self>, user: &str, password: &str, from: IpAddr) -> bool {
        let hash = self.hashes.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned();
        let Some(hash) = hash else { return false };
        let pair = (from, user.to_owned());
        // Counted as wrong until it is known to be right, so that many at once are slowed down too.
        let delay = self.note(&pair);
        tokio::time::sleep(delay).await;
        let Ok(_turn) = self.one_at_a_time.acquire().await else { return false };
        let (password, tried) = (password.to_owned(), hash.clone());
        let right = tokio::task::spawn_blocking(move || hash.fits(&password)).await;
        // Another one may hold by now.
        let hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let right = right.unwrap_or(false) && hashes.get(user) == Some(&tried);
        drop(hashes);
        if right {
            self.wrong.lock().unwrap_or_else(PoisonError::into_inner).remove(&pair);
        }
        right
    }

    /// Counts a try; how long it has to wait.
    fn note(&self, pair: &(IpAddr, String)) -> Duration {
        let now = Instant::now();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= MAX_PAIRS && !wrong.contains_key(pair) {
            let oldest = wrong.iter().min_by_key(|(_, w)| w.last).map(|(pair, _)| pair.clone());
            oldest.map(|oldest| wrong.remove(&oldest));
        }
        let entry = wrong.entry(pair.clone()).or_insert(Wrong { tries: 0, last: now });
        // Whoever has let an hour pass is not guessing.
        if now - entry.last > Duration::from_secs(60 * 60) {
            entry.tries = 0;
        }
        entry.last = now;
        entry.tries = entry.tries.saturating_add(1);
        delay(entry.tries)
    }
}

/// Nothing for the first tries, then 1, 2, 4, … seconds.
fn delay(tries: u32) -> Duration {
    match tries.checked_sub(FREE_TRIES + 1) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1 << more.min(16)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn a_hash_is_argon2id_and_never_shown() {
        let hash = Hash::of("secret").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$"));
        assert_eq!(Hash::read(hash.as_str()), Ok(hash.clone()));
        assert_eq!(format!("{hash:?}"), "Hash(..)");
        for text in [
            "",
            "secret",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
        ] {
            assert_eq!(Hash::read(text), Err(NoHash), "{text:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_ones_slow_down_the_same_address_and_user_only() {
        let hashes = ["me", "you"].map(|user| (user.to_owned(), Hash::of("secret").unwrap()));
        let passwords = Arc::new(Passwords::new(hashes.into()));
        let took = |user: &'static str, password: &'static str, from| {
            let passwords = Arc::clone(&passwords);
            async move {
                let start = Instant::now();
                (passwords.is_right(user, password, from).await, start.elapsed().as_secs())
            }
        };
        for seconds in [0, 0, 0, 1, 2, 4] {
            assert_eq!(took("me", "wrong", HERE).await, (false, seconds));
        }
        assert_eq!(took("you", "secret", HERE).await, (true, 0), "another user");
        assert_eq!(took("me", "secret", THERE).await, (true, 0), "another address");
        assert_eq!(took("me", "secret", HERE).await, (true, 8), "right, but it has to wait");
        assert_eq!(took("me", "wrong", HERE).await, (false, 0), "and then it is forgotten");
        assert_eq!(took("nobody", "secret", HERE).await, (false, 0));
    }

    #[test]
    fn it_never_takes_longer_than_a_camera_waits() {
        assert_eq!(delay(100), LONGEST);
        assert_eq!(delay(u32::MAX), LONGEST);
    }
}
