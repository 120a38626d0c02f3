//! What is known of calls when their connection ends: whether they left, and whether they ran.

use std::task::Poll;

use farcall_core::connection::Sending;
use farcall_core::encoding::Encoding;
use farcall_core::error::Failure;
use farcall_core::fault::code;
use farcall_core::limits::Limits;
use farcall_core::service::Service;

use super::pair::{Gates, Pair, Parts, Wait, parts, poll, sent};

fn failure(call: &mut Wait<'_>) -> Failure {
    match poll(call) {
        Poll::Ready(Err(farcall_core::error::Error::Failed(failure))) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_the_transport_never_took_was_not_sent() {
    for encoding in Encoding::ALL {
        let mut pair = Pair::new(encoding, &Limits::default());
        let channel = pair.channel.clone();
        let call = |gate| -> Wait<'_> { channel.call(&Gates::METHODS[0], (gate,)).into_future() };
        let (mut first, mut second) = (call(1), call(2));
        assert!(poll(&mut first).is_pending());
        sent(|sending| pair.driver.transmit(sending));
        assert!(poll(&mut second).is_pending());
        pair.driver.close(None);
        let (first, second) = (failure(&mut first), failure(&mut second));
        assert!(first.was_sent() && first.is_lost() && !first.is_retryable());
        assert!(!second.was_sent() && !second.is_lost() && second.is_retryable());
    }
}

#[test]
fn of_what_was_being_written_only_what_began_to_leave_was_sent() {
    let written = |calls: u32| {
        let mut pair = Pair::new(Encoding::Json, &Limits::default());
        let channel = pair.channel.clone();
        let wait = |gate| -> Wait<'_> { channel.call(&Gates::METHODS[0], (gate,)).into_future() };
        let mut waits: Vec<_> = (0..calls).map(wait).collect();
        waits
            .iter_mut()
            .for_each(|call| assert!(poll(call).is_pending()));
        sent(|sending| pair.driver.transmit(sending)).len()
    };
    let (one, both) = (written(1), written(2));
    for left in 0..=both {
        let mut pair = Pair::new(Encoding::Json, &Limits::default());
        let channel = pair.channel.clone();
        let call = |gate| -> Wait<'_> { channel.call(&Gates::METHODS[0], (gate,)).into_future() };
        let (mut first, mut second) = (call(0), call(1));
        assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
        let mut sending = Sending::default();
        pair.driver.transmit(&mut sending);
        sending.advance(left);
        pair.driver.stop_sending(&sending);
        pair.driver.close(None);
        assert_eq!(failure(&mut first).was_sent(), left > 0, "{left}");
        assert_eq!(failure(&mut second).was_sent(), left > one, "{left}");
    }
}

#[test]
fn behind_a_servers_last_word_nothing_has_run() {
    for encoding in Encoding::ALL {
        let mut pair = Pair::new(encoding, &Limits::default());
        let channel = pair.channel.clone();
        let call = |gate| -> Wait<'_> { channel.call(&Gates::METHODS[0], (gate,)).into_future() };
        let (mut taken, mut late) = (call(1), call(2));
        assert!(poll(&mut taken).is_pending());
        Pair::carry(&mut parts!(pair), 64);
        pair.server.drain();
        pair.gates.open(1);
        Pair::carry(&mut parts!(pair), 64);
        // It leaves, and nobody reads it; in JSON the client does not even know that it should not.
        let late_state = poll(&mut late);
        if encoding == Encoding::Json {
            assert!(late_state.is_pending());
            sent(|sending| pair.driver.transmit(sending));
        }
        pair.server.say_last_word();
        let word = sent(|sending| pair.server.transmit(sending));
        pair.to_client.room().extend_from_slice(&word);
        pair.driver.receive(&mut pair.to_client).unwrap();
        pair.driver.close(None);
        assert!(matches!(poll(&mut taken), Poll::Ready(Ok(1))));
        let failure = match late_state {
            Poll::Ready(Err(farcall_core::error::Error::Failed(failure))) => failure,
            _ => failure(&mut late),
        };
        assert!(failure.is_retryable(), "{encoding}: {failure}");
        assert_eq!(*pair.gates.started.lock().unwrap(), [1]);
    }
}

#[test]
fn what_the_server_did_not_wait_for_may_have_run() {
    for encoding in Encoding::ALL {
        let mut pair = Pair::new(encoding, &Limits::default());
        let channel = pair.channel.clone();
        let mut call: Wait<'_> = channel.call(&Gates::METHODS[0], (1,)).into_future();
        assert!(poll(&mut call).is_pending());
        Pair::carry(&mut parts!(pair), 64);
        pair.server.drain();
        pair.server.abort();
        pair.server.say_last_word();
        Pair::carry(&mut parts!(pair), 64);
        let failure = failure(&mut call);
        assert_eq!(failure.fault().unwrap().code, code::ABORTED);
        assert!(failure.is_lost() && !failure.is_retryable(), "{failure}");
    }
}
