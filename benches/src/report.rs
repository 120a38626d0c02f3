//! Medians, spreads and ratios.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::peer::Problem;
use crate::subjects;
use crate::window::Figures;

/// What was measured, each figure of each round.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Workload, subject and metric in the order in which they came first.
    order: Vec<(String, String, String)>,
    rounds: BTreeMap<(String, String, String), BTreeMap<usize, f64>>,
}

/// A line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) subject: String,
    pub(crate) metric: String,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// How much of the figure of farcall's same way this is.
    pub(crate) ratio_to_farcall: Option<f64>,
}

impl Report {
    /// Takes what one window of a round gave.
    pub(crate) fn add(&mut self, workload: &str, subject: &str, round: usize, figures: Figures) {
        for (metric, value) in figures {
            let key = (workload.to_owned(), subject.to_owned(), metric);
            if !self.rounds.contains_key(&key) {
                self.order.push(key.clone());
            }
            self.rounds.entry(key).or_default().insert(round, value);
        }
    }

    /// The median of the ratios of `ours` to `theirs`, each within a round.
    pub(crate) fn ratio(
        &self,
        workload: &str,
        ours: &str,
        theirs: &str,
        metric: &str,
    ) -> Option<f64> {
        let of = |subject: &str| {
            let key = (workload.to_owned(), subject.to_owned(), metric.to_owned());
            self.rounds.get(&key)
        };
        let (ours, theirs) = (of(ours)?, of(theirs)?);
        let within = |(round, ours): (&usize, &f64)| Some(ours / theirs.get(round)?);
        median(ours.iter().filter_map(within).collect())
    }

    /// The median of one figure.
    pub(crate) fn median(&self, workload: &str, subject: &str, metric: &str) -> Option<f64> {
        let key = (workload.to_owned(), subject.to_owned(), metric.to_owned());
        median(self.rounds.get(&key)?.values().copied().collect())
    }

    /// All rows, workload by workload.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let row = |key: &(String, String, String)| {
            let (workload, subject, metric) = key;
            let values: Vec<f64> = self.rounds.get(key)?.values().copied().collect();
            Some(Row {
                workload: workload.clone(),
                subject: subject.clone(),
                metric: metric.clone(),
                min: values.iter().copied().fold(f64::INFINITY, f64::min),
                max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                median: median(values)?,
                ratio_to_farcall: self.ratio(workload, subject, beside(subject), metric),
            })
        };
        self.order.iter().filter_map(row).collect()
    }
}

/// The way of farcall that does the same as this subject.
fn beside(subject: &str) -> &str {
    let known = subjects::ALL.iter().find(|known| known.name == subject);
    match known {
        Some(known) => known.beside,
        None => crate::codecs::beside(subject),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    match values.len().is_multiple_of(2) {
        true => Some((upper + values.get(middle - 1)?) / 2.0),
        false => Some(upper),
    }
}

/// Writes the rows, a line each.
pub(crate) fn write(rows: &[Row], path: &Path) -> Result<(), Problem> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let lines: Result<Vec<_>, _> = rows.iter().map(serde_json::to_string).collect();
    Ok(std::fs::write(
        path,
        format!("[\n{}\n]\n", lines?.join(",\n")),
    )?)
}

/// Reads what [`write`] wrote.
pub(crate) fn read(path: &Path) -> Result<Vec<Row>, Problem> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_within_a_round() {
        let mut report = Report::default();
        // Each round is twice as slow as the one before, for both: the machine is busy.
        for (round, slow) in [1.0, 2.0, 4.0].into_iter().enumerate() {
            let figure = |value: f64| vec![("cpu us/call".to_owned(), value)];
            report.add("latency", "raw frames", round, figure(3.0 * slow));
            report.add("latency", "farcall bincode/tcp", round, figure(4.0 * slow));
        }
        let rows = report.rows();
        assert_eq!(rows[0].median, 6.0);
        assert_eq!((rows[0].min, rows[0].max), (3.0, 12.0));
        assert_eq!(rows[0].ratio_to_farcall, Some(0.75));
        assert_eq!(rows[1].ratio_to_farcall, Some(1.0));
    }

    #[test]
    fn a_line_of_the_file_has_these_names() {
        let mut report = Report::default();
        report.add(
            "latency",
            "raw frames",
            0,
            vec![("p50 us".to_owned(), 17.5)],
        );
        let line = serde_json::to_string(&report.rows()[0]).unwrap();
        assert_eq!(
            line,
            r#"{"workload":"latency","subject":"raw frames","metric":"p50 us","median":17.5,"min":17.5,"max":17.5,"ratio_to_farcall":null}"#
        );
    }
}
