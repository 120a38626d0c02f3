//! The server's process, seen from outside.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::peer::Problem;

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) descriptors: usize,
    pub(super) resident: u64,
}

impl Held {
    pub(super) fn of(process: &str) -> Result<Self, Problem> {
        let folder = format!("/proc/{process}");
        let pages = std::fs::read_to_string(format!("{folder}/statm"))?;
        let pages: u64 = pages.split(' ').nth(1).ok_or("no pages")?.parse()?;
        Ok(Self {
            descriptors: std::fs::read_dir(format!("{folder}/fd"))?.count(),
            resident: pages * 4096,
        })
    }

    pub(super) fn mib(self) -> f64 {
        self.resident as f64 / (1024.0 * 1024.0)
    }
}

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    pub(super) port: u16,
}

impl Process {
    pub(super) fn start() -> Result<Self, Problem> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["soak", "serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
        Ok(Self {
            input: child.stdin.take(),
            port: line.trim().parse()?,
            child,
        })
    }

    pub(super) fn held(&self) -> Result<Held, Problem> {
        Held::of(&self.child.id().to_string())
    }

    /// What it holds once it holds no more descriptors than `before`, or after some seconds.
    pub(super) async fn settled(&self, before: Held) -> Result<Held, Problem> {
        let begun = Instant::now();
        loop {
            let held = self.held()?;
            let patient = begun.elapsed() < Duration::from_secs(20);
            if held.descriptors <= before.descriptors || !patient {
                return Ok(held);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input is the server's end.
        drop(self.input.take());
        self.child.wait().ok();
    }
}
