//! A file's way to the instance.
//!
//! Law: what the instance would refuse for its size is not sent; an id is noted as soon as there is one.

use super::api::{Media, Refusal, State, Upload};
use super::steps::{PROCESSING, media, noted};
use super::{Delivery, Mastodon, instance, words};
use crate::destination::upload::Source;
use crate::destination::{Fault, Progress, http, picture};
use reqwest::StatusCode;
use std::time::Duration;
use tokio::time::Instant;

impl Mastodon {
    /// Uploads a file if that was not done, and waits until it can be used.
    pub(super) async fn have_uploaded(
        &self,
        delivery: &Delivery<'_>,
        at: usize,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        match noted(progress, &media(at)).map(|(id, state)| (id.to_owned(), state == PROCESSING)) {
            Some((_, false)) => Ok(()),
            Some((id, true)) => match self.processed(&id).await {
                Ok(()) => {
                    progress.note(&media(at), &id).await;
                    Ok(())
                }
                // It waited too long for its status, and is gone.
                Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => {
                    self.upload(delivery, at, progress).await
                }
                Err(refusal) => self.give_up(refusal, at, progress).await,
            },
            None => self.upload(delivery, at, progress).await,
        }
    }

    pub(super) async fn upload(
        &self,
        delivery: &Delivery<'_>,
        at: usize,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        let file = &delivery.post.files[at];
        let about = |fault: Fault| Fault {
            message: format!("{}: {}", named(&file.name), fault.message),
            ..fault
        };
        let (copy, media_type) = match file.media_type.starts_with("image/") {
            false if file.length > delivery.instance.video => {
                return Err(about(Fault::permanent(format!(
                    "the video has {}, and {} takes at most {}",
                    instance::size(file.length),
                    delivery.instance.domain,
                    instance::size(delivery.instance.video)
                ))));
            }
            false => (None, file.media_type.as_str()),
            true => {
                let fitted = picture::fit(&file.path, delivery.instance.picture).await;
                match fitted.map_err(|error| about(Fault::permanent(error.to_string())))? {
                    Some(copy) => (Some(copy), "image/jpeg"),
                    None => (None, file.media_type.as_str()),
                }
            }
        };
        let (source, length) = match copy {
            Some(copy) => {
                let length = copy.len() as u64;
                (Source::Bytes(copy.into()), length)
            }
            None => (Source::File(file.path.clone()), file.length),
        };
        let most = delivery.instance.alt_text;
        // Nothing is reserved for addresses here.
        let (description, _) = words::shortened(file.alt_text.trim(), most, 0);
        let upload = Upload { source, length, media_type, description: &description };
        let (Media { id }, state) =
            self.api.upload(&upload).await.map_err(|refusal| about(refusal.fault))?;
        if state == State::Processing {
            progress.note(&media(at), &format!("{id} {PROCESSING}")).await;
            if let Err(refusal) = self.processed(&id).await {
                return self.give_up(refusal, at, progress).await.map_err(about);
            }
        }
        progress.note(&media(at), &id).await;
        Ok(())
    }

    /// Waits until a file can be used.
    async fn processed(&self, id: &str) -> Result<(), Refusal> {
        let begun = Instant::now();
        let mut pause = self.patience.poll;
        while self.api.media(id).await? == State::Processing {
            if begun.elapsed() >= self.patience.processing {
                let message = "the instance is still processing it".to_owned();
                return Err(Fault::transient(message).into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(10));
        }
        Ok(())
    }

    /// What a file that could not be processed means. If it never will be, a person's retry uploads
    /// it again.
    async fn give_up(
        &self,
        refusal: Refusal,
        at: usize,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        if refusal.is(StatusCode::UNPROCESSABLE_ENTITY) || refusal.is(StatusCode::NOT_FOUND) {
            progress.note(&media(at), "").await;
        }
        Err(refusal.fault)
    }
}

/// A file's name as sent, harmless in a line.
fn named(name: &str) -> String {
    http::one_line(name, 80)
}
