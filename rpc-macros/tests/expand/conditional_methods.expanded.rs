#[cfg(feature = "net")]
trait Conditional: ::core::marker::Send + ::core::marker::Sync + 'static {
    #[cfg(unix)]
    fn fork(&self) -> impl ::core::future::Future<Output = u32> + ::core::marker::Send;
    fn exec(
        &self,
        path: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    #[cfg(unix)]
    #[cfg(feature = "signals")]
    fn kill(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn exit(
        &self,
        code: i32,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
#[cfg(feature = "net")]
/// Serves a [`Conditional`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
struct ConditionalServer<S> {
    service: ::std::sync::Arc<S>,
}
#[cfg(feature = "net")]
#[allow(dead_code)]
impl<S: Conditional> ConditionalServer<S> {
    /// Serves `service`, an implementation of [`Conditional`].
    fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
#[cfg(feature = "net")]
impl<S> ::core::clone::Clone for ConditionalServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
#[cfg(feature = "net")]
impl<S> ::core::fmt::Debug for ConditionalServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("ConditionalServer")
    }
}
#[cfg(feature = "net")]
impl<S: Conditional> ::farcall::Service for ConditionalServer<S> {
    const METHODS: &'static [::farcall::Method] = ConditionalClient::METHODS;
    fn call(
        &self,
        request: ::farcall::Request,
    ) -> impl ::core::future::Future<
        Output = ::farcall::Reply,
    > + ::core::marker::Send + use<S> {
        let service = ::std::sync::Arc::clone(&self.service);
        async move {
            match request.index() {
                #[cfg(unix)]
                0 => {
                    let () = request.params::<()>(())?;
                    let answer = <S as Conditional>::fork(&service).await;
                    request.reply(&answer)
                }
                index if index == 0 + cfg!(all(unix)) as usize => {
                    let (path,) = request
                        .params::<
                            (::farcall::params::Text<'_>,),
                        >((::farcall::params::required,))?;
                    <S as Conditional>::exec(&service, &path).await;
                    request.reply(&())
                }
                #[cfg(unix)]
                #[cfg(feature = "signals")]
                index if index == 1 + cfg!(all(unix)) as usize => {
                    let () = request.params::<()>(())?;
                    <S as Conditional>::kill(&service).await;
                    request.reply(&())
                }
                index if index
                    == 1 + cfg!(all(unix)) as usize
                        + cfg!(all(unix, feature = "signals")) as usize => {
                    let (code,) = request
                        .params::<(i32,)>((::farcall::params::required,))?;
                    <S as Conditional>::exit(&service, code).await;
                    request.reply(&())
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
#[cfg(feature = "net")]
/// Calls a [`Conditional`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
struct ConditionalClient {
    channel: ::farcall::Channel,
}
#[cfg(feature = "net")]
#[allow(dead_code)]
impl ConditionalClient {
    /// The methods of a [`Conditional`].
    const METHODS: &'static [::farcall::Method] = &[
        #[cfg(unix)]
        ::farcall::Method::new("fork", "").returns::<u32>(),
        ::farcall::Method::new("exec", "")
            .takes(&[::farcall::Param::required::<::std::string::String>("path")]),
        #[cfg(unix)]
        #[cfg(feature = "signals")]
        ::farcall::Method::new("kill", ""),
        ::farcall::Method::new("exit", "")
            .takes(&[::farcall::Param::required::<i32>("code")]),
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
    #[cfg(unix)]
    /// Calls [`Conditional::fork`].
    fn fork(&self) -> ::farcall::Call<'_, (), u32> {
        self.channel.call(&Self::METHODS[0], ())
    }
    /// Calls [`Conditional::exec`].
    fn exec<'call>(
        &'call self,
        path: &'call str,
    ) -> ::farcall::Call<'call, (&'call str,), ()> {
        self.channel.call(&Self::METHODS[0 + cfg!(all(unix)) as usize], (path,))
    }
    #[cfg(unix)]
    #[cfg(feature = "signals")]
    /// Calls [`Conditional::kill`].
    fn kill(&self) -> ::farcall::Call<'_, (), ()> {
        self.channel.call(&Self::METHODS[1 + cfg!(all(unix)) as usize], ())
    }
    /// Calls [`Conditional::exit`].
    fn exit(&self, code: i32) -> ::farcall::Call<'_, (i32,), ()> {
        self.channel
            .call(
                &Self::METHODS[1 + cfg!(all(unix)) as usize
                    + cfg!(all(unix, feature = "signals")) as usize],
                (code,),
            )
    }
}
