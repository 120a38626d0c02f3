//! farcall: a channel whose other end is the next line.

use std::sync::Arc;

use farcall_core::channel::{Carrier, Channel, InFlight, Outbound};
use farcall_core::context::{Caller, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::error::Failure;
use farcall_core::limits::Limits;
use farcall_core::payload::Payload;
use farcall_core::protocol::{answer, read_reply, write_call};
use farcall_core::router::Router;
use futures_util::FutureExt;

use super::Round;
use crate::load::Op;
use crate::peer::{Problem, Record};
use crate::subjects::farcall::{BenchClient, BenchServer, Handlers};

struct NextLine {
    encoding: Encoding,
    router: Arc<Router>,
    peer: Arc<Peer>,
}

impl Carrier for NextLine {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn start(&self, call: Outbound<'_>) -> Result<InFlight, Failure> {
        let mut message = Vec::new();
        write_call(&mut message, &call, self.encoding, None)
            .map_err(|error| Failure::encode(call.method.name, error))?;
        let (encoding, router) = (self.encoding, Arc::clone(&self.router));
        let caller = Caller::new(Arc::clone(&self.peer));
        Ok(Box::pin(async move {
            let reply = answer(&router, encoding, caller, Payload::from(message)).await;
            read_reply(encoding, Payload::from(reply.unwrap_or_default()))
        }))
    }
}

/// One call after the other in `encoding`.
pub(super) fn prepare(encoding: &str, op: Op) -> Result<Round, Problem> {
    let encoding: Encoding = encoding.parse()?;
    let peer = Peer::new("mem", encoding, None, Limits::default());
    let client = BenchClient::new(Channel::carried_by(Arc::new(NextLine {
        encoding,
        router: Router::builder()
            .service(BenchServer::new(Handlers))
            .build()?,
        peer: Arc::new(peer),
    })));
    let waits = "a handler that waits";
    Ok(match op {
        Op::Add => Box::new(move || {
            let sum = client.add(100_000, -7).into_future().now_or_never();
            match sum.ok_or(waits)?? {
                99_993 => Ok(()),
                other => Err(format!("100000 - 7 is not {other}").into()),
            }
        }),
        _ => {
            let mut records = Record::samples();
            Box::new(move || {
                let sent = std::mem::take(&mut records);
                records = client
                    .records(sent)
                    .into_future()
                    .now_or_never()
                    .ok_or(waits)??;
                Ok(())
            })
        }
    })
}
