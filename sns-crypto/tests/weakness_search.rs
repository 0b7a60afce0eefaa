//! The search for a session key, with the key withheld: the published logins, planted keys, limits.

// clippy.toml's `allow-unwrap-in-tests` does not reach a test's helper functions.
#![allow(clippy::unwrap_used)]

mod published;

use proptest::{collection::vec, prelude::*, sample::Index};
use published::{key, published, words};
use sns_crypto::{
    CredentialError, CryptSessionKey, credential,
    weakness::{Plausible, Recovered, Search, SearchError, SearchSpace, State, Values, Word},
};

type Find = (CryptSessionKey, Vec<String>);

fn find(recovered: &Recovered) -> Find {
    (recovered.key().clone(), recovered.texts().map(str::to_owned).collect())
}

/// Every find of a search, to the end of its space.
fn all(search: &mut Search) -> Vec<Find> {
    let finds = search.by_ref().map(|recovered| find(&recovered)).collect();
    assert_eq!(search.step(0).state, State::Exhausted);
    finds
}

fn any_word() -> Values {
    Values::stepped(0..=u32::MAX, 1)
}

/// 2¹⁷ AES keys. Taken for granted: the IV repeats the key; the first pointer is to the start of an
/// arena of glibc's malloc, 16 bytes into a mebibyte, the mebibyte being one of 32; the second is
/// to the start of a page, the page being one of 4096.
#[test]
fn the_blogs_login_opens_without_its_key() {
    let [blog, _] = published();
    let space = SearchSpace::key_is_iv([
        Values::stepped(0xa400_0010..=0xa5ff_ffff, 1 << 20),
        Values::stepped(0xb600_0000..=0xb6ff_ffff, 4096),
    ]);
    assert_eq!((space.aes_keys(), space.ivs()), (1 << 17, 1));
    let mut search = Search::new(space, &blog.sealed(), Plausible::ascii(), u64::MAX).unwrap();
    assert_eq!(all(&mut search), [(blog.key, vec!["f".to_owned(), "p".to_owned()])]);
}

/// 2¹⁶ AES keys, and 2⁴⁶ IVs for each. Taken for granted: where in its page each pointer of the AES
/// key points, and all but eight bits of the page's number; texts of up to eight letters. Nothing
/// but the documented assumptions of the IV.
#[test]
fn the_talks_login_opens_without_its_key_and_without_knowing_the_iv() {
    let [_, talk] = published();
    let space = SearchSpace::key_and_iv(
        [
            Values::stepped(0xb690_07f4..=0xb69f_ffff, 4096),
            Values::stepped(0xb6a0_03fc..=0xb6af_ffff, 4096),
        ],
        [Values::assumed_pointer(), Values::assumed_pointer()],
    );
    assert_eq!((space.aes_keys(), space.ivs()), (1 << 16, 1 << 46));
    let plausible = Plausible::ascii().longest(8);
    let mut search = Search::new(space, &talk.sealed(), plausible, 1 << 26).unwrap();
    assert_eq!(all(&mut search), [(talk.key, vec!["x".to_owned(), "z".to_owned()])]);
}

/// A key of no structure, and two texts sealed with it.
fn sealed(texts: [&str; 2]) -> (CryptSessionKey, [String; 2]) {
    let key = CryptSessionKey::from_bytes(std::array::from_fn(|i| i as u8 * 5 + 1));
    let sealed = texts.map(|text| credential::seal(&key, text).unwrap());
    (key, sealed)
}

/// All words as they are, but for those given.
fn space(key: &CryptSessionKey, unknown: impl IntoIterator<Item = (usize, Values)>) -> SearchSpace {
    let mut known = words(key).map(|word| Word::OneOf(Values::fixed(word)));
    for (word, values) in unknown {
        known[word] = values.into();
    }
    SearchSpace::new(known).unwrap()
}

