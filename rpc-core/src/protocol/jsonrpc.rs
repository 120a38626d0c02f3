//! JSON-RPC 2.0 (to be written).

use crate::error::EncodeError;
use crate::fault::Fault;

pub(crate) fn write_reply(
    out: &mut Vec<u8>,
    _raw_id: &[u8],
    _version_1: bool,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    encode(out)
}

pub(crate) fn write_fault(_out: &mut Vec<u8>, _raw_id: &[u8], _version_1: bool, _fault: &Fault) {}
