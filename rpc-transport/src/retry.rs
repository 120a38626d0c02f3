//! How often calls are made again, and when.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// What is done about calls that failed before they ran, and idempotent ones that were lost.
///
/// A call is made again only if
///
/// - the method surely did not run: there was no connection, or it ended before the first byte of the
///   request left, or the server said that it did not run it; or
/// - the method is `#[rpc(idempotent)]`, and the connection, or the server, ended before it was
///   answered.
///
/// All attempts of a call end with its one deadline. A call that had one attempt that may have run
/// never ends with an error that says that it did not.
///
/// The budget keeps retries from sinking a service that is in trouble: of the last ten seconds' calls
/// a share, and so many a second besides. What the server refused as it was shutting down is made
/// again once, at once, and free of it; so is what never left.
///
/// ```
/// use std::time::Duration;
///
/// use farcall_transport::retry::Retry;
///
/// let patient = Retry::default()
///     .attempts(10)
///     .pauses(Duration::from_millis(50), Duration::from_secs(5))
///     .budget(0.1, 2);
/// assert_ne!(patient, Retry::default());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    pub(crate) attempts: u32,
    first: Duration,
    longest: Duration,
    pub(crate) connect_first: Duration,
    pub(crate) connect_longest: Duration,
    share: f64,
    per_second: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 4,
            first: Duration::from_millis(100),
            longest: Duration::from_secs(1),
            connect_first: Duration::from_secs(1),
            connect_longest: Duration::from_secs(120),
            share: 0.2,
            per_second: 10,
        }
    }
}

impl Retry {
    /// No call is made again. (One that finds that the connection has ended still has another made.)
    #[must_use]
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// How many attempts a call has at most, the first among them. Default 4.
    #[must_use]
    pub fn attempts(mut self, most: u32) -> Self {
        self.attempts = most.max(1);
        self
    }

    /// How long is waited before a call is made again: `first`, then twice as long each time, up to
    /// `longest`; each time a fifth more or less, by chance. Default 100 ms and 1 s.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.first, self.longest) = (first, longest);
        self
    }

    /// How long a call that has seen an attempt to connect fail waits for the next: `first`, after each
    /// further failure in a row 1.6 times as long, up to `longest`; a fifth more or less, by chance.
    /// Default 1 s and 120 s. A call that has seen none waits a tenth of a second at most. (Over HTTP,
    /// [`pauses`](Self::pauses) counts.)
    #[must_use]
    pub fn connect_pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.connect_first, self.connect_longest) = (first, longest);
        self
    }

    /// How many calls may be made again: a `share` of all calls, and so many `per_second` besides.
    /// Default 0.2 and 10.
    #[must_use]
    pub fn budget(mut self, share: f64, per_second: u32) -> Self {
        self.share = if share.is_finite() {
            share.max(0.0)
        } else {
            0.0
        };
        self.per_second = per_second;
        self
    }

    /// How long to wait after so many attempts.
    pub(crate) fn pause(&self, attempts: u32) -> Duration {
        let times = 1_u32.checked_shl(attempts.saturating_sub(1));
        let pause = times.and_then(|times| self.first.checked_mul(times));
        jittered(pause.unwrap_or(self.longest).min(self.longest))
    }
}

/// About so long: a fifth more or less, so that clients that began together do not stay together.
pub(crate) fn jittered(time: Duration) -> Duration {
    // Each of these has keys of its own.
    let chance = RandomState::new().build_hasher().finish();
    let share = (chance % 4001) as f64 / 10_000.0;
    time.mul_f64(0.8 + share)
}

/// What is left to be spent on retries.
#[derive(Debug)]
pub(crate) struct Budget {
    left: f64,
    /// How many calls were made when it was last looked at, and when that was.
    calls: u64,
    at: Instant,
}

impl Budget {
    /// For how long what was not spent is kept, about.
    const MEMORY: f64 = 10.0;

    /// A full one.
    pub(crate) fn new(retry: &Retry, now: Instant) -> Self {
        Self {
            left: f64::from(retry.per_second) * Self::MEMORY,
            calls: 0,
            at: now,
        }
    }

    /// Spends `count`, if there is so much, where `calls` were made by `now`.
    pub(crate) fn spend(&mut self, retry: &Retry, count: usize, calls: u64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        let new = calls.saturating_sub(self.calls) as f64;
        let kept = (-passed / Self::MEMORY).exp();
        // Of what was earned all along, what is not forgotten by now.
        let earned = match passed > 0.0 {
            true => (1.0 - kept) * Self::MEMORY / passed,
            false => 1.0,
        };
        let income = retry.share * new + f64::from(retry.per_second) * passed;
        self.left = self.left * kept + income * earned;
        // A call that is made again is taken off before it is counted once more.
        (self.calls, self.at) = (self.calls.max(calls), now);
        let count = count as f64;
        let enough = self.left >= count;
        if enough {
            self.left -= count;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_and_are_never_quite_the_same() {
        let retry = Retry::default();
        for (attempts, ms) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (4, 800),
            (5, 1000),
            (99, 1000),
        ] {
            let usual = Duration::from_millis(ms);
            let pauses: Vec<_> = (0..50).map(|_| retry.pause(attempts)).collect();
            let bounds = usual.mul_f64(0.8)..=usual.mul_f64(1.21);
            assert!(
                pauses.iter().all(|pause| bounds.contains(pause)),
                "{pauses:?}"
            );
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }

    #[test]
    fn a_budget_is_a_share_of_the_calls_and_some_a_second() {
        let retry = Retry::default();
        let start = Instant::now();
        let mut budget = Budget::new(&retry, start);
        let spent = |budget: &mut Budget, calls, now| {
            (0..)
                .take_while(|_| budget.spend(&retry, 1, calls, now))
                .count()
        };
        assert_eq!(spent(&mut budget, 0, start), 100, "what it begins with");
        assert_eq!(spent(&mut budget, 500, start), 100);
        let later = spent(&mut budget, 500, start + SECOND);
        assert!((9..=10).contains(&later), "{later}");
        // Ten thousand calls within a second, then nothing for a long time.
        let much_later = spent(&mut budget, 10_500, start + 1000 * SECOND);
        assert!((90..=125).contains(&much_later), "{much_later}");
    }

    #[test]
    fn without_a_budget_nothing_is_made_again() {
        let retry = Retry::default().budget(0.0, 0);
        let now = Instant::now();
        let mut budget = Budget::new(&retry, now);
        assert!(!budget.spend(&retry, 1, 1000, now + SECOND));
    }
}
