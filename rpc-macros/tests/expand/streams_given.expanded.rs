pub trait Chat: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn count(&self, to: u32) -> impl Stream<Item = u32> + ::core::marker::Send;
    fn lines(
        &self,
        name: &str,
        cx: &Context,
    ) -> impl ::core::future::Future<
        Output = impl futures::Stream<Item = String> + Send,
    > + ::core::marker::Send;
    fn checked(
        &self,
    ) -> impl Stream<Item = Result<u32, Overflow>> + ::core::marker::Send;
    fn open(
        &self,
        tags: &[Tag],
        seed: Cow<'_, str>,
    ) -> impl ::core::future::Future<
        Output = Result<impl Stream<Item = u8> + ::core::marker::Send, Closed>,
    > + ::core::marker::Send;
    fn both(
        &self,
    ) -> impl ::core::future::Future<
        Output = Result<
            impl Stream<Item = Result<u8, Overflow>> + ::core::marker::Send,
            Closed,
        >,
    > + ::core::marker::Send;
}
/// Serves a [`Chat`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
pub struct ChatServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code)]
impl<S: Chat> ChatServer<S> {
    /// Serves `service`, an implementation of [`Chat`].
    pub fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
impl<S> ::core::clone::Clone for ChatServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
impl<S> ::core::fmt::Debug for ChatServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("ChatServer")
    }
}
impl<S: Chat> ::farcall::Service for ChatServer<S> {
    const METHODS: &'static [::farcall::Method] = ChatClient::METHODS;
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
                    let (to,) = request
                        .params::<(u32,)>((::farcall::params::required,))?;
                    let items = <S as Chat>::count(&service, to);
                    request.stream(items).await
                }
                1 => {
                    let (name,) = request
                        .params::<
                            (::std::string::String,),
                        >((::farcall::params::required,))?;
                    let context = ::core::clone::Clone::clone(request.context());
                    let items = <S as Chat>::lines(&service, &name, &context).await;
                    request.stream(items).await
                }
                2 => {
                    let () = request.params::<()>(())?;
                    let items = <S as Chat>::checked(&service);
                    request.try_stream(items).await
                }
                3 => {
                    let (tags, seed) = request
                        .params::<
                            (::std::vec::Vec<Tag>, Cow<'static, str>),
                        >((::farcall::params::required, ::farcall::params::required))?;
                    let answer = <S as Chat>::open(&service, &tags, seed).await;
                    match answer {
                        ::core::result::Result::Ok(items) => request.stream(items).await,
                        ::core::result::Result::Err(error) => request.refuse(&error),
                    }
                }
                4 => {
                    let () = request.params::<()>(())?;
                    let answer = <S as Chat>::both(&service).await;
                    match answer {
                        ::core::result::Result::Ok(items) => {
                            request.try_stream(items).await
                        }
                        ::core::result::Result::Err(error) => request.refuse(&error),
                    }
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Chat`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
pub struct ChatClient {
    channel: ::farcall::Channel,
}
#[allow(dead_code)]
impl ChatClient {
    /// The methods of a [`Chat`].
    pub const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("count", "")
            .takes(&[::farcall::Param::required::<u32>("to")])
            .returns::<u32>()
            .gives_stream(),
        ::farcall::Method::new("lines", "")
            .takes(&[::farcall::Param::required::<::std::string::String>("name")])
            .returns::<String>()
            .gives_stream(),
        ::farcall::Method::new("checked", "")
            .returns::<u32>()
            .gives_stream()
            .item_errors(::farcall::fault_kinds!(Overflow)),
        ::farcall::Method::new("open", "")
            .takes(
                &[
                    ::farcall::Param::required::<::std::vec::Vec<Tag>>("tags"),
                    ::farcall::Param::required::<Cow<'static, str>>("seed"),
                ],
            )
            .returns_or::<u8>(::farcall::fault_kinds!(Closed))
            .gives_stream(),
        ::farcall::Method::new("both", "")
            .returns_or::<u8>(::farcall::fault_kinds!(Closed))
            .gives_stream()
            .item_errors(::farcall::fault_kinds!(Overflow)),
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
    /// Calls [`Chat::count`].
    pub fn count(&self, to: u32) -> ::farcall::StreamCall<'_, (u32,), u32> {
        self.channel.stream(&Self::METHODS[0], (to,))
    }
    /// Calls [`Chat::lines`].
    pub fn lines<'call>(
        &'call self,
        name: &'call str,
    ) -> ::farcall::StreamCall<'call, (&'call str,), String> {
        self.channel.stream(&Self::METHODS[1], (name,))
    }
    /// Calls [`Chat::checked`].
    pub fn checked(&self) -> ::farcall::StreamCall<'_, (), u32, Overflow> {
        self.channel.stream(&Self::METHODS[2], ())
    }
    /// Calls [`Chat::open`].
    pub fn open<'call>(
        &'call self,
        tags: &'call [Tag],
        seed: Cow<'call, str>,
    ) -> ::farcall::StreamCall<
        'call,
        (&'call [Tag], Cow<'call, str>),
        u8,
        ::core::convert::Infallible,
        Closed,
    > {
        self.channel.stream(&Self::METHODS[3], (tags, seed))
    }
    /// Calls [`Chat::both`].
    pub fn both(&self) -> ::farcall::StreamCall<'_, (), u8, Overflow, Closed> {
        self.channel.stream(&Self::METHODS[4], ())
    }
}
