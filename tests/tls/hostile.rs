//! Those who take their time with a handshake, or break it off.

use std::time::Duration;

use farcall::{ClientTls, Limits, Server, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::certificates::Ca;
use super::service::{EchoClient, EchoServer, Parrot, serve_tls};

/// How a client's handshake begins, as far as a server waits for more.
const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

#[tokio::test(start_paused = true)]
async fn a_handshake_has_ten_seconds_however_it_comes() {
    let pair = Ca::new("the CA").server(&["localhost"]);
    let tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();
    // At once and then silence, or a byte every now and then.
    for step in [HELLO.len(), 1] {
        let (mut mine, theirs) = tokio::io::duplex(1024);
        let server = Server::new()
            .service(EchoServer::new(Parrot::default()))
            .tls(tls.clone())
            .tls_beside_plain();
        let serving = tokio::spawn(server.serve_stream(theirs));
        let started = Instant::now();
        let dripping = async {
            for piece in HELLO.chunks(step).cycle() {
                if mine.write_all(piece).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(900)).await;
                if step > 1 {
                    let _ = mine.read_to_end(&mut Vec::new()).await;
                    break;
                }
            }
        };
        dripping.await;
        serving.await.unwrap().unwrap();
        let waited = started.elapsed();
        let most = Duration::from_secs(12);
        assert!(
            Duration::from_secs(10) <= waited && waited < most,
            "{waited:?}"
        );
    }
}

#[tokio::test]
async fn good_calls_go_on_beside_many_that_are_silent() {
    let ca = Ca::new("the CA");
    let serving = serve_tls(&ca.server(&["localhost"])).await;
    let mut silent = Vec::new();
    for n in 0..200 {
        let mut io = TcpStream::connect(("127.0.0.1", serving.port))
            .await
            .unwrap();
        let start = HELLO.get(..n % HELLO.len()).unwrap();
        io.write_all(start).await.unwrap();
        silent.push(io);
    }
    let tls = ClientTls::new().ca_pem(ca.pem()).unwrap();
    for _ in 0..20 {
        let address = format!("tls://localhost:{}", serving.port);
        let address = address.parse().unwrap();
        let channel = farcall::connect_with_tls(&address, Limits::default(), &tls).await;
        let client = EchoClient::new(channel.unwrap());
        let call = client.echo("hello").timeout(Duration::from_secs(5));
        assert_eq!(call.await.unwrap(), "hello");
    }
    drop(silent);
}

#[tokio::test]
async fn what_breaks_off_or_is_no_handshake_is_answered_by_an_alert_or_an_end() {
    let ca = Ca::new("the CA");
    let serving = serve_tls(&ca.server(&["localhost"])).await;
    for bytes in [
        HELLO.to_vec(),
        [HELLO, &[0xff; 600]].concat(),
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00".to_vec(),
        b"\x16\x03\x01\xff\xff".to_vec(),
        vec![0x16; 70_000],
    ] {
        let mut io = TcpStream::connect(("127.0.0.1", serving.port))
            .await
            .unwrap();
        // It may close before it has read all.
        let _ = io.write_all(&bytes).await;
        let _ = io.shutdown().await;
        let mut answer = Vec::new();
        let _ = io.read_to_end(&mut answer).await;
        assert!(matches!(answer.first(), None | Some(0x15)), "{answer:?}");
    }
    assert_eq!(serving.parrot.calls(), 0);
}
