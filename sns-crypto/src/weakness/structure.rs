//! What of one given key is predictable. Judges 32-bit words, as a word is constant or a pointer as
//! a whole; answers in bytes; keeps no byte of the key.

use std::{array, fmt};

use crate::CryptSessionKey;

/// The first and third word of either half, in both published keys.
pub(super) const CONSTANTS: [u32; 2] = [0xffff_ffff, 0x0000_0152];

/// The highest bytes of all pointers in both published keys.
pub(super) const SEEN_TOP_BYTES: [u8; 2] = [0xa4, 0xb6];

/// Something taken for granted when the bits of a key are counted.
///
/// All of them are true of both published keys, except where said otherwise. Two keys prove none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Assumption {
    /// The 16 bytes equal in both published keys are equal in every key.
    Constants,
    /// The words between them are pointers to words: multiples of 4.
    Aligned,
    /// Those pointers are from `a0000000` to `bfffffff`, the top of what 32-bit Linux leaves to a
    /// program when it keeps 1 GiB for itself. (That an NX300's kernel is set so is not known.)
    Region,
    /// Their highest byte is one that was published: `a4` or `b6`.
    SeenTopByte,
    /// A word of the initialisation vector that could be a pointer repeats the word of the AES key
    /// 16 bytes before it. True of one published key, false of the other.
    Repeats,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constants => "what is equal in both published keys is equal in all",
            Self::Aligned => "pointers are multiples of 4",
            Self::Region => "pointers are from a0000000 to bfffffff",
            Self::SeenTopByte => "the highest byte of a pointer is a4 or b6",
            Self::Repeats => "the IV repeats words of the AES key",
        })
    }
}

/// Where a byte of a key seems to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Equal in both published keys, and here.
    Constant,
    /// One of the lower three bytes of a word that looks like a pointer.
    PointerLow,
    /// The highest byte of a word that looks like a pointer.
    PointerHigh,
    /// In the second half: its word equals the word 16 bytes before it (and is no constant).
    RepeatsKeyHalf,
    /// None of these.
    Unknown,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Constant => "constant",
            Self::PointerLow => "pointer, low byte",
            Self::PointerHigh => "pointer, highest byte",
            Self::RepeatsKeyHalf => "repeats the key half",
            Self::Unknown => "unknown",
        })
    }
}

/// One byte of a key: where it seems to come from, and what is left to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyByte {
    /// Where it seems to come from.
    pub origin: Origin,
    /// Bits left to guess, 0 to 8, under [`Weakness::assumptions`].
    pub bits: u8,
}

/// How well a key fits the structure of the published ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fit {
    /// All constants are there, and all words between them look like pointers.
    Structure,
    /// All constants are there, but some word between them does not look like a pointer.
    Constants,
    /// Some constant is missing: filled in some other way, or a key that no camera made.
    None,
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Structure => "filled like the published keys",
            Self::Constants => "has the constants of the published keys, but not only pointers",
            Self::None => "not filled like the published keys",
        })
    }
}

/// What of a key is predictable: the answer of [`analyse`].
///
/// It holds no byte of the key and may be shown. `Display` gives a summary of several lines,
/// without a line end after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakness {
    kinds: [Kind; 8],
    bytes: [KeyByte; CryptSessionKey::LENGTH],
    fit: Fit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Constant,
    Pointer { seen_top_byte: bool },
    Repeats,
    Unknown,
}

/// Finds what is predictable in a key, going by the [structure](super#what-is-known) of the
/// published ones. Any 32 bytes are a key; [`Weakness::fit`] says whether the structure is there.
///
/// A word counts as a pointer only between two constants: by itself one random word in 32 would.
pub fn analyse(key: &CryptSessionKey) -> Weakness {
    let (words, _) = key.as_bytes().as_chunks();
    let words: [u32; 8] = array::from_fn(|i| u32::from_le_bytes(words[i]));
    let is_constant = |i: usize| i.is_multiple_of(2) && words[i] == CONSTANTS[i / 2 % 2];
    let is_pointer = |i: usize| {
        let start = i & 4;
        i % 2 == 1 && is_constant(start) && is_constant(start + 2) && looks_like_pointer(words[i])
    };
    let kinds = array::from_fn(|i| {
        if is_constant(i) {
            Kind::Constant
        } else if i >= 4 && words[i] == words[i - 4] {
            Kind::Repeats
        } else if is_pointer(i) {
            Kind::Pointer { seen_top_byte: SEEN_TOP_BYTES.contains(&top_byte(words[i])) }
        } else {
            Kind::Unknown
        }
    });
    let fit = match (0..8).step_by(2).all(is_constant) {
        true if (1..8).step_by(2).all(is_pointer) => Fit::Structure,
        true => Fit::Constants,
        false => Fit::None,
    };
    Weakness { kinds, bytes: array::from_fn(|i| kinds[i / 4].byte(i % 4)), fit }
}

