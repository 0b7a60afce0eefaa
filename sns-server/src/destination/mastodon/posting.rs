//! A status, once its files are there.
//!
//! Law: one that was begun is looked for before it is posted again.

use super::api::{NewStatus, Refusal, Status};
use super::look::{self, Wanted};
use super::steps::{begun, in_note, media_ids, noted, posted};
use super::{Delivery, Mastodon, Sight};
use crate::destination::{Fault, Progress};
use reqwest::StatusCode;
use std::ops::Range;

impl Mastodon {
    /// Looks for a status that was begun, and notes it if it is there. A token that may not read
    /// sees nothing.
    pub(super) async fn look(
        &self,
        delivery: &Delivery<'_>,
        n: usize,
        files: &Range<usize>,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        let Sight::Of(account) = self.sight().await? else { return Ok(()) };
        let ids = media_ids(files, progress);
        let (text, _) = delivery.text(self);
        let wanted = match ids.is_empty() {
            true => Wanted::Text(&text, self.visibility),
            false => Wanted::Files(&ids),
        };
        let after = progress.of(&begun(n)).unwrap_or_default().to_owned();
        match look::find(&self.api, &account.id, &after, wanted).await {
            Ok(Some(found)) => {
                progress.note(&posted(n), &in_note(&found)).await;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => Ok(()),
            Err(refusal) => Err(refusal.fault),
        }
    }

    /// Posts a status whose files are uploaded.
    pub(super) async fn post(
        &self,
        delivery: &Delivery<'_>,
        n: usize,
        files: &Range<usize>,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        let is_retry = progress.of(&begun(n)).is_some();
        let is_blind = matches!(self.sight().await?, Sight::Forbidden);
        if !is_retry {
            let newest = self.newest().await?;
            progress.note(&begun(n), &newest).await;
        }
        let status = match self.try_post(delivery, n, files, progress).await {
            // Mastodon says 422, Pixelfed 400 or 404, when a file waited too long for its status
            // and is gone. One that was uploaded a moment ago is not.
            Err(refusal)
                if is_retry
                    && !files.is_empty()
                    && !is_known_key(&refusal)
                    && matches!(
                        refusal.status.map(|status| status.as_u16()),
                        Some(400 | 404 | 422)
                    ) =>
            {
                if is_blind {
                    let message = format!(
                        "{}; or it was posted by an earlier attempt, and the token may not read \
                         whether it was: look there",
                        refusal.fault.message
                    );
                    return Err(Fault::permanent(message));
                }
                for at in files.clone() {
                    self.upload(delivery, at, progress).await?;
                }
                self.try_post(delivery, n, files, progress).await
            }
            answer => answer,
        };
        match status {
            Ok(status) => {
                progress.note(&posted(n), &in_note(&status)).await;
                Ok(())
            }
            Err(refusal) if is_known_key(&refusal) => Err(Fault::transient(format!(
                "{}; it keeps the key of an attempt that it did not finish for an hour",
                refusal.fault.message
            ))),
            Err(refusal) => Err(refusal.fault),
        }
    }

    async fn try_post(
        &self,
        delivery: &Delivery<'_>,
        n: usize,
        files: &Range<usize>,
        progress: &Progress,
    ) -> Result<Status, Refusal> {
        let ids = media_ids(files, progress);
        let is_first = n == 0;
        // On Pixelfed each album stands alone, and needs its words.
        let has_words = is_first || delivery.instance.is_pixelfed;
        let text = if has_words { delivery.text(self).0 } else { String::new() };
        let first = noted(progress, &posted(0)).map(|(id, _)| id);
        let status = NewStatus {
            status: &text,
            media_ids: &ids,
            in_reply_to_id: first.filter(|_| !is_first && !delivery.instance.is_pixelfed),
            visibility: self.visibility,
            language: self.language.as_deref(),
            sensitive: self.sensitive,
        };
        self.api.post(&status, &format!("{}-{n}", delivery.post.id)).await
    }

    /// The newest status of the account; empty if there is none, or we may not look.
    async fn newest(&self) -> Result<String, Fault> {
        let Sight::Of(account) = self.sight().await? else { return Ok(String::new()) };
        match self.api.statuses(&account.id, "", 1).await {
            Ok(statuses) => {
                Ok(statuses.into_iter().next().map(|status| status.id).unwrap_or_default())
            }
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => Ok(String::new()),
            Err(refusal) => Err(refusal.fault),
        }
    }
}

/// Pixelfed knows the `Idempotency-Key`, and says so instead of what came of it.
fn is_known_key(refusal: &Refusal) -> bool {
    refusal.is(StatusCode::BAD_REQUEST)
        && refusal.fault.message.to_lowercase().contains("idempotency")
}
