//! A gzip'd file, unpacked while it is read.
//!
//! Law: as gzip does it, members follow each other, and what follows the last and is none is left
//! aside, which is said.

use crate::print;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, BufReader, Read};

/// The first byte of a member.
const MEMBER: u8 = 0x1f;

/// What a gzip'd input holds.
pub(super) struct Unzipped<R> {
    name: String,
    /// `None` behind the last member.
    member: Option<GzDecoder<BufReader<R>>>,
}

impl<R: Read> Unzipped<R> {
    /// What is in this input, which is shown by this name.
    pub(super) fn new(name: &str, input: R) -> Unzipped<R> {
        let member = Some(GzDecoder::new(BufReader::new(input)));
        Unzipped { name: name.to_owned(), member }
    }
}

impl<R: Read> Read for Unzipped<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let length = member.read(piece)?;
            if length > 0 || piece.is_empty() {
                return Ok(length);
            }
            let Some(member) = self.member.take() else { break };
            let mut input = member.into_inner();
            match input.fill_buf()?.first() {
                Some(&MEMBER) => self.member = Some(GzDecoder::new(input)),
                Some(_) => print::complain(&format!(
                    "{}: what follows the gzip'd data is not, and is left aside",
                    self.name
                )),
                None => {}
            }
        }
        Ok(0)
    }
}
