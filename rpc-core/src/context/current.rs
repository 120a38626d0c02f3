//! The context of the handler that is being polled on this thread.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem::swap;
use std::pin::pin;
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
