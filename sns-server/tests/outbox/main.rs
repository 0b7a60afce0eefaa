//! From the camera to the peer: the real server, a camera's requests, and a receiver of webhooks, all
//! over real sockets.
#![allow(clippy::unwrap_used)]

mod camera;
#[path = "../server/harness.rs"]
#[allow(dead_code)] // other tests need the rest of it
mod harness;
mod killed;
mod left_behind;
#[path = "../email/peer.rs"]
#[allow(dead_code)] // other tests need the rest of it
mod peer;
mod posts;
mod queue;
mod receiver;
mod refused;
mod routes;
mod stopping;

/// A configuration whose destination `hook` is a receiver; everything of user `f` and of `me@example.com`
/// goes there.
fn config(receiver: &receiver::Receiver, further: &str) -> String {
    let address = receiver.address;
    format!(
        "[users.f]\n[users.\"me@example.com\"]\n\
         [routes]\nsocial = \"hook\"\nemail = \"hook\"\n\
         [destinations.hook]\ntype = \"webhook\"\nurl = \"http://{address}/\"\n{further}"
    )
}

/// What a test looks at of a post: text, alt texts and number of files.
fn seen(post: &receiver::Taken) -> String {
    let data = &post["data"];
    let files = data["files"].as_array().unwrap();
    let alts: Vec<&str> = files.iter().map(|file| file["alt_text"].as_str().unwrap()).collect();
    format!("{} [{}]", data["text"].as_str().unwrap(), alts.join("|"))
}
