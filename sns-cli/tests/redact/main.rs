//! `sns-cli decode --redact`: nothing of a person's is left in what is shared.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod frames;
mod planted;

use planted::Planter;
use proptest::collection::vec;
use proptest::prelude::*;
use samsung_sns::crypto::CryptSessionKey;
use samsung_sns::crypto::credential::{open, seal};
use samsung_sns::message::auth::LoginAnswer;
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};
use samsung_sns::message::sso::AllShareLogin;
use samsung_sns::{camera, endpoint::Site};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What `--redact` leaves of these bytes, in both forms.
fn redacted(bytes: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture");
    std::fs::write(&file, bytes).unwrap();
    redacted_file(&file)
}

fn redacted_file(file: &Path) -> Vec<String> {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
        let output = command.arg("decode").args(arguments).arg(file).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    vec![run(&["--redact"]), run(&["--redact", "--json"])]
}

fn assert_hidden(texts: &[String], secrets: &[&str]) {
    for text in texts {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret:?} is left in:\n{text}");
        }
        assert!(text.contains("<text-1"), "{text}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const SESSION: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn nothing_of_a_login_is_left() {
    let key = CryptSessionKey::from_bytes(std::array::from_fn(|i| 0x90 + i as u8));
    let (user, password) =
        (seal(&key, "anna@example.org").unwrap(), seal(&key, "hunter2 & more").unwrap());
    assert_eq!(open(&key, &user).unwrap().as_str(), "anna@example.org");
    let camera_key = "ab12".repeat(64);
    let login = |user: &str, method: &str| {
        format!(
            "<?xml version=\"1.0\"?><Request Method=\"{method}\" CameraCryptKey=\"{camera_key}\">\
             <UserName Value=\"{user}\"/><Password Value=\"{password}\"/>\
             ld-buffer-of-anna\"/><anna-left-this one=\"leftover1\"/><Note>hidden note</Note>\
             <CryptSessionKey Use=\"true\" Type=\"SHA1\" Value=\"{}\"/>\
             <ApplicationKey Value=\"6a563c3967f147d3adfa454ef913535d\"/></Request>",
            key.to_base64()
        )
    };
    let base64 = key.to_base64();
    let plain_base64 = user.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let (hex_upper, hex_lower) = (hex(key.as_bytes()).to_uppercase(), hex(key.as_bytes()));
    let secrets = [
        "anna",
        "example.org",
        "hunter2",
        &user,
        &password,
        &plain_base64,
        &base64,
        base64.trim_end_matches('='),
        &hex_lower,
        &hex_upper,
        &camera_key,
        "6a563c3967f147d3adfa454ef913535d",
        "ld-buffer",
        "leftover1",
        "hidden note",
        "Note",
    ];
    // Understood; refused for its user; refused for its method, which is somebody's name.
    for (user, method) in [(user.as_str(), "login"), ("%zz-anna", "login"), (&user, "anna")] {
        let xml = login(user, method);
        let request = format!(
            "POST http://anna.example.org/facebook/auth HTTP/1.1\r\nAuthorization: Basic anna\r\n\
             Cookie: anna\r\nX-Owner: anna\r\nAnna-Header: x\r\nContent-Length: {}\r\n\r\n{xml}",
            xml.len()
        );
        let texts = redacted(request.as_bytes());
        let texts: Vec<String> =
            texts.into_iter().map(|t| t.replace("Anna-Header", "anna")).collect();
        assert_hidden(&texts, &secrets);
        assert!(texts[0].contains("site: facebook"), "{}", texts[0]);
        assert_hidden(&redacted(xml.as_bytes()), &secrets);
    }
}

/// Not even how long it is, wherever it stands.
#[test]
fn the_length_of_a_password_is_not_told() {
    let (password, basic) = ("hunter2-and-more", "YW5uYTpodW50ZXIyLWFuZC1tb3Jl");
    let xml = ["<PASSWORD Value=\"P\"/>", "<Password value=\"P\"/>", "<user PassWord=\"P\"/>"];
    let xml = format!("<Request Method=\"login\">{}</Request>", xml.concat());
    let xml = xml.replace("\"P\"", &format!("\"{password}\""));
    let request = format!(
        "POST /facebook/auth?Password={password} HTTP/1.1\r\nHost: x\r\n\
         Authorization: Basic {basic}\r\nReferer: http://anna:{password}@nas.example/\r\n\
         Cookie: password={password}\r\nContent-Length: {}\r\n\r\n{xml}",
        xml.len()
    );
    for text in [redacted(xml.as_bytes()), redacted(request.as_bytes())].concat() {
        for told in [password, basic, "16 bytes", "21 bytes", "28 bytes"] {
            assert!(!text.contains(told), "{told:?} is left in:\n{text}");
        }
        assert!(text.contains("<password-1>"), "{text}");
    }
}

