//! Many calls in one message, where something else tells one message from the next: a JSON-RPC
//! batch, a `system.multicall` of XML-RPC, or native frames one behind the other.

use std::time::Duration;

use super::tail::Tail;
use crate::channel::{Inbound, Outbound, Replies};
use crate::encoding::Encoding;
use crate::error::{EncodeError, Failure};
use crate::fault::Fault;
use crate::limits::Budget;
use crate::payload::Payload;

/// Calls that were written as one message, of which each is to be told how it ended.
///
/// The message is the one that [`answer`](super::answer) takes.
///
/// ```
/// use farcall_core::channel::{Options, Outbound};
/// use farcall_core::{encoding::Encoding, method::Method, protocol::Batch};
///
/// static PING: Method = Method::new("ping", "");
///
/// let options = Options::default();
/// let call = Outbound { method: &PING, params: &(), options: &options };
/// let mut out = Vec::new();
/// let batch = Batch::write(&mut out, &[call], Encoding::Json, None);
/// assert_eq!(out, br#"[{"jsonrpc":"2.0","method":"ping","params":[],"id":1}]"#);
/// assert!(batch.wants_reply());
/// ```
#[derive(Debug)]
pub struct Batch {
    encoding: Encoding,
    members: Vec<Member>,
}

/// The reply to one call of a batch, and the call's place counted from 1, if it says so.
pub(super) type Numbered = (Option<u64>, Result<Inbound, Failure>);

#[derive(Debug)]
enum Member {
    /// To be answered, under its place counted from 1.
    Asked,
    Notified,
    /// It is not in the message.
    Failed(Failure),
}

impl Batch {
    /// Appends `calls` as one message. One that cannot be encoded is left out, and fails alone.
    pub fn write(
        out: &mut Vec<u8>,
        calls: &[Outbound<'_>],
        encoding: Encoding,
        remaining: Option<Duration>,
    ) -> Self {
        let marks = Marks::of(encoding);
        let start = out.len();
        out.extend_from_slice(marks.open);
        let mut first = true;
        let mut members = Vec::with_capacity(calls.len());
        for (call, id) in calls.iter().zip(1..) {
            let member = Tail::begin(out);
            if !first {
                member.out.extend_from_slice(marks.between);
            }
            let written = write_member(member.out, call, encoding, id, remaining);
            members.push(match written {
                Ok(()) => {
                    member.keep();
                    first = false;
                    match call.options.notification {
                        true => Member::Notified,
                        false => Member::Asked,
                    }
                }
                Err(error) => Member::Failed(Failure::encode(call.method.name, error)),
            });
        }
        match first {
            // An empty batch would be refused.
            true => out.truncate(start),
            false => out.extend_from_slice(marks.close),
        }
        Self { encoding, members }
    }

    /// False if the message, if there is one, will not be answered with anything.
    #[must_use]
    pub fn wants_reply(&self) -> bool {
        let asked = |member: &Member| matches!(member, Member::Asked);
        self.members.iter().any(asked)
    }

    /// How each call ended, where no reply was wanted.
    #[must_use]
    pub fn unanswered(self) -> Replies {
        self.hand_out(|_| Err(Failure::left_out()))
    }

    /// Reads the answer: how each call ended, in the order they were written. What is looked at of the
    /// values here may cost `budget`.
    ///
    /// # Errors
    /// The fault that refused the batch as a whole, or that this is no answer to one.
    pub fn read(self, body: &Payload, budget: Budget) -> Result<Replies, Failure> {
        let encoding = self.encoding;
        let (mut replies, unnamed) = match encoding {
            #[cfg(feature = "json")]
            Encoding::Json => self.place(super::jsonrpc::read_whole_batch(body.clone())?),
            #[cfg(feature = "xml")]
            Encoding::Xml => {
                // In order, without ids; notifications are answered like any other.
                let written = self.members.iter().zip(1..).filter_map(|(member, id)| {
                    (!matches!(member, Member::Failed(_))).then_some(id)
                });
                let outcomes = super::xmlrpc::read_batch(body.clone(), budget)?;
                self.place(written.zip(outcomes).map(|(id, reply)| (Some(id), reply)))
            }
            _ => self.place(super::native::read_batch(body, encoding)?),
        };
        Ok(self.hand_out(|at| {
            let reply = replies.get_mut(at).and_then(Option::take);
            reply.unwrap_or_else(|| Err(Failure::left_out_but_for(unnamed.clone())))
        }))
    }

    /// Puts replies where their ids say, and gives the first fault that has none. A reply for
    /// nobody, or a second one, is dropped.
    fn place(
        &self,
        replies: impl IntoIterator<Item = Numbered>,
    ) -> (Vec<Option<Result<Inbound, Failure>>>, Option<Fault>) {
        let mut places: Vec<_> = self.members.iter().map(|_| None).collect();
        let mut unnamed = None;
        for (id, reply) in replies {
            if let (None, Err(failure), None) = (id, &reply, &unnamed) {
                unnamed = failure.fault().cloned();
            }
            let at = id.and_then(|id| usize::try_from(id.checked_sub(1)?).ok());
            if let Some(place @ None) = at.and_then(|at| places.get_mut(at)) {
                *place = Some(reply);
            }
        }
        (places, unnamed)
    }

    fn hand_out(self, mut reply: impl FnMut(usize) -> Result<Inbound, Failure>) -> Replies {
        let ended = self.members.into_iter().enumerate();
        ended
            .map(|(at, member)| match member {
                Member::Asked => reply(at),
                Member::Notified => Ok(Inbound::nothing(self.encoding)),
                Member::Failed(failure) => Err(failure),
            })
            .collect()
    }
}

/// What stands around and between the members.
struct Marks {
    open: &'static [u8],
    between: &'static [u8],
    close: &'static [u8],
}

impl Marks {
    fn of(encoding: Encoding) -> Self {
        let [open, between, close]: [&[u8]; 3] = match encoding {
            Encoding::Json => [b"[", b",", b"]"],
            #[cfg(feature = "xml")]
            Encoding::Xml => [super::xmlrpc::BEFORE_BATCH, b"", super::xmlrpc::AFTER_BATCH],
            _ => [b"", b"", b""],
        };
        Self {
            open,
            between,
            close,
        }
    }
}

fn write_member(
    out: &mut Vec<u8>,
    call: &Outbound<'_>,
    encoding: Encoding,
    id: u64,
    remaining: Option<Duration>,
) -> Result<(), EncodeError> {
    match encoding {
        #[cfg(feature = "json")]
        Encoding::Json => {
            let id = (!call.options.notification).then_some(id);
            super::jsonrpc::write_call(out, call, call.method.style, id)
        }
        #[cfg(feature = "xml")]
        Encoding::Xml => super::xmlrpc::write_member(out, call),
        _ => super::native::write_call(out, call, encoding, id, remaining),
    }
}
