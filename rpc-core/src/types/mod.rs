//! Types for what other languages send and Rust has no word for, a date and any value; and bytes
//! that are not copied.

mod bytes;
mod date_time;
mod value;

pub use bytes::Bytes;
pub use date_time::{BadDateTime, DateTime};
pub use value::Value;

/// The names by which the XML codec knows these types among the newtypes.
pub(crate) use date_time::NAME as DATE_TIME;
pub(crate) use value::{NAME as VALUE, TOO_LARGE};
