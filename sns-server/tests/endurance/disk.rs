//! `disk`: a real file system of a few megabytes is filled to its last block, and then breaks.
//!
//! Law: what was acknowledged before is there afterwards, byte for byte; what did not fit was
//! answered 507 with error XML and nothing else; the server goes on, and takes more once there is
//! room. Only root can mount; elsewhere the test is skipped, and says so.

use crate::args::Args;
use crate::camera::{Camera, Named, Outcome, send_photo};
use crate::journal::{Folder, Journal};
use crate::photo::Photo;
use crate::server::Server;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;

const USER: &str = "anna";
const SENDER: &str = "anna@example.com";
/// No room is set aside: the disk itself is what is full.
const LIMITS: &str = "free_space = \"0 B\"\n";
/// What is taken away later to make room.
const BALLAST: u64 = 3_000_000;

/// A file system at a folder; unmounted when this is dropped.
struct Mounted {
    folder: PathBuf,
    image: Option<PathBuf>,
}

impl Mounted {
    /// A file system in memory.
    fn tmpfs(folder: &Path) -> Result<Mounted, String> {
        run("mount", &["-t", "tmpfs", "-o", "size=12m", "tmpfs"], folder)?;
        Ok(Mounted { folder: folder.to_owned(), image: None })
    }

    /// A file system in a file, which ends all writing at its first error.
    fn ext4(folder: &Path) -> Result<Mounted, String> {
        let image = folder.with_extension("image");
        let made = File::create(&image).and_then(|file| file.set_len(16 << 20));
        made.map_err(|error| format!("{}: {error}", image.display()))?;
        run("mkfs.ext4", &["-q", "-F", "-m", "0"], &image)?;
        let mounted = Mounted { folder: folder.to_owned(), image: Some(image) };
        mounted.mount_image()?;
        Ok(mounted)
    }

    fn mount_image(&self) -> Result<(), String> {
        let Some(image) = &self.image else { return Ok(()) };
        let image = image.to_string_lossy();
        run("mount", &["-o", "loop,errors=remount-ro", &image], &self.folder)
    }

    /// From now on nothing can be written, as after an error of the disk. False where the kernel
    /// has no way to say so.
    fn break_it(&self) -> bool {
        let source = Command::new("findmnt").args(["-no", "SOURCE"]).arg(&self.folder).output();
        let source = source.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let device = source.unwrap_or_default().trim().trim_start_matches("/dev/").to_owned();
        let trigger = format!("/sys/fs/ext4/{device}/trigger_fs_error");
        !device.is_empty() && fs::write(trigger, "a test").is_ok()
    }

    /// What a person does about it.
    fn mend(&self) -> Result<(), String> {
        run("umount", &[], &self.folder)?;
        let image = self.image.as_ref().ok_or("only a file system in a file can be mended")?;
        // 1: errors were found and corrected.
        let checked = Command::new("e2fsck").args(["-f", "-y"]).arg(image).output();
        let code = checked.map_err(|error| format!("e2fsck: {error}"))?.status.code();
        if !matches!(code, Some(0 | 1)) {
            return Err(format!("e2fsck ends with {code:?}"));
        }
        self.mount_image()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).output();
    }
}

fn run(program: &str, args: &[&str], last: &Path) -> Result<(), String> {
    let output = Command::new(program).args(args).arg(last).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {said}")) }
}

pub(crate) fn run_all(args: &Args) -> Result<(), String> {
    for (name, mount) in
        [("tmpfs", Mounted::tmpfs as fn(&Path) -> Result<Mounted, String>), ("ext4", Mounted::ext4)]
    {
        let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
        let data = temporary.path().join("data");
        fs::create_dir(&data).map_err(|error| error.to_string())?;
        match mount(&data) {
            Ok(mounted) => {
                if let Err(what) = Disk::new(args.seed, name, mounted, temporary.path()).try_it() {
                    let logs = temporary.keep();
                    return Err(format!("{what}\nthe logs are left in {}", logs.display()));
                }
            }
            Err(why) => println!("SKIPPED {name}: it takes root and mkfs.ext4 to mount it: {why}"),
        }
    }
    Ok(())
}

