//! The lines of a check, for people and for programs.
//!
//! Law: one line a check, and below a red one what to do. Both forms say the same. What came from
//! the wire is escaped.

use super::exchange::{Answer, End};
use super::fault::Fault;
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
    /// Wrong, for these reasons; there is at least one.
    Red(Vec<Fault>),
    /// Not tried; the text says why.
    Skipped(String),
}

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[1;31m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Writes the lines and counts them.
pub(super) struct Teller<'a> {
    out: &'a mut dyn Write,
    json: bool,
    coloured: bool,
    counts: [usize; 3],
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
        Teller { out, json, coloured, counts: [0; 3], spinner: spinner() }
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
            Verdict::Red(_) => (1, "red", "RED ", RED),
            Verdict::Skipped(_) => (2, "skipped", "skip", DIM),
        };
        self.counts[place] += 1;
        let says = match verdict {
            Verdict::Green(text) | Verdict::Skipped(text) => text.clone(),
            Verdict::Red(faults) => {
                faults.iter().map(|fault| fault.text.as_str()).collect::<Vec<_>>().join("; ")
            }
        };
        if self.json {
            let faults: &[Fault] = if let Verdict::Red(faults) = verdict { faults } else { &[] };
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
        let mark = self.painted(colour, mark);
        let line = escaped(&format!("{check:<8} {about:<24} {says}{measured}"));
        writeln!(self.out, "{mark} {line}")?;
        if let Verdict::Red(faults) = verdict {
            for fault in faults {
                let (code, advice) = (fault.kind.code(), fault.kind.advice());
                writeln!(self.out, "{:14}{code}: {advice}", "")?;
            }
        }
        self.out.flush()
    }

    /// Says how many of each there were.
    pub(super) fn finish(self) -> io::Result<Outcome> {
        self.spinner.finish_and_clear();
        let [green, red, skipped] = self.counts;
        if self.json {
            let summary = json!({ "green": green, "red": red, "skipped": skipped });
            print::json::line(&json!({ "summary": summary }), self.out)?;
        } else {
            let red = match red {
                0 => "0 red".to_owned(),
                _ => self.painted(RED, &format!("{red} red")),
            };
            let green = self.painted(GREEN, &format!("{green} green"));
            writeln!(self.out, "{green}, {red}, {skipped} skipped")?;
        }
        self.out.flush()?;
        Ok(if red == 0 { Outcome::Good } else { Outcome::Bad })
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("{colour}{text}{PLAIN}") } else { text.to_owned() }
    }
}

fn fault_json(fault: &Fault) -> Value {
    json!({ "code": fault.kind.code(), "says": fault.text, "advice": fault.kind.advice() })
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
