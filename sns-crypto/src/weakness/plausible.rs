//! Which decrypted bytes could be what someone typed: text, then only NULs. The one thing a search
//! can tell a right key by.

/// What the sealed texts are taken to be: how a search tells a right key from a wrong one.
///
/// The narrower, the fewer wrong keys are found. What a camera's keyboard can type is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plausible {
    utf8: bool,
    longest: usize,
}

impl Plausible {
    /// Printable ASCII (space to `~`), of any length.
    pub const fn ascii() -> Self {
        Self { utf8: false, longest: usize::MAX }
    }

    /// UTF-8 without control characters, of any length.
    pub const fn utf8() -> Self {
        Self { utf8: true, longest: usize::MAX }
    }

    /// The same, of at most so many bytes.
    ///
    /// Each byte by which this is less than the 16 of a block makes a wrong key 95 times less
    /// likely to be found (with ASCII; [why](super#how-sure-a-find-is)).
    #[must_use]
    pub const fn longest(self, bytes: usize) -> Self {
        Self { longest: bytes, ..self }
    }

    /// Whether no text reaches as far as the byte at `place`.
    pub(super) const fn ends_before(self, place: usize) -> bool {
        place >= self.longest
    }

    /// Whether these bytes, of which the first is at `place` in a text, could be in it; `ended`
    /// tells, and is told, whether the text has ended before them.
    ///
    /// Looks at bytes alone, as others may still be unknown: for UTF-8 it lets through more than
    /// [`accepts`](Self::accepts).
    pub(super) fn fits(self, bytes: &[u8], place: usize, ended: &mut bool) -> bool {
        bytes.iter().enumerate().all(|(i, &byte)| {
            *ended |= byte == 0;
            let letter = matches!(byte, b' '..=b'~') || (self.utf8 && byte >= 0x80);
            if *ended { byte == 0 } else { letter && !self.ends_before(place + i) }
        })
    }

    /// Whether this text, complete and without its padding, is one.
    pub(super) fn accepts(self, text: &str) -> bool {
        text.len() <= self.longest
            && (self.utf8 || text.is_ascii())
            && !text.chars().any(char::is_control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(plausible: Plausible, bytes: &[u8]) -> bool {
        plausible.fits(bytes, 0, &mut false)
    }

    #[test]
    fn a_text_is_letters_and_then_nuls() {
        for good in [&b""[..], b"a", b"a~ \0\0", b"\0\0"] {
            assert!(fits(Plausible::ascii(), good), "{good:?}");
        }
        for bad in [&b"a\0b"[..], b"\x1f", b"\x7f", b"\xc3\xa9", b"\0a"] {
            assert!(!fits(Plausible::ascii(), bad), "{bad:?}");
        }
        assert!(fits(Plausible::utf8(), "é\0".as_bytes()));
    }

    #[test]
    fn the_end_is_remembered_between_pieces() {
        let mut ended = false;
        assert!(Plausible::ascii().fits(b"ab\0", 0, &mut ended) && ended);
        assert!(!Plausible::ascii().fits(b"c", 3, &mut ended));
    }

    #[test]
    fn a_longest_text_must_have_ended_by_then() {
        let plausible = Plausible::ascii().longest(2);
        assert!(fits(plausible, b"ab\0") && !fits(plausible, b"abc"));
        assert!(!plausible.fits(b"c", 2, &mut false));
        assert!(plausible.accepts("ab") && !plausible.accepts("abc"));
        assert!(plausible.ends_before(2) && !plausible.ends_before(1));
    }

    #[test]
    fn a_complete_text_has_no_control_characters() {
        assert!(Plausible::utf8().accepts("Grüße"));
        assert!(!Plausible::ascii().accepts("Grüße"));
        assert!(!Plausible::utf8().accepts("a\u{85}b"), "a control character beyond ASCII");
    }
}
