//! The search for a withheld session key. Bounded, resumable, deterministic; the caller drives it.
//! One AES key after another is put to [`FirstBlock::fits`]; few get further.

use std::{array, fmt, iter::FusedIterator};

use aes::cipher::{BlockCipherDecrypt, KeyInit};
use zeroize::Zeroizing;

use super::{
    iv::{FirstBlock, IvSearch, Step},
    plausible::Plausible,
    space::{SearchSpace, Word},
};
use crate::{CredentialError, CryptSessionKey, credential};

/// A search for the session key with which some values were sealed.
///
/// [`step`](Self::step) goes on for a given number of tests, so that the caller can show progress
/// and stop when it likes. As an iterator it goes on to the next find. The same arguments give the
/// same finds in the same order, whatever the steps.
///
/// What it decrypts is wiped on drop, and `Debug` does not show it.
pub struct Search {
    space: SearchSpace,
    /// The encrypted blocks of each value.
    sealed: Vec<Vec<[u8; 16]>>,
    plausible: Plausible,
    limit: u64,
    tests: u64,
    tried: u64,
    /// Which value each word of the AES key has next; none after the last key.
    upcoming: Option<[u64; 4]>,
    /// The AES key whose initialisation vectors are being tried.
    within: Option<(Zeroizing<[u32; 4]>, IvSearch)>,
}

/// How far a search is, and what the last step found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Progress {
    /// AES keys tried so far.
    pub tried: u64,
    /// AES keys in the space ([`SearchSpace::aes_keys`]).
    pub total: u128,
    /// What was found in this step. A step ends with its first find; there may be more.
    pub found: Option<Recovered>,
    /// Whether there is more to do.
    pub state: State,
}

/// Whether a search can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// There is more to try.
    Running,
    /// Every key of the space was tried.
    Exhausted,
    /// The limit of tests was reached before the end of the space.
    LimitReached,
}

/// A key that the search found, and what it opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Recovered {
    key: CryptSessionKey,
    texts: Vec<Zeroizing<String>>,
}

impl Recovered {
    /// The session key. A plausible one: whether it is the right one is for the reader of the texts
    /// to say.
    pub fn key(&self) -> &CryptSessionKey {
        &self.key
    }

    /// The texts of the values, in the order in which these were given.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| text.as_str())
    }
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recovered(..)")
    }
}

impl Search {
    /// Starts a search for the key in `space` under which every one of `sealed` opens to a
    /// plausible text.
    ///
    /// `sealed` are values of `UserName` and `Password` as they stand in the XML, sealed with the
    /// same key; two tell far more than one. An empty value opens to an empty text and tells
    /// nothing.
    ///
    /// The search ends after `limit` tests: AES keys tried, and values tried for words of the
    /// initialisation vector where those are not determined.
    ///
    /// # Errors
    ///
    /// [`SearchError::Value`] if a value is not sealed text, [`SearchError::NothingSealed`] if
    /// there is none that is not empty.
    pub fn new(
        space: SearchSpace,
        sealed: &[&str],
        plausible: Plausible,
        limit: u64,
    ) -> Result<Self, SearchError> {
        let blocks = |(index, value): (usize, &&str)| match credential::sealed_bytes(value) {
            Ok(bytes) => Ok(bytes.as_chunks().0.to_vec()),
            Err(error) => Err(SearchError::Value { index, error }),
        };
        let sealed = sealed.iter().enumerate().map(blocks).collect::<Result<Vec<_>, _>>()?;
        if sealed.iter().all(Vec::is_empty) {
            return Err(SearchError::NothingSealed);
        }
        let upcoming = (space.aes_keys() > 0).then_some([0; 4]);
        Ok(Self { space, sealed, plausible, limit, tests: 0, tried: 0, upcoming, within: None })
    }

    /// Goes on for `tests` tests, or to the next find, the end of the space, or the limit.
    ///
    /// A test takes well under a microsecond in a release build where the processor has AES
    /// instructions.
    pub fn step(&mut self, tests: u64) -> Progress {
        let last = self.tests.saturating_add(tests).min(self.limit);
        let mut found = None;
        while found.is_none() && self.tests < last && self.remains() {
            self.tests += 1;
            found = self.test();
        }
        let state = match self.remains() {
            false => State::Exhausted,
            true if self.tests == self.limit => State::LimitReached,
            true => State::Running,
        };
        Progress { tried: self.tried, total: self.space.aes_keys(), found, state }
    }

    fn remains(&self) -> bool {
        self.upcoming.is_some() || self.within.is_some()
    }

