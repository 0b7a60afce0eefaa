//! One report as a tree that a person reads.
//!
//! Law: the same content as the line of JSON, in the same order, but for checksums in captures, which
//! nobody reads and everybody would wait for; what the JSON only names, such as a quirk, is explained
//! here.

use super::escaped;
use crate::report::{Fields, Node, Report, Text};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

/// Writes the tree, with colours if they are wanted.
pub(crate) fn write(report: &Report, has_colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let pen = Pen { has_colour };
    let branches: Vec<Branch> = match report.form {
        "exchange" | "connection" | "lookup" => {
            write_heading(report, &pen, out)?;
            let is_lookup = report.form == "lookup";
            let shown = |name: &str| HEADING.contains(&name) || is_lookup && name == "name";
            report.fields.0.iter().filter(|(name, _)| !shown(name)).collect::<Vec<_>>()
        }
        _ => {
            let file = escaped(&report.file.value);
            writeln!(out, "{}: {}", pen.paint(HEAD, &file), pen.paint(HEAD, &headline(report)))?;
            report.fields.0.iter().collect()
        }
    }
    .into_iter()
    .map(|(name, node)| branch(name, node))
    .chain(oddities(report))
    .collect();
    draw(&branches, "", &pen, out)
}

/// What the heading of an exchange shows.
const HEADING: [&str; 6] = ["exchange", "connection", "lookup", "time", "client", "server"];

/// When, who, and what: the first line of an exchange.
fn write_heading(report: &Report, pen: &Pen, out: &mut dyn Write) -> io::Result<()> {
    let text = |name: &str| {
        report.fields.0.iter().find_map(|(field, node)| match node {
            Node::Text(text) if *field == name => Some(escaped(&text.value)),
            Node::Words(words) if *field == name => Some(words.clone()),
            Node::Number(number) if *field == name => Some(number.to_string()),
            _ => None,
        })
    };
    let number = match (text("exchange"), text("connection")) {
        (Some(exchange), Some(connection)) => format!("#{exchange} (connection {connection})"),
        (None, Some(connection)) => format!("connection {connection}"),
        (_, None) => format!("lookup {}", text("lookup").unwrap_or_default()),
    };
    let time = text("time").unwrap_or_else(|| "no time".to_owned()).replace('T', " ");
    let (client, server) = (text("client").unwrap_or_default(), text("server").unwrap_or_default());
    let first = format!("{number}  {time}  {client} → {server}");
    writeln!(out, "{}  {}", pen.paint(FAINT, &first), pen.paint(HEAD, &headline(report)))
}

/// Quirks, and what is broken.
fn oddities(report: &Report) -> Vec<Branch> {
    let mut branches = Vec::new();
    if !report.quirks.is_empty() {
        let leaves = report.quirks.iter();
        let leaves = leaves.map(|quirk| leaf(format!("{}: {quirk}", quirk.name()))).collect();
        let line = "quirks (understood all the same)".to_owned();
        branches.push(Branch { line, leaves, style: PLAIN });
    }
    if let Some(problem) = &report.problem {
        let place = problem.offset.map(|at| format!(" at byte {at}")).unwrap_or_default();
        let line = format!("BROKEN{place}: {}", problem.text);
        branches.push(Branch { line, leaves: Vec::new(), style: BAD });
    }
    branches
}

const PLAIN: Style = Style::new();
const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

struct Pen {
    has_colour: bool,
}

