//! The multipart reader: every known ending, look-alikes, any cutting, bounded memory, and multer
//! as the oracle on well-formed bodies.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test helps itself, and reads files

use proptest::prelude::*;
use samsung_sns::camera::BOUNDARY;
use samsung_sns::quirk::Quirk;
use samsung_sns::wire::multipart::{Boundary, Event, MultipartError, Reader};

type Part = (Option<String>, Option<Vec<u8>>, Vec<u8>);

fn boundary() -> Boundary {
    Boundary::new(BOUNDARY.as_bytes()).unwrap()
}

/// Reads a body fed in pieces; the parts, and whether the end was reached.
fn read(body: &[u8], piece: usize, finish: bool) -> Result<(Vec<Part>, Reader), MultipartError> {
    let mut reader = Reader::new(&boundary());
    let mut parts: Vec<Part> = Vec::new();
    let mut whole = 0;
    let mut drain = |reader: &mut Reader| -> Result<(), MultipartError> {
        while let Some(event) = reader.next_event()? {
            match event {
                Event::Part(head) => parts.push((head.name(), head.file_name(), Vec::new())),
                Event::Data(bytes) => parts.last_mut().unwrap().2.extend_from_slice(&bytes),
                Event::PartEnd => whole += 1,
                Event::End => assert_eq!(whole, parts.len()),
            }
        }
        Ok(())
    };
    for piece in body.chunks(piece) {
        reader.feed(piece);
        drain(&mut reader)?;
    }
    if finish {
        reader.finish();
        drain(&mut reader)?;
    }
    Ok((parts, reader))
}

