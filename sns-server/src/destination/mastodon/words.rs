//! What a status says: the person's text, the camera, the postscript; and which files it holds.
//!
//! Law: nothing here talks to anybody. What does not fit is cut between words and ends in `…`; the
//! camera's line and the postscript give way only when there would be no room for a sentence.

use super::instance::Instance;
use crate::destination::PostFile;
use std::ops::Range;

/// A sentence: less than this for the person's text, and the lines below it are left out.
const SENTENCE: usize = 40;

/// The text of a status, and whether something of the person's text had to be cut.
pub(super) fn compose(
    text: &str,
    camera: Option<&str>,
    postscript: &str,
    instance: &Instance,
) -> (String, bool) {
    let (text, postscript) = (text.trim(), postscript.trim());
    let camera = camera.map(|camera| format!("📷 {camera}")).unwrap_or_default();
    let below: Vec<&str> =
        [camera.as_str(), postscript].into_iter().filter(|line| !line.is_empty()).collect();
    let below = below.join("\n\n");
    let (most, address) = (instance.characters, instance.address);
    if text.is_empty() || below.is_empty() {
        return shortened(if text.is_empty() { &below } else { text }, most, address);
    }
    let needed = length(text, address);
    match most.checked_sub(length(&below, address) + 2) {
        Some(room) if needed <= room || room >= SENTENCE => {
            let (text, cut) = shortened(text, room, address);
            (format!("{text}\n\n{below}"), cut)
        }
        _ => shortened(text, most, address),
    }
}

/// At most `most` characters of a text, and whether it was cut.
pub(super) fn shortened(text: &str, most: usize, address: usize) -> (String, bool) {
    if length(text, address) <= most {
        return (text.to_owned(), false);
    }
    let room = most.saturating_sub(1);
    let mut kept = 0;
    let mut used = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        // The space after the last word is not kept.
        if used + length(word.trim_end(), address) > room {
            break;
        }
        used += length(word, address);
        kept += word.len();
    }
    let kept = match text[..kept].trim_end() {
        // One word that is longer than all there is.
        "" => text.chars().take(room).collect(),
        kept => kept.to_owned(),
    };
    (format!("{kept}…"), true)
}

/// As instances count, or more: an address as `address` characters wherever it is shorter, although
/// GoToSocial and Pixelfed count what is there.
fn length(text: &str, address: usize) -> usize {
    let of = |word: &str| {
        let count = word.chars().count();
        let is_address = word.contains("http://") || word.contains("https://");
        if is_address { count.max(address) } else { count }
    };
    text.split_inclusive(char::is_whitespace).map(of).sum()
}

/// Which files go into which status, in their order: pictures together up to `most`, each video
/// alone, for Mastodon takes one and nothing beside it. Without files there is one status.
pub(super) fn plan(files: &[PostFile], most: usize) -> Vec<Range<usize>> {
    let is_picture = |file: &PostFile| file.media_type.starts_with("image/");
    let mut statuses: Vec<Range<usize>> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        match statuses.last_mut() {
            Some(last) if last.len() < most && files[last.start..=at].iter().all(is_picture) => {
                last.end = at + 1;
            }
            _ => statuses.push(at..at + 1),
        }
        debug_assert!(is_picture(file) || statuses.last().is_some_and(|last| last.len() == 1));
    }
    if statuses.is_empty() {
        statuses.push(0..0);
    }
    statuses
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    fn instance(characters: usize) -> Instance {
        let answer = json!({"configuration": {"statuses": {"max_characters": characters}}});
        Instance::read(&answer, "")
    }

    #[test]
    fn text_camera_and_postscript_are_paragraphs() {
        let of = |text, camera, postscript| compose(text, camera, postscript, &instance(500)).0;
        assert_eq!(
            of(" Sunset ", Some("SAMSUNG NX300"), "#photography"),
            "Sunset\n\n📷 SAMSUNG NX300\n\n#photography"
        );
        assert_eq!(of("", None, "#photography"), "#photography");
        assert_eq!(of("Sunset", None, ""), "Sunset");
        assert_eq!(of("", None, ""), "");
    }

    #[test]
    fn a_long_text_is_cut_between_words_and_keeps_what_is_below() {
        let long = "word ".repeat(100);
        let (text, cut) = compose(&long, Some("NX300"), "#p", &instance(100));
        assert!(cut && text.ends_with("word…\n\n📷 NX300\n\n#p"), "{text}");
        assert!(text.chars().count() <= 100 && text.chars().count() > 90);
        // No room for a sentence: the words of the person come first.
        let (text, cut) = compose(&long, Some("NX300"), "#p", &instance(50));
        assert!(cut && text.ends_with("word…") && text.chars().count() <= 50, "{text}");
        let (text, cut) = compose("Sea", None, "#p", &instance(10));
        assert_eq!((text.as_str(), cut), ("Sea\n\n#p", false));
    }

    #[test]
    fn nothing_is_longer_than_the_limit() {
        for most in 1..60 {
            for text in
                ["aaa bbb ccc ddd eee fff ggg", "ääääääääääääääääääääääääääääääääääää", "a\n\nb c"]
            {
                let (cut, was_cut) = shortened(text, most, 23);
                assert!(cut.chars().count() <= most, "{most}: {cut}");
                assert_eq!(was_cut, cut != text);
            }
        }
        assert_eq!(shortened("aaa bbb ccc", 8, 23).0, "aaa bbb…");
        assert_eq!(shortened("aaa bbb ccc", 7, 23).0, "aaa…");
    }

    #[test]
    fn a_short_address_counts_as_a_long_one() {
        assert_eq!(length("see http://a.de/ now", 23), 4 + 23 + 3);
        assert_eq!(shortened("see http://a.de/ now", 29, 23).0, "see http://a.de/…");
        assert_eq!(shortened("see http://a.de/ now", 27, 23).0, "see…");
    }

    #[test]
    fn files_are_shared_out_in_their_order() {
        let plans = |kinds: &str, most: usize| -> Vec<(usize, usize)> {
            let file = |kind| PostFile {
                path: PathBuf::new(),
                name: String::new(),
                media_type: if kind == 'p' { "image/jpeg" } else { "video/mp4" }.to_owned(),
                length: 1,
                sha256: [0; 32],
                alt_text: String::new(),
            };
            let files: Vec<PostFile> = kinds.chars().map(file).collect();
            plan(&files, most).into_iter().map(|files| (files.start, files.end)).collect()
        };
        assert_eq!(plans("", 4), [(0, 0)]);
        assert_eq!(plans("pppp", 4), [(0, 4)]);
        assert_eq!(plans("ppppp", 4), [(0, 4), (4, 5)]);
        assert_eq!(plans("ppvppv", 4), [(0, 2), (2, 3), (3, 5), (5, 6)]);
        assert_eq!(plans("vv", 4), [(0, 1), (1, 2)]);
        assert_eq!(plans("ppp", 1), [(0, 1), (1, 2), (2, 3)]);
    }
}
