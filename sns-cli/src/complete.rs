//! `sns-cli completions` and `sns-cli man`, for whoever makes a package of this.
//!
//! Law: both come from the definitions that read the command line, so neither can be wrong about it.

use crate::{Outcome, print};
use clap::{Args, Command};
use clap_complete::Shell;
use std::io::{self, Write};
use std::path::PathBuf;

/// Which shell.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct Completions {
    /// The shell that is to complete
    shell: Shell,
}

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct Man {
    /// The folder that the pages are written to; it is made if need be
    dir: PathBuf,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  sns-cli completions bash > /etc/bash_completion.d/sns-cli
  sns-cli completions zsh > /usr/share/zsh/site-functions/_sns-cli
  sns-cli completions fish > ~/.config/fish/completions/sns-cli.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  sns-cli man /usr/local/share/man/man1";

/// Writes the script.
pub(crate) fn completions(
    arguments: &Completions,
    mut command: Command,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics when its reader goes away.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, &name, &mut script);
    let mut script = String::from_utf8(script).map_err(io::Error::other)?;
    if arguments.shell == Shell::Bash {
        // With a hyphen in the program's name, clap_complete 4.6.11 spells the states of its bash
        // script in two ways, and completes nothing behind a command (clap issue 6421).
        let wrong = name.replace('-', "__subcmd__");
        script = script.replace(&wrong, &name.replace('-', "__"));
    }
    out.write_all(script.as_bytes())?;
    out.flush()?;
    Ok(Outcome::Good)
}

/// Writes a page for the program, and one for each of its commands.
pub(crate) fn man(arguments: &Man, command: Command) -> Outcome {
    let dir = &arguments.dir;
    let written =
        std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir));
    match written {
        Ok(()) => Outcome::Good,
        Err(error) => {
            print::complain(&format!("cannot write to {}: {error}", dir.display()));
            Outcome::Impossible
        }
    }
}
