//! XML-RPC (stand-in).
use std::sync::Arc;
use crate::channel::{Inbound, Outbound};
use crate::context::Caller;
use crate::error::{EncodeError, Failure};
use crate::fault::Fault;
use crate::payload::Payload;
use crate::router::Router;
pub(crate) fn write_fault(_: &mut Vec<u8>, _: &Fault, _: bool) {}
pub async fn answer(_: &Arc<Router>, _: Caller, _: Payload) -> Vec<u8> { Vec::new() }
pub fn write_call(_: &mut Vec<u8>, _: &Outbound<'_>) -> Result<(), EncodeError> { Ok(()) }
pub fn read_reply(_: Payload) -> Result<Inbound, Failure> { Err(Failure::peer("x")) }
