//! Callers that are alone send their requests themselves.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use farcall_core::connection::Sending;
use farcall_core::encoding::Encoding;
use farcall_core::error::Error;
use farcall_core::limits::Limits;
use farcall_core::service::Service;

use super::pair::{Gates, Pair, Parts, Wait, now, parts, poll, sent};

/// The socket, which takes so many bytes at a time.
#[derive(Clone)]
struct Socket {
    bytes: Arc<Mutex<Vec<u8>>>,
    most: Arc<AtomicUsize>,
}

impl Socket {
    /// Of a connection that has said hello.
    fn of(pair: &mut Pair) -> Self {
        Pair::carry(&mut parts!(pair), 64);
        let socket = Self {
            bytes: Arc::default(),
            most: Arc::new(AtomicUsize::new(usize::MAX)),
        };
        let Self { bytes, most } = socket.clone();
        pair.driver.send_directly(move |sent| {
            let count = sent.len().min(most.load(Relaxed));
            bytes.lock().unwrap().extend_from_slice(&sent[..count]);
            count
        });
        socket
    }

    fn arrive(&self, pair: &mut Pair) {
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap());
        pair.to_server.room().extend_from_slice(&bytes);
        while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    }
}

/// The driver's task: how often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn registered(pair: &Pair) -> Arc<Task> {
    let task = Arc::<Task>::default();
    pair.driver.register(&Waker::from(Arc::clone(&task)));
    task
}

#[test]
fn a_lone_call_needs_its_driver_for_the_reply_only() {
    for encoding in Encoding::ALL {
        let mut pair = Pair::new(encoding, &Limits::default());
        let socket = Socket::of(&mut pair);
        let channel = pair.channel.clone();
        for gate in 0..4 {
            pair.gates.open(gate);
            let task = registered(&pair);
            let mut call: Wait<'_> = channel.call(&Gates::METHODS[0], (gate,)).into_future();
            assert!(poll(&mut call).is_pending());
            // The first sets the timer of the connection; those after it end later.
            assert_eq!(task.0.load(Relaxed), usize::from(gate == 0));
            assert!(sent(|sending| pair.driver.transmit(sending)).is_empty());
            socket.arrive(&mut pair);
            Pair::carry(&mut parts!(pair), 64);
            assert!(matches!(poll(&mut call), Poll::Ready(Ok(reply)) if reply == gate));
        }
    }
}

#[test]
fn calls_that_are_not_alone_leave_together() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let socket = Socket::of(&mut pair);
    let channel = pair.channel.clone();
    let mut calls: Vec<Wait<'_>> = (0..3)
        .map(|gate| channel.call(&Gates::METHODS[0], (gate,)).into_future())
        .collect();
    let mut lengths = Vec::new();
    for call in &mut calls {
        let task = registered(&pair);
        assert!(poll(call).is_pending());
        assert_eq!(task.0.load(Relaxed), 1, "the timer, or what is to be sent");
        lengths.push(socket.bytes.lock().unwrap().len());
    }
    assert!(lengths[0] > 0 && lengths.iter().all(|length| *length == lengths[0]));
    let rest = sent(|sending| pair.driver.transmit(sending));
    assert_eq!(rest.len(), 2 * lengths[0]);
}

#[test]
fn nobody_sends_into_what_the_driver_is_sending() {
    for is_sent in [false, true] {
        let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
        let socket = Socket::of(&mut pair);
        let channel = pair.channel.clone();
        let call =
            |gate| channel.call::<_, u32, std::convert::Infallible>(&Gates::METHODS[0], (gate,));
        let told = std::pin::pin!(call(1_u32).notify());
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(told.poll(cx).is_ready());
        let mut sending = Sending::default();
        pair.driver.transmit(&mut sending);
        assert!(!sending.is_empty());
        if is_sent {
            sending.advance(sending.left());
            pair.driver.all_sent();
        }
        let mut lone: Wait<'_> = call(2).into_future();
        assert!(poll(&mut lone).is_pending());
        assert_eq!(socket.bytes.lock().unwrap().is_empty(), !is_sent);
    }
}

#[test]
fn what_the_socket_does_not_take_is_left_to_the_driver() {
    for most in [0, 1, 20] {
        let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
        let socket = Socket::of(&mut pair);
        socket.most.store(most, Relaxed);
        pair.gates.open(7);
        let channel = pair.channel.clone();
        let task = registered(&pair);
        let mut call: Wait<'_> = channel.call(&Gates::METHODS[0], (7,)).into_future();
        assert!(poll(&mut call).is_pending());
        assert_eq!(task.0.load(Relaxed), 1);
        socket.arrive(&mut pair);
        Pair::carry(&mut parts!(pair), 64);
        assert!(matches!(poll(&mut call), Poll::Ready(Ok(7))));
    }
}

#[test]
fn a_call_of_which_a_byte_left_may_have_run() {
    for most in [0, 1, usize::MAX] {
        let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
        let socket = Socket::of(&mut pair);
        socket.most.store(most, Relaxed);
        let channel = pair.channel.clone();
        let mut call: Wait<'_> = channel.call(&Gates::METHODS[0], (7,)).into_future();
        assert!(poll(&mut call).is_pending());
        pair.driver.stop_sending(&Sending::default());
        pair.driver.close(None);
        let Poll::Ready(Err(Error::Failed(failure))) = poll(&mut call) else {
            panic!("it has no reply");
        };
        assert_eq!(failure.was_sent(), most > 0);
        assert_eq!(Arc::strong_count(&socket.bytes), 1, "the socket is let go");
    }
}

#[test]
fn a_lone_call_that_ends_earlier_sets_the_timer() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let _socket = Socket::of(&mut pair);
    let channel = pair.channel.clone();
    let call = channel.call::<_, u32, std::convert::Infallible>(&Gates::METHODS[0], (1_u32,));
    let mut call = call.timeout(Duration::from_millis(5)).into_future();
    let task = registered(&pair);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(std::pin::Pin::new(&mut call).poll(cx).is_pending());
    assert_eq!(task.0.load(Relaxed), 1);
    let due = pair.driver.poll_timeout().unwrap();
    assert_eq!(due, now() + Duration::from_millis(5));
}
