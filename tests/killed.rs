//! A server is killed with thousands of calls under way, and comes back: each call ends once, in time,
//! and with the truth. What ran is in a table that outlives it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use farcall::{Address, Error, Limits, Server};
use rusqlite::Connection;

/// Whose presence makes a server of this program: the table's file, the port, and whether calls wait
/// for ever.
const SERVE: &str = "FARCALL_TEST_KILLED";
const PATIENCE: Duration = Duration::from_secs(20);

#[farcall::service]
trait Work {
    async fn plain(&self, id: u32) -> u32;
    #[rpc(idempotent)]
    async fn harmless(&self, id: u32) -> u32;
}

/// Writes down each run before anything else.
struct Worker {
    table: Mutex<Connection>,
    waits: bool,
}

impl Worker {
    fn begin(&self, id: u32) {
        let table = self.table.lock().unwrap();
        let insert = "INSERT INTO runs VALUES (?1)";
        table.execute(insert, [id]).unwrap();
    }
}

impl Work for Worker {
    async fn plain(&self, id: u32) -> u32 {
        self.begin(id);
        if self.waits {
            std::future::pending::<()>().await;
        }
        id
    }

    async fn harmless(&self, id: u32) -> u32 {
        self.plain(id).await
    }
}

/// What is written survives the process, if not the machine.
fn table(file: &Path) -> Connection {
    let table = Connection::open(file).unwrap();
    table.busy_timeout(Duration::from_secs(10)).unwrap();
    let setup = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
                 CREATE TABLE IF NOT EXISTS runs (id INTEGER);
                 CREATE INDEX IF NOT EXISTS by_id ON runs (id);";
    table.execute_batch(setup).unwrap();
    table
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.calls_per_connection = 20_000;
    limits
}

/// The server, in a process of its own; does nothing where it is not told to.
#[tokio::test]
async fn serves_if_it_is_told_to() {
    let Ok(told) = std::env::var(SERVE) else {
        return;
    };
    let mut told = told.split('|');
    let mut next = || told.next().unwrap();
    let (file, port, waits) = (next(), next(), next() == "waits");
    let worker = Worker {
        table: Mutex::new(table(Path::new(file))),
        waits,
    };
    let server = Server::new()
        .limits(limits())
        .service(WorkServer::new(worker));
    let listening = server.listen(&format!("tcp://127.0.0.1:{port}")).await;
    listening.unwrap().run().await;
}

/// The server's process. Killed with this.
struct Process(Child);

impl Process {
    fn start(file: &Path, port: u16, how: &str) -> Self {
        let told = format!("{}|{port}|{how}", file.display());
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "serves_if_it_is_told_to"])
            .env(SERVE, told)
            .stdout(std::process::Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("farcall-killed-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

fn runs(table: &Connection, of: &str, id: u32) -> u32 {
    let count = format!("SELECT count(*) FROM runs WHERE {of}");
    table.query_row(&count, [id], |row| row.get(0)).unwrap()
}

/// An error that says that nothing ran is right.
fn honest(error: &Error, runs: u32) {
    if error.is_retryable() || !error.was_sent() {
        assert_eq!(runs, 0, "{error}");
    }
}

/// Kills the server when half of so many calls have begun, and starts it again.
async fn kill(name: &str, way: &str, calls: u32) {
    let folder = Folder::new(name);
    let file = folder.0.join("runs.sqlite");
    let table = table(&file);
    let port = free_port();
    let address: Address = way.replace("PORT", &port.to_string()).parse().unwrap();
    let first = Process::start(&file, port, "waits");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let channel = farcall::connect_with(&address, limits()).await.unwrap();
    let client = WorkClient::new(channel);
    let made: Vec<_> = (0..calls)
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move {
                let begun = Instant::now();
                let outcome = match id % 2 {
                    0 => client.plain(id).timeout(PATIENCE).await,
                    _ => client.harmless(id).timeout(PATIENCE).await,
                };
                (begun.elapsed(), outcome)
            })
        })
        .collect();
    while runs(&table, "?1 = 0", 0) < calls / 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(first);
    let _second = Process::start(&file, port, "answers");

    let (mut answered, mut lost) = (0, 0);
    let mut outcomes = Vec::new();
    for call in made {
        outcomes.push(call.await.unwrap());
    }
    for (id, (took, outcome)) in (0..).zip(outcomes) {
        // The machine may be busy; that it is an outcome in time and not a hang is what counts.
        assert!(took < PATIENCE + Duration::from_secs(5), "{took:?}");
        let runs = runs(&table, "id = ?1", id);
        let most = if id % 2 == 0 { 1 } else { 4 };
        assert!(runs <= most, "{way}: {id} ran {runs} times, {outcome:?}");
        match outcome {
            Ok(answer) => {
                assert_eq!(answer, id);
                assert!(runs > 0);
                answered += 1;
            }
            Err(error) => {
                honest(&error, runs);
                lost += 1;
            }
        }
    }
    assert!(answered > 0, "some idempotent calls are made again");
    assert!(lost > 0, "the plain ones that ran are not");
    let answer = client.plain(calls).timeout(PATIENCE).await;
    assert_eq!(answer.unwrap(), calls, "the client is connected again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_over_tcp_in_bincode() {
    kill("bincode", "bincode+tcp://127.0.0.1:PORT", 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_over_tcp_in_json() {
    kill("json", "json+tcp://127.0.0.1:PORT", 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_over_http2() {
    kill("http2", "json+http://127.0.0.1:PORT/?version=2", 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_over_http1() {
    kill("http1", "xml+http://127.0.0.1:PORT/", 200).await;
}
