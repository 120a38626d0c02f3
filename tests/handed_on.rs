//! A method that answers with what it was told by another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use farcall::{Fault, Server};

#[farcall::service]
trait Gateway {
    async fn pay(&self) -> Result<(), Fault>;
}

/// Counts what it did before the one behind it had no time.
#[derive(Clone, Default)]
struct Half(Arc<AtomicU64>);

impl Gateway for Half {
    async fn pay(&self) -> Result<(), Fault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(Fault::shutting_down())
    }
}

#[tokio::test]
async fn a_method_that_hands_on_that_another_did_not_run_has_run_itself() {
    let half = Half::default();
    let server = Server::new().service(GatewayServer::new(half.clone()));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let at = listening.local_addr().unwrap();
    tokio::spawn(listening.run());
    let ways = [
        "tcp",
        "json+tcp",
        "xml+tcp",
        "json+http",
        "xml+http",
        "json+ws",
    ];
    for (calls, way) in (1..).zip(ways) {
        let client = GatewayClient::connect(&format!("{way}://{at}")).await;
        let failed = client.unwrap().pay().await.unwrap_err();
        assert!(failed.to_string().contains("shutting down"), "{failed}");
        assert!(!failed.is_retryable(), "{way}: {failed}");
        assert_eq!(half.0.load(Ordering::SeqCst), calls, "{way}");
    }
}
