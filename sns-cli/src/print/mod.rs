//! Reports become text: a tree for people, a line of JSON for programs.
//!
//! Law: nothing from a capture reaches a terminal raw. What a terminal might obey, or what hides
//! the order of what it shows, is escaped in both forms.

pub(crate) mod json;
pub(crate) mod time;
pub(crate) mod tree;

use std::io::Write;

/// Whether a terminal might obey this character: C0 and C1 controls, DEL, and what reorders or
/// hides text.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with everything escaped that a terminal might obey.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_dangerous(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A sentence to the person at the terminal about what could not be done.
pub(crate) fn complain(sentence: &str) {
    // Where even this cannot be written, the exit code is left.
    let _ = writeln!(std::io::stderr(), "sns-cli: {}", escaped(sentence));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(escaped("a\x1b[2Jb\u{9b}c\u{202e}d\u{7f}\r\né\\"), {
            "a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{7f}\\r\\né\\"
        });
    }
}
