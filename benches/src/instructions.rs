//! Instructions a call, counted by valgrind: the figure that a busy machine does not change.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::peer::Problem;
use crate::report::Report;
use crate::rounds::takers;
use crate::workload::{Kind, Workload};

/// Counts for those subjects of each workload that `asked` wants, and adds them to the report.
pub(crate) fn run(report: &mut Report, workloads: &[Workload], asked: impl Fn(&str) -> bool) {
    for workload in workloads {
        let Some((few, many)) = calls(workload) else {
            continue;
        };
        for subject in takers(workload)
            .into_iter()
            .filter(|name| asked(name) && *name != "python")
        {
            match count(workload.name, subject, few, many) {
                Ok(figure) => {
                    eprintln!(
                        "{}, {subject}: {figure:.0} instructions a call",
                        workload.name
                    );
                    let figures = vec![("instructions/call".to_owned(), figure)];
                    report.add(workload.name, subject, 0, figures);
                }
                Err(problem) => eprintln!("{}, {subject}: {problem}", workload.name),
            }
        }
    }
}

/// How many calls each caller makes: twice, so that what start and end cost cancels out.
fn calls(workload: &Workload) -> Option<(u64, u64)> {
    match (workload.name, workload.kind) {
        ("pipelined-64", _) => Some((50, 150)),
        ("records", _) => Some((2, 6)),
        ("codec-add", Kind::Codec(_)) => Some((1_000, 3_000)),
        ("codec-records", Kind::Codec(_)) => Some((10, 30)),
        _ => None,
    }
}

/// Instructions a call, client and server together.
fn count(workload: &str, subject: &str, few: u64, many: u64) -> Result<f64, Problem> {
    let (few, many) = (
        once(workload, subject, few)?,
        once(workload, subject, many)?,
    );
    Ok((many.0 - few.0) / (many.1 - few.1))
}

/// One run: all instructions of both processes, and the calls that were made.
fn once(workload: &str, subject: &str, quota: u64) -> Result<(f64, f64), Problem> {
    let folder = PathBuf::from(crate::FOLDER).join("callgrind");
    // Left over from a run before.
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder)?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--trace-children=yes", "--quiet"]);
    command.arg(format!("--callgrind-out-file={}/%p", folder.display()));
    command.arg(std::env::current_exe()?);
    command.args(["window", workload, subject, "--calls", &quota.to_string()]);
    let output = command.stderr(Stdio::piped()).output();
    let output = output.map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said
            .lines()
            .last()
            .unwrap_or("valgrind failed without a word")
            .into());
    }
    let figures: Vec<(String, f64)> = serde_json::from_slice(&output.stdout)?;
    let calls = figures.first().ok_or("no calls were made")?.1;
    Ok((total(&folder)?, calls))
}

/// The sum over the processes of what callgrind wrote.
fn total(folder: &Path) -> Result<f64, Problem> {
    let mut total = 0.0;
    for file in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(file?.path())?;
        let line = text.lines().find_map(|line| line.strip_prefix("summary: "));
        total += line
            .ok_or("callgrind gave no summary")?
            .trim()
            .parse::<f64>()?;
    }
    Ok(total)
}
