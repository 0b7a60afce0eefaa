//! The camera's end of the wire: requests as an NX300 writes them, answers as its firmware reads
//! them.
//!
//! Law: what was captured is written byte for byte, oddities included; what was not is marked
//! *reconstructed*. Answers are searched for substrings, never parsed.
//!
//! ```
//! use samsung_sns::camera;
//!
//! let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<Response Status=\"succ\" />";
//! assert_eq!(camera::status(answer), Some(200));
//! assert!(camera::has_succeeded(answer));
//! ```

use crate::endpoint::{HotspotCheck, Site};
use crate::message::MessageError;
use crate::message::auth::{Login, Logout};
use crate::message::email::Email;
use crate::message::media::{Announce, Media};
use crate::message::sso::AllShareLogin;

/// The host of the social gateway.
pub const GATEWAY_HOST: &str = "snsgw.samsungmobile.com";
/// The host that takes e-mail.
pub const EMAIL_HOST: &str = "www.ospserver.net";
/// The boundary of every captured e-mail.
pub const BOUNDARY: &str = "---------------------------7d93b9550d4a";

const BROWSER: &str = "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; Mozilla/4.0 \
    (compatible; MSIE 6.0; Windows NT 5.1; SV1) ; .NET CLR 1.1.4322; InfoPath.2; .NET CLR 2.0.50727)";

/// The probe that a hotspot check makes; its headers are *reconstructed*.
pub fn hotspot_check(check: HotspotCheck) -> Vec<u8> {
    let host = match check {
        HotspotCheck::Gld => "gld.samsungosp.com",
        HotspotCheck::Yahoo => "www.yahoo.co.kr",
        HotspotCheck::Msn => "www.msn.com",
    };
    format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// A login. The absolute target is as captured, the headers are *reconstructed*.
///
/// # Errors
/// [`MessageError::Credential`] if user or password cannot be sealed.
pub fn login(site: &Site, login: &Login) -> Result<Vec<u8>, MessageError> {
    Ok(post(&format!("{site}/auth"), &login.to_xml()?))
}

/// A login to a site that wants OAuth, as far as it is known; *reconstructed*, version and all. What
/// follows it nobody has seen.
pub fn oauth_login(site: &Site) -> Vec<u8> {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <Request Method=\"login\">\n<OAuth Version=\"1.0\"/>\n</Request>\n";
    post(&format!("{site}/auth"), body)
}

/// A logout; *reconstructed*.
pub fn logout(site: &Site, logout: &Logout) -> Vec<u8> {
    post(&format!("{site}/auth"), &logout.to_xml())
}

/// The announce of a photo or video; *reconstructed*.
pub fn announce(site: &Site, announce: &Announce) -> Vec<u8> {
    let door = match announce.media {
        Media::Photo { .. } => "photo",
        Media::Video { .. } => "video",
    };
    post(&format!("{site}/{door}"), &announce.to_xml())
}

/// The AllShare login of an NX300; its host and headers are *reconstructed*.
pub fn allshare(login: &AllShareLogin) -> Vec<u8> {
    post("security/sso/userprofiles/authentication/emailid", &login.to_xml())
}

/// What an ST1000/CL65 asks first; its host and headers are *reconstructed*.
pub fn time() -> Vec<u8> {
    get("/security/sso/initialize/time")
}

/// What an ST1000/CL65 asks next, and where it stops; host and headers are *reconstructed*.
pub fn service_providers(duid: &str) -> Vec<u8> {
    get(&format!("/social/columbus/serviceproviders/list?DUID={duid}"))
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {EMAIL_HOST}\r\n\r\n").into_bytes()
}

fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST http://{GATEWAY_HOST}/{path} HTTP/1.1\r\n\
         Host: {GATEWAY_HOST}\r\n\
         User-Agent: sdeClient\r\n\
         Content-Type: text/xml\r\n\
         Content-Length: {}\r\n\
         \r\n\
         {body}",
        body.len()
    )
    .into_bytes()
}

/// The head of an upload of `length` bytes; the file follows as it is. *Reconstructed*.
pub fn upload_head(resource_id: &str, media_type: &str, length: u64) -> Vec<u8> {
    format!(
        "PUT http://{GATEWAY_HOST}/{resource_id} HTTP/1.1\r\n\
         Host: {GATEWAY_HOST}\r\n\
         User-Agent: sdeClient\r\n\
         Content-Type: {media_type}\r\n\
         Content-Length: {length}\r\n\
         \r\n"
    )
    .into_bytes()
}

/// A file of an e-mail, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes.
    pub length: u64,
}

