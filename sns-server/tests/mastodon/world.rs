//! What an instance keeps: an account with its statuses, files, keys, apps and tokens.

use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// Which software it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Mastodon,
    /// Answers a known `Idempotency-Key` with an error; a scope is only read or write.
    Pixelfed,
    /// As Pixelfed was: no keys, no `/api/v2/media`.
    OldPixelfed,
    /// Six files a status, ULIDs; no keys before 0.16.
    GoToSocial,
}

impl Flavour {
    pub(crate) const ALL: [Flavour; 4] =
        [Flavour::Mastodon, Flavour::Pixelfed, Flavour::OldPixelfed, Flavour::GoToSocial];

    pub(crate) fn is_pixelfed(self) -> bool {
        matches!(self, Flavour::Pixelfed | Flavour::OldPixelfed)
    }
}

/// A limit is `None` where the instance does not say it.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) files: usize,
    pub(crate) characters: usize,
    pub(crate) description: usize,
    pub(crate) picture: u64,
    pub(crate) pixels: u64,
    pub(crate) video: u64,
}

/// A file that was uploaded.
#[derive(Debug, Clone)]
pub(crate) struct MediaFile {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: String,
    pub(crate) description: Option<String>,
    /// How often one has to ask until it is processed.
    pub(crate) processing: u32,
    pub(crate) is_attached: bool,
}

/// A status that was posted.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) media_ids: Vec<String>,
    pub(crate) in_reply_to_id: Option<String>,
    pub(crate) visibility: String,
    pub(crate) language: Option<String>,
    pub(crate) sensitive: Option<bool>,
}

/// A fault that is to happen.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// None; the next one is for the next request.
    Pass,
    /// This answer instead of what was asked for.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// What was asked for is done, and this is the answer.
    DoneThen(u16),
    /// No answer.
    Silent,
    /// What was asked for is done, and there is no answer.
    DoneThenSilent,
    /// The connection ends after so many bytes of the request's body.
    CutInRequest(usize),
    /// What was asked for is done; the connection ends before the answer.
    DoneThenCut,
    /// What was asked for is done; the connection ends in the middle of the answer.
    DoneThenCutInAnswer,
    /// The request's body is read slowly.
    Slow,
    /// What was asked for is done; then the test is told, and there is no answer.
    DoneThenTell,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) flavour: Flavour,
    pub(crate) limits: Limits,
    /// Its limits are not told.
    pub(crate) is_taciturn: bool,
    pub(crate) statuses: Vec<Status>,
    pub(crate) media: BTreeMap<String, MediaFile>,
    /// How often one has to ask for a file that was just uploaded.
    pub(crate) processing: u32,
    pub(crate) keys: BTreeMap<String, String>,
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) apps: BTreeMap<String, (String, String)>,
    /// Codes that were shown: for which app, with which scopes.
    pub(crate) codes: BTreeMap<String, (String, String)>,
    pub(crate) faults: VecDeque<(&'static str, Fault)>,
    pub(crate) deviations: Vec<String>,
    /// Every request: `POST /api/v1/statuses`.
    pub(crate) requests: Vec<String>,
    next: u64,
}

pub(crate) const TOKEN: &str = "ZA-Yj3aBD8U8Cm7lKUp-lm9O9BmDgdhHzDeqsY8tlL0";
pub(crate) const ACCOUNT: &str = "14715";

impl World {
    pub(crate) fn new(flavour: Flavour) -> World {
        let mastodon = Limits {
            files: 4,
            characters: 500,
            description: 1500,
            picture: 16_777_216,
            pixels: 33_177_600,
            video: 103_809_024,
        };
        let limits = match flavour {
            Flavour::Mastodon => mastodon,
            Flavour::GoToSocial => Limits { files: 6, characters: 5000, ..mastodon },
            _ => Limits {
                description: 1000,
                pixels: 2_073_600,
                picture: 15_360_000,
                video: 15_360_000,
                ..mastodon
            },
        };
        let scopes = match flavour.is_pixelfed() {
            true => "read write",
            false => "read:accounts read:statuses write:media write:statuses",
        };
        World {
            flavour,
            limits,
            is_taciturn: false,
            statuses: Vec::new(),
            media: BTreeMap::new(),
            processing: 0,
            keys: BTreeMap::new(),
            tokens: BTreeMap::from([(TOKEN.to_owned(), scopes.to_owned())]),
            apps: BTreeMap::new(),
            codes: BTreeMap::new(),
            faults: VecDeque::new(),
            deviations: Vec::new(),
            requests: Vec::new(),
            next: 113_000_000_000_000_000,
        }
    }

