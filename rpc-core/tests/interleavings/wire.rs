//! A client and a server on threads of their own, and the bytes between them.

use std::future::poll_fn;
use std::mem::take;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use farcall_core::channel::Channel;
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Sending, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::router::Router;
use farcall_core::service::Service;
use shuttle::future::block_on;
use shuttle::rand::Rng;
use shuttle::sync::Mutex;
use shuttle::thread::{self, JoinHandle};

/// One direction of a connection.
#[derive(Default)]
struct Pipe(Mutex<State>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    closed: bool,
    reader: Option<Waker>,
}

impl Pipe {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap();
        change(&mut state);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Writes all that `transmit` gives.
    fn send(&self, mut transmit: impl FnMut(&mut Sending)) {
        let mut sending = Sending::default();
        loop {
            transmit(&mut sending);
            if sending.is_empty() {
                return;
            }
            self.change(|state| sending.drain_into(&mut state.bytes));
        }
    }

    fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// Reads what is there; false at the end.
    fn read(&self, received: &mut Received, cx: &Context<'_>) -> bool {
        let mut state = self.0.lock().unwrap();
        let bytes = take(&mut state.bytes);
        state.reader = Some(cx.waker().clone());
        received.room().extend_from_slice(&bytes);
        !state.closed
    }
}

/// A connection, and the threads at its ends.
pub(crate) struct Wire {
    pub(crate) channel: Channel,
    pipes: Arc<[Pipe; 2]>,
    ends: [JoinHandle<()>; 2],
}

impl Wire {
    pub(crate) fn new(service: impl Service, encoding: Encoding, limits: &Limits) -> Self {
        let speech = match encoding {
            Encoding::Json => Speech::JsonRpc,
            _ => Speech::Native,
        };
        let router = Router::builder().service(service).build().unwrap();
        let peer = Peer::new("mem", encoding, None, limits.clone());
        let server = Server::new(router, Arc::new(peer), speech).unwrap();
        let (client, driver) = Client::new(speech, encoding, limits.clone(), Instant::now);
        let pipes: Arc<[Pipe; 2]> = Arc::default();
        let (there, here) = (Arc::clone(&pipes), Arc::clone(&pipes));
        Self {
            channel: Channel::over(Arc::new(client)),
            pipes,
            ends: [
                thread::spawn(move || drive(driver, &there)),
                thread::spawn(move || serve(server, &here)),
            ],
        }
    }

    /// Loses the connection.
    pub(crate) fn cut(&self) {
        self.pipes.iter().for_each(Pipe::close);
    }

    /// Ends it: with its last caller both of its ends are over.
    pub(crate) fn end(self) {
        drop(self.channel);
        for end in self.ends {
            end.join().unwrap();
        }
    }
}

fn drive(mut driver: Driver, pipes: &Arc<[Pipe; 2]>) {
    let [out, back] = &**pipes;
    let directly = Arc::clone(pipes);
    driver.send_directly(move |bytes| {
        let [out, _] = &*directly;
        // Some of it now and then, as a socket does that is nearly full.
        let count = bytes.len() - usize::from(shuttle::rand::thread_rng().gen_bool(0.3));
        out.change(|state| state.bytes.extend_from_slice(&bytes[..count]));
        count
    });
    let mut received = Received::default();
    block_on(poll_fn(|cx| {
        driver.register(cx.waker());
        let open = back.read(&mut received, cx);
        while driver.receive(&mut received).unwrap() {}
        driver.poll_uploads(cx);
        out.send(|sending| driver.transmit(sending));
        driver.all_sent();
        if open && !driver.is_done() {
            return Poll::Pending;
        }
        driver.close(None);
        out.close();
        Poll::Ready(())
    }));
}

fn serve(mut server: Server, [out, back]: &[Pipe; 2]) {
    let mut received = Received::default();
    let mut open = true;
    block_on(poll_fn(|cx| {
        server.poll(cx);
        if open {
            open = out.read(&mut received, cx);
            while server.receive(&mut received, Instant::now()).unwrap() {}
            server.poll(cx);
        }
        if !open {
            // Nobody reads what is left to say.
            server.receive_end(&mut received);
            server.abort();
        }
        back.send(|sending| server.transmit(sending));
        if open || !server.is_idle() {
            return Poll::Pending;
        }
        back.close();
        Poll::Ready(())
    }));
}

/// Polls `call` so many times at most, and then gives it up.
pub(crate) fn impatient<F: Future>(call: F, polls: usize) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut left = polls;
    block_on(poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        let polled = call.as_mut().poll(cx).map(Some);
        if polled.is_pending() {
            // Others may come first, or not.
            cx.waker().wake_by_ref();
        }
        polled
    }))
}
