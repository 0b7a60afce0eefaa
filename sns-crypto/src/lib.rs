//! The broken credential scheme of Samsung's WiFi cameras (2009-2015).
//!
//! When such a camera logs in to a social service, it sends user name and password AES-encrypted,
//! and the AES key beside them, in clear. This crate reads that, and writes it for the other end:
//!
//! | module | field of the login request | what it does |
//! | --- | --- | --- |
//! | [`session_key`] | `CryptSessionKey` | base64 of an AES-128 key and its IV |
//! | [`credential`] | `UserName`, `Password` | seal and open one value |
//! | `camera_key` (cargo feature `camera-key`) | `CameraCryptKey` | the same key again, under RSA |
//! | [`weakness`] | `CryptSessionKey` | what is predictable in it; the search for a withheld one |
//!
//! **This protects nothing.** Whoever sees a login sees the password. The crate exists to talk to
//! cameras that know nothing better; never use it for anything else.
//!
//! The crate is pure: no I/O, no clock, no randomness of its own, no `unsafe`.
//!
//! # Example
//!
//! The login of an NX300, as published by Georg Lukas:
//!
//! ```
//! use sns_crypto::{CryptSessionKey, credential};
//!
//! let key = CryptSessionKey::from_base64("/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y=")?;
//! let user = credential::open(&key, "7xKPwb19QdFKzsjsrQx62g%3D%3D")?;
//! let password = credential::open(&key, "U%2BK0X1QnWUv4tkvrrtQ0aQ%3D%3D")?;
//! assert_eq!((user.as_str(), password.as_str()), ("f", "p"));
//!
//! // And as the camera writes it:
//! assert_eq!(credential::seal(&key, "f")?, "7xKPwb19QdFKzsjsrQx62g%3D%3D");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod base64_field;
#[cfg(feature = "camera-key")]
pub mod camera_key;
pub mod credential;
pub mod session_key;
pub mod weakness;

#[cfg(feature = "camera-key")]
pub use camera_key::{CameraKeyError, Padding};
pub use credential::CredentialError;
pub use session_key::{CryptSessionKey, SessionKeyError};
/// A value that is wiped from memory on drop; [`credential::open`] returns one.
pub use zeroize::Zeroizing;
