//! tarpc in bincode, whose handlers own what they are given.

use std::borrow::Cow;

use futures_util::StreamExt;
use tarpc::context::Context;
use tarpc::serde_transport;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tokio::net::TcpStream;

use super::{SAMPLE, Sender, total};
use crate::peer::{Problem, Record};
use crate::subjects::tarpc::{accept, client_config, context, framed, server_config};

#[tarpc::service]
trait Inward {
    /// Of a `Cow`, as the client need not copy its records then; the server gets a `Vec`.
    async fn owned(records: Cow<'static, [Record]>) -> u64;
}

#[derive(Clone)]
struct Handlers;

impl Inward for Handlers {
    async fn owned(self, _: Context, records: Cow<'static, [Record]>) -> u64 {
        total(&records)
    }
}

/// Starts the server.
pub(crate) async fn serve() -> Result<u16, Problem> {
    accept(|framed| {
        let transport = serde_transport::new(framed, Bincode::default());
        let channel = BaseChannel::new(server_config(), transport);
        tokio::spawn(channel.execute(Handlers.serve()).for_each(|answer| async {
            tokio::spawn(answer);
        }));
    })
    .await
}

/// A client.
#[derive(Clone)]
pub(crate) struct Client(InwardClient);

impl Sender for Client {
    async fn connect(port: u16) -> Result<Self, Problem> {
        let framed = framed(TcpStream::connect(("127.0.0.1", port)).await?)?;
        let transport = serde_transport::new(framed, Bincode::default());
        Ok(Self(InwardClient::new(client_config(), transport).spawn()))
    }

    async fn total(&self) -> Result<u64, Problem> {
        Ok(self.0.owned(context(), Cow::Borrowed(&SAMPLE)).await?)
    }
}
