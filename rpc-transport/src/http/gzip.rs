//! Bodies made smaller, and made large again no further than a limit.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder, ZlibDecoder};

use super::body::Unread;

/// Shorter messages are sent as they are: they fit into one packet of a network, so nothing is
/// won. It is the figure of Python's `SimpleXMLRPCServer` too.
const WORTHWHILE: usize = 1400;

/// So much is compressed before others on the thread have their turn. A MiB of JSON takes 4 to 9 ms
/// at this level, which is too long to keep them waiting, and less than a thread of its own would
/// be worth. (The usual level takes 27 to 39 ms, for a result that is smaller by a twelfth or not
/// at all.) To inflate takes 2 to 5 ms, about what decoding takes; that is done as the pieces come.
const STEP: usize = 64 * 1024;

/// `message` in gzip; `None` if that is not worthwhile, or not smaller.
pub(super) async fn compress(message: &[u8]) -> Option<Vec<u8>> {
    if message.len() < WORTHWHILE {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for step in message.chunks(STEP) {
        encoder.write_all(step).ok()?;
        if step.len() == STEP {
            tokio::task::yield_now().await;
        }
    }
    let compressed = encoder.finish().ok()?;
    (compressed.len() < message.len()).then_some(compressed)
}

/// A gzip may be several, one after the other, and means what is in all of them. To begin one costs
/// some 5 µs even if nothing is in it, so they are counted. Programs that split what they compress
/// make pieces of 64 KiB and more.
const MEMBERS: usize = 1024;

/// A compressed body on its way in. Holds what it has inflated to, which is at most the limit, and
/// some 80 KiB to work with.
#[derive(Debug)]
pub(super) struct Inflating {
    decoder: Decoder,
    members: usize,
}

#[derive(Debug)]
enum Decoder {
    Gzip(GzDecoder<Inflated>),
    Zlib(ZlibDecoder<Inflated>),
}

impl Inflating {
    pub(super) fn gzip(limit: usize) -> Self {
        Self::new(Decoder::Gzip(GzDecoder::new(Inflated::new(limit))))
    }

    pub(super) fn zlib(limit: usize) -> Self {
        Self::new(Decoder::Zlib(ZlibDecoder::new(Inflated::new(limit))))
    }

    fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            members: 1,
        }
    }

    /// The next bytes came.
    pub(super) fn receive(&mut self, mut came: &[u8]) -> Result<(), Unread> {
        while !came.is_empty() {
            match self.decoder.write(came) {
                // It takes no more: what comes is behind its end.
                Ok(0) => self.begin_member()?,
                Ok(taken) => came = came.get(taken..).unwrap_or_default(),
                Err(error) => return Err(self.unread(&error)),
            }
        }
        Ok(())
    }

    /// Nothing more comes. What was inflated, if it was all there.
    pub(super) fn finish(mut self) -> Result<Bytes, Unread> {
        self.end_member()?;
        Ok(std::mem::take(self.decoder.inflated()).bytes.into())
    }

    /// Whatever stands behind a gzip must be another. (Zeros, with which tapes were filled up, are
    /// none, and who sends over HTTP has no tapes.)
    fn begin_member(&mut self) -> Result<(), Unread> {
        self.end_member()?;
        self.members = self.members.saturating_add(1);
        let inflated = std::mem::take(self.decoder.inflated());
        match &mut self.decoder {
            Decoder::Gzip(_) if self.members > MEMBERS => Err(Unread::Corrupt(format!(
                "it has more than {MEMBERS} members"
            ))),
            Decoder::Gzip(decoder) => {
                *decoder = GzDecoder::new(inflated);
                Ok(())
            }
            Decoder::Zlib(_) => Err(Unread::Corrupt("there is more behind its end".to_owned())),
        }
    }

    fn end_member(&mut self) -> Result<(), Unread> {
        let ended = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Zlib(decoder) => decoder.try_finish(),
        };
        ended.map_err(|error| self.unread(&error))
    }

    fn unread(&mut self, error: &io::Error) -> Unread {
        if self.decoder.inflated().is_full {
            Unread::TooLarge
        } else {
            Unread::Corrupt(error.to_string())
        }
    }
}

impl Decoder {
    fn write(&mut self, came: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.write(came),
            Self::Zlib(decoder) => decoder.write(came),
        }
    }

    fn inflated(&mut self) -> &mut Inflated {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
        }
    }
}

/// What came out so far. Takes no more than the limit, so that inflating ends there.
#[derive(Debug, Default)]
struct Inflated {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl Inflated {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }
}

