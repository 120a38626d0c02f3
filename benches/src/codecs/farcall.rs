//! farcall's own: messages as they go over HTTP, handed to the other side in the next line, and the
//! two ends of a byte stream with no bytes waiting between them.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use farcall_core::channel::{Carrier, Channel, InFlight, Outbound};
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Sending, Speech};
use farcall_core::context::{Caller, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::error::Failure;
use farcall_core::limits::{Budget, Limits};
use farcall_core::payload::Payload;
use farcall_core::protocol::{answer, read_reply, write_call};
use farcall_core::router::Router;
use futures_util::FutureExt;

use super::Round;
use crate::load::Op;
use crate::peer::{Problem, Record};
use crate::subjects::farcall::{BenchClient, BenchServer, Handlers};

/// In which order the members of a message are.
#[derive(Clone, Copy)]
pub(super) enum Order {
    /// As farcall writes them, which it reads by the short way.
    Usual,
    /// With the id in front, as some write them: read by the long way.
    IdFirst,
}

impl Order {
    /// Puts the members of a JSON-RPC message whose id is 1 in this order.
    fn arrange(self, message: Vec<u8>) -> Vec<u8> {
        const ID: &[u8] = b",\"id\":1}";
        match (self, message.strip_suffix(ID)) {
            (Self::IdFirst, Some([b'{', members @ ..])) => {
                let mut arranged = Vec::with_capacity(message.len());
                arranged.extend_from_slice(b"{\"id\":1,");
                arranged.extend_from_slice(members);
                arranged.push(b'}');
                arranged
            }
            _ => message,
        }
    }
}

struct NextLine {
    encoding: Encoding,
    order: Order,
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
        let (encoding, order) = (self.encoding, self.order);
        let router = Arc::clone(&self.router);
        let caller = Caller::new(Arc::clone(&self.peer));
        Ok(Box::pin(async move {
            let message = Payload::from(order.arrange(message));
            let reply = answer(&router, encoding, caller, message).await;
            let reply = order.arrange(reply.unwrap_or_default().message);
            read_reply(encoding, Payload::from(reply), Budget::default())
        }))
    }
}

/// Moves the bytes between the two ends of a byte stream.
struct Ends {
    driver: Driver,
    to_client: Received,
    server: Server,
    to_server: Received,
    sending: Sending,
    bytes: Vec<u8>,
}

impl Ends {
    fn carry(&mut self) -> Result<(), Problem> {
        let now = Instant::now();
        self.driver.transmit(&mut self.sending);
        self.sending.drain_into(&mut self.bytes);
        self.to_server.room().extend_from_slice(&self.bytes);
        self.bytes.clear();
        self.server.receive(&mut self.to_server, now)?;
        self.server.transmit(&mut self.sending);
        self.sending.drain_into(&mut self.bytes);
        self.to_client.room().extend_from_slice(&self.bytes);
        self.bytes.clear();
        self.driver.receive(&mut self.to_client)?;
        Ok(())
    }

    /// Runs a call to its end, which no handler here delays.
    fn finish<T, E: Into<Problem>>(
        &mut self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Problem> {
        /// The hello is one of them.
        const ENOUGH: usize = 4;
        let mut call = pin!(call);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..ENOUGH {
            if let Poll::Ready(done) = call.as_mut().poll(&mut cx) {
                return done.map_err(Into::into);
            }
            self.carry()?;
        }
        Err("a handler that waits".into())
    }
}

/// One call after the other over a byte stream.
pub(super) fn stream(encoding: &str, op: Op) -> Result<Round, Problem> {
    let encoding: Encoding = encoding.parse()?;
    let speech = match encoding {
        Encoding::Json => Speech::JsonRpc,
        _ => Speech::Native,
    };
    let limits = Limits::default();
    let peer = Arc::new(Peer::new("mem", encoding, None, limits.clone()));
    let (client, driver) = Client::new(speech, encoding, limits, Instant::now);
    let client = BenchClient::new(Channel::over(Arc::new(client)));
    let mut ends = Ends {
        driver,
        to_client: Received::default(),
        server: Server::new(router()?, peer, speech)?,
        to_server: Received::default(),
        sending: Sending::default(),
        bytes: Vec::new(),
    };
    Ok(match op {
        Op::Add => Box::new(move || sum(ends.finish(client.add(100_000, -7).into_future())?)),
        _ => {
            let mut records = Record::samples();
            Box::new(move || {
                let sent = std::mem::take(&mut records);
                records = ends.finish(client.records(sent).into_future())?;
                Ok(())
            })
        }
    })
}

fn router() -> Result<Arc<Router>, Problem> {
    Ok(Router::builder()
        .service(BenchServer::new(Handlers::default()))
        .build()?)
}

fn sum(sum: i32) -> Result<(), Problem> {
    match sum {
        99_993 => Ok(()),
        other => Err(format!("100000 - 7 is not {other}").into()),
    }
}

/// One call after the other, each message alone.
pub(super) fn messages(encoding: &str, op: Op, order: Order) -> Result<Round, Problem> {
    let encoding: Encoding = encoding.parse()?;
    let peer = Peer::new("mem", encoding, None, Limits::default());
    let client = BenchClient::new(Channel::carried_by(Arc::new(NextLine {
        encoding,
        order,
        router: router()?,
        peer: Arc::new(peer),
    })));
    let waits = "a handler that waits";
    Ok(match op {
        Op::Add => Box::new(move || {
            let call = client.add(100_000, -7).into_future().now_or_never();
            sum(call.ok_or(waits)??)
        }),
        _ => {
            let mut records = Record::samples();
            Box::new(move || {
                let sent = std::mem::take(&mut records);
                let call = client.records(sent).into_future().now_or_never();
                records = call.ok_or(waits)??;
                Ok(())
            })
        }
    })
}
