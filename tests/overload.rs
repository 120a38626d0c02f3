//! More calls than a server does, and clients that ask again. In memory, where time is the test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use farcall::{Check, Context, Encoding, Fault, Guarded, Limits, Retry, Server, code};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

const SECOND: Duration = Duration::from_secs(1);
/// How long a call works.
const WORK: Duration = Duration::from_millis(100);

#[farcall::service]
trait Desk {
    async fn work(&self);
}

/// Counts the calls that have run.
#[derive(Clone, Default)]
struct Clerk(Arc<AtomicU64>);

impl Desk for Clerk {
    async fn work(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        sleep(WORK).await;
    }
}

/// What became of the calls of some time.
#[derive(Default)]
struct Outcomes {
    answered: u64,
    refused: u64,
    slowest_answer: Duration,
    slowest_refusal: Duration,
}

/// A call each `every` for so long, whatever becomes of those before.
async fn open_loop(clients: &[DeskClient], every: Duration, length: Duration) -> Outcomes {
    let mut calls = JoinSet::new();
    let mut beats = interval(every);
    let end = Instant::now() + length;
    for client in clients.iter().cycle() {
        beats.tick().await;
        if Instant::now() >= end {
            break;
        }
        let client = client.clone();
        calls.spawn(async move {
            let begun = Instant::now();
            let ended = client.work().timeout(5 * SECOND).await;
            (ended, begun.elapsed())
        });
    }
    let mut outcomes = Outcomes::default();
    while let Some(call) = calls.join_next().await {
        let (ended, took) = call.unwrap();
        match ended {
            Ok(()) => {
                outcomes.answered += 1;
                outcomes.slowest_answer = outcomes.slowest_answer.max(took);
            }
            Err(error) => {
                assert!(
                    error.is_retryable(),
                    "it is told that it has not run: {error}"
                );
                assert!(error.to_string().contains("`Limits::calls`"), "{error}");
                outcomes.refused += 1;
                outcomes.slowest_refusal = outcomes.slowest_refusal.max(took);
            }
        }
    }
    outcomes
}

#[tokio::test(start_paused = true)]
async fn beyond_its_calls_a_server_refuses_at_once_and_does_as_much_as_ever() {
    for encoding in Encoding::ALL {
        let clerk = Clerk::default();
        let mut limits = Limits::default();
        limits.calls = 8;
        let address = format!("mem://overload-{encoding}");
        let server = Server::new().service(DeskServer::new(clerk.clone()));
        let listening = server.limits(limits).listen(&address).await.unwrap();
        tokio::spawn(listening.run());
        let mut clients = Vec::new();
        for _ in 0..4 {
            let address = format!("{encoding}+{address}");
            let channel = farcall::connect(&address).retry(Retry::never()).await;
            clients.push(DeskClient::new(channel.unwrap()));
        }
        // It does 80 in a second. For 20 s twice as many come, as if nobody knew.
        let flood = open_loop(&clients, Duration::from_micros(6250), 20 * SECOND).await;
        assert!(
            flood.answered >= 20 * 80 * 9 / 10,
            "{encoding}: {}",
            flood.answered
        );
        assert!(flood.refused > 20 * 70, "{encoding}: {}", flood.refused);
        assert_eq!(
            clerk.0.load(Ordering::Relaxed),
            flood.answered,
            "{encoding}"
        );
        let at_once = Duration::from_millis(10);
        assert!(
            flood.slowest_refusal < at_once,
            "{:?}",
            flood.slowest_refusal
        );
        assert!(
            flood.slowest_answer < WORK + at_once,
            "{:?}",
            flood.slowest_answer
        );
        // Half as many right behind it are all answered.
        let calm = open_loop(&clients, Duration::from_millis(25), 5 * SECOND).await;
        assert_eq!((calm.answered, calm.refused), (200, 0), "{encoding}");
        assert!(
            calm.slowest_answer < WORK + at_once,
            "{:?}",
            calm.slowest_answer
        );
    }
}

/// Refuses all calls while the server is not well, and counts how often it was asked.
#[derive(Clone, Default)]
struct Refusing {
    is_well: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

impl Check for Refusing {
    async fn check(&self, _: &Context) -> Result<(), Fault> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_well.load(Ordering::Relaxed) {
            return Ok(());
        }
        let words = "it is too much; the method did not run";
        Err(Fault::new(code::OVERLOADED, words))
    }
}

#[tokio::test(start_paused = true)]
async fn retries_of_many_clients_stay_within_their_budgets_and_end_with_the_trouble() {
    const CLIENTS: u64 = 50;
    const TROUBLE: u64 = 30;
    /// Calls of each client in a second.
    const CALLS: u64 = 10;

    let refusing = Refusing::default();
    let service = DeskServer::new(Clerk::default());
    let server = Server::new().service(Guarded::new(service, refusing.clone()));
    let listening = server.listen("mem://refusing").await.unwrap();
    tokio::spawn(listening.run());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(DeskClient::connect("mem://refusing").await.unwrap());
    }
    let call_all = async |seconds: u64| {
        let mut callers = JoinSet::new();
        for client in &clients {
            for _ in 0..CALLS {
                let client = client.clone();
                callers.spawn(async move {
                    let mut answered = 0;
                    let mut beats = interval(SECOND);
                    for _ in 0..seconds {
                        beats.tick().await;
                        answered += u64::from(client.work().timeout(SECOND).await.is_ok());
                    }
                    answered
                });
            }
        }
        callers.join_all().await.into_iter().sum::<u64>()
    };

    assert_eq!(call_all(TROUBLE).await, 0);
    let calls = CLIENTS * CALLS * TROUBLE;
    let attempts = refusing.asked.swap(0, Ordering::Relaxed);
    // A share of the calls, ten a second, and the ten seconds' worth with which a budget begins.
    let most = calls + calls / 5 + CLIENTS * (10 * TROUBLE + 100);
    assert!(attempts <= most, "{attempts} attempts, {most} at most");
    assert!(
        attempts > calls + CLIENTS * 100,
        "{attempts}: they did ask again"
    );

    // Once it is well every call is one attempt: no retry is left over.
    refusing.is_well.store(true, Ordering::Relaxed);
    assert_eq!(call_all(5).await, CLIENTS * CALLS * 5);
    assert_eq!(refusing.asked.load(Ordering::Relaxed), CLIENTS * CALLS * 5);
}
