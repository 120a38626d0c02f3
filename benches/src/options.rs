//! The command line.

use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::peer::Problem;

/// What is said when it is asked for, or when an argument makes no sense.
pub(crate) const USAGE: &str = "\
farcall beside its limits and its peers

cargo run --release -p farcall-bench -- [OPTION…] [WORKLOAD…]
    --runtime current|multi|both   tokio's runtime on both sides (current: one CPU for both)
    --rounds N                     how often each window is measured (5)
    --subjects A,B                 those whose names begin so
    --quick                        short windows, 2 rounds
    --report FILE                  where it goes (target/bench/report.json)
    --instructions                 also counts instructions with valgrind
    --syscalls                     also counts system calls with strace
cargo run --release -p farcall-bench -- [--within PERCENT] --compare OLD.json NEW.json
    fails if allocations a call rose, or instructions by more than so much (5)
cargo run --release -p farcall-bench --no-default-features -- allocations
    fails if farcall's calls allocate more than benches/allocations.json says
cargo run --release -p farcall-bench --no-default-features -- instructions
    fails if they take more instructions than benches/instructions.json says; needs valgrind.
    With --write either writes its list anew
cargo run --release -p farcall-bench --no-default-features -- floods
    makes good calls beside connections that are slow or idle, and tells what those cost (a minute)
cargo run --release -p farcall-bench -- --runtime multi --count N tokens
    makes N echoes (1000000) in bincode and N in JSON, gives up some of them; fails if one is
    answered with the reply of another
cargo run --release -p farcall-bench --no-default-features -- [--minutes N] soak
    calls over every protocol for so long (10), beside connections that are cut, stalled and reset, and
    strangers that send nonsense; fails if a call ends as it must not, or something is left

A workload is named by the beginning of its name.";

/// tokio's runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    Current,
    Multi,
}

impl Runtime {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Multi => "multi",
        }
    }

    fn named(name: &str) -> Result<Self, String> {
        match name {
            "current" => Ok(Self::Current),
            "multi" => Ok(Self::Multi),
            _ => Err(format!(
                "`{name}` is no runtime; there are current and multi"
            )),
        }
    }

    /// A new one.
    pub(crate) fn build(self) -> std::io::Result<tokio::runtime::Runtime> {
        match self {
            Self::Current => tokio::runtime::Builder::new_current_thread(),
            Self::Multi => tokio::runtime::Builder::new_multi_thread(),
        }
        .enable_all()
        .build()
    }

    /// Puts this process, and those that it starts, on one CPU if the runtime has one thread:
    /// waking another CPU costs more than most calls, and as it pleases.
    pub(crate) fn pin(self) -> Result<(), Problem> {
        if self == Self::Multi {
            return Ok(());
        }
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let mut cpus = 0..CpuSet::count();
        let last = cpus.rfind(|cpu| allowed.is_set(*cpu).unwrap_or(false));
        let mut one = CpuSet::new();
        one.set(last.ok_or("no CPU to run on")?)?;
        Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
    }
}

/// What to do.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) words: Vec<String>,
    pub(crate) runtimes: Vec<Runtime>,
    pub(crate) rounds: usize,
    pub(crate) subjects: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) write: bool,
    pub(crate) instructions: bool,
    pub(crate) syscalls: bool,
    pub(crate) calls: Option<u64>,
    pub(crate) count: u64,
    pub(crate) minutes: f64,
    pub(crate) report: PathBuf,
    pub(crate) compare: Option<(PathBuf, PathBuf)>,
    pub(crate) within: f64,
    pub(crate) help: bool,
}

impl Options {
    /// Whether this subject is to be measured.
    pub(crate) fn asks_for(&self, subject: &str) -> bool {
        self.subjects.is_empty()
            || self
                .subjects
                .iter()
                .any(|asked| subject.starts_with(asked.as_str()))
    }
}

/// Reads the command line.
pub(crate) fn read() -> Result<Options, Problem> {
    let mut options = Options {
        words: Vec::new(),
        runtimes: vec![Runtime::Current],
        rounds: 5,
        subjects: Vec::new(),
        quick: false,
        write: false,
        instructions: false,
        syscalls: false,
        calls: None,
        count: 1_000_000,
        minutes: 10.0,
        report: Path::new(crate::FOLDER).join("report.json"),
        compare: None,
        within: 5.0,
        help: false,
    };
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("runtime") => {
                let name = parser.value()?.string()?;
                options.runtimes = match name.as_str() {
                    "both" => vec![Runtime::Current, Runtime::Multi],
                    one => vec![Runtime::named(one)?],
                };
            }
            Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
            Arg::Long("subjects") => {
                let names = parser.value()?.string()?;
                options.subjects = names.split(',').map(str::to_owned).collect();
            }
            Arg::Long("quick") => {
                options.quick = true;
                options.rounds = 2;
            }
            Arg::Long("write") => options.write = true,
            Arg::Long("instructions") => options.instructions = true,
            Arg::Long("syscalls") => options.syscalls = true,
            Arg::Long("calls") => options.calls = Some(parser.value()?.parse()?),
            Arg::Long("count") => options.count = parser.value()?.parse()?,
            Arg::Long("minutes") => options.minutes = parser.value()?.parse()?,
            Arg::Long("report") => options.report = parser.value()?.into(),
            Arg::Long("compare") => {
                let old = PathBuf::from(parser.value()?);
                options.compare = Some((old, PathBuf::from(parser.value()?)));
            }
            Arg::Long("within") => options.within = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => options.help = true,
            Arg::Value(word) => options.words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}
