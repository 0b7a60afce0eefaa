//! Each fault an instance or the way to it can have, and how many statuses there are in the end.

use crate::delivery::Delivery;
use crate::instance::{Instance, PATIENT};
use crate::world::{Fault, Flavour, TOKEN};
use sns_server::destination::FaultKind;
use sns_server::destination::mastodon::Patience;
use std::time::Duration;

const IMPATIENT: Patience = Patience { silence: Duration::from_millis(700), ..PATIENT };

fn answer(status: u16, body: &str) -> Fault {
    Fault::Answer(status, vec![], body.to_owned())
}

/// A post of one photo that meets a fault, then is tried again: one status, whatever it was.
async fn once(flavour: Flavour, path: &'static str, fault: Fault) {
    let what = format!("{flavour:?} {path} {fault:?}");
    let instance = Instance::start(flavour).await;
    let delivery = Delivery::of("Once").with_photo("a boat");
    let is_silent = matches!(fault, Fault::Silent | Fault::DoneThenSilent);
    let first = if is_silent { instance.patient("", IMPATIENT) } else { instance.mastodon("") };
    instance.fault(path, fault);
    let said = delivery.fails_for_now(&first).await;
    assert!(
        said.starts_with("127.0.0.1: ") || said.starts_with("SAM_0001.JPG: 127.0.0.1: "),
        "{said}"
    );
    assert!(!said.contains(TOKEN), "{said}");
    assert!(instance.world().faults.is_empty(), "{what} did not happen");
    // Pixelfed keeps a key for an hour, whatever came of it.
    if flavour == Flavour::Pixelfed && instance.statuses().is_empty() {
        instance.world().keys.clear();
    }
    let mastodon = instance.mastodon("");
    delivery.attempt(&mastodon).await.unwrap_or_else(|fault| panic!("{what}: {fault}"));
    assert_eq!(instance.statuses().len(), 1, "{what}");
    assert_eq!(instance.statuses()[0].media_ids.len(), 1, "{what}");
    // A third attempt would find everything done.
    let requests = instance.world().requests.len();
    delivery.attempt(&mastodon).await.unwrap();
    assert_eq!(instance.world().requests.len(), requests, "{what}");
}

const PATHS: [&str; 3] = ["/api/v1/statuses", "/api/v2/media", "/api/v2/instance"];

#[tokio::test]
async fn errors_of_the_instance() {
    for path in PATHS {
        for status in [500, 502, 503, 504, 408, 429] {
            once(Flavour::Mastodon, path, answer(status, "<html>no</html>")).await;
        }
    }
    once(Flavour::GoToSocial, PATHS[0], answer(500, "{\"error\": \"no\"}")).await;
    once(Flavour::Pixelfed, PATHS[0], answer(500, "{\"message\": \"Server Error\"}")).await;
}

#[tokio::test]
async fn silence() {
    for path in PATHS {
        once(Flavour::Mastodon, path, Fault::Silent).await;
    }
}

