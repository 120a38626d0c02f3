//! A lone caller that sends its request itself: nobody wakes the connection's task for it.
//!
//! With several in flight the task sends what gathered, in one write for all of them. A caller that is
//! alone has nothing to gather: it would only wait until the task has its turn.

use super::{Driver, Shared, State};
use crate::sync::atomic::Ordering;

/// Longer messages are left to the task, which can wait for room.
const SMALL: usize = 16 * 1024;

/// Sends some bytes if that takes no time; gives how many.
pub(super) type Send = Box<dyn FnMut(&[u8]) -> usize + std::marker::Send>;

impl Driver {
    /// Lets callers send small requests by `send` while nothing else waits to be sent: it sends bytes
    /// if it can do so at once, and gives how many it sent. It is dropped when the connection ends.
    ///
    /// Whoever drives such a connection says [`all_sent`](Self::all_sent).
    ///
    /// ```
    /// use farcall_core::connection::{Speech, client::Client};
    /// use farcall_core::{encoding::Encoding, limits::Limits};
    ///
    /// let now = std::time::Instant::now;
    /// let (_client, driver) = Client::new(Speech::JsonRpc, Encoding::Json, Limits::default(), now);
    /// let (sender, _receiver) = std::sync::mpsc::channel::<Vec<u8>>();
    /// driver.send_directly(move |bytes| match sender.send(bytes.to_vec()) {
    ///     Ok(()) => bytes.len(),
    ///     Err(_) => 0,
    /// });
    /// ```
    pub fn send_directly(&self, send: impl FnMut(&[u8]) -> usize + std::marker::Send + 'static) {
        self.shared.lock().direct = Some(Box::new(send));
    }

    /// What [`transmit`](Self::transmit) gave has been sent. Until then no caller sends anything.
    #[inline]
    pub fn all_sent(&self) {
        self.shared.sending.store(false, Ordering::Release);
    }
}

impl State {
    /// True if what is written next is all there is to be sent, and nothing is being sent.
    #[inline]
    pub(super) fn may_send_directly(&self, shared: &Shared) -> bool {
        self.direct.is_some()
            && self.slots.len() == 0
            && self.out.is_idle()
            && !shared.sending.load(Ordering::Acquire)
    }

    /// Sends what was written since [`may_send_directly`](Self::may_send_directly). False if the
    /// driver is to be woken: for the rest of it, or to set its timer.
    #[inline]
    pub(super) fn send_directly(&mut self, shared: &Shared) -> bool {
        let Some(send) = &mut self.direct else {
            return false;
        };
        if self.out.len() > SMALL || self.out.whole.is_empty() {
            return false;
        }
        let count = send(&self.out.whole);
        self.out.leave(count);
        let alarm = self.alarm;
        self.begin(shared.now, shared);
        self.alarm == alarm && self.out.is_idle()
    }
}
