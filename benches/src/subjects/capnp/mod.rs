//! Cap'n Proto's rpc. Its clients stay on their thread, so each side is one thread with a runtime of
//! its own.

use std::rc::Rc;
use std::sync::Arc;

use ::capnp::Error;
use ::capnp::message::ReaderOptions;
use capnp_rpc::RpcSystem;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::twoparty::VatNetwork;
use futures_util::io::{BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

use crate::load::{BLOB, Caller, Load, Meter, Op};
use crate::options::Runtime;
use crate::peer::{Problem, Record};
use schema::bench;

/// What `capnp compile -o rust bench.capnp` (capnp 0.9.2, capnpc 0.27.0) wrote, with
/// `crate::bench_capnp` replaced by this module's path: nobody needs that program for a build.
#[rustfmt::skip]
#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::use_self,
    clippy::needless_pass_by_value
)]
mod schema;

struct Handlers;

impl bench::Server for Handlers {
    async fn add(
        self: Rc<Self>,
        params: bench::AddParams,
        mut results: bench::AddResults,
    ) -> Result<(), Error> {
        let params = params.get()?;
        let sum = params.get_x().wrapping_add(params.get_y());
        results.get().set_sum(sum);
        Ok(())
    }

    async fn records(
        self: Rc<Self>,
        params: bench::RecordsParams,
        mut results: bench::RecordsResults,
    ) -> Result<(), Error> {
        results.get().set_records(params.get()?.get_records()?)
    }

    async fn blob(
        self: Rc<Self>,
        params: bench::BlobParams,
        mut results: bench::BlobResults,
    ) -> Result<(), Error> {
        results.get().set_bytes(params.get()?.get_bytes()?);
        Ok(())
    }
}

/// One end of a connection.
fn network(stream: TcpStream, side: Side) -> Result<Box<Network>, Problem> {
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    Ok(Box::new(VatNetwork::new(
        BufReader::new(read.compat()),
        BufWriter::new(write.compat_write()),
        side,
        ReaderOptions::default(),
    )))
}

type Network = VatNetwork<BufReader<tokio_util::compat::Compat<tokio::net::tcp::OwnedReadHalf>>>;

/// Runs a future that stays on its thread, on a thread.
fn on_a_thread<F>(
    make: impl FnOnce() -> F + Send + 'static,
) -> oneshot::Receiver<Result<(), Problem>>
where
    F: Future<Output = Result<(), Problem>>,
{
    let (tell, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let run = || {
            let runtime = Runtime::Current.build()?;
            runtime.block_on(LocalSet::new().run_until(make()))
        };
        // Nobody may wait any longer.
        tell.send(run()).ok();
    });
    ended
}

/// Starts the server.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let (tell, port) = oneshot::channel();
    on_a_thread(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        tell.send(listener.local_addr()?.port()).ok();
        let handlers: bench::Client = capnp_rpc::new_client(Handlers);
        loop {
            let (stream, _) = listener.accept().await?;
            let network = network(stream, Side::Server)?;
            // A client that goes away in the middle ends its own connection alone.
            spawn_local(RpcSystem::new(network, Some(handlers.clone().client)));
        }
    });
    Ok(port.await?)
}

/// Connects, and calls until the meter says stop.
pub(crate) async fn drive(port: u16, load: Load, meter: Arc<Meter>) -> Result<(), Problem> {
    on_a_thread(move || calls(port, load, meter)).await?
}

async fn calls(port: u16, load: Load, meter: Arc<Meter>) -> Result<(), Problem> {
    let mut callers = JoinSet::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let mut rpc = RpcSystem::new(network(stream, Side::Client)?, None);
        let client: bench::Client = rpc.bootstrap(Side::Server);
        spawn_local(rpc);
        for _ in 0..load.in_flight {
            callers.spawn_local(call(client.clone(), load.op, meter.enter()));
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn call(client: bench::Client, op: Op, caller: Caller) -> Result<(), Problem> {
    match op {
        Op::Add => {
            let mut n = 0;
            while let Some(since) = caller.next() {
                let mut request = client.add_request();
                request.get().set_x(n);
                request.get().set_y(-7);
                let sum = request.send().promise.await?.get()?.get_sum();
                if sum != n - 7 {
                    return Err(format!("{n} - 7 is not {sum}").into());
                }
                n = (n + 1) % 1_000_000;
                caller.answered(1, since);
            }
        }
        Op::Records => {
            let mut request = client.records_request();
            fill(request.get());
            while let Some(since) = caller.next() {
                let response = request.send().promise.await?;
                let records = response.get()?.get_records()?;
                if records.len() as usize != Record::EACH_CALL {
                    return Err("some records were lost".into());
                }
                request = client.records_request();
                request.get().set_records(records)?;
                caller.answered(1, since);
            }
        }
        Op::Blob => {
            let mut request = client.blob_request();
            request.get().init_bytes(BLOB as u32).fill(7);
            while let Some(since) = caller.next() {
                let response = request.send().promise.await?;
                let bytes = response.get()?.get_bytes()?;
                if bytes.len() != BLOB {
                    return Err("some bytes were lost".into());
                }
                request = client.blob_request();
                request.get().set_bytes(bytes);
                caller.answered(1, since);
            }
        }
    }
    Ok(())
}

fn fill(records: schema::records::Builder<'_>) {
    let mut records = records.init_records(Record::EACH_CALL as u32);
    for (at, sample) in (0..).zip(Record::samples()) {
        let mut record = records.reborrow().get(at);
        record.set_id(sample.id);
        record.set_name(&sample.name);
        record.set_address(&sample.address);
        record.set_score(sample.score);
        let mut tags = record.init_tags(sample.tags.len() as u32);
        for (at, tag) in (0..).zip(&sample.tags) {
            tags.set(at, tag);
        }
    }
}
