//! Killed at every step, a post is there once.

use crate::delivery::{Delivery, Loss};
use crate::instance::Instance;
use crate::world::{Fault, Flavour};
use sns_server::destination::FaultKind;

/// Two statuses, a film that has to be processed among their files.
fn post() -> Delivery {
    Delivery::of("Killed").with_photo("one").with_photo("two").with_video("film")
}

fn assert_there(instance: &Instance, what: &str) {
    let statuses = instance.statuses();
    let counts: Vec<usize> = statuses.iter().map(|status| status.media_ids.len()).collect();
    assert_eq!(counts, [2, 1], "{what}: {statuses:#?}");
    let world = instance.world();
    let described = statuses.iter().flat_map(|status| &status.media_ids);
    let described: Vec<_> = described.map(|id| world.media[id].description.clone()).collect();
    assert_eq!(described, ["one", "two", "film"].map(|text| Some(text.to_owned())), "{what}");
}

/// The power goes just before a step is kept, or just after.
#[tokio::test]
async fn at_every_step_that_is_kept() {
    for flavour in [Flavour::Mastodon, Flavour::GoToSocial, Flavour::OldPixelfed] {
        for make in [Loss::Before, Loss::After] {
            let mut at = 0;
            loop {
                at += 1;
                let loss = make(at);
                let instance = Instance::start(flavour).await;
                instance.world().processing = 1;
                let delivery = post();
                delivery.lose(loss);
                if delivery.attempt(&instance.mastodon("")).await.is_ok() {
                    break;
                }
                // The key is the easy way out: it is forgotten.
                instance.world().keys.clear();
                delivery.lose(Loss::Before(usize::MAX));
                delivery.attempt(&instance.mastodon("")).await.unwrap();
                assert_there(&instance, &format!("{flavour:?} {loss:?}"));
            }
            // A plan, three files of which one has two steps, two statuses of two steps each.
            let steps = if flavour == Flavour::OldPixelfed { 8 } else { 11 };
            assert_eq!(at - 1, steps, "{flavour:?} {:?}", make(0));
        }
    }
}

/// Killed while the instance does what it was asked for, at each request of a delivery.
#[tokio::test]
async fn at_every_request() {
    for flavour in Flavour::ALL {
        let mut killed_at = Vec::new();
        for at in 0.. {
            let instance = Instance::start(flavour).await;
            instance.world().processing = 1;
            let delivery = post();
            // The requests before it are answered.
            let mastodon = instance.mastodon("");
            let told = std::sync::Arc::clone(&instance.shared.told);
            for _ in 0..at {
                instance.fault("/", Fault::Pass);
            }
            instance.fault("/", Fault::DoneThenTell);
            tokio::select! {
                done = delivery.attempt(&mastodon) => {
                    done.unwrap();
                    break;
                }
                () = told.notified() => {}
            }
            drop(mastodon);
            instance.is_quiet().await;
            killed_at.extend(instance.world().requests.last().cloned());
            // A key that Pixelfed keeps although nothing came of it is another test's.
            instance.world().keys.clear();
            delivery.attempt(&instance.mastodon("")).await.unwrap();
            assert_there(&instance, &format!("{flavour:?}, request {at}"));
        }
        let statuses = killed_at.iter().filter(|request| *request == "POST /api/v1/statuses");
        assert_eq!(statuses.count(), 2, "{killed_at:?}");
    }
}

/// Killed again and again, at a random moment each time.
#[tokio::test]
async fn at_any_moment() {
    for seed in 0..30 {
        let mut random = fastrand::Rng::with_seed(seed);
        let flavour = Flavour::ALL[random.usize(..4)];
        let instance = Instance::start(flavour).await;
        let delivery = post();
        let mut attempts = 0;
        loop {
            attempts += 1;
            assert!(attempts < 200, "seed {seed}: it never ends");
            instance.world().keys.clear();
            if random.bool() {
                let fault = match random.u8(..5) {
                    0 => Fault::DoneThenCut,
                    1 => Fault::DoneThen(502),
                    2 => Fault::CutInRequest(random.usize(..4000)),
                    3 => Fault::DoneThenCutInAnswer,
                    _ => Fault::Answer(503, vec![], String::new()),
                };
                let path = ["/api/v1/statuses", "/api/v1/accounts", "/api/v"][random.usize(..3)];
                instance.fault(path, fault);
            }
            let mastodon = instance.mastodon("");
            let time = std::time::Duration::from_micros(random.u64(500..60_000));
            match tokio::time::timeout(time, delivery.attempt(&mastodon)).await {
                Err(_) => {}
                Ok(Ok(_)) => break,
                Ok(Err(fault)) => {
                    assert_ne!(fault.kind, FaultKind::Permanent, "seed {seed}: {fault}");
                }
            }
            drop(mastodon);
            instance.is_quiet().await;
            instance.world().faults.clear();
        }
        assert_there(&instance, &format!("seed {seed}, {flavour:?}, {attempts} attempts"));
    }
}
