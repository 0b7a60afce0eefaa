//! Which keys a search goes through: for each of the eight little-endian words of a key, the values
//! it may have. Says what is possible; tries nothing.

use std::ops::RangeInclusive;

use super::structure::{CONSTANTS, SEEN_TOP_BYTES};

/// Values that a word may have, in the order in which they are tried.
///
/// Kept as ranges, so that 2³² of them need no memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    runs: Vec<Run>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    first: u32,
    step: u32,
    count: u64,
}

impl Values {
    /// This value and no other.
    pub fn fixed(value: u32) -> Self {
        Self::stepped(value..=value, 1)
    }

    /// The start of `range`, and from there every `step` up to its end. (A `step` of 0 counts as
    /// 1.)
    ///
    /// A pointer to words has a step of 4, one to pages of 4096. A pointer into a library that
    /// Linux loads at a random page has a step of 4096, too, from a start that is the place in the
    /// page. An empty range has no values, and a space with it no keys.
    pub fn stepped(range: RangeInclusive<u32>, step: u32) -> Self {
        let (first, last, step) = (*range.start(), *range.end(), step.max(1));
        let count = last.checked_sub(first).map_or(0, |length| u64::from(length / step) + 1);
        Self { runs: vec![Run { first, step, count }] }
    }

    /// Pointers under [`Aligned`](super::Assumption::Aligned) and
    /// [`SeenTopByte`](super::Assumption::SeenTopByte): 2²³ values.
    pub fn assumed_pointer() -> Self {
        let runs = SEEN_TOP_BYTES.map(|top| {
            let first = u32::from(top) << 24;
            Self::stepped(first..=first | 0x00ff_ffff, 4)
        });
        let [first, second] = runs;
        first.or(second)
    }

    /// These, then `others`. A value in both is tried twice.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        self.runs.extend(others.runs);
        self
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.runs.iter().fold(0, |sum, run| sum.saturating_add(run.count))
    }

    /// Whether `value` is among them.
    pub fn contains(&self, value: u32) -> bool {
        self.runs.iter().any(|run| {
            value.checked_sub(run.first).is_some_and(|distance| {
                distance.is_multiple_of(run.step) && u64::from(distance / run.step) < run.count
            })
        })
    }

    /// The value that is tried after `index` others.
    pub(super) fn get(&self, mut index: u64) -> Option<u32> {
        for run in &self.runs {
            match index.checked_sub(run.count) {
                Some(rest) => index = rest,
                // Both factors are of a value that is at most the end of a range of `u32`s.
                None => return Some(run.first + run.step * index as u32),
            }
        }
        None
    }
}

/// What is known beforehand of one word of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// It has one of these values.
    OneOf(Values),
    /// It has the value of the earlier word with this index, 0 to 6.
    SameAs(usize),
}

impl From<Values> for Word {
    fn from(values: Values) -> Self {
        Self::OneOf(values)
    }
}

/// The keys to be searched: what is known of each word of 32 bytes, read as little-endian words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchSpace {
    words: [Word; 8],
}

impl SearchSpace {
    /// Any space: words 0-3 are the AES key, 4-7 the initialisation vector.
    ///
    /// # Errors
    ///
    /// [`SpaceError`] if a word is to be the same as one that is not before it.
    pub fn new(words: [Word; 8]) -> Result<Self, SpaceError> {
        for (word, known) in words.iter().enumerate() {
            match known {
                Word::SameAs(other) if *other >= word => {
                    return Err(SpaceError { word, same_as: *other });
                }
                Word::SameAs(_) | Word::OneOf(_) => {}
            }
        }
        Ok(Self { words })
    }

    /// The [structure](super#what-is-known) of the published keys, with an initialisation vector
    /// that repeats the AES key, as in the blog's: `key` are the values for bytes 4-7 and 12-15.
    pub fn key_is_iv(key: [Values; 2]) -> Self {
        Self::structure(key.map(Word::OneOf), [Word::SameAs(1), Word::SameAs(3)])
    }

    /// The [structure](super#what-is-known) of the published keys, with an initialisation vector of
    /// its own, as in the talk's: `key` are the values for bytes 4-7 and 12-15, `iv` those for
    /// 20-23 and 28-31.
    pub fn key_and_iv(key: [Values; 2], iv: [Values; 2]) -> Self {
        Self::structure(key.map(Word::OneOf), iv.map(Word::OneOf))
    }