fn top_byte(word: u32) -> u8 {
    word.to_le_bytes()[3]
}

/// [`Assumption::Aligned`] and [`Assumption::Region`].
fn looks_like_pointer(word: u32) -> bool {
    word.is_multiple_of(4) && (0xa0..=0xbf).contains(&top_byte(word))
}

impl Kind {
    /// The byte at `place` of such a word, 0 the lowest.
    fn byte(self, place: usize) -> KeyByte {
        let (origin, bits) = match (self, place) {
            (Self::Constant, _) => (Origin::Constant, 0),
            (Self::Repeats, _) => (Origin::RepeatsKeyHalf, 0),
            (Self::Unknown, _) => (Origin::Unknown, 8),
            // Two bits of 0: a multiple of 4.
            (Self::Pointer { .. }, 0) => (Origin::PointerLow, 6),
            (Self::Pointer { .. }, 1 | 2) => (Origin::PointerLow, 8),
            // One of two; one of a0 to bf.
            (Self::Pointer { seen_top_byte: true }, _) => (Origin::PointerHigh, 1),
            (Self::Pointer { seen_top_byte: false }, _) => (Origin::PointerHigh, 5),
        };
        KeyByte { origin, bits }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Pointer { .. } => "pointer",
            Self::Repeats => "repeats the key half",
            Self::Unknown => "unknown",
        }
    }
}

impl Weakness {
    /// Each byte of the key, in order.
    pub fn bytes(&self) -> &[KeyByte; CryptSessionKey::LENGTH] {
        &self.bytes
    }

    /// How well the key fits the structure of the published ones.
    pub fn fit(&self) -> Fit {
        self.fit
    }

    /// Bits left to guess of the AES key (bytes 0-15), at most 128.
    ///
    /// An upper bound under [`assumptions`](Self::assumptions): whoever makes exactly these needs
    /// no more than 2 to this power of tries. It is fewer if the pointers depend on each other,
    /// which nobody has looked into; and a search that assumes what is not so finds nothing.
    ///
    /// This is what protects the credentials: the IV need not be searched for wherever a text ends
    /// ([why](super#searching-for-a-key-why-its-second-half-is-free)).
    pub fn aes_key_bits(&self) -> u32 {
        bits(&self.bytes[..16])
    }

    /// Bits left to guess of the initialisation vector (bytes 16-31) once the AES key is known, at
    /// most 128. An upper bound, as [`aes_key_bits`](Self::aes_key_bits) is.
    pub fn iv_bits(&self) -> u32 {
        bits(&self.bytes[16..])
    }

    /// What the bits were counted under: true of this key, but to be known beforehand by whoever
    /// searches for it.
    pub fn assumptions(&self) -> impl Iterator<Item = Assumption> {
        let any = |wanted: fn(&Kind) -> bool| self.kinds.iter().any(wanted);
        let pointer = any(|kind| matches!(kind, Kind::Pointer { .. }));
        [
            (Assumption::Constants, any(|kind| *kind == Kind::Constant)),
            (Assumption::Aligned, pointer),
            (Assumption::Region, pointer),
            (
                Assumption::SeenTopByte,
                any(|kind| matches!(kind, Kind::Pointer { seen_top_byte: true })),
            ),
            (Assumption::Repeats, any(|kind| *kind == Kind::Repeats)),
        ]
        .into_iter()
        .filter_map(|(assumption, made)| made.then_some(assumption))
    }
}

fn bits(bytes: &[KeyByte]) -> u32 {
    bytes.iter().map(|byte| u32::from(byte.bits)).sum()
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.fit)?;
        for (i, kind) in self.kinds.iter().enumerate() {
            let (first, last) = (4 * i, 4 * i + 3);
            let bits = bits(&self.bytes[first..=last]);
            writeln!(f, "bytes {first:>2}-{last:<2}  {:<20}  {bits:>2} bits", kind.name())?;
        }
        let (aes_key, iv) = (self.aes_key_bits(), self.iv_bits());
        write!(f, "left to guess: at most {aes_key} of 128 bits of the AES key, {iv} of the IV")?;
        for (i, assumption) in self.assumptions().enumerate() {
            write!(f, "{}{assumption}", if i == 0 { "\nif " } else { "\nand " })?;
        }
        Ok(())
    }
}
