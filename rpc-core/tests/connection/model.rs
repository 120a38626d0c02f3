//! Random interleavings of all that can happen to calls: starts, replies in any order, cancels,
//! timeouts, bytes that come one by one, and the end of the connection.
//!
//! Whatever the order, a call ends once: with its own answer, with a timeout only after its time,
//! with a loss only after the connection's end, with a refusal only if it did not run. And in the end nothing is left of it on either side.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use farcall_core::encoding::Encoding;
use farcall_core::fault::code::OVERLOADED;
use farcall_core::limits::Limits;
use farcall_core::service::Service;

use super::pair::{Gates, Pair, Parts, Wait, now, parts, pass, poll, sent};

/// SplitMix64: small, and the same everywhere, so that a seed tells all.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// How often each thing happened, to know that the games are worth playing.
#[derive(Debug, Default)]
struct Tally {
    answered: usize,
    timed_out: usize,
    lost: usize,
    cancelled: usize,
    refused: usize,
}

struct Ongoing<'a> {
    token: u32,
    deadline: Instant,
    call: Wait<'a>,
}

/// One game: the calls under way, and the bytes on the wire.
struct Game<'a> {
    seed: u64,
    gates: Gates,
    calls: Vec<Ongoing<'a>>,
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    ended: bool,
}

impl Game<'_> {
    /// Polls the call; true if it ended, as it may.
    fn poll(&mut self, at: usize, tally: &mut Tally) -> bool {
        let Ongoing {
            token,
            deadline,
            call,
        } = &mut self.calls[at];
        let Poll::Ready(outcome) = poll(call) else {
            return false;
        };
        let seed = self.seed;
        match outcome {
            Ok(answer) => {
                assert_eq!(answer, *token, "seed {seed}: the answer to another call");
                tally.answered += 1;
            }
            Err(error) if error.is_timeout() => {
                assert!(now() >= *deadline, "seed {seed}: a timeout before its time");
                tally.timed_out += 1;
            }
            // A client that has not read the server's hello does not know how much it takes.
            Err(error) if error.fault().is_some_and(|fault| fault.code == OVERLOADED) => {
                let started = self.gates.started.lock().unwrap();
                assert!(!started.contains(token), "seed {seed}: refused, and ran");
                tally.refused += 1;
            }
            Err(error) => {
                assert!(self.ended, "seed {seed}: {error}");
                tally.lost += 1;
            }
        }
        drop(self.calls.swap_remove(at));
        true
    }

    /// Moves up to `count` bytes in each direction.
    fn carry(&mut self, pair: &mut Parts<'_>, count: usize) {
        self.to_server
            .extend(sent(|sending| pair.driver.transmit(sending)));
        self.to_client
            .extend(sent(|sending| pair.server.transmit(sending)));
        let some = |from: &mut VecDeque<u8>| {
            let count = count.min(from.len());
            from.drain(..count).collect::<Vec<_>>()
        };
        let (there, here) = (some(&mut self.to_server), some(&mut self.to_client));
        if self.ended {
            return;
        }
        pair.to_server.room().extend_from_slice(&there);
        while pair.server.receive(pair.to_server, now()).unwrap() {}
        pair.to_client.room().extend_from_slice(&here);
        while pair.driver.receive(pair.to_client).unwrap() {}
    }
}

fn play(seed: u64, encoding: Encoding, tally: &mut Tally) {
    let mut random = Random(seed);
    let mut limits = Limits::default();
    limits.calls_per_connection = 1 + random.below(6);
    let mut pair = Pair::new(encoding, &limits);
    let channel = pair.channel.clone();
    let mut bytes = parts!(pair);
    let mut game = Game {
        seed,
        gates: pair.gates.clone(),
        calls: Vec::new(),
        to_server: VecDeque::new(),
        to_client: VecDeque::new(),
        ended: false,
    };
    let mut tokens = 0..;
    for _ in 0..80 {
        let at = random.below(game.calls.len());
        match random.below(12) {
            0..=2 => {
                let token = tokens.next().unwrap_or_default();
                let time = Duration::from_millis(10 + random.next() % 90);
                let call = channel.call(&Gates::METHODS[0], (token,)).timeout(time);
                game.calls.push(Ongoing {
                    token,
                    deadline: now() + time,
                    call: call.into_future(),
                });
                game.poll(game.calls.len() - 1, tally);
            }
            3 if !game.calls.is_empty() => {
                game.poll(at, tally);
            }
            4 if !game.calls.is_empty() => {
                drop(game.calls.swap_remove(at));
                tally.cancelled += 1;
            }
            5 | 6 if !game.calls.is_empty() => game.gates.open(game.calls[at].token),
            7 => bytes.server.poll(&Context::from_waker(Waker::noop())),
            8 => {
                pass(Duration::from_millis(random.next() % 20));
                bytes.server.handle_timeout(now());
                bytes.driver.handle_timeout(now());
            }
            9 if random.below(60) == 0 => {
                game.ended = true;
                bytes.driver.close(None);
            }
            _ => {
                let count = 1 + random.below(80);
                game.carry(&mut bytes, count);
            }
        }
    }
    // Then all gates are open, and everything arrives.
    for token in 0..tokens.next().unwrap_or_default() {
        game.gates.open(token);
    }
    for _ in 0..1_000 {
        bytes.server.poll(&Context::from_waker(Waker::noop()));
        game.carry(&mut bytes, usize::MAX);
        let mut at = 0;
        while at < game.calls.len() {
            at += usize::from(!game.poll(at, tally));
        }
        if game.calls.is_empty() {
            break;
        }
    }
    assert!(game.calls.is_empty(), "seed {seed}: calls that never end");
    if !game.ended {
        game.carry(&mut bytes, usize::MAX);
        game.carry(&mut bytes, usize::MAX);
        assert!(bytes.server.is_idle(), "seed {seed}: a handler is left");
    }
    assert_eq!(bytes.driver.unsent().1, 0, "seed {seed}: a slot is left");
}

#[test]
fn whatever_the_order_a_call_ends_once_and_as_itself() {
    let mut tally = Tally::default();
    for seed in 0..2_000 {
        for encoding in Encoding::ALL {
            play(seed, encoding, &mut tally);
        }
    }
    let Tally {
        answered,
        timed_out,
        lost,
        cancelled,
        refused,
    } = tally;
    let least = [answered, timed_out, lost, cancelled, refused]
        .into_iter()
        .min();
    assert!(least > Some(1_000), "{tally:?}");
}
