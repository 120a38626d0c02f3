pub trait Editor: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn open(
        &self,
        uri: &str,
        line: Option<u32>,
    ) -> impl ::core::future::Future<Output = bool> + ::core::marker::Send;
    fn close(
        &self,
        uri: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
/// Serves a [`Editor`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
pub struct EditorServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code)]
impl<S: Editor> EditorServer<S> {
    /// Serves `service`, an implementation of [`Editor`].
    pub fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
impl<S> ::core::clone::Clone for EditorServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
impl<S> ::core::fmt::Debug for EditorServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("EditorServer")
    }
}
impl<S: Editor> ::farcall::Service for EditorServer<S> {
    const METHODS: &'static [::farcall::Method] = EditorClient::METHODS;
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
                    let (uri, line) = request
                        .params::<
                            (::farcall::params::Text<'_>, Option<u32>),
                        >((::farcall::params::required, ::farcall::params::optional))?;
                    let answer = <S as Editor>::open(&service, &uri, line).await;
                    request.reply(&answer)
                }
                1 => {
                    let (uri,) = request
                        .params::<
                            (::farcall::params::Text<'_>,),
                        >((::farcall::params::required,))?;
                    <S as Editor>::close(&service, &uri).await;
                    request.reply(&())
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Editor`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
pub struct EditorClient {
    channel: ::farcall::Channel,
}
#[allow(dead_code)]
impl EditorClient {
    /// The methods of a [`Editor`].
    pub const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("open", "")
            .takes(
                &[
                    ::farcall::Param::required::<::std::string::String>("uri"),
                    ::farcall::Param::optional::<Option<u32>>("line"),
                ],
            )
            .returns::<bool>()
            .named(),
        ::farcall::Method::new("close", "")
            .takes(&[::farcall::Param::required::<::std::string::String>("uri")]),
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
    /// Calls [`Editor::open`].
    pub fn open<'call>(
        &'call self,
        uri: &'call str,
        line: Option<u32>,
    ) -> ::farcall::Call<'call, (&'call str, Option<u32>), bool> {
        self.channel.call(&Self::METHODS[0], (uri, line))
    }
    /// Calls [`Editor::close`].
    pub fn close<'call>(
        &'call self,
        uri: &'call str,
    ) -> ::farcall::Call<'call, (&'call str,), ()> {
        self.channel.call(&Self::METHODS[1], (uri,))
    }
}
