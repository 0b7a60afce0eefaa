//! What an instance says of itself: what it takes, and which software it is.
//!
//! Law: what it does not say, or says as zero, is what Mastodon would say.

use crate::destination::picture::Bounds;
use serde_json::Value;

const MIB: u64 = 1024 * 1024;

/// An instance's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    /// Files in a status.
    pub(super) files: usize,
    /// Characters in a status.
    pub(super) characters: usize,
    /// As how many characters an address counts.
    pub(super) address: usize,
    /// Characters of an alt text.
    pub(super) alt_text: usize,
    /// What it takes as a picture.
    pub(super) picture: Bounds,
    /// How long a video may be, in bytes.
    pub(super) video: u64,
    /// Its name in accounts: `photog.social`.
    pub(super) domain: String,
    /// Pixelfed is another place than it seems: a reply there is a comment, whose pictures nobody
    /// sees, and scopes are only `read` and `write`.
    pub(super) is_pixelfed: bool,
}

impl Instance {
    /// From the answer of `/api/v2/instance` or `/api/v1/instance`; `host` is where it was asked.
    pub(super) fn read(answer: &Value, host: &str) -> Instance {
        let number = |pointer: &str| answer.pointer(pointer)?.as_u64().filter(|&n| n > 0);
        let count = |pointer| number(pointer).and_then(|n| usize::try_from(n).ok());
        let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_pixelfed = text("version").to_lowercase().contains("pixelfed");
        // v1 has `uri`, which GoToSocial gives with https://.
        let name = [text("domain"), text("uri")].into_iter().find(|name| !name.is_empty());
        let name = name.unwrap_or(host).trim_start_matches("https://").trim_end_matches('/');
        let pixels = number("/configuration/media_attachments/image_matrix_limit");
        Instance {
            files: count("/configuration/statuses/max_media_attachments").unwrap_or(4),
            characters: count("/configuration/statuses/max_characters")
                .or(count("/max_toot_chars"))
                .unwrap_or(500),
            address: count("/configuration/statuses/characters_reserved_per_url").unwrap_or(23),
            alt_text: count("/configuration/media_attachments/description_limit")
                .or(count("/description_limit"))
                .unwrap_or(if is_pixelfed { 1000 } else { 1500 }),
            picture: Bounds {
                bytes: number("/configuration/media_attachments/image_size_limit")
                    .unwrap_or(16 * MIB),
                pixels: Some(pixels.unwrap_or(33_177_600)),
            },
            video: number("/configuration/media_attachments/video_size_limit").unwrap_or(99 * MIB),
            domain: name.to_owned(),
            is_pixelfed,
        }
    }

    /// In a few words for people.
    pub(super) fn in_words(&self) -> String {
        format!(
            "{} files a status, pictures up to {}, videos up to {}, {} characters",
            self.files,
            size(self.picture.bytes),
            size(self.video),
            self.characters
        )
    }
}

/// `16 MB`, where a megabyte is what the instance takes for one.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..MIB => format!("{} kB", bytes / 1024),
        _ => format!("{} MB", bytes / MIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_instance_that_says_nothing_is_like_mastodon() {
        for answer in
            [json!({}), json!([]), json!({"configuration": {"statuses": {"max_characters": 0}}})]
        {
            let instance = Instance::read(&answer, "photog.social");
            assert_eq!((instance.files, instance.characters, instance.alt_text), (4, 500, 1500));
            assert_eq!(instance.domain, "photog.social");
            let words =
                "4 files a status, pictures up to 16 MB, videos up to 99 MB, 500 characters";
            assert_eq!(instance.in_words(), words);
        }
    }

    #[test]
    fn limits_are_read_in_both_versions() {
        let answer = json!({
            "domain": "photog.social",
            "version": "4.4.1",
            "configuration": {
                "statuses": {"max_characters": 1000, "max_media_attachments": 6, "characters_reserved_per_url": 23},
                "media_attachments": {"description_limit": 3000, "image_size_limit": 5_242_880,
                    "image_matrix_limit": 16_777_216, "video_size_limit": 41_943_040}
            }
        });
        let instance = Instance::read(&answer, "www.photog.social");
        assert_eq!((instance.files, instance.characters, instance.alt_text), (6, 1000, 3000));
        assert_eq!(instance.picture, Bounds { bytes: 5_242_880, pixels: Some(16_777_216) });
        assert_eq!((instance.video, instance.is_pixelfed), (41_943_040, false));

        let answer = json!({"uri": "https://pixel.example/", "max_toot_chars": 2000,
            "version": "3.5.3 (compatible; Pixelfed 0.12.4)"});
        let instance = Instance::read(&answer, "pixel.example");
        assert_eq!((instance.characters, instance.alt_text), (2000, 1000));
        assert!(instance.is_pixelfed);
        assert_eq!(instance.domain, "pixel.example");
    }
}
