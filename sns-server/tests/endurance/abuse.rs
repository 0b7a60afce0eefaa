//! `abuse`: many hostile connections, and a camera that must get through all the while.
//!
//! Law: afterwards the server is the process it was, with the descriptors and about the memory it
//! had; no answer was a 5xx but 503 and 507, and every answer was one whole answer.

use crate::args::Args;
use crate::attack::{Captures, KINDS};
use crate::camera::Camera;
use crate::held;
use crate::journal::{Folder, Journal};
use crate::photo::Photo;
use crate::server::{Server, mb};
use crate::worker::{Count, LAST_WORD, Worker};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The camera may wait this long for one photo; a debug build shares its machine with other tests.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 15 } else { 5 });
/// Descriptors may be more by this many afterwards: SQLite opens its files when it needs them.
const MORE_DESCRIPTORS: usize = 4;
/// Memory may be more by this much: what the allocator keeps of a crowd, and 1000 sessions.
const MORE_MEMORY_KIB: u64 = 32 * 1024;
/// From half of the connections to the end it may grow by this much: a leak has no half.
const MORE_IN_SECOND_HALF_KIB: u64 = 8 * 1024;

/// How a run went, beside what its threads count.
#[derive(Default)]
struct Course {
    took: Duration,
    opened: u64,
    halfway: u64,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let connections = args.connections.unwrap_or(if args.full { 100_000 } else { 1500 });
    let held = args.held.unwrap_or(connections.min(5000) as usize / 5);
    let captures = Captures::read().map_err(|error| format!("testdata: {error}"))?;
    let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut server = Server::start(temporary.path(), "abuse", "")?;
    // The first photo has the server open what it opens once.
    let journal = Journal::default();
    let mut camera = RealCamera::new(&server, args.seed);
    camera.send(&journal)?;
    std::thread::sleep(Duration::from_secs(1));
    let (pid, descriptors, before) =
        (server.pid(), server.descriptors(), server.memory()?.resident);

    let count = Count::default();
    let course = crowd(args, connections, held, &server, &captures, &count, &mut || {
        camera.send(&journal).unwrap_or_else(|what| count.fault(what));
    });
    // Descriptors of what has just been closed are given back in a moment.
    let settled = Instant::now();
    while server.descriptors() > descriptors + MORE_DESCRIPTORS && settled.elapsed() < LAST_WORD {
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(1));
    let mut faults = std::mem::take(&mut *count.faults.lock().unwrap());
    faults.extend(server.is_well().err());
    if server.pid() != pid {
        faults.push(format!("the server was process {pid}, now it is {}", server.pid()));
    }
    faults.extend(camera.send(&journal).err());
    let mut folder = Folder::new(temporary.path().join("data"));
    faults.extend(folder.check_user(&journal, RealCamera::USER).err());