fn body(photos: &[&[u8]], ending: &str) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"message\"; fileName=\"sample.txt\"\r\n\
         content-Type: multipart/form-data;\r\n\r\n<email/>"
    )
    .into_bytes();
    for photo in photos {
        body.extend_from_slice(
            format!(
                "\r\n--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"binary\"; \
                 fileName=\"SAM_4371.JPG\"\r\ncontent-Type: image/jpeg;\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(photo);
    }
    body.extend_from_slice(ending.replace("{B}", BOUNDARY).as_bytes());
    body
}

fn photos(body: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let (parts, reader) = read(body, piece, true).unwrap();
    assert!(reader.has_ended());
    assert_eq!(
        parts[0],
        (Some("message".into()), Some(b"sample.txt".to_vec()), b"<email/>".to_vec())
    );
    parts.into_iter().skip(1).map(|(_, _, bytes)| bytes).collect()
}

const PIECES: [usize; 4] = [1, 7, 1460, usize::MAX];

#[test]
fn every_known_ending_keeps_the_photo() {
    let photo: &[u8] = b"\xff\xd8 photo \r\n with \r\n--line ends-- \xff\xd9";
    for (ending, quirk) in [
        ("\r\n--{B}", Some(Quirk::UnclosedMultipart)),
        ("\r\n--{B}\r\n", Some(Quirk::UnclosedMultipart)),
        ("\r\n--{B}\r\n\r\n", Some(Quirk::UnclosedMultipart)),
        ("\r\n--{B}--", None),
        ("\r\n--{B}--\r\n", None),
        ("\r\n--{B}--\r\nepilogue\r\n--{B}\r\nA: b\r\n\r\n", None),
        ("\r\n--{B}-- \t\r\n", None),
        ("\r\n--{B}-", Some(Quirk::HalfClosedMultipart)),
        ("\r\n--{B}-\r\n", Some(Quirk::HalfClosedMultipart)),
        ("", Some(Quirk::NoLastBoundary)),
    ] {
        for piece in PIECES {
            for sent in [vec![photo], vec![photo, b"", b"second"]] {
                let body = body(&sent, ending);
                assert_eq!(photos(&body, piece), sent, "{ending:?} in pieces of {piece}");
                let (_, reader) = read(&body, piece, true).unwrap();
                if let Some(quirk) = quirk {
                    assert!(reader.quirks().contains(quirk), "{ending:?}: {:?}", reader.quirks());
                }
            }
        }
    }
}

#[test]
fn a_boundary_look_alike_is_part_of_the_photo() {
    let shorter = &BOUNDARY[..BOUNDARY.len() - 1];
    for look_alike in [
        format!("\r\n--{BOUNDARY}x"),
        format!("\r\n--{BOUNDARY}-x"),
        format!("\r\n--{BOUNDARY}--x"),
        format!("\r\n--{BOUNDARY} x"),
        format!("\r\n--{BOUNDARY}\rx"),
        format!("\r\n--{BOUNDARY}\r\n\u{1}\u{2}"),
        format!("\r\n--{BOUNDARY}\r\n\r\nx"),
        format!("\r\n--{BOUNDARY}\r\nno header here\r\n"),
        format!("\r\n--{BOUNDARY}\r\n{}", "token".repeat(40)),
        format!("\r\n--{BOUNDARY}{}", " ".repeat(300)),
        format!("\r\n--{shorter}\r\n"),
        format!("--{BOUNDARY}\r\n"),
        format!("\n--{BOUNDARY}\r\nA: b"),
        format!("\r--{BOUNDARY}\r\n"),
        format!("\r\n\r\n--{shorter}"),
        "\r\n\r\n\r\n--".to_owned(),
    ] {
        for photo in [
            look_alike.repeat(3),
            format!("ab{look_alike}cd"),
            format!("{look_alike}\r\n"),
            look_alike.clone(),
        ] {
            let sent = [photo.as_bytes(), b"next"];
            for piece in PIECES {
                let got = photos(&body(&sent, "\r\n--{B}"), piece);
                assert_eq!(got, sent, "{look_alike:?} in pieces of {piece}");
            }
        }
    }
}

#[test]
fn a_body_that_breaks_off_is_never_whole() {
    let whole = body(&[b"photo one", b"photo two"], "\r\n--{B}");
    for cut in 0..whole.len() {
        let (_, reader) = read(&whole[..cut], usize::MAX, false).unwrap();
        assert!(!reader.has_ended(), "cut at {cut}");
    }
}

#[test]
fn a_wrong_boundary_and_an_endless_part_head_are_refused_early() {
    let junk = vec![b'x'; 1 << 20];
    let fed_until_refused = |start: &[u8]| {
        let mut reader = Reader::new(&boundary());
        reader.feed(start);
        junk.chunks(1460).enumerate().find_map(|(count, piece)| {
            reader.feed(piece);
            loop {
                match reader.next_event() {
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(error) => return Some((error, count * 1460)),
                }
            }
        })
    };
    let (error, fed) = fed_until_refused(b"--other\r\n").unwrap();
    assert_eq!(error, MultipartError::BoundaryNotFound);
    assert!(fed < 8 * 1024, "{fed}");
    let start = format!("--{BOUNDARY}\r\ncontent-disposition: ");
    let (error, fed) = fed_until_refused(start.as_bytes()).unwrap();
    assert_eq!(error, MultipartError::PartHeadTooLong { part: 1 });
    assert!(fed < 20 * 1024, "{fed}");
    assert_eq!(read(b"", 1, true).unwrap_err(), MultipartError::BoundaryNotFound);
    let cut = format!("--{BOUNDARY}\r\ncontent-disposition: form");
    assert_eq!(read(cut.as_bytes(), 1, true).unwrap_err(), MultipartError::PartHeadCut { part: 1 });
}

#[test]
fn lone_line_feeds_throughout_are_understood() {
    let sent =
        String::from_utf8(body(&[b"a\nb"], "\r\n--{B}--\r\n")).unwrap().replace("\r\n", "\n");
    for piece in PIECES {
        assert_eq!(photos(sent.as_bytes(), piece), [b"a\nb"]);
    }
}

#[test]
fn the_boundary_is_found_however_it_is_spelt() {
    for value in [
        "multipart/form-data; boundary=abc",
        "multipart/form-data;boundary=abc",
        "Multipart/Form-Data; Boundary=abc;",
        "multipart/form-data; charset=utf-8; boundary=\"abc\"; x=y",
        "multipart/form-data; boundary = abc",
        "multipart/mixed; boundary=abc",
    ] {
        assert_eq!(Boundary::from_content_type(value).unwrap().as_bytes(), b"abc", "{value}");
    }
    for value in
        ["", "image/jpeg; boundary=abc", "multipart/form-data", "multipart/form-data; boundary="]
    {
        assert_eq!(
            Boundary::from_content_type(value),
            Err(MultipartError::NoBoundaryParameter),
            "{value}"
        );
    }
}

/// multer reads only what is well-formed, so it is asked about nothing else.
fn multer(body: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let pieces: Vec<_> =
        body.chunks(piece).map(|p| Ok::<bytes::Bytes, std::io::Error>(p.to_vec().into())).collect();
    futures_util::FutureExt::now_or_never(async {
        let mut multipart = multer::Multipart::new(futures_util::stream::iter(pieces), BOUNDARY);
        let mut parts = Vec::new();
        while let Some(field) = multipart.next_field().await.unwrap() {
            parts.push(field.bytes().await.unwrap().to_vec());
        }
        parts
    })
    .unwrap()
}

/// Photos made of the bytes that matter to a multipart reader.
fn photo() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"--".to_vec()),
        Just(BOUNDARY.as_bytes().to_vec()),
        Just(format!("\r\n--{}", &BOUNDARY[..20]).into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(fragment, 0..12).prop_map(|fragments| fragments.concat())
}

proptest! {
    #[test]
    fn well_formed_bodies_are_read_as_multer_reads_them(
        photos in proptest::collection::vec(photo(), 0..4),
        piece in 1..200usize,
    ) {
        // A real delimiter inside a part is not well-formed: RFC 2046 section 5.1.1.
        let delimiter = format!("\r\n--{BOUNDARY}");
        for photo in &photos {
            let start = [b"\r\n", photo.as_slice()].concat();
            prop_assume!(memchr::memmem::find(&start, delimiter.as_bytes()).is_none());
        }
        let photos: Vec<&[u8]> = photos.iter().map(Vec::as_slice).collect();
        let body = body(&photos, "\r\n--{B}--\r\n");
        let (ours, _) = read(&body, piece, true).unwrap();
        let ours: Vec<_> = ours.into_iter().map(|(_, _, bytes)| bytes).collect();
        prop_assert_eq!(ours, multer(&body, piece));
    }

    #[test]
    fn any_bytes_in_any_pieces_give_the_same(photos in proptest::collection::vec(photo(), 0..3), piece in 1..90usize) {
        let photos: Vec<&[u8]> = photos.iter().map(Vec::as_slice).collect();
        let body = body(&photos, "\r\n--{B}");
        let whole = read(&body, usize::MAX, true).map(|(parts, reader)| (parts, reader.quirks().clone()));
        let pieces = read(&body, piece, true).map(|(parts, reader)| (parts, reader.quirks().clone()));
        prop_assert_eq!(whole, pieces);
    }
}
