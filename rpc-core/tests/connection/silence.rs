//! The other side vanishes without a word while somebody waits for it.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use farcall_core::channel::{Channel, StreamCall, Streaming};
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::router::Router;
use farcall_core::service::Service;
use futures_util::{FutureExt, StreamExt};

use crate::pair::{Gates, Pair, Parts, Wait, now, parts, pass, poll, sent};
use crate::streams::Numbers;

const PING: u8 = 8;
const PONG: u8 = 9;

/// Long enough that no deadline comes before what is tested here.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Lets `time` pass a second at a time, as the timers of a transport would; the kinds of the frames
/// that the client sends meanwhile, all of them without a body.
fn wait(driver: &mut Driver, time: u64) -> Vec<u8> {
    let mut kinds = Vec::new();
    for _ in 0..time {
        pass(Duration::from_secs(1));
        while driver.poll_timeout().is_some_and(|at| at <= now()) {
            driver.handle_timeout(now());
        }
        let bytes = sent(|sending| driver.transmit(sending));
        kinds.extend(bytes.chunks(16).map(|frame| frame[4]));
    }
    kinds
}

#[test]
fn a_server_that_is_gone_is_asked_and_then_given_up_with_every_call_and_stream() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let call = |gate| channel.call(&Gates::METHODS[0], (gate,)).timeout(DAY);
    let mut first: Wait<'_> = call(1).into_future();
    assert!(poll(&mut first).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    assert!(wait(&mut pair.driver, 50).is_empty());
    let mut second: Wait<'_> = call(2).into_future();
    assert!(poll(&mut second).is_pending());
    assert_eq!(
        sent(|sending| pair.driver.transmit(sending))[4],
        1,
        "a request"
    );
    // What it said at the beginning was heard, a quarter of a minute late.
    let pings = wait(&mut pair.driver, 25);
    assert_eq!(pings, [PING]);
    assert!(wait(&mut pair.driver, 19).is_empty());
    assert!(!pair.driver.is_silent() && poll(&mut first).is_pending());
    assert!(wait(&mut pair.driver, 1).is_empty());
    assert!(pair.driver.is_silent());
    pair.driver.close(None);
    for call in [first, second] {
        let Some(Err(error)) = call.now_or_never() else {
            panic!("it waits for ever");
        };
        assert!(error.was_sent() && !error.is_retryable() && !error.is_timeout());
        let words = error.to_string();
        assert_eq!(
            words,
            "the other side is gone: nothing came for 60s (`Limits::silence_time`), nor an answer \
             to a ping within 20s (`Limits::pong_time`)"
        );
    }
}

