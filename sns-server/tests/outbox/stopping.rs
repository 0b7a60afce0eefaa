//! SIGTERM while deliveries are under way: the server ends soon, loses none of them, and does again
//! only what nobody answered.

use crate::camera::{email, photo};
use crate::config;
use crate::harness::{Server, answer, put, wait_until};
use crate::peer::{Nature, Peer};
use crate::queue::queue;
use crate::receiver::{Deed, Receiver};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// A peer that accepts connections and never says a word.
struct Mute {
    address: SocketAddr,
    accepted: Arc<Mutex<Vec<TcpStream>>>,
}

impl Mute {
    fn new() -> Mute {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::<Mutex<Vec<TcpStream>>>::default();
        let kept = Arc::clone(&accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                kept.lock().unwrap().push(stream);
            }
        });
        Mute { address, accepted }
    }

    fn connections(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }
}

/// Waits until the server has ended by itself; a hanging one fails the test.
fn ended(server: &mut Server) -> ExitStatus {
    for _ in 0..100 {
        if let Some(status) = server.child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("told to stop, the server still runs after ten seconds");
}

/// By destination: the number of the delivery, its state and the post's id.
fn deliveries(server: &Server) -> BTreeMap<String, (String, String)> {
    let (_, all) = queue(server, &["list", "--all"]);
    let lines = all.lines().map(|line| {
        let mut words = line.split("  ");
        let (number, state) = (words.next().unwrap(), words.next().unwrap());
        let destination = words.next().unwrap();
        let (_, shown) = queue(server, &["show", number]);
        let id = crate::harness::between(&shown, "\npost ", ",").to_owned();
        (destination.to_owned(), (state.to_owned(), id))
    });
    lines.collect()
}

fn runs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).unwrap_or_default().lines().count()
}

