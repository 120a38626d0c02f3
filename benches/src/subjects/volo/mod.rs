//! volo-thrift: Thrift's binary protocol in frames over TCP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pilota::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use volo::net::incoming::DefaultIncoming;
use volo_thrift::ServerError;

use crate::load::{BLOB, Caller, Load, Meter, Op};
use crate::peer::Problem;
use generated::volo_gen::bench::{Bench, BenchClient, BenchClientBuilder, BenchServer};

/// What volo-build 0.12.3 wrote of `bench.thrift`:
/// `Builder::thrift().add_service("bench.thrift").ignore_unused(false).out_dir("gen").write()`.
/// The `Service` of `Bytes` is left out: it is `unsafe`, and only a router of several services
/// needs it.
#[rustfmt::skip]
#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::use_self,
    clippy::needless_pass_by_value,
    clippy::manual_let_else,
    clippy::or_fun_call
)]
mod generated;

struct Handlers;

impl Bench for Handlers {
    async fn add(&self, x: i32, y: i32) -> Result<i32, ServerError> {
        Ok(x.wrapping_add(y))
    }

    async fn blob(&self, blob: Bytes) -> Result<Bytes, ServerError> {
        Ok(blob)
    }
}

/// Starts the server.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let server = BenchServer::new(Handlers);
    tokio::spawn(server.run(DefaultIncoming::from(listener)));
    Ok(port)
}

/// A client with connections of its own, each for one call at a time: with many calls on one it is
/// some 10 % faster in small calls, and half as fast in large ones.
fn connect(port: u16) -> BenchClient {
    BenchClientBuilder::new("bench")
        .address(SocketAddr::from(([127, 0, 0, 1], port)))
        .rpc_timeout(Some(Duration::from_secs(120)))
        .read_write_timeout(Some(Duration::from_secs(120)))
        .build()
}

/// Calls until the meter says stop.
pub(crate) async fn drive(port: u16, load: Load, meter: Arc<Meter>) -> Result<(), Problem> {
    let mut callers = JoinSet::new();
    for _ in 0..load.connections {
        let client = connect(port);
        for _ in 0..load.in_flight {
            callers.spawn(call(client.clone(), load.op, meter.enter()));
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn call(client: BenchClient, op: Op, caller: Caller) -> Result<(), Problem> {
    match op {
        Op::Add => {
            let mut n = 0;
            while let Some(since) = caller.next() {
                let sum = client.add(n, -7).await?;
                if sum != n - 7 {
                    return Err(format!("{n} - 7 is not {sum}").into());
                }
                n = (n + 1) % 1_000_000;
                caller.answered(1, since);
            }
        }
        Op::Blob => {
            let mut blob = Bytes::from(vec![7; BLOB]);
            while let Some(since) = caller.next() {
                blob = client.blob(blob).await?;
                if blob.len() != BLOB {
                    return Err("some bytes were lost".into());
                }
                caller.answered(1, since);
            }
        }
        Op::Records => return Err("its schema has no records".into()),
    }
    Ok(())
}
