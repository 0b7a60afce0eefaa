//! Which door was knocked on: method, host and path of a request become an [`Endpoint`].
//!
//! Law: reading never fails. An unknown path is [`Endpoint::Unknown`], an unknown site is a
//! [`Site`] as it came.
//!
//! Facts: facts.md section 1. All six host names lead to one server; only `/` means something else
//! on each of them.

use percent_encoding::percent_decode_str;
use std::fmt;

/// The social service in the path of a request, as it came: `facebook`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Site(String);

impl Site {
    /// The sites named in the firmware of NX300 and (the last two) NX mini. Others may exist: the
    /// NX300 has sixteen, of which one is not known by name.
    pub const KNOWN: [&'static str; 17] = [
        "facebook",
        "picasa",
        "youtube",
        "photobucket",
        "samsungimaging",
        "cyworld",
        "me2day",
        "poco",
        "weibo",
        "renren",
        "vkontakte",
        "odnoklassniki",
        "kakaostory",
        "evernote",
        "skydrive",
        "flickr",
        "dropbox",
    ];

    /// A site of this name.
    pub fn new(name: impl Into<String>) -> Site {
        Site(name.into())
    }

    /// The name as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether cameras log in to this site by OAuth, with neither user nor password.
    pub fn wants_oauth(&self) -> bool {
        matches!(self.as_str(), "skydrive" | "flickr" | "dropbox")
    }

    /// Whether a known firmware names this site.
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(&self.as_str())
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which hotspot check a request for `/` is, by its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HotspotCheck {
    /// `gld.samsungosp.com`: NX series and NX mini.
    Gld,
    /// `www.yahoo.co.kr`: ST200F, WB850F, EX2F, DV300F.
    Yahoo,
    /// `www.msn.com`: WB35F/36F/37F, WB1100F, DV150F with firmware 1310101.
    Msn,
}

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// `GET /` on one of the hosts that cameras probe.
    Hotspot(HotspotCheck),
    /// `GET /` on any other host: a person, or the browser of a camera.
    Home,
    /// `POST /<site>/auth`: login or logout.
    Auth(Site),
    /// `POST /<site>/photo`: one photo is announced.
    Photo(Site),
    /// `POST /<site>/video`: one video is announced.
    Video(Site),
    /// `PUT` or `POST /upload/<session>/<filename>`: the file itself.
    Upload {
        /// The session in the path.
        session: String,
        /// The rest of the path, percent-decoded. Bytes: nothing promises that it is text, and
        /// nothing that it is safe.
        file_name: Vec<u8>,
    },
    /// `POST /social/columbus/email?DUID=…`: an e-mail.
    Email {
        /// The device's number from the query.
        duid: Option<String>,
    },
    /// `GET /social/columbus/email`: a person who followed a link.
    EmailPage,
    /// `GET /security/sso/initialize/time`: ST1000/CL65.
    Time,
    /// `GET /social/columbus/serviceproviders/list`: ST1000/CL65. The answer's format is unknown.
    ServiceProviders,
    /// `POST /security/sso/userprofiles/authentication/emailid`: NX300 "AllShare" login.
    AllShare,
    /// Anything else.
    Unknown,
}

/// How the body of a request is to be received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// No body is expected.
    None,
    /// A short message, at most [`MAX_MESSAGE`] bytes, to be read whole.
    Message,
    /// A file of any size, to be streamed to disk.
    File,
    /// `multipart/form-data` with a message and files, to be streamed to disk.
    Multipart,
}

/// The longest message that is read. The captured login has 900 bytes.
pub const MAX_MESSAGE: usize = 16 * 1024;

impl Endpoint {
    /// What a request is for. `method` in upper case, `host` with or without a port, `target` in
    /// origin form (path and query) as [`RequestHead`](crate::wire::request::RequestHead) gives it.
    pub fn of(method: &str, host: Option<&str>, target: &str) -> Endpoint {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let is_read = matches!(method, "GET" | "HEAD");
        match (method, segments.as_slice()) {
            (_, []) if is_read => match host.and_then(hotspot_check) {
                Some(check) => Endpoint::Hotspot(check),
                None => Endpoint::Home,
            },
            // The talk says POST, the wiki PUT.
            ("PUT" | "POST", ["upload", session, _, ..]) => {
                let name = path.trim_start_matches('/').splitn(3, '/').nth(2).unwrap_or("");
                Endpoint::Upload {
                    session: (*session).to_owned(),
                    file_name: percent_decode_str(name).collect(),
                }
            }
            ("POST", ["social", "columbus", "email"]) => {
                let duid = query.split('&').find_map(|pair| pair.strip_prefix("DUID="));
                Endpoint::Email { duid: duid.map(str::to_owned) }
            }
            (_, ["social", "columbus", "email"]) if is_read => Endpoint::EmailPage,
            (_, ["social", "columbus", "serviceproviders", "list"]) if is_read => {
                Endpoint::ServiceProviders
            }
            (_, ["security", "sso", "initialize", "time"]) if is_read => Endpoint::Time,
            ("POST", ["security", "sso", "userprofiles", "authentication", "emailid"]) => {
                Endpoint::AllShare
            }
            ("POST", [site, door]) => {
                let site = Site::new(percent_decode_str(site).decode_utf8_lossy());
                match *door {
                    "auth" => Endpoint::Auth(site),
                    "photo" => Endpoint::Photo(site),
                    "video" => Endpoint::Video(site),
                    _ => Endpoint::Unknown,
                }
            }
            _ => Endpoint::Unknown,
        }
    }

