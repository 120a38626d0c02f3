//! farcall beside its limits and its peers, measured in one run.
//!
//! `docs/performance.md` shows the latest figures, and says how they are made.

#[cfg(feature = "peers")]
mod blob;
mod chart;
mod codecs;
mod compare;
mod counts;
mod dice;
mod floods;
mod goals;
mod held;
mod load;
mod options;
mod peer;
mod report;
mod rounds;
mod server;
mod soak;
mod subjects;
mod table;
mod tokens;
mod usage;
mod window;
mod workload;

use std::alloc::System;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use options::{Options, Runtime};
use peer::Problem;
use window::Extent;
use workload::Kind;

/// Counts, at the price of some 20 ns for an allocation and its end.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Where reports go.
const FOLDER: &str = "target/bench";

fn main() -> ExitCode {
    match options::read().and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Problem> {
    if options.help {
        println!("{}", options::USAGE);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some((old, new)) = &options.compare {
        return Ok(failed(compare::run(old, new, options.within)?));
    }
    let runtime = options
        .runtimes
        .first()
        .copied()
        .unwrap_or(Runtime::Current);
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", subject] => server::run(&subjects::named(subject)?, runtime)?,
        ["window", workload, subject] => window(options, workload, subject, runtime)?,
        ["soak"] => {
            return Ok(failed(soak::run(Duration::from_secs_f64(
                60.0 * options.minutes,
            ))?));
        }
        ["soak", "serve"] => soak::serve()?,
        ["floods"] => floods::run()?,
        ["floods", "serve"] => floods::serve()?,
        ["tokens"] => return Ok(failed(tokens::run(options.count, runtime)?)),
        ["allocations"] => return Ok(failed(held::ALLOCATIONS.run(options.write)?)),
        ["instructions"] => return Ok(failed(held::INSTRUCTIONS.run(options.write)?)),
        _ => measure(options)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(failed: bool) -> ExitCode {
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// How long a window is.
fn extent(options: &Options) -> Extent {
    let (warm, window) = match options.quick {
        true => (100, 200),
        false => (150, 400),
    };
    Extent {
        warm: Duration::from_millis(warm),
        window: Duration::from_millis(window),
        quota: options.calls,
    }
}

/// One window in this process, its figures on the standard output.
fn window(
    options: &Options,
    workload: &str,
    subject: &str,
    runtime: Runtime,
) -> Result<(), Problem> {
    // A server that hangs must not hang the run.
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(120));
        eprintln!("no end after two minutes");
        std::process::exit(1);
    });
    let figures = match workload::exactly(workload)?.kind {
        Kind::Codec(op) => codecs::run(subject, op, extent(options))?,
        kind => window::run(&subjects::named(subject)?, kind, runtime, extent(options))?,
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

/// Everything that was asked for, and the report on it.
fn measure(options: &Options) -> Result<(), Problem> {
    let workloads = workload::named(&options.words)?;
    let mut report = rounds::run(options, &workloads);
    counts::run(&mut report, &workloads, options);
    let rows = report.rows();
    table::print(&rows);
    goals::print(&report);
    report::write(&rows, &options.report)?;
    chart::write(&rows, Path::new(FOLDER))
}
