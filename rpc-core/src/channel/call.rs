//! One call as a value.

mod future;

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::again::{Again, Ended};
use super::{Channel, InFlight, Inbound, Options, Outbound, Way};
use crate::error::{DecodeError, Error, Failure};
use crate::fault::TypedFault;
use crate::method::Method;
use crate::params::EncodeParams;
use crate::stream::{Stream, Upload, Uploaded};
use crate::wire::Written;

pub use future::{CallFuture, CallWithMetadata};

/// One call, not sent before it is awaited. Dropping it while it is awaited cancels it.
///
/// Holds its arguments as they were given, borrowed ones borrowed: they are encoded on the
/// caller's task, straight into the connection's buffer.
///
/// ```no_run
/// # use std::time::Duration;
/// # use farcall_core::{channel::Channel, error::Error, method::{Method, Param}};
/// static ADD: Method = Method::new("add", "")
///     .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
///     .returns::<i64>();
///
/// # async fn example(channel: Channel) -> Result<(), Error> {
/// let sum: i64 = channel.call(&ADD, (7_i64, 3_i64)).timeout(Duration::from_millis(50)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct Call<'a, P, T, E = std::convert::Infallible> {
    channel: &'a Channel,
    method: &'static Method,
    params: P,
    options: Options,
    /// The stream that the method takes.
    upload: Option<Box<dyn Upload>>,
    returns: PhantomData<fn() -> Result<T, E>>,
}

impl<'a, P, T, E> Call<'a, P, T, E> {
    pub(super) fn new(channel: &'a Channel, method: &'static Method, params: P) -> Self {
        Self {
            channel,
            method,
            params,
            options: Options::of(method, channel.defaults.as_deref()),
            upload: None,
            returns: PhantomData,
        }
    }

    /// Waits no longer than `timeout` for the reply. The server is told, and stops as well. A call
    /// that a handler makes ends with that handler's deadline, if that is earlier.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sends `value` along under `name`, beside the parameters.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.add(name.into(), value);
        self
    }
}

impl<P, T, E> Call<'_, P, T, E> {
    /// Sends `items` as the stream that the method takes: each as it comes up and the server wants
    /// it, until the reply comes. Such a call has no time limit but its own.
    pub fn upload<I, S>(mut self, items: S) -> Self
    where
        I: Written + Send,
        S: Stream<Item = I> + Send + 'static,
    {
        self.upload = Some(Box::new(Uploaded::new(items)));
        self
    }

    pub(super) fn channel(&self) -> &Channel {
        self.channel
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.options.timeout = Some(timeout);
    }
}

impl<'a, P, T, E> Call<'a, P, T, E>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    /// The same call, whose result comes with what the handler sent along
    /// ([`Context::reply_metadata`](crate::context::Context::reply_metadata)).
    ///
    /// Nothing comes with it over a JSON-RPC stream, which has no place for it.
    ///
    /// ```no_run
    /// # use farcall_core::{channel::{Call, Channel}, error::Error, method::Method};
    /// static PING: Method = Method::new("ping", "").returns::<String>();
    ///
    /// # async fn example(channel: Channel) -> Result<(), Error> {
    /// let ping: Call<'_, (), String> = channel.call(&PING, ());
    /// let (answer, metadata) = ping.with_reply_metadata().await?;
    /// println!("{answer}, by {}", metadata.get("served-by").unwrap_or("nobody"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_reply_metadata(self) -> CallWithMetadata<'a, P, T, E> {
        CallWithMetadata::of(self.into_future())
    }
}

impl<P: EncodeParams, T, E> Call<'_, P, T, E> {
    /// Sends the call without asking for a reply: it is done when it is on its way.
    ///
    /// # Errors
    /// If it could not be sent. Whether the method ran, and how it ended, is not told.
    pub async fn notify(mut self) -> Result<(), Error> {
        self.options.notification = true;
        let mut again = Again::default();
        loop {
            let begun = self.channel.begun();
            let told = match self.tell() {
                Some(in_flight) => in_flight.await,
                None => return Ok(()),
            };
            let Err(mut failure) = told else {
                return Ok(());
            };
            loop {
                let Self {
                    channel,
                    method,
                    options,
                    ..
                } = &mut self;
                let ended = Ended {
                    failure,
                    deadline: None,
                    begun,
                };
                if let Some(failure) = again.failed(channel, method, options, ended) {
                    return Err(failure.into());
                }
                match poll_fn(|cx| again.poll(cx)).await {
                    Ok(()) => break,
                    Err(next) => failure = next,
                }
            }
        }
    }

    /// Sends the notification; gives what is to be waited for.
    fn tell(&self) -> Option<InFlight> {
        let outbound = self.outbound();
        let started = match &self.channel.way {
            Way::Carrier(carrier) => carrier.start(outbound),
            way => match way.client()?.notify(outbound) {
                Ok(()) => return None,
                Err(failure) => Err(failure),
            },
        };
        let failed = |failure| -> InFlight { Box::pin(std::future::ready(Err(failure))) };
        Some(started.unwrap_or_else(failed))
    }

    pub(super) fn outbound(&self) -> Outbound<'_> {
        Outbound {
            method: self.method,
            params: &self.params,
            options: &self.options,
        }
    }
}

impl<P, T, E> fmt::Debug for Call<'_, P, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.method.name)
    }
}

impl<'a, P, T, E> IntoFuture for Call<'a, P, T, E>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    type Output = Result<T, Error<E>>;
    type IntoFuture = CallFuture<'a, P, T, E>;

    fn into_future(self) -> CallFuture<'a, P, T, E> {
        CallFuture::new(self)
    }
}

impl<P: EncodeParams, T: DeserializeOwned, E: TypedFault> Call<'_, P, T, E> {
    /// The result of a call that has no reply.
    fn nothing(&self) -> Result<T, Error<E>> {
        let unit: UnitDeserializer<DecodeError> = ().into_deserializer();
        T::deserialize(unit).map_err(|error| Failure::decode(self.method.name, error).into())
    }

    /// The result in `reply`.
    #[inline]
    pub(super) fn read(&self, reply: &Inbound) -> Result<T, Error<E>> {
        let decoded = reply.decode(self.channel.budget);
        decoded.map_err(|error| Failure::decode(self.method.name, error).into())
    }

    pub(super) fn finish(&self, reply: Result<Inbound, Failure>) -> Result<T, Error<E>> {
        let failure = match reply {
            Ok(_) if self.options.notification => return self.nothing(),
            Ok(reply) => return self.read(&reply),
            Err(failure) => failure,
        };
        match failure.fault().and_then(E::from_fault) {
            Some(fault) => Err(Error::Fault(fault)),
            None => Err(failure.into()),
        }
    }
}
