//! farcall's own frames (to be written).

use crate::error::EncodeError;
use crate::fault::Fault;

pub(crate) fn write_reply(
    out: &mut Vec<u8>,
    _id: u64,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    encode(out)
}

pub(crate) fn write_fault(_out: &mut Vec<u8>, _id: u64, _fault: &Fault) {}
