//! The way out: hyper says when an answer leaves, the core says which bytes.
//!
//! Law: an answer is one write. The firmware fails on an answer in two segments (facts.md section
//! 5), and a `HeaderMap` can keep neither the order of its head nor a second `Server` line apart
//! from the first; so the bytes that the core made go out in place of those that hyper made of the
//! same answer.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// The exact bytes of the connection's one answer, once they are known.
#[derive(Debug, Clone, Default)]
pub struct ExactAnswer(Arc<Mutex<Option<Vec<u8>>>>);

impl ExactAnswer {
    /// Says what the answer is.
    pub fn set(&self, bytes: Vec<u8>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }

    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Writes the exact answer where hyper writes its own.
#[derive(Debug)]
pub struct AnswerWriter<W> {
    inner: W,
    answer: ExactAnswer,
    /// The answer, and how much of it is written.
    leaving: Option<(Vec<u8>, usize)>,
}

impl<W> AnswerWriter<W> {
    /// Writes to `inner`; what is written before the answer is known (`100 Continue`) passes.
    pub fn new(inner: W, answer: ExactAnswer) -> AnswerWriter<W> {
        AnswerWriter { inner, answer, leaving: None }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for AnswerWriter<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.leaving.is_none() {
            this.leaving = this.answer.take().map(|answer| (answer, 0));
        }
        let Some((answer, written)) = &mut this.leaving else {
            return Pin::new(&mut this.inner).poll_write(context, bytes);
        };
        while *written < answer.len() {
            let rest = &answer[*written..];
            match ready!(Pin::new(&mut this.inner).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => *written += count,
            }
        }
        // The answer is out; hyper's version of it is not wanted.
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// Counts writes; takes at most `most` bytes at a time.
    #[derive(Debug)]
    struct Wire {
        writes: Vec<Vec<u8>>,
        most: usize,
    }

    impl AsyncWrite for Wire {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let count = bytes.len().min(self.most);
            self.writes.push(bytes[..count].to_vec());
            Poll::Ready(Ok(count))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn the_exact_answer_leaves_in_one_write_and_nothing_else_does() {
        let answer = ExactAnswer::default();
        let wire = Wire { writes: Vec::new(), most: usize::MAX };
        let mut writer = AnswerWriter::new(wire, answer.clone());
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        answer.set(b"exact".to_vec());
        writer.write_all(b"what hyper made of it").await.unwrap();
        writer.write_all(b"in two pieces").await.unwrap();
        let writes: [&[u8]; 2] = [b"HTTP/1.1 100 Continue\r\n\r\n", b"exact"];
        assert_eq!(writer.inner.writes, writes);
    }

    #[tokio::test]
    async fn a_wire_that_takes_little_gets_it_all() {
        let answer = ExactAnswer::default();
        let mut writer = AnswerWriter::new(Wire { writes: Vec::new(), most: 2 }, answer.clone());
        answer.set(b"exact".to_vec());
        writer.write_all(b"x").await.unwrap();
        assert_eq!(writer.inner.writes.concat(), b"exact");
    }
}
