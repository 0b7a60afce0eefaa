//! Pictures that are too large for a peer are made smaller; the original stays as it is.
//!
//! Law: one picture at a time is in memory, scaled while it is decoded.

use std::path::Path;

/// What a peer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At most so many bytes.
    pub bytes: u64,
    /// At most so many pixels, width times height.
    pub pixels: Option<u64>,
}

/// Why a picture cannot be made smaller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot be made smaller: {0}")]
pub struct PictureError(pub String);

/// The picture at `path` as a JPEG within `bounds`; `None` if it is within them as it is.
///
/// # Errors
/// [`PictureError`]: no JPEG, damaged, or it cannot be read.
pub async fn fit(_path: &Path, _bounds: Bounds) -> Result<Option<Vec<u8>>, PictureError> {
    Err(PictureError("not built yet".to_owned()))
}

/// What took a picture, by its EXIF: `SAMSUNG NX300`.
pub fn camera_of(_path: &Path) -> Option<String> {
    None
}
