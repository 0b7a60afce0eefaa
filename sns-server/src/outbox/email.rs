//! An e-mail is a whole post: what it becomes at each destination is known as soon as it is there.
//!
//! Law: which files belong together is the core's to say ([`samsung_sns::post`]).

use super::Routed;
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
    let media = files.iter().enumerate().filter(|(_, file)| file.is_media());
    let media: Vec<usize> = media.map(|(at, _)| at).collect();
    let arrival = Arrival { began: receipt.began, whole: Some(receipt.whole) };
    let arrivals = vec![arrival; media.len()];
    let planned = post::plan(Source::Email, &caption, &arrivals, rules, receipt.whole);
    let posts = planned.into_iter().map(|post| {
        let files = media[post.files].iter().copied().zip(post.alt_texts).collect();
        EmailPost { files }
    });
    posts.collect()
}
