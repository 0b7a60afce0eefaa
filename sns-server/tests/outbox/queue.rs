//! What goes wrong on the way: tried again, in order, or set aside for a person.

use crate::camera::{email, logout, share};
use crate::harness::{Server, wait_until};
use crate::receiver::{Deed, Receiver};
use crate::{config, seen};
use std::process::Command;

/// `sns-server queue …` beside the running server.
pub(crate) fn queue(server: &Server, arguments: &[&str]) -> (Option<i32>, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_sns-server"))
        .arg("--config")
        .arg(server.folder.path().join("config.toml"))
        .arg("--data-dir")
        .arg(server.folder.path().join("data"))
        .arg("queue")
        .args(arguments)
        .output()
        .unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(text).unwrap())
}

fn post(server: &Server, text: &str) {
    assert!(email(server, &["x@y.z"], text, &[1]).contains("succ"));
}

#[test]
fn every_transient_fault_ends_in_one_delivery_and_keeps_the_order() {
    for deed in [
        Deed::Refuse(500, ""),
        Deed::Refuse(503, ""),
        Deed::Refuse(408, ""),
        Deed::Refuse(429, "Retry-After: 1\r\n"),
        Deed::CutBody,
    ] {
        let receiver = Receiver::at_first([deed]);
        let server = Server::start(Some(&config(&receiver, "")));
        ["one", "two", "three"].iter().for_each(|text| post(&server, text));
        let taken = receiver.wait_for(3);
        assert_eq!(taken.iter().map(seen).collect::<Vec<_>>(), ["one []", "two []", "three []"]);
        let asked = receiver.asked();
        assert_eq!(asked.len(), 4, "{deed:?}: {asked:?}");
        assert_eq!(asked[0], asked[1], "{deed:?}: a retry has the same id");
    }
}

/// The peer has it and we do not know: the one duplicate that cannot be avoided, with the same id.
#[test]
fn an_answer_that_is_lost_is_asked_for_again_under_the_same_id() {
    let receiver = Receiver::at_first([Deed::TakeAndCut]);
    let server = Server::start(Some(&config(&receiver, "")));
    post(&server, "one");
    let taken = receiver.wait_for(2);
    assert_eq!(taken[0]["data"]["id"], taken[1]["data"]["id"]);
    assert_eq!(taken[0]["data"], taken[1]["data"]);
}

#[test]
fn a_permanent_fault_waits_for_a_person_and_holds_nothing_back() {
    let receiver = Receiver::at_first([Deed::Refuse(422, ""), Deed::Refuse(422, "")]);
    let server = Server::start(Some(&config(&receiver, "")));
    ["one", "two", "three"].iter().for_each(|text| post(&server, text));
    assert_eq!(seen(&receiver.wait_for(1)[0]), "three []");
    let log = server.log_with("sns-server queue retry");
    assert!(log.contains("422"), "{log}");
    let (code, list) = queue(&server, &["list"]);
    assert_eq!(code, Some(0));
    assert_eq!(list.lines().filter(|line| line.contains("failed  hook")).count(), 2, "{list}");
    let (_, all) = queue(&server, &["list", "--all"]);
    assert_eq!(all.lines().filter(|line| line.contains("delivered  hook")).count(), 1, "{all}");
    let number = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let failed: Vec<String> = list.lines().map(number).collect();
    let (_, shown) = queue(&server, &["show", &failed[0]]);
    assert!(shown.contains("text one") && shown.contains("1.JPG"), "{shown}");
    let (code, dropped) = queue(&server, &["drop", &failed[0]]);
    assert_eq!((code, dropped.as_str()), (Some(0), "1 given up; the photos stay where they are\n"));
    // The running server notices by itself.
    let (code, _) = queue(&server, &["retry", &failed[1]]);
    assert_eq!(code, Some(0));
    assert_eq!(seen(&receiver.wait_for(2)[1]), "two []");
    wait_until("the queue is empty", || queue(&server, &["list"]).1.starts_with("nothing waits"));
    assert_eq!(queue(&server, &["retry", "99"]).0, Some(1));
    assert_eq!(server.photos().len(), 1, "what was dropped stays");
}

