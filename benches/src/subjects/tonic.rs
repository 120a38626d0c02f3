//! tonic: gRPC with prost messages, written out as its code generator would.

use std::convert::Infallible;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use prost::Message;
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Service, StdError, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::peer::{self, Peer, Problem};

/// HTTP/2 windows that no workload fills.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Room for a reply of 10 MiB.
const LARGEST: usize = 128 * 1024 * 1024;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Pair {
    #[prost(int32, tag = "1")]
    x: i32,
    #[prost(int32, tag = "2")]
    y: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Number {
    #[prost(int32, tag = "1")]
    value: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Record {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    address: String,
    #[prost(double, tag = "4")]
    score: f64,
    #[prost(string, repeated, tag = "5")]
    tags: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Records {
    #[prost(message, repeated, tag = "1")]
    records: Vec<Record>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Blob {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: bytes::Bytes,
}

/// Each method: its name, what it takes and gives, and its body.
macro_rules! methods {
    ($($method:ident($request:ident: $takes:ty) -> $gives:ty $body:block)*) => {
        $(
            struct $method;

            impl UnaryService<$takes> for $method {
                type Response = $gives;
                type Future = BoxFuture<Response<$gives>, Status>;

                fn call(&mut self, request: Request<$takes>) -> Self::Future {
                    Box::pin(async move {
                        let $request = request.into_inner();
                        Ok(Response::new($body))
                    })
                }
            }
        )*

        impl<B> Service<http::Request<B>> for Bench
        where
            B: tonic::codegen::Body + Send + 'static,
            B::Error: Into<StdError> + Send + 'static,
        {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = BoxFuture<Self::Response, Self::Error>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<B>) -> Self::Future {
                match request.uri().path() {
                    $(concat!("/bench.Bench/", stringify!($method)) => Box::pin(async move {
                        let mut grpc = tonic::server::Grpc::new(ProstCodec::default())
                            .apply_max_message_size_config(Some(LARGEST), Some(LARGEST));
                        Ok(grpc.unary($method, request).await)
                    }),)*
                    _ => Box::pin(async { Ok(Status::unimplemented("").into_http()) }),
                }
            }
        }
    };
}

#[derive(Clone)]
struct Bench;

impl NamedService for Bench {
    const NAME: &'static str = "bench.Bench";
}

methods! {
    Add(pair: Pair) -> Number {
        Number { value: pair.x.wrapping_add(pair.y) }
    }
    Echo(records: Records) -> Records { records }
    EchoBlob(blob: Blob) -> Blob { blob }
    Sleep(ms: Number) -> Number {
        tokio::time::sleep(Duration::from_millis(ms.value.unsigned_abs().into())).await;
        ms
    }
    Fetch(len: Number) -> Blob {
        // Made once: the connection is measured, not the allocator. Only one length is fetched.
        static PREPARED: OnceLock<bytes::Bytes> = OnceLock::new();
        let bytes = PREPARED.get_or_init(|| vec![7; len.value.unsigned_abs() as usize].into());
        Blob { bytes: bytes.clone() }
    }
}

/// Starts the server.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())?.with_nodelay(Some(true));
    let port = incoming.local_addr()?.port();
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(65_536)
        .add_service(Bench)
        .serve_with_incoming(incoming);
    tokio::spawn(server);
    Ok(port)
}

/// A client.
#[derive(Clone)]
pub(crate) struct Client(tonic::client::Grpc<Channel>);

impl Client {
    async fn call<Q, R>(&self, path: &'static str, request: Q) -> Result<R, Problem>
    where
        Q: Message + 'static,
        R: Message + Default + 'static,
    {
        let mut grpc = self.0.clone();
        grpc.ready().await?;
        let path = PathAndQuery::from_static(path);
        let codec = ProstCodec::<Q, R>::default();
        Ok(grpc
            .unary(Request::new(request), path, codec)
            .await?
            .into_inner())
    }
}

impl Peer for Client {
    type Records = Records;
    type Blob = Blob;

    fn sample_records() -> Records {
        let record = |record: peer::Record| Record {
            id: record.id,
            name: record.name,
            address: record.address,
            score: record.score,
            tags: record.tags,
        };
        Records {
            records: peer::Record::samples().into_iter().map(record).collect(),
        }
    }

    fn count(records: &Records) -> usize {
        records.records.len()
    }

    fn sample_blob(len: usize) -> Blob {
        Blob {
            bytes: vec![7; len].into(),
        }
    }

    fn len(blob: &Blob) -> usize {
        blob.bytes.len()
    }

    async fn connect(port: u16) -> Result<Self, Problem> {
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .buffer_size(65_536)
            .connect()
            .await?;
        let grpc = tonic::client::Grpc::new(channel)
            .max_decoding_message_size(LARGEST)
            .max_encoding_message_size(LARGEST);
        Ok(Self(grpc))
    }

    async fn add(&self, x: i32, y: i32) -> Result<i32, Problem> {
        let sum: Number = self.call("/bench.Bench/Add", Pair { x, y }).await?;
        Ok(sum.value)
    }

    async fn records(&self, records: Records) -> Result<Records, Problem> {
        self.call("/bench.Bench/Echo", records).await
    }

    async fn blob(&self, blob: Blob) -> Result<Blob, Problem> {
        self.call("/bench.Bench/EchoBlob", blob).await
    }

    async fn sleep(&self, ms: u32) -> Result<(), Problem> {
        let _: Number = self
            .call("/bench.Bench/Sleep", Number { value: ms as i32 })
            .await?;
        Ok(())
    }

    async fn fetch(&self, len: u32) -> Result<usize, Problem> {
        let blob: Blob = self
            .call("/bench.Bench/Fetch", Number { value: len as i32 })
            .await?;
        Ok(blob.bytes.len())
    }
}
