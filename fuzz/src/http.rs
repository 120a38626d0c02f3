//! HTTP, through the whole server.

use std::io::Write;
use std::time::Duration;

use farcall::Server;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::Builder;

use crate::memory::bounded;
use crate::service::{EverythingServer, Plain};
use crate::stream::cut;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A server takes whatever comes on one of its connections, HTTP or not.
pub fn http_server(bytes: &[u8]) {
    if let Some((length, bytes)) = cut(bytes) {
        bounded(bytes, || serve(bytes, length));
    }
}

/// Frames of a WebSocket that was opened as it should be. The first byte says what it carries.
pub fn web_socket(bytes: &[u8]) {
    let [choice, bytes @ ..] = bytes else { return };
    let protocol = match choice & 1 {
        0 => "jsonrpc",
        _ => "farcall.native",
    };
    let opening = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         Sec-WebSocket-Protocol: {protocol}\r\n\r\n"
    );
    let all = [opening.as_bytes(), bytes].concat();
    bounded(bytes, || serve(&all, 1 + usize::from(choice >> 1) * 16));
}

/// Bodies of requests that are right: of each type, compressed or not, in chunks or not.
pub fn http_bodies(bytes: &[u8]) {
    let [choice, bytes @ ..] = bytes else { return };
    let kind = [
        "application/json",
        "text/xml",
        "application/vnd.farcall.bincode",
        "application/vnd.farcall.stream",
    ][usize::from(choice & 3)];
    let (coding, body) = match choice >> 2 & 3 {
        0 => (
            "gzip",
            compressed(GzEncoder::new(Vec::new(), Compression::fast()), bytes),
        ),
        1 => (
            "deflate",
            compressed(ZlibEncoder::new(Vec::new(), Compression::fast()), bytes),
        ),
        // What says that it is compressed, and is not.
        2 => ("gzip", bytes.to_vec()),
        _ => ("identity", bytes.to_vec()),
    };
    let mut request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Encoding: {coding}\r\n"
    )
    .into_bytes();
    if choice & 16 == 0 {
        request.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
        request.extend(&body);
    } else {
        request.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        for chunk in body.chunks(1 + usize::from(choice >> 5) * 40) {
            request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            request.extend(chunk);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
    }
    // Inflated there may be a thousand times as much, up to `Limits::message_bytes`.
    serve(&request, request.len());
}

/// The encoders of flate2 share no trait by which they end.
fn compressed(mut encoder: impl Write + Finish, bytes: &[u8]) -> Vec<u8> {
    // Into memory, which does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish()
}

trait Finish {
    fn finish(self) -> Vec<u8>;
}

impl Finish for GzEncoder<Vec<u8>> {
    fn finish(self) -> Vec<u8> {
        self.finish().unwrap_or_default()
    }
}

impl Finish for ZlibEncoder<Vec<u8>> {
    fn finish(self) -> Vec<u8> {
        self.finish().unwrap_or_default()
    }
}

/// Sends `bytes` in pieces of `length`, and reads answers until the server closes. Time passes at
/// once where nobody has anything to do, so whatever waits runs into its limit.
fn serve(bytes: &[u8], length: usize) {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let Ok(runtime) = runtime else {
        panic!("no runtime")
    };
    runtime.block_on(async {
        let (mut mine, theirs) = duplex(64 * 1024);
        let server = Server::new().service(EverythingServer::new(Plain));
        let serving = tokio::spawn(server.serve_stream(theirs));
        let (mut reading, mut writing) = tokio::io::split(&mut mine);
        let talk = async {
            for piece in bytes.chunks(length) {
                if writing.write_all(piece).await.is_err() {
                    break;
                }
            }
            let _ = writing.shutdown().await;
        };
        let listen = async {
            let mut answers = [0; 4096];
            while let Ok(1..) = reading.read(&mut answers).await {}
        };
        // A call of `never` that says no deadline is waited for as long as anybody likes.
        let _ = tokio::time::timeout(DAY, async { tokio::join!(talk, listen) }).await;
        drop(mine);
        if let Ok(Err(error)) = tokio::time::timeout(DAY, serving).await {
            panic!("{error}");
        }
    });
}
