pub trait Sums: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn total(
        &self,
        numbers: impl Stream<
            Item = i64,
        > + ::core::marker::Send + ::core::marker::Unpin + 'static,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send;
    fn mean(
        &self,
        digits: u8,
        numbers: farcall::Items<f64>,
    ) -> impl ::core::future::Future<Output = Result<f64, Empty>> + ::core::marker::Send;
    fn running(
        &self,
        n: impl Stream<Item = i64> + Send + Unpin + 'static,
    ) -> impl Stream<Item = i64> + ::core::marker::Send;
}
/// Serves a [`Sums`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
pub struct SumsServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code)]
impl<S: Sums> SumsServer<S> {
    /// Serves `service`, an implementation of [`Sums`].
    pub fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
impl<S> ::core::clone::Clone for SumsServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
impl<S> ::core::fmt::Debug for SumsServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("SumsServer")
    }
}
impl<S: Sums> ::farcall::Service for SumsServer<S> {
    const METHODS: &'static [::farcall::Method] = SumsClient::METHODS;
    fn call(
        &self,
        request: ::farcall::Request,
    ) -> impl ::core::future::Future<
        Output = ::farcall::Reply,
    > + ::core::marker::Send + use<S> {
        let service = ::std::sync::Arc::clone(&self.service);
        async move {
            match request.index() {
                0 => {
                    let () = request.params::<()>(())?;
                    let answer = <S as Sums>::total(&service, request.items::<i64>())
                        .await;
                    request.reply(&answer)
                }
                1 => {
                    let (digits,) = request
                        .params::<(u8,)>((::farcall::params::required,))?;
                    let answer = <S as Sums>::mean(
                            &service,
                            digits,
                            request.items::<f64>(),
                        )
                        .await;
                    request.reply_result(&answer)
                }
                2 => {
                    let () = request.params::<()>(())?;
                    let items = <S as Sums>::running(&service, request.items::<i64>());
                    request.stream(items).await
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Sums`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
pub struct SumsClient {
    channel: ::farcall::Channel,
}
#[allow(dead_code)]
impl SumsClient {
    /// The methods of a [`Sums`].
    pub const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("total", "")
            .takes_stream::<i64>("numbers")
            .returns::<i64>(),
        ::farcall::Method::new("mean", "")
            .takes(&[::farcall::Param::required::<u8>("digits")])
            .takes_stream::<f64>("numbers")
            .returns_or::<f64>(::farcall::fault_kinds!(Empty)),
        ::farcall::Method::new("running", "")
            .takes_stream::<i64>("numbers")
            .returns::<i64>()
            .gives_stream(),
    ];
    /// A client that sends its calls over `channel`.
    pub fn new(channel: ::farcall::Channel) -> Self {
        Self { channel }
    }
    /// A client of the server at `address`.
    pub async fn connect(address: &str) -> ::farcall::Result<Self> {
        ::farcall::connect(address).await.map(Self::new)
    }
    /// A client of `server`, with no socket between: values still travel in `encoding`.
    pub fn in_memory(
        server: impl ::farcall::Service,
        encoding: ::farcall::Encoding,
    ) -> Self {
        Self::new(::farcall::in_memory(server, encoding))
    }
    /// The channel that calls are sent over.
    pub fn channel(&self) -> &::farcall::Channel {
        &self.channel
    }
    /// Several calls of this client, sent together in one round trip.
    pub fn batch<All: ::farcall::Calls>(&self, calls: All) -> ::farcall::Batch<'_, All> {
        self.channel.batch(calls)
    }
    /// The same client; its calls wait no longer than `timeout`, unless they say how long.
    pub fn with_timeout(&self, timeout: ::core::time::Duration) -> Self {
        Self::new(self.channel.clone().with_timeout(timeout))
    }
    /// The same client; its calls send `value` along as `name`, unless they have one.
    pub fn with_metadata(&self, name: &str, value: &str) -> Self {
        Self::new(self.channel.clone().with_metadata(name, value))
    }
    /// Calls [`Sums::total`].
    pub fn total(
        &self,
        numbers: impl ::farcall::Stream<Item = i64> + ::core::marker::Send + 'static,
    ) -> ::farcall::Call<'_, (), i64> {
        self.channel.call(&Self::METHODS[0], ()).upload(numbers)
    }
    /// Calls [`Sums::mean`].
    pub fn mean(
        &self,
        digits: u8,
        numbers: impl ::farcall::Stream<Item = f64> + ::core::marker::Send + 'static,
    ) -> ::farcall::Call<'_, (u8,), f64, Empty> {
        self.channel.call(&Self::METHODS[1], (digits,)).upload(numbers)
    }
    /// Calls [`Sums::running`].
    pub fn running(
        &self,
        n: impl ::farcall::Stream<Item = i64> + ::core::marker::Send + 'static,
    ) -> ::farcall::StreamCall<'_, (), i64> {
        self.channel.stream(&Self::METHODS[2], ()).upload(n)
    }
}
