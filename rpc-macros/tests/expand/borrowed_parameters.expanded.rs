trait Lends: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn plain(
        &self,
        text: &str,
        bytes: &[u8],
        list: &[i64],
        map: &HashMap<String, u8>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn optional(
        &self,
        text: Option<&str>,
        bytes: Option<&[u8]>,
        map: Option<&Map>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn named<'a>(
        &'a self,
        one: &'a str,
        cow: Cow<'a, str>,
    ) -> impl ::core::future::Future<Output = String> + ::core::marker::Send;
    fn records(
        &self,
        all: Vec<Record<'_>>,
        some: &[Record<'_>],
        last: Option<Record<'_>>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn defaults(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
/// Serves a [`Lends`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
struct LendsServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code)]
impl<S: Lends> LendsServer<S> {
    /// Serves `service`, an implementation of [`Lends`].
    fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
impl<S> ::core::clone::Clone for LendsServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
impl<S> ::core::fmt::Debug for LendsServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("LendsServer")
    }
}
impl<S: Lends> ::farcall::Service for LendsServer<S> {
    const METHODS: &'static [::farcall::Method] = LendsClient::METHODS;
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
                    let (text, bytes, list, map) = request
                        .params::<
                            (
                                ::farcall::params::Text<'_>,
                                ::farcall::params::Blob<'_>,
                                ::std::vec::Vec<i64>,
                                HashMap<String, u8>,
                            ),
                        >((
                            ::farcall::params::required,
                            ::farcall::params::required,
                            ::farcall::params::required,
                            ::farcall::params::required,
                        ))?;
                    <S as Lends>::plain(&service, &text, &bytes, &list, &map).await;
                    request.reply(&())
                }
                1 => {
                    let (text, bytes, map) = request
                        .params::<
                            (
                                ::core::option::Option<::farcall::params::Text<'_>>,
                                ::core::option::Option<::farcall::params::Blob<'_>>,
                                ::core::option::Option<Map>,
                            ),
                        >((
                            ::farcall::params::optional,
                            ::farcall::params::optional,
                            ::farcall::params::optional,
                        ))?;
                    <S as Lends>::optional(
                            &service,
                            text.as_deref(),
                            bytes.as_deref(),
                            map.as_ref(),
                        )
                        .await;
                    request.reply(&())
                }
                2 => {
                    let (one, cow) = request
                        .params::<
                            (::farcall::params::Text<'_>, Cow<'_, str>),
                        >((::farcall::params::required, ::farcall::params::required))?;
                    let answer = <S as Lends>::named(&service, &one, cow).await;
                    request.reply(&answer)
                }
                3 => {
                    let (all, some, last) = request
                        .params::<
                            (
                                Vec<Record<'_>>,
                                ::std::vec::Vec<Record<'_>>,
                                Option<Record<'_>>,
                            ),
                        >((
                            ::farcall::params::required,
                            ::farcall::params::required,
                            ::farcall::params::optional,
                        ))?;
                    <S as Lends>::records(&service, all, &some, last).await;
                    request.reply(&())
                }
                4 => {
                    let (name, bytes) = request
                        .params::<
                            (::farcall::params::Text<'_>, ::farcall::params::Blob<'_>),
                        >((
                            || ::core::option::Option::Some(("world").into()),
                            || ::core::option::Option::Some(b"".into()),
                        ))?;
                    <S as Lends>::defaults(&service, &name, &bytes).await;
                    request.reply(&())
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Lends`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
struct LendsClient {
    channel: ::farcall::Channel,
}
#[allow(dead_code)]
impl LendsClient {
    /// The methods of a [`Lends`].
    const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("plain", "")
            .takes(
                &[
                    ::farcall::Param::required::<::std::string::String>("text"),
                    ::farcall::Param::required::<::farcall::params::Bytes>("bytes"),
                    ::farcall::Param::required::<::std::vec::Vec<i64>>("list"),
                    ::farcall::Param::required::<HashMap<String, u8>>("map"),
                ],
            ),
        ::farcall::Method::new("optional", "")
            .takes(
                &[
                    ::farcall::Param::optional::<
                        ::core::option::Option<::std::string::String>,
                    >("text"),
                    ::farcall::Param::optional::<
                        ::core::option::Option<::farcall::params::Bytes>,
                    >("bytes"),
                    ::farcall::Param::optional::<::core::option::Option<Map>>("map"),
                ],
            ),
        ::farcall::Method::new("named", "")
            .takes(
                &[
                    ::farcall::Param::required::<::std::string::String>("one"),
                    ::farcall::Param::required::<Cow<'static, str>>("cow"),
                ],
            )
            .returns::<String>(),
        ::farcall::Method::new("records", "")
            .takes(
                &[
                    ::farcall::Param::required::<Vec<Record<'static>>>("all"),
                    ::farcall::Param::required::<
                        ::std::vec::Vec<Record<'static>>,
                    >("some"),
                    ::farcall::Param::optional::<Option<Record<'static>>>("last"),
                ],
            ),
        ::farcall::Method::new("defaults", "")
            .takes(
                &[
                    ::farcall::Param::defaulted::<::std::string::String>("name"),
                    ::farcall::Param::defaulted::<::farcall::params::Bytes>("bytes"),
                ],
            ),
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
    /// Calls [`Lends::plain`].
    fn plain<'call>(
        &'call self,
        text: &'call str,
        bytes: &'call [u8],
        list: &'call [i64],
        map: &'call HashMap<String, u8>,
    ) -> ::farcall::Call<
        'call,
        (
            &'call str,
            ::farcall::params::Blob<'call>,
            &'call [i64],
            &'call HashMap<String, u8>,
        ),
        (),
    > {
        self.channel
            .call(
                &Self::METHODS[0],
                (text, ::farcall::params::Blob::from(bytes), list, map),
            )
    }
    /// Calls [`Lends::optional`].
    fn optional<'call>(
        &'call self,
        text: Option<&'call str>,
        bytes: Option<&'call [u8]>,
        map: Option<&'call Map>,
    ) -> ::farcall::Call<
        'call,
        (
            Option<&'call str>,
            ::core::option::Option<::farcall::params::Blob<'call>>,
            Option<&'call Map>,
        ),
        (),
    > {
        self.channel
            .call(
                &Self::METHODS[1],
                (text, bytes.map(::farcall::params::Blob::from), map),
            )
    }
    /// Calls [`Lends::named`].
    fn named<'call>(
        &'call self,
        one: &'call str,
        cow: Cow<'call, str>,
    ) -> ::farcall::Call<'call, (&'call str, Cow<'call, str>), String> {
        self.channel.call(&Self::METHODS[2], (one, cow))
    }
    /// Calls [`Lends::records`].
    fn records<'call>(
        &'call self,
        all: Vec<Record<'call>>,
        some: &'call [Record<'call>],
        last: Option<Record<'call>>,
    ) -> ::farcall::Call<
        'call,
        (Vec<Record<'call>>, &'call [Record<'call>], Option<Record<'call>>),
        (),
    > {
        self.channel.call(&Self::METHODS[3], (all, some, last))
    }
    /// Calls [`Lends::defaults`].
    fn defaults<'call>(
        &'call self,
        name: &'call str,
        bytes: &'call [u8],
    ) -> ::farcall::Call<'call, (&'call str, ::farcall::params::Blob<'call>), ()> {
        self.channel
            .call(&Self::METHODS[4], (name, ::farcall::params::Blob::from(bytes)))
    }
}
