//! Mails have a size limit; this says which files go into which mail, and how small.
//!
//! Law: the same post and the same limit give the same cut. What is guessed of a mail's size is never
//! less than it becomes.

use crate::destination::Post;
use bytesize::ByteSize;
use serde::Deserialize;

/// What is done with a post that is too large for one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TooLarge {
    /// Its pictures are made smaller.
    #[default]
    Downscale,
    /// It becomes several mails.
    Split,
    /// It waits for a person.
    Fail,
}

/// What goes into which mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) mails: Vec<Vec<Item>>,
    /// What goes into none, and why.
    pub(super) left_out: Vec<String>,
}

/// A file of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    /// Which of the post's files.
    pub(super) file: usize,
    /// It has to be made as small as this.
    pub(super) most: Option<u64>,
}

/// A picture smaller than this shows nothing.
const LEAST: u64 = 30_000;
/// A mail's header without what depends on the post.
const HEADER: u64 = 4_000;
/// The header of a part, without its name.
const PART: u64 = 500;
/// Base64 as mails have it: 57 bytes make a line of 76 characters and its end.
const LINE: (u64, u64) = (57, 78);

/// Cuts a post.
pub(super) fn plan(
    post: &Post,
    recipients: usize,
    limit: u64,
    too_large: TooLarge,
) -> Result<Plan, String> {
    // Names and texts may be encoded, three characters for a byte.
    let words = post.typed.len() + post.title.as_ref().map_or(0, String::len);
    let alt_texts: usize = post.files.iter().map(|f| f.alt_text.len() + f.name.len()).sum();
    let header = HEADER + 4 * (words + alt_texts) as u64 + 1000 * recipients as u64;
    let part = |file: usize| PART + 4 * post.files[file].name.len() as u64;
    let encoded = |file: usize| part(file) + post.files[file].length.div_ceil(LINE.0) * LINE.1;
    let whole = |file| Item { file, most: None };
    let all = 0..post.files.len();
    if header + all.clone().map(encoded).sum::<u64>() <= limit {
        return Ok(Plan { mails: vec![all.map(whole).collect()], left_out: Vec::new() });
    }
    let limits = format!("mails to this server may have {}", ByteSize(limit));
    match too_large {
        TooLarge::Fail => Err(format!("too large: {limits}; set too_large or send fewer")),
        TooLarge::Downscale => {
            let room = limit.saturating_sub(header + all.clone().map(part).sum::<u64>());
            let room = room / LINE.1 * LINE.0;
            let lengths: Vec<_> = post.files.iter().map(|f| (f.length, is_scalable(f))).collect();
            let most = share(&lengths, room).ok_or_else(|| {
                format!(
                    "too large even with smaller pictures: {limits}; set too_large = \"split\" or \
                     send fewer"
                )
            })?;
            let smaller = |file: usize| {
                let (length, scalable) = lengths[file];
                Item { file, most: (scalable && length > most).then_some(most) }
            };
            Ok(Plan { mails: vec![all.map(smaller).collect()], left_out: Vec::new() })
        }
        TooLarge::Split => {
            let mut plan = Plan { mails: Vec::new(), left_out: Vec::new() };
            let mut room = 0;
            for file in all {
                let needed = encoded(file);
                if header + needed > limit {
                    let name = &post.files[file].name;
                    plan.left_out.push(format!("{name:?} is too large for a mail: {limits}"));
                    continue;
                }
                if plan.mails.is_empty() || needed > room {
                    plan.mails.push(Vec::new());
                    room = limit - header;
                }
                room -= needed;
                plan.mails.last_mut().into_iter().for_each(|mail| mail.push(whole(file)));
            }
            match plan.mails.is_empty() {
                true => Err(plan.left_out.join("; ")),
                false => Ok(plan),
            }
        }
    }
}

fn is_scalable(file: &crate::destination::PostFile) -> bool {
    file.media_type == "image/jpeg"
}

