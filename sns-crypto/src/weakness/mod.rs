//! How little of a session key has to be guessed: what is predictable, and a search for the rest.
//!
//! No attack needs this, as the cameras send the key in clear. It answers what would be left of the
//! scheme if they did not.
//!
//! # What is known
//!
//! The marks: \[S] stated by Georg Lukas (blog, talk); \[V] seen in the published keys and checked
//! by `tests/weakness.rs`; \[I] inferred here, and possibly wrong.
//!
//! The key comes from a function `secureRandom()`: `rand()` seeded with `time()`, of which 40
//! "random" bytes are really the contents of the call stack \[S]. Two keys are published, both from
//! an NX300, read here as little-endian words \[V]:
//!
//! ```text
//!  bytes   0-3      4-7      8-11     12-15  │ 16-19    20-23    24-27    28-31
//!         AES key                            │ initialisation vector
//!  blog   ffffffff a4c00010 00000152 b607f000│ffffffff a4c00010 00000152 b607f000
//!  talk   ffffffff b699b7f4 00000152 b6a2b3fc│ffffffff b6042248 00000152 b6041000
//! ```
//!
//! - Equal in both keys, and in both halves of each: the words `ffffffff` and `00000152`. That is
//!   16 of 32 bytes \[V]. What they mean is unknown.
//! - Of the other 16 bytes three are equal in both keys: 15, 28 and 31 (`b6`, `00`, `b6`) \[V].
//!   They lie in what look like pointers, so this is taken for coincidence, not for a constant
//!   \[I].
//! - The other words look like pointers \[I]: every one is a multiple of 4, and the highest byte is
//!   `b6` or, in one word and its repetition, `a4` \[V]. An NX300 runs Linux \[S]; where that has 32
//!   bits, libraries, thread stacks and large allocations are there, and `a4c00010` would be the
//!   start of an arena of glibc's `malloc`, 16 bytes into a mebibyte \[I].
//! - The last word is a multiple of 4096 in both keys; in the blog's key it repeats bytes 12-15
//!   \[V].
//! - In the blog's key the second half repeats the first. In the talk's key it does so in the
//!   constants and in the highest byte of either pointer only; there bytes 20-23 and 28-31 are less
//!   than 8 KiB apart \[V].
//!
//! Unknown: what `rand()` has to do with it, as these words leave no byte that would look like its
//! output; which 32 of the 40 bytes are used; what other firmware or another camera gives. Two
//! keys, perhaps from one camera, cannot tell a law from a coincidence. What follows therefore
//! names what it takes for granted: [`Assumption`].
//!
//! # Judging a key
//!
//! ```
//! use sns_crypto::{CryptSessionKey, weakness::{self, Fit, Origin}};
//!
//! let key = CryptSessionKey::from_base64("//////S3mbZSAQAA/LOitv////9IIgS2UgEAAAAQBLY=")?;
//! let weakness = weakness::analyse(&key);
//! assert_eq!(weakness.fit(), Fit::Structure);
//! assert_eq!(weakness.bytes()[0].origin, Origin::Constant);
//! assert_eq!((weakness.aes_key_bits(), weakness.iv_bits()), (46, 46)); // not 128 and 128
//! # Ok::<(), sns_crypto::SessionKeyError>(())
//! ```
//!
//! # Searching for a key: why its second half is free
//!
//! With `D` the AES decryption of one block under the first half of the key, CBC says
//!
//! ```text
//! text₁ = D(sealed₁) ⊕ IV        text₂ = D(sealed₂) ⊕ sealed₁        and so on
//! ```
//!
//! - From the second block on the IV plays no part: a long value tests an AES key alone.
//! - In a first block, too, what is known of the IV (its constants, words that repeat the key)
//!   shows the text at those places, which is there or is not: with `ffffffff` and `00000152` eight
//!   bytes of text for each AES key, whatever the IV's pointers are.
//! - Once a text has ended, NULs follow, and from `0 = D(sealed₁) ⊕ IV` the IV is read off, not
//!   searched. Two values of one login have the same IV, which falls out of
//!   `D(user₁) ⊕ D(password₁) = user ⊕ password`: behind the end of both texts this is 0 for the
//!   right AES key, even if nothing is known of the IV.
//!
//! Hence only the AES key is searched: two words, 2⁴⁶ candidates under all assumptions. One core
//! with AES instructions tries some six million a second: four months for all of them, seconds for
//! 2²⁶. Candidates for a word of the IV are gone through only where *all* values still have text,
//! and only for the AES keys that pass. There no search can decide: when the user name has 14
//! letters and the password 8, the IV's first pointer covers letters 4-7 of both, and every
//! candidate for it that leaves eight printable letters is a find. Finds therefore come one by one.
//!
//! # How sure a find is
//!
//! All that tells a right key is that texts look like texts ([`Plausible`]). By chance a byte is
//! NUL once in 256 times, printable ASCII 95 times. If one-block texts have up to `n` letters, a
//! wrong key and IV fit one value once in about 2^(128 - 6.6 `n`) times, and two values in the
//! square of that. So two values single out one of 2⁴⁶ keys, if the IV repeats the key, for `n` up
//! to 15; with another 2⁴⁶ IVs for each, for `n` up to 12. Beyond that wrong keys are found beside
//! the right one: say with [`Plausible::longest`] what you know. A value of two blocks or more adds
//! its second block, which no IV blurs.
//!
//! ```
//! use sns_crypto::weakness::{Plausible, Search, SearchSpace, State, Values};
//!
//! // The talk's login without its CryptSessionKey. Taken for granted: where in its page each
//! // pointer of the AES key points, and the page itself but for eight bits. The IV: any pointers
//! // with the highest byte a4 or b6.
//! let space = SearchSpace::key_and_iv(
//!     [
//!         Values::stepped(0xb690_07f4..=0xb69f_ffff, 4096),
//!         Values::stepped(0xb6a0_03fc..=0xb6af_ffff, 4096),
//!     ],
//!     [Values::assumed_pointer(), Values::assumed_pointer()],
//! );
//! let sealed = ["uFK%2Fz%2BkEchpulalnJr1rBw%3D%3D", "ob7Ue7q%2BkUSZFffy3%2BVfiQ%3D%3D"];
//! let mut search = Search::new(space, &sealed, Plausible::ascii().longest(8), 1 << 20)?;
//! let found = loop {
//!     let progress = search.step(10_000); // then show progress.tried of progress.total
//!     assert_eq!(progress.total, 1 << 16);
//!     match (progress.found, progress.state) {
//!         (None, State::Running) => continue,
//!         (found, _) => break found,
//!     }
//! };
//! let found = found.expect("it is in there");
//! assert_eq!(found.texts().collect::<Vec<_>>(), ["x", "z"]);
//! assert_eq!(found.key().to_base64(), "//////S3mbZSAQAA/LOitv////9IIgS2UgEAAAAQBLY=");
//! # Ok::<(), sns_crypto::weakness::SearchError>(())
//! ```

mod iv;
mod plausible;
mod search;
mod space;
mod structure;

pub use plausible::Plausible;
pub use search::{Progress, Recovered, Search, SearchError, State};
pub use space::{SearchSpace, SpaceError, Values, Word};
pub use structure::{Assumption, Fit, KeyByte, Origin, Weakness, analyse};
