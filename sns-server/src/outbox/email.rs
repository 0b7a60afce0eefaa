//! An e-mail is a whole post: what it becomes at each destination is known as soon as it is there.
//!
//! Law: which files belong together is the core's to say ([`samsung_sns::post`]). It counts all files, so
//! that alt texts stay with the files they were typed for. What is no picture or video is in its post and
//! is not passed on; where nothing but words would be left of the whole e-mail, a person decides.

use super::{Routed, only_words};
use crate::ledger::{EmailPost, Onward, Receipt};
use crate::spool::Arrived;
use samsung_sns::post::{self, Arrival, Caption, Rules, Source};

/// Where a receipt goes on to, with the posts that it becomes there if it is an e-mail; what is shared to
/// a site becomes posts later.
pub fn onward(receipt: &Receipt, files: &[Arrived], routed: Vec<Routed>) -> Vec<Onward> {
    let onward = routed.into_iter().map(|Routed { destination, recipients, rules }| {
        let posts = match receipt.series {
            Some(_) => Vec::new(),
            None => posts(receipt, files, rules),
        };
        Onward { destination, recipients, posts }
    });
    onward.collect()
}

fn posts(receipt: &Receipt, files: &[Arrived], rules: Rules) -> Vec<EmailPost> {
    let caption = Caption::read(&receipt.text);
    let arrival = Arrival { began: receipt.began, whole: Some(receipt.whole) };
    let arrivals = vec![arrival; files.len()];
    let planned = post::plan(Source::Email, &caption, &arrivals, rules, receipt.whole);
    if !files.is_empty() && !files.iter().any(Arrived::is_media) {
        let files: Vec<(usize, String)> =
            planned.into_iter().flat_map(|post| post.files.zip(post.alt_texts)).collect();
        let held = only_words(files.len());
        return vec![EmailPost { files, held: Some(held) }];
    }
    let mut posts: Vec<EmailPost> = Vec::new();
    for post in planned {
        let members: Vec<(usize, String)> = post.files.zip(post.alt_texts).collect();
        let is_lost = |members: &[(usize, String)]| {
            !members.is_empty() && !members.iter().any(|(at, _)| files[*at].is_media())
        };
        match posts.last_mut() {
            // The words go out with the other one, where its owner finds what stayed behind.
            Some(before) if is_lost(&members) || is_lost(&before.files) => {
                before.files.extend(members);
            }
            _ => posts.push(EmailPost { files: members, held: None }),
        }
    }
    posts
}
