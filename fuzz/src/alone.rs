//! One message, where something else tells it from the next.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use farcall::types::Value;
use farcall::{Encoding, Limits};
use farcall_core::context::{Caller, Peer};
use farcall_core::limits::Budget;
use farcall_core::payload::Payload;
use farcall_core::protocol;

use crate::service::{Record, Tree};
use crate::stream::router;

/// Has the service answer a message.
pub(crate) fn answer(encoding: Encoding, bytes: &[u8]) {
    let peer = Peer::new("mem", encoding, None, Limits::default());
    let caller = Caller::new(Arc::new(peer));
    let router = router();
    let mut answer = pin!(protocol::answer(
        &router,
        encoding,
        caller,
        Payload::copied_from(bytes)
    ));
    let mut cx = Context::from_waker(Waker::noop());
    // A call of `never` waits for ever; all others take their turns.
    for _ in 0..64 {
        if answer.as_mut().poll(&mut cx).is_ready() {
            return;
        }
    }
}

/// Reads a message as the reply to a call, as several types.
pub(crate) fn read(encoding: Encoding, bytes: &[u8]) {
    if let Ok(reply) =
        protocol::read_reply(encoding, Payload::copied_from(bytes), Budget::default())
    {
        let budget = Budget::default();
        let _ = reply.decode::<i64>(budget);
        let _ = reply.decode::<String>(budget);
        let _ = reply.decode::<Value>(budget);
        let _ = reply.decode::<Record>(budget);
        let _ = reply.decode::<Tree>(budget);
        let _ = reply.decode::<Vec<()>>(budget);
    }
}
