//! Keeps secrets out of bytes that are written piece by piece.

use std::io::{self, Write};

use crate::model::Redactor;

/// Number of bytes that are searched for secrets at a time.
const PIECE: usize = 1 << 16;

/// Writes bytes to `out` without the secrets. The caller must call [`Redacted::finish`] at the end.
pub struct Redacted<'a, W> {
    out: W,
    /// `None` if the run has no secrets.
    redactor: Option<&'a Redactor>,
    /// Bytes that are not written yet: a secret may begin in them and end in later bytes.
    pending: Vec<u8>,
    /// The length of `pending` after the last search.
    kept: usize,
}

impl<'a, W: Write> Redacted<'a, W> {
    pub fn new(out: W, redactor: Option<&'a Redactor>) -> Self {
        Self {
            out,
            redactor,
            pending: Vec::new(),
            kept: 0,
        }
    }

    /// Writes the bytes that are still pending, and flushes `out`.
    pub fn finish(mut self) -> io::Result<()> {
        self.pass_on(true)?;
        self.out.flush()
    }

    fn pass_on(&mut self, is_last: bool) -> io::Result<()> {
        if let Some(redactor) = self.redactor {
            let mut clean = Vec::with_capacity(self.pending.len());
            let used = redactor.redact_bytes(&self.pending, is_last, &mut clean);
            self.pending.drain(..used);
            self.kept = self.pending.len();
            self.out.write_all(&clean)?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Redacted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.redactor.is_none() {
            return self.out.write(bytes);
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > self.kept + PIECE {
            self.pass_on(false)?;
        }
        Ok(bytes.len())
    }

    /// Flushes `out`, but does not write the pending bytes, because a secret may begin in them
    /// and end in later bytes.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
