//! What farcall is to reach beside its limits and its peers, and how far it is.

use comfy_table::{CellAlignment, Table, presets};

use crate::report::Report;
use crate::table::shown;

/// How a goal is measured.
enum Measure {
    /// So many times as fast as another: the ratio of the CPU time of a call, the other's to ours.
    Faster(&'static str, f64),
    /// At most so many times a figure of another.
    AtMostTimes(&'static str, &'static str, f64),
    /// At most this, of a figure of our own.
    AtMost(&'static str, f64),
}

use Measure::{AtMost, AtMostTimes, Faster};

struct Goal {
    workload: &'static str,
    subject: &'static str,
    measure: Measure,
}

const fn goal(workload: &'static str, subject: &'static str, measure: Measure) -> Goal {
    Goal {
        workload,
        subject,
        measure,
    }
}

const BINCODE: &str = "farcall bincode/tcp";
const JSON: &str = "farcall json/tcp";
const JSON_HTTP: &str = "farcall json/http";
const XML: &str = "farcall xml/http";
const HTTP2: &str = "farcall bincode/http2";

const GOALS: &[Goal] = &[
    goal("latency", BINCODE, Faster("raw frames", 0.95)),
    goal("latency", BINCODE, Faster("tarpc bincode", 1.35)),
    goal("pipelined-64", BINCODE, Faster("tarpc bincode", 6.0)),
    goal(
        "pipelined-64, multi-thread",
        BINCODE,
        Faster("tarpc bincode", 6.0),
    ),
    goal(
        "pipelined-64",
        BINCODE,
        AtMostTimes("raw frames", "cpu us/call", 1.7),
    ),
    goal("pipelined-64", BINCODE, Faster("tonic", 25.0)),
    goal("pipelined-64", BINCODE, Faster("jsonrpsee ws", 25.0)),
    goal("pipelined-64", BINCODE, Faster("capnp", 25.0)),
    goal("pipelined-512", BINCODE, Faster("tarpc bincode", 12.0)),
    goal("connections", BINCODE, Faster("raw frames", 0.9)),
    goal("connections", BINCODE, Faster("tarpc bincode", 1.5)),
    goal("records", BINCODE, Faster("tarpc bincode", 1.08)),
    goal(
        "records-in",
        "farcall bincode/tcp borrowed",
        Faster("tarpc bincode owned", 1.6),
    ),
    goal("blob", BINCODE, Faster("raw frames", 0.85)),
    goal("blob", BINCODE, Faster("tarpc bincode", 1.7)),
    goal("blob-4", BINCODE, Faster("volo-thrift", 1.0)),
    goal(
        "blob",
        BINCODE,
        AtMost("bytes allocated/call", 2.0 * 1024.0 * 1024.0),
    ),
    goal(
        "pipelined-64",
        BINCODE,
        AtMost(crate::counts::INSTRUCTIONS, 4_000.0),
    ),
    goal(
        "pipelined-64",
        BINCODE,
        AtMost(crate::counts::SYSTEM_CALLS, 0.5),
    ),
    goal(
        "pipelined-64, multi-thread",
        BINCODE,
        AtMost(crate::counts::SYSTEM_CALLS, 0.5),
    ),
    goal("pipelined-64", BINCODE, AtMost("allocations/call", 2.0)),
    goal("pipelined-64", JSON, AtMost("allocations/call", 4.0)),
    goal("pipelined-64", JSON_HTTP, AtMost("allocations/call", 24.0)),
    goal("pipelined-64", XML, AtMost("allocations/call", 28.0)),
    goal("pipelined-64", JSON, Faster("jsonrpsee ws", 12.0)),
    goal("pipelined-64", JSON, Faster("tarpc json", 3.0)),
    goal("pipelined-64", JSON_HTTP, Faster("bare hyper", 0.95)),
    goal("pipelined-64", JSON_HTTP, Faster("jsonrpsee http", 1.35)),
    goal(
        "pipelined-64, multi-thread",
        JSON_HTTP,
        Faster("jsonrpsee http", 1.5),
    ),
    goal("records", JSON_HTTP, Faster("jsonrpsee http", 1.6)),
    goal("pipelined-64", HTTP2, Faster("tonic", 1.5)),
    goal("pipelined-64", XML, Faster("bare hyper", 0.9)),
    goal("pipelined-64", XML, Faster("dxr", 1.7)),
    goal("records", XML, Faster("dxr", 8.0)),
    goal("pipelined-64", XML, Faster("python", 10.0)),
    goal("records", XML, Faster("python", 25.0)),
    goal(
        "codec-add",
        "farcall xml alone",
        Faster("xml by a tree (dxr)", 4.0),
    ),
    goal(
        "codec-add",
        "farcall xml alone",
        Faster("xml by events", 2.0),
    ),
    goal(
        "codec-records",
        "farcall xml alone",
        Faster("xml by a tree (dxr)", 4.0),
    ),
    goal(
        "codec-records",
        "farcall xml alone",
        Faster("xml by events", 2.0),
    ),
    goal(
        "codec-add",
        "farcall json alone",
        Faster("json by RawValue", 2.5),
    ),
    goal("blocked-50000", BINCODE, AtMost("done s", 5.5)),
    goal(
        "blocked-50000",
        BINCODE,
        AtMost("client bytes/call", 1_229.0),
    ),
    goal(
        "blocked-50000",
        BINCODE,
        AtMost("server bytes/call", 1_229.0),
    ),
    goal("mixed", BINCODE, AtMost("p99 over alone", 5.0)),
    goal("mixed-100", BINCODE, AtMost("p99 over alone", 10.0)),
    goal("idle", BINCODE, AtMost("client bytes/connection", 6_144.0)),
    goal("idle", BINCODE, AtMost("server bytes/connection", 6_144.0)),
];

/// Prints each goal of which something was measured.
pub(crate) fn print(report: &Report) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["workload", "subject", "against", "goal", "measured", ""]);
    for goal in GOALS {
        let Some((against, wanted, measured, reached)) = judge(report, goal) else {
            continue;
        };
        let verdict = if reached { "reached" } else { "**missed**" };
        table.add_row([
            goal.workload,
            goal.subject,
            &against,
            &wanted,
            &measured,
            verdict,
        ]);
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if table.row_count() > 0 {
        println!("\n### goals\n\n{table}");
    }
}

fn judge(report: &Report, goal: &Goal) -> Option<(String, String, String, bool)> {
    Some(match goal.measure {
        Faster(other, least) => {
            let ratio = report.ratio(goal.workload, other, goal.subject, "cpu us/call")?;
            let by_calls = report.ratio(goal.workload, goal.subject, other, "calls/s");
            let mut measured = format!("{ratio:.2} ×");
            if let Some(by_calls) = by_calls {
                measured.push_str(&format!(" ({by_calls:.2} by calls/s)"));
            }
            (
                other.into(),
                format!("≥ {least} ×"),
                measured,
                ratio >= least,
            )
        }
        AtMostTimes(other, metric, most) => {
            let ratio = report.ratio(goal.workload, goal.subject, other, metric)?;
            let against = format!("{other}, {metric}");
            (
                against,
                format!("≤ {most} ×"),
                format!("{ratio:.2} ×"),
                ratio <= most,
            )
        }
        AtMost(metric, most) => {
            let value = report.median(goal.workload, goal.subject, metric)?;
            let against = metric.to_owned();
            (
                against,
                format!("≤ {}", shown(most)),
                shown(value),
                value <= most,
            )
        }
    })
}
