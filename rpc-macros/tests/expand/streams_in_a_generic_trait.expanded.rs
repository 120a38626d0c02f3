trait Feed<K: Wire>: ::core::marker::Send + ::core::marker::Sync + 'static {
    type Item: Wire;
    fn since(&self, key: K) -> impl Stream<Item = Self::Item> + ::core::marker::Send;
    fn keep(
        &self,
        items: impl Stream<
            Item = (K, Self::Item),
        > + ::core::marker::Send + ::core::marker::Unpin + 'static,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
/// Serves a [`Feed`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
struct FeedServer<S, K> {
    service: ::std::sync::Arc<S>,
    types: ::core::marker::PhantomData<fn() -> (K,)>,
}
#[allow(dead_code)]
impl<S: Feed<K>, K: Wire + 'static> FeedServer<S, K> {
    /// Serves `service`, an implementation of [`Feed`].
    fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
            types: ::core::marker::PhantomData,
        }
    }
}
impl<S, K> ::core::clone::Clone for FeedServer<S, K> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
            types: ::core::marker::PhantomData,
        }
    }
}
impl<S, K> ::core::fmt::Debug for FeedServer<S, K> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("FeedServer")
    }
}
impl<S: Feed<K>, K: Wire + 'static> ::farcall::Service for FeedServer<S, K> {
    const METHODS: &'static [::farcall::Method] = FeedClient::<
        K,
        <S as Feed<K>>::Item,
    >::METHODS;
    fn call(
        &self,
        request: ::farcall::Request,
    ) -> impl ::core::future::Future<
        Output = ::farcall::Reply,
    > + ::core::marker::Send + use<S, K> {
        let service = ::std::sync::Arc::clone(&self.service);
        async move {
            match request.index() {
                0 => {
                    let (key,) = request.params::<(K,)>((::farcall::params::required,))?;
                    let items = <S as Feed<K>>::since(&service, key);
                    request.stream(items).await
                }
                1 => {
                    let () = request.params::<()>(())?;
                    <S as Feed<
                        K,
                    >>::keep(&service, request.items::<(K, <S as Feed<K>>::Item)>())
                        .await;
                    request.reply(&())
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Feed`] on the other side of a channel.
#[allow(dead_code)]
struct FeedClient<K, Item> {
    channel: ::farcall::Channel,
    types: ::core::marker::PhantomData<fn() -> (K, Item)>,
}
impl<K, Item> ::core::clone::Clone for FeedClient<K, Item> {
    fn clone(&self) -> Self {
        Self {
            channel: self.channel.clone(),
            types: ::core::marker::PhantomData,
        }
    }
}
impl<K, Item> ::core::fmt::Debug for FeedClient<K, Item> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("FeedClient").field("channel", &self.channel).finish()
    }
}
#[allow(dead_code)]
impl<K: Wire + 'static, Item: Wire + 'static> FeedClient<K, Item> {
    /// The methods of a [`Feed`].
    const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("since", "")
            .takes(&[::farcall::Param::required::<K>("key")])
            .returns::<Item>()
            .gives_stream(),
        ::farcall::Method::new("keep", "").takes_stream::<(K, Item)>("items"),
    ];
    /// A client that sends its calls over `channel`.
    fn new(channel: ::farcall::Channel) -> Self {
        Self {
            channel,
            types: ::core::marker::PhantomData,
        }
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
    /// Calls [`Feed::since`].
    fn since(&self, key: K) -> ::farcall::StreamCall<'_, (K,), Item> {
        self.channel.stream(&Self::METHODS[0], (key,))
    }
    /// Calls [`Feed::keep`].
    fn keep(
        &self,
        items: impl ::farcall::Stream<Item = (K, Item)> + ::core::marker::Send + 'static,
    ) -> ::farcall::Call<'_, (), ()> {
        self.channel.call(&Self::METHODS[1], ()).upload(items)
    }
}