#[test]
fn nothing_of_a_post_is_left() {
    let site = Site::new("facebook");
    let announce = Announce {
        session_key: SESSION.to_owned(),
        media: Media::Video { category: Some("Anna".into()), owner_id: Some("anna9".into()) },
        file_name: "Birthday of Anna.mp4".to_owned(),
        content: "Look, Anna is five!".to_owned(),
    };
    let secrets = [SESSION, "Anna", "anna9", "Birthday", "five"];
    assert_hidden(&redacted(&camera::announce(&site, &announce)), &secrets);
    let head = camera::upload_head(&format!("upload/{SESSION}/Anna.jpg"), "image/jpeg", 3);
    assert_hidden(&redacted(&[&head[..], b"abc"].concat()), &secrets);
    let head = camera::upload_head(&format!("upload/{SESSION}/SAM_0001.JPG"), "image/jpeg", 3);
    let texts = redacted(&head);
    assert_hidden(&texts, &secrets);
    let target = "/upload/<text-1, 32 bytes>/<text-2, 8 bytes>.JPG";
    assert!(texts[0].contains(target), "{}", texts[0]);
    let answer = |body: String| redacted(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes());
    let login = LoginAnswer { session_key: SESSION.into(), screen_name: "Anna Five".into() };
    assert_hidden(&answer(login.to_answer().body), &["Five", "Anna", SESSION]);
    let announce = AnnounceAnswer::new(SESSION, "Anna.jpg");
    assert_hidden(&answer(announce.to_answer().body), &secrets);
    let refusal = "<Response ErrCode=\"401\" ErrSubCode=\"0\" /><!-- Anna may not -->".to_owned();
    assert_hidden(&answer(refusal), &secrets);
}

#[test]
fn nothing_of_an_email_is_left() {
    let email = Email {
        sender: "Anna Five <anna@example.org>".into(),
        recipients: vec!["granny@example.net".into(), "uncle@example.com".into()],
        title: "From Anna".into(),
        body: "five candles".into(),
    };
    let file = camera::Attachment {
        file_name: "Anna.JPG".into(),
        media_type: "image/jpeg".into(),
        length: 4,
    };
    let request = camera::email(&email, "987654321000", &[file]);
    let bytes = [&request.opening[..], &request.part_heads[0], b"JPEG", &request.closing].concat();
    let secrets = ["Anna", "anna", "Five", "granny", "uncle", "example.", "five", "987654321000"];
    assert_hidden(&redacted(&bytes), &secrets);
    assert_hidden(&redacted(&bytes[..bytes.len() - 60]), &secrets);
    let allshare =
        AllShareLogin { login_id: "anna@example.org".into(), password: "five5".to_owned().into() };
    assert_hidden(&redacted(allshare.to_xml().as_bytes()), &secrets);
}

#[test]
fn nothing_secret_of_testdata_is_left() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let mut folders: Vec<PathBuf> =
        ["captured", "reconstructed", "malformed"].map(|folder| testdata.join(folder)).into();
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
                continue;
            } else if name.ends_with(".json")
                || name.ends_with(".failed")
                || name.contains("README")
            {
                continue;
            }
            count += 1;
            for text in redacted_file(&path) {
                for secret in [
                    "7xKPwb19QdFKzsjsrQx62g",
                    "U%2BK0X1QnWUv4tkvrrtQ0aQ",
                    "U+K0X1QnWUv4tkvrrtQ0aQ",
                    "uFK%2Fz%2BkEchpulalnJr1rBw",
                    "ob7Ue7q",
                    "/////xAAwKRSAQAA",
                    "//////S3mbZSAQAA",
                    "ffffffff1000c0a4",
                    "844e7f0fadf4ba1c",
                    "58a4c8161c8aa7b1",
                    "6a563c3967f147d3",
                    "123456789033",
                    "4p4uaaq",
                    "a@b",
                    "Camera@",
                    "sent you files",
                    "Sent from",
                    "me@example.com",
                    "me%40example.com",
                    "p%w",
                    "p%25w",
                    "alt one",
                    "xxx",
                    "eee",
                    "Travel",
                    "\"Sea\"",
                    "text: Sea",
                ] {
                    assert!(!text.contains(secret), "{name}: {secret:?} is left in:\n{text}");
                }
            }
        }
    }
    assert!(count > 30, "only {count} files");
}

#[test]
fn neither_a_file_nor_its_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("anna-private");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(inner.join("10.0.0.7.80.xml"), "<x/>").unwrap();
    for file in ["10.0.0.7.80.xml", "10.0.0.7.missing.xml"] {
        for text in redacted_file(&inner.join(file)) {
            assert!(text.contains("<file-1>"), "{text}");
            assert!(!text.contains("10.0.0.7") && !text.contains("anna-private"), "{text}");
        }
    }
}

