//! The server's process: this program again, or Python.
//!
//! It writes its port as its first line. To each line it is sent it answers with a line of
//! [`Usage`]; when there are no more, it ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::options::Runtime;
use crate::peer::Problem;
use crate::subjects::{Host, Subject};
use crate::usage::Usage;

/// A running server, as its client sees it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) port: u16,
}

impl Server {
    /// Starts the server of `subject`.
    pub(crate) fn start(subject: &Subject, runtime: Runtime) -> Result<Self, Problem> {
        let mut command = match subject.host {
            Host::Here(_) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["serve", subject.name, "--runtime", runtime.name()]);
                command
            }
            Host::Python(script) => {
                let mut command = Command::new("python3");
                command.args(["-c", script]);
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = child.stdout.take().ok_or("no pipe")?;
        let mut server = Self {
            asks: child.stdin.take(),
            answers: BufReader::new(answers),
            child,
            port: 0,
        };
        server.port = server.line()?.trim().parse()?;
        Ok(server)
    }

    /// What the server used until now.
    pub(crate) fn usage(&mut self) -> Result<Usage, Problem> {
        self.asks.as_mut().ok_or("no pipe")?.write_all(b"usage\n")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> Result<String, Problem> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the server ended early".into());
        }
        Ok(line)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the server's end. It may be gone already.
        drop(self.asks.take());
        self.child.wait().ok();
    }
}

/// Serves `subject` until the input ends.
pub(crate) fn run(subject: &Subject, runtime: Runtime) -> Result<(), Problem> {
    let Host::Here(serve) = subject.host else {
        return Err("its server is another program".into());
    };
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines() {
            let Ok(usage) = Usage::now() else { break };
            println!("{}", serde_json::to_string(&usage).unwrap_or_default());
        }
        std::process::exit(0);
    });
    runtime.build()?.block_on(async {
        println!("{}", serve().await?);
        std::future::pending().await
    })
}
