//! Where in a store a file goes.
//!
//! Law: whatever a camera sends, the result stays below the store, each placeholder within one
//! component of the path, and the last component keeps the file's extension.

use crate::clock::utc;
use crate::destination::{Post, PostFile};
use crate::names::{file_name_on_disk, user_folder};

/// A path with placeholders, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    folders: Vec<Vec<Piece>>,
    file: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    User,
    Date,
    Site,
    Album,
    File,
}

/// A path below the root of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The folders, outermost first.
    pub(super) folders: Vec<String>,
    /// The name of the file.
    pub(super) name: String,
}

impl Template {
    /// What holds if nothing is configured.
    pub(super) const DEFAULT: &str = "{user}/{date}/{file}";

    /// Reads a template.
    pub(super) fn read(text: &str) -> Result<Template, String> {
        let wrong = |problem: String| format!("template {text:?}: {problem}");
        if text.starts_with('/') {
            return Err(wrong("it is below the store, so it does not begin with a /".to_owned()));
        }
        let mut components = Vec::new();
        for component in text.split('/') {
            if ["", ".", ".."].contains(&component) {
                return Err(wrong(format!("{component:?} is no name of a folder")));
            }
            components.push(pieces(component).map_err(wrong)?);
        }
        let file = components.pop().unwrap_or_default();
        if !file.contains(&Piece::File) {
            return Err(wrong("what comes after the last / must hold {file}".to_owned()));
        }
        Ok(Template { folders: components, file })
    }

    /// Where a file of a post goes.
    pub(super) fn place(&self, post: &Post, file: &PostFile) -> Place {
        let filled = |pieces: &Vec<Piece>| fill(pieces, post, file);
        let folders = self.folders.iter().filter_map(filled).collect();
        let name = filled(&self.file).unwrap_or_else(|| file_name_on_disk(&file.name));
        Place { folders, name }
    }
}

