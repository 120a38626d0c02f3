//! XML-RPC as it is on the wire: literal documents in and out, and what must not be let in.
#![cfg(feature = "xml")]

mod documents;
mod hostile;
mod multicall;
mod oracle;
mod reading;
mod replies;
mod round_trips;
mod service;
mod writing;