    let done = count.next.load(Ordering::SeqCst).min(connections);
    let seconds = course.took.as_secs_f64();
    let rate = done as f64 / seconds;
    println!("connections {done} in {seconds:.0} s, {rate:.0} a second");
    println!("held open beside them {held}, opened {} times in all", course.opened);
    for (kind, number) in KINDS.iter().zip(&count.kinds) {
        println!("  {kind:<18} {:>8}", number.load(Ordering::SeqCst));
    }
    let cuts = count.cut.load(Ordering::SeqCst).min(captures.cuts() as u64);
    println!("offsets cut at: {cuts} of {}", captures.cuts());
    println!("answers:");
    for (what, number) in &*count.answers.lock().unwrap() {
        println!("  {what:<18} {number:>8}");
    }
    let slowest = camera.slowest.as_secs_f32();
    println!("a camera meanwhile: {} photos acknowledged, slowest {slowest:.2} s", camera.sent);
    let descriptors_after = server.descriptors();
    println!("descriptors before {descriptors}, after {descriptors_after}");
    let memory = server.memory().unwrap_or_default();
    let (halfway, after) = (course.halfway, memory.resident);
    println!(
        "resident MB before {:.1}, halfway {:.1}, after {:.1}; peak {:.1}",
        mb(before),
        mb(halfway),
        mb(after),
        mb(memory.peak)
    );
    if descriptors_after > descriptors + MORE_DESCRIPTORS {
        faults.push(format!("descriptors: {descriptors} before, {descriptors_after} after"));
    }
    if after > before + MORE_MEMORY_KIB || after > halfway + MORE_IN_SECOND_HALF_KIB {
        faults.push(format!("memory in KiB: {before} before, {halfway} halfway, {after} after"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    faults.truncate(20);
    let kept = temporary.keep();
    Err(format!("{}\nthe server's log and folder are in {}", faults.join("\n"), kept.display()))
}

/// All hostile connections, while others are held open and a camera sends.
fn crowd(
    args: &Args,
    connections: u64,
    held: usize,
    server: &Server,
    captures: &Captures,
    count: &Count,
    send_photo: &mut (dyn FnMut() + Send),
) -> Course {
    let (started, over) = (Instant::now(), AtomicBool::new(false));
    let over = &over;
    let bound = Duration::from_secs(120 + connections / 20);
    let (address, seed) = (server.address, args.seed);
    let mut course = Course::default();
    std::thread::scope(|scope| {
        let holder = scope.spawn(move || held::hold(address, held, over));
        scope.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                send_photo();
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let worker = |thread: usize| {
            let camera = Camera::new(address, u8::try_from(10 + thread % 64).unwrap());
            let worker = Worker { count, captures, camera };
            scope.spawn(move || worker.work(seed, connections))
        };
        let workers: Vec<_> = (0..args.threads.unwrap_or(64)).map(worker).collect();
        while !workers.iter().all(|worker| worker.is_finished()) {
            if started.elapsed() > bound {
                count.fault(format!("{connections} connections take longer than {bound:?}"));
                break;
            }
            if course.halfway == 0 && count.next.load(Ordering::SeqCst) > connections / 2 {
                course.halfway = server.memory().map_or(0, |memory| memory.resident);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let panicked = workers.into_iter().filter_map(|worker| worker.join().err()).count();
        course.took = started.elapsed();
        over.store(true, Ordering::SeqCst);
        match holder.join() {
            Ok(Ok(opened)) => course.opened = opened,
            Ok(Err(what)) => count.fault(what),
            Err(_) => count.fault("the thread that holds connections panicked".to_owned()),
        }
        if panicked > 0 {
            count.fault(format!("{panicked} threads of the harness panicked"));
        }
    });
    course
}

/// The camera that must get through, from an address of its own.
struct RealCamera {
    camera: Camera,
    rng: fastrand::Rng,
    sent: u64,
    slowest: Duration,
}

impl RealCamera {
    const USER: &str = "real camera";

    fn new(server: &Server, seed: u64) -> RealCamera {
        let rng = fastrand::Rng::with_seed(!seed);
        RealCamera { camera: Camera::new(server.address, 2), rng, sent: 0, slowest: Duration::ZERO }
    }

    fn send(&mut self, journal: &Journal) -> Result<(), String> {
        let started = Instant::now();
        let photo = Photo::new(self.rng.u64(..), self.rng.u64(1000..500_000));
        let name = format!("SAM_{:04}.JPG", self.sent);
        let camera = &self.camera;
        let failed = |step: &'static str| {
            move |why: String| format!("a camera in the middle of it, {step} of {photo:?}: {why}")
        };
        let session = camera.login(Self::USER).map_err(|o| failed("login")(o.describe()))?;
        let resource =
            camera.announce(&session, &name, "").map_err(|o| failed("announce")(o.describe()))?;
        camera.put(&resource, photo).succeeded().map_err(failed("upload"))?;
        camera.logout(&session).succeeded().map_err(failed("logout"))?;
        journal.note(Self::USER, &[(name, photo)], true);
        let took = started.elapsed();
        self.sent += 1;
        self.slowest = self.slowest.max(took);
        if took > PATIENCE {
            return Err(failed("all")(format!("took {took:?}, may take {PATIENCE:?}")));
        }
        Ok(())
    }
}
