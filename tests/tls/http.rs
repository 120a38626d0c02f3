//! HTTPS clients at servers that are not farcall.

use std::sync::Arc;

use farcall::rustls::pki_types::pem::PemObject;
use farcall::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use farcall::rustls::{ServerConfig, crypto::ring};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::{Ca, Folder};
use super::service::EchoClient;

/// A port for TLS, and the file with the CA of its certificate.
struct House {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    folder: Folder,
}

impl House {
    async fn new(alpn: &[&str]) -> Self {
        let ca = Ca::new("the CA");
        let folder = Folder::new();
        folder.write("ca.pem", &ca.pem());
        let pair = ca.server(&["localhost"]);
        let cert = CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            folder,
        }
    }

    fn address(&self, more: &str) -> String {
        let port = self.listener.local_addr().unwrap().port();
        let ca = self.folder.as_ref().join("ca.pem");
        format!("https://localhost:{port}/?ca={}{more}", ca.display())
    }

    async fn accept(&self) -> TlsStream<TcpStream> {
        let (io, _) = self.listener.accept().await.unwrap();
        self.acceptor.accept(io).await.unwrap()
    }

    /// Reads a request whole, and answers it so.
    async fn answer(&self, answer: &str) -> TlsStream<TcpStream> {
        let mut io = self.accept().await;
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            io.read_buf(&mut request).await.unwrap();
        }
        io.write_all(answer.as_bytes()).await.unwrap();
        io.flush().await.unwrap();
        io
    }
}

async fn call(address: &str) -> Result<String, String> {
    let client = EchoClient::connect(address).await.unwrap();
    let called = client.echo("hello").await;
    called.map_err(|error| error.to_string())
}

const UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\
                           {\"jsonrpc\":\"2.0\",\"result\":\"hello\",\"id\":1}";

#[tokio::test]
async fn an_answer_that_was_cut_is_not_taken_for_whole() {
    for is_cut in [false, true] {
        let house = House::new(&["http/1.1"]).await;
        let address = house.address("");
        let serving = async {
            let mut io = house.answer(UNTIL_CLOSE).await;
            if is_cut {
                // Without close_notify.
                let (io, _) = io.get_mut();
                io.shutdown().await.unwrap();
            } else {
                io.shutdown().await.unwrap();
            }
        };
        let (answer, ()) = tokio::join!(call(&address), serving);
        match is_cut {
            true => assert!(answer.unwrap_err().contains("closed before the reply")),
            false => assert_eq!(answer.unwrap(), "hello"),
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let house = House::new(&[]).await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    let moved = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://localhost:{port}/\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let address = house.address("");
    let (answer, _io) = tokio::join!(call(&address), house.answer(&moved));
    assert!(answer.unwrap_err().contains("HTTP 307"));
    let followed = tokio::time::timeout(std::time::Duration::from_millis(50), elsewhere.accept());
    assert!(followed.await.is_err());
}

#[tokio::test]
async fn the_version_is_what_both_sides_can() {
    for (server, more, agreed) in [
        (&["h2", "http/1.1"][..], "", Some("h2")),
        (&["http/1.1"], "", Some("http/1.1")),
        (&[], "", None),
        (&["h2", "http/1.1"], "&version=1", Some("http/1.1")),
        (&["h2", "http/1.1"], "&version=2", Some("h2")),
    ] {
        let house = House::new(server).await;
        let address = house.address(more);
        let calling = tokio::spawn(async move { call(&address).await });
        let io = house.accept().await;
        let chosen = io.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(chosen.as_deref(), agreed.map(str::as_bytes), "{more}");
        calling.abort();
    }
}

#[tokio::test]
async fn a_server_without_http_2_says_so_where_it_is_asked_for() {
    let house = House::new(&[]).await;
    let address = house.address("&version=2");
    let (answer, _io) = tokio::join!(call(&address), house.accept());
    let error = answer.unwrap_err();
    assert!(error.contains("has no HTTP/2"), "{error}");
}
