//! A message being written at the end of a buffer that holds others.

/// A message at the end of a buffer, cut off again unless it is kept, even if its
/// encoder panics.
pub(crate) struct Tail<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    start: usize,
    kept: bool,
    /// How many bytes of the message are elsewhere.
    pub(crate) beside: usize,
}

impl<'a> Tail<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self {
            out,
            start,
            kept: false,
            beside: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.out.len() - self.start + self.beside
    }

    /// Cuts off what is behind the first `len` bytes of the message.
    pub(crate) fn cut(&mut self, len: usize) {
        self.out.truncate(self.start + len);
    }

    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Tail<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.out.truncate(self.start);
        }
    }
}