/// One file system, and what was sent to the server on it.
struct Disk<'a> {
    name: &'static str,
    mounted: Mounted,
    folder: &'a Path,
    journal: Journal,
    rng: fastrand::Rng,
    sent: u64,
    /// Answers 507 to files and e-mails.
    refused: [u64; 2],
}

impl<'a> Disk<'a> {
    fn new(seed: u64, name: &'static str, mounted: Mounted, folder: &'a Path) -> Disk<'a> {
        let (journal, rng) = (Journal::default(), fastrand::Rng::with_seed(seed));
        Disk { name, mounted, folder, journal, rng, sent: 0, refused: [0, 0] }
    }

    fn try_it(mut self) -> Result<(), String> {
        let ballast = self.mounted.folder.join("ballast");
        fs::write(&ballast, vec![7; BALLAST as usize]).map_err(|error| error.to_string())?;
        let mut server = self.start("full")?;
        let camera = Camera::new(server.address, 1);
        let session = camera.login(USER).map_err(|outcome| outcome.describe())?;

        self.fill(&camera, &session)?;
        let before = self.acknowledged();
        if before == 0 || self.refused.contains(&0) {
            return Err(format!("{before} kept, refused {:?}: nothing was filled", self.refused));
        }
        // A full disk is no reason not to talk.
        camera.login("berta").map_err(|outcome| format!("a login: {}", outcome.describe()))?;
        self.squeeze(&camera, &session, &ballast)?;
        let log = server.log();
        let by = |words: &str| log.matches(words).count();
        println!(
            "{}: {before} files until it was full; 507 to {} files and {} e-mails; the disk \
             refused {} times, the ledger {} times",
            self.name,
            self.refused[0],
            self.refused[1],
            by("No space left on device (os error 28)"),
            by("the disk refused failure=the ledger"),
        );
        if by("the disk refused failure=the ledger") == 0 {
            return Err("the ledger was never what was full".to_owned());
        }
        self.is_all_there("full")?;
        server.is_well()?;
        server.kill();
        let mut server = self.start("still-full")?;
        self.is_all_there("still full")?;
        let camera = Camera::new(server.address, 1);
        let file = self.put(&camera, &session, 400_000);
        if !self.is_refusal(0, file)? {
            return Err("400 kB fit a full disk".to_owned());
        }

        fs::remove_file(&ballast).map_err(|error| error.to_string())?;
        for _ in 0..5 {
            self.put(&camera, &session, 50_000).map_err(|what| format!("with room: {what}"))?;
            self.email(&camera, 50_000).map_err(|what| format!("with room: {what}"))?;
        }
        server.is_well()?;
        server.kill();
        let mut server = self.start("again")?;
        self.is_all_there("again")?;
        let camera = Camera::new(server.address, 1);
        self.put(&camera, &session, 1000).map_err(|what| format!("the old session: {what}"))?;
        println!("{}: with room again {} more", self.name, self.acknowledged() - before);

        if self.mounted.image.is_some() {
            self.broken(&mut server, &camera, &session)?;
        }
        server.is_well()?;
        server.kill();
        Ok(())
    }

    /// Smaller and smaller ones, until not one byte fits. In chunks nobody knows beforehand that a
    /// file will not fit: the disk says so in the middle of it.
    fn fill(&mut self, camera: &Camera, session: &str) -> Result<(), String> {
        let mut length = 400_000;
        while length > 0 {
            let file = self.put(camera, session, length);
            let chunked = self.put_in_chunks(camera, session, length);
            let email = self.email(camera, length / 3);
            let file = self.is_refusal(0, file)?;
            let chunked = self.is_refusal(0, chunked)?;
            if self.is_refusal(1, email)? | file | chunked {
                length /= 2;
            }
        }
        Ok(())
    }

    /// Gives a little room again and again: now for the file, now for its record as well.
    fn squeeze(&mut self, camera: &Camera, session: &str, ballast: &Path) -> Result<(), String> {
        let ballast = File::options().write(true).open(ballast).map_err(|e| e.to_string())?;
        for step in 1..40 {
            ballast.set_len(BALLAST - step * 5 * 4096).map_err(|error| error.to_string())?;
            ballast.sync_all().map_err(|error| error.to_string())?;
            // Its record is longer than its file.
            let letter = self.letter(camera);
            self.is_refusal(1, letter)?;
            let file = self.put(camera, session, 1);
            self.is_refusal(0, file)?;
            let email = self.email(camera, 1);
            self.is_refusal(1, email)?;
        }
        Ok(())
    }

    /// The disk fails while the server runs: nothing more is taken, and nothing is lost.
    fn broken(
        &mut self,
        server: &mut Server,
        camera: &Camera,
        session: &str,
    ) -> Result<(), String> {
        if !self.mounted.break_it() {
            println!("SKIPPED {}: this kernel breaks no file system on demand", self.name);
            return Ok(());
        }
        let before = self.refused;
        for _ in 0..5 {
            let file = self.put(camera, session, 10_000);
            self.is_refusal(0, file)?;
            let email = self.email(camera, 10_000);
            self.is_refusal(1, email)?;
        }
        if self.refused != before.map(|count| count + 5) {
            return Err("a disk that cannot be written has kept something".to_owned());
        }
        server.is_well()?;
        server.kill();
        self.mounted.mend()?;
        *server = self.start("mended")?;
        self.is_all_there("mended")?;
        let camera = Camera::new(server.address, 1);
        self.put(&camera, session, 10_000).map_err(|what| format!("mended: {what}"))?;
        println!("{}: broken, mended, and all {} there", self.name, self.acknowledged());
        Ok(())
    }

    fn start(&self, name: &str) -> Result<Server, String> {
        Server::start(self.folder, name, LIMITS)
    }

    fn acknowledged(&self) -> u64 {
        self.journal.acknowledged.load(Ordering::SeqCst)
    }

    fn photo(&mut self, length: u64) -> Named {
        self.sent += 1;
        (format!("SAM_{:04}.JPG", self.sent), Photo::new(self.rng.u64(..), length))
    }

    fn put(&mut self, camera: &Camera, session: &str, length: u64) -> Result<(), String> {
        let file = self.photo(length);
        let outcome = camera.put(&format!("upload/{session}/{}", file.0), file.1);
        self.settle(USER, &[file], outcome)
    }

    fn put_in_chunks(&mut self, camera: &Camera, session: &str, length: u64) -> Result<(), String> {
        let file = self.photo(length);
        let head = format!(
            "PUT /upload/{session}/{} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n",
            file.0
        );
        let outcome = camera.exchange(&mut |stream| {
            stream.write_all(head.as_bytes())?;
            send_photo(stream, file.1, 0..length)?;
            stream.write_all(b"\r\n0\r\n\r\n")
        });
        self.settle(USER, &[file], outcome)
    }

    fn email(&mut self, camera: &Camera, length: u64) -> Result<(), String> {
        let files: Vec<_> = (0..3).map(|_| self.photo(length.max(1))).collect();
        let outcome = camera.email(SENDER, "", &files);
        self.settle(SENDER, &files, outcome)
    }

    fn letter(&mut self, camera: &Camera) -> Result<(), String> {
        let files = [self.photo(1)];
        let text = "text ".repeat(2800 + self.rng.usize(..100));
        let outcome = camera.email(SENDER, &text, &files);
        self.settle(SENDER, &files, outcome)
    }

    fn settle(&mut self, user: &str, files: &[Named], outcome: Outcome) -> Result<(), String> {
        let done = outcome.succeeded();
        self.journal.note(user, files, done.is_ok());
        done
    }

    /// Whether it was refused for want of room; anything else but success is an error.
    fn is_refusal(&mut self, kind: usize, outcome: Result<(), String>) -> Result<bool, String> {
        match outcome {
            Ok(()) => Ok(false),
            Err(what)
                if what.contains("HTTP/1.1 507 Insufficient Storage")
                    && what.contains("<Response ErrCode=\\\"507\\\" ErrSubCode=\\\"0\\\" />") =>
            {
                self.refused[kind] += 1;
                Ok(true)
            }
            Err(what) => Err(format!("{}: {what}", self.name)),
        }
    }

    fn is_all_there(&self, when: &str) -> Result<(), String> {
        let findings = Folder::new(self.mounted.folder.clone()).check(&self.journal)?;
        if findings.problems.is_empty() {
            return Ok(());
        }
        let (name, problems) = (self.name, findings.problems.join("\n"));
        Err(format!("{name}, {when}: lost {}\n{problems}", findings.lost))
    }
}
