//! The limit over HTTP/1.1: bare hyper on both sides, bodies that never change, no codec.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::peer::{Peer, Problem, Record};

/// A request and a reply of the size that JSON-RPC gives them.
const CALL: &[u8] = br#"{"jsonrpc":"2.0","method":"add","params":[100000,-7],"id":1}"#;
const REPLY: &[u8] = br#"{"jsonrpc":"2.0","result":99993,"id":1}"#;

/// Starts the server: an echo of large bodies, a constant reply to small ones.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).ok();
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            // A client that goes away in the middle ends its own connection alone.
            tokio::spawn(async move { serving.await.ok() });
        }
    });
    Ok(port)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let reply = match body.len() == CALL.len() {
        true => Bytes::from_static(REPLY),
        false => body,
    };
    let mut response = Response::new(Full::new(reply));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}

/// One connection, for one call at a time.
#[derive(Clone)]
pub(crate) struct Client {
    sender: Arc<tokio::sync::Mutex<SendRequest<Full<Bytes>>>>,
    host: hyper::header::HeaderValue,
}

impl Client {
    async fn send(&self, body: Bytes) -> Result<Bytes, Problem> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = hyper::Method::POST;
        let headers = request.headers_mut();
        headers.insert(hyper::header::HOST, self.host.clone());
        let json = hyper::header::HeaderValue::from_static("application/json");
        headers.insert(hyper::header::CONTENT_TYPE, json);
        // Never waited for: each caller has a connection of its own.
        let mut sender = self.sender.lock().await;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

impl Peer for Client {
    const SHARED: bool = false;
    type Records = Bytes;
    type Blob = Bytes;

    fn sample_records() -> Bytes {
        serde_json::to_vec(&Record::samples())
            .unwrap_or_default()
            .into()
    }

    fn count(_: &Bytes) -> usize {
        Record::EACH_CALL
    }

    fn sample_blob(len: usize) -> Bytes {
        vec![7; len].into()
    }

    fn len(blob: &Bytes) -> usize {
        blob.len()
    }

    async fn connect(port: u16) -> Result<Self, Problem> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender: Arc::new(tokio::sync::Mutex::new(sender)),
            host: format!("127.0.0.1:{port}").parse()?,
        })
    }

    async fn add(&self, x: i32, y: i32) -> Result<i32, Problem> {
        self.send(Bytes::from_static(CALL)).await?;
        Ok(x.wrapping_add(y))
    }

    async fn records(&self, records: Bytes) -> Result<Bytes, Problem> {
        self.send(records).await
    }

    async fn blob(&self, blob: Bytes) -> Result<Bytes, Problem> {
        self.send(blob).await
    }

    async fn sleep(&self, _: u32) -> Result<(), Problem> {
        Err("bare HTTP does not sleep".into())
    }

    async fn fetch(&self, _: u32) -> Result<usize, Problem> {
        Err("bare HTTP has one reply".into())
    }
}
