//! The report as a person reads it.

use comfy_table::{CellAlignment, Table, presets};

use crate::report::Row;

/// A table for each workload: a line for each subject, a column for each metric, with the spread
/// and the ratio of the first.
pub(crate) fn print(rows: &[Row]) {
    let mut workloads: Vec<&str> = rows.iter().map(|row| row.workload.as_str()).collect();
    workloads.dedup();
    let mut seen = Vec::new();
    for workload in workloads {
        if !seen.contains(&workload) {
            seen.push(workload);
            println!("\n### {workload}\n");
            println!(
                "{}",
                table(
                    &rows
                        .iter()
                        .filter(|row| row.workload == workload)
                        .collect::<Vec<_>>()
                )
            );
        }
    }
}

fn table(rows: &[&Row]) -> Table {
    let mut metrics: Vec<&str> = Vec::new();
    let mut subjects: Vec<&str> = Vec::new();
    for row in rows {
        if !metrics.contains(&row.metric.as_str()) {
            metrics.push(&row.metric);
        }
        if !subjects.contains(&row.subject.as_str()) {
            subjects.push(&row.subject);
        }
    }
    let order = |name: &&str| {
        crate::subjects::ALL
            .iter()
            .position(|known| known.name == *name)
    };
    subjects.sort_by_key(|name| order(name));
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let mut head = vec!["subject".to_owned()];
    for (at, metric) in metrics.iter().enumerate() {
        head.push((*metric).to_owned());
        if at == 0 {
            head.extend(["(min–max)".to_owned(), "ratio".to_owned()]);
        }
    }
    table.set_header(head);
    for subject in subjects {
        let mut line = vec![subject.to_owned()];
        for (at, metric) in metrics.iter().enumerate() {
            let row = rows
                .iter()
                .find(|row| row.subject == subject && row.metric == *metric);
            line.push(row.map_or_else(|| "–".to_owned(), |row| shown(row.median)));
            if at == 0 {
                line.push(row.map_or_else(String::new, |row| {
                    format!("({}–{})", shown(row.min), shown(row.max))
                }));
                let ratio = row.and_then(|row| row.ratio_to_farcall);
                line.push(ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.3}")));
            }
        }
        table.add_row(line);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Three digits that matter.
pub(crate) fn shown(value: f64) -> String {
    match value.abs() {
        large if large >= 1e6 => format!("{:.2}M", value / 1e6),
        large if large >= 1e4 => format!("{:.1}k", value / 1e3),
        middle if middle >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
