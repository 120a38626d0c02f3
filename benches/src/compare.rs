//! The regression check: two reports, and only what does not depend on the day.

use std::path::Path;

use crate::instructions::{ALLOCATIONS, INSTRUCTIONS};
use crate::peer::Problem;
use crate::report::{self, Row};

/// How large a metric may have become; those that are not named may do as they like.
fn most(metric: &str, before: f64) -> Option<f64> {
    match metric {
        // A buffer may have grown at another time.
        ALLOCATIONS => Some(before + 0.2),
        INSTRUCTIONS => Some(before * 1.05),
        _ => None,
    }
}

/// Says how farcall's counts changed between two reports; true if one grew by too much.
pub(crate) fn run(old: &Path, new: &Path) -> Result<bool, Problem> {
    let (old, new) = (report::read(old)?, report::read(new)?);
    let (mut compared, mut worse) = (0, false);
    for row in new.iter().filter(|row| row.subject.starts_with("farcall")) {
        let Some(before) = old.iter().find(|before| same(before, row)) else {
            continue;
        };
        let Some(most) = most(&row.metric, before.median) else {
            continue;
        };
        let verdict = if row.median > most { "WORSE" } else { "ok" };
        println!(
            "{verdict}: {}, {}, {}: {:.2} was {:.2}",
            row.workload, row.subject, row.metric, row.median, before.median
        );
        worse |= row.median > most;
        compared += 1;
    }
    match compared {
        0 => Err("nothing to compare: both reports must be made with --instructions".into()),
        _ => Ok(worse),
    }
}

fn same(one: &Row, other: &Row) -> bool {
    one.workload == other.workload && one.subject == other.subject && one.metric == other.metric
}
