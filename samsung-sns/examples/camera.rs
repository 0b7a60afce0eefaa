//! Logs in to a server as an NX300 would, and reads the answer as its firmware does:
//! `cargo run -p samsung-sns --example camera -- 127.0.0.1:8080`
#![allow(clippy::disallowed_types, clippy::print_stdout)] // the caller of the core has the socket

use samsung_sns::camera;
use samsung_sns::crypto::CryptSessionKey;
use samsung_sns::endpoint::Site;
use samsung_sns::message::auth::{Login, LoginAnswer};
use std::io::{Read, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = std::env::args().nth(1).ok_or("name a server: 127.0.0.1:8080")?;
    let key = CryptSessionKey::from_bytes([7; 32]); // a real camera takes what lies on its stack
    let login = Login {
        crypt_session_key: Some(key),
        ..Login::new("me@example.com", "not my real password")
    };

    let mut stream = std::net::TcpStream::connect(server)?;
    stream.write_all(&camera::login(&Site::new("facebook"), &login)?)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;

    match (camera::status(&answer), LoginAnswer::scan(&camera::body(&answer))) {
        (Some(200), Some(answer)) => println!("logged in as {:?}", answer.screen_name),
        (status, _) => println!("refused: {status:?}"),
    }
    Ok(())
}
