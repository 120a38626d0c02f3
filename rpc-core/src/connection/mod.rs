//! One conversation over a byte stream, seen from either side.
//!
//! State machines: bytes and instants go in, bytes and events come out. No IO.

pub mod client;
