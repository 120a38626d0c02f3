//! Several calls sent together, each typed.

mod calls;
mod future;

use std::fmt;
use std::time::Duration;

pub use calls::{Calls, Member};
pub use future::BatchFuture;

use super::Channel;

/// Several calls that are sent together when this is awaited, in one round trip: as frames one
/// behind the other, as a JSON-RPC batch, or as a `system.multicall` of XML-RPC.
///
/// What comes back has the shape of what was given, each result typed: one that fails fails alone.
/// The error around them is of the batch as a whole: it could not be sent, or the server refused
/// it, and no result is known. Over HTTP a batch has one deadline, the latest of its calls', and
/// the metadata of all of them; its replies come all at once, which may be too late for a call that
/// had less time.
///
/// ```no_run
/// # use farcall_core::{channel::Channel, error::Error, method::{Method, Param}};
/// static ADD: Method = Method::new("add", "")
///     .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
///     .returns::<i64>();
///
/// # async fn example(channel: Channel) -> Result<(), Error> {
/// let add = |x: i64, y: i64| channel.call::<_, i64, std::convert::Infallible>(&ADD, (x, y));
/// let (one, other) = channel.batch((add(7, 3), add(1, 2))).await?;
/// assert_eq!(one? + other?, 13);
/// for sum in channel.batch(vec![add(7, 3), add(1, 2), add(3, 4)]).await? {
///     println!("{}", sum?);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a batch is sent when it is awaited"]
pub struct Batch<'a, C> {
    channel: &'a Channel,
    calls: C,
}

impl<'a, C: Calls> Batch<'a, C> {
    pub(super) fn new(channel: &'a Channel, calls: C) -> Self {
        Self { channel, calls }
    }

    /// Waits no longer than `timeout` for any of the replies.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.calls.set_timeout(timeout);
        self
    }
}

impl<C: Calls> fmt::Debug for Batch<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.calls.members();
        let names = names.iter().map(|member| member.call.method.name);
        f.write_str("Batch")?;
        f.debug_list().entries(names).finish()
    }
}

impl<'a, C: Calls> IntoFuture for Batch<'a, C> {
    type Output = <BatchFuture<'a, C> as Future>::Output;
    type IntoFuture = BatchFuture<'a, C>;

    fn into_future(self) -> BatchFuture<'a, C> {
        BatchFuture::new(self.channel, self.calls)
    }
}
