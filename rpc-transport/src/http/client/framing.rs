//! Where the body of an HTTP/1.1 answer ends (RFC 9112 §6 and §7). Bytes in, pieces out; no IO.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use bytes::{Buf, Bytes, BytesMut};

/// The longest line that tells the size of a chunk, or is a trailer.
const LINE: usize = 8 * 1024;

/// How a body is told from what follows, and how far it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are to come.
    Length(u64),
    Chunked(Chunk),
    /// It ends with the connection.
    UntilClose,
    /// It was read to its end.
    Done,
}

/// Where in a chunked body the next byte is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// At the line with a chunk's size.
    Size,
    /// In a chunk with so much left.
    Data(u64),
    /// At the end of a chunk's line.
    DataEnd,
    /// Behind the last chunk, at a trailer or the empty line.
    Trailer,
}

/// The body is not what it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Framing {
    /// Takes the next piece of the body out of `received`; `None` if more must come first, or
    /// nothing more will.
    pub(super) fn take(&mut self, received: &mut BytesMut) -> Result<Option<Bytes>, Broken> {
        loop {
            match self {
                Self::Length(0) => *self = Self::Done,
                Self::Length(left) => return Ok(data(received, left)),
                Self::UntilClose => return Ok(data(received, &mut { u64::MAX })),
                Self::Done => return Ok(None),
                Self::Chunked(Chunk::Data(0)) => *self = Self::Chunked(Chunk::DataEnd),
                Self::Chunked(Chunk::Data(left)) => return Ok(data(received, left)),
                Self::Chunked(Chunk::Size) => match httparse::parse_chunk_size(received) {
                    Ok(httparse::Status::Complete((line, size))) => {
                        received.advance(line);
                        *self = Self::Chunked(match size {
                            0 => Chunk::Trailer,
                            size => Chunk::Data(size),
                        });
                    }
                    Ok(httparse::Status::Partial) if received.len() < LINE => return Ok(None),
                    _ => return Err(Broken),
                },
                Self::Chunked(Chunk::DataEnd) => match line(received)? {
                    Some(0) => *self = Self::Chunked(Chunk::Size),
                    Some(_) => return Err(Broken),
                    None => return Ok(None),
                },
                Self::Chunked(Chunk::Trailer) => match line(received)? {
                    // Trailers mean nothing here.
                    Some(0) => *self = Self::Done,
                    Some(_) => {}
                    None => return Ok(None),
                },
            }
        }
    }

    /// The connection ended; an error if the body did not.
    pub(super) fn close(&mut self) -> Result<(), Broken> {
        match self {
            Self::UntilClose | Self::Done | Self::Length(0) => {
                *self = Self::Done;
                Ok(())
            }
            _ => Err(Broken),
        }
    }
}

/// What there is of a run with so much `left`.
fn data(received: &mut BytesMut, left: &mut u64) -> Option<Bytes> {
    let count = received
        .len()
        .min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left = left.saturating_sub(count as u64);
    (count > 0).then(|| received.split_to(count).freeze())
}

/// Takes a line; gives its length without its end.
fn line(received: &mut BytesMut) -> Result<Option<usize>, Broken> {
    match memchr::memchr(b'\n', received) {
        Some(at) if at < LINE => {
            let line = received.split_to(at.saturating_add(1));
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            Ok(Some(line.strip_suffix(b"\r").unwrap_or(line).len()))
        }
        None if received.len() < LINE => Ok(None),
        _ => Err(Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the body `bytes`, `step` at a time; what came out, and whether it ended.
    fn read(mut framing: Framing, bytes: &[u8], step: usize) -> Result<(Vec<u8>, bool), Broken> {
        let (mut received, mut body) = (BytesMut::new(), Vec::new());
        for piece in bytes.chunks(step) {
            received.extend_from_slice(piece);
            while let Some(piece) = framing.take(&mut received)? {
                body.extend_from_slice(&piece);
            }
        }
        Ok((body, framing == Framing::Done))
    }

    #[test]
    fn however_it_is_cut_a_chunked_body_is_the_same() {
        let chunked = b"4\r\nWiki\r\n7;a=b\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\nX: y\r\n\r\n";
        for step in 1..chunked.len() {
            let (body, done) = read(Framing::Chunked(Chunk::Size), chunked, step).unwrap();
            assert_eq!(body, b"Wikipedia in \r\nchunks.");
            assert!(done, "{step}");
        }
    }

    #[test]
    fn a_body_has_its_length_and_no_more() {
        assert_eq!(
            read(Framing::Length(3), b"abc", 1),
            Ok((b"abc".to_vec(), true))
        );
        assert_eq!(
            read(Framing::Length(3), b"ab", 1),
            Ok((b"ab".to_vec(), false))
        );
        let mut received = BytesMut::from(&b"abcd"[..]);
        let mut framing = Framing::Length(3);
        assert_eq!(framing.take(&mut received), Ok(Some(Bytes::from("abc"))));
        assert_eq!(framing.take(&mut received), Ok(None));
        assert_eq!(&received[..], b"d");
    }

    #[test]
    fn only_a_body_without_a_length_may_end_with_the_connection() {
        assert_eq!(Framing::UntilClose.close(), Ok(()));
        assert_eq!(Framing::Length(1).close(), Err(Broken));
        assert_eq!(Framing::Chunked(Chunk::Size).close(), Err(Broken));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for broken in [
            "x\r\n",
            "4\r\nWikipedia\r\n",
            "-1\r\n",
            "11111111111111111\r\n",
        ] {
            let chunked = Framing::Chunked(Chunk::Size);
            assert_eq!(
                read(chunked, broken.as_bytes(), 100),
                Err(Broken),
                "{broken}"
            );
        }
        let endless = vec![b'1'; 2 * LINE];
        assert_eq!(
            read(Framing::Chunked(Chunk::Size), &endless, LINE),
            Err(Broken)
        );
        let endless = [b"0\r\n".to_vec(), vec![b'x'; 2 * LINE]].concat();
        assert_eq!(
            read(Framing::Chunked(Chunk::Size), &endless, LINE),
            Err(Broken)
        );
    }
}
