//! `sns-cli completions` and `sns-cli man`, for whoever makes a package of this.
//!
//! Law: both come from the definitions that read the command line, so neither can be wrong about it.

mod page;

use crate::{Outcome, print};
use clap::builder::PossibleValuesParser;
use clap::{Args, Command, ValueHint};
use clap_complete::Shell;
use samsung_sns::model::MODELS;
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
    command: Command,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics when its reader goes away.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut completable(&command), &name, &mut script);
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

/// The command without what is hidden, which the generator would offer, and with the names of
/// models, and files only where files are asked for.
fn completable(command: &Command) -> Command {
    let shown = command.get_subcommands().filter(|its| !its.is_hide_set()).cloned();
    let bare =
        Command::new(command.get_name().to_owned()).subcommands(shown).subcommand_required(true);
    bare.mut_subcommand("check", |its| with_models(its, "model"))
        .mut_subcommand("simulate", |its| with_models(its, "model"))
        .mut_subcommand("models", |its| with_models(its, "name"))
        .mut_subcommands(without_files)
}

fn with_models(command: Command, argument: &'static str) -> Command {
    command.mut_arg(argument, |argument| {
        // A name with a space would need another quoting in each shell; it is found without, too.
        let names = MODELS.iter().map(|model| model.name.replace(' ', ""));
        argument.value_parser(PossibleValuesParser::new(names))
    })
}

/// What is no path by its type is not completed with file names.
fn without_files(command: Command) -> Command {
    let command = command.mut_args(|argument| match argument.get_value_hint() {
        ValueHint::Unknown if argument.get_action().takes_values() => {
            argument.value_hint(ValueHint::Other)
        }
        _ => argument,
    });
    command.mut_subcommands(without_files)
}

/// Writes a page for the program, and one for each of its commands.
pub(crate) fn man(arguments: &Man, command: Command) -> Outcome {
    let dir = &arguments.dir;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let source = format!("{} {}", command.get_name(), command.get_version().unwrap_or_default());
    match std::fs::create_dir_all(dir).and_then(|()| page::write_all(&command, &source, dir)) {
        Ok(()) => Outcome::Good,
        Err(error) => {
            print::complain(&format!("cannot write to {}: {error}", dir.display()));
            Outcome::Impossible
        }
    }
}
