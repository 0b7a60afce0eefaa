//! What `weakness` says of the published keys, of keys like them, and of any others.

mod published;

use std::{array, collections::BTreeSet};

use proptest::prelude::*;
use published::{key, published};
use sns_crypto::{
    CryptSessionKey,
    weakness::{self, Assumption, Fit, Origin},
};

// What the documentation says of the published keys.

#[test]
fn two_words_of_either_half_are_equal_in_both_keys() {
    for login in published() {
        let words = login.words();
        for half in [0, 4] {
            assert_eq!((words[half], words[half + 2]), (0xffff_ffff, 0x152));
        }
    }
}

#[test]
fn of_the_other_bytes_three_are_equal_in_both_keys() {
    let [blog, talk] = published();
    let (blog, talk) = (blog.key.as_bytes(), talk.key.as_bytes());
    let pointers = (0..32).filter(|i| i / 4 % 2 == 1);
    let equal: Vec<_> = pointers.filter(|&i| blog[i] == talk[i]).collect();
    assert_eq!(equal, [15, 28, 31]);
    assert_eq!((blog[15], blog[28], blog[31]), (0xb6, 0x00, 0xb6));
}

#[test]
fn the_other_words_are_multiples_of_four_with_one_of_two_highest_bytes() {
    let pointers = published().map(|login| {
        let words = login.words();
        [words[1], words[3], words[5], words[7]]
    });
    let tops: BTreeSet<_> = pointers.as_flattened().iter().map(|word| word >> 24).collect();
    assert_eq!(tops, BTreeSet::from([0xa4, 0xb6]));
    assert!(pointers.as_flattened().iter().all(|word| word % 4 == 0));
    assert!(pointers.iter().all(|pointers| pointers[3] % 4096 == 0), "the last word");
}

#[test]
fn the_halves_are_the_same_in_one_key_and_not_in_the_other() {
    let [blog, talk] = published();
    assert!(blog.key.key_is_iv());
    let (key, iv) = (talk.key.aes_key(), talk.key.iv());
    let equal: Vec<_> = (0..16).filter(|&i| key[i] == iv[i]).collect();
    assert_eq!(equal, [0, 1, 2, 3, 7, 8, 9, 10, 11, 15], "constants and two highest bytes");
    let words = talk.words();
    assert_eq!(words[5] - words[7], 0x1248);
}

// The judgement.

#[test]
fn the_published_keys_fit_and_leave_46_bits_of_aes_key() {
    use Assumption::*;
    let [blog, talk] = published().map(|login| weakness::analyse(&login.key));
    assert_eq!((blog.fit(), talk.fit()), (Fit::Structure, Fit::Structure));
    assert_eq!((blog.aes_key_bits(), blog.iv_bits()), (46, 0));
    assert_eq!((talk.aes_key_bits(), talk.iv_bits()), (46, 46));
    let assumed = |weakness: &weakness::Weakness| weakness.assumptions().collect::<Vec<_>>();
    assert_eq!(assumed(&talk), [Constants, Aligned, Region, SeenTopByte]);
    assert_eq!(assumed(&blog), [Constants, Aligned, Region, SeenTopByte, Repeats]);

    let origins = |weakness: &weakness::Weakness| weakness.bytes().map(|byte| byte.origin);
    use Origin::*;
    let constant = [Constant; 4];
    let pointer = [PointerLow, PointerLow, PointerLow, PointerHigh];
    let half = [constant, pointer, constant, pointer];
    let repeats = [constant, [RepeatsKeyHalf; 4], constant, [RepeatsKeyHalf; 4]];
    assert_eq!(origins(&talk), *[half, half].as_flattened().as_flattened());
    assert_eq!(origins(&blog), *[half, repeats].as_flattened().as_flattened());
    assert_eq!(talk.bytes().map(|byte| byte.bits)[4..8], [6, 8, 8, 1]);
}

#[test]
fn the_summary_says_what_was_found_and_what_was_assumed() {
    let [blog, _] = published();
    let expected = "\
filled like the published keys
bytes  0-3   constant               0 bits
bytes  4-7   pointer               23 bits
bytes  8-11  constant               0 bits
bytes 12-15  pointer               23 bits
bytes 16-19  constant               0 bits
bytes 20-23  repeats the key half   0 bits
bytes 24-27  constant               0 bits
bytes 28-31  repeats the key half   0 bits
left to guess: at most 46 of 128 bits of the AES key, 0 of the IV
if what is equal in both published keys is equal in all
and pointers are multiples of 4
and pointers are from a0000000 to bfffffff
and the highest byte of a pointer is a4 or b6
and the IV repeats words of the AES key";
    assert_eq!(weakness::analyse(&blog.key).to_string(), expected);
}

