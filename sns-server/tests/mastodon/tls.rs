//! Certificates that are not trusted, and what becomes of a post meanwhile.

use crate::delivery::Delivery;
use crate::instance::Instance;
use crate::wire::Certificate;
use crate::world::Flavour;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer(name: &str, key: KeyPair) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, key).unwrap()
}

/// A certificate for a name, valid from one year to another.
fn certificate(issuer: &Issuer, name: &str, from: i32, to: i32) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config)
}

/// The certificates that are trusted come from the environment, which belongs to a whole process: this
/// test runs in one of its own.
#[test]
fn each_wrong_certificate_is_named_and_the_post_waits() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = issuer("trusted", KeyPair::generate().unwrap());
    let (certificates, key) = (folder.path().join("ca.pem"), folder.path().join("ca.key"));
    std::fs::write(&certificates, trusted.pem()).unwrap();
    std::fs::write(&key, trusted.key().serialize_pem()).unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["tls::with_certificates", "--exact", "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", &certificates)
        .env("SNS_TEST_CA_KEY", &key)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by each_wrong_certificate_is_named_and_the_post_waits"]
async fn with_certificates() {
    let pem = std::fs::read_to_string(std::env::var_os("SNS_TEST_CA_KEY").unwrap()).unwrap();
    let trusted = issuer("trusted", KeyPair::from_pem(&pem).unwrap());
    let stranger = issuer("stranger", KeyPair::generate().unwrap());

    let tls: Certificate = Arc::new(Mutex::new(certificate(&stranger, "localhost", 2000, 2090)));
    let instance = Instance::start_with(Flavour::Mastodon, Some(Arc::clone(&tls))).await;
    let delivery = Delivery::of("Over TLS").with_photo("a boat");
    let wrong = [
        (certificate(&stranger, "localhost", 2000, 2090), "a login page of the WiFi"),
        (certificate(&trusted, "localhost", 2000, 2001), "or this machine's clock is wrong"),
        (certificate(&trusted, "localhost", 2080, 2090), "this machine's clock is wrong"),
        (certificate(&trusted, "login.hotel.example", 2000, 2090), "or the wrong address?"),
    ];
    let mastodon = instance.mastodon("");
    for (certificate, hint) in wrong {
        *tls.lock().unwrap() = certificate;
        let said = delivery.fails_for_now(&mastodon).await;
        assert!(said.starts_with("localhost: GET /api/v2/instance: no answer: "), "{said}");
        assert!(said.contains("invalid peer certificate") && said.contains(hint), "{said}");
    }
    assert!(instance.world().requests.is_empty(), "nothing was said to a stranger");
    *tls.lock().unwrap() = certificate(&trusted, "localhost", 2000, 2090);
    delivery.attempt(&mastodon).await.unwrap();
    assert_eq!(instance.statuses().len(), 1);
}
