//! What does not depend on how busy the machine is: instructions a call, counted by valgrind, and
//! allocations a call. Each is the difference of two runs of so many calls, by which what start and
//! end cost cancels out.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peer::Problem;
use crate::report::Report;
use crate::rounds::takers;
use crate::window::Figures;
use crate::workload::Workload;

/// Of an exact count of allocations, as opposed to that of a window, which cuts calls in two.
pub(crate) const ALLOCATIONS: &str = "exact allocations/call";
/// Of both processes together.
pub(crate) const INSTRUCTIONS: &str = "instructions/call";

/// Counts for those subjects of each workload that `asked` wants, and adds them to the report.
pub(crate) fn run(report: &mut Report, workloads: &[Workload], asked: impl Fn(&str) -> bool) {
    for workload in workloads {
        let takers = takers(workload).into_iter();
        // Python is another program, in which nothing can be counted.
        for subject in takers.filter(|name| asked(name) && *name != "python") {
            let Some(counted) = counted(workload, subject, true) else {
                continue;
            };
            match counted {
                Ok(figures) => {
                    eprintln!("{}, {subject}: {figures:.0?}", workload.name);
                    report.add(workload.name, subject, 0, figures);
                }
                Err(problem) => eprintln!("{}, {subject}: {problem}", workload.name),
            }
        }
    }
}

/// How many calls each caller makes, in one run and in the other.
fn quotas(workload: &Workload) -> Option<[u64; 2]> {
    match workload.name {
        "pipelined-64" => Some([50, 150]),
        "records" => Some([2, 6]),
        "codec-add" => Some([1_000, 3_000]),
        "codec-records" => Some([10, 30]),
        _ => None,
    }
}

/// What one call costs; none for a workload that is not counted.
pub(crate) fn counted(
    workload: &Workload,
    subject: &str,
    instructions: bool,
) -> Option<Result<Figures, Problem>> {
    // Without valgrind a call is fifty times as fast.
    let times = if instructions { 1 } else { 10 };
    let [few, many] = quotas(workload)?.map(|quota| quota * times);
    let count = || {
        let few = once(workload, subject, few, instructions)?;
        let many = once(workload, subject, many, instructions)?;
        let calls = many.calls - few.calls;
        let each = (many.allocations - few.allocations) / calls;
        let mut figures = vec![(ALLOCATIONS.to_owned(), each)];
        if instructions {
            let each = (many.instructions - few.instructions) / calls;
            figures.push((INSTRUCTIONS.to_owned(), each));
        }
        Ok(figures)
    };
    Some(count())
}

/// Totals of one run.
struct Totals {
    calls: f64,
    allocations: f64,
    instructions: f64,
}

fn once(
    workload: &Workload,
    subject: &str,
    quota: u64,
    instructions: bool,
) -> Result<Totals, Problem> {
    let folder = PathBuf::from(crate::FOLDER).join("callgrind");
    let program = std::env::current_exe()?;
    let mut command = match instructions {
        true => {
            // Left over from a run before.
            std::fs::remove_dir_all(&folder).ok();
            std::fs::create_dir_all(&folder)?;
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--tool=callgrind", "--trace-children=yes", "--quiet"]);
            valgrind.arg(format!("--callgrind-out-file={}/%p", folder.display()));
            valgrind.arg(program);
            valgrind
        }
        false => Command::new(program),
    };
    command.args([
        "window",
        workload.name,
        subject,
        "--calls",
        &quota.to_string(),
    ]);
    let ran = command.output();
    let output = ran.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said
            .lines()
            .last()
            .unwrap_or("it failed without a word")
            .into());
    }
    let figures: Figures = serde_json::from_slice(&output.stdout)?;
    let named = |name: &str| {
        let found = figures.iter().find(|(figure, _)| figure == name);
        found.map(|(_, value)| *value).ok_or("a count is missing")
    };
    Ok(Totals {
        calls: named("calls")?,
        allocations: named("allocations")?,
        instructions: if instructions { total(&folder)? } else { 0.0 },
    })
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
