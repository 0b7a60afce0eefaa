//! What can be wrong with a deployment, and what to do about it.
//!
//! Law: every kind of fault has a code that scripts may rely on, an advice, and a section of its own
//! in `docs/guide/check.md`; a test holds the guide to that. Of a fault it is said whether it is one
//! for sure, or only other than what is known to work.

use std::io::{self, ErrorKind};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What kind of thing.
    pub(super) kind: Kind,
    /// What was seen.
    pub(super) text: String,
    /// Whether a camera is known to fail by it, as far as anything is known of cameras; else it is a
    /// warning.
    pub(super) is_certain: bool,
}

impl Fault {
    /// A fault of this kind.
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Fault {
        Fault { kind, text: text.into(), is_certain: true }
    }

    /// The same as a warning.
    pub(super) fn warning(self) -> Fault {
        Fault { is_certain: false, ..self }
    }
}

/// What the system says went wrong, without its numbers and what a person does not need.
pub(super) fn said(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => return "the connection is refused".to_owned(),
        ErrorKind::ConnectionReset => return "the connection is reset".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => return "nothing comes back".to_owned(),
        ErrorKind::UnexpectedEof => return "the connection is closed".to_owned(),
        _ => {}
    }
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.trim_start_matches("failed to lookup address information: ").to_owned()
}

macro_rules! kinds {
    ($($kind:ident $code:literal $advice:literal)*) => {
        /// The kinds of faults.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $(#[doc = concat!("`", $code, "`")] $kind),* }

        impl Kind {
            /// All of them, for the test of the guide.
            #[cfg(test)]
            const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The name that scripts and the guide know it by.
            pub(super) fn code(self) -> &'static str {
                match self { $(Kind::$kind => $code),* }
            }

            /// What to do about it.
            pub(super) fn advice(self) -> &'static str {
                match self { $(Kind::$kind => $advice),* }
            }
        }
    };
}

