//! What does not depend on how busy the machine is: instructions a call, counted by valgrind, system
//! calls a call, counted by strace, and allocations a call. Each is the difference of two runs of so
//! many calls, by which what start and end cost cancels out.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::options::{Options, Runtime};
use crate::peer::Problem;
use crate::report::Report;
use crate::rounds::{row_name, takers};
use crate::subjects::stays_on_one_thread;
use crate::window::Figures;
use crate::workload::{Kind, Workload};

/// Of an exact count of allocations, as opposed to that of a window, which cuts calls in two.
pub(crate) const ALLOCATIONS: &str = "exact allocations/call";
/// Of both processes together.
pub(crate) const INSTRUCTIONS: &str = "instructions/call";

/// Of both processes together.
pub(crate) const SYSTEM_CALLS: &str = "system calls/call";

/// What counts beside the program itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Nothing: allocations are counted in the program.
    None,
    /// Instructions.
    Callgrind,
    /// System calls.
    Strace,
}

/// Counts what `options` ask for, and adds it to the report.
pub(crate) fn run(report: &mut Report, workloads: &[Workload], options: &Options) {
    for workload in workloads {
        if options.instructions {
            count(report, workload, options, Tool::Callgrind, Runtime::Current);
        }
        if options.syscalls && !matches!(workload.kind, Kind::Codec(_)) {
            for &runtime in &options.runtimes {
                count(report, workload, options, Tool::Strace, runtime);
            }
        }
    }
}

fn count(
    report: &mut Report,
    workload: &Workload,
    options: &Options,
    tool: Tool,
    runtime: Runtime,
) {
    let row = row_name(workload, runtime);
    let mut takers = takers(workload);
    // Python is another program, in which nothing can be counted.
    takers.retain(|name| options.asks_for(name) && *name != "python");
    if runtime == Runtime::Multi {
        takers.retain(|name| !stays_on_one_thread(name));
    }
    for subject in takers {
        match counted(workload, subject, tool, runtime) {
            None => {}
            Some(Ok(figures)) => {
                eprintln!("{row}, {subject}: {figures:.2?}");
                report.add(&row, subject, 0, figures);
            }
            Some(Err(problem)) => eprintln!("{row}, {subject}: {problem}"),
        }
    }
}

/// How many calls each caller makes, in one run and in the other.
fn quotas(workload: &Workload) -> Option<[u64; 2]> {
    match workload.name {
        "latency" => Some([1_000, 3_000]),
        "pipelined-64" => Some([50, 150]),
        "records" | "records-in" => Some([2, 6]),
        "codec-add" => Some([1_000, 3_000]),
        "codec-records" => Some([10, 30]),
        _ => None,
    }
}

/// What one call costs; none for a workload that is not counted.
pub(crate) fn counted(
    workload: &Workload,
    subject: &str,
    tool: Tool,
    runtime: Runtime,
) -> Option<Result<Figures, Problem>> {
    // Without valgrind a call is fifty times as fast.
    let times = if tool == Tool::Callgrind { 1 } else { 10 };
    let [few, many] = quotas(workload)?.map(|quota| quota * times);
    let count = || {
        let few = once(workload, subject, few, tool, runtime)?;
        let many = once(workload, subject, many, tool, runtime)?;
        let calls = many.calls - few.calls;
        let allocations = (many.allocations - few.allocations) / calls;
        let found = (many.found - few.found) / calls;
        Ok(match tool {
            Tool::None => vec![(ALLOCATIONS.to_owned(), allocations)],
            Tool::Callgrind => vec![
                (ALLOCATIONS.to_owned(), allocations),
                (INSTRUCTIONS.to_owned(), found),
            ],
            Tool::Strace => vec![(SYSTEM_CALLS.to_owned(), found)],
        })
    };
    Some(count())
}

/// Totals of one run.
struct Totals {
    calls: f64,
    allocations: f64,
    /// What the tool counts.
    found: f64,
}

fn once(
    workload: &Workload,
    subject: &str,
    quota: u64,
    tool: Tool,
    runtime: Runtime,
) -> Result<Totals, Problem> {
    let folder = PathBuf::from(crate::FOLDER).join("counted");
    // What a run before left there would be counted too.
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder)?;
    let program = std::env::current_exe()?;
    let mut command = match tool {
        Tool::None => Command::new(program),
        Tool::Callgrind => {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--tool=callgrind", "--trace-children=yes", "--quiet"]);
            valgrind.arg(format!("--callgrind-out-file={}/%p", folder.display()));
            valgrind.arg(program);
            valgrind
        }
        Tool::Strace => {
            let mut strace = Command::new("strace");
            // Of all threads and processes, a sum, of which the number is in the first column.
            strace.args(["-f", "-c", "--summary-columns=calls,name", "-o"]);
            strace.arg(folder.join("all")).arg(program);
            strace
        }
    };
    command.args([
        "window",
        workload.name,
        subject,
        "--calls",
        &quota.to_string(),
        "--runtime",
        runtime.name(),
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
        found: match tool {
            Tool::None => 0.0,
            Tool::Callgrind => total(&folder, "summary: ", "")?,
            Tool::Strace => total(&folder, "", " total")?,
        },
    })
}

/// The sum over the files that the tool wrote of the number between these ends of a line.
fn total(folder: &Path, before: &str, after: &str) -> Result<f64, Problem> {
    let mut total = 0.0;
    for file in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(file?.path())?;
        let number = |line| str::strip_suffix(str::strip_prefix(line, before)?, after);
        let found = text.lines().find_map(number);
        total += found.ok_or("a tool gave no sum")?.trim().parse::<f64>()?;
    }
    Ok(total)
}
