//! What needs root, or another's sockets: who may not do it skips it, and says so.

use crate::harness::{Server, put, status, wait_until};
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

/// Debian, Alpine and Fedora all have it, under this number.
const NOBODY: &str = "nobody";
const NOBODYS_NUMBER: u32 = 65534;

/// Says so where `cargo test` does not swallow it.
fn skipped(what: &str) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {what}");
}

fn is_root() -> bool {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        skipped("needs root");
    }
    root
}

/// A folder into which anybody can go, with a configuration.
fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    folder
}

fn server_command(listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-server"));
    command.args(["--listen", listen]);
    command
}

/// A line of every thread's status.
fn of_every_thread(server: &Server, field: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.child.id())).unwrap();
    let statuses = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("status")));
    let line = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut values: Vec<String> = statuses.map_while(Result::ok).map(line).collect();
    assert!(values.len() >= 3, "the server has threads: {values:?}");
    values.dedup();
    values
}

#[test]
fn root_is_given_up_by_every_thread_and_cannot_be_had_back() {
    if !is_root() {
        return;
    }
    let folder = folder(&format!("trial = true\nrun_as = \"{NOBODY}\"\n"));
    let server = Server::launch(server_command("127.0.0.1:0"), folder);
    let session = server.login();
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", b"photo"))), "200");
    server.log_with("root was given up");
    let number = NOBODYS_NUMBER.to_string();
    let nobody = [number.as_str(); 4].join(" ");
    assert_eq!(of_every_thread(&server, "Uid:"), [nobody.as_str()]);
    assert_eq!(of_every_thread(&server, "Gid:"), [nobody.as_str()]);
    assert_eq!(of_every_thread(&server, "Groups:"), [number.as_str()]);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(of_every_thread(&server, set), ["0000000000000000"], "{set}");
    }
    assert_eq!(of_every_thread(&server, "NoNewPrivs:"), ["1"]);
    for path in ["data", "data/sns.db", "data/photos/f/A.JPG"] {
        let owner = std::fs::metadata(server.folder.path().join(path)).unwrap().uid();
        assert_eq!(owner, NOBODYS_NUMBER, "{path}");
    }
}

#[test]
fn what_belongs_to_another_is_named_with_what_to_do() {
    if !is_root() {
        return;
    }
    let config = format!("trial = true\nrun_as = \"{NOBODY}\"\n");
    for roots in ["data", "data/photos", "data/sns.db", "data/photos/me"] {
        let folder = folder(&config);
        let path = folder.path().join(roots);
        if roots.ends_with(".db") {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
        } else {
            std::fs::create_dir_all(&path).unwrap();
        }
        for parent in path.ancestors().skip(1).take_while(|parent| *parent != folder.path()) {
            std::os::unix::fs::chown(parent, Some(NOBODYS_NUMBER), None).unwrap();
        }
        let said = refused(folder.path());
        let data = folder.path().join("data");
        assert!(said.contains(&format!("{}: ", path.display())), "{roots}: {said}");
        assert!(said.contains(&format!("chown -R nobody: {}", data.display())), "{said}");
        assert_eq!(std::fs::metadata(&path).unwrap().uid(), 0, "it is not taken from its owner");
    }
}

#[test]
fn a_user_that_cannot_be_is_refused() {
    if !is_root() {
        return;
    }
    for (run_as, words) in [
        ("no-such-user", ["no user", "useradd"]),
        ("root", ["is root", "user of the server's own"]),
    ] {
        let folder = folder(&format!("trial = true\nrun_as = \"{run_as}\"\n"));
        let said = refused(folder.path());
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!folder.path().join("data").exists());
    }
    let folder = folder("trial = true\nrun_as = \"daemon\"\n");
    let server = env!("CARGO_BIN_EXE_sns-server");
    let run = format!("exec {server} --listen 127.0.0.1:0 --config config.toml --data-dir data");
    let output = Command::new("setpriv")
        .args(["--reuid", NOBODY, "--clear-groups", "sh", "-c", &run])
        .current_dir(folder.path())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("needs a start as root") && said.contains("65534"), "{said}");
        }
        Err(error) => skipped(&format!("the start as somebody else: setpriv: {error}")),
    }
}

