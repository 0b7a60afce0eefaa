//! One report as a tree that a person reads.
//!
//! Law: the same content as the line of JSON, in the same order; what the JSON only names, such as
//! a quirk, is explained here.

use super::escaped;
use crate::report::{Node, Report, Text};
use std::io::{self, Write};

/// Writes the tree.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", escaped(&report.file.value), headline(report))?;
    let mut branches: Vec<Branch> =
        report.fields.0.iter().map(|(name, node)| branch(name, node)).collect();
    if !report.quirks.is_empty() {
        let leaves = report.quirks.iter();
        let leaves = leaves.map(|quirk| leaf(format!("{}: {quirk}", quirk.name()))).collect();
        branches.push(Branch { line: "quirks (understood all the same)".to_owned(), leaves });
    }
    if let Some(problem) = &report.problem {
        let place = problem.offset.map(|at| format!(" at byte {at}")).unwrap_or_default();
        branches.push(leaf(format!("BROKEN{place}: {}", problem.text)));
    }
    draw(&branches, "", out)
}

/// What a file is, in words.
fn headline(report: &Report) -> String {
    let what = match report.kind {
        "login" => "login to a site",
        "logout" => "logout from a site",
        "auth" => "login or logout",
        "photo" => "a photo is announced",
        "video" => "a video is announced",
        "upload" => "a file is uploaded",
        "email" => "e-mail",
        "allshare_login" => "AllShare login",
        "hotspot" => "hotspot check: is the camera online?",
        "page" => "a page for people",
        "email_page" => "the page behind the e-mail link",
        "time" => "an ST1000 asks for the time",
        "service_providers" => "an ST1000 asks for its service providers",
        "login_answer" => "answer to a login: a session is open",
        "announce_answer" => "answer to an announce: where to bring the file",
        "success_answer" => "answer: the file is safe",
        "error_answer" => "answer: refused",
        "time_answer" => "answer: the time",
        "hotspot_answer" => "answer to a hotspot check: the camera is online",
        "answer" => "an answer",
        _ => "unknown",
    };
    let form = match report.form {
        "request" => " (HTTP request)",
        "response" => " (HTTP response)",
        "xml" => " (XML message)",
        _ => "",
    };
    format!("{what}{form}")
}

struct Branch {
    line: String,
    leaves: Vec<Branch>,
}

fn leaf(line: String) -> Branch {
    Branch { line, leaves: Vec::new() }
}

fn branch(name: &str, node: &Node) -> Branch {
    let name = name.replace('_', " ");
    match node {
        Node::Text(text) => leaf(format!("{name}: {}", shown(text))),
        Node::Number(number) => leaf(format!("{name}: {number}")),
        Node::Flag(flag) => leaf(format!("{name}: {}", if *flag { "yes" } else { "no" })),
        Node::List(nodes) if nodes.is_empty() => leaf(format!("{name}: (none)")),
        Node::List(nodes) => {
            let numbered = nodes.iter().enumerate();
            let leaves = numbered.map(|(at, node)| branch(&(at + 1).to_string(), node)).collect();
            Branch { line: name, leaves }
        }
        Node::Map(fields) => {
            let leaves = fields.0.iter().map(|(name, node)| branch(name, node)).collect();
            Branch { line: name, leaves }
        }
        Node::Pairs(_, pairs) => {
            let leaves = pairs
                .iter()
                .map(|(name, value)| leaf(format!("{}: {}", escaped(&name.value), shown(value))))
                .collect();
            Branch { line: name, leaves }
        }
    }
}

/// A text on one line; quotes show where it begins and ends if that cannot be seen.
fn shown(text: &Text) -> String {
    let value = &text.value;
    let line = escaped(value);
    if value.is_empty() || value.trim() != value { format!("\"{line}\"") } else { line }
}

fn draw(branches: &[Branch], indent: &str, out: &mut dyn Write) -> io::Result<()> {
    for (at, branch) in branches.iter().enumerate() {
        let is_last = at + 1 == branches.len();
        let (mark, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        writeln!(out, "{indent}{mark}{}", branch.line)?;
        draw(&branch.leaves, &format!("{indent}{below}"), out)?;
    }
    Ok(())
}