impl Pen {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.has_colour && style != PLAIN {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Which name was looked up, and what came of it.
fn looked_up(report: &Report) -> String {
    let name = words(&report.fields, "name");
    let what = match report.kind {
        "found" => "is looked up",
        "unknown_name" => "is looked up: there is no such name",
        "no_address" => "is looked up: it has no address",
        "refused" => "is looked up: refused",
        "garbled" => "is looked up: the answer cannot be read",
        _ => "is looked up: nobody answers",
    };
    format!("{name} {what}")
}

/// What a file is, in words.
fn headline(report: &Report) -> String {
    if report.form == "lookup" {
        return looked_up(report);
    }
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
        "summary" => "what the capture holds",
        "tls" => "encrypted",
        "refused" => "connection refused",
        "unanswered" => "no reply to the connection",
        "given_up" => "a connection is given up",
        "other" => "not HTTP",
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
    style: Style,
}

fn leaf(line: String) -> Branch {
    Branch { line, leaves: Vec::new(), style: PLAIN }
}

fn branch(name: &str, node: &Node) -> Branch {
    match (name, node) {
        ("warnings", Node::List(nodes)) => return warnings(nodes),
        ("firmware", Node::Map(fields)) => return firmware(fields),
        ("camera", Node::Map(fields)) => return camera(fields),
        ("cameras", Node::List(nodes)) => return cameras(nodes),
        ("gaps", Node::List(nodes)) => return ranges("gaps: not in the capture", nodes),
        ("conflicts", Node::List(nodes)) => {
            return ranges("conflicts: came twice and differed; the first is kept", nodes);
        }
        ("answered_after_us", Node::Number(micros)) => {
            return leaf(format!("answered after: {}.{} ms", micros / 1000, micros / 100 % 10));
        }
        ("stopped", Node::Flag(true)) => {
            return leaf("stopped: this is what there was until then".to_owned());
        }
        _ => {}
    }
    let style = if name == "error" { BAD } else { PLAIN };
    let name = name.replace('_', " ");
    match node {
        Node::Text(text) => leaf(format!("{name}: {}", shown(text))),
        Node::Words(words) => {
            Branch { line: format!("{name}: {words}"), leaves: Vec::new(), style }
        }
        Node::Number(number) => leaf(format!("{name}: {number}")),
        Node::Flag(flag) => leaf(format!("{name}: {}", if *flag { "yes" } else { "no" })),
        Node::List(nodes) if nodes.is_empty() => leaf(format!("{name}: (none)")),
        Node::List(nodes) => {
            let numbered = nodes.iter().enumerate();
            let leaves = numbered.map(|(at, node)| branch(&(at + 1).to_string(), node)).collect();
            Branch { line: name, leaves, style }
        }
        Node::Map(fields) => {
            let leaves = fields.0.iter().map(|(name, node)| branch(name, node)).collect();
            Branch { line: name, leaves, style }
        }
        Node::Pairs(_, pairs) => {
            let leaves = pairs
                .iter()
                .map(|(name, value)| leaf(format!("{}: {}", escaped(&name.value), shown(value))))
                .collect();
            Branch { line: name, leaves, style }
        }
    }
}

/// The words of a field.
fn words<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields
        .0
        .iter()
        .find_map(|(field, node)| match node {
            Node::Words(words) if *field == name => Some(words.as_str()),
            _ => None,
        })
        .unwrap_or_default()
}

fn warnings(nodes: &[Node]) -> Branch {
    let leaves = nodes.iter().map(|node| {
        let line = match node {
            Node::Map(fields) => match fields.0.iter().find(|(name, _)| *name == "count") {
                Some((_, Node::Number(count))) => format!("{} ×{count}", words(fields, "name")),
                _ => format!("{}: {}", words(fields, "name"), words(fields, "text")),
            },
            _ => String::new(),
        };
        Branch { line, leaves: Vec::new(), style: WARNING }
    });
    Branch { line: "warnings".to_owned(), leaves: leaves.collect(), style: WARNING }
}

fn firmware(fields: &Fields) -> Branch {
    let says = |accepts| fields.0.contains(&("accepts", Node::Flag(accepts)));
    let style = if says(true) {
        GOOD
    } else if says(false) {
        BAD
    } else {
        PLAIN
    };
    let line = format!("firmware: {}", words(fields, "verdict"));
    let reason = fields.0.iter().filter(|(name, _)| *name == "reason");
    let leaves = reason.map(|(name, node)| branch(name, node)).collect();
    Branch { line, leaves, style }
}

fn camera(fields: &Fields) -> Branch {
    let list = |name: &str| {
        fields.0.iter().find_map(|(field, node)| match node {
            Node::List(nodes) if *field == name => Some(nodes),
            _ => None,
        })
    };
    let texts = |name: &str| -> Vec<String> {
        let nodes = list(name).into_iter().flatten();
        nodes
            .filter_map(|node| match node {
                Node::Words(words) => Some(words.clone()),
                _ => None,
            })
            .collect()
    };
    let line = format!("camera: {} (a guess)", texts("models").join(" or "));
    let leaves = texts("reasons").into_iter().map(leaf).collect();
    Branch { line, leaves, style: PLAIN }
}

fn ranges(line: &str, nodes: &[Node]) -> Branch {
    let leaves = nodes.iter().filter_map(|node| match node {
        Node::Map(fields) => match &fields.0[..] {
            [("offset", Node::Number(at)), ("length", Node::Number(length))] => Some(Branch {
                line: format!("{length} bytes from byte {at} on"),
                leaves: Vec::new(),
                style: BAD,
            }),
            _ => None,
        },
        _ => None,
    });
    Branch { line: line.to_owned(), leaves: leaves.collect(), style: BAD }
}

fn cameras(nodes: &[Node]) -> Branch {
    let leaves = nodes.iter().filter_map(|node| {
        let Node::Map(fields) = node else { return None };
        let address = fields.get("address").map(escaped).unwrap_or_default();
        let number = |name: &str| {
            fields.0.iter().find_map(|(field, node)| match node {
                Node::Number(number) if *field == name => Some(*number),
                _ => None,
            })
        };
        let mut branch = camera(fields);
        branch.line = format!(
            "{address}: {}; exchanges: {}, warnings: {}",
            branch.line,
            number("exchanges").unwrap_or(0),
            number("warnings").unwrap_or(0)
        );
        Some(branch)
    });
    let leaves: Vec<Branch> = leaves.collect();
    let line = if leaves.is_empty() { "cameras: none recognised" } else { "cameras" };
    Branch { line: line.to_owned(), leaves, style: PLAIN }
}

/// A text on one line; quotes show where it begins and ends if that cannot be seen.
fn shown(text: &Text) -> String {
    let value = &text.value;
    let line = escaped(value);
    if value.is_empty() || value.trim() != value { format!("\"{line}\"") } else { line }
}

fn draw(branches: &[Branch], indent: &str, pen: &Pen, out: &mut dyn Write) -> io::Result<()> {
    for (at, branch) in branches.iter().enumerate() {
        let is_last = at + 1 == branches.len();
        let (mark, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let begin = pen.paint(FAINT, &format!("{indent}{mark}"));
        writeln!(out, "{begin}{}", pen.paint(branch.style, &branch.line))?;
        draw(&branch.leaves, &format!("{indent}{below}"), pen, out)?;
    }
    Ok(())
}
