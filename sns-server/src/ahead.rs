//! A reader with bytes that were read ahead.
//!
//! Law: what was read ahead is given back first, and then its memory: a head of 60 kB must not stay
//! for as long as its body takes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// First the bytes, then the reader.
#[derive(Debug)]
pub struct Ahead<R> {
    bytes: Vec<u8>,
    given: usize,
    reader: R,
}

impl<R> Ahead<R> {
    /// Puts `bytes` before what `reader` has.
    pub fn new(bytes: Vec<u8>, reader: R) -> Ahead<R> {
        Ahead { bytes, given: 0, reader }
    }

    /// The reader; what was not read of the bytes is gone.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Ahead<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let rest = &this.bytes[this.given..];
        if rest.is_empty() {
            return Pin::new(&mut this.reader).poll_read(context, buffer);
        }
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..count]);
        this.given += count;
        if this.given == this.bytes.len() {
            (this.bytes, this.given) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn first_the_bytes_then_the_reader_and_the_memory_is_given_back() {
        let mut ahead = Ahead::new(b"first ".to_vec(), &b"then"[..]);
        let mut piece = [0; 4];
        ahead.read_exact(&mut piece).await.unwrap();
        assert_eq!(&piece, b"firs");
        let mut rest = String::new();
        ahead.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "t then");
        assert_eq!(ahead.bytes.capacity(), 0);
    }
}
