//! What answers requests: the generated servers, and whatever is put around them.

mod in_flight;
mod running;
mod streams;

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::codec::place::within;
use crate::context::{Context, Metadata, Peer};
use crate::encoding::Encoding;
use crate::error::{DecodeError, EncodeError};
use crate::fault::{Fault, TypedFault, code};
use crate::limits::Limits;
use crate::method::Method;
use crate::params::{Arguments, DecodeParams};
use crate::protocol::feed::Feed;
use crate::protocol::outbox::{ReplyId, finish};
use crate::protocol::tail::Tail;
use crate::trace;
use crate::wire::Written;

pub(crate) use in_flight::{Calls, Members, too_many};
pub(crate) use running::{Erased, Running, Slot, Started};
pub(crate) use streams::{Registered, Streams};

/// Answers requests. `#[farcall::service]` writes one for each trait; a layer is one around
/// another.
///
/// Cloned for each connection, so the value itself should be cheap to clone (an `Arc`).
///
/// ```
/// use farcall_core::{method::Method, service::{Reply, Request, Service}};
///
/// #[derive(Clone)]
/// struct Seven;
///
/// impl Service for Seven {
///     const METHODS: &'static [Method] = &[Method::new("seven", "").returns::<i32>()];
///
///     fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
///         async move {
///             let () = request.params(())?;
///             request.reply(&7)
///         }
///     }
/// }
/// ```
pub trait Service: Clone + Send + Sync + 'static {
    /// The methods it answers, in the order of [`Request::index`].
    const METHODS: &'static [Method];

    /// Answers one request for one of the [`METHODS`](Self::METHODS).
    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<Self>;
}

/// The outcome of a request: an answer that has been encoded, or a fault to be.
pub type Reply = Result<Answer, Fault>;

/// Proof that the result has been encoded, made by [`Request::reply`].
///
/// ```
/// use farcall_core::service::{Answer, Request};
///
/// fn seven(request: Request) -> Result<Answer, farcall_core::fault::Fault> {
///     request.reply(&7)
/// }
/// ```
#[must_use]
pub struct Answer {
    /// The bytes, where they did not go straight into a connection's buffer.
    pub(crate) body: Option<Vec<u8>>,
    /// What goes with them.
    pub(crate) metadata: Metadata,
}

