//! The destination `store`: photos as plain files, in a folder or at a service.
//!
//! Law: nothing that is there is ever overwritten. A different file of the same name makes the new
//! one `SAM_0001-2.JPG`; the same bytes under that name are what an earlier attempt left, and count
//! as delivered.

#[cfg(feature = "cloud-store")]
mod cloud;
mod local;
mod sidecar;
mod template;

use super::upload::Source;
use super::{Fault, Post, PostFile, Progress};
use local::Local;
use secrecy::SecretString;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use template::{Place, Template};

/// What the configuration says of it. One of `path`, `s3` and `webdav` must be given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    path: Option<PathBuf>,
    s3: Option<S3Keys>,
    webdav: Option<WebdavKeys>,
    template: Option<String>,
    #[serde(default)]
    sidecar: bool,
}

/// An S3-compatible service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(feature = "cloud-store"), expect(dead_code, reason = "read only to be refused"))]
struct S3Keys {
    bucket: String,
    region: Option<String>,
    endpoint: Option<String>,
    access_key: String,
    secret_key: Option<SecretString>,
    secret_key_file: Option<PathBuf>,
}

/// A WebDAV service such as Nextcloud.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(feature = "cloud-store"), expect(dead_code, reason = "read only to be refused"))]
struct WebdavKeys {
    url: String,
    user: Option<String>,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
}

/// A destination of this type.
#[derive(Debug)]
pub struct Store {
    room: Room,
    template: Template,
    sidecar: bool,
}

#[derive(Debug)]
enum Room {
    Local(Local),
    #[cfg(feature = "cloud-store")]
    Cloud(Box<cloud::Cloud>),
}

/// What is to be stored.
#[derive(Debug, Clone)]
struct Content {
    source: Source,
    // A folder compares the bytes themselves.
    #[cfg_attr(not(feature = "cloud-store"), expect(dead_code, reason = "services only"))]
    length: u64,
    #[cfg_attr(not(feature = "cloud-store"), expect(dead_code, reason = "services only"))]
    sha256: [u8; 32],
    #[cfg_attr(not(feature = "cloud-store"), expect(dead_code, reason = "services only"))]
    media_type: String,
}

impl Store {
    /// The destination as configured.
    ///
    /// # Errors
    /// What is wrong with the keys, and what to do.
    pub fn new(keys: Keys) -> Result<Store, String> {
        let Keys { path, s3, webdav, template, sidecar } = keys;
        let template = Template::read(template.as_deref().unwrap_or(Template::DEFAULT))?;
        let room = match (path, s3, webdav) {
            (Some(path), None, None) => Room::Local(Local::new(path)),
            #[cfg(feature = "cloud-store")]
            (None, Some(s3), None) => Room::Cloud(Box::new(cloud::Cloud::s3(s3)?)),
            #[cfg(feature = "cloud-store")]
            (None, None, Some(webdav)) => Room::Cloud(Box::new(cloud::Cloud::webdav(webdav)?)),
            #[cfg(not(feature = "cloud-store"))]
            (None, Some(_), None) | (None, None, Some(_)) => {
                return Err(
                    "this sns-server was built without the feature `cloud-store`, which s3 \
                            and webdav need; use another build, or path"
                        .to_owned(),
                );
            }
            (None, None, None) => {
                return Err("nowhere to store: give path, s3 or webdav".to_owned());
            }
            _ => return Err("give only one of path, s3 and webdav".to_owned()),
        };
        Ok(Store { room, template, sidecar })
    }

    /// See [`Destination::deliver`](super::Destination::deliver).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn deliver(&self, post: &Post, progress: &mut Progress) -> Result<String, Fault> {
        let mut stored = Vec::new();
        for (index, file) in post.files.iter().enumerate() {
            stored.push(self.store(post, index, file, progress).await?);
        }
        Ok(match stored.as_slice() {
            [] => "nothing to store: no file came with it".to_owned(),
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        })
    }

    async fn store(
        &self,
        post: &Post,
        index: usize,
        file: &PostFile,
        progress: &mut Progress,
    ) -> Result<String, Fault> {
        let mut at = self.template.place(post, file);
        let step = format!("file {}", index + 1);
        match progress.of(&step) {
            Some(name) => at.name = name.to_owned(),
            None => {
                let content = Content {
                    source: Source::File(file.path.clone()),
                    length: file.length,
                    sha256: file.sha256,
                    media_type: file.media_type.clone(),
                };
                at = self.put(at, &content, &format!("{}-{index}", post.id)).await?;
                progress.note(&step, &at.name).await;
            }
        }
        let step = format!("sidecar {}", index + 1);
        if self.sidecar && progress.of(&step).is_none() {
            let json = sidecar::sidecar(post, file)
                .map_err(|error| Fault::permanent(format!("sidecar: {error}")))?;
            let content = Content {
                length: json.len() as u64,
                sha256: Sha256::digest(&json).into(),
                media_type: "application/json".to_owned(),
                source: Source::Bytes(json.into()),
            };
            let beside = Place { name: format!("{}.json", at.name), ..at.clone() };
            let beside = self.put(beside, &content, &format!("{}-{index}-json", post.id)).await?;
            progress.note(&step, &beside.name).await;
        }
        Ok(match &self.room {
            Room::Local(local) => local.show(&at),
            #[cfg(feature = "cloud-store")]
            Room::Cloud(cloud) => cloud.show(&at),
        })
    }

    async fn put(&self, at: Place, content: &Content, mark: &str) -> Result<Place, Fault> {
        match &self.room {
            Room::Local(local) => local.put(at, content, mark).await,
            #[cfg(feature = "cloud-store")]
            Room::Cloud(cloud) => cloud.put(at, content, mark).await,
        }
    }

    /// See [`Destination::probe`](super::Destination::probe).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn probe(&self) -> Result<String, Fault> {
        match &self.room {
            Room::Local(local) => local.probe().await,
            #[cfg(feature = "cloud-store")]
            Room::Cloud(cloud) => cloud.probe().await,
        }
    }
}
