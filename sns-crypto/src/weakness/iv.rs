//! For one AES key that could be right: the initialisation vectors of the space that make a
//! plausible text of every first block. Word by word; reads a word off where some text has ended.

use std::array;

use zeroize::Zeroize;

use super::{
    plausible::Plausible,
    space::{SearchSpace, Word},
};

/// The first block of one value, after AES, before the initialisation vector is taken off.
#[derive(Clone, Copy)]
pub(super) struct FirstBlock {
    pub(super) decrypted: [u8; 16],
    /// Whether later blocks show that the text goes on, so that it cannot end in this one.
    pub(super) text_follows: bool,
}

impl FirstBlock {
    /// What the block says at `word` under this word of the vector.
    fn text(&self, word: usize, iv: u32) -> [u8; 4] {
        let iv = iv.to_le_bytes();
        array::from_fn(|i| self.decrypted[4 * word + i] ^ iv[i])
    }

    /// The word of the vector under which the block says four NULs at `word`.
    fn nul_iv(&self, word: usize) -> u32 {
        u32::from_le_bytes(array::from_fn(|i| self.decrypted[4 * word + i]))
    }

    /// Whether the block is plausible at the words of the vector that are known.
    pub(super) fn fits(&self, iv: &[Option<u32>; 4], plausible: Plausible) -> bool {
        let mut ended = false;
        let fits = iv.iter().enumerate().all(|(word, iv)| {
            iv.is_none_or(|iv| plausible.fits(&self.text(word, iv), 4 * word, &mut ended))
        });
        fits && !(ended && self.text_follows)
    }

    /// Whether the text has ended before `word`, going by the words of the vector that are known.
    fn ended_before(&self, word: usize, iv: &[Option<u32>; 4], plausible: Plausible) -> bool {
        plausible.ends_before(4 * word)
            || (0..word)
                .any(|earlier| iv[earlier].is_some_and(|iv| self.text(earlier, iv).contains(&0)))
    }
}

/// A walk over the words that are not determined, depth first; it can be left and resumed anywhere.
pub(super) struct IvSearch {
    blocks: Vec<FirstBlock>,
    iv: [Option<u32>; 4],
    /// The words to choose, in this order; the first `level` of them are chosen.
    open: Vec<usize>,
    level: usize,
    /// For each of `open`: how many of its values have been tried with the choices before it.
    tried: [u64; 4],
    done: bool,
}

/// What came of one step.
pub(super) enum Step {
    Found([u32; 4]),
    Continue,
    Done,
}

impl IvSearch {
    /// Starts from what the AES key determines, `iv`, which every block fits.
    pub(super) fn new(blocks: Vec<FirstBlock>, iv: [Option<u32>; 4]) -> Self {
        let open = (0..4).filter(|&word| iv[word].is_none()).collect();
        Self { blocks, iv, open, level: 0, tried: [0; 4], done: false }
    }

    /// Tries one value for one word.
    pub(super) fn step(&mut self, space: &SearchSpace, plausible: Plausible) -> Step {
        if self.done {
            return Step::Done;
        }
        let Some(&word) = self.open.get(self.level) else {
            self.back();
            return Step::Found(self.iv.map(Option::unwrap_or_default));
        };
        self.iv[word] = None;
        let Some(value) = self.choice(space, plausible, word) else {
            self.back();
            return Step::Continue;
        };
        self.tried[self.level] += 1;
        self.iv[word] = Some(value);
        if self.blocks.iter().all(|block| block.fits(&self.iv, plausible)) {
            self.level += 1;
            if let Some(tried) = self.tried.get_mut(self.level) {
                *tried = 0;
            }
        }
        Step::Continue
    }

    /// The next value to try for `word`, if there is one.
    fn choice(&self, space: &SearchSpace, plausible: Plausible, word: usize) -> Option<u32> {
        let tried = self.tried[self.level];
        let only = |value: u32| (tried == 0).then_some(value);
        let values = match space.word(4 + word) {
            // Its word is before this one, and not of the AES key: that would be determined.
            Word::SameAs(other) => return self.iv[other.checked_sub(4)?].and_then(only),
            Word::OneOf(values) => values,
        };
        let ended = self.blocks.iter().find(|block| block.ended_before(word, &self.iv, plausible));
        match ended {
            Some(block) => only(block.nul_iv(word)).filter(|value| values.contains(*value)),
            None => values.get(tried),
        }
    }

    /// Back to the choice before this one, or to the end.
    fn back(&mut self) {
        match self.level.checked_sub(1) {
            Some(level) => self.level = level,
            None => self.done = true,
        }
    }
}

impl Drop for IvSearch {
    fn drop(&mut self) {
        self.blocks.iter_mut().for_each(|block| block.decrypted.zeroize());
        self.iv.zeroize();
    }
}
