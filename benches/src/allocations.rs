//! What CI looks at: how often farcall's calls allocate, against numbers that are checked in.

use std::collections::BTreeMap;

use crate::options::{Options, Runtime};
use crate::peer::Problem;
use crate::rounds::{takers, window};
use crate::workload;

/// The most each may allocate, by workload and subject.
const MOST: &str = include_str!("../allocations.json");
/// What the ends of a window may add.
const SLACK: f64 = 0.1;

/// Measures everything in the list; true if something allocates more than it says.
pub(crate) fn run(options: &Options) -> Result<bool, Problem> {
    let most: BTreeMap<String, BTreeMap<String, f64>> = serde_json::from_str(MOST)?;
    let mut worse = false;
    for (name, subjects) in &most {
        let workload = workload::exactly(name)?;
        for (subject, most) in subjects {
            if !takers(&workload).contains(&subject.as_str()) {
                return Err(format!("{subject} does not do {name}").into());
            }
            let figures = window(name, subject, Runtime::Current, options.quick)?;
            let found = figures
                .iter()
                .find(|(metric, _)| metric == "allocations/call");
            let found = found.ok_or("no allocations were counted")?.1;
            let bad = found > most * 1.01 + SLACK;
            let verdict = if bad { "TOO MANY" } else { "ok" };
            println!("{verdict}: {name}, {subject}: {found:.2} allocations a call, at most {most}");
            worse |= bad;
        }
    }
    Ok(worse)
}
