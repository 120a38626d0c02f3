trait Bodies: Debug + ::core::marker::Send + ::core::marker::Sync + 'static {
    fn twice(
        &self,
        x: i64,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send {
        async move { self.once(x).await + self.once(x).await }
    }
    fn once(
        &self,
        x: i64,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send;
}
/// Serves a [`Bodies`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
struct BodiesServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code)]
impl<S: Bodies> BodiesServer<S> {
    /// Serves `service`, an implementation of [`Bodies`].
    fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
impl<S> ::core::clone::Clone for BodiesServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
impl<S> ::core::fmt::Debug for BodiesServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("BodiesServer")
    }
}
impl<S: Bodies> ::farcall::Service for BodiesServer<S> {
    const METHODS: &'static [::farcall::Method] = BodiesClient::METHODS;
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
                    let (x,) = request.params::<(i64,)>((::farcall::params::required,))?;
                    let answer = <S as Bodies>::twice(&service, x).await;
                    request.reply(&answer)
                }
                1 => {
                    let (x,) = request.params::<(i64,)>((::farcall::params::required,))?;
                    let answer = <S as Bodies>::once(&service, x).await;
                    request.reply(&answer)
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Bodies`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
struct BodiesClient {
    channel: ::farcall::Channel,
}
#[allow(dead_code)]
impl BodiesClient {
    /// The methods of a [`Bodies`].
    const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("twice", "")
            .takes(&[::farcall::Param::required::<i64>("x")])
            .returns::<i64>(),
        ::farcall::Method::new("once", "")
            .takes(&[::farcall::Param::required::<i64>("x")])
            .returns::<i64>(),
    ];
    /// A client that sends its calls over `channel`.
    fn new(channel: ::farcall::Channel) -> Self {
        Self { channel }
    }
    /// A client of the server at `address`.
    async fn connect(address: &str) -> ::farcall::Result<Self> {
        ::farcall::connect(address).await.map(Self::new)
    }
    /// A client of `server`, with no socket between: values still travel in `encoding`.
    fn in_memory(
        server: impl ::farcall::Service,
        encoding: ::farcall::Encoding,
    ) -> Self {
        Self::new(::farcall::in_memory(server, encoding))
    }
    /// The channel that calls are sent over.
    fn channel(&self) -> &::farcall::Channel {
        &self.channel
    }
    /// Several calls of this client, sent together in one round trip.
    fn batch<All: ::farcall::Calls>(&self, calls: All) -> ::farcall::Batch<'_, All> {
        self.channel.batch(calls)
    }
    /// The same client; its calls wait no longer than `timeout`, unless they say how long.
    fn with_timeout(&self, timeout: ::core::time::Duration) -> Self {
        Self::new(self.channel.clone().with_timeout(timeout))
    }
    /// The same client; its calls send `value` along as `name`, unless they have one.
    fn with_metadata(&self, name: &str, value: &str) -> Self {
        Self::new(self.channel.clone().with_metadata(name, value))
    }
    /// Calls [`Bodies::twice`].
    fn twice(&self, x: i64) -> ::farcall::Call<'_, (i64,), i64> {
        self.channel.call(&Self::METHODS[0], (x,))
    }
    /// Calls [`Bodies::once`].
    fn once(&self, x: i64) -> ::farcall::Call<'_, (i64,), i64> {
        self.channel.call(&Self::METHODS[1], (x,))
    }
}
