//! What was seen each second.

use std::time::Duration;

use serde::Serialize;

use super::process::{Held, Process};
use super::tally::{Outcome, Tally};
use crate::peer::Problem;

pub(super) const HEAD: &str =
    "  time   calls/s  lost/s  p50 ms  p99 ms  server MiB  client MiB  server fds  client fds";

/// One second.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    pub(super) calls: f64,
    pub(super) lost: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) server_mib: f64,
    pub(super) client_mib: f64,
    pub(super) server_descriptors: f64,
    pub(super) client_descriptors: f64,
}

#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) all: Vec<Sample>,
    /// What had ended at the last one: calls, lost ones.
    before: (u64, u64),
    at: f64,
}

impl Samples {
    pub(super) fn take(
        &mut self,
        at: Duration,
        tally: &Tally,
        server: &Process,
    ) -> Result<(), Problem> {
        let seconds = at.as_secs_f64();
        let count = |outcome| tally.count(true, outcome) + tally.count(false, outcome);
        let calls = Outcome::ALL.into_iter().map(count).sum();
        let lost = count(Outcome::Lost);
        let (p50_ms, p99_ms) = tally.take_times();
        let (there, here) = (server.held()?, Held::of("self")?);
        let rate = |now: u64, before: u64| (now - before) as f64 / (seconds - self.at);
        let sample = Sample {
            seconds,
            calls: rate(calls, self.before.0),
            lost: rate(lost, self.before.1),
            p50_ms,
            p99_ms,
            server_mib: there.mib(),
            client_mib: here.mib(),
            server_descriptors: there.descriptors as f64,
            client_descriptors: here.descriptors as f64,
        };
        (self.before, self.at) = ((calls, lost), seconds);
        // A line now and then is enough to look at.
        if self.all.len().is_multiple_of(10) {
            println!(
                "{:>5.0}s {:>9.0} {:>7.0} {:>7.2} {:>7.2} {:>11.1} {:>11.1} {:>11} {:>11}",
                sample.seconds,
                sample.calls,
                sample.lost,
                sample.p50_ms,
                sample.p99_ms,
                sample.server_mib,
                sample.client_mib,
                sample.server_descriptors,
                sample.client_descriptors,
            );
        }
        self.all.push(sample);
        Ok(())
    }

    pub(super) fn write(&self) -> Result<(), Problem> {
        let text = serde_json::to_string_pretty(&self.all)?;
        std::fs::write(format!("{}/samples.json", super::FOLDER), text)?;
        Ok(())
    }

    /// Says so if the server's memory grew from the second quarter to the last.
    pub(super) fn grew(&self) -> Option<String> {
        /// More than an allocator's whims.
        const MOST: f64 = 16.0;
        let quarter = self.all.len() / 4;
        let of = |from: usize, to: usize| {
            let mut mib: Vec<f64> = self
                .all
                .get(from..to)?
                .iter()
                .map(|one| one.server_mib)
                .collect();
            mib.sort_by(f64::total_cmp);
            mib.get(mib.len() / 2).copied()
        };
        let second = of(quarter, 2 * quarter)?;
        let last = of(self.all.len() - quarter, self.all.len())?;
        println!("server: {second:.1} MiB in the second quarter, {last:.1} in the last");
        (last > second + MOST).then(|| format!("memory grew from {second:.1} to {last:.1} MiB"))
    }
}