/// An e-mail in pieces, so that its files need not be in memory: `opening`, then each of
/// `part_heads` followed by its file, then `closing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailRequest {
    /// HTTP head and message part.
    pub opening: Vec<u8>,
    /// What stands before each file.
    pub part_heads: Vec<Vec<u8>>,
    /// What stands after the last.
    pub closing: Vec<u8>,
}

/// An e-mail as captured on an NX300: two spaces before the version, no space after two colons, two
/// `User-Agent` lines, lower-case part headers, no closing boundary. The values of the OAuth
/// signature are made up, since nobody knows the secret; a CRLF after the last boundary is assumed.
pub fn email(email: &Email, duid: &str, attachments: &[Attachment]) -> EmailRequest {
    let message = format!(
        "--{BOUNDARY}\r\n\
         content-disposition: form-data; name=\"message\"; fileName=\"sample.txt\"\r\n\
         content-Type: multipart/form-data;\r\n\
         \r\n\
         {}",
        email.to_xml()
    );
    let part_heads: Vec<Vec<u8>> = attachments
        .iter()
        .map(|file| {
            // A camera's own names hold neither quotes nor line ends; others must not break the part.
            let name = file.file_name.replace(|c: char| c == '"' || c.is_control(), "_");
            format!(
                "\r\n--{BOUNDARY}\r\n\
                 content-disposition: form-data; name=\"binary\"; fileName=\"{name}\"\r\n\
                 content-Type: {};\r\n\
                 \r\n",
                file.media_type
            )
            .into_bytes()
        })
        .collect();
    // Quirk(NX300): no `--` closes the last boundary.
    let closing = format!("\r\n--{BOUNDARY}\r\n").into_bytes();
    let files: u64 = attachments.iter().map(|file| file.length).sum();
    let heads: usize = part_heads.iter().map(Vec::len).sum();
    let length = (message.len() + heads + closing.len()) as u64 + files;
    let head = format!(
        "POST /social/columbus/email?DUID={duid}  HTTP/1.0\r\n\
         Authorization:OAuth oauth_consumer_key=\"\",oauth_nonce=\"\",oauth_signature=\"\",\
         oauth_signature_method=\"HmacSHA1\",oauth_timestamp=\"0\",oauth_version=\"1.0\"\r\n\
         x-osp-version:v1\r\n\
         User-Agent: sdeClient\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         Accept: image/gif, image/x-xbitmap, image/jpeg, image/pjpeg, \
         application/x-shockwave-flash, application/vnd.ms-excel, application/vnd.ms-powerpoint, \
         application/msword, */*\r\n\
         Pragma: no-cache\r\n\
         Accept-Language: ko\r\n\
         User-Agent: {BROWSER}\r\n\
         Host: {EMAIL_HOST}\r\n\
         Content-Length: {length}\r\n\
         \r\n"
    );
    EmailRequest { opening: (head + &message).into_bytes(), part_heads, closing }
}

/// The status of an answer, if it is one.
pub fn status(answer: &[u8]) -> Option<u16> {
    let text = answer.strip_prefix(b"HTTP/1.")?;
    std::str::from_utf8(text.get(2..5)?).ok()?.parse().ok()
}

/// What follows the head of an answer, as text.
pub fn body(answer: &[u8]) -> String {
    let start = memchr::memmem::find(answer, b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    String::from_utf8_lossy(&answer[start..]).into_owned()
}

/// Whether an upload was taken.
pub fn has_succeeded(answer: &[u8]) -> bool {
    status(answer) == Some(200) && memchr::memmem::find(answer, b"Status=\"succ\"").is_some()
}

/// Whether the answer to a hotspot check says "online" to the firmware.
pub fn is_online(check: HotspotCheck, answer: &[u8]) -> bool {
    let head = String::from_utf8_lossy(answer);
    let cookie = |domain: &str| {
        head.lines().any(|line| {
            line.starts_with("Set-Cookie:") && line.to_ascii_lowercase().contains(domain)
        })
    };
    match (check, status(answer)) {
        (HotspotCheck::Gld, Some(200)) => true,
        (HotspotCheck::Msn, Some(200)) => cookie("domain=.msn.com"),
        (HotspotCheck::Yahoo, Some(200)) => cookie("domain=.yahoo."),
        // WB850F, EX2F: `yahoo.` must begin at offset 11 or less, so `https://www.` is too long.
        (HotspotCheck::Yahoo, Some(300..=309)) => head
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .and_then(|target| target.find("yahoo."))
            .is_some_and(|offset| offset <= 11),
        _ => false,
    }
}
