//! Encryption: nothing is said in clear, nor to a server that cannot prove who it is.

use crate::peer::{Nature, Peer};
use crate::posts::Kept;
use crate::{email, mail};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sns_server::destination::FaultKind;
use sns_server::destination::email::Email;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Where the inner test finds a certificate that this process trusts.
const FOLDER: &str = "SNS_TEST_CERTIFICATE_FOLDER";

fn config(certificate: CertificateDer<'static>, key: Vec<u8>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

fn at(peer: &Peer, tls: &str, host: &str) -> Email {
    let keys = format!(
        "host = {host:?}\nport = {}\ntls = {tls:?}\nfrom = \"relay@example.com\"\n\
         username = \"me\"\npassword = \"opensesame\"",
        peer.address.port()
    );
    email(&keys).unwrap()
}

#[tokio::test]
async fn without_starttls_nothing_is_sent() {
    let peer = Peer::new(Nature { login: true, ..Nature::default() });
    let folder = tempfile::tempdir().unwrap();
    let post = mail(folder.path(), &["family@example.com"]);
    let email = at(&peer, "starttls", "127.0.0.1");
    let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("does not offer STARTTLS, so nothing was sent"), "{fault}");
    assert!(email.probe().await.is_err());
    assert!(peer.lines().iter().all(|line| line.starts_with("EHLO ")), "{:?}", peer.lines());
}

#[tokio::test]
async fn a_server_that_cannot_prove_who_it_is_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let post = mail(folder.path(), &["family@example.com"]);
    for (tls, from_the_beginning) in [("starttls", false), ("tls", true)] {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let tls_config = config(made.cert.der().clone(), made.signing_key.serialize_der());
        let nature =
            Nature { login: true, tls: Some(tls_config), from_the_beginning, ..Nature::default() };
        let peer = Peer::new(nature);
        let email = at(&peer, tls, "127.0.0.1");
        let fault = email.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault}");
        assert!(fault.message.contains("certificate"), "{fault}");
        let said = peer.lines();
        let harmless = |line: &String| line.starts_with("EHLO ") || line == "STARTTLS";
        assert!(said.iter().all(harmless), "{said:?}");
    }
}

/// The system's certificates are read once for a process, so this is one of its own, whose system
/// trusts ours.
#[test]
fn a_trusted_server_gets_it_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("certificate"), made.cert.der()).unwrap();
    std::fs::write(folder.path().join("key"), made.signing_key.serialize_der()).unwrap();
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "tls::inside", "--nocapture"])
        .env("SSL_CERT_FILE", folder.path().join("certificate.pem"))
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&inner.stdout);
    let errors = String::from_utf8_lossy(&inner.stderr);
    assert!(inner.status.success() && said.contains("1 passed"), "{said}\n{errors}");
}

#[tokio::test]
#[ignore = "a_trusted_server_gets_it_encrypted runs it"]
async fn inside() {
    let given = std::env::var(FOLDER).unwrap();
    let read = |name| std::fs::read(Path::new(&given).join(name)).unwrap();
    let config = config(CertificateDer::from(read("certificate")), read("key"));
    let folder = tempfile::tempdir().unwrap();
    let post = mail(folder.path(), &["family@example.com"]);
    for (tls, from_the_beginning) in [("starttls", false), ("tls", true)] {
        let nature = Nature {
            login: true,
            tls: Some(Arc::clone(&config)),
            from_the_beginning,
            ..Nature::default()
        };
        let peer = Peer::new(nature);
        let email = at(&peer, tls, "localhost");
        let said = email.probe().await.unwrap();
        assert!(said.ends_with("lets me in, encrypted"), "{said}");
        email.deliver(&post, &mut Kept::default().progress()).await.unwrap();
        assert_eq!(peer.mails().len(), 1);
        assert!(peer.lines().iter().any(|line| line.starts_with("AUTH PLAIN")));
        // The certificate is another host's.
        let fault = at(&peer, tls, "127.0.0.1").probe().await.unwrap_err();
        assert!(fault.message.contains("certificate"), "{fault}");
    }
}