#[test]
fn a_server_that_works_for_long_answers_pings_and_is_waited_for() {
    let mut pair = Pair::new(Encoding::Xml, &Limits::default());
    let channel = pair.channel.clone();
    let mut call: Wait<'_> = channel
        .call(&Gates::METHODS[0], (1,))
        .timeout(DAY)
        .into_future();
    assert!(poll(&mut call).is_pending());
    let mut seconds = 0;
    // The bytes arrive, and so do the answers to pings of both sides.
    while seconds < 3000 {
        Pair::carry(&mut parts!(pair), 64);
        pass(Duration::from_secs(5));
        seconds += 5;
        while pair.driver.poll_timeout().is_some_and(|at| at <= now()) {
            pair.driver.handle_timeout(now());
        }
        while pair.server.poll_timeout().is_some_and(|at| at <= now()) {
            pair.server.handle_timeout(now());
        }
        assert!(!pair.driver.is_silent() && !pair.server.is_silent());
    }
    pair.gates.open(1);
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut call), Poll::Ready(Ok(1))));
    // Then there is nobody to look after, and no timer.
    pass(DAY);
    for _ in 0..3 {
        pair.driver.handle_timeout(now());
        pair.server.handle_timeout(now());
    }
    assert_eq!(pair.driver.poll_timeout(), None);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn a_client_that_is_gone_is_asked_and_then_given_up_with_its_handlers() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let mut call: Wait<'_> = channel
        .call(&Gates::METHODS[0], (1,))
        .timeout(DAY)
        .into_future();
    assert!(poll(&mut call).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    let mut pings = Vec::new();
    let mut wait = |server: &mut Server, time: u64| {
        for _ in 0..time {
            pass(Duration::from_secs(1));
            while server.poll_timeout().is_some_and(|at| at <= now()) {
                server.handle_timeout(now());
            }
            pings.extend(sent(|sending| server.transmit(sending)));
        }
        pings.chunks(16).filter(|frame| frame[4] == PING).count()
    };
    assert_eq!(wait(&mut pair.server, 59), 0);
    assert_eq!(wait(&mut pair.server, 16), 1);
    assert!(!pair.server.is_silent());
    // A sign of life, and all begins anew.
    pair.to_server
        .room()
        .extend_from_slice(&[0, 0, 0, 0, PONG, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    pair.server.receive(&mut pair.to_server, now()).unwrap();
    assert_eq!(wait(&mut pair.server, 40), 1);
    assert_eq!(wait(&mut pair.server, 40), 2);
    assert!(!pair.server.is_silent());
    wait(&mut pair.server, 20);
    assert!(pair.server.is_silent());
}

#[test]
fn a_client_that_closed_its_half_is_not_asked() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let mut call: Wait<'_> = channel
        .call(&Gates::METHODS[0], (1,))
        .timeout(DAY)
        .into_future();
    assert!(poll(&mut call).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    pair.server.receive_end(&mut pair.to_server);
    for _ in 0..200 {
        pass(Duration::from_secs(1));
        pair.server.handle_timeout(now());
        assert!(sent(|sending| pair.server.transmit(sending)).is_empty());
    }
    assert!(!pair.server.is_silent());
}

#[test]
fn a_stream_whose_server_is_gone_ends_with_words() {
    let router = Router::builder().service(Numbers).build().unwrap();
    let mut limits = Limits::default();
    limits.silence_time = Duration::from_secs(4);
    limits.pong_time = Duration::from_secs(3);
    let peer = Peer::new("mem", Encoding::Bincode, None, limits.clone());
    let mut server = Server::new(router, Arc::new(peer), Speech::Native).unwrap();
    let (client, mut driver) = Client::new(Speech::Native, Encoding::Bincode, limits, now);
    let channel = Channel::over(Arc::new(client));
    let (mut to_client, mut to_server) = (Received::default(), Received::default());
    let call: StreamCall<'_, _, u64> = channel.stream(&Numbers::METHODS[4], ());
    let never = futures_util::stream::pending::<u64>();
    let mut opening = call.upload(never).into_future();
    assert!(poll(&mut opening).is_pending());
    to_server
        .room()
        .extend_from_slice(&sent(|sending| driver.transmit(sending)));
    while server.receive(&mut to_server, now()).unwrap() {}
    server.poll(&Context::from_waker(Waker::noop()));
    to_client
        .room()
        .extend_from_slice(&sent(|sending| server.transmit(sending)));
    while driver.receive(&mut to_client).unwrap() {}
    let Poll::Ready(Ok(mut items)) = poll(&mut opening) else {
        panic!("it was not opened");
    };
    let next = |items: &mut Streaming<u64>| items.next().now_or_never();
    assert!(next(&mut items).is_none());
    let pings = wait(&mut driver, 7);
    assert_eq!(
        pings,
        [PING],
        "and one second more, as the server said something"
    );
    assert!(!driver.is_silent());
    wait(&mut driver, 1);
    assert!(driver.is_silent());
    driver.close(None);
    let Some(Some(Err(error))) = next(&mut items) else {
        panic!("it goes on for ever");
    };
    assert!(
        error
            .to_string()
            .contains("within 3s (`Limits::pong_time`)"),
        "{error}"
    );
    assert!(matches!(next(&mut items), Some(None)));
}
