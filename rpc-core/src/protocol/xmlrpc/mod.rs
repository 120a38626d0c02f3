//! XML-RPC (<http://xmlrpc.com/spec.md>): documents in and out.
//!
//! `document` makes text of the bytes and reads what stands before the parameters or the result;
//! `write` writes calls, results and faults; `answer` is the server's side of one document,
//! `reply` the client's; `multicall` finds the members of a `system.multicall`, `batch` sends one.

mod alone;
mod answer;
mod batch;
mod document;
mod multicall;
mod reply;
mod write;

#[doc(hidden)]
pub use alone::serve;
pub use answer::answer;
pub(crate) use batch::{AFTER_BATCH, BEFORE_BATCH, read_batch, write_member};
pub(crate) use multicall::members;
pub use reply::read_reply;
pub use write::write_call;
pub(crate) use write::{write_fault, write_fault_value};
