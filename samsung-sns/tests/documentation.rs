//! The documents tell the truth about the files: links lead somewhere, examples are excerpts of the
//! files they name, byte for byte, and the table of quirks is that of the code.
//!
//! An example names its file behind the language of its fence:
//!
//! - ```` ```http testdata/…/x.http crlf ````: whole lines of the file. The last word says what ends
//!   them: `crlf`, `lf`, or `crlf+lf` for a head and the body behind it.
//! - ```` ```text testdata/…/x.http escaped ````: `\r`, `\n`, `\\` and `\xHH` are bytes, line breaks of
//!   the example are not; a last line `(end of file)` means that nothing follows.
//!
//! A line `⋮` stands for anything left out.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test helps itself, and reads files

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A document: its path from the top of the repository, and its lines.
struct Page {
    path: String,
    lines: Vec<String>,
}

/// A line of a page that is not inside a fence, or a whole fence.
enum Piece<'a> {
    Prose { number: usize, text: &'a str },
    Fence { number: usize, info: &'a str, lines: &'a [String] },
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page(path: &str) -> Page {
    let text = fs::read_to_string(top().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    Page { path: path.to_owned(), lines: text.lines().map(str::to_owned).collect() }
}

/// `README.md`, and everything below `docs/`.
fn pages() -> Vec<Page> {
    let mut found = vec![page("README.md")];
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(top().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.ends_with(".md") {
                found.push(page(&path));
            }
        }
    }
    found
}

impl Page {
    fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < self.lines.len() {
            let (number, line) = (at + 1, &self.lines[at]);
            let Some(info) = line.trim_start().strip_prefix("```") else {
                pieces.push(Piece::Prose { number, text: line });
                at += 1;
                continue;
            };
            let inside = &self.lines[at + 1..];
            let closing = inside.iter().position(|line| line.trim() == "```");
            let length =
                closing.unwrap_or_else(|| panic!("{}:{number}: the fence never ends", self.path));
            pieces.push(Piece::Fence { number, info: info.trim(), lines: &inside[..length] });
            at += length + 2;
        }
        pieces
    }

    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        self.pieces().into_iter().filter_map(|piece| match piece {
            Piece::Prose { number, text } => Some((number, text)),
            Piece::Fence { .. } => None,
        })
    }

    /// What a link to each heading has behind its `#`, as GitHub makes it.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().filter(|(_, line)| line.starts_with('#'));
        headings
            .map(|(_, line)| {
                let heading = line.trim_start_matches('#').trim().to_lowercase();
                let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }
}

/// The targets of `[text](target)` in a line; its code spans are no links.
fn links(line: &str) -> Vec<&str> {
    let outside_code: Vec<&str> = line.split('`').collect();
    let mut found = Vec::new();
    for (at, text) in outside_code.iter().enumerate() {
        // A link whose text is code begins behind the code's end.
        let in_code = at % 2 == 1;
        for (start, _) in text.match_indices("](").filter(|_| !in_code) {
            let target = &text[start + 2..];
            found.extend(target.find(')').map(|end| &target[..end]));
        }
    }
    found
}

/// The paths `testdata/…` that stand in a line, without the full stop behind them.
fn data_paths(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("testdata/")
        .filter(|(at, _)| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || "-_".contains(c)))
        .map(|(at, _)| {
            let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-*".contains(c);
            let rest = &line[at..];
            let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
            rest[..end].trim_end_matches('.')
        })
}

fn report(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let mut problems = Vec::new();
    let mut count = 0;
    for page in pages() {
        let folder = Path::new(&page.path).parent().unwrap().to_owned();
        for (number, line) in page.prose() {
            for target in links(line) {
                count += 1;
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let path = folder.join(file);
                if !file.is_empty() && !top().join(&path).exists() {
                    problems.push(format!("{}:{number}: no file {target}", page.path));
                } else if !anchor.is_empty() {
                    let linked = if file.is_empty() { &page.path } else { path.to_str().unwrap() };
                    if !self::page(linked).anchors().contains(anchor) {
                        problems.push(format!("{}:{number}: no heading {target}", page.path));
                    }
                }
            }
        }
    }
    assert!(count > 100, "only {count} links found");
    report(problems);
}

#[test]
fn every_data_file_that_is_mentioned_exists() {
    let mut problems = Vec::new();
    let mut count = 0;
    for page in pages() {
        for (number, line) in page.lines.iter().enumerate() {
            // A path with a star names a kind of file, not a file.
            for path in data_paths(line).filter(|path| !path.contains('*')) {
                count += 1;
                if !top().join(path).exists() {
                    problems.push(format!("{}:{}: no file {path}", page.path, number + 1));
                }
            }
        }
    }
    assert!(count > 100, "only {count} paths found");
    report(problems);
}

#[test]
fn every_example_is_an_excerpt_of_its_file() {
    let mut problems = Vec::new();
    let mut count = 0;
    for page in pages() {
        for piece in page.pieces() {
            let Piece::Fence { number, info, lines } = piece else { continue };
            let words: Vec<&str> = info.split_whitespace().collect();
            let checked = match words.as_slice() {
                [_, file, form] if file.starts_with("testdata/") => {
                    count += 1;
                    excerpt(file, form, lines)
                }
                // In the reference text, whatever looks like the wire is from the wire.
                ["http" | "xml", ..] if page.path == "docs/protocol.md" => {
                    Err("an example without the name of its file".to_owned())
                }
                _ if info.contains("testdata/") => Err(format!("cannot understand {info:?}")),
                _ => Ok(()),
            };
            problems.extend(checked.err().map(|e| format!("{}:{number}: {e}", page.path)));
        }
    }
    assert!(count > 30, "only {count} examples found");
    report(problems);
}

