//! What a post looks like on each instance.

use crate::delivery::Delivery;
use crate::instance::{Instance, PATIENT};
use crate::picture::jpeg;
use crate::world::{Fault, Flavour, TOKEN};
use sns_server::destination::mastodon::Patience;
use std::time::Duration;

const WORDS: &str = "visibility = 'unlisted'\npostscript = '#photography #SamsungNX'\n\
                     language = 'en'\nsensitive = false";

#[tokio::test]
async fn words_alt_texts_and_all_keys_arrive() {
    for flavour in Flavour::ALL {
        let instance = Instance::start(flavour).await;
        let delivery = Delivery::of("Sunset").with_photo("a boat").with_photo("");
        let said = delivery.attempt(&instance.mastodon(WORDS)).await.unwrap();

        let [status] = instance.statuses().try_into().unwrap();
        assert_eq!(said, format!("https://photog.example/@me/{}", status.id));
        assert_eq!(status.text, "Sunset\n\n📷 SAMSUNG NX300\n\n#photography #SamsungNX");
        assert_eq!(status.visibility, "unlisted");
        assert_eq!((status.language.as_deref(), status.sensitive), (Some("en"), Some(false)));
        let world = instance.world();
        let files: Vec<_> = status.media_ids.iter().map(|id| &world.media[id]).collect();
        assert_eq!(files[0].description.as_deref(), Some("a boat"), "{flavour:?}");
        assert_eq!(files[1].description, None);
        assert_eq!(files[0].bytes, std::fs::read(delivery.file(0)).unwrap());
        assert_eq!((world.media.len(), files[0].media_type.as_str()), (2, "image/jpeg"));
    }
}

#[tokio::test]
async fn what_is_not_configured_is_left_to_the_account() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let mastodon = instance.mastodon("camera_line = false");
    Delivery::of("").with_photo("").attempt(&mastodon).await.unwrap();
    let [status] = instance.statuses().try_into().unwrap();
    assert_eq!((status.text.as_str(), status.language, status.sensitive), ("", None, None));
}

#[tokio::test]
async fn an_email_without_files_is_a_text_and_nothing_is_no_post() {
    let instance = Instance::start(Flavour::GoToSocial).await;
    let mastodon = instance.mastodon("");
    Delivery::of("only words").attempt(&mastodon).await.unwrap();
    assert_eq!(instance.statuses()[0].text, "only words\n\n📷 SAMSUNG NX300");
    let said = Delivery::of(" \n").fails_for_good(&mastodon).await;
    assert_eq!(said, "there is neither a text nor a file to post");
    assert_eq!(instance.statuses().len(), 1);
}

#[tokio::test]
async fn more_files_than_a_status_takes_make_a_thread() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let mut delivery = Delivery::of("Many");
    for at in 0..6 {
        delivery = delivery.with_photo(&format!("photo {at}"));
    }
    let delivery = delivery.with_video("a film");
    let said = delivery.attempt(&instance.mastodon("visibility = 'private'")).await.unwrap();
    assert!(said.ends_with(" and 2 more statuses"), "{said}");

    let [first, second, third] = instance.statuses().try_into().unwrap();
    assert_eq!((first.media_ids.len(), second.media_ids.len(), third.media_ids.len()), (4, 2, 1));
    assert_eq!(first.in_reply_to_id, None);
    assert_eq!(second.in_reply_to_id.as_ref(), Some(&first.id));
    assert_eq!(third.in_reply_to_id.as_ref(), Some(&first.id));
    assert_eq!((second.text.as_str(), third.visibility.as_str()), ("", "private"));
    let world = instance.world();
    let described = [first, second, third].map(|status| {
        let of = |id: &String| world.media[id].description.clone().unwrap();
        status.media_ids.iter().map(of).collect::<Vec<_>>()
    });
    let described = described.concat();
    assert_eq!(described[..6], [0, 1, 2, 3, 4, 5].map(|at| format!("photo {at}")));
    assert_eq!(described[6], "a film");
}

