//! What is no picture or video by its bytes stays behind, and nobody has to find that out alone.

use crate::camera::{announce, email_with, logout, photo, share};
use crate::harness::{Server, put, wait_until};
use crate::peer::{Nature, Peer};
use crate::queue::queue;
use crate::receiver::Receiver;
use crate::{config, seen};

fn script(name: &str) -> (String, Vec<u8>) {
    (name.to_owned(), format!("#!/bin/sh\n# {name}\n").into_bytes())
}

fn picture(number: u32) -> (String, Vec<u8>) {
    (format!("{number}.JPG"), photo(number))
}

/// The lines of `queue list` that name a destination.
fn listed(server: &Server, destination: &str) -> Vec<String> {
    let (_, list) = queue(server, &["list"]);
    let named = format!("  {destination}  ");
    list.lines().filter(|line| line.contains(&named)).map(str::to_owned).collect()
}

fn number(line: &str) -> String {
    line.split_whitespace().next().unwrap().to_owned()
}

/// Nobody gets words where a picture was meant: the post waits for a person, at every kind of
/// destination, and holds nothing back there.
#[test]
fn a_post_that_has_lost_all_of_its_files_waits_for_a_person() {
    let (receiver, mails) = (Receiver::willing(), Peer::new(Nature::default()));
    // Nothing is sent to it: whoever tried would be counted as an attempt.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let all = "[\"hook\", \"masto\", \"mail\", \"folder\", \"each\", \"once\"]";
    let text = config(&receiver, "").replace("email = \"hook\"", &format!("email = {all}"));
    let text = format!(
        "{text}[destinations.masto]\ntype = \"mastodon\"\nserver = \"http://{nobody}\"\ntoken = \"t\"\n\
         [destinations.mail]\ntype = \"email\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"relay@example.com\"\n\
         [destinations.folder]\ntype = \"store\"\npath = \"stored\"\ntemplate = \"{{file}}\"\n\
         [destinations.each]\ntype = \"command\"\nargv = [\"/bin/sh\", \"-c\", \"echo run >> each\"]\n\
         [destinations.once]\nextends = \"each\"\nper = \"post\"\n\
         argv = [\"/bin/sh\", \"-c\", \"echo run >> once\"]\n",
        mails.address.port()
    );
    let server = Server::start(Some(&text));
    let folder = server.folder.path().to_owned();
    assert!(email_with(&server, &["x@y.z"], "words", &[script("a.jpg")]).contains("succ"));
    // A camera's retry of a lost answer is none here either.
    assert!(email_with(&server, &["x@y.z"], "words", &[script("a.jpg")]).contains("succ"));
    let log = server.log_with("not delivered, waits for you");
    assert!(log.contains("receipt=1") && log.contains("it stays behind"), "{log}");
    assert_eq!(server.photos().len(), 1, "it is kept");
    let kinds = ["hook", "masto", "mail", "folder", "each", "once"];
    for destination in kinds {
        let [line] = &listed(&server, destination)[..] else { panic!("{destination}") };
        let state = "0 files (1 left behind), 0 attempts: its only file is no picture or video";
        assert!(line.contains("  failed  ") && line.contains(state), "{line}");
    }
    let hook = number(&listed(&server, "hook")[0]);
    let (_, shown) = queue(&server, &["show", &hook]);
    let left =
        "me@example.com/a.jpg (receipt 1, sent as \"a.jpg\"): no picture or video by its bytes";
    assert!(shown.contains("left behind ") && shown.contains(left), "{shown}");

    // What comes after it goes out; all but masto have a peer.
    assert!(email_with(&server, &["x@y.z"], "a picture", &[picture(1)]).contains("succ"));
    assert_eq!(seen(&receiver.wait_for(1)[0]), "a picture []");
    let lines =
        |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default().lines().count();
    wait_until("it is everywhere", || {
        mails.mails().len() == 1
            && folder.join("stored/1.JPG").exists()
            && (lines("each"), lines("once")) == (1, 1)
    });
    assert_eq!(std::fs::read_dir(folder.join("stored")).unwrap().count(), 1);

    // Only who names it sends the words alone.
    let (code, said) = queue(&server, &["retry"]);
    assert_eq!((code, said.as_str()), (Some(0), "1 tried again\n"), "that is masto's picture");
    assert_eq!(queue(&server, &["retry", &hook]).0, Some(0));
    let taken = receiver.wait_for(2);
    assert_eq!(taken[1]["data"]["text"], "words");
    assert_eq!(taken[1]["data"]["files"], serde_json::json!([]));
    assert!(listed(&server, "hook").is_empty());
    let mail = number(&listed(&server, "mail")[0]);
    assert_eq!(queue(&server, &["drop", &mail]).0, Some(0));
    assert!(listed(&server, "mail").is_empty());
    assert_eq!((mails.mails().len(), listed(&server, "folder").len()), (1, 1));
}

