//! jsonrpsee, over HTTP/1.1 and WebSocket.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee_core::client::ClientT;
use jsonrpsee_core::rpc_params;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee_server::types::ErrorObjectOwned;
use jsonrpsee_server::{RpcModule, ServerBuilder, ServerConfig};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};

use crate::blob::Blob;
use crate::peer::{Peer, Problem, Record};

/// Room for a reply of 10 MiB in base64.
const LARGEST: u32 = 32 * 1024 * 1024;
/// More than any workload has of anything.
const MANY: u32 = 65_536;
/// A deadline that no workload reaches.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts the server, which speaks both.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let config = ServerConfig::builder()
        .max_request_body_size(LARGEST)
        .max_response_body_size(LARGEST)
        .max_connections(MANY)
        .set_message_buffer_capacity(MANY)
        .set_tcp_no_delay(true)
        .build();
    let server = ServerBuilder::new()
        .set_config(config)
        .build("127.0.0.1:0")
        .await?;
    let port = server.local_addr()?.port();
    let serving = server.start(module()?);
    tokio::spawn(serving.stopped());
    Ok(port)
}

/// Handlers that do not wait are the kind that is not spawned.
fn module() -> Result<RpcModule<()>, Problem> {
    let mut module = RpcModule::new(());
    module.register_method("add", |params, _, _| {
        let (x, y): (i32, i32) = params.parse()?;
        Ok::<_, ErrorObjectOwned>(x.wrapping_add(y))
    })?;
    module.register_method("records", |params, _, _| params.one::<Vec<Record>>())?;
    module.register_method("blob", |params, _, _| params.one::<Blob>())?;
    module.register_method("fetch", |params, _, _| {
        let len: u32 = params.one()?;
        Ok::<_, ErrorObjectOwned>(Blob(vec![7; len as usize]))
    })?;
    module.register_async_method("sleep", async |params, _, _| {
        let ms: u32 = params.one()?;
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
        Ok::<_, ErrorObjectOwned>(())
    })?;
    Ok(module)
}

/// Either client.
pub(crate) trait Way: ClientT + Send + Sync + Sized + 'static {
    /// Connects.
    fn connect(port: u16) -> impl Future<Output = Result<Self, Problem>> + Send;
}

impl Way for HttpClient {
    async fn connect(port: u16) -> Result<Self, Problem> {
        Ok(HttpClientBuilder::new()
            .max_request_size(LARGEST)
            .max_response_size(LARGEST)
            .request_timeout(PATIENCE)
            .set_tcp_no_delay(true)
            .build(format!("http://127.0.0.1:{port}"))?)
    }
}

impl Way for WsClient {
    async fn connect(port: u16) -> Result<Self, Problem> {
        Ok(WsClientBuilder::new()
            .max_request_size(LARGEST)
            .max_response_size(LARGEST)
            .max_concurrent_requests(MANY as usize)
            .request_timeout(PATIENCE)
            .set_tcp_no_delay(true)
            .build(format!("ws://127.0.0.1:{port}"))
            .await?)
    }
}

/// A client of one way.
pub(crate) struct Client<W>(Arc<W>);

impl<W> Clone for Client<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Way> Peer for Client<W> {
    type Records = Vec<Record>;
    type Blob = Blob;

    fn sample_records() -> Vec<Record> {
        Record::samples()
    }

    fn count(records: &Vec<Record>) -> usize {
        records.len()
    }

    fn sample_blob(len: usize) -> Blob {
        Blob(vec![7; len])
    }

    fn len(blob: &Blob) -> usize {
        blob.0.len()
    }

    async fn connect(port: u16) -> Result<Self, Problem> {
        Ok(Self(Arc::new(W::connect(port).await?)))
    }

    async fn add(&self, x: i32, y: i32) -> Result<i32, Problem> {
        Ok(self.0.request("add", rpc_params![x, y]).await?)
    }

    async fn records(&self, records: Vec<Record>) -> Result<Vec<Record>, Problem> {
        Ok(self.0.request("records", rpc_params![records]).await?)
    }

    async fn blob(&self, blob: Blob) -> Result<Blob, Problem> {
        Ok(self.0.request("blob", rpc_params![blob]).await?)
    }

    async fn sleep(&self, ms: u32) -> Result<(), Problem> {
        Ok(self.0.request("sleep", rpc_params![ms]).await?)
    }

    async fn fetch(&self, len: u32) -> Result<usize, Problem> {
        let blob: Blob = self.0.request("fetch", rpc_params![len]).await?;
        Ok(blob.0.len())
    }
}
