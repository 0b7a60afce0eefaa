//! The part of `sns-cli` that others may use, such as the fuzz targets: reading packet captures.
//! What the streams in a capture say is told by the program.

pub mod capture;
