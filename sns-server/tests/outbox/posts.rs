//! Which files make one post, and when it leaves: the table of docs/guide/configuration.md, cell by
//! cell, through the whole server.

use crate::camera::{announce, email, logout, photo, share};
use crate::harness::{Server, put, status};
use crate::receiver::Receiver;
use crate::{config, seen};

/// What the receiver gets of photos shared under one text by a camera that then logs out.
fn social(rule: &str, text: &str, photos: u32) -> Vec<String> {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, &format!("alt_text = \"{rule}\"\n"))));
    let session = server.login();
    (0..photos).for_each(|number| share(&server, &session, number, text));
    logout(&server, &session);
    // One more post, after which everything before it has been delivered.
    assert!(email(&server, &["x@y.z"], "the last~one", &[99]).contains("succ"));
    let all = |taken: &[String]| taken.last().is_some_and(|last| last.starts_with("the last"));
    crate::harness::wait_until("the last post", || {
        all(&receiver.taken().iter().map(seen).collect::<Vec<_>>())
    });
    let mut taken: Vec<String> = receiver.taken().iter().map(seen).collect();
    taken.pop();
    taken
}

#[test]
fn social_posts_are_cut_as_the_table_says() {
    for rule in ["required", "optional"] {
        assert_eq!(social(rule, "t~a~b", 2), ["t [a|b]"], "as many as files, {rule}");
        assert_eq!(social(rule, "t~a", 3), ["t [a]", "t [|]"], "fewer than files, {rule}");
        assert_eq!(social(rule, "t~a~b~c", 2), ["t [a|b]"], "more than files, {rule}");
    }
    assert_eq!(social("optional", "t", 3), ["t [||]"], "none");
}

#[test]
fn where_every_destination_requires_alt_texts_an_announce_without_is_refused_at_once() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "alt_text = \"required\"\n")));
    let session = server.login();
    let refused = announce(&server, &session, "A.JPG", "no alt texts");
    assert_eq!(status(&refused), "400");
    assert!(refused.contains("ErrCode=\"400\"") && refused.contains("text~alt1~alt2"), "{refused}");
    let refused = email(&server, &["x@y.z"], "no alt texts", &[1]);
    assert_eq!(status(&refused), "400");
    assert!(server.photos().is_empty());
    // A file on a live session is never refused: it is kept.
    assert!(server.exchange(&put(&session, "A.JPG", b"\xff\xd8\xff\xe1")).contains("succ"));
    assert_eq!(server.photos().len(), 1);
    share(&server, &session, 1, "t~alt");
    assert_eq!(receiver.wait_for(1).iter().map(seen).collect::<Vec<_>>(), ["t [alt]"]);
}

#[test]
fn one_destination_that_refuses_does_not_stop_another() {
    let receiver = Receiver::willing();
    let strict = "[destinations.strict]\nextends = \"hook\"\nalt_text = \"required\"\n";
    let text =
        config(&receiver, strict).replace("social = \"hook\"", "social = [\"hook\", \"strict\"]");
    let server = Server::start(Some(&text));
    let session = server.login();
    share(&server, &session, 1, "no alt texts");
    logout(&server, &session);
    assert_eq!(receiver.wait_for(1).iter().map(seen).collect::<Vec<_>>(), ["no alt texts []"]);
}

#[test]
fn emails_are_cut_as_the_table_says() {
    for (rule, text, posts) in [
        ("required", "t~a~b", vec!["t [a|b]"]),
        ("required", "t~a", vec!["t [a]", "t []"]),
        ("required", "t~a~b~c", vec!["t [a|b]"]),
        ("optional", "t", vec!["t [|]"]),
        ("optional", "t~a~b", vec!["t [a|b]"]),
        ("optional", "t~a", vec!["t [a|]"]),
        ("optional", "t~a~b~c", vec!["t [a|b]"]),
    ] {
        let receiver = Receiver::willing();
        let server = Server::start(Some(&config(&receiver, &format!("alt_text = \"{rule}\"\n"))));
        assert!(email(&server, &["x@y.z"], text, &[1, 2]).contains("succ"));
        let taken: Vec<String> = receiver.wait_for(posts.len()).iter().map(seen).collect();
        assert_eq!(taken, posts, "{rule} {text}");
    }
}

#[test]
fn a_post_ends_when_it_is_quiet_and_when_the_text_changes() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "quiet = \"700ms\"\n")));
    let session = server.login();
    share(&server, &session, 1, "first");
    share(&server, &session, 2, "first");
    share(&server, &session, 3, "second");
    let taken: Vec<String> = receiver.wait_for(2).iter().map(seen).collect();
    assert_eq!(taken, ["first [|]", "second []"]);
    // The session lives on; what comes now under the same text is a further post.
    share(&server, &session, 4, "second");
    assert_eq!(seen(&receiver.wait_for(3)[2]), "second []");
}

#[test]
fn a_file_keeps_the_words_under_which_it_was_announced() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "")));
    let session = server.login();
    let text = |number: u32| format!("text {number}~alt {number}");
    let name = |number: u32| format!("SAM_{number:04}.JPG");
    for number in 1..=3 {
        assert!(announce(&server, &session, &name(number), &text(number)).contains("ResourceID"));
    }
    for number in [2, 1, 3] {
        let upload = put(&session, &name(number), &photo(number));
        assert!(server.exchange(&upload).contains("succ"));
    }
    logout(&server, &session);
    let mut taken: Vec<String> = receiver.wait_for(3).iter().map(seen).collect();
    taken.sort();
    assert_eq!(taken, ["text 1 [alt 1]", "text 2 [alt 2]", "text 3 [alt 3]"]);
}

