//! S3-compatible services and WebDAV, through opendal.
//!
//! Law: a file is looked for before it is written, and written only where nothing is:
//!
//! | service | how it is written | what holds |
//! | --- | --- | --- |
//! | S3 | in parts of 8 MiB, with `If-None-Match: *` | never replaces; a service that does not know the header (501, or one that ignores it) could replace what appears between look and write |
//! | WebDAV | streamed to a hidden name, then `MOVE` with `Overwrite: F` (RFC 4918, for all servers) | never replaces, and nobody sees half a file |
//!
//! With a key that may write but not look, S3 refuses what is there all the same, but a retry cannot
//! recognise it: then a lost answer leaves a second, numbered object.
//!
//! That something is the same file is told by its length and the SHA-256 stored with it (S3), or
//! else by reading it back. Memory does not grow with a file.

mod transport;

use super::sidecar::hex;
use super::template::Place;
use super::{Content, S3Keys, WebdavKeys};
use crate::config::secret::secret;
use crate::destination::{Fault, FaultKind};
use crate::names::numbered;
use futures_util::TryStreamExt;
use opendal::services::{S3, Webdav};
use opendal::{Buffer, ErrorKind, HttpTransporter, OperationContext, Operator};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use transport::{Transport, Upload};

/// Parts of S3 uploads; also what is read of a file at a time.
const PART: usize = 8 * 1024 * 1024;

/// So many names are tried before something must be wrong.
const MOST_NAMES: u64 = 10_000;
/// A service may find something so often where it had nothing right before.
const MOST_MISSES: u32 = 5;

/// A store that is a service.
#[derive(Debug)]
pub(super) struct Cloud {
    /// What people call it.
    shown: String,
    operator: Operator,
    transport: Transport,
    service: Service,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    S3,
    Webdav,
}

/// What lies under a name.
enum Found {
    Nothing,
    Same,
    Other,
    /// We may not look: writing will tell.
    Untold,
}

impl Cloud {
    pub(super) fn s3(keys: S3Keys) -> Result<Cloud, String> {
        let secret_key =
            secret("secret_key", keys.secret_key.as_ref(), keys.secret_key_file.as_deref())?
                .ok_or("s3: secret_key or secret_key_file is missing")?;
        let mut builder = S3::default()
            .bucket(&keys.bucket)
            .region(keys.region.as_deref().unwrap_or("us-east-1"))
            .access_key_id(&keys.access_key)
            .secret_access_key(secret_key.expose_secret())
            // The configuration says all of it: nothing of the environment counts.
            .disable_config_load()
            .disable_ec2_metadata();
        let mut shown = format!("s3://{}", keys.bucket);
        // Named also for Amazon, so that the environment is not asked.
        builder = builder.endpoint(keys.endpoint.as_deref().unwrap_or("https://s3.amazonaws.com"));
        if let Some(endpoint) = keys.endpoint {
            is_url("s3: endpoint", &endpoint)?;
            shown = format!("{shown} at {endpoint}");
        }
        let operator = Operator::new(builder).map_err(|error| format!("s3: {error}"))?;
        Cloud::new(shown, operator, Service::S3)
    }

    pub(super) fn webdav(keys: WebdavKeys) -> Result<Cloud, String> {
        is_url("webdav: url", &keys.url)?;
        let url = keys.url.trim_end_matches('/');
        let password = secret("password", keys.password.as_ref(), keys.password_file.as_deref())?;
        let mut builder = Webdav::default().endpoint(url);
        match (&keys.user, &password) {
            (Some(user), Some(password)) => {
                builder = builder.username(user).password(password.expose_secret());
            }
            (None, None) => {}
            (Some(_), None) => return Err("webdav: password or password_file is missing".into()),
            (None, Some(_)) => return Err("webdav: user is missing".into()),
        }
        let operator = Operator::new(builder).map_err(|error| format!("webdav: {error}"))?;
        Cloud::new(url.to_owned(), operator, Service::Webdav)
    }

    fn new(shown: String, operator: Operator, service: Service) -> Result<Cloud, String> {
        let transport = Transport::new();
        let transport = transport.map_err(|error| format!("cannot set up TLS: {error}"))?;
        let operator = with_transport(operator, transport.clone());
        Ok(Cloud { shown, operator, transport, service })
    }

    /// Puts something at its place or, where another has it, at the next number; says where.
    /// `mark` is the same at each attempt, and no other's.
    pub(super) async fn put(
        &self,
        at: Place,
        content: &Content,
        mark: &str,
    ) -> Result<Place, Fault> {
        let wanted = at.name.clone();
        self.try_put(at, content, mark).await.map_err(|fault| Fault {
            message: format!("{}, {wanted}: {}", self.shown, fault.message),
            ..fault
        })
    }

    async fn try_put(&self, at: Place, content: &Content, mark: &str) -> Result<Place, Fault> {
        let hidden = path(&at, &format!(".sns-{mark}.part"));
        let mut uploaded = false;
        let mut number = 1;
        let mut misses = 0;
        while number <= MOST_NAMES && misses < MOST_MISSES {
            let name = numbered(&at.name, number);
            let to = path(&at, &name);
            let found = self.find(&to, content).await?;
            match found {
                Found::Other => {
                    number += 1;
                    continue;
                }
                Found::Same if uploaded => {
                    self.operator.delete(&hidden).await.map_err(|error| fault(&error))?;
                    return Ok(Place { name, ..at });
                }
                Found::Same => return Ok(Place { name, ..at }),
                Found::Nothing | Found::Untold => {}
            }
            let is_written = match self.service {
                Service::S3 if matches!(found, Found::Untold) => {
                    // What is there cannot be compared.
                    number += 1;
                    written(self.try_write_parts(&to, content, true).await?)?
                }
                Service::S3 => self.write_parts(&to, content).await?,
                Service::Webdav => {
                    if !uploaded {
                        self.upload(&hidden, content).await?;
                        uploaded = true;
                    }
                    written(self.operator.rename(&hidden, &to).await)?
                }
            };
            if is_written {
                return Ok(Place { name, ..at });
            }
            misses += u32::from(!matches!(found, Found::Untold));
        }
        Err(match misses < MOST_MISSES {
            true => Fault::permanent(format!("{MOST_NAMES} names of its kind are taken")),
            false => Fault::transient("the service says both that nothing and something is there"),
        })
    }

