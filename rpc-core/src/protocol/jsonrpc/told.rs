//! What a client says about its calls under way, in messages that call no service's method.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::params::Arguments;
use crate::payload::Payload;
use crate::protocol::Incoming;
use crate::protocol::outbox::ReplyId;

/// The notification that gives up a call, as in the Language Server Protocol.
pub(super) const CANCEL: &str = "$/cancelRequest";

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
}

impl Told {
    /// Reads what `method` with `params` says, if it is one of these.
    pub(super) fn read(method: &str, params: Option<&str>) -> Option<Self> {
        let (name, what) = match method {
            CANCEL => (CANCEL, cancel(params)),
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

    /// In a batch, where it would not be clear what came first.
    pub(super) fn in_batch(self) -> Incoming {
        let words = format!("`{}` is not taken in a batch: send it alone", self.name);
        self.refused(Fault::new(code::INVALID_REQUEST, words))
    }

    fn refused(self, fault: Fault) -> Incoming {
        Incoming {
            target: Err(fault),
            arguments: Arguments::none(Encoding::Json),
            reply: self.reply,
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
    Ok(Word::Cancel(Payload::copied_from(id.get().as_bytes())))
}

/// Reads parameters by name or by position.
fn read<'a, T: Deserialize<'a>>(method: &str, params: Option<&'a str>) -> Result<T, Fault> {
    serde_json::from_str(params.unwrap_or("[]")).map_err(|error| {
        let words = format!("invalid parameters for `{method}`: {error}");
        Fault::new(code::INVALID_PARAMS, words)
    })
}