kinds! {
    // Names
    NameUnknown "name-unknown"
        "add the name to the DNS of the camera's WiFi, with HOST's address; on a Pi-hole, allow it as well"
    NameBlocked "name-blocked"
        "an ad blocker does this: allow the name there, and give it HOST's address"
    NameElsewhere "name-elsewhere"
        "let the DNS of the camera's WiFi answer this name with HOST's address"
    NameMixed "name-mixed"
        "a camera may take any of them: leave only HOST's address"
    NameWithoutAddress "name-without-address"
        "give the name an A record: cameras ask for IPv4 addresses"
    ResolverSilent "resolver-silent"
        "start the DNS server, let it listen at this address, and open UDP port 53 in its firewall"
    ResolverNoTcp "resolver-no-tcp"
        "open TCP port 53 of the DNS server as well: an answer too long for UDP is asked for again over TCP"
    ResolverRefused "resolver-refused"
        "let the DNS server answer this network, and this name with HOST's address"
    ResolverGarbled "resolver-garbled"
        "what answers at this address is no working DNS server"
    // Address and port
    AddressRefused "address-refused"
        "move the WiFi to 10.x or 172.16-31.x, or answer DNS with an unused address of those and redirect its port 80 (DNAT); without an SH100 or ST1000, name your camera with --model"
    AddressUnusable "address-unusable"
        "give the server an address that other devices can reach, and cameras that one"
    AddressPublic "address-public"
        "everything is sent in clear, and strangers could send: give cameras an address of your own network, such as 10.42.0.1, and never let them in from the internet"
    AddressNotIpv4 "address-not-ipv4"
        "give the server an IPv4 address: no camera is known to speak IPv6"
    PortClosed "port-closed"
        "start the server, let it listen at this address and port, and open the port in its firewall"
    NeedsTls "needs-tls"
        "put a proxy that speaks the camera's old TLS before the server, and try the camera itself: this check and sns-server speak none"
    // Somebody else
    HttpsRedirect "https-redirect"
        "cameras speak no https: switch this redirect off for the six names (Caddy: name the sites http://…; nginx: no return 301 in the server block of port 80), best let cameras reach sns-server directly"
    RedirectElsewhere "redirect-elsewhere"
        "the login page of a WiFi (captive portal) or another website does this: cameras must reach sns-server directly, at this address and port"
    TlsPort "tls-port"
        "cameras speak plain HTTP: give them a port 80 that does"
    OtherServer "other-server"
        "a proxy, another website or the login page of a WiFi answers: cameras must reach sns-server directly, at this address and port"
    // Every answer
    NoAnswer "no-answer"
        "look into the server's log; is it really sns-server that listens there?"
    TwoSegments "two-segments"
        "head and body must leave in one write, below 1400 bytes: put no proxy between camera and server"
    TooLong "too-long"
        "an answer must fit one segment: keep it below 1400 bytes, head included"
    Slow "slow"
        "cameras give up early: look at the server's load and disk, and what it waits for"
    Stalled "stalled"
        "head and body must leave in one write, at once: cameras read once, and give up early"
    LeftOpen "left-open"
        "close the connection behind each answer, and say so: Connection: close, no keep-alive"
    Reset "reset"
        "read the whole request before answering, then close: a reset can destroy the answer on its way"
    Truncated "truncated"
        "send the whole answer: head, empty line, and a body as long as Content-Length says"
    TooMuch "too-much"
        "the answer must be as long as its Content-Length says"
    LineEnds "line-ends"
        "end each line of the head with CR LF: every answer known to work does"
    Interim "interim"
        "send the answer alone: a camera takes the first that comes"
    AnsweredEarly "answered-early"
        "say 200 when the file is safe, and not before"
    NotAsKnown "not-as-known"
        "whether a camera fails by it nobody knows: write it as answers that are known to work, see docs/protocol.md"
    NotHttp "not-http"
        "something other than an HTTP server listens there"
    Chunked "chunked"
        "send Content-Length and the body as it is: put no proxy between camera and server"
    Compressed "compressed"
        "switch compression off: cameras do not know it"
    HeaderMissing "header-missing"
        "answer with the head that is known to work: Content-Type, Content-Length, Connection: close"
    HeaderSpelling "header-spelling"
        "write header names as in Content-Length: the firmware looks for those bytes"
    WrongStatus "wrong-status"
        "look into the server's log; is HOST the right one?"
    NotAdmitted "not-admitted"
        "add this user to [users] of the server's configuration, or correct name and password"
    SessionUnknown "session-unknown"
        "the server does not know the session that it gave itself: it must find it by the SessionKey, or by the path of the upload"
    TooStrict "too-strict"
        "search requests for what they hold instead of validating them: cameras do send this"
    UploadTooLarge "upload-too-large"
        "raise the server's limit (limits.upload), or that of the proxy before it"
    Busy "busy"
        "the server has too much to do: look into its log, and try again"
    NoSpace "no-space"
        "the server's disk is full, or cannot be written: make room"
    // What an answer says
    CookieMissing "cookie-missing"
        "answer the check with Set-Cookie: samsung=hotspot; Domain=…; Path=/"
    CookieDot "cookie-dot"
        "the cookie's Domain must keep its leading dot: .msn.com, .yahoo.co.kr"
    RedirectTooFar "redirect-too-far"
        "redirect to http://yahoo.com: the firmware wants yahoo. within the first 11 characters"
    Redirected "redirected"
        "answer this check with 200 and the cookie: a WB37F refuses a redirect"
    GldPlain "gld-plain"
        "an NX mini is known to accept an empty body with ETag and Server: nginx/notreally"
    NotUnderstood "not-understood"
        "the firmware searches the body for exactly these bytes"
    LoginAnswer "login-answer"
        "keep the elements, order and spelling of the only answer known to work (docs/protocol.md): LoginPeopleID is no proper XML, do not repair it"
    OddValue "odd-value"
        "keep values short and plain: the firmware has buffer overflows, and escapes nothing"
    TimeWrong "time-wrong"
        "answer with the milliseconds since 1970, 13 digits"
    UploadElsewhere "upload-elsewhere"
        "HostAddr must be one of the six names, as snsgw.samsungmobile.com:80, or HOST itself"
    OpenDoor "open-door"
        "an upload that belongs to no login must be refused with 401"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_explains_every_fault_and_no_other() {
        let guide = include_str!("../../../docs/guide/check.md");
        let mut codes: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        let (_, red) = guide.split_once("## What to do about red").unwrap();
        let (red, _) = red.split_once("## For scripts").unwrap();
        let lines = red.lines().filter_map(|line| line.strip_prefix("| `"));
        let mut explained: Vec<&str> =
            lines.filter_map(|line| Some(line.split_once('`')?.0)).collect();
        codes.sort_unstable();
        explained.sort_unstable();
        assert_eq!(explained, codes);
    }
}