    fn structure([word1, word3]: [Word; 2], [word5, word7]: [Word; 2]) -> Self {
        let [word0, word2] = CONSTANTS.map(|word| Word::OneOf(Values::fixed(word)));
        let (word4, word6) = (word0.clone(), word2.clone());
        Self { words: [word0, word1, word2, word3, word4, word5, word6, word7] }
    }

    /// How many AES keys there are to try; [`u128::MAX`] also for one more than that.
    pub fn aes_keys(&self) -> u128 {
        self.count(0..4)
    }

    /// How many initialisation vectors there are for one AES key; [`u128::MAX`] also for one more.
    pub fn ivs(&self) -> u128 {
        self.count(4..8)
    }

    fn count(&self, words: std::ops::Range<usize>) -> u128 {
        words.fold(1, |product: u128, word| match &self.words[word] {
            Word::OneOf(values) => product.saturating_mul(values.count().into()),
            Word::SameAs(_) => product,
        })
    }

    pub(super) fn word(&self, index: usize) -> &Word {
        &self.words[index]
    }

    /// The value of a word where those before it leave no choice: `key` are words 0-3.
    pub(super) fn determined(&self, index: usize, key: &[u32; 4]) -> Option<u32> {
        match &self.words[index] {
            Word::SameAs(other) => match key.get(*other) {
                Some(value) => Some(*value),
                None => self.determined(*other, key),
            },
            Word::OneOf(values) if values.count() == 1 => values.get(0),
            Word::OneOf(_) => None,
        }
    }
}

/// A word of a [`SearchSpace`] is to be the same as itself, a later one, or none of the eight.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("search space: word {word} cannot be the same as word {same_as}, which is not before it")]
#[non_exhaustive]
pub struct SpaceError {
    /// Index of the word.
    pub word: usize,
    /// Index of the word it is to be the same as.
    pub same_as: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(values: &Values) -> Vec<u32> {
        (0..values.count()).map(|index| values.get(index).unwrap()).collect()
    }

    #[test]
    fn values_are_counted_given_and_recognised_alike() {
        let cases = [
            (Values::fixed(7), vec![7]),
            (Values::stepped(2..=11, 4), vec![2, 6, 10]),
            (Values::stepped(2..=10, 4), vec![2, 6, 10]),
            (Values::stepped(3..=5, 0), vec![3, 4, 5]),
            (Values::stepped(u32::MAX - 1..=u32::MAX, 1), vec![u32::MAX - 1, u32::MAX]),
            (Values::stepped(5..=5, u32::MAX), vec![5]),
            (Values::fixed(9).or(Values::stepped(1..=2, 1)), vec![9, 1, 2]),
        ];
        for (values, expected) in cases {
            assert_eq!(all(&values), expected);
            for value in 0..20 {
                assert_eq!(values.contains(value), expected.contains(&value), "{values:?}");
            }
        }
        // Clippy sees the empty range; a caller's computed bounds may still be one.
        #[allow(clippy::reversed_empty_ranges)]
        let empty = Values::stepped(2..=1, 1);
        assert_eq!((empty.count(), empty.get(0), empty.contains(1)), (0, None, false));
    }

    #[test]
    fn all_words_of_32_bits_are_no_more_work_than_one() {
        let any = Values::stepped(0..=u32::MAX, 1);
        assert_eq!(any.count(), 1 << 32);
        assert_eq!(any.get((1 << 32) - 1), Some(u32::MAX));
        assert_eq!(any.get(1 << 32), None);
        let space = SearchSpace::new(std::array::from_fn(|_| any.clone().into())).unwrap();
        assert_eq!((space.aes_keys(), space.ivs()), (u128::MAX, u128::MAX));
    }

    #[test]
    fn a_word_can_only_repeat_an_earlier_one() {
        let words = |word: usize, same_as: usize| {
            std::array::from_fn(|i| match i == word {
                true => Word::SameAs(same_as),
                false => Values::fixed(0).into(),
            })
        };
        for (word, same_as) in [(0, 0), (3, 4), (7, 7), (7, 8), (2, usize::MAX)] {
            assert_eq!(SearchSpace::new(words(word, same_as)), Err(SpaceError { word, same_as }));
        }
        SearchSpace::new(words(7, 6)).unwrap();
    }

    #[test]
    fn the_published_structure_has_two_or_four_words_to_search() {
        let two = || [Values::assumed_pointer(), Values::assumed_pointer()];
        let space = SearchSpace::key_is_iv(two());
        assert_eq!((space.aes_keys(), space.ivs()), (1 << 46, 1));
        let space = SearchSpace::key_and_iv(two(), two());
        assert_eq!((space.aes_keys(), space.ivs()), (1 << 46, 1 << 46));
    }
}
