//! A line to an address: a connection, and another in its place when it is lost.
//!
//! Nothing happens in the background: a call that finds no connection has one made. All calls that
//! wait share one attempt, which goes on if they give up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farcall_core::channel;
use farcall_core::connection::client::Client;
use farcall_core::error::Failure;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::way::Maker;
use crate::retry::{Retry, jittered};

/// An attempt begins so long after the one before it began, whoever wants it.
const SPACING: Duration = Duration::from_millis(100);

pub(super) struct Line {
    pub(super) line: Arc<channel::Line>,
    maker: Box<Maker>,
    gate: Mutex<Gate>,
    /// Tells that an attempt ended.
    ended: watch::Sender<()>,
    /// How many calls were made on the connections before this one.
    calls_before: AtomicU64,
}

/// When the next attempt may begin.
struct Gate {
    /// How long a call waits for the next that has seen one fail: at first, and at most.
    pauses: (Duration, Duration),
    is_running: bool,
    /// How many have failed in a row.
    failures: u32,
    /// For a call that has seen none yet.
    soonest: Instant,
    /// For others.
    due: Instant,
    /// How the last one failed.
    last: Option<Failure>,
}

/// What a call that wants a connection is to do.
enum Next {
    Begin,
    /// Others have begun.
    Join,
    WaitUntil(Instant),
}

impl Gate {
    fn new(retry: &Retry, now: Instant) -> Self {
        Self {
            pauses: (retry.connect_first, retry.connect_longest),
            is_running: false,
            failures: 0,
            soonest: now,
            due: now,
            last: None,
        }
    }

    fn next(&self, is_first: bool, now: Instant) -> Next {
        let start = if is_first { self.soonest } else { self.due };
        match self.is_running {
            true => Next::Join,
            false if now >= start => Next::Begin,
            false => Next::WaitUntil(start),
        }
    }

    fn begin(&mut self, now: Instant) {
        self.is_running = true;
        self.soonest = now + jittered(SPACING.min(self.pauses.0));
    }

    fn end(&mut self, failed: Option<Failure>, now: Instant) {
        self.is_running = false;
        self.failures = match failed {
            Some(_) => self.failures.saturating_add(1),
            None => 0,
        };
        self.due = now + jittered(self.backoff());
        self.last = failed;
    }

    /// How long to wait after so many failures in a row.
    fn backoff(&self) -> Duration {
        let (first, longest) = self.pauses;
        let Some(more) = self.failures.checked_sub(1) else {
            return Duration::ZERO;
        };
        // Beyond some it is the longest anyway.
        let times = 1.6_f64.powi(i32::try_from(more.min(64)).unwrap_or(64));
        match Duration::try_from_secs_f64(first.as_secs_f64() * times) {
            Ok(pause) => pause.min(longest),
            Err(_) => longest,
        }
    }
}

impl Line {
    /// A line that begins with `client`, which may have ended.
    pub(super) fn new(client: Arc<Client>, maker: Box<Maker>, retry: &Retry) -> Self {
        Self {
            line: Arc::new(channel::Line::new(client)),
            maker,
            gate: Mutex::new(Gate::new(retry, Instant::now())),
            ended: watch::channel(()).0,
            calls_before: AtomicU64::new(0),
        }
    }

    /// How many calls were made over it.
    pub(super) fn calls_made(&self) -> u64 {
        self.calls_before.load(Ordering::Relaxed) + self.line.current().calls_made()
    }

    /// True if a call that has seen an attempt fail waits in vain.
    pub(super) fn is_hopeless(&self, deadline: Instant) -> bool {
        let next = self.gate().next(false, Instant::now());
        matches!(next, Next::WaitUntil(start) if start >= deadline)
    }

