//! What is known to be harmless: the words of the protocol, of HTTP, and of the products that speak
//! it.
//!
//! Law: a word is on a list because it says nothing of a person, wherever it stands. None is there
//! because it looks harmless.

pub(super) mod http;
pub(super) mod product;

/// Whether a list has this word, in any case.
pub(super) fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The hosts of Samsung's services, of the hotspot checks, and of their known answers.
pub(super) const HOSTS: &[&str] = &[
    "gld.samsungosp.com",
    "www.samsungimaging.com",
    "samsungimaging.com",
    "www.ospserver.net",
    "snsgw.samsungmobile.com",
    "www.yahoo.co.kr",
    "www.yahoo.com",
    "yahoo.com",
    "www.msn.com",
    "msn.com",
    "localhost",
];

/// Domains of which other hosts may be heard of.
pub(super) const DOMAINS: &[&str] = &[
    "samsungosp.com",
    "samsungimaging.com",
    "samsungmobile.com",
    "samsungcamera.com",
    "ospserver.net",
    "samsung.com",
    "yahoo.co.kr",
    "yahoo.co.jp",
    "yahoo.com",
    "msn.com",
];

/// Social services that a camera's firmware of those years may name, beside the known ones.
pub(super) const SITES: &[&str] = &[
    "allshare",
    "baidu",
    "box",
    "dailymotion",
    "google",
    "googledrive",
    "googleplus",
    "gree",
    "instagram",
    "kaixin",
    "kaixin001",
    "line",
    "linkedin",
    "livejournal",
    "mixi",
    "naver",
    "netlog",
    "onedrive",
    "orkut",
    "picasaweb",
    "qq",
    "qzone",
    "samsunglink",
    "sina",
    "sinaweibo",
    "tencent",
    "tencentweibo",
    "tumblr",
    "twitter",
    "vimeo",
    "vk",
    "weixin",
    "youku",
];

/// The words in the protocol's paths, and where phones and browsers knock by themselves.
pub(super) const PATHS: &[&str] = &[
    "auth",
    "authentication",
    "columbus",
    "connecttest.txt",
    "email",
    "emailid",
    "favicon.ico",
    "generate_204",
    "hotspot-detect.html",
    "index.html",
    "initialize",
    "list",
    "ncsi.txt",
    "oauth",
    "photo",
    "robots.txt",
    "security",
    "serviceproviders",
    "social",
    "sso",
    "success.txt",
    "time",
    "upload",
    "userprofiles",
    "video",
];

/// The names in queries.
pub(super) const QUERIES: &[&str] = &["DUID"];

/// Names of files that the firmware gives.
pub(super) const FILE_NAMES: &[&str] = &["sample.txt", "message.xml"];

/// What kinds of file there are.
pub(super) const EXTENSIONS: &[&str] = &[
    "3gp", "avi", "bin", "gif", "jpe", "jpeg", "jpg", "mime", "mov", "mp4", "mpo", "png", "sav",
    "srw", "txt", "xml",
];

/// The names of the parts of an e-mail.
pub(super) const FIELDS: &[&str] = &["binary", "message"];

/// The names of the protocol's elements and attributes.
pub(super) const ELEMENTS: &[&str] = &[
    "Album",
    "ApplicationKey",
    "CameraCryptKey",
    "Category",
    "Content",
    "CryptSessionKey",
    "ErrCode",
    "ErrSubCode",
    "File",
    "HostAddr",
    "ID",
    "LoginPeopleID",
    "Method",
    "Name",
    "OAuth",
    "OwnerID",
    "Password",
    "PersistKey",
    "Photo",
    "Request",
    "ResourceID",
    "Response",
    "SessionKey",
    "Status",
    "Timeout",
    "Type",
    "URL",
    "Use",
    "UserName",
    "Value",
    "Version",
    "Video",
    "body",
    "currentServerTime",
    "duid",
    "email",
    "initializeResult",
    "loginID",
    "mobileCountryCode",
    "password",
    "receiver",
    "receiverList",
    "sender",
    "title",
    "tncAccepted",
    "userAuthRequest",
];

/// The words in their values.
pub(super) const VALUES: &[&str] = &[
    "APIF", "N", "SHA1", "Y", "fail", "false", "login", "logout", "photo", "succ", "true",
    "upload", "video",
];

/// What our own sentences quote.
pub(super) const QUOTED: &[&str] = &["succ", "yahoo.", "deadbeef"];
