//! What was seen, over time, as SVG.

use std::fmt::Write;

use super::samples::{Sample, Samples};
use crate::peer::Problem;
use crate::table::shown;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 110.0;
const LEFT: f64 = 70.0;
const BETWEEN: f64 = 40.0;

type Value = fn(&Sample) -> f64;

/// What is drawn above what, each with its lines.
const PANELS: [(&str, &[(&str, Value)]); 4] = [
    (
        "calls a second",
        &[("all", |s| s.calls), ("lost to faults", |s| s.lost)],
    ),
    (
        "small calls without faults, ms",
        &[("p99", |s| s.p99_ms), ("p50", |s| s.p50_ms)],
    ),
    (
        "resident MiB",
        &[("server", |s| s.server_mib), ("client", |s| s.client_mib)],
    ),
    (
        "descriptors",
        &[
            ("server", |s| s.server_descriptors),
            ("client and proxy", |s| s.client_descriptors),
        ],
    ),
];
const COLOURS: [&str; 2] = ["#2a7de1", "#9aa5b1"];

pub(super) fn write(samples: &Samples) -> Result<(), Problem> {
    let end = samples.all.last().map_or(1.0, |sample| sample.seconds);
    let all = (HEIGHT + BETWEEN) * PANELS.len() as f64 + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{all}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n",
        LEFT + WIDTH + 20.0
    );
    for (at, (title, lines)) in PANELS.iter().enumerate() {
        let top = (HEIGHT + BETWEEN) * at as f64 + 24.0;
        panel(&mut svg, samples, (title, lines), top, end)?;
    }
    writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\">0 s</text>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{end:.0} s</text>\n</svg>",
        all - 6.0,
        LEFT + WIDTH,
        all - 6.0
    )?;
    std::fs::write(format!("{}/soak.svg", super::FOLDER), svg)?;
    Ok(())
}

fn panel(
    svg: &mut String,
    samples: &Samples,
    (title, lines): (&str, &[(&str, Value)]),
    top: f64,
    end: f64,
) -> Result<(), Problem> {
    let values = lines.iter().flat_map(|(_, of)| samples.all.iter().map(of));
    let most = values.fold(1.0, f64::max);
    let bottom = top + HEIGHT;
    writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{title}</text>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
         <text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\
         <path d=\"M{LEFT} {top}V{bottom}H{}\" fill=\"none\" stroke=\"#cbd2d9\"/>",
        top - 8.0,
        LEFT - 6.0,
        top + 10.0,
        shown(most),
        LEFT - 6.0,
        LEFT + WIDTH
    )?;
    for (at, ((name, of), colour)) in lines.iter().zip(COLOURS).enumerate() {
        let mut points = String::new();
        for sample in &samples.all {
            let x = LEFT + WIDTH * sample.seconds / end;
            let y = bottom - HEIGHT * of(sample) / most;
            write!(points, "{x:.1},{y:.1} ")?;
        }
        writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>",
            LEFT + WIDTH - 130.0 * at as f64,
            top - 8.0
        )?;
    }
    Ok(())
}
