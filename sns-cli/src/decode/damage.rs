//! What of a body is not in the capture, and what of it came twice and differed.
//!
//! Law: so many places are listed; how many more there were is told, and none is forgotten when it
//! is asked whether something is whole.

use crate::report::{Fields, Node};

/// So many places of a kind are listed.
pub(super) const MAX_LISTED: usize = 64;

/// Places in a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    /// Offsets and lengths.
    listed: Vec<(u64, u64)>,
    /// How many there are beside them.
    more: u64,
    /// From where to where those are.
    around: (u64, u64),
}

/// What is wrong with the bytes of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// What is not in the capture.
    pub(crate) gaps: Ranges,
    /// What came twice and differed.
    pub(crate) conflicts: Ranges,
}

impl Ranges {
    /// One more.
    pub(super) fn push(&mut self, offset: u64, length: u64) {
        if self.listed.len() < MAX_LISTED {
            self.listed.push((offset, length));
            return;
        }
        let (start, end) = if self.more == 0 { (offset, offset) } else { self.around };
        self.more += 1;
        self.around = (start.min(offset), end.max(offset + length));
    }

    /// Where the first of them is.
    pub(super) fn first(&self) -> Option<u64> {
        self.listed.first().map(|(offset, _)| *offset)
    }

    /// Those between these offsets, from there. Of what is not listed it is not known which.
    pub(super) fn within(&self, start: u64, end: u64) -> Ranges {
        let cut = |from: u64, until: u64| {
            let (from, until) = (from.max(start), until.min(end));
            (from < until).then(|| (from - start, until - from))
        };
        let listed = self.listed.iter().filter_map(|&(at, length)| cut(at, at + length)).collect();
        let around = if self.more > 0 { cut(self.around.0, self.around.1) } else { None };
        let (more, around) = match around {
            Some((at, length)) => (self.more, (at, at + length)),
            None => (0, (0, 0)),
        };
        Ranges { listed, more, around }
    }

    /// Whether one of them is, or may be, between these offsets.
    pub(super) fn touches(&self, start: u64, end: u64) -> bool {
        let within = self.within(start, end);
        !within.listed.is_empty() || within.more > 0
    }

    /// Those that are listed: offsets and lengths.
    pub(crate) fn listed(&self) -> &[(u64, u64)] {
        &self.listed
    }

    /// How many there are beside them.
    pub(crate) fn more(&self) -> u64 {
        self.more
    }

    fn show(&self, name: &'static str, name_of_more: &'static str, fields: &mut Fields) {
        if !self.listed.is_empty() {
            let nodes = self.listed.iter().map(|&(offset, length)| {
                let mut range = Fields::default();
                range.number("offset", offset);
                range.number("length", length);
                Node::Map(range)
            });
            fields.add(name, Node::List(nodes.collect()));
        }
        if self.more > 0 {
            fields.number(name_of_more, self.more);
        }
    }
}

impl Damage {
    /// That between these offsets, from there.
    pub(super) fn within(&self, start: u64, end: u64) -> Damage {
        Damage { gaps: self.gaps.within(start, end), conflicts: self.conflicts.within(start, end) }
    }

    /// Adds the gaps to fields.
    pub(super) fn show_gaps(&self, fields: &mut Fields) {
        self.gaps.show("gaps", "more_gaps", fields);
    }

    /// Adds the conflicts to fields.
    pub(super) fn show_conflicts(&self, fields: &mut Fields) {
        self.conflicts.show("conflicts", "more_conflicts", fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_what_lies_in_it() {
        let mut ranges = Ranges::default();
        ranges.push(10, 10);
        ranges.push(40, 5);
        assert_eq!(ranges.within(15, 42).listed(), [(0, 5), (25, 2)]);
        assert_eq!(ranges.within(20, 40), Ranges::default());
        assert!(ranges.touches(0, 11) && !ranges.touches(0, 10) && !ranges.touches(45, 99));
    }

    #[test]
    fn what_is_not_listed_is_counted() {
        let mut ranges = Ranges::default();
        for at in 0..100 {
            ranges.push(at * 10, 1);
        }
        assert_eq!((ranges.listed().len(), ranges.more()), (64, 36));
        assert_eq!(ranges.within(0, 640).more(), 0);
        assert!(ranges.touches(700, 720), "one of them may be there");
        assert!(!ranges.touches(1000, 2000));
    }
}
