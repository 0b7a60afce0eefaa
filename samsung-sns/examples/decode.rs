//! Reads a captured login from a file and says who logged in:
//! `cargo run -p samsung-sns --example decode -- testdata/captured/nx300/login-facebook.xml`
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // the caller of the core reads and prints

use samsung_sns::message::auth::AuthRequest;
use samsung_sns::quirk::Quirks;
use samsung_sns::wire::xml::{Document, decode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name a file that holds the XML of a login")?;
    let bytes = std::fs::read(path)?;
    let mut quirks = Quirks::default();
    let text = decode(&bytes, &mut quirks);
    let document = Document::read(&text);
    match AuthRequest::read(&document, &mut quirks)? {
        AuthRequest::Login(login) => {
            println!("{} logs in with the password {}", login.user, login.password.as_str());
        }
        other => println!("{other:?}"),
    }
    quirks.extend(document.quirks());
    quirks.iter().for_each(|quirk| println!("odd: {quirk}"));
    Ok(())
}
