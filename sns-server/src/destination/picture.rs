//! Pictures that are too large for a peer are made smaller; the original stays as it is.
//!
//! Law: one picture at a time is in memory, scaled while it is decoded, never all of a large one.
//! What a viewer needs to show it the right way up and in the right colours goes with it; nothing else
//! of what the camera wrote does.

mod raster;

use super::apart::apart;
use jpeg_decoder::{Decoder, PixelFormat};
use jpeg_encoder::{ColorType, Encoder};
use raster::Raster;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use tokio::sync::Semaphore;

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

/// The stick has little memory.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);
/// As many pixels of a picture are decoded: those of 20 megapixels at half their width, which takes 27 MB
/// in all where colours have half the width of brightness, as cameras write it.
const MOST_PIXELS: u64 = 6_000_000;
/// Tried one after the other before a picture loses more of its pixels.
const QUALITIES: [u8; 2] = [90, 80];
/// Nobody would know what it shows.
const LEAST_SIDE: usize = 16;

/// The picture at `path` as a JPEG within `bounds`; `None` if it is within them as it is. Of a
/// picture that is no JPEG only the bytes are known.
///
/// # Errors
/// [`PictureError`]: no JPEG, damaged, or it cannot be read.
pub async fn fit(path: &Path, bounds: Bounds) -> Result<Option<Vec<u8>>, PictureError> {
    let turn = ONE_AT_A_TIME.acquire().await.map_err(|error| PictureError(error.to_string()))?;
    let path = path.to_owned();
    let work = move || {
        let _turn = turn; // for as long as the picture is in memory, also if nobody waits for it
        Ok(fit_now(&path, bounds))
    };
    apart(work).await.unwrap_or_else(|error| Err(failed(error)))
}

fn failed(error: impl std::fmt::Display) -> PictureError {
    PictureError(error.to_string())
}

fn fit_now(path: &Path, bounds: Bounds) -> Result<Option<Vec<u8>>, PictureError> {
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut decoder = Decoder::new(BufReader::new(file));
    let info = decoder.read_info().ok().and_then(|()| decoder.info());
    let Some(info) = info else {
        return match length <= bounds.bytes {
            true => Ok(None),
            false => Err(PictureError(format!(
                "it is no JPEG that can be read, and has {length} bytes of at most {}",
                bounds.bytes
            ))),
        };
    };
    let pixels = u64::from(info.width) * u64::from(info.height);
    let most = bounds.pixels.unwrap_or(u64::MAX);
    if length <= bounds.bytes && pixels <= most {
        return Ok(None);
    }

    let eighths = eighths(info.width, info.height, most)?;
    decoder.scale(scaled(info.width, eighths), scaled(info.height, eighths)).map_err(failed)?;
    let samples = decoder.decode().map_err(failed)?;
    let scaled = decoder.info().ok_or_else(|| failed("no picture"))?;
    let channels = match scaled.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        other => return Err(PictureError(format!("its colours ({other:?}) are not understood"))),
    };
    let (width, height) = (usize::from(scaled.width), usize::from(scaled.height));
    let mut raster = Raster { width, height, channels, samples };
    raster.shrink_to(most);
    let meaning =
        Meaning { orientation: orientation(decoder.exif_data()), colours: decoder.icc_profile() };
    drop(decoder);

    loop {
        let mut shortest = usize::MAX;
        for quality in QUALITIES {
            let jpeg = encode(&raster, quality, &meaning)?;
            if u64::try_from(jpeg.len()).is_ok_and(|length| length <= bounds.bytes) {
                return Ok(Some(jpeg));
            }
            shortest = shortest.min(jpeg.len());
        }
        // The bytes follow the pixels, not exactly: a little less each time.
        #[allow(clippy::cast_precision_loss)] // a guess
        let factor = (bounds.bytes as f64 / shortest as f64).min(1.0) * 0.9;
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let fewer = (raster.pixels() as f64 * factor) as u64;
        raster.shrink_to(fewer);
        if raster.width.min(raster.height) < LEAST_SIDE {
            return Err(PictureError(format!("nothing is left of it in {} bytes", bounds.bytes)));
        }
    }
}

/// How many eighths of width and height are decoded: as few as leave `most` pixels, as many as there
/// is memory for.
fn eighths(width: u16, height: u16, most: u64) -> Result<u16, PictureError> {
    let pixels = |n| u64::from(scaled(width, n)) * u64::from(scaled(height, n));
    let mut affordable = [1, 2, 4, 8].into_iter().filter(|&n| pixels(n) <= MOST_PIXELS).peekable();
    let largest = affordable.clone().last();
    let enough = affordable.find(|&n| pixels(n) >= most);
    enough.or(largest).ok_or_else(|| failed(format!("{width} x {height} pixels are too many")))
}