    async fn find(&self, to: &str, content: &Content) -> Result<Found, Fault> {
        let found = match self.operator.stat(to).await {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Found::Untold),
            Err(error) => return Err(fault(&error)),
        };
        if !found.is_file() || found.content_length() != content.length {
            return Ok(Found::Other);
        }
        let noted = found.user_metadata().and_then(|noted| noted.get("sha256"));
        let same = match noted {
            Some(noted) => noted == hex(&content.sha256),
            None => self.hash(to).await.map_err(|error| fault(&error))? == content.sha256,
        };
        Ok(if same { Found::Same } else { Found::Other })
    }

    async fn hash(&self, path: &str) -> opendal::Result<[u8; 32]> {
        let mut bytes = self.operator.reader(path).await?.into_stream(..).await?;
        let mut hash = Sha256::new();
        while let Some(piece) = bytes.try_next().await? {
            piece.for_each(|bytes| hash.update(&bytes));
        }
        Ok(hash.finalize().into())
    }

    /// Whether it was written; false if something else is there.
    async fn write_parts(&self, to: &str, content: &Content) -> Result<bool, Fault> {
        match self.try_write_parts(to, content, true).await? {
            // Such a service knows no conditions; that nothing was there has to do.
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                written(self.try_write_parts(to, content, false).await?)
            }
            result => written(result),
        }
    }

    async fn try_write_parts(
        &self,
        to: &str,
        content: &Content,
        condition: bool,
    ) -> Result<opendal::Result<()>, Fault> {
        let writer = self
            .operator
            .writer_with(to)
            .chunk(PART)
            .content_type(&content.media_type)
            .user_metadata([("sha256".to_owned(), hex(&content.sha256))])
            .if_not_exists(condition)
            .await;
        let mut writer = match writer {
            Ok(writer) => writer,
            Err(error) => return Ok(Err(error)),
        };
        let mut pieces = content.source.clone().pieces(content.length, PART);
        let result = loop {
            match pieces.try_next().await {
                Err(fault) => break Err(fault),
                Ok(None) => break Ok(writer.close().await.map(|_| ())),
                Ok(Some(piece)) => {
                    if let Err(error) = writer.write(piece).await {
                        break Ok(Err(error));
                    }
                }
            }
        };
        if !matches!(result, Ok(Ok(()))) {
            // Parts that stay cost money; if this fails too, the service's own rules clear them.
            let _ = writer.abort().await;
        }
        result
    }

    /// Streams to a name that is ours alone.
    async fn upload(&self, hidden: &str, content: &Content) -> Result<(), Fault> {
        let upload = Upload { source: content.source.clone(), length: content.length };
        let operator =
            with_transport(self.operator.clone(), self.transport.clone().uploading(upload));
        // opendal takes a whole body only; the transport puts the stream in its place.
        let result =
            operator.write_with(hidden, Buffer::new()).content_type(&content.media_type).await;
        result.map(|_| ()).map_err(|error| fault(&error))
    }

    /// What people call a place.
    pub(super) fn show(&self, at: &Place) -> String {
        format!("{}: {}", self.shown, path(at, &at.name))
    }

    /// Asks for what lies at the root.
    pub(super) async fn probe(&self) -> Result<String, Fault> {
        let operator = with_transport(self.operator.clone(), self.transport.clone().probing());
        match operator.list_with("/").limit(1).await {
            Ok(_) => Ok(format!("{} answers and lets us in", self.shown)),
            Err(error) => {
                let fault = fault(&error);
                Err(Fault { message: format!("{}: {}", self.shown, fault.message), ..fault })
            }
        }
    }
}

fn is_url(key: &str, url: &str) -> Result<(), String> {
    match reqwest::Url::parse(url) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err(format!("{key}: the login does not belong in the address, but in its own keys"))
        }
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(()),
        _ => Err(format!("{key} {url:?} is no address such as \"https://cloud.example/\"")),
    }
}

fn with_transport(operator: Operator, transport: Transport) -> Operator {
    let context = OperationContext::default();
    operator.with_context(context.with_http_transport(HttpTransporter::new(transport)))
}

fn path(at: &Place, name: &str) -> String {
    let mut path = at.folders.join("/");
    if !path.is_empty() {
        path.push('/');
    }
    path + name
}

/// Whether something was written, or something else was there.
fn written(result: opendal::Result<()>) -> Result<bool, Fault> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::ConditionNotMatch => Ok(false),
        Err(error) => Err(fault(&error)),
    }
}

/// What opendal says becomes a fault; most came from the transport as one.
fn fault(error: &opendal::Error) -> Fault {
    let source = std::error::Error::source(error);
    if let Some(fault) = source.and_then(|source| source.downcast_ref::<Fault>()) {
        return fault.clone();
    }
    let kind = match error.is_temporary() {
        true => FaultKind::Transient { retry_after: None },
        false => FaultKind::Permanent,
    };
    let message = match error.message() {
        "" => error.kind().to_string(),
        message => transport::one_line(message),
    };
    Fault { kind, message }
}