#[tokio::test]
async fn a_connection_cut_before_the_answer() {
    for path in PATHS {
        once(Flavour::Mastodon, path, Fault::CutInRequest(0)).await;
    }
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_an_upload() {
    let instance = Instance::start(Flavour::Mastodon).await;
    // More than all the buffers on the way.
    let film = vec![7; 12 * 1024 * 1024];
    let delivery = Delivery::of("Film").with("video/mp4", &film, "waves");
    instance.fault("/api/v2/media", Fault::CutInRequest(1024 * 1024));
    let said = delivery.fails_for_now(&instance.mastodon("")).await;
    assert!(said.contains("POST /api/v2/media: no answer"), "{said}");
    assert_eq!(instance.world().media.len(), 0);
    delivery.attempt(&instance.mastodon("")).await.unwrap();
    assert_eq!(instance.counts(), (1, 1));
    assert!(instance.world().media.values().all(|media| media.bytes == film));
}

/// Accepted, and we do not hear of it: this is where a status could be posted twice.
#[tokio::test]
async fn accepted_without_our_knowing() {
    for flavour in Flavour::ALL {
        for fault in [
            Fault::DoneThen(502),
            Fault::DoneThen(504),
            Fault::DoneThen(200),
            Fault::DoneThenSilent,
            Fault::DoneThenCut,
            Fault::DoneThenCutInAnswer,
        ] {
            once(flavour, "/api/v1/statuses", fault).await;
        }
    }
}

/// The same after a night without uplink: no instance remembers the key, and the person has posted
/// more than a page of other things.
#[tokio::test]
async fn accepted_without_our_knowing_and_long_forgotten() {
    for flavour in [Flavour::Mastodon, Flavour::GoToSocial] {
        for delivery in [Delivery::of("Once").with_photo("a boat"), Delivery::of("Only & <words>")]
        {
            let instance = Instance::start(flavour).await;
            for _ in 0..3 {
                instance.world().person_posts("Only & <words>\n\n📷 SAMSUNG NX300");
            }
            instance.fault("/api/v1/statuses", Fault::DoneThenCut);
            delivery.fails_for_now(&instance.mastodon("")).await;
            for at in 0..100 {
                instance.world().person_posts(&format!("something else {at}"));
            }
            instance.world().keys.clear();
            let said = delivery.attempt(&instance.mastodon("")).await.unwrap();
            assert_eq!(instance.statuses().len(), 104, "{flavour:?}");
            assert_eq!(said, format!("https://photog.example/@me/{}", instance.statuses()[3].id));
        }
    }
}

/// The same words were posted before: that is another post.
#[tokio::test]
async fn the_same_words_again_are_another_post() {
    let instance = Instance::start(Flavour::GoToSocial).await;
    let mastodon = instance.mastodon("");
    Delivery::of("Again").attempt(&mastodon).await.unwrap();
    let delivery = Delivery::of("Again");
    instance.fault("/api/v1/statuses", answer(500, ""));
    delivery.fails_for_now(&mastodon).await;
    delivery.attempt(&mastodon).await.unwrap();
    assert_eq!(instance.statuses().len(), 2);
}

/// Pixelfed took the key and failed; until it forgets it, it refuses, and we wait.
#[tokio::test]
async fn a_key_that_pixelfed_keeps_is_waited_for() {
    let instance = Instance::start(Flavour::Pixelfed).await;
    let delivery = Delivery::of("Once").with_photo("a boat");
    instance.world().keys.insert(format!("{}-0", delivery.post.id), String::new());
    for _ in 0..2 {
        let said = delivery.fails_for_now(&instance.mastodon("")).await;
        assert!(said.contains("400 Bad Request: Duplicate idempotency key."), "{said}");
    }
    instance.world().keys.clear();
    delivery.attempt(&instance.mastodon("")).await.unwrap();
    assert_eq!(instance.counts(), (1, 1));
}

#[tokio::test]
async fn too_many_requests_are_waited_for_as_long_as_asked() {
    let date = ("date", "Sun, 22 Nov 2026 02:00:00 GMT".to_owned());
    let asked = [
        (vec![("retry-after", "77".to_owned())], 77),
        (vec![date.clone(), ("x-ratelimit-reset", "2026-11-22T02:05:00.000000Z".to_owned())], 301),
    ];
    for (headers, seconds) in asked {
        for path in PATHS {
            let instance = Instance::start(Flavour::Mastodon).await;
            let mut headers = headers.clone();
            // hyper writes its own Date otherwise.
            headers.push(("content-type", "application/json".to_owned()));
            let no = Fault::Answer(429, headers, "{\"error\": \"Too many requests\"}".to_owned());
            instance.fault(path, no);
            let delivery = Delivery::of("Once").with_photo("a boat");
            let fault = delivery.attempt(&instance.mastodon("")).await.unwrap_err();
            let retry_after = Some(Duration::from_secs(seconds));
            assert_eq!(fault.kind, FaultKind::Transient { retry_after }, "{fault}");
            assert!(
                fault.message.ends_with(": 429 Too Many Requests: Too many requests"),
                "{fault}"
            );
            delivery.attempt(&instance.mastodon("")).await.unwrap();
            assert_eq!(instance.statuses().len(), 1);
        }
    }
}

#[tokio::test]
async fn what_an_instance_refuses_waits_for_a_person() {
    let refusals = [
        (401, "{\"error\": \"The access token was revoked\"}", "mastodon-login"),
        (403, "{\"error\": \"This action is outside the authorized scopes\"}", "mastodon-login"),
        (404, "{\"error\": \"Record not found\"}", "Record not found"),
        (
            422,
            "{\"error\": \"Validation failed: Text contains\\n banned \\u001b[31mwords\"}",
            "\\u{1b}[31mwords",
        ),
        (400, "{\"message\": \"Invalid object\"}", "400 Bad Request: Invalid object"),
        (413, "<html>too large</html>", "413 Payload Too Large: <html>too large</html>"),
    ];
    for (status, body, text) in refusals {
        let instance = Instance::start(Flavour::Mastodon).await;
        let delivery = Delivery::of("Once").with_photo("a boat");
        instance.fault("/api/v1/statuses", answer(status, body));
        let said = delivery.fails_for_good(&instance.mastodon("")).await;
        assert!(
            said.starts_with("127.0.0.1: POST /api/v1/statuses: ") && said.contains(text),
            "{said}"
        );
        assert!(!said.contains('\n') && !said.contains('\u{1b}'), "{said:?}");
        // Mended by a person, and told to retry.
        delivery.attempt(&instance.mastodon("")).await.unwrap();
        assert_eq!(instance.counts(), (1, 1), "{status}");
    }
}

#[tokio::test]
async fn a_long_error_is_shortened_and_never_shows_the_token() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let body = format!("you said {TOKEN} {}", "and on ".repeat(100_000));
    instance.fault("/api/v1/statuses", answer(422, &body));
    let said = Delivery::of("x").fails_for_good(&instance.mastodon("")).await;
    assert!(said.contains("you said … and on") && said.chars().count() < 500, "{said}");
}

