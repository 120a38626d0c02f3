//! The client's side of one connection (to be written).

use std::task::{Context, Poll};

use crate::channel::{Inbound, Outbound};
use crate::encoding::Encoding;
use crate::error::Failure;

/// The client's side of one connection.
#[derive(Debug)]
pub struct Client {}

impl Client {
    pub(crate) fn encoding(&self) -> Encoding {
        Encoding::Bincode
    }
    pub(crate) fn notify(&self, _: Outbound<'_>) -> Result<(), Failure> {
        Ok(())
    }
    pub(crate) fn start(&self, _: Outbound<'_>) -> Result<Waiting, Failure> {
        Ok(Waiting {})
    }
}

/// A call whose reply is waited for.
#[derive(Debug)]
pub struct Waiting {}

impl Waiting {
    pub(crate) fn poll_reply(&mut self, _: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
        Poll::Pending
    }
}
