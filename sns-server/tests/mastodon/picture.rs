//! Pictures are made to fit: real ones, decoded again.

use jpeg_decoder::{Decoder, PixelFormat};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use sns_server::destination::picture::{Bounds, PictureError, camera_of, fit};
use std::path::PathBuf;

/// Exif as an NX300 might write it: maker, model, orientation.
fn exif(orientation: u16) -> Vec<u8> {
    let (make, model) = (b"SAMSUNG\0", b"NX300\0\0\0");
    let mut exif = b"Exif\0\0II\x2a\0\x08\0\0\0\x03\0".to_vec();
    let mut entry = |tag: u16, kind: u16, count: u32, value: u32| {
        exif.extend(tag.to_le_bytes());
        exif.extend(kind.to_le_bytes());
        exif.extend(count.to_le_bytes());
        exif.extend(value.to_le_bytes());
    };
    entry(0x010f, 2, 8, 50);
    entry(0x0110, 2, 8, 58);
    entry(0x0112, 3, 1, u32::from(orientation));
    exif.extend([0; 4]);
    exif.extend(make);
    exif.extend(model);
    exif
}

/// A photo whose upper left quarter is red, upper right green, lower left blue, lower right grey,
/// with a pattern that does not compress well.
pub(crate) fn jpeg(width: u16, height: u16, orientation: u16) -> Vec<u8> {
    let (w, h) = (usize::from(width), usize::from(height));
    let mut random = fastrand::Rng::with_seed(300);
    let mut row = |left: [u8; 3], right: [u8; 3]| -> Vec<u8> {
        let quarters = (0..w).map(|x| if x < w / 2 { left } else { right });
        quarters.flat_map(|quarter| quarter.map(|sample| sample + random.u8(..40))).collect()
    };
    // A few rows, again and again: this has to be quick for 20 megapixels, too.
    let upper: Vec<_> = (0..13).map(|_| row([200, 30, 30], [30, 200, 30])).collect();
    let lower: Vec<_> = (0..13).map(|_| row([30, 30, 200], [120, 120, 120])).collect();
    let mut samples = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        samples.extend_from_slice(&(if y < h / 2 { &upper } else { &lower })[y % 13]);
    }
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 95);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_2); // as cameras do
    encoder.add_app_segment(1, exif(orientation)).unwrap();
    encoder.add_icc_profile(b"not quite a profile of colours").unwrap();
    encoder.encode(&samples, width, height, ColorType::Rgb).unwrap();
    bytes
}

struct Written {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn written(bytes: &[u8]) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("SAM_0001.JPG");
    std::fs::write(&path, bytes).unwrap();
    Written { _folder: folder, path }
}

/// The quarters are where they were, as are orientation and colours.
fn assert_same_picture(jpeg: &[u8], orientation: u16) -> (u16, u16) {
    let mut decoder = Decoder::new(jpeg);
    let samples = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!(info.pixel_format, PixelFormat::RGB24);
    let (w, h) = (usize::from(info.width), usize::from(info.height));
    // The mean of some pixels: one alone is noise.
    let at = |x: usize, y: usize| {
        let around = (y - 4..y + 4).flat_map(|y| (x - 4..x + 4).map(move |x| (y * w + x) * 3));
        [0, 1, 2].map(|channel| {
            let sum: u32 = around.clone().map(|at| u32::from(samples[at + channel])).sum();
            u8::try_from(sum / 64).unwrap()
        })
    };
    let near = |found: [u8; 3], wanted: [u8; 3]| {
        found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 12)
    };
    assert!(near(at(w / 4, h / 4), [219, 49, 49]), "{:?}", at(w / 4, h / 4));
    assert!(near(at(w * 3 / 4, h / 4), [49, 219, 49]), "{:?}", at(w * 3 / 4, h / 4));
    assert!(near(at(w / 4, h * 3 / 4), [49, 49, 219]), "{:?}", at(w / 4, h * 3 / 4));
    assert!(near(at(w * 3 / 4, h * 3 / 4), [139, 139, 139]));
    assert_eq!(decoder.icc_profile().unwrap(), b"not quite a profile of colours");
    let found = exif::Reader::new().read_from_container(&mut std::io::Cursor::new(jpeg));
    match orientation {
        1 => assert!(found.is_err(), "the right way up needs no Exif"),
        _ => {
            let found = found.unwrap();
            let field = found.get_field(exif::Tag::Orientation, exif::In::PRIMARY).unwrap();
            assert_eq!(field.value.get_uint(0), Some(u32::from(orientation)));
        }
    }
    (info.width, info.height)
}

const ANY: u64 = u64::MAX;

#[tokio::test]
async fn what_fits_stays() {
    let bytes = jpeg(640, 480, 1);
    let length = u64::try_from(bytes.len()).unwrap();
    let photo = written(&bytes);
    for pixels in [None, Some(640 * 480)] {
        assert_eq!(fit(&photo.path, Bounds { bytes: length, pixels }).await, Ok(None));
    }
}

