//! Every subject under every workload, again and again, next to each other.

use std::process::{Command, Stdio};

use crate::codecs;
use crate::options::{Options, Runtime};
use crate::peer::Problem;
use crate::report::Report;
use crate::subjects::{self, Subject};
use crate::window::Figures;
use crate::workload::{Kind, Workload};

/// Runs all that `options` ask for: round by round, in each round workload by workload, each
/// subject in a process of its own. Whoever begins changes with the round.
pub(crate) fn run(options: &Options, workloads: &[Workload]) -> Report {
    let mut report = Report::default();
    for round in 0..options.rounds {
        for workload in workloads {
            for &runtime in &options.runtimes {
                let mut names = takers(workload);
                names.retain(|name| options.asks_for(name));
                if runtime == Runtime::Multi {
                    names.retain(|name| !subjects::stays_on_one_thread(name));
                }
                if matches!(workload.kind, Kind::Codec(_)) && runtime == Runtime::Multi
                    || names.is_empty()
                {
                    continue;
                }
                if is_long(workload) && round >= LONG_ROUNDS {
                    continue;
                }
                let first = round % names.len();
                names.rotate_left(first);
                for name in names {
                    let row = row_name(workload, runtime);
                    match window(workload.name, name, runtime, options.quick) {
                        Ok(figures) => {
                            eprintln!(
                                "round {}: {row}, {name}: {}",
                                round + 1,
                                first_figure(&figures)
                            );
                            report.add(&row, name, round, figures);
                        }
                        Err(problem) => eprintln!("round {}: {row}, {name}: {problem}", round + 1),
                    }
                }
            }
        }
    }
    report
}

/// What a workload is called in the report.
pub(crate) fn row_name(workload: &Workload, runtime: Runtime) -> String {
    match runtime {
        Runtime::Current => workload.name.to_owned(),
        Runtime::Multi => format!("{}, multi-thread", workload.name),
    }
}

/// Those that take many seconds are measured in this many rounds at most.
const LONG_ROUNDS: usize = 3;

fn is_long(workload: &Workload) -> bool {
    matches!(
        workload.kind,
        Kind::Blocked(_) | Kind::Idle(_) | Kind::Mixed(_)
    )
}

/// The names of the subjects of a workload.
pub(crate) fn takers(workload: &Workload) -> Vec<&'static str> {
    match workload.kind {
        Kind::Codec(_) => codecs::names(),
        _ => {
            let takes = |subject: &&Subject| subject.takes(workload.name);
            subjects::ALL
                .iter()
                .filter(takes)
                .map(|subject| subject.name)
                .collect()
        }
    }
}

/// One window, in a process of its own.
pub(crate) fn window(
    workload: &str,
    subject: &str,
    runtime: Runtime,
    quick: bool,
) -> Result<Figures, Problem> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["window", workload, subject, "--runtime", runtime.name()]);
    if quick {
        command.arg("--quick");
    }
    let output = command.stderr(Stdio::piped()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said
            .lines()
            .next()
            .unwrap_or("it failed without a word")
            .into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn first_figure(figures: &Figures) -> String {
    let shown = figures.iter().take(4);
    shown
        .map(|(name, value)| format!("{name} {value:.2}"))
        .collect::<Vec<_>>()
        .join(", ")
}
