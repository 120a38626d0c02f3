//! dxr: XML-RPC over axum and reqwest.

use std::sync::Arc;
use std::time::Duration;

use dxr::{Fault, TryFromParams, TryFromValue, TryToValue, Value};
use dxr_client::{Client, ClientBuilder};
use dxr_server::axum::extract::DefaultBodyLimit;
use dxr_server::axum::http::HeaderMap;
use dxr_server::axum::serve::ListenerExt;
use dxr_server::{Handler, HandlerFn, HandlerResult, RouteBuilder, Server, async_trait};
use tokio::net::TcpListener;

use crate::peer::{self, Peer, Problem};

/// A record, with the integers that XML-RPC has.
#[derive(Clone, TryFromValue, TryToValue)]
pub(crate) struct Record {
    id: i32,
    name: String,
    address: String,
    score: f64,
    tags: Vec<String>,
}

fn add(params: &[Value], _: HeaderMap) -> HandlerResult {
    let (x, y) = <(i32, i32)>::try_from_params(params)?;
    Ok(x.wrapping_add(y).try_to_value()?)
}

fn records(params: &[Value], _: HeaderMap) -> HandlerResult {
    let (records,) = <(Vec<Record>,)>::try_from_params(params)?;
    Ok(records.try_to_value()?)
}

fn blob(params: &[Value], _: HeaderMap) -> HandlerResult {
    let (blob,) = <(Vec<u8>,)>::try_from_params(params)?;
    Ok(blob.try_to_value()?)
}

fn fetch(params: &[Value], _: HeaderMap) -> HandlerResult {
    let (len,) = <(i32,)>::try_from_params(params)?;
    let len = usize::try_from(len).map_err(|_| Fault::new(1, "a negative length".into()))?;
    Ok(vec![7_u8; len].try_to_value()?)
}

struct Sleep;

#[async_trait]
impl Handler for Sleep {
    async fn handle(&self, params: &[Value], _: HeaderMap) -> HandlerResult {
        let (ms,) = <(i32,)>::try_from_params(params)?;
        tokio::time::sleep(Duration::from_millis(ms.unsigned_abs().into())).await;
        Ok(true.try_to_value()?)
    }
}

/// Starts the server.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    let route = RouteBuilder::new()
        .add_method("add", Box::new(add as HandlerFn))
        .add_method("records", Box::new(records as HandlerFn))
        .add_method("blob", Box::new(blob as HandlerFn))
        .add_method("fetch", Box::new(fetch as HandlerFn))
        .add_method("sleep", Box::new(Sleep))
        .build()
        .layer(DefaultBodyLimit::disable());
    tokio::spawn(Server::from_route(route).serve_listener(listener));
    Ok(port)
}

/// A client, with reqwest's pool of connections, none of which it closes.
#[derive(Clone)]
pub(crate) struct Dxr(Arc<Client>);

impl Peer for Dxr {
    type Records = Vec<Record>;
    type Blob = Vec<u8>;

    fn sample_records() -> Vec<Record> {
        let record = |record: peer::Record| Record {
            id: i32::try_from(record.id).unwrap_or(i32::MAX),
            name: record.name,
            address: record.address,
            score: record.score,
            tags: record.tags,
        };
        peer::Record::samples().into_iter().map(record).collect()
    }

    fn count(records: &Vec<Record>) -> usize {
        records.len()
    }

    fn sample_blob(len: usize) -> Vec<u8> {
        vec![7; len]
    }

    fn len(blob: &Vec<u8>) -> usize {
        blob.len()
    }

    async fn connect(port: u16) -> Result<Self, Problem> {
        let url = format!("http://127.0.0.1:{port}/").parse()?;
        Ok(Self(Arc::new(ClientBuilder::new(url).build())))
    }

    async fn add(&self, x: i32, y: i32) -> Result<i32, Problem> {
        Ok(self.0.call("add", (x, y)).await?)
    }

    async fn records(&self, records: Vec<Record>) -> Result<Vec<Record>, Problem> {
        Ok(self.0.call("records", (records,)).await?)
    }

    async fn blob(&self, blob: Vec<u8>) -> Result<Vec<u8>, Problem> {
        Ok(self.0.call("blob", (blob,)).await?)
    }

    async fn sleep(&self, ms: u32) -> Result<(), Problem> {
        let _: bool = self.0.call("sleep", (ms as i32,)).await?;
        Ok(())
    }

    async fn fetch(&self, len: u32) -> Result<usize, Problem> {
        let blob: Vec<u8> = self.0.call("fetch", (len as i32,)).await?;
        Ok(blob.len())
    }
}
