//! Names from the wire become names on disk.
//!
//! Law: whatever a camera sends, the result is one harmless path component; two different users
//! never share a folder.

use sha2::{Digest, Sha256};

/// Longer file names are cut, their extension kept. 255 bytes is what file systems take.
const MAX_NAME: usize = 120;

/// The name under which a file is kept: the last component of what was sent, without what a file
/// system, a shell or a person could stumble over.
pub fn file_name_on_disk(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or("");
    let safe: String = last
        .chars()
        .map(|c| if is_harmless(c) && !"<>:\"|?*".contains(c) { c } else { '_' })
        .collect();
    let safe = safe.trim_start_matches(['.', ' ', '-']).trim_end_matches(['.', ' ']);
    if safe.is_empty() {
        return "photo".to_owned();
    }
    let (stem, extension) = split_extension(safe);
    let extension: String = extension.chars().take(16).collect();
    let mut stem = stem.to_owned();
    while stem.len() + extension.len() > MAX_NAME {
        stem.pop();
    }
    let device = ["con", "prn", "aux", "nul"].contains(&stem.to_ascii_lowercase().as_str());
    if device || stem.is_empty() {
        stem.insert(0, '_');
    }
    stem + &extension
}

/// The same name with a number before its extension, from the second on: `SAM_0001-2.JPG`.
pub fn numbered(name: &str, number: u64) -> String {
    match (number, split_extension(name)) {
        (1, _) => name.to_owned(),
        (_, (stem, extension)) => format!("{stem}-{number}{extension}"),
    }
}

/// The folder of a user. Other characters than those of addresses are percent-encoded, so that no
/// two users meet in one folder.
pub fn user_folder(user: &str) -> String {
    let mut folder = String::new();
    for (at, c) in user.char_indices() {
        let leading = at == 0 && matches!(c, '.' | '-');
        if (c.is_alphanumeric() || "@._+-".contains(c)) && !leading {
            folder.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|b| folder += &format!("%{b:02X}"));
        }
    }
    if folder.len() > MAX_NAME {
        let hash = Sha256::digest(user.as_bytes());
        while folder.len() > MAX_NAME - 20 {
            folder.pop();
        }
        folder.push('~');
        hash.iter().take(8).for_each(|b| folder += &format!("{b:02x}"));
    }
    folder
}

fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// No control characters, and none that make a name read as another.
pub(crate) fn is_harmless(c: char) -> bool {
    let invisible = matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_one_harmless_component() {
        for (sent, kept) in [
            ("SAM_0001.JPG", "SAM_0001.JPG"),
            ("My photo (1).jpg", "My photo (1).jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\DCIM\\a.jpg", "a.jpg"),
            ("/absolute.jpg", "absolute.jpg"),
            (".htaccess", "htaccess"),
            ("-rf", "rf"),
            ("..", "photo"),
            ("", "photo"),
            ("a\0b\nc\u{202e}.jpg", "a_b_c_.jpg"),
            ("con.jpg", "_con.jpg"),
            ("\u{c0ac}\u{c9c4}.jpg", "\u{c0ac}\u{c9c4}.jpg"),
        ] {
            assert_eq!(file_name_on_disk(sent), kept, "{sent:?}");
        }
        let long = file_name_on_disk(&format!("{}.jpeg", "\u{e9}".repeat(300)));
        assert!(long.len() <= MAX_NAME && long.ends_with(".jpeg"));
        assert!(file_name_on_disk(&format!("a.{}", "x".repeat(300))).len() <= MAX_NAME);
    }

    #[test]
    fn numbers_go_before_the_extension() {
        assert_eq!(numbered("a.b.jpg", 1), "a.b.jpg");
        assert_eq!(numbered("a.b.jpg", 2), "a.b-2.jpg");
        assert_eq!(numbered("noext", 10), "noext-10");
    }

    #[test]
    fn a_user_has_one_folder_and_no_other_user_has_it() {
        assert_eq!(user_folder("Camera@samsungcamera.com"), "Camera@samsungcamera.com");
        let hostile = ["../../evil", "a/b", "a%2Fb", "a\\b", ".", "..", "a b", "a\0b", "-a", "~"];
        let long = ["x".repeat(300), "x".repeat(301), "/".repeat(300)];
        let all = hostile.iter().copied().chain(long.iter().map(String::as_str));
        let folders: std::collections::BTreeSet<_> = all.map(user_folder).collect();
        assert_eq!(folders.len(), hostile.len() + long.len());
        for folder in folders {
            assert!(!folder.contains(['/', '\\', '\0', ' ']) && !folder.starts_with(['.', '-']));
            assert!(folder.len() <= MAX_NAME, "{folder}");
        }
    }
}
