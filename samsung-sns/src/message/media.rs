//! `POST /<site>/photo` and `/<site>/video`: a file is announced; then `PUT /upload/…` brings it.
//!
//! Law: the answer's `ResourceID` holds only `[A-Za-z0-9._/-]`, because the firmware does not
//! escape it when it makes a path of it; the name as sent is kept beside.
//!
//! Facts (facts.md section 3). The field names are known, their arrangement in the body is
//! *reconstructed*: no announce was ever published.

use super::auth::{scan, session_key};
use super::{MessageError, not_empty};
use crate::answer::{Answer, Status};
use crate::wire::xml::{Document, escape};
use std::borrow::Cow;

/// Where cameras are told to bring the file.
pub const UPLOAD_HOST: &str = "snsgw.samsungmobile.com:80";
/// A name in a `ResourceID` is at most this long: the firmware has fixed buffers.
pub const MAX_RESOURCE_NAME: usize = 64;

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Media {
    /// `/<site>/photo`.
    Photo {
        /// `Photo/Album/@Name`; some cameras put their model here.
        album: Option<String>,
    },
    /// `/<site>/video`.
    Video {
        /// `Video/Category/@Name`.
        category: Option<String>,
        /// `@OwnerID`, if it is there.
        owner_id: Option<String>,
    },
}

impl Media {
    fn element(&self) -> &'static str {
        match self {
            Media::Photo { .. } => "Photo",
            Media::Video { .. } => "Video",
        }
    }
}

/// One file is about to come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Announce {
    /// The session it belongs to.
    pub session_key: String,
    /// Photo or video, with what only one of them has.
    pub media: Media,
    /// The file's name, as sent.
    pub file_name: String,
    /// What the person typed.
    pub content: String,
}

impl Announce {
    /// Reads the announce of a photo.
    ///
    /// # Errors
    /// [`MessageError::Missing`] without a session or a file name.
    pub fn read_photo(document: &Document<'_>) -> Result<Announce, MessageError> {
        Self::read(
            document,
            Media::Photo { album: document.attribute("Album", "Name").map(Cow::into_owned) },
        )
    }

    /// Reads the announce of a video.
    ///
    /// # Errors
    /// [`MessageError::Missing`] without a session or a file name.
    pub fn read_video(document: &Document<'_>) -> Result<Announce, MessageError> {
        let owner_id = document.elements().find_map(|element| element.attribute("OwnerID"));
        let media = Media::Video {
            category: document.attribute("Category", "Name").map(Cow::into_owned),
            owner_id: owner_id.map(str::to_owned),
        };
        Self::read(document, media)
    }

    fn read(document: &Document<'_>, media: Media) -> Result<Announce, MessageError> {
        not_empty(document)?;
        Ok(Announce {
            session_key: session_key(document).ok_or(MessageError::Missing("SessionKey"))?,
            media,
            file_name: document
                .attribute("File", "Name")
                .map(Cow::into_owned)
                .ok_or(MessageError::Missing("File/@Name"))?,
            content: document.text("Content").unwrap_or_default(),
        })
    }

    /// The message as a camera might write it; *reconstructed*.
    pub fn to_xml(&self) -> String {
        let kind = self.media.element();
        let attribute = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" {name}=\"{}\"", escape(value))).unwrap_or_default()
        };
        let group = match &self.media {
            Media::Photo { album } => format!("<Album{}/>\n", attribute("Name", album)),
            Media::Video { category, owner_id } => format!(
                "<Category{}{}/>\n",
                attribute("Name", category),
                attribute("OwnerID", owner_id)
            ),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Request SessionKey=\"{}\">\n\
             <{kind}>\n\
             {group}\
             <File Name=\"{}\"/>\n\
             <Content>{}</Content>\n\
             </{kind}>\n\
             </Request>\n",
            escape(&self.session_key),
            escape(&self.file_name),
            escape(&self.content),
        )
    }
}

/// The answer to an announce: where to bring the file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AnnounceAnswer {
    /// Host and port of the upload.
    pub host: String,
    /// The path of the upload, without a leading slash.
    pub resource_id: String,
}

impl AnnounceAnswer {
    /// The answer for a file of this resource name in this session.
    pub fn new(session_key: &str, resource_name: &str) -> AnnounceAnswer {
        AnnounceAnswer {
            host: UPLOAD_HOST.to_owned(),
            resource_id: format!("upload/{session_key}/{resource_name}"),
        }
    }

    /// The bytes.
    pub fn to_answer(&self) -> Answer {
        let AnnounceAnswer { host, resource_id } = self;
        let body = format!("<Response HostAddr=\"{host}\" ResourceID=\"{resource_id}\" />");
        Answer::new(Status::Ok, body)
    }

    /// Reads the answer as the firmware does: by substring.
    pub fn scan(body: &str) -> Option<AnnounceAnswer> {
        Some(AnnounceAnswer {
            host: scan(body, "HostAddr=\"")?.to_owned(),
            resource_id: scan(body, "ResourceID=\"")?.to_owned(),
        })
    }
}

/// The form of a file name that can stand in a `ResourceID`: other characters become `_`, the end
/// with the extension is kept.
pub fn resource_name(file_name: &str) -> String {
    let safe: String = file_name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' })
        .collect();
    let short = safe[safe.len().saturating_sub(MAX_RESOURCE_NAME)..].trim_start_matches('.');
    if short.is_empty() { "file".to_owned() } else { short.to_owned() }
}

/// A file's media type in lower case and without parameters; what none is declared for is
/// `application/octet-stream`.
pub fn normalised_type(declared: &str) -> String {
    match declared.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
        // Quirk(any): `image/pjpeg` is Internet Explorer's name for it; Mastodon refuses it.
        "image/pjpeg" => "image/jpeg".to_owned(),
        "" => "application/octet-stream".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_name_is_safe_short_and_keeps_its_extension() {
        assert_eq!(resource_name("SAM_0001.JPG"), "SAM_0001.JPG");
        assert_eq!(resource_name("../../a b\u{e9}.jpg"), "_.._a_b_.jpg");
        assert_eq!(resource_name("..."), "file");
        let cut_at_a_dot = format!("x.{}", "y".repeat(MAX_RESOURCE_NAME - 1));
        assert_eq!(resource_name(&cut_at_a_dot), "y".repeat(MAX_RESOURCE_NAME - 1));
        let long = resource_name(&format!("{}.MP4", "x".repeat(300)));
        assert_eq!(long.len(), MAX_RESOURCE_NAME);
        assert!(long.ends_with("x.MP4"));
    }
}
