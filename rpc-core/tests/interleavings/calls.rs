//! Calls of several threads, which are answered, given up, or lose their connection.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use farcall_core::channel::{CallFuture, Channel};
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::method::{Method, Param};
use farcall_core::params::required;
use farcall_core::service::{Reply, Request, Service};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use shuttle::thread;

use super::check;
use super::wire::{Wire, impatient};

/// Answers at once, or when it rang so often.
#[derive(Clone, Default)]
struct Bell(Arc<Mutex<Rung>>);

#[derive(Default)]
struct Rung {
    rung: u32,
    waiting: Vec<Waker>,
}

impl Bell {
    /// Rings once somebody waits for it.
    fn ring(&self) {
        let mut bell = self.0.lock().unwrap();
        while bell.waiting.is_empty() {
            drop(bell);
            thread::yield_now();
            bell = self.0.lock().unwrap();
        }
        bell.rung += 1;
        let waiting = std::mem::take(&mut bell.waiting);
        drop(bell);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Service for Bell {
    const METHODS: &'static [Method] = &[
        Method::new("echo", "")
            .takes(&[Param::required::<u32>("number")])
            .returns::<u32>(),
        Method::new("wait", "")
            .takes(&[Param::required::<u32>("number")])
            .returns::<u32>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        let bell = self.0.clone();
        async move {
            let (number,) = request.params::<(u32,)>((required,))?;
            if request.index() == 1 {
                poll_fn(|cx| {
                    let mut bell = bell.lock().unwrap();
                    if bell.rung >= number {
                        return Poll::Ready(());
                    }
                    bell.waiting.push(cx.waker().clone());
                    Poll::Pending
                })
                .await;
            }
            request.reply(&number)
        }
    }
}

fn call(channel: &Channel, method: usize, number: u32) -> CallFuture<'_, (u32,), u32> {
    channel
        .call(&Bell::METHODS[method], (number,))
        .into_future()
}

fn few() -> Limits {
    let mut limits = Limits::default();
    limits.calls_per_connection = 1;
    limits
}

/// Callers that share one slot, some of which give up: while they wait for it, or in it.
fn callers_share_a_slot(encoding: Encoding) {
    let wire = Wire::new(Bell::default(), encoding, &few());
    let callers: Vec<_> = (0..3)
        .map(|number| {
            let channel = wire.channel.clone();
            thread::spawn(move || {
                if number == 0 {
                    let polls = thread_rng().gen_range(0..12);
                    if let Some(reply) = impatient(call(&channel, 0, number), polls) {
                        assert_eq!(reply.unwrap(), number);
                    }
                } else {
                    for _ in 0..2 {
                        assert_eq!(block_on(call(&channel, 0, number)).unwrap(), number);
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    wire.end();
}

#[test]
fn whoever_gives_up_keeps_nobody_from_a_slot() {
    check(|| callers_share_a_slot(Encoding::Bincode));
}

#[test]
fn whoever_gives_up_keeps_nobody_from_a_slot_in_json() {
    check(|| callers_share_a_slot(Encoding::Json));
}

#[test]
fn a_handler_that_is_woken_from_elsewhere_answers() {
    check(|| {
        let bell = Bell::default();
        let wire = Wire::new(bell.clone(), Encoding::Bincode, &Limits::default());
        let channel = wire.channel.clone();
        let caller = thread::spawn(move || {
            assert_eq!(block_on(call(&channel, 1, 3)).unwrap(), 3);
        });
        // For nothing at first, and again while the handler may be looking.
        for _ in 0..3 {
            bell.ring();
        }
        caller.join().unwrap();
        wire.end();
    });
}

#[test]
fn every_call_ends_when_the_connection_does() {
    check(|| {
        let wire = Wire::new(Bell::default(), Encoding::Bincode, &few());
        let callers: Vec<_> = (0..3)
            .map(|number| {
                let channel = wire.channel.clone();
                thread::spawn(move || match block_on(call(&channel, 0, number)) {
                    Ok(reply) => assert_eq!(reply, number),
                    Err(error) => assert!(error.is_retryable() || error.was_sent(), "{error}"),
                })
            })
            .collect();
        wire.cut();
        for caller in callers {
            caller.join().unwrap();
        }
        wire.end();
    });
}
