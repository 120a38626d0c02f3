//! The other end of a connection vanishes without a word: whoever waits for it is told long before a
//! long deadline.

use std::time::Duration;

use farcall::{Encoding, Limits, Server};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

#[farcall::service]
trait Slow {
    async fn wait(&self);
}

struct Patient;

impl Slow for Patient {
    async fn wait(&self) {
        std::future::pending().await
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.silence_time = Duration::from_secs(8);
    limits.pong_time = Duration::from_secs(3);
    limits
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_server_that_vanished_fails_in_words() {
    // Nobody reads what is sent, or writes.
    let (mine, _theirs) = tokio::io::duplex(1024);
    let slow = SlowClient::new(farcall::over(mine, Encoding::Bincode, limits()));
    let start = Instant::now();
    let call = slow.wait().timeout(Duration::from_secs(3600));
    let words = call.await.unwrap_err().to_string();
    assert_eq!(start.elapsed().as_secs(), 11);
    assert!(
        words.contains("the other side is gone: nothing came for 8s"),
        "{words}"
    );
    assert!(slow.wait().await.is_err(), "the connection has ended");
}

#[tokio::test(start_paused = true)]
async fn a_server_ends_the_connection_of_a_client_that_vanished() {
    let (mut mine, theirs) = tokio::io::duplex(1024);
    let server = Server::new()
        .service(SlowServer::new(Patient))
        .limits(limits());
    let serving = tokio::spawn(server.serve_stream(theirs));
    let hello = [
        0xfc, 0x66, 0x61, 0x72, 1, 1, 1, 0, 0, 0, 0x40, 0, 0, 4, 0, 0,
    ];
    mine.write_all(&hello).await.unwrap();
    let mut request = vec![8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    request.extend(hash("wait").to_le_bytes());
    request.extend([0; 4]);
    mine.write_all(&request).await.unwrap();
    let start = Instant::now();
    serving.await.unwrap().unwrap();
    // It lingers for a second, for the sake of a client that reads slowly.
    assert!((11..=12).contains(&start.elapsed().as_secs()));
}

/// 32-bit FNV-1a.
fn hash(name: &str) -> u32 {
    let step = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, step)
}
