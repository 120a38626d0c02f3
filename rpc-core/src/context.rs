//! Who calls, from where, and until when.

mod current;
mod extra;
mod id;
mod metadata;
mod peer;
mod tls;

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use current::{current_copy, current_deadline, enter, replace_current};
use extra::Extra;
pub(crate) use id::Id;
pub use id::RequestId;
pub use metadata::{Metadata, MetadataError};
pub use peer::{Caller, Clock, Peer, Threads};
pub use tls::TlsPeer;

use crate::encoding::Encoding;
use crate::method::Method;

/// What a handler can know about the call it answers. A method asks for it with a parameter
/// `cx: &Context`, which is not on the wire.
///
/// ```
/// use farcall_core::context::Context;
///
/// fn greeting(cx: &Context) -> String {
///     format!("you called `{}` in {}", cx.method(), cx.encoding())
/// }
/// ```
#[derive(Debug)]
pub struct Context {
    peer: Arc<Peer>,
    method: &'static Method,
    deadline: Option<Instant>,
    metadata: Metadata,
    id: Id,
    /// Which of the peer's calls it is.
    number: u64,
    /// What few calls have, if this is a clone: it may outlive its call. The call's own context finds
    /// it by its number.
    extra: Option<Arc<Extra>>,
}

impl Context {
    /// The context of one call of `method` from `peer`.
    #[inline]
    #[must_use]
    pub fn new(
        peer: Arc<Peer>,
        method: &'static Method,
        deadline: Option<Instant>,
        metadata: Metadata,
    ) -> Self {
        let number = peer.extras.next_number();
        Self::numbered(peer, method, deadline, metadata, Id::None, number)
    }

    /// The same, of a request that its caller calls `id`.
    pub(crate) fn with_id(mut self, id: Id) -> Self {
        self.id = id;
        self
    }

    /// That of the peer's call `number`, one of [`Peer::next_numbers`], which its caller calls `id`.
    #[inline]
    pub(crate) fn numbered(
        peer: Arc<Peer>,
        method: &'static Method,
        deadline: Option<Instant>,
        metadata: Metadata,
        id: Id,
        number: u64,
    ) -> Self {
        Self {
            peer,
            method,
            deadline,
            metadata,
            id,
            number,
            extra: None,
        }
    }

