//! Calls in a loop, many side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::peer::{Peer, Problem, Record};

/// The payload of the `blob` workload, in bytes.
pub(crate) const BLOB: usize = 1024 * 1024;

/// What each call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Records,
    Blob,
}

/// How much at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) op: Op,
    pub(crate) connections: usize,
    /// Calls in flight on each connection.
    pub(crate) in_flight: usize,
}

impl Load {
    /// How many loops there are in all.
    pub(crate) fn callers(&self) -> usize {
        self.connections * self.in_flight
    }
}

/// Where all callers count, and learn that it is over.
#[derive(Debug)]
pub(crate) struct Meter {
    stop: AtomicBool,
    /// How many calls each caller makes, if that is what ends it.
    quota: Option<u64>,
    tallies: Mutex<Vec<Arc<AtomicU64>>>,
    latencies: Mutex<Histogram<u32>>,
    /// A caller looks at the clock for one call in so many, as two looks cost 50 ns.
    sampling: u64,
}

impl Meter {
    pub(crate) fn new(load: &Load, quota: Option<u64>) -> Self {
        // Of 3 digits, up to a minute; this cannot fail.
        let latencies = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Self {
            stop: AtomicBool::new(false),
            quota,
            tallies: Mutex::default(),
            latencies: Mutex::new(latencies.expect("bounds that a histogram can have")),
            sampling: if load.op == Op::Add && load.in_flight > 1 {
                16
            } else {
                1
            },
        }
    }

    /// A caller is there.
    pub(crate) fn enter(self: &Arc<Self>) -> Caller {
        let tally = Arc::<AtomicU64>::default();
        lock(&self.tallies).push(Arc::clone(&tally));
        Caller {
            meter: Arc::clone(self),
            tally,
        }
    }

    /// How many calls were answered.
    pub(crate) fn calls(&self) -> u64 {
        lock(&self.tallies)
            .iter()
            .map(|tally| tally.load(Relaxed))
            .sum()
    }

    /// Forgets the latencies until now.
    pub(crate) fn forget(&self) {
        lock(&self.latencies).reset();
    }

    /// The latency below which this part of the calls was, in microseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        lock(&self.latencies).value_at_percentile(percent) as f64 / 1000.0
    }

    /// Ends every caller after its call.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One loop of calls.
#[derive(Debug)]
pub(crate) struct Caller {
    meter: Arc<Meter>,
    tally: Arc<AtomicU64>,
}

impl Caller {
    /// Whether there is another call to make, and when it began if somebody wants to know.
    pub(crate) fn next(&self) -> Option<Option<Instant>> {
        let made = self.tally.load(Relaxed);
        if self.meter.stop.load(Relaxed) || self.meter.quota.is_some_and(|quota| made >= quota) {
            return None;
        }
        Some((made.is_multiple_of(self.meter.sampling)).then(Instant::now))
    }

    /// So many calls were answered; nobody else writes this tally.
    pub(crate) fn answered(&self, calls: u64, since: Option<Instant>) {
        self.tally.store(self.tally.load(Relaxed) + calls, Relaxed);
        if let Some(since) = since {
            let took = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            lock(&self.meter.latencies).saturating_record(took);
        }
    }
}

/// Connects, and calls until the meter says stop.
pub(crate) async fn drive<P: Peer>(
    port: u16,
    load: Load,
    meter: Arc<Meter>,
) -> Result<(), Problem> {
    let mut callers = JoinSet::new();
    let (connections, in_flight) = match P::SHARED {
        true => (load.connections, load.in_flight),
        false => (load.callers(), 1),
    };
    for _ in 0..connections {
        let peer = P::connect(port).await?;
        for _ in 0..in_flight {
            callers.spawn(call(peer.clone(), load.op, meter.enter()));
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn call<P: Peer>(peer: P, op: Op, caller: Caller) -> Result<(), Problem> {
    match op {
        Op::Add => {
            let mut n = 0;
            while let Some(since) = caller.next() {
                let sum = peer.add(n, -7).await?;
                if sum != n - 7 {
                    return Err(format!("{n} - 7 is not {sum}").into());
                }
                n = (n + 1) % 1_000_000;
                caller.answered(1, since);
            }
        }
        Op::Records => {
            let mut records = P::sample_records();
            while let Some(since) = caller.next() {
                records = peer.records(records).await?;
                if P::count(&records) != Record::EACH_CALL {
                    return Err("some records were lost".into());
                }
                caller.answered(1, since);
            }
        }
        Op::Blob => {
            let mut blob = P::sample_blob(BLOB);
            while let Some(since) = caller.next() {
                blob = peer.blob(blob).await?;
                if P::len(&blob) != BLOB {
                    return Err("some bytes were lost".into());
                }
                caller.answered(1, since);
            }
        }
    }
    Ok(())
}
