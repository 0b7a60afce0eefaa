//! The lines of a check, for people and for programs.
//!
//! Law: one line a check, and below what is wrong what to do: in the text once for each kind of
//! fault, in JSON each time. What came from the wire is escaped.

use super::exchange::{Answer, End};
use super::fault::{Fault, Kind};
use crate::Outcome;
use crate::print::{self, escaped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use samsung_sns::camera;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// How a check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Right; the text says what was seen.
    Green(String),
    /// Wrong, for these reasons, of which there is at least one: red, or a warning if none of them
    /// is certain.
    Wrong(Vec<Fault>),
    /// Not tried; the text says why.
    Skipped(String),
}

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Writes the lines and counts them.
pub(super) struct Teller<'a> {
    out: &'a mut dyn Write,
    json: bool,
    coloured: bool,
    counts: [usize; 4],
    /// The kinds whose advice was given.
    advised: Vec<Kind>,
    spinner: ProgressBar,
}

/// Shows on a terminal that something is waited for.
fn spinner() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_style(ProgressStyle::default_spinner());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

impl Teller<'_> {
    /// A teller that has said nothing yet.
    pub(super) fn new(out: &mut dyn Write, json: bool, coloured: bool) -> Teller<'_> {
        Teller { out, json, coloured, counts: [0; 4], advised: vec![], spinner: spinner() }
    }

    /// Shows what is being waited for.
    pub(super) fn waits_for(&self, what: &str) {
        self.spinner.set_message(escaped(what));
    }

    /// Tells of one check: what kind, of what, how it went, and the answer that it went by.
    pub(super) fn tell(
        &mut self,
        check: &str,
        about: &str,
        verdict: &Verdict,
        answer: Option<&Answer>,
    ) -> io::Result<()> {
        let spinner = self.spinner.clone();
        spinner.suspend(|| self.write(check, about, verdict, answer))
    }

    fn write(
        &mut self,
        check: &str,
        about: &str,
        verdict: &Verdict,
        answer: Option<&Answer>,
    ) -> io::Result<()> {
        let (place, word, mark, colour) = match verdict {
            Verdict::Green(_) => (0, "green", "ok  ", GREEN),
            Verdict::Wrong(faults) if faults.iter().any(|fault| fault.is_certain) => {
                (1, "red", "RED ", RED)
            }
            Verdict::Wrong(_) => (3, "warned", "warn", YELLOW),
            Verdict::Skipped(_) => (2, "skipped", "skip", DIM),
        };
        self.counts[place] += 1;
        let says = match verdict {
            Verdict::Green(text) | Verdict::Skipped(text) => text.clone(),
            Verdict::Wrong(faults) => {
                faults.iter().map(|fault| fault.text.as_str()).collect::<Vec<_>>().join("; ")
            }
        };
        if self.json {
            let faults: &[Fault] = if let Verdict::Wrong(faults) = verdict { faults } else { &[] };
            let faults: Vec<Value> = faults.iter().map(fault_json).collect();
            let mut line = json!({
                "check": check, "about": about, "verdict": word, "says": says, "faults": faults,
            });
            if let Some(answer) = answer {
                line["answer"] = answer_json(answer);
            }
            return print::json::line(&line, self.out);
        }
        let measured = match (verdict, answer) {
            (Verdict::Green(_), Some(answer)) => format!(" ({})", measured(answer)),
            _ => String::new(),
        };
        let faults: &[Fault] = if let Verdict::Wrong(faults) = verdict { faults } else { &[] };
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for Fault { kind, .. } in faults {
            let kinds = if self.advised.contains(kind) { &mut known } else { &mut new };
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        let codes: Vec<&str> = known.into_iter().map(Kind::code).collect();
        let see_above =
            if codes.is_empty() { String::new() } else { format!(" [{}]", codes.join(", ")) };
        let mark = self.painted(colour, mark);
        let line = escaped(&format!("{check:<8} {about:<24} {says}{measured}{see_above}"));
        writeln!(self.out, "{mark} {line}")?;
        for kind in &new {
            writeln!(self.out, "{:14}{}: {}", "", kind.code(), kind.advice())?;
        }
        self.advised.extend(new);
        self.out.flush()
    }

    /// Says how many of each there were.
    pub(super) fn finish(self) -> io::Result<Outcome> {
        self.spinner.finish_and_clear();
        let [green, red, skipped, warned] = self.counts;
        if self.json {
            let summary =
                json!({ "green": green, "red": red, "warned": warned, "skipped": skipped });
            print::json::line(&json!({ "summary": summary }), self.out)?;
        } else {
            let red = match red {
                0 => "0 red".to_owned(),
                _ => self.painted(RED, &format!("{red} red")),
            };
            let green = self.painted(GREEN, &format!("{green} green"));
            let warned = match warned {
                0 => String::new(),
                _ => format!(", {}", self.painted(YELLOW, &format!("{warned} warned"))),
            };
            writeln!(self.out, "{green}, {red}{warned}, {skipped} skipped")?;
        }
        self.out.flush()?;
        Ok(if red == 0 { Outcome::Good } else { Outcome::Bad })
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("{colour}{text}{PLAIN}") } else { text.to_owned() }
    }
}

fn fault_json(fault: &Fault) -> Value {
    json!({
        "code": fault.kind.code(),
        "says": fault.text,
        "certain": fault.is_certain,
        "advice": fault.kind.advice(),
    })
}

fn answer_json(answer: &Answer) -> Value {
    json!({
        "status": camera::status(&answer.bytes),
        "bytes": answer.bytes.len(),
        "segments": answer.segments,
        "reads": answer.reads,
        "milliseconds": answer.took.as_millis() as u64,
        "end": match answer.end {
            End::Closed => "closed",
            End::Reset => "reset",
            End::Open => "open",
            End::Stalled => "stalled",
        },
    })
}

/// What was measured of an answer, in words.
fn measured(answer: &Answer) -> String {
    let pieces = match answer.segments {
        Some(1) => "1 segment",
        Some(_) => "several segments",
        None => "1 read",
    };
    let milliseconds = answer.took.as_secs_f64() * 1000.0;
    format!("{} bytes in {pieces}, {milliseconds:.1} ms", answer.bytes.len())
}