impl Answer {
    /// All of it is in a connection's buffer, or nobody wants it.
    pub(crate) fn sent() -> Self {
        Self {
            body: None,
            metadata: Metadata::default(),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

/// One call as it reaches its service.
///
/// ```
/// use farcall_core::params::{optional, required};
/// use farcall_core::service::{Reply, Request};
///
/// fn greet(request: Request) -> Reply {
///     let (name, title) = request.params::<(String, Option<String>)>((required, optional))?;
///     request.reply(&format!("{} {name}", title.unwrap_or_default()))
/// }
/// ```
#[derive(Debug)]
pub struct Request {
    context: Context,
    index: usize,
    arguments: Arguments,
    reply_to: ReplyTo,
    /// Its streams, for as long as it is answered.
    streams: Option<Box<Registered>>,
}

/// Where the result goes.
#[derive(Debug)]
pub(crate) enum ReplyTo {
    /// Into this buffer, behind what is there; [`Answer::body`] is the whole of it.
    Buffer(Vec<u8>),
    /// Into the buffer of the peer's connection, as the reply to this request.
    Connection(ReplyId),
    /// A stream only: each of its items as an event.
    #[cfg_attr(not(feature = "json"), expect(dead_code, reason = "JSON has them"))]
    Feed(Arc<Feed>),
    /// Nowhere: a notification.
    Nobody,
}

impl Request {
    #[inline]
    pub(crate) fn new(
        context: Context,
        index: usize,
        arguments: Arguments,
        reply_to: ReplyTo,
    ) -> Self {
        Self {
            context,
            index,
            arguments,
            reply_to,
            streams: None,
        }
    }

    /// The same request with its streams.
    pub(crate) fn with_streams(mut self, streams: Registered) -> Self {
        self.streams = Some(Box::new(streams));
        self
    }

    /// Which of [`Service::METHODS`] is called.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Who calls, from where, until when.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The parameters, as the tuple of what the method takes. `absent` has for each parameter what
    /// stands in when it is left out: [`required`](crate::params::required),
    /// [`optional`](crate::params::optional), or a default.
    ///
    /// # Errors
    /// A fault that names the parameter that does not fit.
    pub fn params<'de, P: DecodeParams<'de>>(&'de self, absent: P::Absent) -> Result<P, Fault> {
        let Peer { limits, .. } = &**self.context.peer();
        let params = self.context.called().params;
        let budget = limits.budget();
        let mut read = self.arguments.decode(params, absent, budget);
        #[cfg(feature = "json")]
        if self.arguments.encoding == Encoding::Json
            && read.as_ref().is_err_and(DecodeError::is_malformed)
        {
            // JSON-RPC guesses where the parameters end, and leaves it to this to find out.
            let (text, guess) = self.arguments.place();
            if let Some(found) = crate::protocol::jsonrpc::second_look(text, guess) {
                read = self.arguments.decode_at(&found?, params, absent, budget);
            }
        }
        read.map_err(|error| self.misfit(&error))
    }

    /// What the caller may ask for.
    pub(crate) fn limits(&self) -> &Limits {
        &self.context.peer().limits
    }

    pub(crate) fn is_from_farcall(&self) -> bool {
        self.context.peer().is_farcall
    }

    /// The parameters as they came.
    pub(crate) fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Answers with `value`.
    ///
    /// # Errors
    /// A fault if the value has no form in the encoding or is too large to send.
    pub fn reply<T: Written + ?Sized>(self, value: &T) -> Reply {
        let encoding = self.encoding();
        self.reply_with(|out| encoding.encode(value, out))
    }

    /// How many bytes the reply may have.
    pub(crate) fn message_limit(&self) -> usize {
        self.context.peer().outbox.message_limit()
    }

    /// Answers with what `encode` appends: one value in the encoding.
    pub(crate) fn reply_with(
        self,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Reply {
        let metadata = self.reply_metadata()?;
        let peer = self.context.peer();
        let method = self.context.method();
        let encode = |out: &mut Vec<u8>| encode(out).map_err(|error| unsent(method, &error));
        match self.reply_to {
            ReplyTo::Nobody => Ok(Answer::sent()),
            ReplyTo::Feed(_) => {
                let words = format!("`{method}` gave a value in the place of a stream");
                Err(Fault::new(code::INTERNAL_ERROR, words))
            }
            ReplyTo::Connection(id) => {
                peer.outbox.reply(&id, &metadata, encode)?;
                Ok(Answer::sent())
            }
            ReplyTo::Buffer(mut out) => {
                peer.replies.make_room(&mut out);
                let message = Tail::begin(&mut out);
                let written = encode(message.out);
                finish(message, written, peer.outbox.message_limit(), 0)?;
                peer.replies.learn(out.len());
                let body = Some(out);
                Ok(Answer { body, metadata })
            }
        }
    }

    /// What the handler sends along with its answer.
    #[inline]
    fn reply_metadata(&self) -> Result<Metadata, Fault> {
        let metadata = self.context.take_reply_metadata();
        if !metadata.is_empty() {
            let checked = metadata.check();
            checked.map_err(|error| Fault::new(code::INTERNAL_ERROR, error.to_string()))?;
        }
        Ok(metadata)
    }

    /// Answers with what a fallible method gave.
    ///
    /// # Errors
    /// The method's own error as a fault; else as [`reply`](Self::reply).
    pub fn reply_result<T: Written, E: TypedFault>(self, result: &Result<T, E>) -> Reply {
        match result {
            Ok(value) => self.reply(value),
            Err(error) => Err(self.fault_of(error)),
        }
    }

    /// A method's own error as the caller gets it.
    fn fault_of<E: TypedFault>(&self, error: &E) -> Fault {
        let fault = error.to_fault(self.encoding());
        // To clients of XML-RPC but our own no data is sent: theirs is the plain fault.
        if fault.is_unsent() && self.encoding() == Encoding::Xml && !self.is_from_farcall() {
            return error.to_fault(Encoding::Bincode).after_it_ran();
        }
        fault.of_method(self.context.method()).after_it_ran()
    }

    /// Answers as `handle` does, on a thread where it may block, if the transport has any. Dropping
    /// this drops what `handle` waits for; what blocks goes on.
    ///
    /// # Errors
    /// As `handle` says.
    pub async fn blocking<H, F>(mut self, handle: H) -> Reply
    where
        H: FnOnce(Self) -> F + Send + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        let Some(threads) = self.context.peer().threads else {
            return handle(self).await;
        };
        // Parameters are read there too. What is on the thread may outlive the call.
        let context = self.context.clone();
        self.context = context.clone();
        let handling = trace::elsewhere(context.scope(async move { handle(self).await }));
        let (there, here) = handling.remote_handle();
        (threads.run)(Box::pin(there));
        here.await
    }

    /// The encoding of the parameters and of the answer.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.context.encoding()
    }

    /// The fault for an index that is none of the service's: the router never lets one through.
    #[must_use]
    pub fn unknown_method(&self) -> Fault {
        Fault::method_not_found(self.context.method())
    }

    /// The fault for parameters that could not be read.
    pub(crate) fn misfit(&self, error: &DecodeError) -> Fault {
        let method = self.context.method();
        let code = if error.is_malformed() {
            code::PARSE_ERROR
        } else {
            code::INVALID_PARAMS
        };
        Fault::new(code, format!("invalid parameters for `{method}`: {error}"))
    }

    /// The same caller's call of another method, answered into a buffer of its own.
    pub(crate) fn aside(
        &self,
        method: &'static Method,
        index: usize,
        arguments: Arguments,
    ) -> Self {
        let context = self.context.for_method(method);
        Self::new(context, index, arguments, ReplyTo::Buffer(Vec::new()))
    }
}

/// The error for a result that cannot be written.
#[cold]
fn unsent(method: &str, error: &EncodeError) -> EncodeError {
    EncodeError::new(within(
        format_args!("cannot send the result of `{method}`"),
        error,
    ))
}

/// A service whose type is forgotten, so that a router can hold several.
pub(crate) type AnyService = Arc<dyn Erased>;
