//! The published API, as far as it is used: docs.joinmastodon.org, and the sources of Pixelfed and
//! GoToSocial where they differ.

use std::collections::BTreeMap;

/// How a request carries its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carries {
    Nothing,
    Form(&'static [&'static str]),
    Json(&'static [&'static str]),
    Multipart(&'static [&'static str]),
}

/// A call that exists.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// `:id` stands for one segment.
    pub(crate) path: &'static str,
    /// One of them is needed, or the word before the colon; none: no token is needed.
    pub(crate) scopes: &'static [&'static str],
    pub(crate) query: &'static [&'static str],
    pub(crate) carries: Carries,
}

const STATUS_FIELDS: &[&str] = &[
    "status",
    "media_ids",
    "poll",
    "in_reply_to_id",
    "sensitive",
    "spoiler_text",
    "visibility",
    "language",
    "scheduled_at",
];
const MEDIA_FIELDS: &[&str] = &["file", "thumbnail", "description", "focus"];
const PAGING: &[&str] =
    &["max_id", "min_id", "limit", "only_media", "exclude_replies", "exclude_reblogs", "pinned"];

pub(crate) const CALLS: &[Call] = &[
    Call {
        method: "GET",
        path: "/api/v2/instance",
        scopes: &[],
        query: &[],
        carries: Carries::Nothing,
    },
    Call {
        method: "GET",
        path: "/api/v1/instance",
        scopes: &[],
        query: &[],
        carries: Carries::Nothing,
    },
    Call {
        method: "GET",
        path: "/api/v1/accounts/verify_credentials",
        scopes: &["read:accounts", "profile"],
        query: &[],
        carries: Carries::Nothing,
    },
    Call {
        method: "GET",
        path: "/api/v1/accounts/:id/statuses",
        scopes: &["read:statuses"],
        query: PAGING,
        carries: Carries::Nothing,
    },
    Call {
        method: "POST",
        path: "/api/v2/media",
        scopes: &["write:media"],
        query: &[],
        carries: Carries::Multipart(MEDIA_FIELDS),
    },
    Call {
        method: "POST",
        path: "/api/v1/media",
        scopes: &["write:media"],
        query: &[],
        carries: Carries::Multipart(MEDIA_FIELDS),
    },
    Call {
        method: "GET",
        path: "/api/v1/media/:id",
        scopes: &["write:media"],
        query: &[],
        carries: Carries::Nothing,
    },
    Call {
        method: "POST",
        path: "/api/v1/statuses",
        scopes: &["write:statuses"],
        query: &[],
        carries: Carries::Json(STATUS_FIELDS),
    },
    Call {
        method: "POST",
        path: "/api/v1/apps",
        scopes: &[],
        query: &[],
        carries: Carries::Form(&["client_name", "redirect_uris", "scopes", "website"]),
    },
    Call {
        method: "POST",
        path: "/oauth/token",
        scopes: &[],
        query: &[],
        carries: Carries::Form(&[
            "grant_type",
            "code",
            "client_id",
            "client_secret",
            "redirect_uri",
            "scope",
        ]),
    },
];

/// The call a request makes, and its `:id`.
pub(crate) fn find(method: &str, path: &str) -> Option<(&'static Call, Option<String>)> {
    CALLS.iter().find_map(|call| {
        let (pattern, path) = (call.path.split('/'), path.split('/'));
        if call.method != method || pattern.clone().count() != path.clone().count() {
            return None;
        }
        let mut id = None;
        for (pattern, part) in pattern.zip(path) {
            match pattern {
                ":id" if !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()) => {
                    id = Some(part.to_owned());
                }
                pattern if pattern == part => {}
                _ => return None,
            }
        }
        Some((call, id))
    })
}

/// What is wrong with a request's query, headers and kind of body.
pub(crate) fn deviations(
    call: &Call,
    query: &BTreeMap<String, String>,
    headers: &axum::http::HeaderMap,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    for key in query.keys().filter(|key| !call.query.contains(&key.as_str())) {
        wrong.push(format!("query parameter {key}"));
    }
    if let Some(limit) = query.get("limit")
        && !limit.parse::<u8>().is_ok_and(|limit| (1..=40).contains(&limit))
    {
        wrong.push(format!("limit={limit}"));
    }
    if !header("user-agent").is_some_and(|agent| agent.starts_with("sns-server/")) {
        wrong.push("no User-Agent of ours".to_owned());
    }
    if call.scopes.is_empty() && call.method == "POST" && header("authorization").is_some() {
        wrong.push("a token where none is asked for".to_owned());
    }
    let content_type = header("content-type").unwrap_or_default();
    let fits = match call.carries {
        Carries::Nothing => content_type.is_empty(),
        Carries::Form(_) => content_type == "application/x-www-form-urlencoded",
        Carries::Json(_) => content_type == "application/json",
        Carries::Multipart(_) => content_type.starts_with("multipart/form-data; boundary="),
    };
    if !fits {
        wrong.push(format!("Content-Type {content_type:?}"));
    }
    let length = header("content-length").and_then(|length| length.parse::<u64>().ok());
    match call.carries {
        Carries::Nothing if length.unwrap_or(0) > 0 => wrong.push("a body".to_owned()),
        Carries::Nothing => {}
        // Proxies before instances refuse chunked uploads.
        _ if length.is_none() => wrong.push("no Content-Length".to_owned()),
        _ => {}
    }
    let is_status = call.path == "/api/v1/statuses";
    if is_status != header("idempotency-key").is_some() {
        wrong.push("Idempotency-Key belongs to a status, and only there".to_owned());
    }
    wrong
}

/// Fields that do not exist, or come twice.
pub(crate) fn wrong_fields<'a>(
    allowed: &[&str],
    fields: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for field in fields {
        if !allowed.contains(&field) || seen.contains(&field) {
            wrong.push(format!("field {field}"));
        }
        seen.push(field);
    }
    wrong
}
