//! Targets, paths, names of files.
//!
//! Law: slashes, dots that climb and marks of a query stay, and of what is between them the words
//! of the protocol's paths; of a file's name what says which kind of file it is.

use super::host;
use super::names_password;
use super::placeholder::Placeholders;
use super::vocabulary::{EXTENSIONS, FILE_NAMES, PATHS, QUERIES, SITES, is_one_of};
use percent_encoding::percent_decode_str;
use samsung_sns::endpoint::Site;
use std::borrow::Cow;

/// The target of a request, in any form, or a link.
pub(super) fn target(target: &str, hidden: &mut Placeholders) -> String {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let Some(scheme) = scheme else { return path(target, hidden) };
    let rest = &target[scheme.len()..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let (user, name) = match authority.rsplit_once('@') {
        Some((user, name)) => match user.split_once(':') {
            Some((user, password)) => {
                (format!("{}:{}@", hidden.text(user), hidden.password(password)), name)
            }
            None => (hidden.text(user) + "@", name),
        },
        None => (String::new(), authority),
    };
    let name = if name.is_empty() { String::new() } else { host::shown(name, hidden) };
    format!("{scheme}{user}{name}{}", path(behind, hidden))
}

fn path(path: &str, hidden: &mut Placeholders) -> String {
    let (path, fragment) = cut(path, '#');
    let (path, query) = cut(path, '?');
    let segments: Vec<String> = path.split('/').map(|part| segment(part, hidden)).collect();
    let mut shown = segments.join("/");
    if let Some(query) = query {
        let pairs: Vec<String> = query.split('&').map(|part| pair(part, hidden)).collect();
        shown = format!("{shown}?{}", pairs.join("&"));
    }
    if let Some(fragment) = fragment {
        shown = format!("{shown}#{}", hidden.text(fragment));
    }
    shown
}

/// What is before the first mark, and what is behind it if there is one.
fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

fn segment(part: &str, hidden: &mut Placeholders) -> String {
    if matches!(part, "." | ".." | "*") || is_one_of(part, PATHS) || is_site(part) {
        return part.to_owned();
    }
    let part = decoded(part);
    host::address(&part, hidden).unwrap_or_else(|| file_name(&part, hidden))
}

/// As fields have it, so that the same has the same placeholder.
fn decoded(part: &str) -> Cow<'_, str> {
    percent_decode_str(part).decode_utf8().unwrap_or(Cow::Borrowed(part))
}

fn pair(pair: &str, hidden: &mut Placeholders) -> String {
    let (name, value) = cut(pair, '=');
    let is_password = names_password(&decoded(name));
    let name = if is_one_of(name, QUERIES) { name.to_owned() } else { hidden.text(name) };
    match value {
        Some(value) => {
            let value = decoded(value);
            if is_password {
                return format!("{name}={}", hidden.password(&value));
            }
            let value = host::address(&value, hidden).unwrap_or_else(|| hidden.text(&value));
            format!("{name}={value}")
        }
        None => name,
    }
}

/// The social service in a path.
pub(super) fn site(site: &str, hidden: &mut Placeholders) -> String {
    if is_site(site) { site.to_owned() } else { hidden.text(site) }
}

fn is_site(site: &str) -> bool {
    Site::KNOWN.contains(&site) || SITES.contains(&site)
}

/// The name of a file.
pub(super) fn file_name(name: &str, hidden: &mut Placeholders) -> String {
    if is_one_of(name, FILE_NAMES) {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && is_one_of(extension, EXTENSIONS) => {
            format!("{}.{extension}", hidden.text(stem))
        }
        _ => hidden.text(name),
    }
}

/// The name of a file that was written, which begins with our number.
pub(super) fn extracted(name: &str, hidden: &mut Placeholders) -> String {
    match name.split_once('-') {
        Some((number, name)) if number.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{number}-{}", file_name(name, hidden))
        }
        _ => file_name(name, hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_target_only_the_protocol_is_shown() {
        let mut hidden = Placeholders::default();
        for (text, expected) in [
            ("/facebook/auth", "/facebook/auth"),
            ("/", "/"),
            ("*", "*"),
            ("/deadbeef/photo", "/<text-1, 8 bytes>/photo"),
            ("/upload/k/SAM_0001.JPG", "/upload/<text-2, 1 byte>/<text-3, 8 bytes>.JPG"),
            ("/upload/k/../x.anna", "/upload/<text-2, 1 byte>/../<text-4, 6 bytes>"),
            (
                "/social/columbus/email?DUID=17&anna=10.0.0.1#top",
                "/social/columbus/email?DUID=<text-5, 2 bytes>&<text-6, 4 bytes>=<address-1, \
                 10.x.x.x>#<text-7, 3 bytes>",
            ),
            (
                "http://anna:x@nas.example:80/facebook/photo",
                "http://<text-6, 4 bytes>:<password-1>@<text-8, 11 bytes>:80/facebook/photo",
            ),
            ("/upload/%6b/SAM%5F0001.JPG", "/upload/<text-2, 1 byte>/<text-3, 8 bytes>.JPG"),
            ("/%ff", "/<text-9, 3 bytes>"),
            ("HTTP://msn.com?q", "http://msn.com?<text-10, 1 byte>"),
            ("/facebook/auth?password=hunter2", "/facebook/auth?<text-11, 8 bytes>=<password-2>"),
            (
                "/?%50ASSWORD=hunter%32&password=",
                "/?<text-12, 10 bytes>=<password-2>&<text-11, 8 bytes>=",
            ),
        ] {
            assert_eq!(target(text, &mut hidden), expected);
        }
    }

    #[test]
    fn of_a_file_name_only_its_kind_is_shown() {
        let mut hidden = Placeholders::default();
        for (name, expected) in [
            ("sample.txt", "sample.txt"),
            ("Anna.jpg", "<text-1, 4 bytes>.jpg"),
            ("Anna", "<text-1, 4 bytes>"),
            (".jpg", "<text-2, 4 bytes>"),
            ("x.anna", "<text-3, 6 bytes>"),
        ] {
            assert_eq!(file_name(name, &mut hidden), expected);
        }
        assert_eq!(extracted("00003-Anna.jpg", &mut hidden), "00003-<text-1, 4 bytes>.jpg");
    }
}
