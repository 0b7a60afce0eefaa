//! kill -9 between any two steps: every post whose photo was acknowledged arrives, and arrives once but
//! for the window between the peer's acceptance and our record. What is stored is there once in any case.

use crate::camera::{email, photo};
use crate::config;
use crate::harness::{Server, wait_until};
use crate::queue::queue;
use crate::receiver::{Deed, Receiver};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::time::Duration;

/// How often the server is killed.
const KILLS: u32 = 30;

#[test]
fn every_acknowledged_post_arrives_however_often_the_server_is_killed() {
    let mut calls = fastrand::Rng::with_seed(7);
    let receiver = Receiver::judging(move |_| match calls.u8(..40) {
        0 => Deed::Refuse(503, ""),
        1 => Deed::CutBody,
        _ => Deed::Take,
    });
    let folder = "[destinations.folder]\ntype = \"store\"\npath = \"stored\"\n\
                  template = \"{file}\"\nsidecar = true\n";
    let text =
        config(&receiver, folder).replace("email = \"hook\"", "email = [\"hook\", \"folder\"]");
    let mut server = Server::start(Some(&text));
    let mut moments = fastrand::Rng::with_seed(11);
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        let address = server.address;
        let sender = std::thread::spawn(move || {
            // Until the server dies under it.
            (0..500).map_while(|n| sent(address, round * 1000 + n)).collect::<Vec<_>>()
        });
        std::thread::sleep(Duration::from_millis(moments.u64(20..300)));
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        acknowledged.extend(sender.join().unwrap());
        server = server.again();
    }
    assert!(!acknowledged.is_empty());
    assert!(email(&server, &["x@y.z"], "last", &[99_999]).contains("succ"));
    let arrived = || {
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for post in receiver.taken() {
            let text = post["data"]["text"].as_str().unwrap().to_owned();
            ids.entry(text).or_default().insert(post["data"]["id"].as_str().unwrap().to_owned());
        }
        ids
    };
    // In order: when the last has arrived, all have.
    for _ in 0..18 {
        if arrived().contains_key("last") {
            break;
        }
        std::thread::sleep(Duration::from_secs(5));
    }
    let arrived = arrived();
    let taken = receiver.taken().len();
    let lost: Vec<_> = acknowledged.iter().filter(|text| !arrived.contains_key(*text)).collect();
    println!(
        "acknowledged {}, arrived {} in {taken} deliveries, lost {}",
        acknowledged.len(),
        arrived.len(),
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    for (text, ids) in &arrived {
        assert_eq!(ids.len(), 1, "{text} was posted twice");
    }
    for post in receiver.taken() {
        let Some(number) = post["data"]["text"].as_str().unwrap().strip_prefix("post ") else {
            continue;
        };
        let files = post["data"]["files"].as_array().unwrap();
        let sha256 = hex(&Sha256::digest(photo(number.parse().unwrap())));
        let theirs: Vec<_> = files.iter().map(|file| file["sha256"].as_str().unwrap()).collect();
        assert_eq!(theirs, [sha256], "post {number}");
    }
    // A kill can hit the window once.
    let windows = usize::try_from(KILLS).unwrap();
    assert!(taken <= arrived.len() + windows, "{taken} deliveries of {} posts", arrived.len());

    // In the folder a retry finds what is there: no photo twice, no half of one, no hidden rest.
    let stored = || -> BTreeMap<String, Vec<u8>> {
        let folder = std::fs::read_dir(server.folder.path().join("stored")).unwrap();
        let file = |entry: std::fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        };
        folder.map(|entry| file(entry.unwrap())).collect()
    };
    wait_until("nothing is left to deliver", || queue(&server, &["list"]).1.starts_with("nothing"));
    let stored = stored();
    let photos: Vec<&Vec<u8>> =
        stored.iter().filter(|(name, _)| name.ends_with(".JPG")).map(|(_, bytes)| bytes).collect();
    let different: BTreeSet<&Vec<u8>> = photos.iter().copied().collect();
    assert_eq!(photos.len(), different.len(), "none is there twice");
    assert_eq!(photos.len(), arrived.len(), "all that arrived are there");
    assert_eq!(stored.len(), 2 * photos.len(), "{:?}", stored.keys());
    for text in acknowledged {
        let number = text.strip_prefix("post ").unwrap().parse().unwrap();
        assert!(different.contains(&photo(number)), "{text}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends an e-mail of its own text; the text, if the server has acknowledged it.
fn sent(address: std::net::SocketAddr, number: u32) -> Option<String> {
    let text = format!("post {number}");
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n\
         <email><sender>me@example.com</sender><receiverList><receiver>x@y.z</receiver>\
         </receiverList><title>t</title><body>{text}</body></email>\r\n\
         --B\r\nContent-Disposition: form-data; name=\"binary\"; filename=\"a.JPG\"\r\n\r\n"
    );
    let body = [body.as_bytes(), &photo(number), b"\r\n--B--\r\n"].concat();
    let head = format!(
        "POST /social/columbus/email HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.contains("succ").then_some(text)
}
