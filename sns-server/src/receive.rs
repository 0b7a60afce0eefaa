//! Files on their way from the body to the spool.
//!
//! Law: a file is streamed; what of it is in memory does not depend on its length. A refusal leaves
//! nothing behind. `succ` is said only after [`Spool::keep`](crate::spool::Spool::keep) returned.

use crate::app::App;
use crate::clock::wall;
use crate::ledger::Receipt;
use crate::outbox::{Routed, UnderWay, onward};
use crate::spool::{Arrived, Incoming, Kept, Spool, SpoolError, Whole};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use samsung_sns::answer::{Answer, Refusal};
use samsung_sns::endpoint::{Endpoint, MAX_MESSAGE};
use samsung_sns::gateway::{Plan, Purpose, Ticket};
use samsung_sns::message::media::normalised_type;
use samsung_sns::wire::multipart::{Boundary, Event, MultipartError, PartHead, Reader};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::{error, info, warn};

/// This much of a file is collected before it is written.
const PIECE: usize = 128 * 1024;

/// After so many bytes of a file the room on the disk is looked at again.
const LOOK_AGAIN: u64 = 16 * 1024 * 1024;

/// One e-mail has at most as many files: a card full of photos, and no disk full of empty ones.
const MAX_FILES: usize = 2000;

/// What a refusal says when a body did not arrive.
pub fn broken(error: &dyn std::error::Error) -> Refusal {
    // axum wraps the reason; the innermost says most.
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    Refusal::NotUnderstood(format!("the body is not whole: {reason}"))
}

/// `PUT /upload/<session>/<filename>`.
///
/// # Errors
/// [`Refusal`]; then nothing is kept.
pub async fn file(
    app: &Arc<App>,
    endpoint: &Endpoint,
    request: Request,
    from: IpAddr,
) -> Result<Answer, Refusal> {
    let length = declared_length(request.headers())?;
    let ticket = match app.plan(endpoint, b"", from).await {
        Plan::Receive(ticket) => ticket,
        Plan::Refuse(refusal) => return Err(refusal),
        Plan::Answer(answer) | Plan::Announced(_, answer) => return Ok(answer),
        Plan::CheckPassword(_) => return Err(Refusal::NotAdmitted), // an upload has none
    };
    let series = match &ticket.purpose {
        Purpose::Upload { series, .. } => Some(*series),
        _ => None,
    };
    // Its announce was the moment to refuse it; what comes all the same is kept.
    let routed = app.outbox.routed(&ticket).unwrap_or_default();
    let under_way = app.outbox.begins(series);
    let limits = app.limits();
    let limit = limits.upload.as_u64();
    if length.is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge("limits.upload"));
    }
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media_type = normalised_type(media_type.unwrap_or(""));
    let _turn = app.uploads.begin(limits.uploads_at_a_time).ok_or(Refusal::Busy)?;
    has_room(app, length).await?;
    let mut writer = Writer::begin(&app.spool).await?;
    let mut body = request.into_body();
    while let Some(bytes) = next_piece(&mut body).await? {
        let before = writer.length();
        writer.write(&bytes).await?;
        if writer.length() > limit {
            return Err(Refusal::TooLarge("limits.upload"));
        }
        still_has_room(app, before, writer.length()).await?;
    }
    if writer.length() == 0 {
        return Err(Refusal::NotUnderstood("the file is empty".to_owned()));
    }
    let name_as_sent = match &ticket.purpose {
        Purpose::Upload { file_name, .. } => file_name.clone(),
        _ => String::new(),
    };
    let arrived = Arrived { whole: writer.finish().await?, name_as_sent, media_type };
    keep(app, ticket, vec![arrived], under_way, routed).await
}