impl Write for Inflated {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let length = self.bytes.len().saturating_add(piece.len());
        if length > self.limit {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if length > self.bytes.capacity() {
            // It grows as every vector does, but makes no room that may not be used.
            let room = self.bytes.capacity().saturating_mul(2);
            let room = room.clamp(length, self.limit);
            self.bytes
                .reserve_exact(room.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::write::ZlibEncoder;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(mut inflating: Inflating, pieces: &[&[u8]]) -> Result<Bytes, Unread> {
        for piece in pieces {
            inflating.receive(piece)?;
        }
        inflating.finish()
    }

    fn text() -> Vec<u8> {
        (0..20_000_u32)
            .flat_map(|number| number.to_string().into_bytes())
            .collect()
    }

    #[test]
    fn what_was_compressed_comes_back_however_it_is_cut() {
        for content in [text(), b"x".to_vec(), Vec::new()] {
            let limit = content.len();
            let both = [gzip(&content), zlib(&content)];
            for (compressed, new) in both
                .iter()
                .zip([Inflating::gzip as fn(usize) -> Inflating, Inflating::zlib])
            {
                for size in [1, 7, 1000, 1_000_000] {
                    let pieces: Vec<_> = compressed.chunks(size).collect();
                    assert_eq!(inflate(new(limit), &pieces), Ok(content.clone().into()));
                }
            }
        }
    }

    #[test]
    fn what_is_cut_or_broken_is_never_taken_for_something_else() {
        let content = b"seven and three, seven and three";
        let check = |new: fn(usize) -> Inflating, whole: &[u8]| {
            for end in 1..whole.len() {
                let cut = inflate(new(1000), &[&whole[..end]]);
                assert!(matches!(cut, Err(Unread::Corrupt(_))), "{end}: {cut:?}");
            }
            for bit in 0..whole.len() * 8 {
                let mut broken = whole.to_vec();
                broken[bit / 8] ^= 1 << (bit % 8);
                match inflate(new(1000), &[&broken]) {
                    Err(Unread::Corrupt(_)) => {}
                    // The bit was that of the time in the head, say.
                    same => assert_eq!(same, Ok(content[..].into()), "{bit}"),
                }
            }
            for behind in [&b"\0"[..], b"\x1f", b"x", &[0; 512]] {
                let more = inflate(new(1000), &[whole, behind]);
                assert!(matches!(more, Err(Unread::Corrupt(_))), "{more:?}");
            }
        };
        check(Inflating::gzip, &gzip(content));
        check(Inflating::zlib, &zlib(content));
    }

    #[test]
    fn a_gzip_may_be_several_but_not_any_number() {
        let both = [gzip(b"seven"), gzip(b""), gzip(b" and three")].concat();
        for size in [1, 1000] {
            let pieces: Vec<_> = both.chunks(size).collect();
            let content = inflate(Inflating::gzip(15), &pieces);
            assert_eq!(content, Ok("seven and three".into()));
        }
        let most = gzip(b"").repeat(MEMBERS);
        assert_eq!(inflate(Inflating::gzip(0), &[&most]), Ok(Bytes::new()));
        let more = inflate(Inflating::gzip(0), &[&most, &gzip(b"")]);
        assert!(matches!(more, Err(Unread::Corrupt(words)) if words.contains("1024")));
    }

    #[test]
    fn a_bomb_makes_no_more_than_the_limit() {
        let zeros = vec![0; 16 * 1024 * 1024];
        for (limit, bomb, mut inflating) in [
            (1000, gzip(&zeros), Inflating::gzip(1000)),
            (3_000_000, gzip(&zeros), Inflating::gzip(3_000_000)),
            (3_000_000, zlib(&zeros), Inflating::zlib(3_000_000)),
            // The members are under the limit, all of them together are not.
            (1000, gzip(&[0; 600]).repeat(2), Inflating::gzip(1000)),
        ] {
            let mut refused = Ok(());
            for byte in bomb {
                refused = refused.and_then(|()| inflating.receive(&[byte]));
                assert!(inflating.decoder.inflated().bytes.capacity() <= limit);
            }
            let refused = refused.and_then(|()| inflating.finish().map(drop));
            assert_eq!(refused, Err(Unread::TooLarge));
        }
    }

    #[tokio::test]
    async fn only_what_gets_smaller_is_compressed() {
        let text = text();
        let compressed = compress(&text).await.unwrap();
        assert!(compressed.len() < text.len());
        let content = inflate(Inflating::gzip(text.len()), &[&compressed]);
        assert_eq!(content, Ok(text.clone().into()));
        assert!(compress(&text[..WORTHWHILE]).await.is_some());
        assert_eq!(compress(&text[..WORTHWHILE - 1]).await, None, "too short");
        let mut state = 1_u64;
        let noise = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        });
        let noise: Vec<_> = noise.take(100_000).collect();
        assert_eq!(compress(&noise).await, None, "it does not get smaller");
    }
}
