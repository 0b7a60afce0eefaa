//! `sns-cli check`: a deployment, walked through from a camera's point of view.
//!
//! Law: one line a check: green, red with what to do, or skipped with why. What is measured is what
//! a camera would meet: the names, the address, the port, then every answer in its order.

mod bodies;
mod causes;
pub(crate) mod dns;
pub(crate) mod doors;
mod exchange;
pub(crate) mod fault;
pub(crate) mod judge;
mod names;
mod requests;
mod segments;
mod show;
pub(crate) mod verdict;

use crate::habits::{self, NAMES};
use crate::simulate::{line, site};
use crate::{Outcome, print};
use anstream::{AutoStream, ColorChoice};
use clap::Args;
use doors::Walk;
use fault::{Fault, Kind};
use names::Resolver;
use samsung_sns::endpoint::Site;
use samsung_sns::model::{Model, Support};
use show::{Teller, Verdict};
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// What is to be checked.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The server: the address that cameras are given, or a name of it
    #[arg(value_parser = host)]
    host: String,
    /// Ask this DNS server for the six names, as the camera's WiFi would: its address, or
    /// ADDRESS:PORT; "system" asks as this machine does, "none" does not ask
    #[arg(long, value_name = "RESOLVER", default_value = "system")]
    dns: Resolver,
    /// The server's port; cameras know only 80
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Check only what this camera needs; without, what any camera needs
    #[arg(long, value_name = "NAME", value_parser = habits::model)]
    model: Option<&'static Model>,
    /// The social site to log in to
    #[arg(long, value_name = "SITE", default_value = "facebook", value_parser = site)]
    site: Site,
    /// A name that may log in; without, a stranger's login is tried
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// Its password
    #[arg(long, value_name = "P", default_value = "camera", requires = "user")]
    password: String,
    /// A sender that may send e-mail
    #[arg(long, value_name = "ADDR", requires = "to", value_parser = line)]
    sender: Option<String>,
    /// The recipient of the e-mail
    #[arg(long, value_name = "ADDR", requires = "sender", value_parser = line)]
    to: Option<String>,
    /// Send a test picture as --user, and an e-mail as --sender: both stay on the server, and go
    /// where its routes lead
    #[arg(long)]
    send: bool,
    /// Write one JSON object a line for each check; docs/guide/check.md lists the names
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  sns-cli check 10.42.0.1 --dns 10.42.0.1
  sns-cli check 10.42.0.1 --dns 10.42.0.1 --model NX300 --user me@example.com --send
  sns-cli check 127.0.0.1 --port 8080 --dns none";

/// Checks everything.
pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Outcome> {
    if arguments.send && arguments.user.is_none() && arguments.sender.is_none() {
        print::complain("--send needs to know as whom: give --user, or --sender and --to");
        return Ok(Outcome::Impossible);
    }
    let addresses = match addresses(&arguments.host, arguments.port) {
        Ok(addresses) => addresses,
        Err(error) => {
            let host = &arguments.host;
            let error = fault::said(&error);
            print::complain(&format!("cannot find {host}: {error}; is it written right?"));
            return Ok(Outcome::Impossible);
        }
    };
    // Cameras ask for IPv4 addresses.
    let server = addresses.iter().find(|address| address.is_ipv4()).unwrap_or(&addresses[0]);
    let coloured = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let mut out = Patient { out, is_gone: false };
    let mut teller = Teller::new(&mut out, arguments.json, coloured);
    let ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
    teller.waits_for("the six names");
    if let Some(model) = arguments.model
        && let Some(verdict) = reach(model)
    {
        teller.tell("model", model.name, &verdict, None)?;
    }
    let verdicts = names::verdicts(arguments.dns, &ips, arguments.model);
    for (name, verdict) in NAMES.iter().zip(verdicts) {
        teller.tell("name", name, &verdict, None)?;
    }
    teller.tell("address", &arguments.host, &names::address(server.ip(), arguments.model), None)?;
    let (server, addresses, in_the_way) = (*server, &ips[..], Vec::new());
    Walk { arguments, server, addresses, teller: &mut teller, in_the_way }.all()?;
    teller.finish()
}

/// How far what is checked can bring this camera, if that is not all the way.
fn reach(model: &Model) -> Option<Verdict> {
    if habits::sends_credentials_in_clear(model) {
        let text =
            format!("the {} speaks only TLS, and all that follows is plain HTTP", model.name);
        return Some(Verdict::Wrong(vec![Fault::new(Kind::NeedsTls, text)]));
    }
    (model.support == Support::None).then(|| {
        let remarks = Some(model.remarks).filter(|remarks| !remarks.is_empty());
        let remarks = remarks.map(|remarks| format!(": {remarks}")).unwrap_or_default();
        let text = "is not known to work with any server, whatever is green below";
        Verdict::Skipped(format!("the {} {text}{remarks}", model.name))
    })
}

/// HOST, without what belongs to a URL.
fn host(text: &str) -> Result<String, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let place = rest.split('/').next().unwrap_or_default();
    let (bare, port) = match place.rsplit_once(':') {
        // An IPv6 address has more than one, or brackets around it.
        Some((bare, port)) if !bare.contains(':') || bare.ends_with(']') => (bare, Some(port)),
        _ => (place, None),
    };
    if scheme.is_empty() && port.is_none() && place == text {
        return Ok(text.to_owned());
    }
    let port = port.map(|port| format!(" --port {port}")).unwrap_or_default();
    let tls = if scheme == "https" { "; cameras speak no https" } else { "" };
    Err(format!("write the host alone, so: sns-cli check {bare}{port}{tls}"))
}

/// Output whose reader may go away: what was begun is finished nevertheless, since the exit code is
/// asked for as well.
struct Patient<'a> {
    out: &'a mut dyn Write,
    is_gone: bool,
}

impl Patient<'_> {
    fn unless_gone(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.is_gone {
            return Ok(());
        }
        match write(self.out) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_gone = true;
                Ok(())
            }
            done => done,
        }
    }
}

impl Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_gone(|out| out.write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_gone(|out| out.flush())
    }
}

/// The addresses of HOST; at least one.
fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let mut addresses: Vec<SocketAddr> = (bare, port).to_socket_addrs()?.collect();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(io::Error::other("it has no address"));
    }
    Ok(addresses)
}
