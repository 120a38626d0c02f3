//! The service that is called, and a server of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::{Context, Server, ServerTls};

use super::certificates::Pair;

#[farcall::service]
pub(crate) trait Echo {
    async fn echo(&self, text: &str) -> String;
    async fn whoami(&self, cx: &Context) -> String;
}

/// Counts what it answers.
#[derive(Clone, Default)]
pub(crate) struct Parrot(Arc<AtomicUsize>);

impl Parrot {
    pub(crate) fn calls(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Echo for Parrot {
    async fn echo(&self, text: &str) -> String {
        self.0.fetch_add(1, Ordering::Relaxed);
        text.to_owned()
    }

    async fn whoami(&self, cx: &Context) -> String {
        self.0.fetch_add(1, Ordering::Relaxed);
        let who = match cx.tls() {
            None => "anybody".to_owned(),
            Some(peer) => format!("{:?} {}", peer.names, peer.certificates.len()),
        };
        format!("{} {who}", cx.transport())
    }
}

/// A server until it is dropped.
pub(crate) struct Serving {
    pub(crate) port: u16,
    pub(crate) parrot: Parrot,
    _end: tokio::sync::oneshot::Sender<()>,
}

/// Serves at `address`, as `with` has it.
pub(crate) async fn serve(address: &str, with: impl FnOnce(Server) -> Server) -> Serving {
    let parrot = Parrot::default();
    let server = with(Server::new().service(EchoServer::new(parrot.clone())));
    let listening = server.listen(address).await.unwrap();
    let port = listening.local_addr().unwrap().port();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    Serving {
        port,
        parrot,
        _end: end,
    }
}

/// Serves TLS on a free port with this certificate.
pub(crate) async fn serve_tls(pair: &Pair) -> Serving {
    let tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();
    serve("tls://127.0.0.1:0", |server| server.tls(tls)).await
}