#[test]
fn an_upload_under_way_is_not_quiet() {
    use std::io::Write;
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "quiet = \"300ms\"\n")));
    let session = server.login();
    share(&server, &session, 1, "t");
    let slow = put(&session, "SLOW.JPG", &[b"\xff\xd8\xff\xe1".as_slice(), &[7; 1000]].concat());
    let mut stream = server.connect();
    let (beginning, end) = slow.split_at(slow.len() - 10);
    stream.write_all(beginning).unwrap();
    server.wait_for_uploads(1);
    // Four times the quiet time; what would be posted in it would be taken in it.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    assert_eq!(receiver.taken().len(), 0);
    stream.write_all(end).unwrap();
    assert!(crate::harness::answer(&mut stream).contains("succ"));
    assert_eq!(seen(&receiver.wait_for(1)[0]), "t [|]");
}

#[test]
fn a_cameras_retry_of_a_lost_answer_is_not_posted_twice() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "")));
    let session = server.login();
    share(&server, &session, 1, "t");
    share(&server, &session, 1, "t");
    share(&server, &session, 2, "t");
    logout(&server, &session);
    assert_eq!(seen(&receiver.wait_for(1)[0]), "t [|]");
    for text in ["mail", "mail", "another"] {
        assert!(email(&server, &["x@y.z"], text, &[1]).contains("succ"));
    }
    assert!(email(&server, &["other@y.z"], "mail", &[1]).contains("succ"));
    let taken: Vec<String> = receiver.wait_for(4).iter().map(seen).collect();
    assert_eq!(taken, ["t [|]", "mail []", "another []", "mail []"]);
}

#[test]
fn what_is_no_picture_is_kept_and_not_passed_on() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "")));
    let session = server.login();
    assert!(announce(&server, &session, "a.jpg", "t").contains("ResourceID"));
    assert!(server.exchange(&put(&session, "a.jpg", b"#!/bin/sh")).contains("succ"));
    share(&server, &session, 1, "t");
    logout(&server, &session);
    assert_eq!(seen(&receiver.wait_for(1)[0]), "t []");
    assert_eq!(server.photos().len(), 2);
}

/// A server that is killed in the middle of a post makes one post of both halves.
#[test]
fn a_post_goes_on_after_a_restart() {
    let receiver = Receiver::willing();
    let mut server = Server::start(Some(&config(&receiver, "")));
    let session = server.login();
    share(&server, &session, 1, "t~a~b~c");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = server.again();
    share(&server, &session, 2, "t~a~b~c");
    assert_eq!(receiver.taken().len(), 0);
    share(&server, &session, 3, "t~a~b~c");
    assert_eq!(seen(&receiver.wait_for(1)[0]), "t [a|b|c]");
}

/// A camera that announces a file and is switched off does not hold its post back for ever.
#[test]
fn an_announce_without_an_upload_is_waited_for_no_longer_than_quiet() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "quiet = \"500ms\"\n")));
    let session = server.login();
    share(&server, &session, 1, "t");
    assert!(announce(&server, &session, "never.JPG", "t").contains("ResourceID"));
    assert_eq!(seen(&receiver.wait_for(1)[0]), "t []");
    share(&server, &session, 2, "u");
    assert!(announce(&server, &session, "never.JPG", "u").contains("ResourceID"));
    logout(&server, &session);
    assert_eq!(seen(&receiver.wait_for(2)[1]), "u []");
}

/// An upload that breaks off is tried again by its camera, and still belongs to its post.
#[test]
fn an_upload_that_breaks_off_holds_its_post_for_the_retry() {
    let receiver = Receiver::willing();
    let server = Server::start(Some(&config(&receiver, "quiet = \"2s\"\n")));
    let session = server.login();
    share(&server, &session, 1, "t~a~b");
    let second = put(&session, "SAM_0002.JPG", &crate::camera::photo(2));
    for _ in 0..3 {
        let _ = server.break_off(&second[..second.len() - 3]);
        std::thread::sleep(std::time::Duration::from_millis(900));
    }
    assert_eq!(receiver.taken().len(), 0, "it is not quiet");
    assert!(server.exchange(&second).contains("succ"));
    assert_eq!(seen(&receiver.wait_for(1)[0]), "t [a|b]");
}

/// The same e-mail again is a retry only where the first one is on its way.
#[test]
fn an_email_that_went_nowhere_may_come_again() {
    let receiver = Receiver::willing();
    let whole = config(&receiver, "");
    let without = whole.replace("[routes]\nsocial = \"hook\"\nemail = \"hook\"\n", "");
    assert_ne!(whole, without);
    let server = Server::start(Some(&without));
    assert!(email(&server, &["x@y.z"], "mail", &[1]).contains("succ"));
    std::fs::write(server.folder.path().join("config.toml"), &whole).unwrap();
    let pid = server.child.id().to_string();
    let told = std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap();
    assert!(told.success());
    server.log_with("the configuration was read again");
    assert!(email(&server, &["x@y.z"], "mail", &[1]).contains("succ"));
    assert_eq!(seen(&receiver.wait_for(1)[0]), "mail []");
}
