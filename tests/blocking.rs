//! A handler that blocks its thread holds up no other call, if its method says so.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use farcall::{Encoding, Server, code};

#[farcall::service]
trait Works {
    /// Blocks until `go` is called: where both ran on one thread, that would never come.
    #[rpc(blocking)]
    async fn stop(&self, word: &str) -> String;
    async fn go(&self);
    #[rpc(blocking)]
    async fn fail(&self) -> u8;
    #[rpc(blocking)]
    async fn checked(&self, even: u8) -> Result<u8, Odd>;
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
#[error("it is odd")]
#[fault(code = 1)]
struct Odd;

struct Mill {
    go: Mutex<Sender<()>>,
    wait: Mutex<Receiver<()>>,
}

impl Works for Mill {
    async fn stop(&self, word: &str) -> String {
        // So that a server which lets it block the others fails, and does not hang.
        let patience = Duration::from_secs(20);
        self.wait.lock().unwrap().recv_timeout(patience).unwrap();
        word.to_owned()
    }
    async fn go(&self) {
        self.go.lock().unwrap().send(()).unwrap();
    }
    async fn fail(&self) -> u8 {
        panic!("on a thread of its own");
    }
    async fn checked(&self, even: u8) -> Result<u8, Odd> {
        if even.is_multiple_of(2) {
            Ok(even)
        } else {
            Err(Odd)
        }
    }
}

// One thread for everything but what blocks.
#[tokio::test(flavor = "current_thread")]
async fn a_handler_that_blocks_holds_up_no_other_call() {
    let (go, wait) = channel();
    let mill = Mill {
        go: Mutex::new(go),
        wait: Mutex::new(wait),
    };
    let server = Server::new().service(WorksServer::new(mill));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run());
    for encoding in Encoding::ALL {
        for transport in ["tcp", "http"] {
            let address = format!("{encoding}+{transport}://127.0.0.1:{port}");
            let works = WorksClient::connect(&address).await.unwrap();
            let (stopped, went) = tokio::join!(works.stop("whoa"), works.go());
            went.unwrap();
            assert_eq!(stopped.unwrap(), "whoa", "{address}");
            let failed = works.fail().await.unwrap_err();
            assert_eq!(
                failed.fault().unwrap().code,
                code::INTERNAL_ERROR,
                "{address}"
            );
            assert_eq!(works.checked(2).await.unwrap(), 2, "{address}");
            let odd = works.checked(3).await;
            assert!(matches!(odd, Err(farcall::Error::Fault(Odd))), "{address}");
        }
    }
}

#[farcall::service]
trait Line {
    /// Keeps its thread until it is let go.
    #[rpc(blocking)]
    async fn hold(&self);
    /// Counts how often it ran.
    #[rpc(blocking)]
    async fn count(&self) -> u32;
    async fn ping(&self);
}

struct Narrow {
    held: tokio::sync::mpsc::UnboundedSender<()>,
    go: Mutex<Receiver<()>>,
    ran: AtomicU32,
}

impl Line for Narrow {
    async fn hold(&self) {
        self.held.send(()).unwrap();
        let patience = Duration::from_secs(20);
        self.go.lock().unwrap().recv_timeout(patience).unwrap();
    }
    async fn count(&self) -> u32 {
        self.ran.fetch_add(1, Ordering::Relaxed) + 1
    }
    async fn ping(&self) {}
}

#[test]
fn a_call_whose_time_passes_before_a_thread_is_free_does_not_run() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (go, wait) = channel();
        let (held, mut holding) = tokio::sync::mpsc::unbounded_channel();
        let narrow = Narrow {
            held,
            go: Mutex::new(wait),
            ran: AtomicU32::new(0),
        };
        let server = Server::new().service(LineServer::new(narrow));
        let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
        let port = listening.local_addr().unwrap().port();
        tokio::spawn(listening.run());
        // Time passes when the test says so: the same time on both sides.
        tokio::time::pause();
        let mut ran = 0;
        for encoding in Encoding::ALL {
            for transport in ["tcp", "http"] {
                let address = format!("{encoding}+{transport}://127.0.0.1:{port}");
                let line = LineClient::connect(&address).await.unwrap();
                let other = line.clone();
                let hold = tokio::spawn(async move { other.hold().await });
                holding.recv().await.unwrap();
                let other = line.clone();
                let second = Duration::from_secs(1);
                let late = tokio::spawn(async move { other.count().timeout(second).await });
                line.ping().await.unwrap();
                tokio::time::advance(second + Duration::from_millis(5)).await;
                assert!(late.await.unwrap().unwrap_err().is_timeout(), "{address}");
                // By now the server has seen that its time passed.
                line.ping().await.unwrap();
                go.send(()).unwrap();
                hold.await.unwrap().unwrap();
                // It takes the thread after all that waited for it.
                ran += 1;
                assert_eq!(line.count().await.unwrap(), ran, "{address}");
            }
        }
    });
}
