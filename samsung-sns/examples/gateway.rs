//! A server without a network: standard input is what a camera sends, standard output what it is
//! answered. `cargo run -p samsung-sns --example gateway < testdata/reconstructed/nx300/login-facebook.http`
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // the caller of the core has a clock and prints

use samsung_sns::admission::Admission;
use samsung_sns::endpoint::Endpoint;
use samsung_sns::gateway::{Call, Gateway, Plan};
use samsung_sns::time::UnixTime;
use samsung_sns::wire::request::{RequestHead, head_length};
use std::io::Read;
use std::time::{Duration, SystemTime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut request = Vec::new();
    std::io::stdin().read_to_end(&mut request)?;
    let length = head_length(&request, 0).ok_or("the request head is not whole")?;
    let head = RequestHead::read(&request[..length])?;

    let mut gateway = Gateway::new(Admission::Anyone, 100, Duration::from_secs(3600));
    let turn = gateway.handle(Call {
        endpoint: &Endpoint::of(&head.method, head.host().as_deref(), &head.target),
        message: &request[length..],
        from: [127, 0, 0, 1].into(),
        now: UnixTime::from_secs(
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs(),
        ),
        random: [7; 16], // a real server draws these
    });
    let answer = match turn.plan {
        Plan::Receive(ticket) => ticket.stored(), // a real server stores the file first
        plan => plan.answer().ok_or("every other plan has an answer")?,
    };
    print!("{}", String::from_utf8(answer.to_bytes("Sat, 21 Nov 2026 23:00:00 GMT"))?);
    Ok(())
}
