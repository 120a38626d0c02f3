//! JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>), and the 1.0 form of old clients.
//!
//! One text in, one text out: `request` reads what a client sent and `answer` answers it (`events` with a stream), `write`
//! has what either side writes, `reply` reads what a server sent, `told` what a client says about
//! calls under way, `streams` writes what either side says of streams. `splitter` finds the texts in a
//! raw byte stream; `marks` are what it looks for, `prefix` tells it of broken ones. Where the specification is silent, a comment says what was chosen.
//!
//! Both readers have a short way for messages in the member order that farcall and most others
//! write: see `canonical`. Anything else goes through `envelope`.

mod alone;
mod answer;
mod canonical;
mod envelope;
mod events;
mod marks;
mod prefix;
mod reply;
mod request;
mod splitter;
mod streams;
#[cfg(test)]
mod tests;
mod told;
mod write;

#[doc(hidden)]
pub use alone::serve;
pub use answer::answer;
pub(crate) use answer::answer_batch;
pub(crate) use canonical::{item, item_of, place};
pub use events::{Events, Response, answer_with_events, text_of_call};
pub use reply::{Ends, Replied, read_reply};
pub(crate) use reply::{
    Heard, News, hear, read_batch, read_only_reply, read_whole_batch, subscription_id, whole_value,
};
pub(crate) use request::{Received, read_call, read_request, second_look};
pub use splitter::{Split, Splitter};
pub(crate) use streams::{
    write_credit, write_end, write_going_away, write_item, write_opened, write_subscription_end,
    write_subscription_error, write_subscription_item, write_unsubscribe,
};
pub(crate) use told::{Told, Word};
pub use write::write_call;
pub(crate) use write::{write_cancel, write_fault, write_reply, write_request};

/// What some write before a text (U+FEFF in UTF-8).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
