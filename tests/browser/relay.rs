//! What a browser sends to a server, passed on and kept, so that a test knows what came.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// Passes on all that comes to its port.
pub(crate) struct Relay {
    pub(crate) port: u16,
    came: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    /// One to the server at the port `behind`.
    pub(crate) async fn to(behind: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let came = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&came);
        tokio::spawn(async move {
            loop {
                let (io, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(io, behind, Arc::clone(&kept)));
            }
        });
        Self { port, came }
    }

    /// All that came, in lower case.
    pub(crate) fn came(&self) -> String {
        String::from_utf8_lossy(&self.came.lock().unwrap()).to_lowercase()
    }
}

async fn pass(io: TcpStream, behind: u16, kept: Arc<Mutex<Vec<u8>>>) {
    let server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
    let (mut from, mut to) = io.into_split();
    let (mut answers, mut requests) = server.into_split();
    let back = tokio::spawn(async move {
        let _ = copy(&mut answers, &mut to).await;
    });
    let mut piece = Vec::new();
    while matches!(from.read_buf(&mut piece).await, Ok(count) if count > 0) {
        kept.lock().unwrap().extend_from_slice(&piece);
        if requests.write_all(&piece).await.is_err() {
            break;
        }
        piece.clear();
    }
    drop(requests);
    let _ = back.await;
}
