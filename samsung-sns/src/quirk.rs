//! The names of everything the cameras do that their standards forbid, and that we accept.
//!
//! Law: every leniency of a reader has a name here, and the reader reports it. A quirk is never an
//! error; it is what `sns-cli decode` shows beside a message that was understood all the same.

use std::fmt;

/// A deviation from HTTP, MIME or XML that a reader accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Quirk {
    // HTTP head
    /// More than one space between the parts of the request line. NX300: two before `HTTP/1.0`.
    SpacesInRequestLine,
    /// The target carries scheme and host: `POST http://snsgw.samsungmobile.com/…`. NX300.
    AbsoluteTarget,
    /// The target held bytes that a URI cannot carry, or lacked its leading slash.
    BadTarget,
    /// The method was not in upper case.
    MethodCase,
    /// The version is not one that HTTP/1 knows, but reads as one.
    OddVersion,
    /// No `Host` header and no absolute target. Happens with HTTP/1.0.
    NoHost,
    /// The same header twice. NX300: two `User-Agent` lines.
    RepeatedHeader,
    /// No space after a header's colon. NX300: `Authorization:OAuth …`, `x-osp-version:v1`.
    NoSpaceAfterColon,
    /// A header value continued on the next line.
    FoldedHeader,
    /// A head line ended by a lone line feed.
    BareLineFeed,
    /// A header value held control characters; each was read as a space.
    ControlCharacters,
    /// A head line that is no header at all was passed over.
    BadHeaderLine,
    /// `Content-Length` was understood although it is not just digits.
    OddContentLength,

    // MIME
    /// The last boundary is a plain one: no `--` after it. NX300 e-mail.
    UnclosedMultipart,
    /// The last boundary is followed by one `-` instead of two.
    HalfClosedMultipart,
    /// There is no last boundary at all.
    NoLastBoundary,
    /// Multipart lines are ended by lone line feeds.
    MultipartLineFeeds,
    /// A part's header line is not a header, and was passed over.
    BadPartHeader,
    /// Part header names are not spelt as usual: `content-disposition`, `fileName`. NX300.
    PartHeaderCase,

    // XML
    /// Text where only elements belong, such as the tail of an older, longer message left in the
    /// buffer: `4p4uaaq422af3"/>`. NX300.
    StrayText,
    /// An element is never closed: no `</Request>` in the second published NX300 login.
    MissingEndTag,
    /// An end tag that closes nothing.
    StrayEndTag,
    /// The markup breaks down somewhere; what follows was read by substring search.
    BrokenMarkup,
    /// An `&` that begins no entity.
    BareAmpersand,
    /// `=value` stands in the name of the element: `<LoginPeopleID="…"/>`. The login answer.
    ValueInElementName,
    /// The text is not UTF-8; replacement characters stand for what could not be read.
    NotUtf8,
    /// NUL bytes after the text.
    TrailingNuls,

    // Meaning
    /// The AES key and the IV are the same bytes. First published NX300 login.
    KeyIsIv,
    /// No `CryptSessionKey` value: credentials are only URL-encoded. HMX-QF30.
    CredentialsInClear,
    /// The body text ends in the firmware's own marker `language_sh100_utf8`.
    LanguageMarker,
}

impl Quirk {
    /// A short name in kebab case, stable across versions: `missing-end-tag`.
    pub const fn name(self) -> &'static str {
        self.texts().0
    }

    /// One clause that says what was odd.
    pub const fn explanation(self) -> &'static str {
        self.texts().1
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Quirk::SpacesInRequestLine => {
                ("spaces-in-request-line", "several spaces between the parts of the request line")
            }
            Quirk::AbsoluteTarget => {
                ("absolute-target", "the request target names scheme and host")
            }
            Quirk::BadTarget => {
                ("bad-target", "the request target held bytes a URI cannot carry, or no slash")
            }
            Quirk::MethodCase => ("method-case", "the method is not in upper case"),
            Quirk::OddVersion => ("odd-version", "the HTTP version is unusual"),
            Quirk::NoHost => ("no-host", "nothing says which host was meant"),
            Quirk::RepeatedHeader => ("repeated-header", "a header appears more than once"),
            Quirk::NoSpaceAfterColon => {
                ("no-space-after-colon", "a header has no space after its colon")
            }
            Quirk::FoldedHeader => ("folded-header", "a header goes on in the next line"),
            Quirk::BareLineFeed => ("bare-line-feed", "a head line ends in LF without CR"),
            Quirk::ControlCharacters => {
                ("control-characters", "a header holds control characters; read as spaces")
            }
            Quirk::BadHeaderLine => ("bad-header-line", "a head line is no header; passed over"),
            Quirk::OddContentLength => ("odd-content-length", "Content-Length is not just digits"),
            Quirk::UnclosedMultipart => {
                ("unclosed-multipart", "the last multipart boundary lacks its closing --")
            }
            Quirk::HalfClosedMultipart => {
                ("half-closed-multipart", "the last multipart boundary ends in one - only")
            }
            Quirk::NoLastBoundary => ("no-last-boundary", "the last multipart boundary is missing"),
            Quirk::MultipartLineFeeds => {
                ("multipart-line-feeds", "multipart lines end in LF without CR")
            }
            Quirk::BadPartHeader => {
                ("bad-part-header", "a part's header line is no header; passed over")
            }
            Quirk::PartHeaderCase => ("part-header-case", "part headers are spelt in unusual case"),
            Quirk::StrayText => ("stray-text", "junk text between the elements"),
            Quirk::MissingEndTag => ("missing-end-tag", "an element is never closed"),
            Quirk::StrayEndTag => ("stray-end-tag", "an end tag closes nothing"),
            Quirk::BrokenMarkup => {
                ("broken-markup", "the markup breaks down; fields were found by substring search")
            }
            Quirk::BareAmpersand => ("bare-ampersand", "an & begins no entity"),
            Quirk::ValueInElementName => {
                ("value-in-element-name", "an element's name carries a value: <Name=\"…\"/>")
            }
            Quirk::NotUtf8 => ("not-utf8", "the text is not UTF-8"),
            Quirk::TrailingNuls => ("trailing-nuls", "NUL bytes follow the text"),
            Quirk::KeyIsIv => ("key-is-iv", "the AES key is also the initialisation vector"),
            Quirk::CredentialsInClear => {
                ("credentials-in-clear", "the credentials are not encrypted, only URL-encoded")
            }
            Quirk::LanguageMarker => {
                ("language-marker", "the text ends in the marker language_sh100_utf8")
            }
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explanation())
    }
}

/// Quirks in the order they were met, each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quirks(Vec<Quirk>);

impl Quirks {
    /// Takes note of a quirk.
    pub fn note(&mut self, quirk: Quirk) {
        if !self.0.contains(&quirk) {
            self.0.push(quirk);
        }
    }

    /// Takes note of all of `others`.
    pub fn extend(&mut self, others: &Quirks) {
        others.iter().for_each(|quirk| self.note(quirk));
    }

    /// Whether this one was met.
    pub fn contains(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }

    /// Whether nothing odd was met.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The quirks, first met first.
    pub fn iter(&self) -> impl Iterator<Item = Quirk> + '_ {
        self.0.iter().copied()
    }
}