    /// The method's wire name.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method.name
    }

    /// The address of the caller, where its transport has addresses.
    #[must_use]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// What the call came in by: `tcp`, `tls`, `unix`, `http`, `https`, `ws`,
    /// `wss` or `mem`.
    #[must_use]
    pub fn transport(&self) -> &'static str {
        self.peer.transport
    }

    /// What TLS says of the caller; `None` if the call did not come in over TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsPeer> {
        self.peer.tls.as_deref()
    }

    /// What its values are encoded in.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.peer.encoding
    }

    /// What the caller calls its request, to be found again in logs: the metadata `x-request-id`
    /// where there is some (over HTTP the header of that name), else the id that the protocol gave
    /// it. None of a notification, and none in XML-RPC, which has no ids.
    ///
    /// ```
    /// use farcall_core::context::Context;
    ///
    /// fn name_in_logs(cx: &Context) -> String {
    ///     cx.request_id().map_or_else(|| "-".to_owned(), |id| id.to_string())
    /// }
    /// ```
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId<'_>> {
        match self.metadata.get("x-request-id") {
            Some(given) => Some(RequestId::Given(given)),
            None => self.id.shown(),
        }
    }

    /// When the caller stops waiting, if it said so.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long the caller still waits, if it said so; nothing once its deadline is past.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let now = self.peer.clock?.now;
        Some(self.deadline?.saturating_duration_since(now()))
    }

    /// Ready once nobody waits for this call's answer any more: its caller gave it up, its deadline
    /// passed, its connection was lost, or it was answered.
    ///
    /// A handler is dropped then, so this is for what goes on without it: the tasks it started, and
    /// work on threads (`#[rpc(blocking)]`, which may ask [`is_cancelled`](Self::is_cancelled)).
    ///
    /// ```
    /// use farcall_core::context::Context;
    /// use futures_util::future::{Either, select};
    ///
    /// async fn unless_given_up<F: Future + Unpin>(cx: &Context, work: F) -> Option<F::Output> {
    ///     match select(work, std::pin::pin!(cx.cancelled())).await {
    ///         Either::Left((done, _)) => Some(done),
    ///         Either::Right(_) => None,
    ///     }
    /// }
    /// ```
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + Sync + use<> {
        let over = self.extra().over();
        async move {
            if let Some(over) = over {
                // An error, as it has to be: nothing is ever sent.
                let _ = over.await;
            }
        }
    }

    /// True once [`cancelled`](Self::cancelled) is ready.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        // The call's own context has nothing to ask: it does not outlive the call.
        self.extra.as_ref().is_some_and(|extra| extra.is_over())
    }

    /// What the caller sent along; over HTTP the request's headers, but for those that are HTTP's
    /// own.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Sends `value` along under `name` with the answer, where its caller reads it beside the
    /// result. Called again with the same name, it adds a second value.
    ///
    /// It travels in native frames, and over HTTP as a header, `farcall-meta-` before its name. A
    /// JSON-RPC reply on a stream has no place for it, nor has one of many in a JSON-RPC batch or a
    /// `system.multicall`; a fault has none anywhere: there it is dropped. A stream's has to be there
    /// when the stream is opened.
    ///
    /// A name is made of what HTTP takes in one (letters, digits, `-`, `_`, `.`), a value has no
    /// control characters and no blank at either end. With one that has, the answer is a fault that
    /// says so (-32603).
    ///
    /// ```
    /// use farcall_core::context::Context;
    ///
    /// fn answered_from_cache(cx: &Context, age: u32) {
    ///     cx.reply_metadata("cache-age", age.to_string());
    /// }
    /// ```
    pub fn reply_metadata(&self, name: impl Into<String>, value: impl Into<String>) {
        self.extra().reply_metadata(name.into(), value.into());
    }

    /// The value of this type that a layer gave the call, with [`extend`](Self::extend).
    #[must_use]
    pub fn extension<T: Any + Clone>(&self) -> Option<T> {
        self.existing_extra()?.extension()
    }

    /// Gives the call a value, for whoever asks for one of its type further on: an authenticated
    /// user, say. One of that type that was there is replaced.
    ///
    /// ```
    /// use farcall_core::method::Method;
    /// use farcall_core::service::{Reply, Request, Service};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(u32);
    ///
    /// /// Tells the handlers of `S` whose call it is: `cx.extension::<Tenant>()`.
    /// #[derive(Clone)]
    /// struct OfTenant<S>(S);
    ///
    /// impl<S: Service> Service for OfTenant<S> {
    ///     const METHODS: &'static [Method] = S::METHODS;
    ///
    ///     fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<S> {
    ///         let service = self.0.clone();
    ///         async move {
    ///             let cx = request.context();
    ///             if let Some(number) = cx.metadata().get_as("tenant")? {
    ///                 cx.extend(Tenant(number));
    ///             }
    ///             service.call(request).await
    ///         }
    ///     }
    /// }
    /// ```
    pub fn extend<T: Any + Clone + Send + Sync>(&self, value: T) {
        self.extra().extend(value);
    }

    /// What is to be sent along with the answer.
    #[inline]
    pub(crate) fn take_reply_metadata(&self) -> Metadata {
        match self.existing_extra() {
            None => Metadata::default(),
            Some(extra) => extra.take_reply_metadata(),
        }
    }

    pub(crate) fn called(&self) -> &'static Method {
        self.method
    }

    pub(crate) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// The same caller's context for a further call, of another method.
    pub(crate) fn for_method(&self, method: &'static Method) -> Self {
        Self {
            method,
            number: self.peer.extras.next_number(),
            ..self.copy()
        }
    }

    /// The same context, for as long as the call runs and no longer.
    #[inline]
    pub(crate) fn copy(&self) -> Self {
        Self {
            peer: Arc::clone(&self.peer),
            method: self.method,
            deadline: self.deadline,
            metadata: self.metadata.clone(),
            id: self.id.clone(),
            number: self.number,
            extra: None,
        }
    }

    /// Which of its peer's calls it is.
    #[cfg(test)]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The call is over.
    #[inline]
    pub(crate) fn end(&self) {
        self.peer.end_call(self.number);
    }

    /// Becomes that of another call of the same peer.
    #[inline]
    fn become_that(&mut self, other: &Self) {
        self.method = other.method;
        self.deadline = other.deadline;
        self.number = other.number;
        self.id = other.id.clone();
        if !(self.metadata.is_empty() && other.metadata.is_empty()) {
            self.metadata = other.metadata.clone();
        }
    }

    /// Lets go of what the last call brought, until the next.
    #[inline]
    pub(crate) fn let_go(&mut self) {
        self.id = Id::None;
        self.metadata = Metadata::default();
    }

    fn extra(&self) -> Arc<Extra> {
        match &self.extra {
            Some(extra) => Arc::clone(extra),
            None => self.peer.extras.of(self.number),
        }
    }

    /// The same, if it is there.
    #[inline]
    fn existing_extra(&self) -> Option<Arc<Extra>> {
        match &self.extra {
            Some(extra) => Some(Arc::clone(extra)),
            None if self.peer.extras.is_any() => self.peer.extras.get(self.number),
            None => None,
        }
    }
}

/// A clone may outlive its call: the call is told of it, once.
impl Clone for Context {
    fn clone(&self) -> Self {
        Self {
            extra: Some(self.extra()),
            ..self.copy()
        }
    }
}
