//! The steps of a delivery as they are noted; the table of them is at the head of this folder's
//! `mod.rs`.
//!
//! Law: an empty note is a step undone.

use super::Delivery;
use super::api::Status;
use super::words;
use crate::destination::{Fault, Progress};
use std::ops::Range;

/// Which files go into which status: as an earlier attempt planned it, for the instance may have
/// changed its mind since.
pub(super) async fn planned(
    delivery: &Delivery<'_>,
    progress: &mut Progress,
) -> Result<Vec<Range<usize>>, Fault> {
    let files = &delivery.post.files;
    if let Some(counts) = step(progress, "plan") {
        let mut end = 0;
        let status = |count: &str| {
            let start = end;
            end += count.parse::<usize>().ok()?;
            Some(start..end)
        };
        let statuses: Option<Vec<_>> = counts.split(' ').map(status).collect();
        match statuses {
            Some(statuses) if end == files.len() => return Ok(statuses),
            _ => return Err(Fault::permanent(format!("the plan {counts:?} is not for this post"))),
        }
    }
    let statuses = words::plan(files, delivery.instance.files);
    let counts: Vec<String> = statuses.iter().map(|files| files.len().to_string()).collect();
    progress.note("plan", &counts.join(" ")).await;
    Ok(statuses)
}

pub(super) const PROCESSING: &str = "processing";

pub(super) fn media(at: usize) -> String {
    format!("media.{at}")
}

pub(super) fn begun(n: usize) -> String {
    format!("status.{n}.begun")
}

pub(super) fn posted(n: usize) -> String {
    format!("status.{n}")
}

/// What was noted of a step; nothing if it was undone.
pub(super) fn step<'a>(progress: &'a Progress, step: &str) -> Option<&'a str> {
    progress.of(step).filter(|value| !value.is_empty())
}

/// An id, and what was noted with it.
pub(super) fn noted<'a>(progress: &'a Progress, name: &str) -> Option<(&'a str, &'a str)> {
    let value = step(progress, name)?;
    Some(value.split_once(' ').unwrap_or((value, "")))
}

pub(super) fn media_ids(files: &Range<usize>, progress: &Progress) -> Vec<String> {
    let id = |at| noted(progress, &media(at)).map(|(id, _)| id.to_owned());
    files.clone().filter_map(id).collect()
}

pub(super) fn in_note(status: &Status) -> String {
    format!("{} {}", status.id, status.url.as_deref().unwrap_or(&status.id))
}
