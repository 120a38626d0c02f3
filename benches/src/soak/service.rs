//! What is called, and the process that answers.

use std::time::Duration;

use farcall::types::Bytes;
use farcall::{Server, ServerTls, Stream};
use futures_util::{StreamExt, stream};

use crate::options::Runtime;
use crate::peer::{Problem, Record};

/// The file with the certificate that clients trust.
pub(super) const CA: &str = "target/soak/ca.pem";

#[derive(Debug, PartialEq, Eq, farcall::Fault)]
#[fault(code = 7)]
pub(crate) struct Refused {
    pub(crate) token: u64,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is refused", self.token)
    }
}

impl std::error::Error for Refused {}

#[farcall::service]
pub(crate) trait Soak {
    async fn echo(&self, token: u64) -> u64;
    async fn records(&self, records: Vec<Record>) -> Vec<Record>;
    async fn blob(&self, blob: Bytes) -> Bytes;
    async fn refuse(&self, token: u64) -> Result<u64, Refused>;
    async fn sleep(&self, ms: u32);
    #[rpc(blocking)]
    async fn grind(&self, token: u64) -> u64;
    fn count(&self, to: u64) -> impl Stream<Item = u64>;
    async fn total(&self, numbers: impl Stream<Item = u64>) -> u64;
}

struct Plain;

impl Soak for Plain {
    async fn echo(&self, token: u64) -> u64 {
        token
    }
    async fn records(&self, records: Vec<Record>) -> Vec<Record> {
        records
    }
    async fn blob(&self, blob: Bytes) -> Bytes {
        blob
    }
    async fn refuse(&self, token: u64) -> Result<u64, Refused> {
        Err(Refused { token })
    }
    async fn sleep(&self, ms: u32) {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
    }
    async fn grind(&self, token: u64) -> u64 {
        std::thread::sleep(Duration::from_millis(1));
        token
    }
    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }
    async fn total(&self, numbers: impl Stream<Item = u64>) -> u64 {
        let total = |total: u64, number| async move { total.wrapping_add(number) };
        numbers.fold(0, total).await
    }
}

/// Serves until the input ends, with default limits; its first line is the port.
pub(crate) fn serve() -> Result<(), Problem> {
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines() {}
        std::process::exit(0);
    });
    Runtime::Multi.build()?.block_on(async {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        std::fs::write(CA, own.cert.pem())?;
        let tls = ServerTls::from_pem(own.cert.pem(), own.signing_key.serialize_pem())?;
        let server = Server::new()
            .service(SoakServer::new(Plain))
            .tls(tls)
            .tls_beside_plain();
        let listening = server.listen("tcp://127.0.0.1:0").await?;
        println!("{}", listening.local_addr().ok_or("no port")?.port());
        listening.run().await;
        Ok(())
    })
}
