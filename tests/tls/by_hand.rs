//! Clients whose handshake is made by hand, with rustls alone.

use std::sync::Arc;
use std::time::Duration;

use farcall::rustls::crypto::ring;
use farcall::rustls::pki_types::pem::PemObject;
use farcall::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use farcall::rustls::{ClientConfig, HandshakeKind, RootCertStore};
use farcall::{Encoding, Limits, Server, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::certificates::{Ca, Pair};
use super::service::{EchoClient, EchoServer, Parrot, serve};

/// A configuration of rustls' own for a client who shows `pair` and trusts `ca`.
pub(crate) fn showing(pair: &Pair, ca: &Ca) -> ClientConfig {
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate(&ca.pem())).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate(&pair.cert)], key)
        .unwrap()
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

const CALL: &[u8] = b"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[\"hello\"],\"id\":1}\n";

#[tokio::test]
async fn who_is_asked_for_a_certificate_shows_it_in_every_connection() {
    let ca = Ca::new("the CA");
    let (pair, ada) = (ca.server(&["localhost"]), ca.client("ada.example"));
    for asked in [false, true] {
        let mut tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();
        if asked {
            tls = tls.client_ca_pem(ca.pem()).unwrap();
        }
        let serving = serve("tls://127.0.0.1:0", |server| server.tls(tls)).await;
        let connector = TlsConnector::from(Arc::new(showing(&ada, &ca)));
        let mut kinds = Vec::new();
        for _ in 0..3 {
            let io = TcpStream::connect(("127.0.0.1", serving.port))
                .await
                .unwrap();
            let mut io = connector.connect(localhost(), io).await.unwrap();
            kinds.push(io.get_ref().1.handshake_kind());
            io.write_all(CALL).await.unwrap();
            io.read_buf(&mut Vec::new()).await.unwrap();
        }
        let resumed = kinds.contains(&Some(HandshakeKind::Resumed));
        assert_eq!(resumed, !asked, "{kinds:?}");
    }
}

#[tokio::test]
async fn what_was_asked_before_half_of_it_closed_is_answered() {
    let ca = Ca::new("the CA");
    let (pair, ada) = (ca.server(&["localhost"]), ca.client("ada.example"));
    let tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();
    let serving = serve("tls://127.0.0.1:0", |server| server.tls(tls)).await;
    let io = TcpStream::connect(("127.0.0.1", serving.port))
        .await
        .unwrap();
    let connector = TlsConnector::from(Arc::new(showing(&ada, &ca)));
    let mut io = connector.connect(localhost(), io).await.unwrap();
    io.write_all(CALL).await.unwrap();
    // With close_notify, and the end of the connection's one half.
    io.shutdown().await.unwrap();
    let mut answer = String::new();
    // An error if it ends without the server's close_notify.
    io.read_to_string(&mut answer).await.unwrap();
    assert_eq!(
        answer,
        "{\"jsonrpc\":\"2.0\",\"result\":\"hello\",\"id\":1}\n"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_get_through_where_little_fits_at_a_time() {
    let ca = Ca::new("the CA");
    let (pair, ada) = (ca.server(&["localhost"]), ca.client("ada.example"));
    for encoding in Encoding::ALL {
        let tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();
        let (mine, theirs) = tokio::io::duplex(100);
        let server = Server::new().service(EchoServer::new(Parrot::default()));
        let server = server.tls(tls).tls_beside_plain();
        tokio::spawn(server.serve_stream(theirs));
        let connector = TlsConnector::from(Arc::new(showing(&ada, &ca)));
        let io = connector.connect(localhost(), mine).await.unwrap();
        let client = EchoClient::new(farcall::over(io, encoding, Limits::default()));
        for length in [10, 10_000, 100_000] {
            let text = "x".repeat(length);
            let call = client.echo(&text).timeout(Duration::from_secs(5));
            assert_eq!(call.await.unwrap(), text, "{encoding} {length}");
        }
    }
}
