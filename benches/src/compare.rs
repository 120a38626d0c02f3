//! The regression check: two reports, and only what does not depend on the day.

use std::path::Path;

use crate::peer::Problem;
use crate::report::{self, Row};

/// By how much a metric may grow; those that are not named may do as they like.
fn tolerance(metric: &str) -> Option<f64> {
    match metric {
        // What a window cuts off at its ends.
        "allocations/call" => Some(0.01),
        "instructions/call" => Some(0.05),
        _ => None,
    }
}

/// An allocation in a hundred calls more is a buffer that grew.
const SLACK: f64 = 0.05;

/// Says what grew between two reports; true if something of farcall's did by too much.
pub(crate) fn run(old: &Path, new: &Path) -> Result<bool, Problem> {
    let (old, new) = (report::read(old)?, report::read(new)?);
    let mut worse = false;
    for row in &new {
        let Some(before) = old.iter().find(|before| same(before, row)) else {
            continue;
        };
        let change = row.median / before.median;
        let grew = tolerance(&row.metric).is_some_and(|most| {
            row.median
                > before.median * (1.0 + most)
                    + if row.metric == "allocations/call" {
                        SLACK
                    } else {
                        0.0
                    }
        });
        let ours = row.subject.starts_with("farcall");
        if ours && (grew || tolerance(&row.metric).is_some()) {
            let verdict = if grew { "WORSE" } else { "ok" };
            println!(
                "{verdict}: {}, {}, {}: {:.2} was {:.2} ({change:.3} ×)",
                row.workload, row.subject, row.metric, row.median, before.median
            );
        }
        worse |= ours && grew;
    }
    Ok(worse)
}

fn same(one: &Row, other: &Row) -> bool {
    one.workload == other.workload && one.subject == other.subject && one.metric == other.metric
}
