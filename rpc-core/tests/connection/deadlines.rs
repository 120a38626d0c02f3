//! Calls whose time passes: while they run, and while they wait for others.

use std::task::Poll;
use std::time::Duration;

use farcall_core::channel::CallFuture;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::service::Service;

use super::pair::{Gates, Pair, Parts, Wait, now, parts, pass, poll, sent};

#[test]
fn an_hour_passes() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let hour = Duration::from_secs(3600);
    let mut call: Wait<'_> = channel
        .call(&Gates::METHODS[0], (1,))
        .timeout(hour)
        .into_future();
    assert!(poll(&mut call).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    assert_eq!(pair.server.in_flight(), 1);
    assert!(pair.driver.poll_timeout() <= Some(now() + hour));
    pass(hour);
    pair.driver.handle_timeout(now());
    match poll(&mut call) {
        Poll::Ready(Err(error)) => assert!(error.is_timeout() && error.was_sent()),
        other => panic!("{other:?}"),
    }
    Pair::carry(&mut parts!(pair), 64);
    assert_eq!(
        *pair.gates.dropped.lock().unwrap(),
        [1],
        "the server was told to stop"
    );
    assert!(pair.server.is_idle());
    assert_eq!(pair.driver.poll_timeout(), None);
}

#[test]
fn the_server_stops_at_the_deadline_even_if_nobody_tells_it() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let mut call: Wait<'_> = channel
        .call(&Gates::METHODS[0], (1,))
        .timeout(Duration::from_secs(5))
        .into_future();
    assert!(poll(&mut call).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    let deadline = pair.server.poll_timeout().unwrap();
    assert!(deadline <= now() + Duration::from_secs(5));
    pass(Duration::from_secs(5));
    pair.server.handle_timeout(now());
    assert!(pair.server.is_idle());
    assert_eq!(*pair.gates.dropped.lock().unwrap(), [1]);
}

#[test]
fn a_call_whose_time_passes_behind_others_does_not_run() {
    for encoding in [Encoding::Bincode, Encoding::Xml] {
        let mut pair = Pair::new(encoding, &Limits::default());
        let channel = pair.channel.clone();
        let keep = |ms: u64| -> CallFuture<'_, (u64,), ()> {
            channel.call(&Gates::METHODS[2], (ms,)).into_future()
        };
        let mut first = keep(2000);
        let mut others: Vec<_> = (0..20).map(|_| keep(0)).collect();
        let wait = |gate: u32, time: u64| -> Wait<'_> {
            let call = channel.call(&Gates::METHODS[0], (gate,));
            call.timeout(Duration::from_secs(time)).into_future()
        };
        let (mut late, mut early) = (wait(1, 1), wait(2, 5));
        assert!(poll(&mut first).is_pending());
        for other in &mut others {
            assert!(poll(other).is_pending());
        }
        assert!(poll(&mut late).is_pending() && poll(&mut early).is_pending());
        // All of it comes at once, and the first keeps the thread.
        Pair::carry(&mut parts!(pair), usize::MAX);
        assert!(matches!(poll(&mut first), Poll::Ready(Ok(()))));
        assert_eq!(*pair.gates.started.lock().unwrap(), [2], "{encoding}");
        match poll(&mut late) {
            Poll::Ready(Err(error)) => assert!(error.is_timeout(), "{encoding}: {error}"),
            other => panic!("{encoding}: {other:?}"),
        }
        // What is left of the time is counted from when the call came.
        assert_eq!(
            pair.server
                .poll_timeout()
                .map(|at| at <= now() + Duration::from_secs(3)),
            Some(true)
        );
    }
}

#[test]
fn a_batch_that_is_left_for_later_grows_old() {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    let channel = pair.channel.clone();
    let calls = 600;
    let mut waiting: Vec<Wait<'_>> = (0..calls)
        .map(|gate| {
            let call = channel.call(&Gates::METHODS[0], (gate,));
            call.timeout(Duration::from_secs(1)).into_future()
        })
        .collect();
    for call in &mut waiting {
        assert!(poll(call).is_pending());
    }
    let bytes = sent(|sending| pair.driver.transmit(sending));
    pair.to_server.room().extend_from_slice(&bytes);
    assert!(pair.server.receive(&mut pair.to_server, now()).unwrap());
    let ran = pair.gates.started.lock().unwrap().len();
    // The rest is looked at when others had their turn.
    pass(Duration::from_secs(2));
    while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    assert_eq!(pair.gates.started.lock().unwrap().len(), ran);
    assert!(ran < calls as usize, "more than a batch");
}
