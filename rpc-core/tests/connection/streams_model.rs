//! Random interleavings of all that can happen to streams in both directions. Whatever the order, a
//! call ends once, and what its reader saw is the beginning of what was sent: all of it, if it ended
//! without an error.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use farcall_core::channel::{Channel, Opening, Streaming};
use farcall_core::connection::client::Client;
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::router::Router;
use farcall_core::service::Service;
use futures_util::{Stream, stream};

use crate::model::Random;
use crate::pair::{now, pass, poll, sent};
use crate::streams::Numbers;

struct Doubling<'a> {
    count: u64,
    seen: u64,
    deadline: Instant,
    opening: Option<Opening<'a, (), u64>>,
    items: Option<Streaming<u64>>,
}

/// How often each thing happened.
#[derive(Debug, Default)]
struct Tally {
    whole: usize,
    late: usize,
    lost: usize,
    dropped: usize,
}

impl Doubling<'_> {
    /// Reads up to `most` items; true if the call ended, as it may.
    fn read(&mut self, most: usize, ended: bool, seed: u64, tally: &mut Tally) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        if let Some(opening) = &mut self.opening {
            let Poll::Ready(opened) = poll(opening) else {
                return false;
            };
            self.opening = None;
            match opened {
                Ok(items) => self.items = Some(items),
                Err(error) => return self.failed(error.is_timeout(), ended, seed, tally),
            }
        }
        for _ in 0..most {
            let Some(items) = &mut self.items else { break };
            match Pin::new(items).poll_next(&mut cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(item))) => {
                    assert_eq!(item, self.seen * 2, "seed {seed}");
                    self.seen += 1;
                }
                Poll::Ready(Some(Err(error))) => {
                    return self.failed(error.is_timeout(), ended, seed, tally);
                }
                Poll::Ready(None) => {
                    assert_eq!(self.seen, self.count, "seed {seed}: not all of it");
                    tally.whole += 1;
                    return true;
                }
            }
        }
        false
    }

    fn failed(&self, timeout: bool, ended: bool, seed: u64, tally: &mut Tally) -> bool {
        if timeout {
            assert!(now() >= self.deadline, "seed {seed}: before its time");
            tally.late += 1;
        } else {
            assert!(ended, "seed {seed}: an error out of nothing");
            tally.lost += 1;
        }
        true
    }
}

fn play(seed: u64, encoding: Encoding, tally: &mut Tally) {
    let speech = match encoding {
        Encoding::Json => Speech::JsonRpc,
        _ => Speech::Native,
    };
    let mut random = Random(seed);
    let router = Router::builder().service(Numbers).build().unwrap();
    let peer = Peer::new("mem", encoding, None, Limits::default());
    let mut server = Server::new(router, Arc::new(peer), speech).unwrap();
    let mut limits = Limits::default();
    limits.stream_bytes = 0;
    let (client, mut driver) = Client::new(speech, encoding, limits, now);
    let channel = Channel::over(Arc::new(client));
    let (mut to_client, mut to_server) = (Received::default(), Received::default());
    let (mut there, mut here) = (Vec::new(), Vec::new());
    let (mut calls, mut ended) = (Vec::<Doubling<'_>>::new(), false);
    for turn in 0..400 {
        let last = turn >= 60;
        let at = random.below(calls.len());
        match if last { 9 } else { random.below(10) } {
            0 => {
                let count = random.next() % 10_u64.pow(1 + random.below(4) as u32);
                let time = Duration::from_millis(10 + random.next() % 90);
                let call = channel.stream(&Numbers::METHODS[4], ());
                let call = call.upload(stream::iter(0..count)).timeout(time);
                calls.push(Doubling {
                    count,
                    seen: 0,
                    deadline: now() + time,
                    opening: Some(call.into_future()),
                    items: None,
                });
            }
            1 if !calls.is_empty() && random.below(3) == 0 => {
                drop(calls.swap_remove(at));
                tally.dropped += 1;
            }
            2 => {
                pass(Duration::from_millis(random.next() % 20));
                server.handle_timeout(now());
                driver.handle_timeout(now());
            }
            3 if random.below(20) == 0 => {
                ended = true;
                driver.close(None);
            }
            4..=6 if !calls.is_empty() => {
                let most = random.below(3000);
                if calls[at].read(most, ended, seed, tally) {
                    calls.swap_remove(at);
                }
            }
            _ => {
                let mut cx = Context::from_waker(Waker::noop());
                driver.poll_uploads(&mut cx);
                server.poll(&cx);
                there.extend(sent(|sending| driver.transmit(sending)));
                here.extend(sent(|sending| server.transmit(sending)));
                let most = if last {
                    usize::MAX
                } else {
                    random.below(50_000)
                };
                let piece: Vec<_> = there.drain(..most.min(there.len())).collect();
                let back: Vec<_> = here.drain(..most.min(here.len())).collect();
                if !ended {
                    to_server.room().extend_from_slice(&piece);
                    while server.receive(&mut to_server, now()).unwrap() {}
                    to_client.room().extend_from_slice(&back);
                    while driver.receive(&mut to_client).unwrap() {}
                }
            }
        }
        if last {
            calls.retain_mut(|call| !call.read(usize::MAX, ended, seed, tally));
        }
        if last && calls.is_empty() {
            break;
        }
    }
    assert!(calls.is_empty(), "seed {seed}: calls that never end");
    if !ended {
        there.extend(sent(|sending| driver.transmit(sending)));
        to_server.room().extend_from_slice(&there);
        while server.receive(&mut to_server, now()).unwrap() {}
        assert!(server.is_idle(), "seed {seed}: a handler is left");
    }
    assert_eq!(driver.unsent().1, 0, "seed {seed}: a slot is left");
}

#[test]
fn whatever_the_order_a_reader_sees_the_beginning_of_what_was_sent() {
    let mut tally = Tally::default();
    for seed in 0..450 {
        play(seed, Encoding::ALL[seed as usize % 3], &mut tally);
    }
    let least = [tally.whole, tally.late, tally.lost, tally.dropped];
    assert!(least.into_iter().min() > Some(20), "{tally:?}");
}