fn scaled(length: u16, eighths: u16) -> u16 {
    let length = (u32::from(length) * u32::from(eighths)).div_ceil(8);
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// What the samples alone do not say.
struct Meaning {
    orientation: u16,
    colours: Option<Vec<u8>>,
}

fn encode(raster: &Raster, quality: u8, meaning: &Meaning) -> Result<Vec<u8>, PictureError> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    if meaning.orientation != 1 {
        encoder.add_app_segment(1, exif_of(meaning.orientation)).map_err(failed)?;
    }
    if let Some(colours) = &meaning.colours {
        encoder.add_icc_profile(colours).map_err(failed)?;
    }
    let side = |length| u16::try_from(length).map_err(failed);
    let colour = if raster.channels == 1 { ColorType::Luma } else { ColorType::Rgb };
    encoder
        .encode(&raster.samples, side(raster.width)?, side(raster.height)?, colour)
        .map_err(failed)?;
    Ok(jpeg)
}

/// The smallest Exif there is: a TIFF with one entry.
fn exif_of(orientation: u16) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend(orientation.to_be_bytes());
    exif.extend([0; 6]); // the rest of the value, and no further directory
    exif
}

/// 1 to 8; 1 is the right way up.
fn orientation(exif: Option<&[u8]>) -> u16 {
    let value = exif.and_then(|exif| {
        let exif = partial(exif::Reader::new().continue_on_error(true).read_raw(exif.to_vec()))?;
        exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?.value.get_uint(0)
    });
    value.and_then(|value| u16::try_from(value).ok()).filter(|o| (1..=8).contains(o)).unwrap_or(1)
}

/// What could be understood: cameras write Exif with errors.
fn partial(read: Result<exif::Exif, exif::Error>) -> Option<exif::Exif> {
    read.or_else(|error| error.distill_partial_result(|_| {})).ok()
}

/// What took the picture at `path`, in short: `SAMSUNG NX300`. `None` if it does not say so.
pub fn camera_of(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let mut start = [0; 2];
    file.read_exact(&mut start).ok()?;
    // Other files would be read whole.
    if start != [0xff, 0xd8] {
        return None;
    }
    let mut reader = BufReader::new(File::open(path).ok()?);
    let exif = exif::Reader::new().continue_on_error(true).read_from_container(&mut reader);
    let exif = partial(exif)?;
    let words = |tag| match &exif.get_field(tag, exif::In::PRIMARY)?.value {
        exif::Value::Ascii(lines) => Some(plain(lines.first()?)).filter(|text| !text.is_empty()),
        _ => None,
    };
    Some(camera_name(&words(exif::Tag::Make).unwrap_or_default(), &words(exif::Tag::Model)?))
}

/// The maker's first word and the model, unless the model names its maker: `Samsung Techwin` makes
/// the `<VLUU L730 / Samsung L730>`.
fn camera_name(make: &str, model: &str) -> String {
    let model = model.trim_matches(['<', '>']);
    let maker = make.split(' ').next().unwrap_or_default();
    match maker.is_empty() || model.to_lowercase().contains(&maker.to_lowercase()) {
        true => model.to_owned(),
        false => format!("{maker} {model}"),
    }
}

/// As text of one line, without what fills it up.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_named_in_short() {
        assert_eq!(camera_name("SAMSUNG", "NX300"), "SAMSUNG NX300");
        assert_eq!(camera_name("SAMSUNG", "SAMSUNG EK-GC100"), "SAMSUNG EK-GC100");
        let two = camera_name("Samsung Techwin", "<VLUU L730 / Samsung L730>");
        assert_eq!(two, "VLUU L730 / Samsung L730");
        assert_eq!(camera_name("", "NX1"), "NX1");
        assert_eq!(plain(b"SAMSUNG  \0\0\0"), "SAMSUNG");
        assert_eq!(plain(b"NX\n300\x1b"), "NX 300");
    }

    #[test]
    fn no_more_is_decoded_than_is_needed_or_affordable() {
        assert_eq!(eighths(5472, 3648, u64::MAX), Ok(4), "20 megapixels are too many");
        assert_eq!(eighths(5472, 3648, 2_073_600), Ok(4));
        assert_eq!(eighths(5472, 3648, 1_000_000), Ok(2));
        assert_eq!(eighths(2000, 1500, u64::MAX), Ok(8));
        assert!(eighths(65500, 65500, u64::MAX).is_err());
        assert_eq!(scaled(5, 4), 3);
    }
}
