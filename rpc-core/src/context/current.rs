//! The context of the handler that is being polled on this thread.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem::swap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use super::Context;

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

impl Context {
    /// The context of the handler that this is called in, however deep below it: none outside of
    /// a handler, and none in tasks that a handler started ([`scope`](Self::scope) takes it there).
    ///
    /// ```
    /// use farcall_core::context::Context;
    ///
    /// assert!(Context::current().is_none());
    /// ```
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).ok()?
    }

    /// `future`, for which this context is the current one: calls that it makes inherit its
    /// deadline. For what a handler hands to other tasks.
    ///
    /// ```
    /// use farcall_core::context::Context;
    ///
    /// async fn on_behalf_of(cx: &Context) -> Option<&'static str> {
    ///     cx.clone().scope(async { Context::current().map(|cx| cx.method()) }).await
    /// }
    /// ```
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut context = Some(self);
        poll_fn(|cx| {
            let _inside = enter(&mut context);
            future.as_mut().poll(cx)
        })
        .await
    }
}

/// The current handler's deadline, if it has one.
pub(crate) fn current_deadline() -> Option<Instant> {
    let deadline = |current: &RefCell<Option<Context>>| current.borrow().as_ref()?.deadline;
    CURRENT.try_with(deadline).ok()?
}

/// Makes `context` the current one until what this gives is dropped; meanwhile it holds the one
/// before. (No context is cloned or counted for that.)
#[inline]
pub(crate) fn enter(context: &mut Option<Context>) -> Inside<'_> {
    exchange(context);
    Inside(context)
}

/// Makes `context` the current one in the place of that of another call of its peer, which was
/// entered: nothing is counted, and little copied.
#[inline]
pub(crate) fn replace_current(context: &Context) {
    let _ = CURRENT.try_with(|current| match &mut *current.borrow_mut() {
        Some(current) if Arc::ptr_eq(&current.peer, &context.peer) => current.become_that(context),
        other => *other = Some(context.copy()),
    });
}

/// The current context, for as long as its call runs and no longer.
pub(crate) fn current_copy() -> Option<Context> {
    let copy = |current: &RefCell<Option<Context>>| current.borrow().as_ref().map(Context::copy);
    CURRENT.try_with(copy).ok()?
}

pub(crate) struct Inside<'a>(&'a mut Option<Context>);

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        exchange(self.0);
    }
}

#[inline]
fn exchange(context: &mut Option<Context>) {
    // A thread that is ending has none any more, and nobody to ask for it.
    let _ = CURRENT.try_with(|current| swap(&mut *current.borrow_mut(), context));
}

#[cfg(test)]
mod tests {
    use super::super::{Metadata, Peer};
    use super::*;
    use crate::encoding::Encoding;
    use crate::limits::Limits;
    use crate::method::Method;

    #[test]
    fn a_call_has_nothing_of_the_one_before_and_none_is_left_at_the_end() {
        static FIRST: Method = Method::new("first", "");
        static SECOND: Method = Method::new("second", "");

        let peer = Peer::new("mem", Encoding::Bincode, None, Limits::default());
        let peer = Arc::new(peer);
        let mut metadata = Metadata::default();
        metadata.insert("tenant", "7");
        let deadline = Some(Instant::now());
        let mut kept = None;
        let inside = enter(&mut kept);
        replace_current(&Context::new(Arc::clone(&peer), &FIRST, deadline, metadata));
        let first = Context::current().unwrap();
        assert_eq!((first.method(), first.deadline()), ("first", deadline));
        assert_eq!(first.metadata().get("tenant"), Some("7"));
        replace_current(&Context::new(peer, &SECOND, None, Metadata::default()));
        let second = Context::current().unwrap();
        assert_eq!((second.method(), second.deadline()), ("second", None));
        assert!(second.metadata().is_empty());
        assert_eq!(
            current_copy().map(|copy| copy.number()),
            Some(second.number())
        );
        drop(inside);
        assert!(Context::current().is_none());
    }
}
