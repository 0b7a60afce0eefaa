//! Man pages.
//!
//! Law: what can be typed stands in a block that is neither filled nor hyphenated, in characters that
//! a terminal shows as they are: copied, it works. The usage is that of `--help`.

use clap::Command;
use clap_mangen::Man;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Writes the page of a command that is built, and those of its commands.
pub(super) fn write_all(command: &Command, source: &str, dir: &Path) -> io::Result<()> {
    for its in command.get_subcommands().filter(|its| !its.is_hide_set()) {
        write_all(its, source, dir)?;
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let man = Man::new(command.clone().override_usage(usage)).source(source);
    let mut file = File::create(dir.join(man.get_filename()))?;
    man.render_title(&mut file)?;
    man.render_name_section(&mut file)?;
    man.render_synopsis_section(&mut file)?;
    man.render_description_section(&mut file)?;
    man.render_options_section(&mut file)?;
    if command.get_subcommands().any(|its| !its.is_hide_set()) {
        man.render_subcommands_section(&mut file)?;
    }
    let rest = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    file.write_all(sections(&rest).as_bytes())
}

/// What follows the help, in sections: each paragraph that begins with a title has its own.
fn sections(text: &str) -> String {
    let mut page = String::new();
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let (typed, told): (Vec<&str>, Vec<&str>) =
            paragraph.lines().partition(|line| line.starts_with("  "));
        let told = told.join(" ");
        let (title, told) = titled(&told);
        match title {
            Some(title) => page += &format!(".SH {}\n", title.to_uppercase()),
            None => page += ".PP\n",
        }
        if !told.is_empty() {
            page += &(escaped(told) + "\n");
        }
        if !typed.is_empty() {
            page += ".EX\n";
            for line in typed {
                page += &(escaped(line.trim_start()) + "\n");
            }
            page += ".EE\n";
        }
    }
    page
}

/// The title before a colon, and what follows it; or a remark in brackets between both.
fn titled(text: &str) -> (Option<&str>, &str) {
    let end = text.find([':', '(', ',', '.']).unwrap_or(text.len());
    match text[end..].chars().next() {
        Some(':') => (Some(&text[..end]), text[end + 1..].trim()),
        Some('(') => (Some(text[..end].trim()), text[end..].trim_end_matches(':')),
        _ => (None, text),
    }
}

/// A line as roff shows it letter by letter.
fn escaped(line: &str) -> String {
    let mut out = String::new();
    if line.starts_with(['.', '\'']) {
        out += "\\&";
    }
    for c in line.chars() {
        match c {
            '\\' => out += "\\e",
            '-' => out += "\\-",
            '\'' => out += "\\(aq",
            '`' => out += "\\(ga",
            '^' => out += "\\(ha",
            '~' => out += "\\(ti",
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_become_sections_and_what_can_be_typed_a_block() {
        let text = "Examples (of one):\n  a-b 'c~d'\n  .e \\f\n\nUntil then, so: g\n\nExit code: 0 if\nwell";
        assert_eq!(sections(text), {
            ".SH EXAMPLES\n(of one)\n.EX\na\\-b \\(aqc\\(tid\\(aq\n\\&.e \\ef\n.EE\n\
             .PP\nUntil then, so: g\n.SH EXIT CODE\n0 if well\n"
        });
    }
}
