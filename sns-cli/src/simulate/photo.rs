//! A file to be sent.
//!
//! Law: its bytes are read while they are sent; its length is that of the moment it was opened,
//! because that is what the camera has promised by then.

use super::stop::Stop;
use std::fs::File;
use std::path::{Path, PathBuf};

/// An open file with the name and type a camera gives it.
#[derive(Debug)]
pub(super) struct Photo {
    /// The name, as sent.
    pub(super) name: String,
    /// The media type, as sent.
    pub(super) media_type: &'static str,
    /// Its length in bytes.
    pub(super) length: u64,
    /// Its bytes.
    pub(super) file: File,
}

impl Photo {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> Result<Photo, Stop> {
        let unreadable =
            |problem: &str| Stop::impossible(format!("cannot send {}: {problem}", path.display()));
        // Before it is opened: to open a pipe waits for somebody who writes.
        let metadata = path.metadata().map_err(|error| unreadable(&error.to_string()))?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "a folder" } else { "a pipe or a device" };
            return Err(unreadable(&format!("it is {what}, not a file")));
        }
        let file = File::open(path).map_err(|error| unreadable(&error.to_string()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A line end in a name would break the lines that tell of it.
        let name = name.replace(char::is_control, "_");
        let media_type = media_type(path);
        Ok(Photo { name, media_type, length: metadata.len(), file })
    }

    /// Opens all of them.
    pub(super) fn open_all(paths: &[PathBuf]) -> Result<Vec<Photo>, Stop> {
        paths.iter().map(|path| Photo::open(path)).collect()
    }

    /// Whether a camera announces it as a video.
    pub(super) fn is_video(&self) -> bool {
        self.media_type.starts_with("video/")
    }
}

fn media_type(path: &Path) -> &'static str {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "mp4" => "video/mp4",
        "avi" => "video/x-msvideo",
        "mov" => "video/quicktime",
        "3gp" => "video/3gpp",
        "png" => "image/png",
        "gif" => "image/gif",
        // Cameras take JPEGs, and call everything so.
        _ => "image/jpeg",
    }
}
