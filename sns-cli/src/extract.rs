//! `--extract`: every photo and message of what is decoded becomes a file of its own.
//!
//! Law: nothing that a camera says leads out of the folder, and nothing is ever overwritten. A file
//! is written as its bytes come by; the manifest names it once it ends, whole or not.

use crate::decode::body::Print;
use crate::decode::damage::Damage;
use crate::redact;
use crate::report::{Fields, Node};
use samsung_sns::message::media::resource_name;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What is gathered before it is written.
const BUFFER: usize = 32 * 1024;
/// So many files are kept open; more are opened for each write.
const MAX_OPEN: usize = 128;
/// So many files of the same name are told apart.
const MAX_SAME: u32 = 10_000;

/// The folder, and what is in it.
pub(crate) struct Extract {
    folder: PathBuf,
    manifest: File,
    count: u64,
    open: usize,
}

/// Where a message stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// The file it is from, as it was named.
    pub(crate) source: String,
    /// The connection, in a capture.
    pub(crate) connection: Option<u64>,
    /// `request` or `answer`, or `xml` without either.
    pub(crate) form: &'static str,
    /// Which of its kind in its connection, from 1.
    pub(crate) message: u64,
    /// What it is, as far as its head says.
    pub(crate) kind: &'static str,
    /// The name of the file that it is.
    pub(crate) file_name: Option<String>,
    /// Whether its files are to have checksums.
    pub(crate) has_checksums: bool,
    /// Of what is left of a message: whether it begins where the body does.
    pub(crate) is_start_known: bool,
    /// What was written of it.
    pub(crate) names: Vec<String>,
}

/// Where the bytes of one message go, if anywhere.
pub(crate) struct Outlets<'a> {
    /// The folder, if there is one.
    pub(crate) extract: &'a mut Option<Extract>,
    /// Where the message stands.
    pub(crate) place: &'a mut Place,
}

/// What is to be said of a file beside what it is.
pub(crate) struct Marks<'a> {
    /// Whether all of it is there.
    pub(crate) is_whole: bool,
    /// What of it is not in the capture, or came twice and differed.
    pub(crate) damage: &'a Damage,
}

