//! A peer that sends and never reads: what is held for it is bounded, and it is let go in the end.

use std::time::Duration;

use farcall::{Limits, Server};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

#[farcall::service]
trait Echo {
    async fn echo(&self, text: &str) -> String;
}

struct Same;

impl Echo for Same {
    async fn echo(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_not_read_from_beyond_the_limit_and_closed_after_the_time() {
    let mut limits = Limits::default();
    limits.unsent_bytes = 256 * 1024;
    limits.write_time = Duration::from_secs(30);
    let (mut mine, theirs) = tokio::io::duplex(1024);
    let server = Server::new().service(EchoServer::new(Same)).limits(limits);
    let serving = tokio::spawn(server.serve_stream(theirs));

    let text = "x".repeat(32 * 1024);
    let request =
        format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{text}"],"id":1}}"#) + "\n";
    let started = Instant::now();
    let mut taken = 0;
    // 128 MiB, if all of it were taken.
    for _ in 0..4096 {
        if mine.write_all(request.as_bytes()).await.is_err() {
            break;
        }
        taken += request.len();
    }
    assert!(taken < 1024 * 1024, "{taken} bytes were taken from it");
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_secs(30) && waited < Duration::from_secs(35),
        "{waited:?}"
    );
    drop(mine);
    serving.await.unwrap().unwrap();
}