    fn test(&mut self) -> Option<Recovered> {
        let Some((key, ivs)) = &mut self.within else {
            let key = self.next_key()?;
            self.tried += 1;
            self.within = self.try_key(&key).map(|ivs| (Zeroizing::new(key), ivs));
            return None;
        };
        match ivs.step(&self.space, self.plausible) {
            Step::Found(iv) => {
                let key = **key;
                self.open(key, iv)
            }
            Step::Continue => None,
            Step::Done => {
                self.within = None;
                None
            }
        }
    }

    /// The words of the next AES key. The last word changes fastest.
    fn next_key(&mut self) -> Option<[u32; 4]> {
        let indices = self.upcoming?;
        let mut following = indices;
        let mut key = [0; 4];
        for word in 0..4 {
            key[word] = match self.space.word(word) {
                Word::OneOf(values) => values.get(indices[word])?,
                Word::SameAs(other) => key[*other],
            };
        }
        let advanced = (0..4).rev().any(|word| {
            following[word] += 1;
            let count = match self.space.word(word) {
                Word::OneOf(values) => values.count(),
                Word::SameAs(_) => 1,
            };
            let more = following[word] < count;
            if !more {
                following[word] = 0;
            }
            more
        });
        self.upcoming = advanced.then_some(following);
        Some(key)
    }

    /// The vectors to be tried with an AES key, if the values allow it to be right.
    fn try_key(&self, key: &[u32; 4]) -> Option<IvSearch> {
        let iv = array::from_fn(|word| self.space.determined(4 + word, key));
        let cipher = aes::Aes128Dec::new(&half(key).into());
        let mut first_blocks = Vec::new();
        for blocks in &self.sealed {
            let decrypt = |block: &[u8; 16]| -> [u8; 16] {
                let mut block = (*block).into();
                cipher.decrypt_block(&mut block);
                block.into()
            };
            let Some(first) = blocks.first() else { continue };
            let mut first = FirstBlock { decrypted: decrypt(first), text_follows: false };
            if !first.fits(&iv, self.plausible) {
                return None;
            }
            let mut ended = false;
            for (i, pair) in blocks.windows(2).enumerate() {
                let decrypted = decrypt(&pair[1]);
                let text: [u8; 16] = array::from_fn(|byte| decrypted[byte] ^ pair[0][byte]);
                if !self.plausible.fits(&text, 16 * (i + 1), &mut ended) {
                    return None;
                }
                first.text_follows |= text[0] != 0;
            }
            // Once more, as the later blocks may rule out that the text ends in this one.
            if first.text_follows && !first.fits(&iv, self.plausible) {
                return None;
            }
            first_blocks.push(first);
        }
        Some(IvSearch::new(first_blocks, iv))
    }

    /// Opens the values as any reader would, which is the last test.
    fn open(&self, key: [u32; 4], iv: [u32; 4]) -> Option<Recovered> {
        let mut bytes = Zeroizing::new([0; CryptSessionKey::LENGTH]);
        bytes[..16].copy_from_slice(&half(&key));
        bytes[16..].copy_from_slice(&half(&iv));
        let key = CryptSessionKey::from_bytes(*bytes);
        let text = |blocks: &Vec<[u8; 16]>| {
            let text =
                credential::Opener::new(&key).open_bytes(Zeroizing::new(blocks.concat())).ok()?;
            self.plausible.accepts(&text).then_some(text)
        };
        let texts = self.sealed.iter().map(text).collect::<Option<_>>()?;
        Some(Recovered { key, texts })
    }
}

/// Four little-endian words as bytes.
fn half(words: &[u32; 4]) -> [u8; 16] {
    array::from_fn(|i| words[i / 4].to_le_bytes()[i % 4])
}

impl Iterator for Search {
    type Item = Recovered;

    /// Goes on to the next find; none at the end of the space or at the limit.
    fn next(&mut self) -> Option<Recovered> {
        self.step(u64::MAX).found
    }
}

impl FusedIterator for Search {}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("space", &self.space)
            .field("plausible", &self.plausible)
            .field("limit", &self.limit)
            .field("tried", &self.tried)
            .finish_non_exhaustive()
    }
}

/// Why a search cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A value is not what a camera seals: wrong percent-encoding, base64 or length.
    #[error("value {index}: {error}")]
    Value {
        /// Its index among those given.
        index: usize,
        /// What is wrong with it.
        #[source]
        error: CredentialError,
    },
    /// No value was given, or only empty ones: nothing could tell a right key from a wrong one.
    #[error("search: no value to open")]
    NothingSealed,
}
