pub trait Store<
    K: Wire,
    V,
    const N: usize,
>: ::core::marker::Send + ::core::marker::Sync + 'static
where
    V: Wire + Sync,
    Self::Item: Clone,
{
    type Item: Wire;
    fn get(
        &self,
        key: K,
    ) -> impl ::core::future::Future<Output = Result<V, Fault>> + ::core::marker::Send;
    fn put(
        &self,
        key: K,
        value: &V,
        items: Vec<Self::Item>,
    ) -> impl ::core::future::Future<Output = Option<Self::Item>> + ::core::marker::Send;
}
/// Serves a [`Store`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
pub struct StoreServer<S, K, V, const N: usize> {
    service: ::std::sync::Arc<S>,
    types: ::core::marker::PhantomData<fn() -> (K, V)>,
}
#[allow(dead_code)]
impl<
    S: Store<K, V, N>,
    K: Wire + 'static,
    V: 'static,
    const N: usize,
> StoreServer<S, K, V, N>
where
    V: Wire + Sync,
    S::Item: Clone,
{
    /// Serves `service`, an implementation of [`Store`].
    pub fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
            types: ::core::marker::PhantomData,
        }
    }
}
impl<S, K, V, const N: usize> ::core::clone::Clone for StoreServer<S, K, V, N> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
            types: ::core::marker::PhantomData,
        }
    }
}
impl<S, K, V, const N: usize> ::core::fmt::Debug for StoreServer<S, K, V, N> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("StoreServer")
    }
}
impl<S: Store<K, V, N>, K: Wire + 'static, V: 'static, const N: usize> ::farcall::Service
for StoreServer<S, K, V, N>
where
    V: Wire + Sync,
    S::Item: Clone,
{
    const METHODS: &'static [::farcall::Method] = StoreClient::<
        K,
        V,
        N,
        <S as Store<K, V, N>>::Item,
    >::METHODS;
    fn call(
        &self,
        request: ::farcall::Request,
    ) -> impl ::core::future::Future<
        Output = ::farcall::Reply,
    > + ::core::marker::Send + use<S, K, V, N> {
        let service = ::std::sync::Arc::clone(&self.service);
        async move {
            match request.index() {
                0 => {
                    let (key,) = request.params::<(K,)>((::farcall::params::required,))?;
                    let answer = <S as Store<K, V, N>>::get(&service, key).await;
                    request.reply_result(&answer)
                }
                1 => {
                    let (key, value, items) = request
                        .params::<
                            (K, V, Vec<<S as Store<K, V, N>>::Item>),
                        >((
                            ::farcall::params::required,
                            ::farcall::params::required,
                            ::farcall::params::required,
                        ))?;
                    let answer = <S as Store<K, V, N>>::put(&service, key, &value, items)
                        .await;
                    request.reply(&answer)
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Store`] on the other side of a channel.
#[allow(dead_code)]
pub struct StoreClient<K, V, const N: usize, Item> {
    channel: ::farcall::Channel,
    types: ::core::marker::PhantomData<fn() -> (K, V, Item)>,
}
impl<K, V, const N: usize, Item> ::core::clone::Clone for StoreClient<K, V, N, Item> {
    fn clone(&self) -> Self {
        Self {
            channel: self.channel.clone(),
            types: ::core::marker::PhantomData,
        }
    }
}
impl<K, V, const N: usize, Item> ::core::fmt::Debug for StoreClient<K, V, N, Item> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("StoreClient").field("channel", &self.channel).finish()
    }
}
#[allow(dead_code)]
impl<
    K: Wire + 'static,
    V: 'static,
    const N: usize,
    Item: Wire + 'static,
> StoreClient<K, V, N, Item>
where
    V: Wire + Sync,
    Item: Clone,
{
    /// The methods of a [`Store`].
    pub const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("get", "")
            .takes(&[::farcall::Param::required::<K>("key")])
            .returns_or::<V>(::farcall::fault_kinds!(Fault)),
        ::farcall::Method::new("put", "")
            .takes(
                &[
                    ::farcall::Param::required::<K>("key"),
                    ::farcall::Param::required::<V>("value"),
                    ::farcall::Param::required::<Vec<Item>>("items"),
                ],
            )
            .returns::<Option<Item>>(),
    ];
    /// A client that sends its calls over `channel`.
    pub fn new(channel: ::farcall::Channel) -> Self {
        Self {
            channel,
            types: ::core::marker::PhantomData,
        }
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
    /// Calls [`Store::get`].
    pub fn get(&self, key: K) -> ::farcall::Call<'_, (K,), V, Fault> {
        self.channel.call(&Self::METHODS[0], (key,))
    }
    /// Calls [`Store::put`].
    pub fn put<'call>(
        &'call self,
        key: K,
        value: &'call V,
        items: Vec<Item>,
    ) -> ::farcall::Call<'call, (K, &'call V, Vec<Item>), Option<Item>> {
        self.channel.call(&Self::METHODS[1], (key, value, items))
    }
}