/// What each picture may have at most so that all have room: small ones leave theirs to the others.
fn share(lengths: &[(u64, bool)], room: u64) -> Option<u64> {
    let fixed: u64 = lengths.iter().filter(|(_, scalable)| !scalable).map(|(l, _)| l).sum();
    let mut room = room.checked_sub(fixed)?;
    let mut pictures: Vec<u64> =
        lengths.iter().filter(|(_, scalable)| *scalable).map(|(length, _)| *length).collect();
    pictures.sort_unstable();
    let mut left = pictures.len() as u64;
    for length in pictures {
        let share = room / left;
        if length > share {
            return (share >= LEAST).then_some(share);
        }
        room -= length;
        left -= 1;
    }
    // All have room as they are, so it is the rest that is too large.
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::PostFile;
    use samsung_sns::time::UnixTime;

    fn post(files: &[(&str, u64)]) -> Post {
        let file = |(name, length): &(&str, u64)| PostFile {
            path: "p".into(),
            name: (*name).to_owned(),
            media_type: if name.ends_with("mp4") { "video/mp4" } else { "image/jpeg" }.to_owned(),
            length: *length,
            sha256: [0; 32],
            alt_text: String::new(),
        };
        Post {
            id: "0".to_owned(),
            received_at: UnixTime::from_secs(0),
            user: "me".to_owned(),
            channel: "email".to_owned(),
            sender: None,
            recipients: Vec::new(),
            title: None,
            typed: String::new(),
            text: String::new(),
            camera: None,
            files: files.iter().map(file).collect(),
        }
    }

    type Mails = Vec<Vec<(usize, Option<u64>)>>;

    fn cut(files: &[(&str, u64)], too_large: TooLarge) -> Result<Mails, String> {
        let plan = plan(&post(files), 1, 1_000_000, too_large)?;
        assert_eq!(plan.left_out, Vec::<String>::new());
        let items = |mail: Vec<Item>| mail.iter().map(|item| (item.file, item.most)).collect();
        Ok(plan.mails.into_iter().map(items).collect())
    }

    #[test]
    fn what_has_room_goes_as_it_is() {
        for too_large in [TooLarge::Downscale, TooLarge::Split, TooLarge::Fail] {
            let whole = vec![vec![(0, None), (1, None)]];
            assert_eq!(cut(&[("a.jpg", 300_000), ("v.mp4", 300_000)], too_large), Ok(whole));
            assert_eq!(cut(&[], too_large), Ok(vec![vec![]]));
        }
    }

    #[test]
    fn small_pictures_stay_as_they_are_where_large_ones_shrink() {
        let files = [("a.jpg", 100_000), ("b.jpg", 5_000_000), ("c.jpg", 4_000_000)];
        let mails = cut(&files, TooLarge::Downscale).unwrap();
        let most = mails[0][1].1.unwrap();
        assert_eq!(mails, [[(0, None), (1, Some(most)), (2, Some(most))]]);
        assert!((300_000..320_000).contains(&most), "{most}");
        let too_many = vec![("a.jpg", 100_000); 30];
        assert!(cut(&too_many, TooLarge::Downscale).unwrap_err().contains("split"));
        assert!(cut(&[("v.mp4", 2_000_000)], TooLarge::Downscale).is_err());
        assert!(cut(&[("v.mp4", 720_000), ("a.jpg", 10_000)], TooLarge::Downscale).is_err());
    }

    #[test]
    fn mails_are_filled_in_order() {
        let files = [("a.jpg", 500_000), ("b.jpg", 300_000), ("c.jpg", 1), ("d.mp4", 600_000)];
        let mails = vec![vec![(0, None)], vec![(1, None), (2, None)], vec![(3, None)]];
        assert_eq!(cut(&files, TooLarge::Split), Ok(mails));
        let one_too_large = [("a.jpg", 500_000), ("v.mp4", 2_000_000), ("b.jpg", 300_000)];
        let plan = plan(&post(&one_too_large), 1, 1_000_000, TooLarge::Split).unwrap();
        assert_eq!(plan.mails.len(), 2);
        assert!(plan.left_out[0].starts_with("\"v.mp4\" is too large"), "{:?}", plan.left_out);
        assert!(cut(&[("v.mp4", 2_000_000)], TooLarge::Split).is_err());
    }

    #[test]
    fn it_waits_for_a_person_if_that_is_wanted() {
        let error = cut(&[("a.jpg", 2_000_000)], TooLarge::Fail).unwrap_err();
        assert!(error.contains("set too_large"), "{error}");
    }
}
