//! The command line: our own flags, and those that `cargo test` and nextest pass to any test.
//!
//! Law: words choose tests as they do everywhere, by being part of their names; a flag that nobody
//! knows is a mistake, because `--round 200` must not pass for a run of 200 rounds.

use std::str::FromStr;

pub(crate) const USAGE: &str = "\
usage: endurance [kill] [memory] [abuse] [disk] [flags]
  --seed N          what is sent, and when it is killed (default 1)
  --full            the sizes of the documentation; a release build asserts the bounds of memory
  kill:   --rounds N       kill -9 this many times (12; full 200)
  memory: --assert         assert the bounds whatever the sizes
          --video-mb N     one video (20; full 300)
          --email-mb N     one e-mail (12; full 200)
          --uploads N      uploads at once (8; full 50)
          --upload-mb N    of this size each (1; full 20)
          --photos N       tiny photos, one after the other (200; full 10000)
  abuse:  --connections N  hostile connections (1500; full 100000)
          --threads N      of them at a time (64)
          --held N         held open all the while (a fifth of the connections, at most 1000)";

/// Flags of libtest without a value that mean nothing here.
const WITHOUT_VALUE: [&str; 12] = [
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--quiet",
    "-q",
    "--test",
    "--bench",
    "--include-ignored",
    "--report-time",
    "--ensure-time",
    "--shuffle",
    "--exclude-should-panic",
];
/// Flags of libtest with a value that means nothing here.
const WITH_VALUE: [&str; 6] =
    ["--format", "--color", "--test-threads", "--logfile", "--shuffle-seed", "-Z"];

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) list: bool,
    pub(crate) seed: u64,
    pub(crate) full: bool,
    pub(crate) assert: bool,
    pub(crate) rounds: Option<u64>,
    pub(crate) connections: Option<u64>,
    pub(crate) threads: Option<usize>,
    pub(crate) held: Option<usize>,
    pub(crate) video_mb: Option<u64>,
    pub(crate) email_mb: Option<u64>,
    pub(crate) uploads: Option<usize>,
    pub(crate) upload_mb: Option<u64>,
    pub(crate) photos: Option<usize>,
    words: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
    ignored_only: bool,
}

impl Args {
    pub(crate) fn read(args: impl Iterator<Item = String>) -> Result<Args, String> {
        let mut read = Args { seed: 1, ..Args::default() };
        let mut args = args.flat_map(|arg| match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                vec![flag.to_owned(), value.to_owned()]
            }
            _ => vec![arg],
        });
        while let Some(arg) = args.next() {
            let arg = arg.as_str();
            match arg {
                "--list" => read.list = true,
                "--exact" => read.exact = true,
                "--ignored" => read.ignored_only = true,
                "--full" => read.full = true,
                "--assert" => read.assert = true,
                "--skip" => read.skipped.push(value(arg, args.next())?),
                "--seed" => read.seed = value(arg, args.next())?,
                "--rounds" => read.rounds = Some(value(arg, args.next())?),
                "--connections" => read.connections = Some(value(arg, args.next())?),
                "--threads" => read.threads = Some(value(arg, args.next())?),
                "--held" => read.held = Some(value(arg, args.next())?),
                "--video-mb" => read.video_mb = Some(value(arg, args.next())?),
                "--email-mb" => read.email_mb = Some(value(arg, args.next())?),
                "--uploads" => read.uploads = Some(value(arg, args.next())?),
                "--upload-mb" => read.upload_mb = Some(value(arg, args.next())?),
                "--photos" => read.photos = Some(value(arg, args.next())?),
                _ if WITHOUT_VALUE.contains(&arg) => {}
                _ if WITH_VALUE.contains(&arg) => drop(value::<String>(arg, args.next())?),
                _ if arg.starts_with('-') => return Err(format!("what is {arg:?}?")),
                _ => read.words.push(arg.to_owned()),
            }
        }
        Ok(read)
    }

    /// Whether this test is to run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let is =
            |word: &String| if self.exact { name == word } else { name.contains(word.as_str()) };
        !self.ignored_only
            && (self.words.is_empty() || self.words.iter().any(is))
            && !self.skipped.iter().any(is)
    }
}

fn value<T: FromStr>(flag: &str, value: Option<String>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("{flag} wants a value"))?;
    value.parse().map_err(|_| format!("{flag} cannot be {value:?}"))
}
