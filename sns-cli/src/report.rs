//! What was found in one file, in the order in which it is shown; both printers show the same.
//!
//! Law: every text that came from outside is a [`Text`], which says what it is, and by that what of
//! it may be shared.
//! Names, kinds and problems are our own words and never hold anything from the wire.

use crate::redact::Sort;
use samsung_sns::quirk::Quirks;

/// A text from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// The text as it came.
    pub(crate) value: String,
    /// What it is.
    pub(crate) sort: Sort,
}

impl Text {
    /// A word of our own.
    pub(crate) fn public(value: impl Into<String>) -> Text {
        Text { value: value.into(), sort: Sort::Ours }
    }

    /// A text that may not be shared.
    pub(crate) fn secret(value: impl Into<String>) -> Text {
        Text { value: value.into(), sort: Sort::Any }
    }
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// A text.
    Text(Text),
    /// Our own words, which hold nothing from outside.
    Words(String),
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Several of a kind.
    List(Vec<Node>),
    /// Fields of its own.
    Map(Fields),
    /// Names from outside with their values: headers, elements. The first says what `--json` calls
    /// the names.
    Pairs(&'static str, Vec<(Text, Text)>),
}

impl Node {
    /// About how many bytes of memory it takes beside itself.
    fn size(&self) -> usize {
        match self {
            Node::Text(text) => text.value.len(),
            Node::Words(words) => words.len(),
            Node::Number(_) | Node::Flag(_) => 0,
            Node::List(nodes) => nodes.iter().map(|node| size_of::<Node>() + node.size()).sum(),
            Node::Map(fields) => fields.size(),
            Node::Pairs(_, pairs) => pairs
                .iter()
                .map(|(name, value)| 2 * size_of::<Text>() + name.value.len() + value.value.len())
                .sum(),
        }
    }
}

/// Named values in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<(&'static str, Node)>);

impl Fields {
    /// Adds a value; nothing is said twice.
    pub(crate) fn add(&mut self, name: &'static str, node: Node) {
        debug_assert!(!self.0.iter().any(|(known, _)| *known == name), "{name} is there already");
        self.0.push((name, node));
    }

    /// Adds a value, or puts it in place of the one that is there.
    pub(crate) fn set(&mut self, name: &'static str, node: Node) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = node,
            None => self.add(name, node),
        }
    }

    /// About how many bytes of memory they take.
    pub(crate) fn size(&self) -> usize {
        self.0.iter().map(|(_, node)| size_of::<(&str, Node)>() + node.size()).sum()
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, name: &'static str, text: Text) {
        self.add(name, Node::Text(text));
    }

    /// Adds a text that may be shared.
    pub(crate) fn public(&mut self, name: &'static str, value: impl Into<String>) {
        self.text(name, Text::public(value));
    }

    /// Adds a text that may not be shared.
    pub(crate) fn secret(&mut self, name: &'static str, value: impl Into<String>) {
        self.text(name, Text::secret(value));
    }

    /// Adds a text that may not be shared, if it is there.
    pub(crate) fn secret_if(&mut self, name: &'static str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.secret(name, value);
        }
    }

    /// Adds words of our own.
    pub(crate) fn words(&mut self, name: &'static str, words: impl Into<String>) {
        self.add(name, Node::Words(words.into()));
    }

    /// The text of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(field, node)| match node {
            Node::Text(text) if *field == name => Some(text.value.as_str()),
            _ => None,
        })
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, name: &'static str, number: u64) {
        self.add(name, Node::Number(number));
    }
}

/// Why an input is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What is wrong, in our words.
    pub(crate) text: String,
    /// Where, in bytes from the start of the file, if that is known.
    pub(crate) offset: Option<u64>,
}

/// What was found in one file, or in one piece of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// The file as it was named.
    pub(crate) file: Text,
    /// What it looks like: `request`, `response`, `xml`, `unknown`; or what of a capture it is:
    /// `exchange`, `connection`, `capture`.
    pub(crate) form: &'static str,
    /// What it is: `login`, `photo`, … `unknown`.
    pub(crate) kind: &'static str,
    /// What it says.
    pub(crate) fields: Fields,
    /// What was odd.
    pub(crate) quirks: Quirks,
    /// Why it is broken, if it is.
    pub(crate) problem: Option<Problem>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(file: Text) -> Report {
        Report {
            file,
            form: "unknown",
            kind: "unknown",
            fields: Fields::default(),
            quirks: Quirks::default(),
            problem: None,
        }
    }

    /// Notes a problem. The first one counts: what follows it is most likely its consequence.
    pub(crate) fn broken(&mut self, offset: Option<u64>, text: impl Into<String>) {
        if self.problem.is_none() {
            self.problem = Some(Problem { text: text.into(), offset });
        }
    }
}
