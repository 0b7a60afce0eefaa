//! Opening a credential, beside the least anyone could do with the same bytes.
//!
//! `cargo bench -p sns-crypto`. For a value of one AES block, which is what cameras send, and one
//! of 4 KiB, which shows the cost per byte:
//!
//! | row | what it does |
//! | --- | --- |
//! | `open` | `credential::open`: percent-encoding, base64, AES-CBC, NULs, UTF-8, each checked |
//! | `bare_aes_cbc` | the yardstick: key schedule and AES-CBC over decoded bytes, in place |
//! | `bare_layers` | the same three crates called one after the other, nothing checked or wiped |
//!
//! Compare medians of one run: `open` to `bare_aes_cbc` is the ratio of docs/performance.md. Where
//! the processor has AES instructions, base64 alone takes longer than AES does for 4 KiB.

// Inputs made here are right, and a benchmark that fails may say so.
#![allow(clippy::unwrap_used)]

use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use base64::{Engine, engine::general_purpose::STANDARD};
use divan::{Bencher, counter::BytesCount};
use sns_crypto::{CryptSessionKey, Zeroizing, credential};

/// Encrypted bytes: one block, and 256 of them.
const SIZES: [usize; 2] = [16, 4096];

fn main() {
    divan::main();
}

/// The key of the NX300 login in Georg Lukas' talk.
fn key() -> CryptSessionKey {
    CryptSessionKey::from_base64("//////S3mbZSAQAA/LOitv////9IIgS2UgEAAAAQBLY=").unwrap()
}

/// A sealed value of `size` encrypted bytes, as a camera would write it.
fn value(size: usize) -> String {
    credential::seal(&key(), &"someone@example.com, ".repeat(size)[..size - 1]).unwrap()
}

fn decrypt(key: &CryptSessionKey, data: &mut [u8]) {
    let (blocks, _) = data.as_chunks_mut::<16>();
    cbc::Decryptor::<aes::Aes128>::new(key.aes_key().into(), key.iv().into())
        .decrypt_blocks(aes::Block::cast_slice_from_core_mut(blocks));
}

#[divan::bench(args = SIZES, sample_count = 1000, sample_size = 20)]
fn open(bencher: Bencher<'_, '_>, size: usize) {
    let (key, value) = (key(), value(size));
    bencher.counter(BytesCount::new(size)).bench(|| -> Zeroizing<String> {
        credential::open(&key, divan::black_box(&value)).unwrap()
    });
}

#[divan::bench(args = SIZES, sample_count = 1000, sample_size = 20)]
fn bare_aes_cbc(bencher: Bencher<'_, '_>, size: usize) {
    let key = key();
    let text = percent_encoding::percent_decode_str(&value(size)).collect::<Vec<u8>>();
    let mut data = STANDARD.decode(text).unwrap();
    // Over the same bytes again and again, so what is decrypted soon is noise: AES does not care.
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| decrypt(divan::black_box(&key), divan::black_box(&mut data)));
}

#[divan::bench(args = SIZES, sample_count = 1000, sample_size = 20)]
fn bare_layers(bencher: Bencher<'_, '_>, size: usize) {
    let (key, value) = (key(), value(size));
    bencher.counter(BytesCount::new(size)).bench(|| {
        let text = percent_encoding::percent_decode_str(divan::black_box(&value));
        let mut data = STANDARD.decode(text.collect::<Vec<u8>>()).unwrap();
        decrypt(&key, &mut data);
        data
    });
}
