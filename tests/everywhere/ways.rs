//! A server, and every encoding and transport to it.

use farcall::{Address, Encoding, Limits, Server, ServerTls};

use crate::sampler::{Sample, SamplerClient, SamplerServer};

/// A running server, and every way to it.
pub(crate) struct Everywhere {
    pub(crate) addresses: Vec<Address>,
    pub(crate) port: u16,
    /// The file with the certificate of its TLS.
    ca: String,
    /// Dropped to end the server, which drains meanwhile.
    _end: tokio::sync::oneshot::Sender<()>,
}

pub(crate) async fn everywhere(test: &str, limits: Limits) -> Everywhere {
    let socket = std::env::temp_dir().join(format!("farcall-{test}-{}", std::process::id()));
    let socket = socket.to_str().unwrap();
    let own = rcgen::generate_simple_self_signed(["localhost".into(), "127.0.0.1".into()]).unwrap();
    let tls = ServerTls::from_pem(own.cert.pem(), own.signing_key.serialize_pem()).unwrap();
    let ca = format!("{socket}.pem");
    std::fs::write(&ca, own.cert.pem()).unwrap();
    let server = Server::new()
        .service(SamplerServer::new(Sample::default()))
        .tls(tls)
        .tls_beside_plain()
        .limits(limits);
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let listening = listening.listen(&format!("unix://{socket}")).await.unwrap();
    let listening = listening.listen(&format!("mem://{test}")).await.unwrap();
    let port = listening.local_addr().unwrap().port();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    let places = [
        format!("tcp://127.0.0.1:{port}"),
        format!("unix://{socket}"),
        format!("mem://{test}"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/RPC2?gzip=1"),
        format!("http://127.0.0.1:{port}/?version=2"),
        format!("tls://localhost:{port}?ca={ca}"),
        format!("https://127.0.0.1:{port}/?ca={ca}"),
        format!("https://localhost:{port}/?version=1&ca={ca}"),
        format!("ws://127.0.0.1:{port}/rpc"),
        format!("wss://localhost:{port}/rpc?ca={ca}"),
    ];
    let addresses = places
        .iter()
        .flat_map(|place| Encoding::ALL.map(|encoding| format!("{encoding}+{place}")))
        .map(|address| address.parse().unwrap())
        .collect();
    Everywhere {
        addresses,
        port,
        ca,
        _end: end,
    }
}

impl Drop for Everywhere {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca);
    }
}

/// Runs `check` over every address.
pub(crate) async fn over_all<F>(
    test: &str,
    limits: Limits,
    check: impl Fn(SamplerClient, Address) -> F,
) where
    F: Future<Output = ()>,
{
    let everywhere = everywhere(test, limits).await;
    for address in &everywhere.addresses {
        eprintln!("over {address}");
        let client = SamplerClient::connect(&address.to_string()).await.unwrap();
        check(client, address.clone()).await;
    }
}