/// What the server says that does not start in this folder.
fn refused(folder: &Path) -> String {
    let output = server_command("127.0.0.1:0")
        .args(["--config", "config.toml", "--data-dir"])
        .arg(folder.join("data"))
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn root_without_run_as_is_warned() {
    if !is_root() {
        return;
    }
    let server = Server::trial();
    server.log_with("runs as root: name a user in run_as");
}

/// As systemd does it: the socket is descriptor 3, and two variables say so.
#[test]
fn a_socket_from_systemd_is_served_and_listen_is_not_bound() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap(); // to bind this would end the server
    let mut command = Command::new("sh");
    let activate = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\"";
    command.args(["-c", activate, "sh", env!("CARGO_BIN_EXE_sns-server"), "--listen"]);
    command.arg(taken.local_addr().unwrap().to_string()).stdin(OwnedFd::from(socket));
    let server = Server::launch(command, folder("trial = true\n"));
    assert_eq!(server.address, address);
    assert!(
        server.first_line.contains("from systemd; `listen` is not bound"),
        "{}",
        server.first_line
    );
    let session = server.login();
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", b"photo"))), "200");

    let folder = folder("trial = true\n");
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let output = Command::new("sh")
        .args(["-c", activate, "sh", env!("CARGO_BIN_EXE_sns-server")])
        .stdin(OwnedFd::from(udp))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("only ListenStream="), "{said}");
}

/// A network of its own, with nothing but a loopback that is down; gone when this is dropped.
struct Network(String);

impl Network {
    /// `None` where that is not allowed.
    fn new(name: &str) -> Option<Network> {
        let network = Network(format!("sns-{name}-{}", std::process::id()));
        let made = Command::new("ip").args(["netns", "add", &network.0]).output();
        match made {
            Ok(output) if output.status.success() => Some(network),
            other => {
                skipped(&format!("no network namespace can be made here: {other:?}"));
                None
            }
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    fn ip(&self, words: &str) {
        let done = self.command("ip").args(words.split(' ')).output().unwrap();
        assert!(done.status.success(), "{words}: {done:?}");
    }

    /// The first line of the page at `/`, if somebody answers.
    fn page(&self, address: &str, port: u16) -> String {
        let ask = format!(
            "exec 3<>/dev/tcp/{address}/{port} && printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&3 \
             && head -n 1 <&3"
        );
        let output = self.command("bash").args(["-c", &ask]).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

#[test]
fn an_interface_is_waited_for_and_followed_also_without_root() {
    if !is_root() {
        return;
    }
    let Some(network) = Network::new("follow") else { return };
    let mut command = network.command(env!("CARGO_BIN_EXE_sns-server"));
    command.args(["--listen", "lo:80"]);
    let folder = folder(&format!("trial = true\nrun_as = \"{NOBODY}\"\n"));
    let server = Server::launch(command, folder);
    assert!(server.first_line.contains("listens on lo:80 (as its"), "{}", server.first_line);
    server.log_with("waiting for it");
    // All that is left of root is the right to bind port 80.
    for set in ["CapPrm:", "CapEff:", "CapBnd:"] {
        assert_eq!(of_every_thread(&server, set), ["0000000000000400"], "{set}");
    }
    network.ip("addr add 10.99.0.1/32 dev lo");
    network.ip("link set lo up");
    server.log_with("listens on http://10.99.0.1:80");
    assert!(network.page("10.99.0.1", 80).starts_with("HTTP/1.1 200"));
    network.ip("addr add 10.99.0.2/32 dev lo");
    server.log_with("listens on http://10.99.0.2:80");
    assert!(network.page("10.99.0.2", 80).starts_with("HTTP/1.1 200"));
    network.ip("addr del 10.99.0.1/32 dev lo");
    server.log_with("10.99.0.1:80");
    server.log_with("no longer listened on");
    assert!(network.page("10.99.0.2", 80).starts_with("HTTP/1.1 200"));
    network.ip("link set lo down");
    let waits = || server.log_with("waiting for it").matches("waiting for it").count() == 2;
    wait_until("it waits again", waits);
    network.ip("link set lo up");
    let back = || network.page("10.99.0.2", 80).starts_with("HTTP/1.1 200");
    wait_until("it is back", back);
}
