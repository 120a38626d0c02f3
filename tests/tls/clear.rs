//! What is in clear and what is encrypted meet, and nothing is said in clear that should not be.

use farcall::{Server, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::certificates::{Ca, Folder};
use super::service::{EchoClient, serve, serve_tls};

/// Sends bytes to a port; what came back until it closed.
async fn said(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut io = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    io.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    answer
}

const HTTP: &[u8] = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                      Content-Length: 61\r\n\r\n\
                      {\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[\"clear\"],\"id\":1}\n";
const JSON: &[u8] = b"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[\"clear\"],\"id\":1}\n";

#[tokio::test]
async fn a_port_for_tls_tells_those_in_clear_so_and_runs_nothing() {
    let serving = serve_tls(&Ca::new("the CA").server(&["localhost"])).await;
    for (bytes, starts) in [
        (HTTP, "HTTP/1.1 400 "),
        (JSON, "{\"jsonrpc\":\"2.0\",\"error\":"),
        (&b"hello?\n"[..], "farcall: "),
        (
            b"\xfcfarcall?????????????????????????????????",
            "\u{fffd}far",
        ),
        // Empty settings, and a GOAWAY.
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            "\0\0\0\x04\0\0\0\0\0\0\0",
        ),
    ] {
        let answer = said(serving.port, bytes).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(starts), "{answer}");
        assert!(answer.contains("this port speaks TLS only"), "{answer}");
    }
    for way in [
        "bincode+tcp",
        "json+tcp",
        "json+http",
        "xml+http",
        "bincode+http2",
    ] {
        let address = match way.strip_suffix("http2") {
            Some(encoding) => format!("{encoding}http://127.0.0.1:{}/?version=2", serving.port),
            None => format!("{way}://127.0.0.1:{}", serving.port),
        };
        let error = called(&address).await.unwrap_err();
        assert!(
            error.contains("this port speaks TLS only"),
            "{way}: {error}"
        );
    }
    assert_eq!(serving.parrot.calls(), 0);
}

#[tokio::test]
async fn a_port_in_clear_speaks_no_tls_unless_it_is_asked_to() {
    let ca = Ca::new("the CA");
    let folder = Folder::new();
    let ca_file = folder.write("ca.pem", &ca.pem());
    let pair = ca.server(&["localhost"]);
    let tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();

    let clear = serve("tcp://127.0.0.1:0", |server| server.tls(tls.clone())).await;
    let both = serve("tcp://127.0.0.1:0", |server| {
        server.tls(tls).tls_beside_plain()
    })
    .await;
    for scheme in ["tls", "https"] {
        let refused = address(scheme, clear.port, &ca_file);
        let error = called(&refused).await.unwrap_err();
        assert!(error.contains("speaks no TLS there"), "{refused}: {error}");
        assert_eq!(called(&address(scheme, both.port, &ca_file)).await, Ok(()));
    }
    assert_eq!(said(clear.port, b"\x16\x03\x01\x00\x05").await[0], 0x15);
    assert_eq!(
        called(&format!("tcp://localhost:{}", both.port)).await,
        Ok(())
    );
    assert_eq!(clear.parrot.calls(), 0);
}

fn address(scheme: &str, port: u16, ca_file: &str) -> String {
    format!("{scheme}://localhost:{port}?ca={ca_file}")
}

async fn called(address: &str) -> Result<(), String> {
    let told = |error: farcall::Error| error.to_string();
    // What comes of one attempt.
    let channel = farcall::connect(address).once().await.map_err(told)?;
    let client = EchoClient::new(channel);
    client.echo("hello").await.map(drop).map_err(told)
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_gets_nothing_in_clear() {
    for (answer, why) in [
        (&b""[..], "hung up"),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n",
            "does not speak TLS",
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"result\":\"hello\",\"id\":1}\n",
            "does not speak TLS",
        ),
        (b"\x15\x03\x01\x00\x02\x02\x46", "speaks no TLS there"),
    ] {
        for scheme in ["tls", "json+tls", "https", "xml+https"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = tokio::spawn(async move {
                let mut received = Vec::new();
                let (mut io, _) = listener.accept().await.unwrap();
                let _ = io.read_buf(&mut received).await;
                let _ = io.write_all(answer).await;
                let _ = io.shutdown().await;
                let _ = io.read_to_end(&mut received).await;
                received
            });
            let folder = Folder::new();
            let ca_file = folder.write("ca.pem", &Ca::new("the CA").pem());
            let error = called(&address(scheme, port, &ca_file)).await.unwrap_err();
            assert!(error.contains(why), "{scheme}: {error}");
            let received = server.await.unwrap();
            assert_eq!(received[0], 0x16, "a TLS handshake");
            let text = String::from_utf8_lossy(&received);
            assert!(!text.contains("hello") && !text.contains("HTTP"), "{text}");
        }
    }
}

#[tokio::test]
async fn an_address_for_tls_needs_a_certificate() {
    for address in ["tls://127.0.0.1:0", "https://127.0.0.1:0"] {
        let error = Server::new().listen(address).await.unwrap_err().to_string();
        assert!(error.contains("`Server::tls`, or cert=FILE"), "{error}");
    }
    let error = Server::new().listen("tls://127.0.0.1:0?ca=/ca.pem").await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("needs `cert` and `key`"), "{error}");
}
