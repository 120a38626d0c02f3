//! What CI looks at: how often farcall's calls allocate, against numbers that are checked in.

use std::collections::BTreeMap;

use crate::counts::{Tool, counted};
use crate::options::Runtime;
use crate::peer::Problem;
use crate::rounds::takers;
use crate::workload;

/// The most each may allocate, by workload and subject.
const MOST: &str = include_str!("../allocations.json");
/// A buffer may grow in the longer run and not in the shorter.
const SLACK: f64 = 0.2;

/// Counts everything in the list; true if something allocates more than it says.
pub(crate) fn run() -> Result<bool, Problem> {
    let most: BTreeMap<String, BTreeMap<String, f64>> = serde_json::from_str(MOST)?;
    let mut worse = false;
    for (name, subjects) in &most {
        let workload = workload::exactly(name)?;
        for (subject, most) in subjects {
            if !takers(&workload).contains(&subject.as_str()) {
                return Err(format!("{subject} does not do {name}").into());
            }
            let counted = counted(&workload, subject, Tool::None, Runtime::Current);
            let figures = counted.ok_or_else(|| format!("{name} is not counted"))??;
            let found = figures.first().ok_or("no allocations were counted")?.1;
            let bad = found > most + SLACK;
            let verdict = if bad { "TOO MANY" } else { "ok" };
            println!("{verdict}: {name}, {subject}: {found:.2} allocations a call, at most {most}");
            worse |= bad;
        }
    }
    Ok(worse)
}
