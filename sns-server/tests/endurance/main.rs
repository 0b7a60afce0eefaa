//! Endurance: what must hold after 200 kills, under 50 uploads at once, among 100,000 hostile
//! connections, and on a disk that is full or breaks. `docs/endurance.md` says how to run it in full.
//!
//! Law: the real binary, over real sockets on 127.0.0.1, in a temporary folder; every run ends by
//! itself; every failure says what, where, and with which seed. What is sent is decided by the seed;
//! when the machine gets to it is not.
#![allow(clippy::unwrap_used)] // a test's helpers are tests
#![allow(clippy::print_stdout)] // a test target of its own prints its figures

mod abuse;
mod args;
mod attack;
mod camera;
mod client;
mod disk;
mod held;
mod journal;
mod kill;
mod memory;
mod photo;
mod server;
mod worker;

use args::Args;
use std::process::ExitCode;
use std::time::Instant;

type Test = fn(&Args) -> Result<(), String>;

const TESTS: [(&str, Test); 4] =
    [("kill", kill::run), ("memory", memory::run), ("abuse", abuse::run), ("disk", disk::run_all)];

fn main() -> ExitCode {
    if std::env::args().any(|arg| arg == "--help") {
        println!("{}", args::USAGE);
        return ExitCode::SUCCESS;
    }
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(problem) => {
            println!("endurance: {problem}\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let wanted: Vec<_> = TESTS.iter().filter(|(name, _)| args.wants(name)).collect();
    if args.list {
        // The form that cargo-nextest asks for; none of them is ignored.
        wanted.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let mut failed = false;
    for (name, test) in wanted {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = test(&args);
        let seconds = started.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => println!("{name}: ok, {seconds:.1} s"),
            Err(what) => {
                failed = true;
                println!("{name}: FAILED after {seconds:.1} s, seed {}\n{what}", args.seed);
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
