//! `sns-cli simulate`: a camera without a camera.
//!
//! Law: every byte sent is the core's [`camera`](samsung_sns::camera) end, and every answer is read
//! as the firmware reads it, by substring. What it says is what the firmware would make of it.

mod answer;
mod camera;
mod email;
mod link;
mod model;
mod photo;
mod server;
mod social;
mod stop;
mod tally;

use crate::{Outcome, habits, print};
use camera::Camera;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use photo::Photo;
use samsung_sns::endpoint::Site;
use samsung_sns::model::Model;
use samsung_sns::post::Caption;
use server::Server;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use stop::Stop;

/// The number of the camera in the published capture.
const DUID: &str = "123456789033";

/// What is to be sent, and where.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The server; the bytes sent name Samsung's hosts all the same
    #[arg(long, value_name = "http://HOST:PORT")]
    server: Server,
    /// Be this camera, as far as its habits are known; without, an NX300 that sends anything
    /// anywhere
    #[arg(long, value_name = "NAME", value_parser = habits::model)]
    model: Option<&'static Model>,
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
    /// What the person typed on the camera; behind each ~ the alt text of a photo: 'a text~one~two'
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Make the hotspot check first; without any PHOTO, nothing else is done or needed
    #[arg(long)]
    hotspot: bool,
    /// Send no faster than this, on each connection
    #[arg(long, value_name = "20KiB/s", value_parser = link::rate)]
    rate: Option<u64>,
    /// Break the connection off after so many bytes of an upload or e-mail, its head included; if
    /// that is behind its end, nothing is cut, which is told
    #[arg(long, value_name = "BYTES", value_parser = link::size)]
    cut_at: Option<u64>,
    /// Send everything so many times, and tell only how it went in all; Ctrl-C ends it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Be so many cameras at once; without --repeat, each sends once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    parallel: u32,
    /// The files to send; .mp4, .avi, .mov and .3gp are announced as videos
    #[arg(required_unless_present_any = ["hotspot", "model"], value_name = "PHOTO")]
    photos: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  sns-cli simulate --server http://127.0.0.1:8080 SAM_0001.JPG
  sns-cli simulate --server http://10.42.0.1 --email me@example.com --sender me@example.com SAM_0001.JPG
  sns-cli simulate --server http://10.42.0.1 --text 'At the lake~a boat~a duck' boat.jpg duck.jpg
  sns-cli simulate --server http://10.42.0.1 --model WB37F --hotspot
  sns-cli simulate --server http://10.42.0.1 --rate 20KiB/s --cut-at 100KiB SAM_0001.JPG
  sns-cli simulate --server http://10.42.0.1 --repeat 1000 --parallel 20 SAM_0001.JPG";

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

/// Sends everything.
pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Outcome> {
    let bar = bar();
    let posts = arguments.repeat.unwrap_or(arguments.parallel);
    let are_many = posts > 1 || arguments.parallel > 1;
    let mut camera = Camera::new(arguments, &bar, Some(&mut *out));
    let mut done = prepare(&mut camera);
    if !are_many {
        done = done.and_then(|photos| post(&mut camera, &photos).map(|()| photos));
    }
    let untold = camera.untold.take();
    match (untold, done) {
        (None, Ok(_)) if are_many => {
            let many = (posts as usize, arguments.parallel as usize);
            tally::run(arguments, many, &bar, out)
        }
        (Some(error), _) => {
            bar.finish_and_clear();
            Err(error)
        }
        (None, done) => {
            bar.finish_and_clear();
            let outcome = done.as_ref().err().map_or(Outcome::Good, Stop::outcome);
            // What came of the server was told among the rest.
            if let (Outcome::Impossible, Err(stop)) = (outcome, &done) {
                print::complain(&stop.sentence);
            }
            Ok(outcome)
        }
    }
}

/// Looks whether all that was asked for can be done, and says what is known of the camera.
fn prepare(camera: &mut Camera<'_>) -> Result<Vec<Photo>, Stop> {
    let arguments = camera.arguments;
    let photos = Photo::open_all(&arguments.photos)?;
    let stops_early = arguments.model.is_some_and(habits::begins_with_the_time);
    if photos.is_empty() && !arguments.hotspot && !stops_early {
        return Err(Stop::impossible("name at least one PHOTO, or ask for --hotspot"));
    }
    let posts = arguments.repeat.unwrap_or(arguments.parallel);
    let length: u64 = photos.iter().map(|photo| photo.length).sum();
    camera.bar.set_length(length.saturating_mul(posts.into()));
    model::prepare(camera, &photos)?;
    let alt_texts = arguments.text.as_deref().map_or(0, |text| Caption::read(text).alt_texts.len());
    if alt_texts > 0 && alt_texts != photos.len() {
        let files = photos.len();
        camera.say(&format!("note: the text holds {alt_texts} alt texts, for {files} files"));
    }
    Ok(photos)
}

/// One post, from the hotspot check to the logout; in the end, what of it is not on the server.
fn post(camera: &mut Camera<'_>, photos: &[Photo]) -> Result<(), Stop> {
    let done = steps(camera, photos);
    if done.is_err() && camera.safe < photos.len() {
        let names: Vec<&str> = photos[camera.safe..].iter().map(|photo| &*photo.name).collect();
        camera.say(&format!("not sent, as far as the camera knows: {}", names.join(", ")));
    }
    done
}

fn steps(camera: &mut Camera<'_>, photos: &[Photo]) -> Result<(), Stop> {
    let arguments = camera.arguments;
    if arguments.hotspot {
        model::hotspot(camera)?;
    }
    // With --hotspot and no file, that was all.
    let goes_on = !photos.is_empty() || !arguments.hotspot;
    if goes_on && arguments.model.is_some_and(habits::begins_with_the_time) {
        return model::st1000(camera, photos);
    }
    match &arguments.email {
        _ if photos.is_empty() => Ok(()),
        Some(to) => email::send(camera, to, photos),
        None => social::send(camera, photos),
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