#[tokio::test]
async fn another_address_is_named() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let to = vec![("location", "https://www.photog.example/api/v2/instance".to_owned())];
    instance.fault("/api/v2/instance", Fault::Answer(301, to, String::new()));
    let said = Delivery::of("x").fails_for_good(&instance.mastodon("")).await;
    let hint =
        "the instance is at https://www.photog.example/api/v2/instance: write that as server";
    assert!(said.contains(hint), "{said}");
}

/// Between two attempts the instance throws away files that no status has.
#[tokio::test]
async fn files_that_waited_too_long_are_uploaded_again() {
    for flavour in [Flavour::Mastodon, Flavour::OldPixelfed, Flavour::GoToSocial] {
        let instance = Instance::start(flavour).await;
        let delivery = Delivery::of("Once").with_photo("a boat").with_photo("a gull");
        instance.fault("/api/v1/statuses", answer(500, ""));
        delivery.fails_for_now(&instance.mastodon("")).await;
        instance.world().media.clear();
        delivery.attempt(&instance.mastodon("")).await.unwrap();
        assert_eq!(instance.counts(), (1, 2));
    }
}

#[tokio::test]
async fn a_file_that_was_lost_while_it_was_processed_is_uploaded_again() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.world().processing = 1_000_000;
    let patience = Patience { processing: Duration::ZERO, ..PATIENT };
    let delivery = Delivery::of("Film").with_video("waves");
    delivery.fails_for_now(&instance.patient("", patience)).await;
    instance.world().media.clear();
    instance.world().processing = 0;
    delivery.attempt(&instance.mastodon("")).await.unwrap();
    assert_eq!(instance.counts(), (1, 1));
}

/// A 422 for files of this attempt is about something else.
#[tokio::test]
async fn fresh_files_are_not_uploaded_twice() {
    let instance = Instance::start(Flavour::Mastodon).await;
    instance.fault("/api/v1/statuses", answer(422, "{\"error\": \"Text is bad\"}"));
    Delivery::of("x").with_photo("y").fails_for_good(&instance.mastodon("")).await;
    assert_eq!(instance.world().media.len(), 1);
    assert_eq!(instance.requests("POST /api/v1/statuses"), 1);
}

/// A token that may only write posts all the same; the key is what it has against a second one.
#[tokio::test]
async fn a_token_that_may_not_read_still_posts_once() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let scopes = "write:media write:statuses".to_owned();
    instance.world().tokens.insert(TOKEN.to_owned(), scopes);
    let delivery = Delivery::of("Once").with_photo("a boat");
    instance.fault("/api/v1/statuses", Fault::DoneThenCut);
    delivery.fails_for_now(&instance.mastodon("")).await;
    delivery.attempt(&instance.mastodon("")).await.unwrap();
    assert_eq!(instance.statuses().len(), 1);

    // When the key is forgotten, its files tell, and a person has to look.
    let delivery = Delivery::of("Once more").with_photo("a boat");
    instance.fault("/api/v1/statuses", Fault::DoneThenCut);
    delivery.fails_for_now(&instance.mastodon("")).await;
    instance.world().keys.clear();
    let said = delivery.fails_for_good(&instance.mastodon("")).await;
    assert!(said.contains("the token may not read whether it was: look there"), "{said}");
    assert_eq!(instance.statuses().len(), 2);
}

/// An upload that takes longer than the silence we bear is not silence.
#[tokio::test]
async fn a_slow_upload_is_no_silence() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let film = vec![7; 16 * 1024 * 1024];
    let delivery = Delivery::of("Film").with("video/mp4", &film, "waves");
    instance.fault("/api/v2/media", Fault::Slow);
    let patience = Patience { silence: Duration::from_secs(5), ..PATIENT };
    let begun = std::time::Instant::now();
    delivery.attempt(&instance.patient("", patience)).await.unwrap();
    assert!(begun.elapsed() > patience.silence, "{:?}", begun.elapsed());
    assert_eq!(instance.statuses().len(), 1);
}

#[tokio::test]
async fn nobody_there() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let mastodon = instance.mastodon("");
    instance.shuts_down().await;
    let said = Delivery::of("x").fails_for_now(&mastodon).await;
    assert!(said.contains("GET /api/v2/instance: no answer") && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn a_photo_that_is_gone_is_named() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let delivery = Delivery::of("x").with_video("y");
    std::fs::remove_file(delivery.file(0)).unwrap();
    let said = delivery.fails_for_good(&instance.mastodon("")).await;
    assert!(said.contains("No such file"), "{said}");
}
