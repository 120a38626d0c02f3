//! What a client says about its calls under way, in messages that call no service's method.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::canonical::place;
use crate::channel::Inbound;
use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::params::Arguments;
use crate::payload::Payload;
use crate::protocol::Incoming;
use crate::protocol::outbox::ReplyId;

/// The notification that gives up a call, as in the Language Server Protocol.
pub(super) const CANCEL: &str = "$/cancelRequest";
/// The call that gives up a stream.
pub(super) const UNSUBSCRIBE: &str = "rpc.unsubscribe";
/// The notification that lets the other side send more items.
pub(super) const CREDIT: &str = "rpc.credit";
/// The notification that is an item of what the client sends.
pub(super) const ITEM: &str = "rpc.item";
/// The notification that what the client sends is over.
pub(super) const END: &str = "rpc.end";

/// The notification by which a server says its last word: what it has not answered, it has not run.
pub(super) const GOING_AWAY: &str = "rpc.goingAway";

/// One such message.
#[derive(Debug)]
pub(crate) struct Told {
    /// The method's name.
    name: &'static str,
    pub(crate) what: Result<Word, Fault>,
    /// Whom to answer; none for a notification, as most of them are.
    pub(crate) reply: Option<ReplyId>,
}

/// What is said.
#[derive(Debug)]
pub(crate) enum Word {
    /// The caller gave up the call whose id was written like this.
    Cancel(Payload),
    /// The caller gave up the stream of this subscription.
    Unsubscribe(u64),
    /// The caller takes so many more bytes of items of this subscription.
    Credit(u64, u64),
    /// An item of what the call with this id sends.
    Item(Payload, Inbound),
    /// There are no more.
    End(Payload),
}

impl Told {
    /// Reads what `method` with `params` says, if it is one of these.
    pub(super) fn read(text: &Payload, method: &str, params: Option<&str>) -> Option<Self> {
        let (name, what) = match method {
            CANCEL => (CANCEL, cancel(params)),
            UNSUBSCRIBE => (UNSUBSCRIBE, unsubscribe(params)),
            CREDIT => (CREDIT, credit(params)),
            ITEM => (ITEM, item(text, params)),
            END => (END, end(params)),
            _ => return None,
        };
        Some(Self {
            name,
            what,
            reply: None,
        })
    }

    /// The same, answered by `reply`.
    pub(super) fn for_reply(self, reply: Option<ReplyId>) -> Self {
        Self { reply, ..self }
    }

    /// Where no call can be under way.
    pub(super) fn without_calls(self) -> Incoming {
        let fault = Fault::method_not_found(self.name);
        self.refused(fault)
    }

    /// In a batch: kept in `said` if it wants no answer, which would come before the others'.
    pub(super) fn in_batch(self, said: &mut Vec<Self>) -> Option<Incoming> {
        if self.reply.is_none() {
            said.push(self);
            return None;
        }
        let words = format!(
            "in a batch `{}` is taken only as a notification, without an id",
            self.name
        );
        Some(self.refused(Fault::new(code::INVALID_REQUEST, words)))
    }

    fn refused(self, fault: Fault) -> Incoming {
        Incoming {
            target: Err(fault),
            arguments: Arguments::none(Encoding::Json),
            reply: self.reply,
            window: None,
        }
    }
}

fn cancel(params: Option<&str>) -> Result<Word, Fault> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let Params { id } = read(CANCEL, params)?;
    Ok(Word::Cancel(raw(id)))
}

fn unsubscribe(params: Option<&str>) -> Result<Word, Fault> {
    #[derive(Deserialize)]
    struct Params {
        subscription: u64,
    }
    let Params { subscription } = read(UNSUBSCRIBE, params)?;
    Ok(Word::Unsubscribe(subscription))
}

fn credit(params: Option<&str>) -> Result<Word, Fault> {
    #[derive(Deserialize)]
    struct Params {
        subscription: u64,
        bytes: u64,
    }
    let Params {
        subscription,
        bytes,
    } = read(CREDIT, params)?;
    Ok(Word::Credit(subscription, bytes))
}

fn item(text: &Payload, params: Option<&str>) -> Result<Word, Fault> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
        #[serde(borrow)]
        item: &'a RawValue,
    }
    let Params { id, item } = read(ITEM, params)?;
    let at = place(text, item.get().as_bytes());
    let item = Inbound::new(Encoding::Json, text.clone(), at);
    Ok(Word::Item(raw(id), item))
}

fn end(params: Option<&str>) -> Result<Word, Fault> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let Params { id } = read(END, params)?;
    Ok(Word::End(raw(id)))
}

/// Where the item is in `text`, if that is one, read the long way.
pub(super) fn item_in(text: &[u8], params: &RawValue) -> Option<Range<usize>> {
    let (_, item): (IgnoredAny, &RawValue) = serde_json::from_str(params.get()).ok()?;
    Some(place(text, item.get().as_bytes()))
}

fn raw(id: &RawValue) -> Payload {
    Payload::copied_from(id.get().as_bytes())
}

/// Reads parameters by name or by position.
fn read<'a, T: Deserialize<'a>>(method: &str, params: Option<&'a str>) -> Result<T, Fault> {
    serde_json::from_str(params.unwrap_or("[]")).map_err(|_| {
        // serde_json's words would repeat what was sent.
        let shape = match method {
            UNSUBSCRIBE => "the number of the subscription",
            CANCEL => "the `id` of the call",
            CREDIT => "the number of the subscription and how many bytes",
            ITEM => "the `id` of the call and its `item`",
            _ => "the `id` of the call",
        };
        let words = format!("invalid parameters for `{method}`: it takes {shape}");
        Fault::new(code::INVALID_PARAMS, words)
    })
}
