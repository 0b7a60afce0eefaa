//! What can be wrong with a deployment, and what to do about it.
//!
//! Law: every kind of fault has a code that scripts may rely on, an advice, and a section of its own
//! in `docs/guide/check.md`; a test holds the guide to that.

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What kind of thing.
    pub(crate) kind: Kind,
    /// What was seen.
    pub(crate) text: String,
}

impl Fault {
    /// A fault of this kind.
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Fault {
        Fault { kind, text: text.into() }
    }
}

macro_rules! kinds {
    ($($kind:ident $code:literal $advice:literal)*) => {
        /// The kinds of faults.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $(#[doc = concat!("`", $code, "`")] $kind),* }

        impl Kind {
            /// All of them, for the test of the guide.
            #[cfg(test)]
            const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The name that scripts and the guide know it by.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Kind::$kind => $code),* }
            }

            /// What to do about it.
            pub(crate) fn advice(self) -> &'static str {
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
    ResolverRefused "resolver-refused"
        "let the DNS server answer this network, and this name with HOST's address"
    ResolverGarbled "resolver-garbled"
        "what answers at this address is no working DNS server"
    // Address and port
    AddressRefused "address-refused"
        "move the WiFi to 10.x or 172.16-31.x, or answer DNS with an unused address of those and redirect its port 80 (DNAT); without an SH100 or ST1000, name your camera with --model"
    AddressNotIpv4 "address-not-ipv4"
        "give the server an IPv4 address: no camera is known to speak IPv6"
    PortClosed "port-closed"
        "start the server, let it listen at this address and port, and open the port in its firewall"
    // Every answer
    NoAnswer "no-answer"
        "look into the server's log; is it really sns-server that listens there?"
    TwoSegments "two-segments"
        "head and body must leave in one write, below 1400 bytes: put no proxy between camera and server"
    TooLong "too-long"
        "an answer must fit one segment: keep it below 1400 bytes, head included"
    Slow "slow"
        "cameras give up early: look at the server's load and disk, and what it waits for"
    LeftOpen "left-open"
        "close the connection behind each answer: no keep-alive"
    Reset "reset"
        "read the whole request before answering, then close: a reset can destroy the answer on its way"
    Truncated "truncated"
        "the answer must be as long as its Content-Length says"
    TooMuch "too-much"
        "the answer must be as long as its Content-Length says"
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
    OddValue "odd-value"
        "keep values short and plain: the firmware has buffer overflows, and escapes nothing"
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
