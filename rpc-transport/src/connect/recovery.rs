//! What a client does about calls that failed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use farcall_core::channel::{Failed, Recover, Recovering};
use farcall_core::error::Failure;
use farcall_core::fault::code;

use super::line::Line;
use crate::retry::{Budget, Retry};
use crate::stream::now;

pub(super) struct Recovery {
    retry: Retry,
    budget: Mutex<Budget>,
    call_time: Duration,
    /// What has connections to be made; none where the way makes them itself.
    line: Option<Arc<Line>>,
    /// How many calls were made, where there is no line to count them.
    calls: AtomicU64,
    /// How many of those that a line counts were calls made again, which earn nothing.
    repeats: AtomicU64,
}

impl Recovery {
    pub(super) fn new(retry: Retry, call_time: Duration, line: Option<Arc<Line>>) -> Self {
        Self {
            budget: Mutex::new(Budget::new(&retry, now())),
            retry,
            call_time,
            line,
            calls: AtomicU64::new(0),
            repeats: AtomicU64::new(0),
        }
    }

    /// True if retries of so many calls do not go beyond the budget.
    fn affords(&self, count: usize) -> bool {
        let calls = match &self.line {
            Some(line) => {
                let repeats = self.repeats.load(Ordering::Relaxed);
                line.calls_made().saturating_sub(repeats)
            }
            None => self.calls.load(Ordering::Relaxed),
        };
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.spend(&self.retry, count, calls, now())
    }
}

impl Recover for Recovery {
    fn now(&self) -> Instant {
        now()
    }

    fn call_time(&self) -> Duration {
        self.call_time
    }

    fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn recover(&self, failed: Failed<'_>) -> Option<Recovering> {
        let Failed {
            failure,
            attempts,
            calls,
            deadline,
            ..
        } = failed;
        if failure.is_unreachable() && !failure.is_passing() {
            return None;
        }
        let is_first = attempts == 1;
        // Such a call never got as far as a connection of the line.
        let line = self.line.clone();
        let waits_for_line = line.is_some() && !failure.was_sent();
        let most = match waits_for_line {
            // To find that there is no connection is not yet an attempt.
            true => self.retry.attempts.saturating_add(1),
            false => self.retry.attempts,
        };
        if attempts >= most {
            return None;
        }
        let is_overloaded = failure
            .fault()
            .is_some_and(|it| it.code == code::OVERLOADED);
        let is_at_once =
            is_first && failure.is_retryable() && !is_overloaded && !failure.is_unreachable();
        let pause = match is_at_once || waits_for_line {
            true => Duration::ZERO,
            false => self.retry.pause(attempts),
        };
        if now() + pause >= deadline {
            return None;
        }
        if !is_at_once && !waits_for_line && !self.affords(calls) {
            return None;
        }
        let deadline = tokio::time::Instant::from_std(deadline);
        let is_hopeless = |line: &Arc<Line>| failure.is_unreachable() && line.is_hopeless(deadline);
        if line.as_ref().is_some_and(is_hopeless) {
            return None;
        }
        if !waits_for_line {
            self.repeats.fetch_add(calls as u64, Ordering::Relaxed);
        }
        Some(Box::pin(async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let Some(line) = line else { return Ok(()) };
            let connected = Arc::clone(&line).connected(is_first);
            match tokio::time::timeout_at(deadline, connected).await {
                Ok(connected) => connected,
                Err(_) => {
                    let late = || Failure::timeout(None, false);
                    Err(line.last_failure().unwrap_or_else(late))
                }
            }
        }))
    }
}