fn is_alive(pid: &str) -> bool {
    // What was killed and not waited for yet is dead.
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

#[test]
fn whatever_hangs_is_cut_off_and_goes_on_after_the_next_start() {
    let [hook, masto, mail, s3, dav] = [(); 5].map(|()| Mute::new());
    let written = |hook: SocketAddr, mail: SocketAddr| {
        format!(
            "[users.\"me@example.com\"]\n[routes]\n\
             email = [\"hook\", \"masto\", \"mail\", \"s3\", \"dav\", \"program\"]\n\
             [destinations.hook]\ntype = \"webhook\"\nurl = \"http://{hook}/\"\n\
             [destinations.masto]\ntype = \"mastodon\"\nserver = \"http://{}\"\ntoken = \"t\"\n\
             [destinations.mail]\ntype = \"email\"\nhost = \"127.0.0.1\"\nport = {}\n\
             tls = \"none\"\nfrom = \"relay@example.com\"\n\
             [destinations.s3]\ntype = \"store\"\ns3 = {{ bucket = \"b\", access_key = \"a\", \
             secret_key = \"s\", endpoint = \"http://{}\" }}\n\
             [destinations.dav]\ntype = \"store\"\nwebdav = {{ url = \"http://{}/\" }}\n\
             [destinations.program]\ntype = \"command\"\nargv = [\"/bin/sh\", \"program.sh\"]\n",
            masto.address,
            mail.port(),
            s3.address,
            dav.address
        )
    };
    let mut server = Server::start(Some(&written(hook.address, mail.address)));
    let folder = server.folder.path().to_owned();
    // It does not end when it is asked to, nor does what it has started.
    let stubborn = "trap '' TERM; sleep 300 & echo $! > child; echo run >> runs; wait; wait\n";
    std::fs::write(folder.join("program.sh"), stubborn).unwrap();
    assert!(email(&server, &["x@y.z"], "one", &[1]).contains("succ"));
    wait_until("all deliveries are under way", || {
        [&hook, &masto, &mail, &s3, &dav].iter().all(|mute| mute.connections() > 0)
            && runs(&folder) == 1
    });

    server.signal_stop();
    assert_eq!(ended(&mut server).code(), Some(0));
    let child = std::fs::read_to_string(folder.join("child")).unwrap();
    wait_until("what the program has started is gone", || !is_alive(&child));
    let cut = deliveries(&server);
    assert_eq!(cut.len(), 6, "{cut:?}");
    assert!(cut.values().all(|(state, _)| state == "waiting"), "{cut:?}");
    let (_, list) = queue(&server, &["list"]);
    assert_eq!(list.lines().filter(|line| line.contains("cut off")).count(), 5, "{list}");
    assert_eq!(list.lines().filter(|line| line.contains("SIGKILL")).count(), 1, "{list}");

    let before = [&masto, &s3, &dav].map(Mute::connections);
    let (receiver, mails) = (Receiver::willing(), Peer::new(Nature::default()));
    std::fs::write(folder.join("config.toml"), written(receiver.address, mails.address)).unwrap();
    std::fs::write(folder.join("program.sh"), "echo run >> runs\n").unwrap();
    let server = server.again();
    assert_eq!(receiver.wait_for(1)[0]["data"]["id"], cut["hook"].1);
    wait_until("the mail and the program are done, the others tried again", || {
        let now = [&masto, &s3, &dav].map(Mute::connections);
        mails.mails().len() == 1
            && runs(&folder) == 2
            && now.iter().zip(before).all(|(now, before)| *now > before)
    });
    assert_eq!(mails.mails()[0].id(), format!("{}@example.com", cut["mail"].1));
    let after = deliveries(&server);
    for (destination, (_, id)) in &cut {
        assert_eq!(&after[destination].1, id, "{destination}");
    }
    // What comes after it in order shows that it came once.
    assert!(email(&server, &["x@y.z"], "two", &[2]).contains("succ"));
    let taken = receiver.wait_for(2);
    assert_eq!(taken.iter().map(crate::seen).collect::<Vec<_>>(), ["one []", "two []"]);
    wait_until("the second mail is there", || mails.mails().len() == 2);
}

/// What is answered a moment after the order to stop is not asked for again.
#[test]
fn a_peer_that_answers_soon_is_waited_for() {
    let (let_go, held) = mpsc::channel::<()>();
    let receiver = Receiver::judging(move |_| {
        let _ = held.recv_timeout(Duration::from_secs(20));
        Deed::Take
    });
    let mut server = Server::start(Some(&config(&receiver, "")));
    assert!(email(&server, &["x@y.z"], "one", &[1]).contains("succ"));
    wait_until("the delivery is under way", || receiver.asked().len() == 1);
    server.signal_stop();
    server.log_with("stopping");
    let_go.send(()).unwrap();
    assert_eq!(ended(&mut server).code(), Some(0));
    let server = server.again();
    let_go.send(()).unwrap();
    assert!(email(&server, &["x@y.z"], "two", &[2]).contains("succ"));
    let taken = receiver.wait_for(2);
    assert_eq!(taken.iter().map(crate::seen).collect::<Vec<_>>(), ["one []", "two []"]);
}

/// A program that ends in order when it is asked to has done its work.
#[test]
fn a_program_is_asked_to_end_before_it_is_killed() {
    let mut server = Server::start(Some(
        "[users.\"me@example.com\"]\n[routes]\nemail = \"program\"\n\
         [destinations.program]\ntype = \"command\"\nargv = [\"/bin/sh\", \"program.sh\"]\n",
    ));
    let folder = server.folder.path().to_owned();
    let orderly = "trap 'echo end >> ends; exit 0' TERM; echo run >> runs\n\
                   while :; do sleep 0.05; done\n";
    std::fs::write(folder.join("program.sh"), orderly).unwrap();
    assert!(email(&server, &["x@y.z"], "one", &[1, 2]).contains("succ"));
    wait_until("the program runs", || runs(&folder) == 1);
    server.signal_stop();
    assert_eq!(ended(&mut server).code(), Some(0));
    assert_eq!(std::fs::read_to_string(folder.join("ends")).unwrap(), "end\n");
    std::fs::write(folder.join("program.sh"), "echo run >> runs\n").unwrap();
    let server = server.again();
    wait_until("the post is delivered", || deliveries(&server)["program"].0 == "delivered");
    assert_eq!(runs(&folder), 2, "once for each file");
}

/// Deliveries are cut off, cameras are not.
#[test]
fn an_upload_is_finished_while_deliveries_are_cut_off() {
    let hook = Mute::new();
    let mut server = Server::start(Some(&format!(
        "[users.f]\n[users.\"me@example.com\"]\n[routes]\nsocial = \"hook\"\nemail = \"hook\"\n\
         [destinations.hook]\ntype = \"webhook\"\nurl = \"http://{}/\"\n",
        hook.address
    )));
    assert!(email(&server, &["x@y.z"], "one", &[1]).contains("succ"));
    wait_until("the delivery is under way", || hook.connections() == 1);
    let session = server.login();
    let upload = put(&session, "SLOW.JPG", &photo(2));
    let (beginning, end) = upload.split_at(upload.len() - 3);
    let mut stream = server.connect();
    stream.write_all(beginning).unwrap();
    server.wait_for_uploads(1);
    server.signal_stop();
    server.log_with("cut off");
    assert!(server.child.try_wait().unwrap().is_none(), "an upload is under way");
    stream.write_all(end).unwrap();
    assert!(answer(&mut stream).contains("succ"));
    let status = ended(&mut server);
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    assert_eq!(server.photos().len(), 2);
}
