//! `memory`: resident memory does not grow with the size of files nor with their number.
//!
//! Law: figures are the kernel's, of the server's process; the peak is counted anew for each step.
//! Bounds are held in a release build with the sizes of the documentation.

use crate::args::Args;
use crate::camera::{Camera, Named, Outcome, send_photo};
use crate::photo::Photo;
use crate::server::{Server, mb};
use samsung_sns::camera::upload_head;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Barrier;
use std::time::{Duration, Instant};

const MB: u64 = 1_000_000;

/// The sizes of a run.
struct Sizes {
    video: u64,
    email: u64,
    uploads: usize,
    upload: u64,
    photos: usize,
    connections: usize,
}

impl Sizes {
    fn of(args: &Args) -> Sizes {
        let full = |value: u64, small: u64| if args.full { value } else { small };
        Sizes {
            video: MB * args.video_mb.unwrap_or(full(300, 20)),
            email: MB * args.email_mb.unwrap_or(full(200, 12)),
            uploads: args.uploads.unwrap_or(full(50, 8) as usize),
            upload: MB * args.upload_mb.unwrap_or(full(20, 1)),
            connections: full(2000, 200) as usize,
            photos: args.photos.unwrap_or(full(10_000, 200) as usize),
        }
    }
}

/// What was measured, with what it must stay below.
struct Table {
    bounds_held: bool,
    exceeded: Vec<String>,
}

impl Table {
    fn row(
        &mut self,
        what: &str,
        server: &Server,
        bound: Option<(&str, f64, f64)>,
    ) -> Result<u64, String> {
        let memory = server.memory()?;
        let shown = match bound {
            Some((name, value, most)) => {
                if value >= most && self.bounds_held {
                    self.exceeded
                        .push(format!("{what}: {name} {value:.1} MB, must be < {most} MB"));
                }
                format!("{name} {value:.1}, bound {most}")
            }
            None => String::new(),
        };
        let (resident, peak) = (mb(memory.resident), mb(memory.peak));
        println!("{what:<46} {resident:>8.1} {peak:>8.1}   {shown}");
        server.forget_peak()?;
        Ok(memory.resident)
    }
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let sizes = Sizes::of(args);
    let bounds_held = args.assert || args.full && !cfg!(debug_assertions);
    let mut table = Table { bounds_held, exceeded: Vec::new() };
    let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut server = Server::start(temporary.path(), "memory", "")?;
    let camera = Camera::new(server.address, 1);
    println!("{:<46} {:>8} {:>8}", "MB of the server's process", "resident", "peak");

    std::thread::sleep(Duration::from_millis(500));
    let idle = server.memory()?.resident;
    table.row("idle after the start", &server, Some(("idle", mb(idle), 20.0)))?;

    let mut seeds = fastrand::Rng::with_seed(args.seed);
    let mut photo = |length| Photo::new(seeds.u64(..), length);
    let session = camera.login("anna").map_err(|outcome| outcome.describe())?;
    let send = |name: &str, photo| {
        let outcome = camera.put(&format!("upload/{session}/{name}"), photo);
        outcome.succeeded().map_err(|what| format!("{name}, {photo:?}: {what}"))
    };
    send("small.jpg", photo(50_000))?;
    let small = table.row("after one photo of 50 kB", &server, None)?;

    let growth = |server: &Server| Ok::<_, String>(mb(server.memory()?.peak.saturating_sub(small)));
    send("video.mp4", photo(sizes.video))?;
    let what = format!("one video of {} MB", sizes.video / MB);
    table.row(&what, &server, Some(("growth", growth(&server)?, 8.0)))?;

    let files: Vec<Named> = (0..4).map(|n| (format!("{n}.jpg"), photo(sizes.email / 4))).collect();
    let outcome = camera.email("anna@example.com", "four files", &files);
    outcome.succeeded().map_err(|problem| format!("an e-mail: {problem}"))?;
    let what = format!("one e-mail of {} MB", sizes.email / MB);
    table.row(&what, &server, Some(("growth", growth(&server)?, 8.0)))?;

    let photos: Vec<_> = (0..sizes.uploads).map(|_| photo(sizes.upload)).collect();
    at_once(&camera, &session, &photos)?;
    let what = format!("{} uploads of {} MB at once", sizes.uploads, sizes.upload / MB);
    let peak = mb(server.memory()?.peak);
    let before = table.row(&what, &server, Some(("peak", peak, 64.0)))?;

    many(&server, args.seed, sizes.photos)?;
    let after = server.memory()?.resident;
    let what = format!("after {} more photos", sizes.photos);
    let grown = mb(after.saturating_sub(before));
    table.row(&what, &server, Some(("growth", grown, 8.0)))?;

