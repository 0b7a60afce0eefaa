//! The page at `/`: what a person sees who opens the server in a browser.
//!
//! Law: it fits one segment like every other answer, for it is also what a camera's own browser
//! shows.

use crate::config::Config;
use samsung_sns::wire::xml::escape;
use std::path::Path;

/// The page.
pub fn index(config: &Config, photos: &Path) -> String {
    let who = if config.is_trial() {
        "Trial mode: any camera may send. Name your users in the configuration to end it."
    } else {
        "Only the users named in the configuration may send."
    };
    // The path is the only part of unknown length, and the whole must fit one segment.
    let place = photos.display().to_string();
    let place = match escape(&place) {
        escaped if escaped.len() <= 200 => escaped.into_owned(),
        _ => "the folder photos/ of the server's data_dir".to_owned(),
    };
    format!(
        "<!DOCTYPE html><html><head><title>samsung-sns</title></head><body>\
         <h1>samsung-sns is running</h1>\
         <p>{who}</p>\
         <p>What to do next:</p><ol>\
         <li>Let your WiFi's DNS answer these names with this server's address: \
         gld.samsungosp.com, www.samsungimaging.com, www.ospserver.net, snsgw.samsungmobile.com, \
         www.yahoo.co.kr, www.msn.com</li>\
         <li>The server must be reachable at port 80.</li>\
         <li>On the camera, join the WiFi and share a photo by e-mail or to any site.</li>\
         <li>Find it in {}</li></ol>\
         <p>No camera at hand? <code>sns-cli simulate</code> sends as one.</p>\
         </body></html>",
        place
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsung_sns::answer::{Answer, MAX_ANSWER, Status};

    #[test]
    fn the_page_fits_one_segment() {
        for folder in ["/'".repeat(100), "/long".repeat(500)] {
            let page = index(&Config::trial(), Path::new(&folder));
            let bytes = Answer::new(Status::Ok, page).to_bytes("Sat, 21 Nov 2026 23:00:00 GMT");
            assert!(bytes.len() < MAX_ANSWER, "{}", bytes.len());
        }
    }
}
