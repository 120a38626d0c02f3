//! Both sides of a connection, without a runtime: bytes are carried by hand, and time passes when
//! the test says so.

mod bytes;
mod deadlines;
mod direct;
mod ending;
mod json;
mod json_streams;
mod json_subscribers;
mod model;
mod pair;
mod pieces;
mod silence;
mod streams;
mod streams_model;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use farcall_core::encoding::Encoding;
use farcall_core::error::Error;
use farcall_core::fault::code;
use farcall_core::limits::Limits;
use farcall_core::service::Service;

use pair::{Gates, Pair, Parts, Wait, parts, poll};

#[test]
fn answers_may_come_in_any_order_and_one_byte_at_a_time() {
    for encoding in Encoding::ALL {
        let mut pair = Pair::new(encoding, &Limits::default());
        let channel = pair.channel.clone();
        let mut calls: Vec<Wait<'_>> = (0..5)
            .map(|gate| channel.call(&Gates::METHODS[0], (gate,)).into_future())
            .collect();
        for call in &mut calls {
            assert!(poll(call).is_pending());
        }
        for gate in [3, 0, 4, 1, 2] {
            Pair::carry(&mut parts!(pair), 1);
            assert!(poll(&mut calls[gate as usize]).is_pending());
            pair.gates.open(gate);
            Pair::carry(&mut parts!(pair), 1);
            match poll(&mut calls[gate as usize]) {
                Poll::Ready(Ok(answer)) => assert_eq!(answer, gate),
                other => panic!("{encoding}: {other:?}"),
            }
        }
        assert!(pair.server.is_idle());
    }
}

#[test]
fn a_dropped_call_stops_its_handler_and_its_late_reply_completes_nobody() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let mut given_up: Wait<'_> = channel.call(&Gates::METHODS[0], (1,)).into_future();
    assert!(poll(&mut given_up).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    // The reply is under way when the call is dropped; its slot goes to the next call.
    pair.gates.open(1);
    pair.server.poll(&Context::from_waker(Waker::noop()));
    drop(given_up);
    let mut next: Wait<'_> = channel.call(&Gates::METHODS[0], (2,)).into_future();
    assert!(poll(&mut next).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    assert!(
        poll(&mut next).is_pending(),
        "the late reply was not for it"
    );
    pair.gates.open(2);
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut next), Poll::Ready(Ok(2))));

    let mut dropped: Wait<'_> = channel.call(&Gates::METHODS[0], (3,)).into_future();
    assert!(poll(&mut dropped).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    drop(dropped);
    Pair::carry(&mut parts!(pair), 64);
    assert_eq!(pair.gates.dropped.lock().unwrap().last(), Some(&3));
    assert!(pair.server.is_idle());
}

#[test]
fn a_full_connection_makes_callers_wait_and_refuses_nobody() {
    let mut limits = Limits::default();
    limits.calls_per_connection = 2;
    let mut pair = Pair::new(Encoding::Bincode, &limits);
    let channel = pair.channel.clone();
    // The server's hello tells its limit.
    let mut first: Wait<'_> = channel.call(&Gates::METHODS[0], (0,)).into_future();
    assert!(poll(&mut first).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    let mut calls: VecDeque<Wait<'_>> = (1..5)
        .map(|gate| channel.call(&Gates::METHODS[0], (gate,)).into_future())
        .collect();
    for call in &mut calls {
        assert!(poll(call).is_pending());
    }
    Pair::carry(&mut parts!(pair), 64);
    assert_eq!(pair.server.in_flight(), 2);
    pair.gates.open(0);
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut first), Poll::Ready(Ok(0))));
    for gate in 1..5 {
        pair.gates.open(gate);
        // Whoever waits for a place gets its turn when it is polled again.
        for call in &mut calls {
            if let Poll::Ready(answer) = poll(call) {
                panic!("before its reply was carried: {answer:?}");
            }
        }
        Pair::carry(&mut parts!(pair), 64);
        assert!(pair.server.in_flight() <= 2);
        let mut call = calls.pop_front().unwrap();
        assert!(matches!(poll(&mut call), Poll::Ready(Ok(answer)) if answer == gate));
    }
}