/// A file that is being written.
pub(crate) struct Object {
    name: String,
    field: &'static str,
    file_name: Option<String>,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl Extract {
    /// Begins to write into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// Where it cannot be written to.
    pub(crate) fn into(folder: &Path) -> io::Result<Extract> {
        std::fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
        let (_, manifest) = create(folder, "manifest", ".jsonl")?;
        Ok(Extract { folder: folder.to_owned(), manifest, count: 0, open: 0 })
    }
}

/// Makes a file that was not there.
fn create(folder: &Path, stem: &str, extension: &str) -> io::Result<(String, File)> {
    for number in 1..MAX_SAME {
        let name = match number {
            1 => format!("{stem}{extension}"),
            _ => format!("{stem}-{number}{extension}"),
        };
        match OpenOptions::new().write(true).create_new(true).open(folder.join(&name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(at(&folder.join(&name), &error)),
            Ok(file) => return Ok((name, file)),
        }
    }
    Err(at(&folder.join(stem), &ErrorKind::AlreadyExists.into()))
}

/// The error, with the file that it is about.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Outlets<'_> {
    /// Whether anything is written.
    pub(crate) fn is_extracting(&self) -> bool {
        self.extract.is_some()
    }

    /// Begins a file for a field of the message: its body, or a part. `name` is what the camera
    /// calls it; else its first bytes say what it is.
    pub(crate) fn begin(
        &mut self,
        field: &'static str,
        name: Option<&str>,
        first: &[u8],
    ) -> io::Result<Option<Object>> {
        let Some(extract) = self.extract.as_mut() else { return Ok(None) };
        let file_name = match (name, field) {
            (Some(name), _) => Some(name.to_owned()),
            (None, "body") => self.place.file_name.clone(),
            (None, _) => None,
        };
        let plain = match &file_name {
            Some(name) => resource_name(name),
            None => {
                let extension = match first {
                    _ if field == "email" => "mime",
                    [0xff, 0xd8, 0xff, ..] => "jpg",
                    [b'<', ..] => "xml",
                    _ if std::str::from_utf8(first).is_ok() => "txt",
                    _ => "bin",
                };
                let form = if self.place.form == "answer" { "answer" } else { self.place.kind };
                format!("{form}.{extension}")
            }
        };
        extract.count += 1;
        let (stem, extension) = match plain.rfind('.') {
            Some(dot) if dot > 0 => plain.split_at(dot),
            _ => (plain.as_str(), ""),
        };
        let stem = format!("{:05}-{stem}", extract.count);
        let (name, file) = create(&extract.folder, &stem, extension)?;
        extract.open += 1;
        let mut object = Object { name, field, file_name, file: Some(file), buffer: Vec::new() };
        if extract.open > MAX_OPEN {
            object.close(extract);
        }
        Ok(Some(object))
    }

    /// Adds the names of what was written to fields.
    pub(crate) fn list(&self, fields: &mut Fields) {
        if !self.place.names.is_empty() {
            let names = self.place.names.iter().map(|name| Node::Text(redact::extracted(name)));
            fields.add("extracted", Node::List(names.collect()));
        }
    }
}

impl Object {
    /// More of it.
    pub(crate) fn write(&mut self, bytes: &[u8], out: &mut Outlets<'_>) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush(out)?;
        }
        if bytes.len() > BUFFER {
            return self.write_now(bytes, out);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// No more comes of it for now: it takes no room.
    pub(crate) fn pause(&mut self, out: &mut Outlets<'_>) -> io::Result<()> {
        self.flush(out)?;
        self.buffer = Vec::new();
        if let Some(extract) = out.extract.as_mut() {
            self.close(extract);
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Outlets<'_>) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let buffer = std::mem::take(&mut self.buffer);
        let done = self.write_now(&buffer, out);
        self.buffer = buffer;
        self.buffer.clear();
        done
    }

    fn write_now(&mut self, bytes: &[u8], out: &mut Outlets<'_>) -> io::Result<()> {
        let Some(extract) = out.extract.as_ref() else { return Ok(()) };
        let path = extract.folder.join(&self.name);
        let done = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => OpenOptions::new()
                .append(true)
                .open(&path)
                .and_then(|mut file| file.write_all(bytes)),
        };
        done.map_err(|error| at(&path, &error))
    }

    fn close(&mut self, extract: &mut Extract) {
        if self.file.take().is_some() {
            extract.open -= 1;
        }
    }

    /// It has ended: the manifest says what it is.
    pub(crate) fn finish(
        mut self,
        print: &Print,
        marks: &Marks<'_>,
        out: &mut Outlets<'_>,
    ) -> io::Result<()> {
        self.flush(out)?;
        let Some(extract) = out.extract.as_mut() else { return Ok(()) };
        self.close(extract);
        let mut line = json!({
            "name": self.name,
            "length": print.length,
            "sha256": print.sha256,
            "complete": marks.is_whole,
            "source": out.place.source,
            "form": out.place.form,
            "kind": out.place.kind,
            "message": out.place.message,
            "field": self.field,
        });
        if let Some(number) = out.place.connection {
            line["connection"] = number.into();
        }
        if let Some(name) = &self.file_name {
            line["file_name"] = name.as_str().into();
        }
        for (name, name_of_more, ranges) in [
            ("gaps", "more_gaps", &marks.damage.gaps),
            ("conflicts", "more_conflicts", &marks.damage.conflicts),
        ] {
            let listed: Vec<_> = ranges
                .listed()
                .iter()
                .map(|(offset, length)| json!({ "offset": offset, "length": length }))
                .collect();
            if !listed.is_empty() {
                line[name] = listed.into();
            }
            if ranges.more() > 0 {
                line[name_of_more] = ranges.more().into();
            }
        }
        if self.field == "rest" {
            line["start_known"] = out.place.is_start_known.into();
        }
        writeln!(extract.manifest, "{line}")?;
        out.place.names.push(self.name);
        Ok(())
    }
}