#[test]
fn a_key_of_another_kind_does_not_fit() {
    let counting = CryptSessionKey::from_bytes(array::from_fn(|i| i as u8));
    let weakness = weakness::analyse(&counting);
    assert_eq!(weakness.fit(), Fit::None);
    assert!(weakness.bytes().iter().all(|b| b.origin == Origin::Unknown && b.bits == 8));
    assert_eq!((weakness.aes_key_bits(), weakness.iv_bits()), (128, 128));
    assert_eq!(weakness.assumptions().count(), 0);
    let summary = weakness.to_string();
    assert!(summary.ends_with("128 of 128 bits of the AES key, 128 of the IV"), "{summary}");

    let zeros = weakness::analyse(&CryptSessionKey::from_bytes([0; 32]));
    assert_eq!((zeros.aes_key_bits(), zeros.iv_bits()), (128, 0), "the second half repeats");
}

#[test]
fn constants_around_something_else_are_told_apart() {
    let [_, talk] = published();
    let mut words = talk.words();
    for (word, bits) in [(0xb699_b7f5, 32), (0x0001_0000, 32), (0xa012_3454, 27)] {
        words[1] = word;
        let weakness = weakness::analyse(&key(words));
        assert_eq!(weakness.fit() == Fit::Structure, bits < 32, "{word:08x}");
        assert_eq!(weakness.fit() == Fit::Constants, bits == 32, "{word:08x}");
        assert_eq!(weakness.aes_key_bits(), bits + 23, "{word:08x}");
    }
    words[2] += 1;
    let weakness = weakness::analyse(&key(words));
    assert_eq!(weakness.fit(), Fit::None);
    assert_eq!(weakness.aes_key_bits(), 96, "no pointers without both constants");
    assert_eq!(weakness.iv_bits(), 46, "the other half stands for itself");
}

/// A pointer under the assumptions, and the bits it is worth.
fn pointer() -> impl Strategy<Value = (u32, u32)> {
    let seen = prop_oneof![Just(0xa4_u32), Just(0xb6)];
    let top = prop_oneof![seen, 0xa0_u32..=0xbf];
    (top, 0_u32..1 << 22).prop_map(|(top, low)| {
        (top << 24 | low << 2, if [0xa4, 0xb6].contains(&top) { 23 } else { 27 })
    })
}

proptest! {
    #[test]
    fn a_key_made_like_the_published_ones_fits(
        [a, b, c, d] in proptest::array::uniform4(pointer()),
    ) {
        let constants = (0xffff_ffff, 0x152);
        let words = [constants.0, a.0, constants.1, b.0, constants.0, c.0, constants.1, d.0];
        let weakness = weakness::analyse(&key(words));
        prop_assert_eq!(weakness.fit(), Fit::Structure);
        prop_assert_eq!(weakness.aes_key_bits(), a.1 + b.1);
        prop_assert!(weakness.iv_bits() <= c.1 + d.1);

        let repeated = [words[0], a.0, words[2], b.0, words[0], a.0, words[2], b.0];
        let weakness = weakness::analyse(&key(repeated));
        prop_assert_eq!((weakness.fit(), weakness.iv_bits()), (Fit::Structure, 0));
    }

    #[test]
    fn any_key_is_judged(words in proptest::array::uniform8(prop_oneof![
        any::<u32>(), Just(0xffff_ffff), Just(0x152), pointer().prop_map(|pointer| pointer.0),
    ])) {
        let weakness = weakness::analyse(&key(words));
        let bits: u32 = weakness.bytes().iter().map(|byte| u32::from(byte.bits)).sum();
        prop_assert_eq!(bits, weakness.aes_key_bits() + weakness.iv_bits());
        for byte in weakness.bytes() {
            prop_assert!(byte.bits == 8 || byte.origin != Origin::Unknown);
            let known = matches!(byte.origin, Origin::Constant | Origin::RepeatsKeyHalf);
            prop_assert_eq!(known, byte.bits == 0);
        }
        prop_assert!(weakness.to_string().lines().count() >= 10);
    }
}