#[test]
fn behind_the_end_of_the_texts_the_iv_is_read_off() {
    let (key, sealed) = sealed(["me", "1234"]);
    // 2⁹⁶ vectors; a key byte unknown, so that there is something to search.
    let word = words(&key)[2];
    let unknown = [(2, Values::stepped(word & !0xff..=word | 0xff, 1))];
    let space = space(&key, unknown.into_iter().chain((5..8).map(|word| (word, any_word()))));
    assert_eq!(space.ivs(), 1 << 96);
    let plausible = Plausible::ascii().longest(4);
    let mut search =
        Search::new(space, &sealed.each_ref().map(String::as_str), plausible, 10_000).unwrap();
    assert_eq!(all(&mut search), [(key, vec!["me".to_owned(), "1234".to_owned()])]);
}

#[test]
fn letters_under_an_unknown_pointer_stay_open() {
    let (key, sealed) = sealed(["me@example.com", "password"]);
    let word = words(&key)[5];
    let space = space(&key, [(5, Values::stepped(word - 4..=word + 4, 4)), (7, any_word())]);
    let sealed = sealed.each_ref().map(String::as_str);
    // The last word has a text over two bytes of it only, but it is read off from the other value.
    let mut search = Search::new(space, &sealed, Plausible::ascii(), 10_000).unwrap();
    let finds = all(&mut search);
    assert_eq!(finds.len(), 3);
    assert_eq!(finds[1], (key, vec!["me@example.com".to_owned(), "password".to_owned()]));
    for (_, texts) in finds {
        assert_eq!((&texts[0][..4], &texts[0][8..], &texts[1][..4]), ("me@e", "le.com", "pass"));
    }
}

#[test]
fn a_search_can_be_left_and_resumed_and_says_how_far_it_is() {
    let (key, sealed) = sealed(["a", "b"]);
    let word = words(&key)[3];
    let space = space(&key, [(3, Values::stepped(word - 60..=word + 39, 1))]);
    let sealed = sealed.each_ref().map(String::as_str);
    let mut search = Search::new(space, &sealed, Plausible::ascii(), u64::MAX).unwrap();
    let start = search.step(0);
    assert_eq!((start.tried, start.total, start.state), (0, 100, State::Running));
    let some = search.step(30);
    assert_eq!((some.tried, some.state, some.found), (30, State::Running, None));
    let found = search.step(1000);
    assert_eq!((found.tried, found.state), (61, State::Running), "a step ends with a find");
    assert_eq!(found.found.as_ref().map(Recovered::key), Some(&key));
    let end = search.step(1000);
    assert_eq!((end.tried, end.state, end.found), (100, State::Exhausted, None));
    assert_eq!(search.next(), None);
}

#[test]
fn a_search_ends_at_its_limit() {
    let (key, sealed) = sealed(["a", "b"]);
    let sealed = sealed.each_ref().map(String::as_str);
    let space = |values| space(&key, [(3, values)]);
    let mut search = Search::new(space(any_word()), &sealed, Plausible::ascii(), 100).unwrap();
    assert_eq!(search.next(), None);
    let progress = search.step(u64::MAX);
    assert_eq!((progress.tried, progress.total), (100, 1 << 32));
    assert_eq!(progress.state, State::LimitReached);

    // A start above the end: computed bounds may be so.
    let (start, end) = (2, 1);
    let mut search =
        Search::new(space(Values::stepped(start..=end, 1)), &sealed, Plausible::ascii(), 100)
            .unwrap();
    assert_eq!(search.step(1).state, State::Exhausted, "an empty space");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let (key, sealed) = sealed(["a", "b"]);
    let error = |values: &[&str]| {
        Search::new(space(&key, []), values, Plausible::ascii(), 1).map(|_| ()).unwrap_err()
    };
    assert_eq!(error(&[]), SearchError::NothingSealed);
    assert_eq!(error(&["", ""]), SearchError::NothingSealed);
    let cut = CredentialError::Length { found: 3 };
    assert_eq!(error(&[&sealed[0], "AAAA"]), SearchError::Value { index: 1, error: cut });

    let mut search =
        Search::new(space(&key, []), &["", &sealed[1]], Plausible::ascii(), 9).unwrap();
    assert_eq!(all(&mut search), [(key.clone(), vec![String::new(), "b".to_owned()])]);
}