    /// An id: each larger than those before.
    pub(crate) fn id(&mut self) -> String {
        self.next += 4711;
        match self.flavour {
            Flavour::GoToSocial => format!("01JD{:022}", self.next),
            _ => self.next.to_string(),
        }
    }

    /// The person posts something else in between.
    pub(crate) fn person_posts(&mut self, text: &str) {
        let id = self.id();
        let visibility = "public".to_owned();
        self.statuses.push(Status {
            id,
            text: text.to_owned(),
            media_ids: Vec::new(),
            in_reply_to_id: None,
            visibility,
            language: None,
            sensitive: None,
        });
    }

    pub(crate) fn instance(&self, version: u8) -> Value {
        let software = match self.flavour {
            Flavour::Mastodon => "4.4.1",
            Flavour::GoToSocial => "0.19.1+git-1234567",
            _ => "3.5.3 (compatible; Pixelfed 0.12.5)",
        };
        let mut configuration = json!({
            "statuses": {
                "max_characters": self.limits.characters,
                "max_media_attachments": self.limits.files,
                "characters_reserved_per_url": 23
            },
            "media_attachments": {
                "image_size_limit": self.limits.picture,
                "image_matrix_limit": self.limits.pixels,
                "video_size_limit": self.limits.video,
                "video_matrix_limit": 8_294_400,
                "description_limit": self.limits.description
            }
        });
        if self.flavour.is_pixelfed() {
            configuration["media_attachments"]["description_limit"].take();
        }
        if self.is_taciturn {
            return json!({"version": software});
        }
        match version {
            2 => {
                json!({"domain": "photog.example", "version": software, "configuration": configuration})
            }
            _ => {
                json!({"uri": "photog.example", "version": software, "configuration": configuration})
            }
        }
    }

    /// A page of statuses, the newest first.
    pub(crate) fn page(&self, limit: usize, min_id: Option<&str>) -> Vec<Value> {
        let newer =
            self.statuses.iter().filter(|status| min_id.is_none_or(|min| *status.id > *min));
        let newer: Vec<&Status> = newer.collect();
        let page = match min_id {
            // Mastodon and GoToSocial go on from there; Pixelfed shows the newest.
            Some(_) if !self.flavour.is_pixelfed() => &newer[..newer.len().min(limit)],
            _ => &newer[newer.len().saturating_sub(limit)..],
        };
        page.iter().rev().map(|status| self.entity(status)).collect()
    }

    pub(crate) fn entity(&self, status: &Status) -> Value {
        let text = status.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let text = text.replace("\n\n", "</p><p>").replace('\n', "<br />");
        let media: Vec<Value> = status.media_ids.iter().map(|id| self.attachment(id)).collect();
        json!({
            "id": status.id,
            "created_at": "2026-11-22T02:05:00.000Z",
            "in_reply_to_id": status.in_reply_to_id,
            "sensitive": status.sensitive,
            "visibility": status.visibility,
            "language": status.language,
            "uri": format!("https://photog.example/users/me/statuses/{}", status.id),
            "url": format!("https://photog.example/@me/{}", status.id),
            "content": format!("<p>{text}</p>"),
            "reblog": null,
            "application": {"name": "sns-server"},
            "account": {"id": ACCOUNT, "username": "me", "acct": "me"},
            "media_attachments": media
        })
    }

    pub(crate) fn attachment(&self, id: &str) -> Value {
        let media = &self.media[id];
        let kind = if media.media_type.starts_with("video/") { "video" } else { "image" };
        json!({"id": id, "type": kind, "url": null, "description": media.description})
    }
}
