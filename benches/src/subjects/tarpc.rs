//! tarpc over TCP, in bincode and in JSON.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tarpc::context::{self, Context};
use tarpc::serde_transport;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::{Bincode, Json};
use tarpc::tokio_util::codec::{Framed, LengthDelimitedCodec};
use tokio::net::{TcpListener, TcpStream};

use crate::blob::Blob;
use crate::peer::{Peer, Problem, Record};

#[tarpc::service]
trait Bench {
    async fn add(x: i32, y: i32) -> i32;
    async fn records(records: Vec<Record>) -> Vec<Record>;
    async fn blob(blob: Blob) -> Blob;
    async fn sleep(ms: u32);
    async fn fetch(len: u32) -> Blob;
}

#[derive(Clone)]
struct Handlers;

impl Bench for Handlers {
    async fn add(self, _: Context, x: i32, y: i32) -> i32 {
        x.wrapping_add(y)
    }

    async fn records(self, _: Context, records: Vec<Record>) -> Vec<Record> {
        records
    }

    async fn blob(self, _: Context, blob: Blob) -> Blob {
        blob
    }

    async fn sleep(self, _: Context, ms: u32) {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
    }

    async fn fetch(self, _: Context, len: u32) -> Blob {
        Blob(vec![7; len as usize])
    }
}

/// Has each connection served.
pub(super) async fn accept(
    serve: impl Fn(Framed<TcpStream, LengthDelimitedCodec>) + Send + 'static,
) -> Result<u16, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(framed) = framed(stream) else { continue };
            serve(framed);
        }
    });
    Ok(port)
}

/// Room for the workload that has the most in flight.
pub(super) fn server_config() -> tarpc::server::Config {
    tarpc::server::Config {
        pending_response_buffer: 4_096,
    }
}

/// Frames of up to 32 MiB, written when 128 KiB are together or there are no more for now.
pub(super) fn framed(
    stream: TcpStream,
) -> Result<Framed<TcpStream, LengthDelimitedCodec>, Problem> {
    stream.set_nodelay(true)?;
    let mut framed = LengthDelimitedCodec::builder()
        .max_frame_length(128 * 1024 * 1024)
        .new_framed(stream);
    framed.set_backpressure_boundary(128 * 1024);
    Ok(framed)
}

/// More than any workload has in flight on a connection.
pub(super) fn client_config() -> tarpc::client::Config {
    let mut config = tarpc::client::Config::default();
    config.max_in_flight_requests = 65_536;
    config.pending_request_buffer = 4_096;
    config
}

/// A deadline that no workload reaches.
pub(super) fn context() -> Context {
    let mut context = context::current();
    context.deadline = Instant::now() + Duration::from_secs(120);
    context
}

macro_rules! codecs {
    ($($module:ident: $codec:ident)*) => {$(
        /// This codec's server and client.
        pub(crate) mod $module {
            use super::*;

            /// Starts the server.
            pub(crate) async fn serve() -> Result<u16, Problem> {
                accept(|framed| {
                    let transport = serde_transport::new(framed, $codec::default());
                    let channel = BaseChannel::new(server_config(), transport);
                    tokio::spawn(channel.execute(Handlers.serve()).for_each(|answer| async {
                        tokio::spawn(answer);
                    }));
                })
                .await
            }

            /// A client.
            #[derive(Clone)]
            pub(crate) struct Client(BenchClient);

            impl Peer for Client {
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
                    let framed = framed(TcpStream::connect(("127.0.0.1", port)).await?)?;
                    let transport = serde_transport::new(framed, $codec::default());
                    Ok(Self(BenchClient::new(client_config(), transport).spawn()))
                }

                async fn add(&self, x: i32, y: i32) -> Result<i32, Problem> {
                    Ok(self.0.add(context(), x, y).await?)
                }

                async fn records(&self, records: Vec<Record>) -> Result<Vec<Record>, Problem> {
                    Ok(self.0.records(context(), records).await?)
                }

                async fn blob(&self, blob: Blob) -> Result<Blob, Problem> {
                    Ok(self.0.blob(context(), blob).await?)
                }

                async fn sleep(&self, ms: u32) -> Result<(), Problem> {
                    Ok(self.0.sleep(context(), ms).await?)
                }

                async fn fetch(&self, len: u32) -> Result<usize, Problem> {
                    Ok(self.0.fetch(context(), len).await?.0.len())
                }
            }
        }
    )*};
}

codecs! {
    bincode: Bincode
    json: Json
}
