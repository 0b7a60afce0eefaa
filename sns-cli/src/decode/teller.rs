//! Reports go out, one after the other, in the form that was asked for.

use crate::Outcome;
use crate::print::{json, tree};
use crate::redact::Redactor;
use crate::report::Report;
use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressBar;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

/// Where reports go.
pub(super) struct Teller<'a> {
    is_json: bool,
    redactor: Option<Redactor>,
    has_colour: bool,
    has_told: bool,
    /// Whether there is more to do than to tell, which goes on when nobody listens any more.
    has_more_to_do: bool,
    /// Nobody listens any more.
    is_alone: bool,
    /// What stands below all that is told, on a terminal.
    bar: ProgressBar,
    out: BufWriter<&'a mut dyn Write>,
}

impl<'a> Teller<'a> {
    /// Reports go to `out`, which is standard output. Only a terminal that wants it gets colour.
    /// With `has_more_to_do`, a reader that goes away ends the telling alone.
    pub(super) fn new(
        is_json: bool,
        is_redacted: bool,
        has_more_to_do: bool,
        out: &'a mut dyn Write,
    ) -> Teller<'a> {
        Teller {
            is_json,
            redactor: is_redacted.then(Redactor::default),
            has_colour: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            has_told: false,
            has_more_to_do,
            is_alone: false,
            bar: ProgressBar::hidden(),
            out: BufWriter::new(out),
        }
    }

    /// This stands below all that is told from now on.
    pub(super) fn makes_way(&mut self, bar: ProgressBar) {
        // Elsewhere than on a terminal, what is told stands in nobody's way.
        if io::stdout().is_terminal() {
            self.bar = bar;
        }
    }

    /// Whether programs read it.
    pub(super) fn is_for_programs(&self) -> bool {
        self.is_json
    }

    /// Tells what was found.
    pub(super) fn tell(&mut self, report: Report) -> io::Result<Outcome> {
        let outcome = if report.problem.is_some() { Outcome::Bad } else { Outcome::Good };
        if self.is_alone {
            return Ok(outcome);
        }
        let report = self.redacted(report);
        let Teller { is_json, has_colour, has_told, bar, out, .. } = self;
        let done = bar.suspend(|| {
            if *is_json {
                json::write(&report, out)?;
            } else {
                if *has_told {
                    writeln!(out)?;
                }
                tree::write(&report, *has_colour, out)?;
            }
            // Whoever follows a capture that is being made sees it at once.
            out.flush()
        });
        self.told(done)?;
        self.has_told = true;
        Ok(outcome)
    }

    /// Tells programs of a file that cannot be read; people were told already.
    pub(super) fn unreadable(&mut self, report: Report) -> io::Result<()> {
        if self.is_alone || !self.is_json {
            return Ok(());
        }
        let report = self.redacted(report);
        let done = json::write(&report, &mut self.out);
        self.told(done)
    }

    /// What a file is called in what is told.
    pub(super) fn name_of(&mut self, file: &str) -> String {
        match &mut self.redactor {
            Some(redactor) => redactor.file(file),
            None => file.to_owned(),
        }
    }

    /// What went wrong with a file of somebody's: an error may say where it is.
    pub(super) fn error(&self, error: io::Error) -> io::Error {
        if self.redactor.is_some() { error.kind().into() } else { error }
    }

    /// What was told so far leaves.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.is_alone {
            return Ok(());
        }
        let done = self.out.flush();
        self.told(done)
    }

    fn told(&mut self, done: io::Result<()>) -> io::Result<()> {
        match done {
            Err(error) if self.has_more_to_do && error.kind() == ErrorKind::BrokenPipe => {
                self.is_alone = true;
                Ok(())
            }
            done => done,
        }
    }

    fn redacted(&mut self, report: Report) -> Report {
        match &mut self.redactor {
            Some(redactor) => redactor.redact(report),
            None => report,
        }
    }
}
