//! A server that has no descriptor left for another connection. It is a process of its own: this test,
//! started anew.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use farcall::Server;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::service::{ADD, Counting, TEN, TargetServer};

const ROLE: &str = "FARCALL_TEST_FEW_DESCRIPTORS";
const FEW: u64 = 40;

/// The process that serves, if this is it.
async fn serve() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, FEW, hard).unwrap();
    let server = Server::new().service(TargetServer::new(Counting::default()));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "\nat {address}").unwrap();
    out.flush().unwrap();
    listening.run().await;
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// How long it has computed, in clock ticks (hundredths of a second).
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        // Behind the name, which may have anything in it: the state, ten numbers, and the two.
        let numbers = stat.rsplit_once(')').unwrap().1.split_whitespace();
        let times = numbers.skip(11).take(2);
        times.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }
}

async fn call(io: &mut TcpStream) -> std::io::Result<String> {
    io.write_all(format!("{ADD}\n").as_bytes()).await?;
    let mut answer = [0; TEN.len()];
    io.read_exact(&mut answer).await?;
    io.read_u8().await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_server_without_descriptors_does_not_spin_serves_whom_it_has_and_recovers() {
    if std::env::var_os(ROLE).is_some() {
        return serve().await;
    }
    if !cfg!(target_os = "linux") {
        return;
    }
    let name =
        "descriptors::a_server_without_descriptors_does_not_spin_serves_whom_it_has_and_recovers";
    let child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn();
    let mut process = Process(child.unwrap());
    let out = BufReader::new(process.0.stdout.take().unwrap());
    let mut lines = out.lines().map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("at ").map(str::to_owned));
    let address: SocketAddr = address.unwrap().parse().unwrap();

    let mut first = TcpStream::connect(address).await.unwrap();
    assert_eq!(call(&mut first).await.unwrap(), TEN);
    let mut many = Vec::new();
    for _ in 0..200 {
        many.push(TcpStream::connect(address).await.unwrap());
    }
    // It is out of descriptors now, and others wait.
    let (before, began) = (process.ticks(), Instant::now());
    while began.elapsed() < Duration::from_secs(3) {
        assert_eq!(call(&mut first).await.unwrap(), TEN);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let computed = process.ticks() - before;
    assert!(computed < 30, "{computed} hundredths of a second of three");
    // The last of them is not answered yet.
    let last = many.last_mut().unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(100), call(last)).await;
    assert!(waits.is_err(), "there were descriptors left");

    let mut last = many.pop().unwrap();
    many.clear();
    let began = Instant::now();
    let mut answer = [0; TEN.len()];
    let answered = tokio::time::timeout(Duration::from_secs(20), last.read_exact(&mut answer));
    answered.await.expect("it takes connections again").unwrap();
    assert_eq!(answer, TEN.as_bytes());
    // A second at most until it tries again, and some more on a busy machine.
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let mut another = TcpStream::connect(address).await.unwrap();
    assert_eq!(call(&mut another).await.unwrap(), TEN);
}
