//! Starts the browser.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::process::{Child, Command};

/// A browser with a page open; it ends when this is dropped, and its profile goes with it.
pub(crate) struct Browser {
    _child: Child,
    profile: PathBuf,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// Opens `url`, where a host named `*.example` is what listens at the IP address of its site. `None`, and
/// a word about it, if there is no browser; under `CI=true` that fails.
pub(crate) fn open(url: &str, site: IpAddr) -> Option<Browser> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let profile = format!("farcall-browser-{}-{count}", std::process::id());
    let profile = std::env::temp_dir().join(profile);
    let child = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-proxy-server",
            "--remote-debugging-port=0",
            // Names that are no one's on HTTPS are asked in clear at once.
            "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
        ])
        .arg(format!("--host-resolver-rules=MAP *.example {site}"))
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    match child {
        Ok(child) => Some(Browser {
            _child: child,
            profile,
        }),
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "chromium: {error}");
            // Past the test harness, which keeps what passing tests print.
            let words = format!("left out: chromium: {error} (scripts/test installs it)\n");
            std::io::stderr().write_all(words.as_bytes()).unwrap();
            None
        }
    }
}
