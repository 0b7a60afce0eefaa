//! A login as an NX300 sends it, with a fresh session key, or as another model does.
//!
//! Law: `CameraCryptKey` is the session key for nobody. The private half of this key pair does not
//! exist any more, just as nobody outside Samsung has the one of the cameras' key. A server must
//! work without it. Nothing secret depends on it: the session key travels beside it in clear.

use crate::habits;
use samsung_sns::camera;
use samsung_sns::crypto::CryptSessionKey;
use samsung_sns::endpoint::Site;
use samsung_sns::message::auth::Login;
use samsung_sns::model::Model;
use sns_crypto::camera_key::rsa::rand_core::{CryptoRng, Error, RngCore};
use sns_crypto::camera_key::rsa::{BigUint, RsaPublicKey};
use sns_crypto::camera_key::{self, Padding};

/// The product of two random primes, which were thrown away when it was made.
const MODULUS: &str = "\
    c8b2ea903f24eddc7b6f502b4ca958cc1def73eac965b971af1df1941e1939e1\
    7e836cbdc407daa688e6f3d48d3452db485e6af4b9eda6cf53df8fc7dd5b199a\
    50948468648f53a37b140fc72aa875d1ffaf3d1c9700edbcbb9f16d77e9942a3\
    c2b9ca814e66e69084fdcb130a709ea726540520832387ec6e51126137bce3b7";
const EXPONENT: u32 = 65_537;

/// Captured on an NX300; the same in both published logins.
const APPLICATION_KEY: &str = "6a563c3967f147d3adfa454ef913535d0d109ba4b4584914";

/// The request by which this model logs in at a site. Without a model anything is sent anywhere, so
/// that every site can be tried.
///
/// # Errors
/// Why it cannot be made, as a sentence.
pub(crate) fn request(
    model: Option<&Model>,
    site: &Site,
    user: &str,
    password: &str,
) -> Result<Vec<u8>, String> {
    if model.is_some() && site.wants_oauth() {
        return Ok(camera::oauth_login(site));
    }
    let login = of(user, password, model.is_some_and(habits::sends_credentials_in_clear))?;
    camera::login(site, &login).map_err(|error| format!("cannot log in: {error}"))
}

/// A login of this user. `in_clear`: without a key, as an HMX-QF30 sends it inside TLS.
///
/// # Errors
/// Why it cannot be made, as a sentence.
pub(crate) fn of(user: &str, password: &str, in_clear: bool) -> Result<Login, String> {
    let (key, encrypted) = if in_clear { (None, None) } else { fresh().map(unzip)? };
    Ok(Login {
        user: user.to_owned(),
        password: password.to_owned().into(),
        crypt_session_key: key,
        camera_crypt_key: encrypted,
        timeout: Some("3000".to_owned()),
        persist_key: Some("true".to_owned()),
        session_key_type: Some("APIF".to_owned()),
        application_key: Some(APPLICATION_KEY.to_owned()),
    })
}

fn unzip<A, B>((a, b): (A, B)) -> (Option<A>, Option<B>) {
    (Some(a), Some(b))
}

/// A fresh random session key, and the same encrypted.
fn fresh() -> Result<(CryptSessionKey, String), String> {
    let mut bytes = [0; CryptSessionKey::LENGTH];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("the system has no randomness: {error}"))?;
    let key = CryptSessionKey::from_bytes(bytes);
    let encrypted = encrypted(&key)
        .ok_or_else(|| "the built-in RSA key is broken; please report this".to_owned())?;
    Ok((key, encrypted))
}

/// Whether cameras pad is unknown; unpadded needs no randomness.
fn encrypted(key: &CryptSessionKey) -> Option<String> {
    let modulus = BigUint::parse_bytes(MODULUS.as_bytes(), 16)?;
    let public = RsaPublicKey::new(modulus, EXPONENT.into()).ok()?;
    camera_key::encrypt(&public, key, Padding::None, &mut NoRandomness).ok()
}

/// Unpadded RSA draws nothing, but has to name a generator.
struct NoRandomness;

impl RngCore for NoRandomness {
    fn next_u32(&mut self) -> u32 {
        unreachable!("unpadded RSA draws no randomness")
    }
    fn next_u64(&mut self) -> u64 {
        unreachable!("unpadded RSA draws no randomness")
    }
    fn fill_bytes(&mut self, _: &mut [u8]) {
        unreachable!("unpadded RSA draws no randomness")
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Error> {
        unreachable!("unpadded RSA draws no randomness")
    }
}

impl CryptoRng for NoRandomness {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_as_captured() {
        let (key, encrypted) = fresh().unwrap();
        assert_eq!(encrypted.len(), 256);
        assert!(encrypted.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        assert_ne!(key, fresh().unwrap().0);
    }
}