#[test]
fn debug_shows_neither_key_nor_text() {
    let (key, sealed) = sealed(["secret", "secret"]);
    let sealed = sealed.each_ref().map(String::as_str);
    let mut search = Search::new(space(&key, []), &sealed, Plausible::ascii(), 9).unwrap();
    let progress = search.step(9);
    assert!(progress.found.is_some());
    assert!(format!("{progress:?}").contains("Recovered(..)"));
    assert!(!format!("{search:?} {progress:?}").contains("secret"));
}

/// What is known of a word that has the value `word`: it, some values around it, or that an earlier
/// word is the same.
#[derive(Debug, Clone)]
enum Known {
    Fixed,
    Around { step: u32, before: u32, after: u32 },
    SameAs(Index),
}

fn known() -> impl Strategy<Value = Known> {
    let step = prop_oneof![Just(1_u32), Just(4), Just(4096), any::<u32>().prop_map(|s| s.max(1))];
    prop_oneof![
        2 => Just(Known::Fixed),
        3 => (step, 0_u32..3, 0_u32..3)
            .prop_map(|(step, before, after)| Known::Around { step, before, after }),
        2 => any::<Index>().prop_map(Known::SameAs),
    ]
}

/// A key, and a space around it.
fn planted() -> impl Strategy<Value = (CryptSessionKey, SearchSpace)> {
    (any::<[u32; 8]>(), vec(known(), 8)).prop_map(|(mut words, known)| {
        let mut space = Vec::new();
        for (i, known) in known.iter().enumerate() {
            let word = words[i];
            space.push(match known {
                Known::SameAs(index) if i > 0 => {
                    words[i] = words[index.index(i)];
                    Word::SameAs(index.index(i))
                }
                Known::Around { step, before, after } => {
                    let first = word - step * (*before).min(word / step);
                    let last = word + step * (*after).min((u32::MAX - word) / step);
                    Values::stepped(first..=last, *step).into()
                }
                Known::Fixed | Known::SameAs(_) => Values::fixed(word).into(),
            });
        }
        (key(words), SearchSpace::new(space.try_into().unwrap()).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_planted_key_is_found(
        (key, space) in planted(),
        texts in vec("[ -~]{0,8}|[ -~]{0,40}", 1..4),
        steps in 1_u64..50,
    ) {
        let sealed: Vec<_> =
            texts.iter().map(|text| credential::seal(&key, text).unwrap()).collect();
        let sealed: Vec<_> = sealed.iter().map(String::as_str).collect();
        let longest = texts.iter().map(String::len).max().unwrap();
        let search = |plausible| {
            Search::new(space.clone(), &sealed, plausible, u64::MAX).unwrap()
        };

        let finds = all(&mut search(Plausible::ascii()));
        let planted = (key, texts);
        prop_assert!(finds.contains(&planted), "{} finds", finds.len());
        prop_assert!(all(&mut search(Plausible::utf8())).contains(&planted));
        prop_assert!(all(&mut search(Plausible::ascii().longest(longest))).contains(&planted));

        // Every find is one, by the reader of `credential`.
        for (key, texts) in &finds {
            for (text, sealed) in texts.iter().zip(&sealed) {
                prop_assert_eq!(&*credential::open(key, sealed).unwrap(), text);
            }
        }

        // The same in small steps.
        let mut search = search(Plausible::ascii());
        let mut stepped = Vec::new();
        loop {
            let progress = search.step(steps);
            stepped.extend(progress.found.as_ref().map(find));
            if progress.state == State::Exhausted {
                prop_assert_eq!(u128::from(progress.tried), progress.total);
                break;
            }
        }
        prop_assert_eq!(stepped, finds);
    }
}
