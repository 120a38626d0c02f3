//! A handler that blocks its thread holds up no other call, if its method says so.

use std::sync::Mutex;
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