/// `POST /social/columbus/email`: a message and files in one multipart body.
///
/// # Errors
/// [`Refusal`]; then nothing is kept.
pub async fn email(
    app: &Arc<App>,
    endpoint: &Endpoint,
    request: Request,
    from: IpAddr,
) -> Result<Answer, Refusal> {
    let length = declared_length(request.headers())?;
    let limits = app.limits();
    let limit = limits.email.as_u64();
    if length.is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge("limits.email"));
    }
    let _turn = app.uploads.begin(limits.uploads_at_a_time).ok_or(Refusal::Busy)?;
    has_room(app, length).await?;
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let boundary = Boundary::from_content_type(&content_type.unwrap_or_default())
        .map_err(|error| Refusal::NotUnderstood(error.to_string()))?;
    let mut reader = Reader::new(&boundary);
    let mut parts =
        Parts { app, endpoint, from, part: Part::None, ticket: None, files: Vec::new() };
    let under_way = app.outbox.begins(None);
    let mut body = request.into_body();
    let mut received = 0;
    loop {
        let piece = next_piece(&mut body).await?;
        match &piece {
            Some(bytes) => {
                let before = received;
                received += bytes.len() as u64;
                still_has_room(app, before, received).await?;
                reader.feed(bytes);
            }
            // hyper ends a body only when its declared length, or its last chunk, has arrived.
            None => reader.finish(),
        }
        if received > limit {
            return Err(Refusal::TooLarge("limits.email"));
        }
        while let Some(event) = reader.next_event().map_err(refuse_multipart)? {
            parts.take(event).await?;
        }
        if piece.is_none() {
            break;
        }
    }
    let Parts { ticket, files, .. } = parts;
    let (ticket, routed) = ticket
        .ok_or_else(|| Refusal::NotUnderstood("the e-mail has no message part".to_owned()))?;
    keep(app, ticket, files, under_way, routed).await
}

fn refuse_multipart(error: MultipartError) -> Refusal {
    Refusal::NotUnderstood(error.to_string())
}

/// The parts of an e-mail as they come.
struct Parts<'a> {
    app: &'a Arc<App>,
    endpoint: &'a Endpoint,
    from: IpAddr,
    part: Part,
    ticket: Option<(Ticket, Vec<Routed>)>,
    files: Vec<Arrived>,
}

enum Part {
    None,
    Message(Vec<u8>),
    File(Box<FilePart>),
    /// A form field that no camera sends.
    Other,
}

struct FilePart {
    writer: Writer,
    name_as_sent: String,
    media_type: String,
}

impl Parts<'_> {
    async fn take(&mut self, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Part(head) => self.part = self.begin(&head).await?,
            Event::Data(bytes) => match &mut self.part {
                Part::Message(message) if message.len() + bytes.len() > MAX_MESSAGE => {
                    return Err(Refusal::TooLarge("a message may be"));
                }
                Part::Message(message) => message.extend_from_slice(&bytes),
                Part::File(file) => file.writer.write(&bytes).await?,
                Part::None | Part::Other => {}
            },
            Event::PartEnd => match std::mem::replace(&mut self.part, Part::None) {
                // The camera sends the message first, so a stranger's photos are not even written.
                Part::Message(message) => {
                    match self.app.plan(self.endpoint, &message, self.from).await {
                        Plan::Receive(ticket) => {
                            let routed = self.app.outbox.routed(&ticket)?;
                            self.ticket = Some((ticket, routed));
                        }
                        Plan::Refuse(refusal) => return Err(refusal),
                        Plan::Answer(_) | Plan::Announced(..) | Plan::CheckPassword(_) => {}
                    }
                }
                Part::File(file) => {
                    let FilePart { writer, name_as_sent, media_type } = *file;
                    let whole = writer.finish().await?;
                    self.files.push(Arrived { whole, name_as_sent, media_type });
                }
                Part::None | Part::Other => {}
            },
            Event::End => {}
        }
        Ok(())
    }

    async fn begin(&self, head: &PartHead) -> Result<Part, Refusal> {
        let name = head.name().unwrap_or_default().to_ascii_lowercase();
        if name == "message" && self.ticket.is_none() {
            return Ok(Part::Message(Vec::new()));
        }
        if self.files.len() == MAX_FILES {
            return Err(Refusal::TooLarge("2000 files in one e-mail"));
        }
        let file_name = head.file_name();
        if file_name.is_none() && name != "binary" {
            return Ok(Part::Other);
        }
        Ok(Part::File(Box::new(FilePart {
            writer: Writer::begin(&self.app.spool).await?,
            name_as_sent: String::from_utf8_lossy(&file_name.unwrap_or_default()).into_owned(),
            media_type: normalised_type(&head.media_type().unwrap_or_default()),
        })))
    }
}