fn excerpt(file: &str, form: &str, lines: &[String]) -> Result<(), String> {
    let bytes = fs::read(top().join(file)).map_err(|error| format!("{file}: {error}"))?;
    match form {
        "escaped" => escaped_excerpt(&bytes, lines),
        "crlf" | "lf" | "crlf+lf" => excerpt_of_lines(&bytes, form, lines),
        _ => Err(format!("unknown form {form:?}")),
    }
    .map_err(|error| format!("{file}: {error}"))
}

/// Runs of whole lines, in the order in which they stand in the file.
fn excerpt_of_lines(bytes: &[u8], form: &str, lines: &[String]) -> Result<(), String> {
    let file: Vec<(&[u8], &str)> = bytes
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| match (line.strip_suffix(b"\r\n"), line.strip_suffix(b"\n")) {
            (Some(text), _) => (text, "crlf"),
            (None, Some(text)) => (text, "lf"),
            (None, None) => (line, ""),
        })
        .collect();
    let mut ends: Vec<&str> = Vec::new();
    let mut from = 0;
    for run in lines.split(|line| line == "⋮").filter(|run| !run.is_empty()) {
        let is_here = |at: &usize| {
            let here = file[*at..].iter().map(|(text, _)| *text).take(run.len());
            here.eq(run.iter().map(|line| line.as_bytes()))
        };
        let at = (from..file.len()).find(is_here);
        let at = at.ok_or_else(|| format!("does not hold the lines from {:?}", run[0]))?;
        from = at + run.len();
        ends.extend(file[at..from].iter().map(|(_, end)| *end).filter(|end| !end.is_empty()));
    }
    ends.dedup();
    if ends.join("+") == form {
        Ok(())
    } else {
        Err(format!("the lines end in {}, not in {form}", ends.join("+")))
    }
}

/// Runs of bytes, in the order in which they stand in the file; the last one at its end, if said so.
fn escaped_excerpt(bytes: &[u8], lines: &[String]) -> Result<(), String> {
    let (lines, to_the_end) = match lines {
        [lines @ .., last] if last == "(end of file)" => (lines, true),
        lines => (lines, false),
    };
    let mut runs = Vec::new();
    for run in lines.split(|line| line == "⋮").filter(|run| !run.is_empty()) {
        runs.push(unescape(&run.concat())?);
    }
    let last = if to_the_end { runs.pop().unwrap_or_default() } else { Vec::new() };
    let mut rest = bytes.strip_suffix(last.as_slice()).ok_or("does not end so")?;
    for run in runs {
        let at = memchr::memmem::find(rest, &run)
            .ok_or_else(|| format!("does not hold {:?}", String::from_utf8_lossy(&run)))?;
        rest = &rest[at + run.len()..];
    }
    Ok(())
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let (byte, length) = match escape.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (u8::from_str_radix(&escape[1..3], 16).unwrap(), 3)
            }
            _ => return Err(format!("unknown escape {:?}", &rest[at..])),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// `missing-end-tag`: lower-case words joined by hyphens.
fn is_quirk_name(word: &str) -> bool {
    let is_word = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    word.contains('-') && word.split('-').all(is_word)
}

/// The names in `src/quirk.rs`, with their lines: texts of this form, first in a tuple.
fn quirks_of_the_code() -> Vec<(usize, String)> {
    let source = fs::read_to_string(top().join("samsung-sns/src/quirk.rs")).unwrap();
    let mut names: Vec<(usize, String)> = Vec::new();
    for (at, _) in source.match_indices("(\"") {
        let text = &source[at + 2..];
        let name = &text[..text.find('"').unwrap()];
        if is_quirk_name(name) {
            names.push((source[..at].lines().count(), name.to_owned()));
        }
    }
    names
}

#[test]
fn the_table_of_quirks_is_that_of_the_code() {
    let code = quirks_of_the_code();
    assert!(code.len() > 20, "only {} quirks found in src/quirk.rs", code.len());
    let known: BTreeSet<&str> = code.iter().map(|(_, name)| name.as_str()).collect();
    let mut problems = Vec::new();

    let table = page("docs/quirks.md");
    let mut listed = BTreeSet::new();
    // The first column of the first table.
    let rows = table.prose().skip_while(|(_, line)| !line.starts_with("| quirk |"));
    for (number, row) in rows.take_while(|(_, line)| line.starts_with('|')) {
        let cell = row.split('|').nth(1).unwrap();
        for name in cell.split('`').skip(1).step_by(2).filter(|word| is_quirk_name(word)) {
            listed.insert(name);
            if !known.contains(name) {
                problems.push(format!("docs/quirks.md:{number}: src/quirk.rs has no {name}"));
            }
        }
    }
    for (number, name) in &code {
        if !listed.contains(name.as_str()) {
            problems.push(format!(
                "samsung-sns/src/quirk.rs:{number}: {name} is not in docs/quirks.md"
            ));
        }
    }
    report(problems);
}
