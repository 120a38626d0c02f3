//! The article's own client, in Python's standard library, against the same port.

use std::process::Stdio;

use tokio::process::Command;

use crate::AnyError;

const CLIENT: &str = include_str!("client.py");

/// Runs it and shows what it says; true if it agreed, or if there is no Python here.
pub(crate) async fn run(port: u16) -> Result<bool, AnyError> {
    let mut python = Command::new("python3");
    python
        .args(["-c", CLIENT, &port.to_string()])
        .stdin(Stdio::null());
    let Ok(output) = python.output().await else {
        println!("\n(no python3 here: its client was left out)");
        return Ok(true);
    };
    println!("\nPython's xmlrpc.client on the same port says:");
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        println!("  {line}");
    }
    if !output.status.success() {
        println!(
            "  {}",
            String::from_utf8_lossy(&output.stderr).replace('\n', "\n  ")
        );
    }
    Ok(output.status.success())
}
