//! Why a server refused: the comment behind the error XML.
//!
//! Law: the firmware never reads it, so it is free text for people, and may hold anything.

/// The comment in `<Response ErrCode="401" ErrSubCode="0" /><!-- reason -->`.
pub(crate) fn reason(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("<!--")?;
    let (reason, _) = rest.split_once("-->")?;
    Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty())
}
