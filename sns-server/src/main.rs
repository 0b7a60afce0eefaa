//! The command line of the server.

use clap::{Parser, Subcommand};
use rustix::process::{Resource, getrlimit, setrlimit};
use sns_server::admin;
use sns_server::app::App;
use sns_server::check;
use sns_server::config::listen::Listen;
use sns_server::config::{Config, ConfigError};
use sns_server::import_config;
use sns_server::listen::{self, Doors};
use sns_server::mastodon_login;
use sns_server::passwords::Hash;
use sns_server::privileges::{Rights, give_up_root};
use sns_server::queue;
use sns_server::systemd;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Receives photos from Samsung's WiFi cameras (2009-2015) and keeps them.
///
/// Without a configuration it runs in trial mode: on 127.0.0.1:8080, keeping everything under
/// ./sns-data, admitting any camera.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file (TOML)
    #[arg(long, env = "SNS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen here instead of where the configuration says; may be given several times
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<Listen>,
    /// Keep everything here instead of where the configuration says
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask for a password and print its hash for password_hash in the configuration
    HashPassword,
    /// What is still to be delivered: look at it, try it again, give it up
    #[command(subcommand)]
    Queue(queue::Command),
    /// Say what the configuration means, or what is wrong with it
    ///
    /// Exit code: 0 all is well, 1 something is wrong.
    Check {
        /// Also talk to every destination, without delivering anything
        #[arg(long)]
        probe: bool,
    },
    /// Get a token for an account at Mastodon, Pixelfed or GoToSocial, and keep it in a file
    MastodonLogin {
        /// The instance: https://photog.social
        url: String,
        /// Where to keep the token; `<instance>.token` in this folder if not given
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// Print the configuration of the existing Python server in this server's words
    ImportConfig {
        /// Its config.toml
        old: PathBuf,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("sns-server: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    match &arguments.command {
        None => {}
        Some(Command::HashPassword) => return hash_password(),
        Some(Command::ImportConfig { old }) => {
            return Ok(write!(out, "{}", import_config::import_file(old)?)?);
        }
        Some(Command::MastodonLogin { url, token_file }) => {
            let (token_file, mut input) = (token_file.as_deref(), std::io::stdin().lock());
            let login = mastodon_login::run(url, token_file, &mut input, &mut out);
            return Ok(for_one_task()?.block_on(login)?);
        }
        Some(Command::Queue(command)) => {
            let Config { data_dir, destinations, .. } = arguments.configuration()?;
            let configured = destinations.into_keys().collect();
            return Ok(queue::run(command, &data_dir, &configured, &mut out)?);
        }
        Some(Command::Check { probe }) => {
            return check(&arguments.configuration()?, *probe, &mut out);
        }
    }
    let config = arguments.configuration()?;
    // All that needs root comes first, and there is no thread yet that could keep it.
    let doors = Doors::bind(&config.listen)?;
    let owner = config.admin.as_ref().map(|owner| listen::bind(owner.listen)).transpose()?;
    raise_descriptor_limit();
    let rights = give_up_root(config.run_as.as_deref(), &config.data_dir, doors.need_low_ports())?;
    // Two threads serve the network: the stick has four slow cores and little memory.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .thread_stack_size(512 * 1024)
        .enable_all()
        .build()?;
    runtime.block_on(serve(config, Start { arguments, doors, owner, rights }))
}

/// What there is before the runtime.
struct Start {
    arguments: Arguments,
    doors: Doors,
    owner: Option<std::net::TcpListener>,
    rights: Rights,
}

impl Arguments {
    /// The configuration file, below what the command line says.
    fn configuration(&self) -> Result<Config, ConfigError> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::trial(),
        };
        if !self.listen.is_empty() {
            config.listen.clone_from(&self.listen);
        }
        if let Some(data_dir) = &self.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        Ok(config)
    }
}

