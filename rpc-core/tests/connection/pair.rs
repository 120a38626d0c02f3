//! A client and a server without a runtime: the test carries the bytes, and time passes when it says
//! so.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use farcall_core::channel::{Call, CallFuture, Channel};
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Sending, Speech};
use farcall_core::context::{Clock, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::method::{Method, Param};
use farcall_core::params::required;
use farcall_core::router::Router;
use farcall_core::service::{Reply, Request, Service};

thread_local! {
    static START: Instant = Instant::now();
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

pub(crate) fn now() -> Instant {
    START.with(|start| *start) + PASSED.get()
}

pub(crate) fn pass(time: Duration) {
    PASSED.set(PASSED.get() + time);
}

/// Gates by number: a call of `wait(n)` is pending until `open(n)`.
#[derive(Clone, Default)]
pub(crate) struct Gates {
    open: Arc<Mutex<Vec<u32>>>,
    waiting: Arc<Mutex<Vec<Waker>>>,
    pub(crate) dropped: Arc<Mutex<Vec<u32>>>,
    pub(crate) started: Arc<Mutex<Vec<u32>>>,
}

impl Gates {
    pub(crate) fn open(&self, gate: u32) {
        self.open.lock().unwrap().push(gate);
        for waker in self.waiting.lock().unwrap().drain(..) {
            waker.wake();
        }
    }
}

/// A handler that waits at a gate, and notes when it is dropped.
struct Waiting(Gates, u32);

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.open.lock().unwrap().contains(&self.1) {
            return Poll::Ready(());
        }
        self.0.waiting.lock().unwrap().push(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dropped.lock().unwrap().push(self.1);
    }
}

impl Service for Gates {
    const METHODS: &'static [Method] = &[
        Method::new("wait", "")
            .takes(&[Param::required::<u32>("gate")])
            .returns::<u32>(),
        Method::new("echo", "")
            .takes(&[Param::required::<String>("text")])
            .returns::<String>(),
        Method::new("keep", "")
            .takes(&[Param::required::<u64>("ms")])
            .returns::<()>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        let gates = self.clone();
        async move {
            match request.index() {
                0 => {
                    let (gate,) = request.params::<(u32,)>((required,))?;
                    gates.started.lock().unwrap().push(gate);
                    Waiting(gates, gate).await;
                    request.reply(&gate)
                }
                1 => {
                    let (text,) = request.params::<(String,)>((required,))?;
                    request.reply(&text)
                }
                // A handler that keeps the thread for so long.
                _ => {
                    let (ms,) = request.params::<(u64,)>((required,))?;
                    pass(Duration::from_millis(ms));
                    request.reply(&())
                }
            }
        }
    }
}

pub(crate) type Wait<'a> = CallFuture<'a, (u32,), u32>;

/// A client and a server, and the bytes on their way.
pub(crate) struct Pair {
    pub(crate) channel: Channel,
    pub(crate) driver: Driver,
    pub(crate) to_client: Received,
    pub(crate) server: Server,
    pub(crate) to_server: Received,
    pub(crate) gates: Gates,
}

impl Pair {
    pub(crate) fn new(encoding: Encoding, limits: &Limits) -> Self {
        let speech = match encoding {
            Encoding::Json => Speech::JsonRpc,
            _ => Speech::Native,
        };
        let gates = Gates::default();
        let router = Router::builder().service(gates.clone()).build().unwrap();
        let mut peer = Peer::new("mem", encoding, None, limits.clone());
        peer.clock = Some(Clock {
            now,
            sleep_until: |_| Box::pin(std::future::pending()),
        });
        let server = Server::new(router, Arc::new(peer), speech).unwrap();
        let (client, driver) = Client::new(speech, encoding, Limits::default(), now);
        let channel = Channel::over(Arc::new(client));
        let (to_client, to_server) = (Received::default(), Received::default());
        Self {
            channel,
            driver,
            to_client,
            server,
            to_server,
            gates,
        }
    }

    pub(crate) fn wait(&self, gate: u32) -> Call<'_, (u32,), u32> {
        self.channel.call(&Gates::METHODS[0], (gate,))
    }

    /// Carries bytes, `step` at a time, until both sides are still.
    pub(crate) fn carry(parts: &mut Parts<'_>, step: usize) {
        loop {
            let mut still = true;
            let bytes = sent(|sending| parts.driver.transmit(sending));
            for mut piece in bytes.chunks(step) {
                still = false;
                while !piece.is_empty() {
                    piece = parts.to_server.put(piece);
                    while parts.server.receive(parts.to_server, now()).unwrap() {}
                }
            }
            parts.server.poll(&Context::from_waker(Waker::noop()));
            let bytes = sent(|sending| parts.server.transmit(sending));
            for mut piece in bytes.chunks(step) {
                still = false;
                while !piece.is_empty() {
                    piece = parts.to_client.put(piece);
                    while parts.driver.receive(parts.to_client).unwrap() {}
                }
            }
            if still {
                return;
            }
        }
    }
}

/// All that `transmit` gives, however often it has to be asked.
pub(crate) fn sent(mut transmit: impl FnMut(&mut Sending)) -> Vec<u8> {
    let (mut sending, mut bytes) = (Sending::default(), Vec::new());
    loop {
        transmit(&mut sending);
        if sending.is_empty() {
            return bytes;
        }
        sending.drain_into(&mut bytes);
    }
}

/// What moves while calls borrow the channel.
pub(crate) struct Parts<'a> {
    pub(crate) driver: &'a mut Driver,
    pub(crate) to_client: &'a mut Received,
    pub(crate) server: &'a mut Server,
    pub(crate) to_server: &'a mut Received,
}

macro_rules! parts {
    ($pair:ident) => {
        Parts {
            driver: &mut $pair.driver,
            to_client: &mut $pair.to_client,
            server: &mut $pair.server,
            to_server: &mut $pair.to_server,
        }
    };
}

pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) use parts;