/// A reply on Pixelfed is a comment, whose pictures nobody sees.
#[tokio::test]
async fn albums_on_pixelfed_stand_alone() {
    let instance = Instance::start(Flavour::Pixelfed).await;
    let mut delivery = Delivery::of("Many");
    for _ in 0..5 {
        delivery = delivery.with_photo("x");
    }
    delivery.attempt(&instance.mastodon("camera_line = false")).await.unwrap();
    let [first, second] = instance.statuses().try_into().unwrap();
    assert_eq!((first.media_ids.len(), second.media_ids.len()), (4, 1));
    assert_eq!((second.in_reply_to_id, second.text.as_str()), (None, "Many"));
}

#[tokio::test]
async fn what_is_too_long_is_cut() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().limits.characters = 80;
    instance.world().limits.description = 20;
    let delivery = Delivery::of(&"word ".repeat(40)).with_photo("a very long description");
    let said = delivery.attempt(&instance.mastodon("postscript = '#p'")).await.unwrap();
    assert!(said.ends_with(" (text cut to 80 characters)"), "{said}");
    let [status] = instance.statuses().try_into().unwrap();
    assert!(status.text.ends_with(" word…\n\n📷 SAMSUNG NX300\n\n#p"), "{}", status.text);
    let world = instance.world();
    let description = world.media[&status.media_ids[0]].description.clone();
    assert_eq!(description.as_deref(), Some("a very long…"));
}

#[tokio::test]
async fn videos_are_waited_for() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().processing = 4;
    Delivery::of("Film").with_video("waves").attempt(&instance.mastodon("")).await.unwrap();
    assert_eq!(instance.requests("GET /api/v1/media/"), 5);
    assert_eq!(instance.statuses().len(), 1);
}

#[tokio::test]
async fn endless_processing_is_tried_again_without_another_upload() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().processing = 1_000_000;
    let patience = Patience { processing: Duration::from_millis(30), ..PATIENT };
    let mastodon = instance.patient("", patience);
    let delivery = Delivery::of("Film").with_video("waves");
    let said = delivery.fails_for_now(&mastodon).await;
    assert!(said.contains("still processing"), "{said}");
    instance.world().media.values_mut().for_each(|media| media.processing = 0);
    delivery.attempt(&mastodon).await.unwrap();
    assert_eq!(instance.counts(), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_processed_waits_for_a_person_and_is_then_uploaded_again() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().processing = u32::MAX;
    let mastodon = instance.mastodon("");
    let delivery = Delivery::of("Film").with_video("waves");
    let said = delivery.fails_for_good(&mastodon).await;
    assert!(said.contains("SAM_0001.JPG: 127.0.0.1: GET /api/v1/media/"), "{said}");
    assert!(said.contains("422 Unprocessable Entity: Error processing thumbnail"), "{said}");
    instance.world().processing = 0;
    delivery.attempt(&mastodon).await.unwrap();
    assert_eq!(instance.counts(), (1, 2));
}

#[tokio::test]
async fn pictures_that_are_too_large_are_fitted_and_the_original_stays() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().limits.pixels = 100_000;
    let photo = jpeg(640, 480, 6);
    let delivery = Delivery::of("Large").with("image/jpeg", &photo, "x");
    delivery.attempt(&instance.mastodon("")).await.unwrap();
    let world = instance.world();
    let sent = &world.media.values().next().unwrap().bytes;
    let mut decoder = jpeg_decoder::Decoder::new(sent.as_slice());
    decoder.read_info().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!((info.width, info.height), (365, 273));
    assert_eq!(std::fs::read(delivery.file(0)).unwrap(), photo);
}