#[tokio::test]
async fn too_many_pixels_become_as_many_as_allowed() {
    for orientation in [1, 3, 6, 8] {
        let photo = written(&jpeg(600, 400, orientation));
        for pixels in [239_999, 120_000, 60_000, 20_000, 3_000] {
            let fitted = fit(&photo.path, Bounds { bytes: ANY, pixels: Some(pixels) }).await;
            let fitted = fitted.unwrap().unwrap();
            let (width, height) = assert_same_picture(&fitted, orientation);
            let size = u64::from(width) * u64::from(height);
            assert!(size <= pixels && size * 100 > pixels * 96, "{pixels}: {width} x {height}");
            let ratio = f64::from(width) / f64::from(height);
            assert!((ratio - 1.5).abs() < 0.05, "{ratio}");
        }
        // The original is untouched.
        assert_eq!(std::fs::read(&photo.path).unwrap(), jpeg(600, 400, orientation));
    }
}

#[tokio::test]
async fn too_many_bytes_become_fewer() {
    let bytes = jpeg(600, 400, 6);
    let photo = written(&bytes);
    for share in [2, 4, 20, 100] {
        let most = u64::try_from(bytes.len()).unwrap() / share;
        let fitted = fit(&photo.path, Bounds { bytes: most, pixels: None }).await;
        let fitted = fitted.unwrap().unwrap();
        let length = u64::try_from(fitted.len()).unwrap();
        assert!(length <= most && length * 3 > most, "{length} of {most}");
        assert_same_picture(&fitted, 6);
    }
    let nothing = fit(&photo.path, Bounds { bytes: 100, pixels: None }).await.unwrap_err();
    assert_eq!(nothing.to_string(), "cannot be made smaller: nothing is left of it in 100 bytes");
}

#[tokio::test]
async fn grey_pictures_stay_grey() {
    let mut bytes = Vec::new();
    let samples: Vec<u8> = (0..200 * 100).map(|at| u8::try_from(at % 200).unwrap()).collect();
    Encoder::new(&mut bytes, 90).encode(&samples, 200, 100, ColorType::Luma).unwrap();
    let photo = written(&bytes);
    let fitted = fit(&photo.path, Bounds { bytes: ANY, pixels: Some(5000) }).await;
    let mut decoder = Decoder::new(std::io::Cursor::new(fitted.unwrap().unwrap()));
    let samples = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!((info.pixel_format, info.width, info.height), (PixelFormat::L8, 100, 50));
    assert!(samples[50].abs_diff(100) < 8, "{}", samples[50]);
}

/// A 3D photo (MPO) is two JPEGs in one file: the first is the picture.
#[tokio::test]
async fn an_mpo_is_a_jpeg() {
    let mut bytes = jpeg(400, 300, 1);
    bytes.extend(jpeg(400, 300, 1));
    let photo = written(&bytes);
    let most = u64::try_from(bytes.len()).unwrap() - 1;
    let fitted = fit(&photo.path, Bounds { bytes: most, pixels: None }).await.unwrap().unwrap();
    assert_eq!(assert_same_picture(&fitted, 1), (400, 300));
}

#[tokio::test]
async fn what_cannot_be_fitted_says_why() {
    let small = Bounds { bytes: 10, pixels: Some(10) };
    let text = written(b"GIF89a, which is no JPEG");
    let PictureError(said) = fit(&text.path, small).await.unwrap_err();
    assert_eq!(said, "it is no JPEG that can be read, and has 24 bytes of at most 10");
    assert_eq!(fit(&text.path, Bounds { bytes: 24, pixels: Some(1) }).await, Ok(None));

    let whole = jpeg(400, 300, 1);
    let cut = written(&whole[..whole.len() / 2]);
    assert!(fit(&cut.path, Bounds { bytes: ANY, pixels: Some(100) }).await.is_err());
    assert!(fit(&cut.path.with_file_name("gone"), small).await.is_err());
}

#[test]
fn cameras_are_recognised() {
    assert_eq!(camera_of(&written(&jpeg(16, 16, 6)).path).as_deref(), Some("SAMSUNG NX300"));
    let plain = include_bytes!("../../../testdata/photo.jpg");
    assert_eq!(camera_of(&written(plain).path), None);
    assert_eq!(camera_of(&written(b"").path), None);
    // Half of the Exif is better than nothing of it.
    let mut broken = jpeg(16, 16, 6);
    let at = broken.windows(2).position(|two| two == [0x12, 0x01]).unwrap();
    broken[at + 2] = 99;
    assert_eq!(camera_of(&written(&broken).path).as_deref(), Some("SAMSUNG NX300"));
}

/// In a process of its own, for its peak of memory counts.
#[test]
fn a_20_megapixel_photo_takes_little_memory() {
    let photo = written(&jpeg(5472, 3648, 6));
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["picture::fits_what_it_is_given", "--exact", "--ignored", "--nocapture"])
        .env("SNS_TEST_PICTURE", &photo.path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    let kilobytes = said.split("more memory: ").nth(1).and_then(|rest| rest.split(' ').next());
    let kilobytes: u64 = kilobytes.unwrap().parse().unwrap();
    assert!(kilobytes < 30 * 1024, "{kilobytes} kB");
}

#[tokio::test]
#[ignore = "run by a_20_megapixel_photo_takes_little_memory"]
async fn fits_what_it_is_given() {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let path = std::env::var_os("SNS_TEST_PICTURE").map(PathBuf::from).unwrap();
    let before = peak();
    let bounds = Bounds { bytes: 4 * 1024 * 1024, pixels: Some(16_777_216) };
    let fitted = fit(&path, bounds).await.unwrap().unwrap();
    let after = peak();
    assert_eq!(assert_same_picture(&fitted, 6), (2736, 1824));
    println!("more memory: {} kB", after - before);
}