/// From a terminal without showing it, else one line of standard input.
fn hash_password() -> Result<(), Box<dyn std::error::Error>> {
    let password = if std::io::stdin().is_terminal() {
        rpassword::prompt_password("Password: ")?
    } else {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.is_empty() {
        return Err(
            "an empty password is none; without password_hash no password is asked for".into()
        );
    }
    writeln!(std::io::stdout(), "{}", Hash::of(&password)?.as_str())?;
    Ok(())
}

fn check(
    config: &Config,
    probe: bool,
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    check::describe(config, out)?;
    if probe && !for_one_task()?.block_on(check::probe(config, out))? {
        return Err("not every destination works".into());
    }
    Ok(())
}

/// A runtime for a command that does one thing.
fn for_one_task() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

async fn serve(config: Config, start: Start) -> Result<(), Box<dyn std::error::Error>> {
    // Before the doors: whoever has come in by them may send a signal.
    let mut hang_up = signal(SignalKind::hangup())?;
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let Start { arguments, doors, owner, rights } = start;
    // Before the data: a second server ends here, and has touched nothing of the first one's.
    doors.open()?;
    owner.iter().try_for_each(listen::open)?;
    let app = App::new(&config)?;
    let addresses = doors.describe()?;
    let trial = if config.is_trial() { "TRIAL MODE, any camera may send; " } else { "" };
    let photos = app.spool.photos().display();
    say(&format!("sns-server listens on {addresses}; {trial}photos are kept under {photos}"));
    app.spool.tell_what_was_repaired();
    match rights {
        Rights::Root => tracing::warn!(
            "runs as root: name a user in run_as, or start it by the systemd unit of docs/guide"
        ),
        Rights::GivenUp(user) => tracing::info!(%user, "root was given up"),
        Rights::Ordinary => {}
    }
    if let Some(listener) = owner {
        tracing::info!(address = %listener.local_addr()?, "the owner's listener");
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(admin::serve(listener, Arc::clone(&app)));
    }

    let (stop, stopping) = watch::channel(false);
    tokio::spawn(systemd::feed_watchdog(Arc::clone(&app)));
    tokio::spawn(Arc::clone(&app).keep_expiring());
    let delivering = tokio::spawn(Arc::clone(&app.outbox).run(stopping.clone()));
    let serving = async {
        let served = listen::serve(doors, Arc::clone(&app), stopping).await;
        let _ = delivering.await;
        served
    };
    tokio::pin!(serving);
    systemd::ready();
    loop {
        tokio::select! {
            served = &mut serving => return Ok(served?),
            _ = hang_up.recv() => reload(&config, &arguments, &app).await,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("stopping: running uploads are finished first");
    systemd::stopping();
    let _ = stop.send(true);
    tokio::select! {
        served = &mut serving => Ok(served?),
        _ = terminate.recv() => Err("told to stop twice; running uploads were cut off".into()),
        _ = interrupt.recv() => Err("told to stop twice; running uploads were cut off".into()),
    }
}

/// Reads the configuration again; one that is refused changes nothing.
async fn reload(started_with: &Config, arguments: &Arguments, app: &Arc<App>) {
    systemd::reloading();
    match arguments.configuration() {
        Ok(_) if arguments.config.is_none() => {
            tracing::warn!("told to reload, but there is no configuration file");
        }
        Ok(config) => {
            app.reload(&config).await;
            tracing::info!("the configuration was read again and holds from now on");
            for key in started_with.needs_restart(&config) {
                tracing::warn!(key, "this has changed too, but holds only after a restart");
            }
        }
        Err(error) => tracing::error!(%error, "the configuration is refused; the old one holds"),
    }
    systemd::ready();
}

/// Each connection and each file takes a descriptor, and 1024 of them are fewer than
/// `limits.connections`.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// A line for the person who started the server, as it is.
#[allow(clippy::print_stderr)] // the log has a form of its own; the first and last words do not
fn say(line: &str) {
    eprintln!("{line}");
}
