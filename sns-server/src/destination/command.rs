//! The destination `command`: a program is run for each file, or for each post.
//!
//! Law: no shell, ever. What came over the air can become a whole argument or a part of one, never
//! the program, never a second argument, and never an option of its own. The program gets nothing
//! of ours: no descriptor but its three, no variable but those named here.
//!
//! The exit code decides: 0 is done; 75 (`EX_TEMPFAIL`), the time limit, and a signal of somebody
//! who ends programs are tried again; everything else waits for a person.

mod code;
mod run;
mod template;
#[cfg(test)]
mod tests;

pub use run::ENDING;

use super::{Fault, FaultKind, Post, PostFile, Progress, Recall, cut_off};
use serde::Deserialize;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use template::{Template, Values};

/// Where programs are searched if our own environment does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the configuration says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The program and its arguments, which may hold placeholders.
    pub argv: Vec<String>,
    /// What it reads; may hold placeholders. Nothing if not given.
    pub stdin: Option<String>,
    /// How often it is run.
    #[serde(default)]
    pub per: Per,
    /// How long one run may take.
    #[serde(default = "a_minute", with = "humantime_serde")]
    pub timeout: Duration,
}

/// How often a program is run for a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// Once for each file; not at all for a post without files.
    #[default]
    File,
    /// Once.
    Post,
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

/// A destination of this type.
#[derive(Debug)]
pub struct Command {
    program: String,
    arguments: Vec<Template>,
    stdin: Option<Template>,
    per: Per,
    timeout: Duration,
}

impl Command {
    /// The destination as configured.
    ///
    /// # Errors
    /// What is wrong with the keys, and what to do.
    pub fn new(keys: Keys) -> Result<Command, String> {
        let (program, arguments) =
            keys.argv.split_first().ok_or("argv is empty: name a program")?;
        match Template::read(program) {
            _ if program.is_empty() => return Err("argv begins with no program".to_owned()),
            Ok(template) if template.is_plain() => {}
            _ => return Err(format!("argv: the program {program:?} may hold no placeholder")),
        }
        if keys.argv.iter().chain(&keys.stdin).any(|text| text.contains('\0')) {
            return Err("argv and stdin may hold no NUL".to_owned());
        }
        if keys.timeout.is_zero() {
            return Err("timeout is nothing at all; the default is \"60s\"".to_owned());
        }
        let read = |key: &str, text: &String| {
            Template::read(text).map_err(|problem| format!("{key}: {problem}"))
        };
        let arguments: Vec<Template> =
            arguments.iter().map(|text| read("argv", text)).collect::<Result<_, _>>()?;
        let stdin = keys.stdin.as_ref().map(|text| read("stdin", text)).transpose()?;
        if let Some(problem) = code::of_senders(&keys.argv, &arguments, stdin.as_ref()) {
            return Err(problem);
        }
        Ok(Command {
            program: program.clone(),
            arguments,
            stdin,
            per: keys.per,
            timeout: keys.timeout,
        })
    }

    /// See [`Destination::deliver`](super::Destination::deliver).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn deliver(
        &self,
        post: &Post,
        progress: &mut Progress,
        recall: &Recall,
    ) -> Result<String, Fault> {
        match self.per {
            Per::Post => {
                let files: Vec<&PostFile> = post.files.iter().collect();
                self.run(post, &files, recall).await?;
                Ok(format!("ran {}", self.program))
            }
            Per::File => self.deliver_files(post, progress, recall).await,
        }
    }

    /// A file that the program refuses does not keep the others from it.
    async fn deliver_files(
        &self,
        post: &Post,
        progress: &mut Progress,
        recall: &Recall,
    ) -> Result<String, Fault> {
        let mut refused = Vec::new();
        for (at, file) in post.files.iter().enumerate() {
            let step = format!("file {}", at + 1);
            if progress.of(&step).is_some() {
                continue;
            }
            if recall.is_called() {
                return Err(cut_off());
            }
            match self.run(post, &[file], recall).await {
                Ok(()) => progress.note(&step, "done").await,
                Err(fault) if fault.kind == FaultKind::Permanent => {
                    refused.push(format!("{}: {fault}", file.path.display()));
                }
                Err(fault) => return Err(fault),
            }
        }
        match refused.is_empty() {
            true => Ok(format!("ran {} for each of {} files", self.program, post.files.len())),
            false => Err(Fault::permanent(refused.join("; "))),
        }
    }

    /// See [`Destination::probe`](super::Destination::probe).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn probe(&self) -> Result<String, Fault> {
        let program = self.find()?;
        Ok(format!("{} can be run (it was not)", program.display()))
    }

    async fn run(&self, post: &Post, files: &[&PostFile], recall: &Recall) -> Result<(), Fault> {
        let values = Values::of(post, files)?;
        let mut command = tokio::process::Command::new(self.find()?);
        command.args(self.arguments(&values)).env_clear().envs(values.environment());
        command.env("PATH", path());
        command.env("HOME", std::env::var_os("HOME").unwrap_or_else(|| "/".into()));
        command.env("LANG", std::env::var_os("LANG").unwrap_or_else(|| "C.UTF-8".into()));
        let stdin = self.stdin.as_ref().map(|text| text.render(&values, &values.all_files()));
        run::run(command, &self.program, stdin, self.timeout, recall).await
    }

    /// An argument with `{filename}` is there once for each file. One whose value begins with `-` is
    /// given a space in front, so that no sender can choose an option; not where the configuration
    /// begins the argument itself, or has said `--` before.
    fn arguments(&self, values: &Values) -> Vec<OsString> {
        let mut arguments = Vec::new();
        let mut options = true;
        for template in &self.arguments {
            let files = match template.has("filename") {
                true => values.files(),
                false => &[Vec::new()],
            };
            for file in files {
                let mut argument = template.render(values, file);
                if options && argument.starts_with(b"-") && template.begins_with_value() {
                    argument.insert(0, b' ');
                }
                arguments.push(OsString::from_vec(argument));
            }
            options &= !template.is("--");
        }
        arguments
    }

    /// The program, by its path or in `PATH`.
    fn find(&self) -> Result<PathBuf, Fault> {
        let program = Path::new(&self.program);
        if self.program.contains('/') {
            return match executable(program) {
                Ok(()) => Ok(program.to_owned()),
                Err(error) => Err(Fault::permanent(format!("program {}: {error}", self.program))),
            };
        }
        let path = path();
        let found = std::env::split_paths(&path).map(|folder| folder.join(program));
        found.into_iter().find(|file| executable(file).is_ok()).ok_or_else(|| {
            let path = path.to_string_lossy();
            Fault::permanent(format!("program {}: there is none in {path}", self.program))
        })
    }
}

fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_else(|| PATH.into())
}

fn executable(file: &Path) -> io::Result<()> {
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::other("is no file"));
    }
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK)
        .map_err(|_| io::Error::other("may not be executed (chmod +x?)"))
}
