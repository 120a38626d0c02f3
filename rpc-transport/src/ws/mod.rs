//! WebSocket (RFC 6455): a byte stream in the messages of one, so that whatever drives a byte stream
//! drives it as well.
//!
//! `frames` reads frames, `out` writes them, `socket` makes a byte stream of both; `utf8` checks
//! text while it comes. `client` asks for a socket; a server's answer is in `http/upgrade.rs`. The
//! crate tungstenite knows how heads of frames and keys of handshakes are written. Its sockets are
//! not used: they hold each message whole, and make room for what is only announced.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod client;
mod frames;
mod out;
mod socket;
mod utf8;

pub(crate) use client::connect;
pub(crate) use socket::Socket;

/// What the messages of a socket are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Text messages, a JSON text each.
    Json,
    /// Binary messages, cut anywhere: together they are the stream of the native protocol.
    Native,
}

/// The subprotocol of [`Content::Native`].
pub(crate) const NATIVE: &str = "farcall.native";
/// The subprotocol of [`Content::Json`], for those who ask for one.
pub(crate) const JSON: &str = "jsonrpc";

/// Which end of a socket one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

/// Masks what is in clear, and the other way round (RFC 6455 §5.3); `at` bytes of the frame came
/// before.
fn mask(bytes: &mut [u8], mask: [u8; 4], at: usize) {
    let mut mask = mask;
    mask.rotate_left(at % 4);
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_mask_goes_on_where_a_piece_was_cut() {
        let clear: Vec<u8> = (0..100).collect();
        let mut whole = clear.clone();
        super::mask(&mut whole, [1, 2, 3, 4], 0);
        assert_eq!(whole[..5], [1, 1 ^ 2, 2 ^ 3, 3 ^ 4, 4 ^ 1]);
        for cut in 0..clear.len() {
            let mut cut_up = clear.clone();
            let (before, behind) = cut_up.split_at_mut(cut);
            super::mask(before, [1, 2, 3, 4], 0);
            super::mask(behind, [1, 2, 3, 4], cut);
            assert_eq!(cut_up, whole);
        }
    }
}