#[test]
fn without_an_uplink_everything_waits_through_restarts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let text = format!(
        "[users.f]\n[users.\"me@example.com\"]\n[routes]\nsocial = \"hook\"\nemail = \"hook\"\n\
         [destinations.hook]\ntype = \"webhook\"\nurl = \"http://{address}/\"\n"
    );
    let mut server = Server::start(Some(&text));
    let session = server.login();
    share(&server, &session, 1, "social");
    logout(&server, &session);
    post(&server, "mail");
    server.log_with("not delivered, tried again");
    assert!(server.terminate().success());
    let mut server = server.again();
    server.log_with("not delivered, tried again");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let receiver = Receiver::on(std::net::TcpListener::bind(address).unwrap(), |_| Deed::Take);
    let _server = server.again();
    let taken: Vec<String> = receiver.wait_for(2).iter().map(seen).collect();
    assert_eq!(taken, ["social []", "mail []"]);
}

#[test]
fn a_destination_that_is_slow_does_not_hold_back_another() {
    let slow = Receiver::judging(|_| Deed::Refuse(503, ""));
    let quick = Receiver::willing();
    let further =
        format!("[destinations.quick]\ntype = \"webhook\"\nurl = \"http://{}/\"\n", quick.address);
    let text = config(&slow, &further).replace("email = \"hook\"", "email = [\"hook\", \"quick\"]");
    let server = Server::start(Some(&text));
    ["one", "two"].iter().for_each(|text| post(&server, text));
    let taken: Vec<String> = quick.wait_for(2).iter().map(seen).collect();
    assert_eq!(taken, ["one []", "two []"]);
    assert_eq!(slow.taken().len(), 0);
}

#[test]
fn delivered_photos_go_after_their_time_and_others_never() {
    let receiver = Receiver::at_first([Deed::Refuse(422, "")]);
    let retention = "[retention]\nkeep_delivered = \"0s\"\n";
    let mut server = Server::start(Some(&config(&receiver, retention)));
    assert!(email(&server, &["x@y.z"], "fails", &[1]).contains("succ"));
    assert!(email(&server, &["x@y.z"], "arrives", &[2]).contains("succ"));
    receiver.wait_for(1);
    let stays = server.login();
    share(&server, &stays, 3, "still open");
    assert_eq!(server.photos().len(), 3);
    assert!(server.terminate().success());
    let server = server.again();
    wait_until("the delivered photo is gone", || server.photos().len() == 2);
    assert_eq!(
        server.photos().keys().collect::<Vec<_>>(),
        ["f/SAM_0003.JPG", "me@example.com/1.JPG"]
    );
    // It may come again.
    assert!(email(&server, &["x@y.z"], "again", &[2]).contains("succ"));
    assert_eq!(seen(&receiver.wait_for(2)[1]), "again []");
}

/// What lies under the name of a delivered photo may be another one by now.
#[test]
fn retention_removes_what_was_delivered_and_nothing_else_in_its_place() {
    let receiver = Receiver::at_first([Deed::Take, Deed::Refuse(422, "")]);
    let retention = "[retention]\nkeep_delivered = \"0s\"\n";
    let text =
        config(&receiver, retention).replace("[routes]", "[routes]\n\"drop@y.z\" = \"drop\"");
    let mut server = Server::start(Some(&text));
    assert!(email(&server, &["x@y.z"], "arrives", &[1]).contains("succ"));
    receiver.wait_for(1);
    let photos = server.folder.path().join("data/photos/me@example.com");
    std::fs::rename(photos.join("1.JPG"), photos.join("moved by its owner.jpg")).unwrap();
    std::fs::write(photos.join("1.JPG"), b"another photo of the owner's").unwrap();
    assert!(email(&server, &["drop@y.z"], "dropped", &[2]).contains("succ"));
    assert!(server.terminate().success());
    let server = server.again();
    server.log_with("something else lies there now");
    let left: Vec<String> = server.photos().into_keys().collect();
    let names = ["1.JPG", "2.JPG", "moved by its owner.jpg"];
    assert_eq!(left, names.map(|name| format!("me@example.com/{name}")));
}