    /// Ready once there is a connection that takes calls. The error is how the attempt ended that the
    /// call waited for.
    pub(super) async fn connected(self: Arc<Self>, is_first: bool) -> Result<(), Failure> {
        let mut ended = self.ended.subscribe();
        let mut joined = false;
        loop {
            if self.line.current().is_open() {
                return Ok(());
            }
            let next = {
                let mut gate = self.gate();
                if joined && let Some(failure) = &gate.last {
                    return Err(failure.of_connection());
                }
                let now = Instant::now();
                let next = gate.next(is_first, now);
                if let Next::Begin = next {
                    gate.begin(now);
                }
                next
            };
            match next {
                Next::Begin => {
                    joined = true;
                    // Of its own: it goes on if whoever began it gives up.
                    tokio::spawn(Arc::clone(&self).attempt());
                    let _ = ended.changed().await;
                }
                Next::Join => {
                    joined = true;
                    let _ = ended.changed().await;
                }
                Next::WaitUntil(start) => tokio::select! {
                    () = sleep_until(start) => {}
                    _ = ended.changed() => {}
                },
            }
        }
    }

    /// How the last attempt failed, for a call that can wait for no further one.
    pub(super) fn last_failure(&self) -> Option<Failure> {
        self.gate().last.as_ref().map(Failure::of_connection)
    }

    async fn attempt(self: Arc<Self>) {
        // However it ends, the next can begin.
        let mut attempt = Attempt {
            line: &self,
            failed: Some(Failure::closed(false)),
        };
        attempt.failed = match self.maker.make().await {
            Ok(client) => {
                let before = self.line.current().calls_made();
                self.calls_before.fetch_add(before, Ordering::Relaxed);
                self.line.replace(client);
                None
            }
            Err(failure) => Some(failure),
        };
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Attempt<'a> {
    line: &'a Line,
    failed: Option<Failure>,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.line.gate().end(self.failed.take(), Instant::now());
        self.line.ended.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(120);

    #[test]
    fn pauses_grow_to_two_minutes() {
        let mut gate = Gate::new(&Retry::default(), Instant::now());
        let mut after = |failures| {
            gate.failures = failures;
            gate.backoff()
        };
        assert_eq!(after(0), Duration::ZERO);
        assert_eq!(after(1), Duration::from_secs(1));
        assert_eq!(after(2), Duration::from_millis(1600));
        assert_eq!(after(3), Duration::from_millis(2560));
        assert_eq!(after(12), LONGEST);
        assert_eq!(after(u32::MAX), LONGEST);
    }

    #[test]
    fn clients_that_lost_their_server_together_do_not_come_back_together() {
        const CLIENTS: u32 = 1000;
        let start = Instant::now();
        let mut begun = vec![0; 600];
        for _ in 0..CLIENTS {
            let mut gate = Gate::new(&Retry::default(), start);
            let mut now = start;
            let mut attempts = 0;
            while let Some(second) = begun.get_mut((now - start).as_secs() as usize) {
                match gate.next(attempts == 0, now) {
                    Next::WaitUntil(start) => now = start,
                    Next::Begin => {
                        *second += 1;
                        attempts += 1;
                        gate.begin(now);
                        gate.end(Some(Failure::closed(false)), now);
                    }
                    Next::Join => unreachable!("nobody else is there"),
                }
            }
            assert!((10..=15).contains(&attempts), "{attempts} in ten minutes");
        }
        // Once they have had the time for it: of the attempts around 70 s a tenth still comes in one
        // second, by chance some more or some less, and of those around 113 s a sixteenth.
        let later = &begun[80..];
        assert!(
            later.iter().all(|&second| second < CLIENTS / 10),
            "{later:?}"
        );
    }

    #[test]
    fn a_call_that_has_seen_no_attempt_fail_waits_for_a_tenth_of_a_second_at_most() {
        let now = Instant::now();
        let mut gate = Gate::new(&Retry::default(), now);
        for _ in 0..20 {
            gate.begin(now);
            assert!(matches!(gate.next(true, now), Next::Join));
            gate.end(Some(Failure::closed(false)), now);
        }
        let Next::WaitUntil(start) = gate.next(true, now) else {
            panic!("two attempts at a time");
        };
        assert!(start - now <= SPACING.mul_f64(1.2));
        let Next::WaitUntil(start) = gate.next(false, now) else {
            panic!("others wait");
        };
        assert!(start - now >= LONGEST.mul_f64(0.8));
    }
}
