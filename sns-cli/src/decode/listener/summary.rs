//! The last report of a capture: what there was in it, and how it ended.
//!
//! Law: whoever reads only this knows whether all of the capture was told.

use super::super::aside;
use super::{Ear, guess_fields, show_time};
use crate::Outcome;
use crate::capture::Counts;
use crate::capture::file::CaptureError;
use crate::redact;
use crate::report::{Fields, Node};
use std::io;

/// So many cameras are listed at the end.
const MAX_LISTED: usize = 64;

/// How the reading of a capture ended.
pub(in crate::decode) struct Ending {
    /// Why it cannot be read further, if so.
    pub(in crate::decode) broken: Option<CaptureError>,
    /// Somebody stopped it.
    pub(in crate::decode) was_stopped: bool,
}

impl Ear<'_, '_, '_> {
    /// Tells of the capture as a whole.
    pub(in crate::decode) fn summary(
        mut self,
        counts: &Counts,
        ending: &Ending,
    ) -> io::Result<Outcome> {
        for lookup in self.names.finish() {
            self.lookup(lookup)?;
        }
        let mut report = self.report("capture", "summary");
        let fields = &mut report.fields;
        show_time("first", self.first, fields);
        show_time("last", self.last, fields);
        fields.number("packets", counts.packets);
        fields.number("packet_bytes", counts.bytes);
        fields.number("connections", self.connections);
        fields.number("exchanges", self.exchanges);
        fields.number("other_connections", self.other_connections);
        if self.lookups > 0 {
            fields.number("lookups", self.lookups);
        }
        if self.given_up > 0 {
            fields.number("given_up_connections", self.given_up);
        }
        let mut streams = Fields::default();
        for (name, count) in [
            ("gaps", self.oddities.gaps),
            ("missing_bytes", self.oddities.missing),
            ("repeated", self.oddities.repeated),
            ("conflicts", self.oddities.conflicts),
            ("reordered", self.oddities.reordered),
            ("keep_alive_probes", self.oddities.probes),
            ("stray_ends", self.oddities.strays),
        ] {
            if count > 0 {
                streams.number(name, count);
            }
        }
        if !streams.0.is_empty() {
            fields.add("streams", Node::Map(streams));
        }
        let aside = aside::fields(counts);
        if !aside.0.is_empty() {
            fields.add("left_aside", Node::Map(aside));
        }
        let mut clients: Vec<_> = self.clients.iter().collect();
        clients.sort_by_key(|(address, _)| **address);
        let cameras = clients.into_iter().filter_map(|(address, client)| {
            let guess = client.evidences.guess()?;
            let mut fields = Fields::default();
            fields.text("address", redact::address(*address));
            guess_fields(&guess, &mut fields);
            fields.number("exchanges", client.exchanges);
            fields.number("warnings", client.warnings);
            Some(Node::Map(fields))
        });
        let cameras: Vec<_> = cameras.take(MAX_LISTED).collect();
        fields.add("cameras", Node::List(cameras));
        if !self.warnings.is_empty() {
            let warnings = self.warnings.iter().map(|(name, count)| {
                let mut fields = Fields::default();
                fields.words("name", *name);
                fields.number("count", *count);
                Node::Map(fields)
            });
            fields.add("warnings", Node::List(warnings.collect()));
        }
        if ending.was_stopped {
            fields.add("stopped", Node::Flag(true));
        }
        match &ending.broken {
            // Where it was stopped, a packet may be cut: nobody wanted the rest.
            Some(error) if ending.was_stopped => fields.words("note", error.to_string()),
            Some(error) => report.broken(Some(error.offset()), error.to_string()),
            None => {}
        }
        let told = self.exchanges + self.lookups + self.told_connections;
        let problems = [
            aside::given_up(counts, self.given_up),
            aside::nothing(counts, told, self.connections),
        ];
        for problem in problems.into_iter().flatten() {
            report.broken(None, problem);
        }
        self.tell(report)?;
        Ok(self.worst)
    }
}