    // What anyone can do who reaches the port.
    let more = Request { head: "GET / HTTP/1.1\r\nX: ", length: 60_000 };
    standing(server.address, sizes.connections, &more)?;
    let what = format!("{} heads of 60 kB that do not end", sizes.connections);
    table.row(&what, &server, Some(("peak", mb(server.memory()?.peak), 64.0)))?;
    let head = format!("{}\r\nX: {}\r\n\r\n", REFUSED.trim_end(), "y".repeat(60_000));
    standing(server.address, sizes.connections, &Request { head: &head, length: 0 })?;
    let what = format!("{} heads of 60 kB whose bodies do not come", sizes.connections);
    table.row(&what, &server, Some(("peak", mb(server.memory()?.peak), 96.0)))?;
    let more = Request { head: REFUSED, length: 3_000_000 };
    standing(server.address, sizes.connections, &more)?;
    let what = format!("{} refused uploads at once", sizes.connections);
    table.row(&what, &server, None)?;

    std::thread::sleep(Duration::from_secs(if args.full { 30 } else { 1 }));
    table.row("idle again", &server, None)?;
    println!(
        "bounds {}",
        if bounds_held { "held" } else { "not asked for (--full in a release build, or --assert)" }
    );
    server.is_well()?;
    if table.exceeded.is_empty() { Ok(()) } else { Err(table.exceeded.join("\n")) }
}

/// Each sends half, waits until all have, and sends the rest.
fn at_once(camera: &Camera, session: &str, photos: &[Photo]) -> Result<(), String> {
    let halfway = Barrier::new(photos.len());
    let send = |number: usize, photo: Photo| {
        let mut waited = false;
        let outcome = camera.exchange(&mut |stream| {
            let resource = format!("upload/{session}/once-{number}.jpg");
            stream.write_all(&upload_head(&resource, "image/jpeg", photo.length))?;
            let sent = send_photo(stream, photo, 0..photo.length / 2);
            waited = true;
            halfway.wait();
            sent.and_then(|()| send_photo(stream, photo, photo.length / 2..photo.length))
        });
        if !waited {
            halfway.wait();
        }
        outcome.succeeded().map_err(|what| format!("upload {number} of {}: {what}", photos.len()))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = photos
            .iter()
            .enumerate()
            .map(|(number, photo)| scope.spawn(move || send(number, *photo)))
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap())
    })
}

/// Tiny photos, four cameras at a time, as posts of 100.
fn many(server: &Server, seed: u64, photos: usize) -> Result<(), String> {
    const CAMERAS: usize = 4;
    let send = |number: usize| -> Result<(), Outcome> {
        let camera = Camera::new(server.address, 10 + number as u8);
        let mut rng = fastrand::Rng::with_seed(seed + number as u64);
        let mut session = String::new();
        for photo in 0..photos.div_ceil(CAMERAS) {
            if photo % 100 == 0 {
                session = camera.login(&format!("user {number}"))?;
            }
            let resource = camera.announce(&session, &format!("SAM_{photo:05}.JPG"), "")?;
            let tiny = Photo::new(rng.u64(..), rng.u64(100..1000));
            match camera.put(&resource, tiny) {
                Outcome::Answered(answer) if samsung_sns::camera::has_succeeded(&answer) => {}
                outcome => return Err(outcome),
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..CAMERAS).map(|number| scope.spawn(move || send(number))).collect();
        let done = threads.into_iter().try_for_each(|thread| thread.join().unwrap());
        done.map_err(|outcome| format!("one of {photos} tiny photos: {}", outcome.describe()))
    })
}

/// An upload that nobody may make.
const REFUSED: &str = "PUT /upload/nobody/a.jpg HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n";

/// A request that is begun, and `length` bytes of it that say nothing.
struct Request<'a> {
    head: &'a str,
    length: usize,
}

/// Begins the same request on so many connections, and holds them all.
fn standing(server: SocketAddr, connections: usize, request: &Request<'_>) -> Result<(), String> {
    let failed = |error: io::Error| format!("one of {connections} connections: {error}");
    let open = |number: usize| {
        // From as many addresses as one may not fill the server's places.
        let mut stream = Camera::new(server, 100 + (number % 4) as u8).connect()?;
        stream.write_all(request.head.as_bytes())?;
        stream.set_nonblocking(true)?;
        Ok((stream, request.length))
    };
    let mut open = (0..connections).map(open).collect::<io::Result<Vec<_>>>().map_err(failed)?;
    let piece = vec![b'y'; 64 * 1024];
    let until = Instant::now() + Duration::from_secs(8);
    while open.iter().any(|(_, left)| *left > 0) && Instant::now() < until {
        for (stream, left) in &mut open {
            match stream.write(&piece[..piece.len().min(*left)]) {
                Ok(written) => *left -= written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => *left = 0, // it was closed: as good as any
            }
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    Ok(())
}