#[test]
fn every_call_ends_when_the_connection_does() {
    let mut pair = Pair::new(Encoding::Json, &Limits::default());
    let channel = pair.channel.clone();
    let mut sent: Wait<'_> = channel.call(&Gates::METHODS[0], (1,)).into_future();
    assert!(poll(&mut sent).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    pair.driver.close(None);
    match poll(&mut sent) {
        Poll::Ready(Err(error)) => assert!(error.was_sent() && !error.is_retryable()),
        other => panic!("{other:?}"),
    }
    let mut late: Wait<'_> = pair.wait(2).into_future();
    match poll(&mut late) {
        Poll::Ready(Err(error)) => assert!(!error.was_sent() && error.is_retryable()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_draining_server_answers_what_it_took_and_turns_the_rest_away() {
    let mut pair = Pair::new(Encoding::Json, &Limits::default());
    let channel = pair.channel.clone();
    let mut taken: Wait<'_> = channel.call(&Gates::METHODS[0], (1,)).into_future();
    assert!(poll(&mut taken).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    pair.server.drain();
    let mut late: Wait<'_> = channel.call(&Gates::METHODS[0], (2,)).into_future();
    assert!(poll(&mut late).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    match poll(&mut late) {
        Poll::Ready(Err(Error::Failed(failure))) => {
            assert_eq!(failure.fault().unwrap().code, code::UNAVAILABLE);
            assert!(failure.is_retryable(), "it did not run");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(*pair.gates.started.lock().unwrap(), [1]);
    pair.gates.open(1);
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut taken), Poll::Ready(Ok(1))));
}

#[test]
fn a_server_that_speaks_something_else_is_quoted() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let mut call: Wait<'_> = channel.call(&Gates::METHODS[0], (1,)).into_future();
    assert!(poll(&mut call).is_pending());
    pair.to_client
        .room()
        .extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n");
    let misbehaved = pair.driver.receive(&mut pair.to_client).unwrap_err();
    pair.driver.close(Some(&misbehaved));
    match poll(&mut call) {
        Poll::Ready(Err(error)) => assert!(error.to_string().contains("HTTP/1.1 400"), "{error}"),
        other => panic!("{other:?}"),
    }
}

/// A waker that counts.
#[derive(Default)]
struct Counted(std::sync::atomic::AtomicUsize);

impl std::task::Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

#[test]
fn a_caller_that_gave_up_waiting_for_room_does_not_take_anothers_turn() {
    let mut limits = Limits::default();
    limits.calls_per_connection = 1;
    let mut pair = Pair::new(Encoding::Bincode, &limits);
    let channel = pair.channel.clone();
    let call = |gate| -> Wait<'_> { channel.call(&Gates::METHODS[0], (gate,)).into_future() };
    // The server's hello says that it takes one call at a time.
    Pair::carry(&mut parts!(pair), 64);
    let (mut first, mut second, mut third) = (call(1), call(2), call(3));
    assert!(poll(&mut first).is_pending());
    let woken = [Arc::new(Counted::default()), Arc::new(Counted::default())];
    for (call, woken) in [&mut second, &mut third].into_iter().zip(&woken) {
        // Asking more than once does not take more than one turn.
        for _ in 0..3 {
            let waker = Waker::from(Arc::clone(woken));
            assert!(
                Pin::new(&mut *call)
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
        }
    }
    pair.gates.open(1);
    Pair::carry(&mut parts!(pair), 64);
    assert!(poll(&mut first).is_ready());
    let count = |at: usize| woken[at].0.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(
        (count(0), count(1)),
        (1, 0),
        "the first to come is the first to be called"
    );
    // It was called, and does not come.
    drop(second);
    assert_eq!(count(1), 1, "the room is for the next");
    assert!(poll(&mut third).is_pending());
    pair.gates.open(3);
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut third), Poll::Ready(Ok(3))));
}
