//! Drives a server that nobody here wrote, aria2 (<https://aria2.github.io>), with one trait over
//! both of its protocols: downloads a file, watches it, lists it and removes it.
//!
//! ```sh
//! cargo run --example aria2
//! ```
//!
//! Needs the program `aria2c` (the Debian package aria2). It is started on a free loopback port,
//! and so is the web server that has the file.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

/// The methods of aria2 that this needs; its manual has the others. Every call begins with
/// `token:` and the secret that aria2 was started with.
#[farcall::service(namespace = "aria2", rename_all = "camelCase")]
trait Aria2 {
    async fn get_version(&self, secret: &str) -> Version;
    /// Gives the download's gid, by which the others know it.
    async fn add_uri(
        &self,
        secret: &str,
        uris: &[String],
        options: Option<BTreeMap<String, String>>,
    ) -> String;
    async fn tell_status(&self, secret: &str, gid: &str) -> Download;
    async fn tell_stopped(&self, secret: &str, offset: i32, count: i32) -> Vec<Download>;
    async fn remove_download_result(&self, secret: &str, gid: &str) -> String;
}

/// aria2 sends more members than these; they are ignored. Numbers come as text.
#[derive(Debug, Deserialize, serde::Serialize)]
struct Download {
    gid: String,
    status: String,
    #[serde(rename = "completedLength")]
    completed: String,
    #[serde(rename = "totalLength")]
    total: String,
    #[serde(rename = "errorMessage")]
    error: Option<String>,
}

#[derive(Debug, Deserialize, serde::Serialize)]
struct Version {
    version: String,
}

const SECRET: &str = "token:open sesame";
const FILE: &[u8] = &[0xa5; 3_000_000];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("farcall-aria2-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = drive(&folder).await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn drive(folder: &Path) -> Result<(), Box<dyn Error>> {
    let file = serve_file().await?;
    let port = free_port().await?;
    let mut server = Command::new("aria2c")
        .args(["--no-conf", "--enable-rpc", "--rpc-secret=open sesame"])
        .arg(format!("--rpc-listen-port={port}"))
        .arg(format!("--dir={}", folder.display()))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("aria2c: {error}; install it: apt-get install aria2"))?;
    let mut outcome = Ok(());
    for address in [
        "json+http://127.0.0.1:PORT/jsonrpc",
        "xml+http://127.0.0.1:PORT/rpc",
    ] {
        let address = address.replace("PORT", &port.to_string());
        outcome = download(&address, &file, folder).await;
        if outcome.is_err() {
            break;
        }
    }
    server.kill().await?;
    outcome
}

/// All of a download's life, over one of aria2's protocols.
async fn download(address: &str, file: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let aria2 = Aria2Client::connect(address).await?;
    println!("{address}: aria2 {}", version(&aria2).await?.version);

    let name = "download";
    let options = BTreeMap::from([("out".to_owned(), name.to_owned())]);
    let gid = aria2
        .add_uri(SECRET, &[file.to_owned()], Some(options))
        .await?;
    let download = loop {
        let download = aria2.tell_status(SECRET, &gid).await?;
        println!(
            "  {gid}: {} of {}, {}",
            download.completed, download.total, download.status
        );
        match download.status.as_str() {
            "active" | "waiting" => tokio::time::sleep(Duration::from_millis(50)).await,
            _ => break download,
        }
    };
    if download.status != "complete" {
        return Err(format!("it ended with: {download:?}").into());
    }
    let path = folder.join(name);
    assert!(
        std::fs::read(&path)? == FILE,
        "{} is another file",
        path.display()
    );

    let stopped = aria2.tell_stopped(SECRET, 0, 10).await?;
    assert!(
        stopped.iter().any(|download| download.gid == gid),
        "{stopped:?}"
    );

    // One round trip: a JSON-RPC batch, or `system.multicall`. The second of the two removals
    // fails, alone.
    let (first, second, version) = aria2
        .batch((
            aria2.remove_download_result(SECRET, &gid),
            aria2.remove_download_result(SECRET, "0123456789abcdef"),
            aria2.get_version(SECRET),
        ))
        .await?;
    println!(
        "  removed: {}, {}",
        first?,
        second.err().ok_or("it was not there")?
    );
    version?;
    let stopped = aria2.tell_stopped(SECRET, 0, 10).await?;
    assert!(stopped.is_empty(), "{stopped:?}");
    std::fs::remove_file(path)?;
    Ok(())
}

/// The first call, as soon as aria2 listens.
async fn version(aria2: &Aria2Client) -> Result<Version, Box<dyn Error>> {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        match aria2.get_version(SECRET).await {
            Err(error) if error.is_retryable() && Instant::now() < patience => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// aria2 cannot be told to pick a port itself.
async fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(listener.local_addr()?.port())
}

/// Serves `FILE` to whoever asks; gives its address.
async fn serve_file() -> std::io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = format!("http://{}/file", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", FILE.len());
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(FILE).await;
        }
    });
    Ok(address)
}