    /// How the body of such a request is to be received.
    pub fn body(&self) -> BodyKind {
        match self {
            Endpoint::Auth(_) | Endpoint::Photo(_) | Endpoint::Video(_) | Endpoint::AllShare => {
                BodyKind::Message
            }
            Endpoint::Upload { .. } => BodyKind::File,
            Endpoint::Email { .. } => BodyKind::Multipart,
            _ => BodyKind::None,
        }
    }

    /// The site in the path, if there is one.
    pub fn site(&self) -> Option<&Site> {
        match self {
            Endpoint::Auth(site) | Endpoint::Photo(site) | Endpoint::Video(site) => Some(site),
            _ => None,
        }
    }
}

fn hotspot_check(host: &str) -> Option<HotspotCheck> {
    let name = host.split(':').next()?.trim_end_matches('.').to_ascii_lowercase();
    // Other countries' firmware may probe another Yahoo: any of them means the same check.
    if name.starts_with("yahoo.") || name.contains(".yahoo.") {
        return Some(HotspotCheck::Yahoo);
    }
    match name.as_str() {
        "gld.samsungosp.com" => Some(HotspotCheck::Gld),
        "msn.com" | "www.msn.com" => Some(HotspotCheck::Msn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_of_the_facts_finds_its_door() {
        let of = |method, host, target| Endpoint::of(method, Some(host), target);
        let facebook = || Site::new("facebook");
        let gld = Endpoint::Hotspot(HotspotCheck::Gld);
        assert_eq!(of("GET", "gld.samsungosp.com", "/"), gld);
        assert_eq!(of("GET", "GLD.samsungosp.com:80", "/"), gld);
        assert_eq!(of("GET", "www.yahoo.co.kr", "/"), Endpoint::Hotspot(HotspotCheck::Yahoo));
        assert_eq!(of("HEAD", "www.msn.com", "/"), Endpoint::Hotspot(HotspotCheck::Msn));
        assert_eq!(of("GET", "www.samsungimaging.com", "/"), Endpoint::Home);
        assert_eq!(Endpoint::of("GET", None, "/"), Endpoint::Home);
        assert_eq!(of("POST", "x", "/facebook/auth"), Endpoint::Auth(facebook()));
        assert_eq!(of("POST", "x", "/facebook/auth/"), Endpoint::Auth(facebook()));
        assert_eq!(of("POST", "x", "//facebook/photo/"), Endpoint::Photo(facebook()));
        assert_eq!(of("POST", "x", "/facebook/video"), Endpoint::Video(facebook()));
        assert_eq!(
            of("POST", "x", "/social/columbus/email?DUID=123456789033"),
            Endpoint::Email { duid: Some("123456789033".into()) }
        );
        assert_eq!(of("GET", "x", "/social/columbus/email"), Endpoint::EmailPage);
        assert_eq!(of("GET", "x", "/security/sso/initialize/time"), Endpoint::Time);
        assert_eq!(
            of("GET", "x", "/social/columbus/serviceproviders/list?DUID=1"),
            Endpoint::ServiceProviders
        );
        assert_eq!(
            of("POST", "x", "/security/sso/userprofiles/authentication/emailid"),
            Endpoint::AllShare
        );
        assert_eq!(of("GET", "x", "/facebook/auth"), Endpoint::Unknown);
        assert_eq!(of("POST", "x", "/"), Endpoint::Unknown);
    }

    #[test]
    fn an_unknown_site_is_kept_as_it_came() {
        let endpoint = Endpoint::of("POST", None, "/newsite/auth");
        assert_eq!(endpoint.site().unwrap().as_str(), "newsite");
        assert!(!endpoint.site().unwrap().is_known());
        assert!(!endpoint.site().unwrap().wants_oauth());
        let by_oauth = Site::KNOWN.into_iter().filter(|name| Site::new(*name).wants_oauth());
        assert_eq!(by_oauth.count(), 3);
    }

    #[test]
    fn a_file_name_is_everything_behind_the_session() {
        for (target, name) in [
            ("/upload/abc/SAM_0001.JPG", "SAM_0001.JPG"),
            ("/upload/abc/a%20b.jpg", "a b.jpg"),
            ("/upload/abc/../../etc/passwd", "../../etc/passwd"),
            ("/upload/abc/..%2f..%2fx", "../../x"),
        ] {
            let expected =
                Endpoint::Upload { session: "abc".into(), file_name: name.as_bytes().to_vec() };
            assert_eq!(Endpoint::of("PUT", None, target), expected);
            assert_eq!(Endpoint::of("POST", None, target), expected);
        }
        assert_eq!(Endpoint::of("PUT", None, "/upload/abc"), Endpoint::Unknown);
        assert_eq!(Endpoint::of("PUT", None, "/upload/abc/"), Endpoint::Unknown);
    }
}
