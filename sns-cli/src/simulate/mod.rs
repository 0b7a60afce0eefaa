//! `sns-cli simulate`: a camera without a camera.
//!
//! Law: every byte sent is the core's [`camera`](samsung_sns::camera) end, and every answer is read
//! as the firmware reads it, by substring. What it says is what the firmware would make of it.

mod answer;
mod email;
mod photo;
mod server;
mod social;

use crate::{Outcome, print};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use photo::Photo;
use samsung_sns::endpoint::Site;
use server::Server;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// What is to be sent, and where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server; the bytes sent name Samsung's hosts all the same
    #[arg(long, value_name = "http://HOST:PORT")]
    server: Server,
    /// Post to this social site
    #[arg(long, value_name = "SITE", default_value = "facebook", value_parser = site, conflicts_with = "email")]
    site: Site,
    /// Send an e-mail to this address instead
    #[arg(long, value_name = "TO", value_parser = line)]
    email: Option<String>,
    /// The sender of the e-mail
    #[arg(long, value_name = "ADDR", default_value = "Camera@samsungcamera.com", value_parser = line)]
    sender: String,
    /// The name to log in with at the site
    #[arg(long, value_name = "U", default_value = "camera@example.com")]
    user: String,
    /// The password to log in with at the site
    #[arg(long, value_name = "P", default_value = "camera")]
    password: String,
    /// What the person typed on the camera
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// The files to send; .mp4, .avi, .mov and .3gp are announced as videos
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
}

/// A site, for the command line.
pub(crate) fn site(text: &str) -> Result<Site, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if text.is_empty() || !text.bytes().all(plain) {
        return Err("a site is a single word, such as facebook".to_owned());
    }
    Ok(Site::new(text))
}

/// One line that is not empty, for the command line.
pub(crate) fn line(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("it must be one line, and not empty".to_owned());
    }
    Ok(text.to_owned())
}

/// Why sending stopped.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// The server refused, or answered what the firmware would not understand.
    #[error("{0}")]
    Refused(String),
    /// It could not even be tried.
    #[error("{0}")]
    Impossible(String),
}

impl Stop {
    /// The same, with what was being done when it happened.
    fn of(self, what: &str) -> Stop {
        match self {
            Stop::Refused(sentence) => Stop::Refused(format!("{what}: {sentence}")),
            impossible => impossible,
        }
    }
}

/// Sends everything.
pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Outcome {
    let mut teller = Teller { bar: bar(), out };
    let done = send(arguments, &mut teller);
    teller.bar.finish_and_clear();
    match done {
        Ok(()) => Outcome::Good,
        Err(Stop::Refused(sentence)) => {
            teller.say(&sentence);
            Outcome::Bad
        }
        Err(Stop::Impossible(sentence)) => {
            print::complain(&sentence);
            Outcome::Impossible
        }
    }
}

fn send(arguments: &Arguments, teller: &mut Teller<'_>) -> Result<(), Stop> {
    let photos: Vec<Photo> =
        arguments.photos.iter().map(|path| Photo::open(path)).collect::<Result<_, _>>()?;
    teller.bar.set_length(photos.iter().map(|photo| photo.length).sum());
    match &arguments.email {
        Some(to) => email::send(arguments, to, &photos, teller),
        None => social::send(arguments, &photos, teller),
    }
}

/// The bar that shows how much of all files is sent; hidden where nobody could see it move.
fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let template = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Says, a line each, what happened.
struct Teller<'a> {
    bar: ProgressBar,
    out: &'a mut dyn Write,
}

impl Teller<'_> {
    fn say(&mut self, sentence: &str) {
        let Teller { bar, out } = self;
        // Somebody who no longer reads does not stop the camera.
        bar.suspend(|| {
            let _ = writeln!(out, "{}", print::escaped(sentence));
            let _ = out.flush();
        });
    }
}