/// Any text that somebody would not like to see in public.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{9,14}",
        "[A-Z][a-z]{8,12}",
        "[0-9]{9,19}",
        "[jqxz]{5,7}",
        "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{12}",
        "([0-9]{2}:){5}[0-9]{2}",
        "[0-9a-f]{16,40}",
        "[a-z]{8,10} [a-z]{8,10}",
        "[A-Za-z0-9+/]{22}==",
        "[a-z]{8,9}@[a-z]{8,9}\\.example",
        "[a-z]{8,9}\\.[a-z]{8,9}\\.example",
        "[äöüßéèñøåæœçđłšž]{7,9}",
        "[가나다라마바사아자차카타파하]{6,8}",
        "[A-Z]{8,10}_[0-9]{4}\\.JPG",
        "(192\\.168|10\\.1[0-9]{2}|172\\.2[0-9]|8[0-9]\\.1[0-9]{2})\\.1[0-9]{2}\\.1[0-9]{2}",
        "(2001|fd1[0-9]):db8:[1-9a-f]{4}:[1-9a-f]{4}:[1-9a-f]{4}::[1-9a-f]{4}",
    ]
}

/// The pieces of a secret that would give it away.
fn pieces(secret: &str) -> Vec<String> {
    let mut pieces = vec![secret.to_owned(), secret.replace(' ', "%20")];
    if secret.parse::<std::net::IpAddr>().is_ok() {
        let tail = secret.match_indices(['.', ':']).nth_back(1).unwrap().0;
        pieces.push(secret[tail..].to_owned());
    }
    let words = secret.split(|c: char| !c.is_alphanumeric());
    pieces.extend(
        words.filter(|word| word.chars().count() >= 6 && word.len() >= 8).map(str::to_owned),
    );
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_planted_anywhere_comes_up(
        secrets in vec(secret(), 60),
        mask in vec(prop::bool::weighted(0.4), 211),
        (client, server) in prop_oneof![
            (any::<[u8; 3]>(), any::<[u8; 3]>()).prop_map(|(a, b)| (
                IpAddr::from([192, 100 | a[0], 100 | a[1], 100 | a[2]]),
                IpAddr::from([10, 100 | b[0], 100 | b[1], 100 | b[2]]),
            )),
            (any::<[u16; 3]>(), any::<[u16; 3]>()).prop_map(|(a, b)| (
                IpAddr::from([0x2a00, a[0] | 0x1111, a[1] | 0x1111, 0, 0, 0, 0, a[2] | 0x1111]),
                IpAddr::from([0xfd00, b[0] | 0x1111, b[1] | 0x1111, 0, 0, 0, 0, b[2] | 0x1111]),
            )),
        ],
        macs in any::<[[u8; 6]; 2]>(),
    ) {
        let mut planter = Planter::new(secrets, mask);
        let pairs = planted::conversation(&mut planter);
        let mut hidden: Vec<String> = planter.planted.iter().flat_map(|s| pieces(s)).collect();
        for address in [client, server] {
            hidden.extend(pieces(&address.to_string()));
        }
        for mac in macs {
            hidden.push(mac.map(|byte| format!("{byte:02x}")).join(":"));
        }
        hidden.push("owner-of-it".to_owned());

        let folder = tempfile::tempdir().unwrap();
        let mut files = vec![folder.path().join("owner-of-it.pcap")];
        std::fs::write(&files[0], frames::capture(&pairs, client, server, macs)).unwrap();
        for (number, bytes) in pairs.iter().flat_map(|(request, answer)| [request, answer]).enumerate() {
            files.push(folder.path().join(format!("owner-of-it-{number}")));
            std::fs::write(files.last().unwrap(), bytes).unwrap();
        }
        let bare = Command::new(env!("CARGO_BIN_EXE_sns-cli"))
            .args(["decode", "--json"])
            .args(&files)
            .output()
            .unwrap();
        let bare = String::from_utf8(bare.stdout).unwrap();
        let shown = planter.planted.iter().filter(|secret| bare.contains(*secret)).count();
        let planted = planter.planted.len();
        prop_assert!(shown * 2 > planted, "only {shown} of {planted} are shown without it");
        for arguments in [&["--redact"][..], &["--redact", "--json", "--extract"]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
            command.arg("decode").args(arguments);
            if arguments.contains(&"--extract") {
                command.arg(folder.path().join("owner-of-it-extracted"));
            }
            let output = command.args(&files).output().unwrap();
            let (told, complained) =
                (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
            prop_assert_eq!(complained, "");
            let lower = told.to_lowercase();
            for secret in &hidden {
                let found = lower.find(&secret.to_lowercase());
                let around = found.map(|at| {
                    let line = lower[..at].matches('\n').count();
                    told.lines().nth(line).unwrap_or_default().to_owned()
                });
                prop_assert_eq!(around, None, "{:?} is left", secret);
            }
            // What it is all about is still there.
            prop_assert!(told.contains("segments") && told.contains("<text-1"));
            if arguments.contains(&"--json") {
                for line in told.lines() {
                    let value: serde_json::Value = serde_json::from_str(line).unwrap();
                    let errors: Vec<String> =
                        SCHEMA.iter_errors(&value).map(|error| error.to_string()).collect();
                    prop_assert!(errors.is_empty(), "{:?} in {}", errors, line);
                }
            }
        }
    }
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/decode.schema.json");
    let schema = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});
