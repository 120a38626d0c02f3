//! Streams of items beside a call: what both sides share.
//!
//! A call can take a stream, give one, or both. Each direction is controlled by credit: the side
//! that reads says how many more bytes of items it takes, so that a reader who stops holds up its
//! own stream and nothing else, and memory stays under the window. `Flow` is both directions of
//! one call; `Upload` is what a caller sends; [`Items`] is the same where the server reads it;
//! [`Streaming`](crate::channel::Streaming) is what a caller gets.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod flow;
mod items;
mod upload;

pub(crate) use flow::{Broken, Flow, INITIAL, Link, MOST, Terms};
pub use items::Items;
pub(crate) use upload::{Upload, Uploaded};

/// A stream of values, as `futures` knows it.
pub use futures_util::Stream;

/// So many items are moved before others get their turn.
pub(crate) const TURN: usize = 64;
