//! What a process used until now.

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use crate::ALLOCATOR;
use crate::peer::Problem;

/// Totals since the process began, but for the memory, which is that of now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// User and system time, in microseconds.
    pub(crate) cpu_us: f64,
    /// Allocations and reallocations; none for a subject that does not count them.
    pub(crate) allocations: Option<f64>,
    /// Bytes allocated.
    pub(crate) bytes: Option<f64>,
    /// Resident memory, in bytes.
    pub(crate) rss: f64,
}

impl Usage {
    /// That of this process.
    pub(crate) fn now() -> Result<Self, Problem> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let us = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
        let heap = ALLOCATOR.stats();
        Ok(Self {
            cpu_us: us(usage.user_time()) + us(usage.system_time()),
            allocations: Some((heap.allocations + heap.reallocations) as f64),
            bytes: Some(heap.bytes_allocated as f64),
            rss: resident()?,
        })
    }

    /// What was used between `earlier` and this, of which the memory may have become less.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let less = |now: Option<f64>, then: Option<f64>| Some(now? - then?);
        Self {
            cpu_us: self.cpu_us - earlier.cpu_us,
            allocations: less(self.allocations, earlier.allocations),
            bytes: less(self.bytes, earlier.bytes),
            rss: self.rss - earlier.rss,
        }
    }
}

fn resident() -> Result<f64, Problem> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.ok_or("no VmRSS in /proc/self/status")?.parse::<f64>()? * 1024.0)
}