/// A body without any length has no end that could be told from its breaking off.
fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_none() && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::NotUnderstood("Content-Length is missing".to_owned()));
    }
    Ok(length)
}

/// Refuses what would leave less than `limits.free_space`: better one photo is refused than the
/// record of all others cannot be written.
async fn has_room(app: &Arc<App>, length: Option<u64>) -> Result<(), Refusal> {
    let spool = Arc::clone(&app.spool);
    let free = blocking(move || spool.free_space()).await?;
    let needed = app.limits().free_space.as_u64().saturating_add(length.unwrap_or(0));
    if free < needed {
        error!(free, needed, "limits.free_space is reached; nothing more is received");
        return Err(Refusal::NoSpace);
    }
    Ok(())
}

/// Asks again every few megabytes: many at once, or one whose length nobody knew, take what was there
/// when each of them began.
async fn still_has_room(app: &Arc<App>, before: u64, received: u64) -> Result<(), Refusal> {
    if before / LOOK_AGAIN == received / LOOK_AGAIN { Ok(()) } else { has_room(app, None).await }
}

async fn next_piece(body: &mut Body) -> Result<Option<bytes::Bytes>, Refusal> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(error)) => return Err(broken(&error)),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// Writes to the spool from async code: collected bytes go to a thread that may block.
struct Writer {
    incoming: Option<Incoming>,
    buffer: Vec<u8>,
}

impl Writer {
    async fn begin(spool: &Arc<Spool>) -> Result<Writer, Refusal> {
        let spool = Arc::clone(spool);
        let incoming = blocking(move || spool.begin()).await?;
        Ok(Writer { incoming: Some(incoming), buffer: Vec::new() })
    }

    fn length(&self) -> u64 {
        self.incoming.as_ref().map_or(0, Incoming::length) + self.buffer.len() as u64
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        let Some(mut incoming) = self.incoming.take() else { return Ok(()) };
        let mut buffer = std::mem::take(&mut self.buffer);
        let (incoming, buffer) = blocking(move || {
            incoming.write(&buffer)?;
            buffer.clear();
            Ok((incoming, buffer))
        })
        .await?;
        self.incoming = Some(incoming);
        self.buffer = buffer;
        Ok(())
    }

    async fn finish(mut self) -> Result<Whole, Refusal> {
        self.flush().await?;
        let incoming = self.incoming.ok_or(Refusal::NoSpace)?;
        blocking(move || incoming.finish()).await
    }
}

async fn keep(
    app: &App,
    ticket: Ticket,
    files: Vec<Arrived>,
    under_way: UnderWay,
    routed: Vec<Routed>,
) -> Result<Answer, Refusal> {
    let receipt = Receipt::of(&ticket, wall(), under_way.began, app.clock.now());
    let spool = Arc::clone(&app.spool);
    let user = ticket.user.clone();
    let to = routed.iter().map(|routed| routed.destination.as_str()).collect::<Vec<_>>().join(", ");
    let onward = onward(&receipt, &files, routed);
    let held = onward.iter().flat_map(|onward| &onward.posts).find_map(|post| post.held.clone());
    let (recorded, kept) = blocking(move || spool.keep(&receipt, files, &onward)).await?;
    let receipt = recorded.receipt;
    app.metrics.kept(&kept);
    for Kept { path, length, known, content } in &kept {
        match content {
            Some(content) => info!(receipt, ?user, ?path, length, known, content, to, "kept"),
            None => {
                warn!(
                    receipt,
                    ?user,
                    ?path,
                    length,
                    known,
                    to,
                    "kept, but neither picture nor video by its bytes: it stays behind, whatever else \
                     of its post is passed on"
                )
            }
        }
    }
    match held {
        _ if recorded.again => {
            info!(receipt, "a camera's retry of an e-mail that had come; it goes nowhere again");
        }
        Some(reason) => error!(receipt, to, reason, "not delivered, waits for you"),
        None => {}
    }
    under_way.is_kept();
    Ok(ticket.stored())
}

/// Runs what waits for the disk where waiting is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(failure)) => {
            error!(%failure, "the disk refused");
            Err(Refusal::NoSpace)
        }
        Err(failure) => {
            error!(%failure, "a disk thread died");
            Err(Refusal::NoSpace)
        }
    }
}
