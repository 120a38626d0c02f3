//! How calls ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// How a call can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Answered,
    /// With the method's own error.
    Refused,
    TimedOut,
    /// Its caller gave it up.
    Dropped,
    /// The connection was lost or could not be made.
    Lost,
}

impl Outcome {
    pub(super) const ALL: [Self; 5] = [
        Self::Answered,
        Self::Refused,
        Self::TimedOut,
        Self::Dropped,
        Self::Lost,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Dropped => "dropped",
            Self::Lost => "lost",
        }
    }
}

/// All that ended so far, and since the last look.
#[derive(Debug)]
pub(super) struct Tally(Mutex<State>);

#[derive(Debug)]
struct State {
    ended: BTreeMap<(bool, Outcome), u64>,
    /// What must not be, and how often it was.
    wrong: BTreeMap<String, u64>,
    /// How long small calls took that reach the server directly, in µs.
    times: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let minute = 60_000_000;
        let times = Histogram::new_with_bounds(1, minute, 3);
        let times = times.unwrap_or_else(|_| unreachable!("3 digits of a minute are fine"));
        Self(Mutex::new(State {
            ended: BTreeMap::new(),
            wrong: BTreeMap::new(),
            times,
        }))
    }
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ended(&self, is_direct: bool, outcome: Outcome) {
        *self.lock().ended.entry((is_direct, outcome)).or_default() += 1;
    }

    pub(super) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.lock().times.saturating_record(micros);
    }

    pub(super) fn wrong(&self, what: String) {
        *self.lock().wrong.entry(what).or_default() += 1;
    }

    /// How many ended like this, in all.
    pub(super) fn count(&self, is_direct: bool, outcome: Outcome) -> u64 {
        let ended = &self.lock().ended;
        ended
            .get(&(is_direct, outcome))
            .copied()
            .unwrap_or_default()
    }

    /// The median and p99 of the times since the last look, in ms.
    pub(super) fn take_times(&self) -> (f64, f64) {
        let times = &mut self.lock().times;
        let at = |part| times.value_at_quantile(part) as f64 / 1000.0;
        let taken = (at(0.5), at(0.99));
        times.reset();
        taken
    }

    /// Prints it; what was wrong.
    pub(super) fn report(&self) -> Vec<String> {
        for (is_direct, way) in [(true, "directly"), (false, "through faults")] {
            let counts = Outcome::ALL.map(|outcome| {
                let count = self.count(is_direct, outcome);
                format!("{count} {}", outcome.name())
            });
            println!("{way}: {}", counts.join(", "));
        }
        let state = self.lock();
        let lines = state
            .wrong
            .iter()
            .map(|(what, count)| format!("{what} ({count} times)"));
        lines.collect()
    }
}