#[tokio::test]
async fn what_is_too_large_and_cannot_be_fitted_says_so() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().limits.video = 10;
    instance.world().limits.picture = 10;
    let mastodon = instance.mastodon("");
    let video = Delivery::of("Film").with_photo("x").with_video("waves");
    instance.world().limits.picture = 10_000_000;
    let said = video.fails_for_good(&mastodon).await;
    assert!(said.contains("the video has 0 kB, and photog.example takes at most 0 kB"), "{said}");
    let mastodon = instance.mastodon("");
    instance.world().limits.picture = 10;
    let no_jpeg = Delivery::of("").with("image/png", b"\x89PNG and more", "");
    let said = no_jpeg.fails_for_good(&mastodon).await;
    assert!(said.contains("no JPEG that can be read, and has 13 bytes of at most 10"), "{said}");
    assert_eq!(instance.statuses().len(), 0);
}

#[tokio::test]
async fn an_instance_that_does_not_say_its_limits_is_served_all_the_same() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().is_taciturn = true;
    Delivery::of("x").with_photo("y").attempt(&instance.mastodon("")).await.unwrap();
    // And one that has no such page.
    for _ in 0..2 {
        let gone = (404, vec![], "<h1>Not found</h1>".to_owned());
        instance.fault("/api/v", Fault::Answer(gone.0, gone.1, gone.2));
    }
    Delivery::of("x").with_photo("y").attempt(&instance.mastodon("")).await.unwrap();
    assert_eq!(instance.statuses().len(), 2);
}

#[tokio::test]
async fn limits_are_asked_for_once() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let mastodon = instance.mastodon("");
    for _ in 0..3 {
        Delivery::of("x").with_photo("y").attempt(&mastodon).await.unwrap();
    }
    assert_eq!(instance.requests("GET /api/v2/instance"), 1);
    assert_eq!(instance.requests("GET /api/v1/accounts/verify_credentials"), 1);
}

/// The instance changes its mind between two attempts: what was planned stays.
#[tokio::test]
async fn a_plan_is_kept() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let mut delivery = Delivery::of("Many");
    for _ in 0..5 {
        delivery = delivery.with_photo("x");
    }
    let no = Fault::Answer(503, vec![], String::new());
    instance.fault("/api/v1/statuses", Fault::DoneThen(502));
    instance.fault("/api/v1/accounts", no);
    delivery.fails_for_now(&instance.mastodon("")).await;
    instance.world().faults.clear();
    instance.world().limits.files = 10;
    delivery.attempt(&instance.mastodon("")).await.unwrap();
    let counts: Vec<usize> = instance.statuses().iter().map(|s| s.media_ids.len()).collect();
    assert_eq!(counts, [4, 1]);
}

#[tokio::test]
async fn a_probe_says_who_and_how_much() {
    for flavour in Flavour::ALL {
        let instance = Instance::start(flavour).await;
        let said = instance.mastodon("").probe().await.unwrap();
        let limits = match flavour {
            Flavour::Mastodon => {
                "4 files a status, pictures up to 16 MB, videos up to 99 MB, 500 characters"
            }
            Flavour::GoToSocial => {
                "6 files a status, pictures up to 16 MB, videos up to 99 MB, 5000 characters"
            }
            _ => "4 files a status, pictures up to 14 MB, videos up to 14 MB, 500 characters",
        };
        assert_eq!(said, format!("posts as @me@photog.example; {limits}"));
        instance.world().tokens.clear();
        let said = instance.mastodon("").probe().await.unwrap_err().to_string();
        assert!(said.contains("401 Unauthorized: The access token is invalid"), "{said}");
        assert!(
            said.contains("make a new one with sns-server mastodon-login http://127"),
            "{said}"
        );
        assert!(!said.contains(TOKEN));
        let scopes = "write:media write:statuses".to_owned();
        instance.world().tokens.insert(TOKEN.to_owned(), scopes);
        if !flavour.is_pixelfed() {
            let said = instance.mastodon("").probe().await.unwrap();
            assert!(said.contains("but the token may not read"), "{said}");
        }
        assert_eq!(instance.statuses().len(), 0);
    }
}