/// The others go out, each with the alt text that was typed for it.
#[test]
fn what_stays_behind_keeps_nothing_else_and_is_shown() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "")));
    let files = [picture(1), script("b.jpg"), picture(3)];
    assert!(email_with(&server, &["x@y.z"], "t~one~two~three", &files).contains("succ"));
    assert_eq!(seen(&receiver.wait_for(1)[0]), "t [one|three]");
    let delivered = || queue(&server, &["list", "--all"]).1;
    wait_until("the delivery is noted", || delivered().contains("delivered"));
    let list = delivered();
    assert!(list.contains("2 files (1 left behind), 1 attempts"), "{list}");
    let (_, shown) = queue(&server, &["show", &number(&list)]);
    assert!(shown.contains("sent as \"b.jpg\"): no picture or video by its bytes"), "{shown}");
    let log = server.log_with("it stays behind");
    assert!(!log.contains("waits for you"), "{log}");
}

/// A destination that requires alt texts gets two posts where there are too few, if each has a picture.
#[test]
fn no_second_post_is_made_of_what_stays_behind() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "alt_text = \"required\"\n")));
    for (text, files) in [
        ("t~one", [picture(1), script("b.jpg")]),
        ("u~one", [script("b.jpg"), picture(2)]),
        ("v~one", [picture(3), picture(4)]),
    ] {
        assert!(email_with(&server, &["x@y.z"], text, &files).contains("succ"));
    }
    let taken: Vec<String> = receiver.wait_for(4).iter().map(seen).collect();
    assert_eq!(taken, ["t [one]", "u []", "v [one]", "v []"]);
    wait_until("all are noted", || queue(&server, &["list"]).1.starts_with("nothing waits"));
    let (_, list) = queue(&server, &["list", "--all"]);
    assert_eq!(list.matches("1 files (1 left behind)").count(), 2, "{list}");
}

/// Posts to sites are made of files that come one by one.
#[test]
fn a_social_post_of_which_nothing_is_a_picture_waits_for_a_person() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "")));
    let session = server.login();
    for name in ["a.jpg", "b.jpg"] {
        assert!(announce(&server, &session, name, "t").contains("ResourceID"));
        assert!(server.exchange(&put(&session, name, &script(name).1)).contains("succ"));
    }
    logout(&server, &session);
    let log = server.log_with("not delivered, waits for you");
    assert!(log.contains("none of its 2 files is a picture or video"), "{log}");
    let [line] = &listed(&server, "hook")[..] else { panic!("one post") };
    assert!(line.contains("0 files (2 left behind), 0 attempts"), "{line}");

    let session = server.login();
    assert!(announce(&server, &session, "c.jpg", "u~one~two").contains("ResourceID"));
    assert!(server.exchange(&put(&session, "c.jpg", &script("c.jpg").1)).contains("succ"));
    share(&server, &session, 2, "u~one~two");
    logout(&server, &session);
    assert_eq!(seen(&receiver.wait_for(1)[0]), "u [two]");
    assert_eq!(listed(&server, "hook").len(), 1, "no second one waits");
}
