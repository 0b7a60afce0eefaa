//! Whether a status is there already, although nobody told us.
//!
//! Law: a status with files is known by the ids of its files, which are ours alone; one without by its
//! words and who may see it. Only what came after we were about to post counts, in the instance's own
//! order: no clock is asked.

use super::api::{Api, Refusal, Status};

/// Statuses that are asked for at a time.
const PAGE: u8 = 40;
/// A thousand statuses since then: ours would have been among the first.
const PAGES: usize = 25;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// A status with one of these files.
    Files(&'a [String]),
    /// A status of this text, for this public if we chose one.
    Text(&'a str, Option<super::Visibility>),
}

impl Wanted<'_> {
    fn is(&self, status: &Status) -> bool {
        match self {
            Wanted::Files(ids) => {
                status.media_attachments.iter().any(|media| ids.contains(&media.id))
            }
            Wanted::Text(text, visibility) => {
                let said = status.visibility.as_deref();
                status.media_attachments.is_empty()
                    && (visibility.is_none() || said == visibility.map(|v| v.as_str()))
                    && essence(&plain(&status.content)) == essence(text)
            }
        }
    }
}

/// The status that is wanted, if it came after `after`; an empty `after` looks at the newest ones.
pub(super) async fn find(
    api: &Api,
    account: &str,
    after: &str,
    wanted: Wanted<'_>,
) -> Result<Option<Status>, Refusal> {
    let mut after = after.to_owned();
    for _ in 0..PAGES {
        let page = api.statuses(account, &after, PAGE).await?;
        let newest = page.first().map(|status| status.id.clone());
        if let Some(found) = page.into_iter().find(|status| wanted.is(status)) {
            return Ok(Some(found));
        }
        match newest {
            Some(newest) if newest != after && !after.is_empty() => after = newest,
            _ => break,
        }
    }
    Ok(None)
}

/// The words of an instance's HTML.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text += before;
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        if tag.starts_with("br") || tag.starts_with("/p") {
            text.push(' ');
        }
        rest = after;
    }
    text += rest;
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
    ];
    let text = entities.iter().fold(text, |text, (entity, is)| text.replace(entity, is));
    text.replace("&amp;", "&")
}

/// What is left of a text on its way through an instance: Markdown may be applied, spaces change, and
/// `@me@example.com` becomes `@me`.
fn essence(text: &str) -> String {
    let word = |word: &str| {
        let mention =
            word.starts_with('@').then(|| word[1..].split('@').next().unwrap_or_default());
        let word = mention.unwrap_or(word);
        word.chars().filter(|c| !c.is_ascii_punctuation()).collect::<String>()
    };
    text.split_whitespace().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_again_in_html() {
        let same = [
            ("Sea & <3\n\nat dawn", "<p>Sea &amp; &lt;3</p><p>at dawn</p>"),
            (
                "see https://example.com/a?b=c",
                "<p>see <a href=\"https://example.com/a?b=c\"><span class=\"invisible\">https://</span>\
                 <span class=\"\">example.com/a?b=c</span></a></p>",
            ),
            (
                "hello @me@example.com #NX300",
                "<p>hello <span class=\"h-card\"><a href=\"https://example.com/@me\" \
                 class=\"u-url mention\">@<span>me</span></a></span> \
                 <a href=\"/tags/nx300\">#<span>NX300</span></a></p>",
            ),
            ("*very* nice", "<p><em>very</em> nice</p>"),
            ("📷", "<p>📷</p>"),
        ];
        for (text, html) in same {
            assert_eq!(essence(text), essence(&plain(html)), "{text}");
        }
        assert_ne!(essence("Sea"), essence(&plain("<p>Seal</p>")));
        assert_ne!(essence("📷"), essence(&plain("<p>🎉</p>")));
    }
}
