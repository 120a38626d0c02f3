//! The regression check: two reports, and only what does not depend on the day.

use std::path::Path;

use crate::counts::{ALLOCATIONS, INSTRUCTIONS};
use crate::peer::Problem;
use crate::report::{self, Row};

/// How large a metric may have become, instructions by so many percent; those that are not named may
/// do as they like.
fn most(metric: &str, before: f64, percent: f64) -> Option<f64> {
    match metric {
        // A buffer may have grown at another time.
        ALLOCATIONS => Some(before + 0.2),
        INSTRUCTIONS => Some(before * (1.0 + percent / 100.0)),
        _ => None,
    }
}

/// Says how farcall's counts changed between two reports; true if one grew by too much.
pub(crate) fn run(old: &Path, new: &Path, percent: f64) -> Result<bool, Problem> {
    judge(&report::read(old)?, &report::read(new)?, percent)
}

fn judge(old: &[Row], new: &[Row], percent: f64) -> Result<bool, Problem> {
    let (mut compared, mut worse) = (0, false);
    for row in new.iter().filter(|row| row.subject.starts_with("farcall")) {
        let Some(before) = old.iter().find(|before| same(before, row)) else {
            continue;
        };
        let Some(most) = most(&row.metric, before.median, percent) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &str, metric: &str, median: f64) -> Row {
        Row {
            workload: "pipelined-64".into(),
            subject: subject.into(),
            metric: metric.into(),
            median,
            min: median,
            max: median,
            ratio_to_farcall: None,
        }
    }

    #[test]
    fn one_allocation_more_is_worse() {
        let old = [row("farcall json/tcp", ALLOCATIONS, 0.0)];
        assert!(judge(&old, &[row("farcall json/tcp", ALLOCATIONS, 1.0)], 5.0).unwrap());
        assert!(!judge(&old, &[row("farcall json/tcp", ALLOCATIONS, 0.1)], 5.0).unwrap());
    }

    #[test]
    fn instructions_may_grow_by_so_many_percent() {
        let old = [row("farcall json/tcp", INSTRUCTIONS, 1_000.0)];
        assert!(!judge(&old, &[row("farcall json/tcp", INSTRUCTIONS, 1_049.0)], 5.0).unwrap());
        assert!(judge(&old, &[row("farcall json/tcp", INSTRUCTIONS, 1_051.0)], 5.0).unwrap());
        assert!(judge(&old, &[row("farcall json/tcp", INSTRUCTIONS, 1_049.0)], 2.0).unwrap());
    }

    #[test]
    fn a_peer_or_a_time_that_grew_is_not_worse() {
        let old = [
            row("tarpc json", ALLOCATIONS, 1.0),
            row("farcall json/tcp", "cpu us/call", 1.0),
            row("farcall json/tcp", ALLOCATIONS, 1.0),
        ];
        let new = [
            row("tarpc json", ALLOCATIONS, 9.0),
            row("farcall json/tcp", "cpu us/call", 9.0),
            row("farcall json/tcp", ALLOCATIONS, 1.0),
        ];
        assert!(!judge(&old, &new, 5.0).unwrap());
    }

    #[test]
    fn reports_with_nothing_to_compare_are_an_error() {
        let rows = [row("farcall json/tcp", "cpu us/call", 1.0)];
        assert!(judge(&rows, &rows, 5.0).is_err());
    }
}