fn pieces(component: &str) -> Result<Vec<Piece>, String> {
    if component.contains('\\') || component.chars().any(char::is_control) {
        return Err("a character that no name may have".to_owned());
    }
    let mut pieces = Vec::new();
    let mut rest = component;
    while let Some(open) = rest.find(['{', '}']) {
        let (text, placeholder) = rest.split_at(open);
        let Some(close) = placeholder.find('}').filter(|_| placeholder.starts_with('{')) else {
            return Err("a { or } without the other".to_owned());
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(match &placeholder[..=close] {
            "{user}" => Piece::User,
            "{date}" => Piece::Date,
            "{site}" => Piece::Site,
            "{album}" => Piece::Album,
            "{file}" => Piece::File,
            unknown => {
                return Err(format!(
                    "{unknown} is none of {{user}} {{date}} {{site}} {{album}} {{file}}"
                ));
            }
        });
        rest = &placeholder[close + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

/// One component; `None` if there is nothing to fill it with, as where an upload has no album.
fn fill(pieces: &[Piece], post: &Post, file: &PostFile) -> Option<String> {
    match pieces {
        [Piece::Text(text)] => return Some(text.clone()),
        // Not made harmless twice: what tells two users apart must stay.
        [Piece::User] => return Some(user_folder(&post.user)),
        _ => {}
    }
    let filled: String = pieces.iter().map(|piece| value(piece, post, file)).collect();
    match filled.trim() {
        "" => None,
        filled => Some(file_name_on_disk(filled)),
    }
}

fn value(piece: &Piece, post: &Post, file: &PostFile) -> String {
    let harmless = |text: &str| match text.trim() {
        "" => String::new(),
        // A slash in an album's name is no folder.
        text => file_name_on_disk(&text.replace(['/', '\\'], "_")),
    };
    match piece {
        Piece::Text(text) => text.clone(),
        Piece::User => user_folder(&post.user),
        Piece::Date => utc(post.received_at)[..10].to_owned(),
        Piece::Site => harmless(&post.channel),
        Piece::Album => harmless(post.title.as_deref().unwrap_or_default()),
        // Here a path is one: what is sent as C:\DCIM\a.jpg is a.jpg.
        Piece::File => file_name_on_disk(&file.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsung_sns::time::UnixTime;

    fn post(user: &str, title: Option<&str>) -> Post {
        Post {
            id: "0".to_owned(),
            received_at: UnixTime::from_secs(1_398_945_600),
            user: user.to_owned(),
            channel: "facebook".to_owned(),
            sender: None,
            recipients: Vec::new(),
            title: title.map(str::to_owned),
            typed: String::new(),
            text: String::new(),
            camera: None,
            files: Vec::new(),
        }
    }

    fn path(template: &str, post: &Post, name: &str) -> String {
        let file = PostFile {
            path: "p".into(),
            name: name.to_owned(),
            media_type: "image/jpeg".to_owned(),
            length: 1,
            sha256: [0; 32],
            alt_text: String::new(),
        };
        let Place { mut folders, name } = Template::read(template).unwrap().place(post, &file);
        folders.push(name);
        folders.join("/")
    }

    #[test]
    fn placeholders_are_filled() {
        let holidays = post("me@example.com", Some("Holidays"));
        for (template, expected) in [
            (Template::DEFAULT, "me@example.com/2014-05-01/SAM_0001.JPG"),
            ("{file}", "SAM_0001.JPG"),
            ("all/{site}/{album}/{date} {file}", "all/facebook/Holidays/2014-05-01 SAM_0001.JPG"),
            (".photos/{user}-{file}", ".photos/me@example.com-SAM_0001.JPG"),
        ] {
            assert_eq!(path(template, &holidays, "SAM_0001.JPG"), expected);
        }
    }

    #[test]
    fn what_is_missing_leaves_no_folder() {
        let plain = post("me", None);
        assert_eq!(path("{user}/{album}/{file}", &plain, "a.jpg"), "me/a.jpg");
        assert_eq!(path("{date} {album}/{file}", &plain, "a.jpg"), "2014-05-01/a.jpg");
        assert_eq!(path("{file}", &plain, ""), "photo");
    }

    #[test]
    fn nothing_a_camera_sends_leaves_its_component() {
        for hostile in ["../../etc", "..", "/", "a/../b", "\\..\\", "\0", "C:", "{user}", " . "] {
            let post = post(hostile, Some(hostile));
            for template in ["{user}/{album}/{file}", "{user}{album}/x/{album}{file}"] {
                let path = path(template, &post, hostile);
                assert!(path.split('/').count() <= 3, "{path:?}");
                assert!(path.split('/').all(|part| !["", ".", ".."].contains(&part)), "{path:?}");
                assert!(!path.contains(['\0', '\\']), "{path:?}");
            }
        }
        let long = post(&"u".repeat(300), Some(&"\u{e9}".repeat(300)));
        let path = path("{user}-{album}-{file}", &long, &format!("{}.jpg", "x".repeat(300)));
        assert!(path.len() <= 255 && path.ends_with(".jpg"), "{path}");
    }

    #[test]
    fn two_users_never_share_a_folder() {
        for (one, other) in [("a/b", "a_b"), ("con", "_con"), ("a b", "a%20b")] {
            let folder = |user| path("{user}/{file}", &post(user, None), "a.jpg");
            assert_ne!(folder(one), folder(other));
        }
    }

    #[test]
    fn a_template_that_cannot_be_meant_is_refused() {
        for (template, hint) in [
            ("{user}/{fiel}", "{fiel} is none of {user} {date} {site} {album} {file}"),
            ("/srv/{file}", "does not begin with a /"),
            ("../{file}", "no name of a folder"),
            ("{user}//{file}", "no name of a folder"),
            ("{user}/{date}", "must hold {file}"),
            ("{file}/", "no name of a folder"),
            ("{user/{file}", "without the other"),
            ("user}/{file}", "without the other"),
            ("a\\b{file}", "no name may have"),
            ("a\n/{file}", "no name may have"),
        ] {
            let error = Template::read(template).unwrap_err();
            assert!(error.contains(hint), "{template:?}: {error}");
        }
    }
}
