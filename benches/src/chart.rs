//! Bar charts of a report, as SVG.

use std::fmt::Write;
use std::path::Path;

use crate::peer::Problem;
use crate::report::Row;
use crate::table::shown;

/// Of each workload this is drawn, the first that was measured.
const METRICS: &[&str] = &[
    "cpu us/call",
    "p99 over alone",
    "server bytes/connection",
    "p50 us",
];

const BAR: usize = 22;
const LEFT: usize = 170;
const WIDTH: usize = 420;

/// Writes a file for each workload.
pub(crate) fn write(rows: &[Row], folder: &Path) -> Result<(), Problem> {
    let mut workloads: Vec<&str> = rows.iter().map(|row| row.workload.as_str()).collect();
    workloads.dedup();
    for workload in workloads {
        let of = |metric: &str| -> Vec<&Row> {
            let this = |row: &&Row| row.workload == workload && row.metric == metric;
            rows.iter().filter(this).collect()
        };
        let drawn = METRICS
            .iter()
            .map(|metric| of(metric))
            .find(|bars| !bars.is_empty());
        if let Some(mut bars) = drawn {
            bars.sort_by(|one, other| one.median.total_cmp(&other.median));
            let name = workload.replace(", ", "-");
            std::fs::write(folder.join(format!("{name}.svg")), draw(workload, &bars)?)?;
        }
    }
    Ok(())
}

/// A bar for each row, the shortest first. A long one is cut at twenty times the shortest, so that
/// the others can be told apart.
fn draw(workload: &str, bars: &[&Row]) -> Result<String, Problem> {
    let metric = bars.first().map_or("", |row| row.metric.as_str());
    let least = bars.first().map_or(1.0, |row| row.median);
    let longest = bars.last().map_or(1.0, |row| row.median).min(20.0 * least);
    let height = BAR * (bars.len() + 2);
    let mut svg = String::new();
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <text x=\"8\" y=\"16\" font-weight=\"bold\">{workload}: {metric}, less is better</text>",
        LEFT + WIDTH + 90,
    )?;
    for (at, row) in bars.iter().enumerate() {
        let y = BAR * (at + 1) + 6;
        let cut = row.median > longest;
        let width = (row.median.min(longest) / longest * WIDTH as f64).max(1.0);
        let fill = if row.subject.starts_with("farcall") {
            "#2a7de1"
        } else {
            "#9aa5b1"
        };
        let value = shown(row.median) + if cut { " (cut)" } else { "" };
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" fill=\"{fill}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{value}</text>",
            LEFT - 6,
            y + 13,
            row.subject,
            BAR - 5,
            LEFT as f64 + width + 5.0,
            y + 13,
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
