//! Writes a TOML text in order, with comments; quoting is `toml_writer`'s.

use toml_writer::{ToTomlKey, ToTomlValue, WriteTomlValue};

const WIDTH: usize = 98;

#[derive(Debug, Default)]
pub(super) struct Toml(String);

impl Toml {
    pub(super) fn text(self) -> String {
        self.0
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn append(&mut self, other: &Toml) {
        self.0 += &other.0;
    }

    /// Another text, as a comment.
    pub(super) fn commented(&mut self, other: &Toml) {
        for line in other.0.lines() {
            let mark = if line.starts_with('#') { "" } else { "# " };
            self.0 += &format!("{mark}{line}\n");
        }
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// A comment, wrapped.
    pub(super) fn comment(&mut self, text: &str) {
        let mut width = WIDTH + 1;
        for word in text.split_whitespace() {
            if width + 1 + word.chars().count() > WIDTH {
                if width <= WIDTH {
                    self.blank();
                }
                self.0.push('#');
                width = 1;
            }
            self.0.push(' ');
            self.0 += word;
            width += 1 + word.chars().count();
        }
        self.blank();
    }

    pub(super) fn table(&mut self, path: &[&str]) {
        let path: Vec<String> = path.iter().map(|part| part.to_toml_key()).collect();
        self.0 += &format!("[{}]\n", path.join("."));
    }

    pub(super) fn key(&mut self, key: &str, value: impl WriteTomlValue) {
        self.0 += &line(key, value);
    }

    /// A key that is not set, to be taken up by a person.
    pub(super) fn commented_key(&mut self, key: &str, value: impl WriteTomlValue) {
        for line in line(key, value).lines() {
            self.0 += &format!("# {line}\n");
        }
    }
}

/// A key as it is shown in a comment, on one line whatever it holds.
pub(super) fn shown(key: &str) -> String {
    key.to_toml_key()
}

fn line(key: &str, value: impl WriteTomlValue) -> String {
    format!("{} = {}\n", key.to_toml_key(), value.to_toml_value())
}
