//! Servers end, and others take their ports over, under a steady load: no call is lost, and none runs
//! that was said not to have run.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::{Error, Report, Retry, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often each call ran.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<HashMap<u32, u32>>>);

#[farcall::service]
trait Work {
    async fn work(&self, id: u32) -> u32;
}

impl Work for Journal {
    async fn work(&self, id: u32) -> u32 {
        *self.0.lock().unwrap().entry(id).or_default() += 1;
        // Some are under way at any time.
        tokio::time::sleep(Duration::from_millis(u64::from(id % 7))).await;
        id
    }
}

impl Journal {
    fn runs(&self, id: u32) -> u32 {
        self.0.lock().unwrap().get(&id).copied().unwrap_or_default()
    }

    fn server(&self) -> Server {
        Server::new().service(WorkServer::new(self.clone()))
    }
}

struct Running {
    end: oneshot::Sender<()>,
    report: JoinHandle<Report>,
}

fn run(listening: farcall::Listening) -> Running {
    let (end, ended) = oneshot::channel::<()>();
    let report = tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    Running { end, report }
}

impl Running {
    /// Ends it; in time, and without force.
    async fn end(self) {
        let begun = Instant::now();
        drop(self.end);
        assert!(!self.report.await.unwrap().forced);
        // Far less than the grace of 30 s: nothing hangs. (A second is for those who do not close.)
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

/// How the call of each id ended, and which way it went.
type Outcomes = Vec<(u32, &'static str, Result<u32, Error>)>;

/// Callers that go on until they are told to stop, together about a thousand calls a second.
struct Load {
    stop: Arc<AtomicBool>,
    ids: Arc<AtomicU32>,
    callers: Vec<JoinHandle<Outcomes>>,
}

const WAYS: [&str; 6] = [
    "bincode+tcp",
    "json+tcp",
    "xml+tcp",
    "json+ws",
    "json+http",
    "bincode+http2",
];

impl Load {
    async fn start(port: u16, retry: &Retry) -> Self {
        let load = Self {
            stop: Arc::default(),
            ids: Arc::default(),
            callers: Vec::new(),
        };
        let mut callers = Vec::new();
        for way in WAYS {
            let address = match way.strip_suffix("http2") {
                Some(codec) => format!("{codec}http://127.0.0.1:{port}/?version=2"),
                None => format!("{way}://127.0.0.1:{port}"),
            };
            let channel = farcall::connect(&address)
                .retry(retry.clone())
                .await
                .unwrap();
            for _ in 0..2 {
                let client = WorkClient::new(channel.clone());
                let (stop, ids) = (Arc::clone(&load.stop), Arc::clone(&load.ids));
                callers.push(tokio::spawn(async move {
                    let mut outcomes = Vec::new();
                    while !stop.load(Ordering::SeqCst) {
                        let id = ids.fetch_add(1, Ordering::SeqCst);
                        outcomes.push((id, way, client.work(id).await));
                        tokio::time::sleep(Duration::from_millis(6)).await;
                    }
                    outcomes
                }));
            }
        }
        Self { callers, ..load }
    }

    async fn stop(self) -> Outcomes {
        self.stop.store(true, Ordering::SeqCst);
        let mut outcomes = Vec::new();
        for caller in self.callers {
            outcomes.extend(caller.await.unwrap());
        }
        outcomes
    }

    /// Waits until so many more calls were made.
    async fn goes_on(&self, calls: u32) {
        let until = self.ids.load(Ordering::SeqCst) + calls;
        while self.ids.load(Ordering::SeqCst) < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_loses_no_call() {
    for round in 0..8 {
        let journal = Journal::default();
        let listening = journal.server().listen("tcp://127.0.0.1:0").await.unwrap();
        let port = listening.local_addr().unwrap().port();
        let server = run(listening);
        let load = Load::start(port, &Retry::never()).await;
        // Not at the same moment each time.
        load.goes_on(100 + round * 13).await;
        server.end().await;
        load.goes_on(50).await;
        let outcomes = load.stop().await;
        assert!(outcomes.iter().any(|(.., outcome)| outcome.is_err()));
        for (id, way, outcome) in outcomes {
            let runs = journal.runs(id);
            match outcome {
                Ok(answer) => assert_eq!((answer, runs), (id, 1)),
                Err(error) => {
                    assert!(error.is_retryable(), "lost: {way}: {error}; {runs} runs");
                    assert_eq!(runs, 0, "{error}");
                }
            }
        }
    }
}

#[tokio::test]
async fn whoever_is_told_that_a_server_ends_finds_its_port_closed() {
    // So many that they do not all close in one turn of the runtime.
    const PORTS: usize = 200;

    for _ in 0..10 {
        let server = Journal::default().server();
        let mut listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
        let address = listening.local_addr().unwrap();
        for _ in 1..PORTS {
            listening = listening.listen("tcp://127.0.0.1:0").await.unwrap();
        }
        let server = run(listening);
        let mut io = TcpStream::connect(address).await.unwrap();
        let call = b"{\"jsonrpc\":\"2.0\",\"method\":\"work\",\"params\":[7],\"id\":1}\n";
        io.write_all(call).await.unwrap();
        let mut said = [0; 1024];
        let answer = io.read(&mut said).await.unwrap();
        assert!(said[..answer].ends_with(b"\"result\":7,\"id\":1}\n"));
        let told = async {
            assert!(io.read(&mut said).await.unwrap() > 0);
            let again = TcpStream::connect(address).await;
            assert_eq!(again.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            drop(io);
        };
        tokio::join!(told, server.end());
    }
}

/// One server after the other, each with the load on it; the next is there before the one before it ends.
async fn handed_over(mut next: impl AsyncFnMut(&Journal) -> farcall::Listening) {
    let journal = Journal::default();
    let listening = next(&journal).await;
    let port = listening.local_addr().unwrap().port();
    let mut server = run(listening);
    let load = Load::start(port, &Retry::default()).await;
    for round in 0..6 {
        load.goes_on(100 + round * 13).await;
        let successor = run(next(&journal).await);
        std::mem::replace(&mut server, successor).end().await;
    }
    load.goes_on(100).await;
    let outcomes = load.stop().await;
    server.end().await;
    for (id, way, outcome) in outcomes {
        assert_eq!(outcome.unwrap(), id, "{way}");
        assert_eq!(journal.runs(id), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_is_handed_on_without_a_failed_call() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    handed_over(async |journal: &Journal| {
        let inherited = listener.try_clone().unwrap();
        journal.server().listen_on(inherited).unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_is_taken_over_without_a_failed_call() {
    let port = AtomicU32::new(0);
    handed_over(async |journal: &Journal| {
        let address = format!("tcp://127.0.0.1:{}", port.load(Ordering::SeqCst));
        let listening = journal
            .server()
            .share_port()
            .listen(&address)
            .await
            .unwrap();
        let bound = listening.local_addr().unwrap().port();
        port.store(u32::from(bound), Ordering::SeqCst);
        listening
    })
    .await;
}
