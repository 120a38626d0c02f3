//! farcall's own frames, in any encoding. `docs/wire.md` describes them for strangers.
//!
//! A connection begins with a [`Hello`] each way; then come frames, each a [`Header`] and a body.
//! Over HTTP a request frame (or several: a batch) is the body of a POST and the reply frames that
//! of its answer, without hellos.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod answer;
mod frame;
mod hello;
mod write;

pub use answer::{answer, read_reply};
pub(crate) use answer::{read_batch, unknown_hash};
pub use frame::{HEADER, Header, Kind};
pub(crate) use frame::{LAST_WORD, TOTAL, read_credit, read_fault, read_head, read_reply_metadata};
pub use hello::{HELLO, Hello, MAGIC, Refusal, Version, refusal};
pub use write::write_call;
pub(crate) use write::{
    write_cancel, write_credit, write_empty, write_fault, write_item, write_opened,
    write_piece_head, write_reply,
};
