//! `sns-server mastodon-login`.

use crate::instance::Instance;
use crate::world::Flavour;
use sns_server::destination::mastodon::{Keys, Mastodon};
use sns_server::mastodon_login;
use std::io::{BufRead, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A person: reads the page's address, allows it there, and types the code.
struct Person<'a> {
    instance: &'a Instance,
    screen: Arc<Mutex<Vec<u8>>>,
    typed: Option<&'static str>,
    left: Vec<u8>,
}

impl Person<'_> {
    fn allows(&mut self) {
        let screen = String::from_utf8(self.screen.lock().unwrap().clone()).unwrap();
        let page = screen.lines().find(|line| line.contains("/oauth/authorize")).unwrap();
        let page = reqwest::Url::parse(page).unwrap();
        let of = |key: &str| {
            page.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
        };
        assert_eq!(of("response_type").as_deref(), Some("code"));
        assert_eq!(of("redirect_uri").as_deref(), Some("urn:ietf:wg:oauth:2.0:oob"));
        let granted = (of("client_id").unwrap(), of("scope").unwrap());
        self.instance.world().codes.insert("the-code".to_owned(), granted);
        self.left = self.typed.take().unwrap_or_default().as_bytes().to_vec();
    }
}

impl Read for Person<'_> {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        unreachable!("only lines are read")
    }
}

impl BufRead for Person<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.typed.is_some() {
            self.allows();
        }
        Ok(&self.left)
    }

    fn consume(&mut self, amount: usize) {
        self.left.drain(..amount);
    }
}

struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What it said, or what was on the screen.
async fn login(
    instance: &Instance,
    token_file: &Path,
    typed: &'static str,
) -> Result<String, String> {
    let screen = Arc::new(Mutex::new(Vec::new()));
    let mut person =
        Person { instance, screen: Arc::clone(&screen), typed: Some(typed), left: Vec::new() };
    let url = instance.url();
    mastodon_login::run(&url, Some(token_file), &mut person, &mut Screen(Arc::clone(&screen)))
        .await?;
    Ok(String::from_utf8(screen.lock().unwrap().clone()).unwrap())
}

#[tokio::test]
async fn a_token_is_written_for_us_alone_and_works() {
    for flavour in Flavour::ALL {
        let instance = Instance::start(flavour).await;
        let folder = tempfile::tempdir().unwrap();
        let token_file = folder.path().join("masto.token");
        let screen = login(&instance, &token_file, "  the-code \n").await.unwrap();

        let mode = std::fs::metadata(&token_file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&token_file).unwrap(), "fresh-token-of-the-login\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        assert!(!screen.contains("fresh-token"), "{screen}");
        assert!(screen.contains("The token of @me@127.0.0.1 is in "), "{screen}");

        // What it says to write works as it stands.
        let section = screen.split_once("[destinations.masto]\n").unwrap().1;
        let section = section.split_once("\n\n[routes]").unwrap().0;
        let (kind, section) = section.split_once('\n').unwrap();
        assert_eq!(kind, "type = \"mastodon\"");
        let keys: Keys = toml::from_str(section).unwrap();
        let said = Mastodon::new(keys).unwrap().probe().await.unwrap();
        assert!(
            said.starts_with("posts as @me@photog.example; 4 files a status")
                || flavour == Flavour::GoToSocial,
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_there_stays_and_nobody_is_asked() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("masto.token");
    std::fs::write(&token_file, "precious").unwrap();
    let said = login(&instance, &token_file, "the-code\n").await.unwrap_err();
    assert!(said.contains("is there already: remove it first"), "{said}");
    assert_eq!(std::fs::read_to_string(&token_file).unwrap(), "precious");
    assert!(instance.world().requests.is_empty());
}

#[tokio::test]
async fn what_goes_wrong_is_said_and_leaves_nothing() {
    let instance = Instance::start(Flavour::Mastodon).await;
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("masto.token");
    let said = login(&instance, &token_file, "wrong-code\n").await.unwrap_err();
    let text = "exchanging the code: 400 Bad Request: invalid_grant: The provided authorization";
    assert!(said.starts_with(text), "{said}");
    let said = login(&instance, &token_file, "\n").await.unwrap_err();
    assert_eq!(said, "no code, no token; nothing was written");
    let said = login(&instance, &folder.path().join("no/such/folder"), "x\n").await.unwrap_err();
    assert!(said.contains("cannot write") && said.contains("No such file"), "{said}");
    let (mut nobody, mut nowhere) = ("".as_bytes(), Vec::new());
    let said = mastodon_login::run("ftp://x", Some(&token_file), &mut nobody, &mut nowhere).await;
    assert!(said.unwrap_err().contains("write the instance as"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
