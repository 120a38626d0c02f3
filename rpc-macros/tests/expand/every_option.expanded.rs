pub(crate) trait PhoneBook: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Finds a person.
    ///
    /// By number.
    fn find_by_number(
        &self,
        number: &str,
        cx: &Context,
    ) -> impl ::core::future::Future<Output = Option<String>> + ::core::marker::Send;
    fn forget(
        &self,
        how_many: u64,
        all: bool,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn compress(
        &self,
        bytes: &[u8],
    ) -> impl ::core::future::Future<Output = Vec<u8>> + ::core::marker::Send;
    #[deprecated]
    fn r#match(
        &self,
        r#type: Option<u8>,
        request: String,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
/// Serves a [`PhoneBook`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
pub(crate) struct PhoneBookServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code)]
impl<S: PhoneBook> PhoneBookServer<S> {
    /// Serves `service`, an implementation of [`PhoneBook`].
    pub(crate) fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
impl<S> ::core::clone::Clone for PhoneBookServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
impl<S> ::core::fmt::Debug for PhoneBookServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("PhoneBookServer")
    }
}
impl<S: PhoneBook> my::rpc::Service for PhoneBookServer<S> {
    const METHODS: &'static [my::rpc::Method] = PhoneBookClient::METHODS;
    fn call(
        &self,
        request: my::rpc::Request,
    ) -> impl ::core::future::Future<
        Output = my::rpc::Reply,
    > + ::core::marker::Send + use<S> {
        let service = ::std::sync::Arc::clone(&self.service);
        async move {
            match request.index() {
                0 => {
                    let (number,) = request
                        .params::<
                            (my::rpc::params::Text<'_>,),
                        >((my::rpc::params::required,))?;
                    let answer = <S as PhoneBook>::find_by_number(
                            &service,
                            &number,
                            request.context(),
                        )
                        .await;
                    request.reply(&answer)
                }
                1 => {
                    let (how_many, all) = request
                        .params::<
                            (u64, bool),
                        >((
                            || ::core::option::Option::Some(3),
                            || ::core::option::Option::Some(
                                ::core::default::Default::default(),
                            ),
                        ))?;
                    <S as PhoneBook>::forget(&service, how_many, all).await;
                    request.reply(&())
                }
                2 => {
                    request
                        .blocking(move |request| async move {
                            let (bytes,) = request
                                .params::<
                                    (my::rpc::params::Blob<'_>,),
                                >((my::rpc::params::required,))?;
                            let answer = <S as PhoneBook>::compress(&service, &bytes)
                                .await;
                            request.reply(&answer)
                        })
                        .await
                }
                3 => {
                    let (r#type, request) = request
                        .params::<
                            (Option<u8>, String),
                        >((
                            my::rpc::params::optional,
                            || ::core::option::Option::Some("x".into()),
                        ))?;
                    #[allow(deprecated)]
                    <S as PhoneBook>::r#match(&service, r#type, request).await;
                    request.reply(&())
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`PhoneBook`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
pub(crate) struct PhoneBookClient {
    channel: my::rpc::Channel,
}
#[allow(dead_code)]
impl PhoneBookClient {
    /// The methods of a [`PhoneBook`].
    pub(crate) const METHODS: &'static [my::rpc::Method] = &[
        my::rpc::Method::new("phone.book.findByNumber", "Finds a person.\n\nBy number.")
            .takes(&[my::rpc::Param::required::<::std::string::String>("phoneNumber")])
            .returns::<Option<String>>()
            .aliases(&["lookup", "find"])
            .idempotent()
            .timeout_ms(50u64),
        my::rpc::Method::new("phone.book.Forget", "")
            .takes(
                &[
                    my::rpc::Param::defaulted::<u64>("how_many"),
                    my::rpc::Param::defaulted::<bool>("all"),
                ],
            )
            .notification(),
        my::rpc::Method::new("phone.book.compress", "")
            .takes(&[my::rpc::Param::required::<my::rpc::params::Bytes>("bytes")])
            .returns::<Vec<u8>>(),
        my::rpc::Method::new("phone.book.match", "")
            .takes(
                &[
                    my::rpc::Param::optional::<Option<u8>>("type"),
                    my::rpc::Param::defaulted::<String>("request"),
                ],
            ),
    ];
    /// A client that sends its calls over `channel`.
    pub(crate) fn new(channel: my::rpc::Channel) -> Self {
        Self { channel }
    }
    /// A client of the server at `address`.
    pub(crate) async fn connect(address: &str) -> my::rpc::Result<Self> {
        my::rpc::connect(address).await.map(Self::new)
    }
    /// A client of `server`, with no socket between: values still travel in `encoding`.
    pub(crate) fn in_memory(
        server: impl my::rpc::Service,
        encoding: my::rpc::Encoding,
    ) -> Self {
        Self::new(my::rpc::in_memory(server, encoding))
    }
    /// The channel that calls are sent over.
    pub(crate) fn channel(&self) -> &my::rpc::Channel {
        &self.channel
    }
    /// Several calls of this client, sent together in one round trip.
    pub(crate) fn batch<All: my::rpc::Calls>(
        &self,
        calls: All,
    ) -> my::rpc::Batch<'_, All> {
        self.channel.batch(calls)
    }
    /// The same client; its calls wait no longer than `timeout`, unless they say how long.
    pub(crate) fn with_timeout(&self, timeout: ::core::time::Duration) -> Self {
        Self::new(self.channel.clone().with_timeout(timeout))
    }
    /// The same client; its calls send `value` along as `name`, unless they have one.
    pub(crate) fn with_metadata(&self, name: &str, value: &str) -> Self {
        Self::new(self.channel.clone().with_metadata(name, value))
    }
    /// Finds a person.
    ///
    /// By number.
    pub(crate) fn find_by_number<'call>(
        &'call self,
        number: &'call str,
    ) -> my::rpc::Call<'call, (&'call str,), Option<String>> {
        self.channel.call(&Self::METHODS[0], (number,))
    }
    /// Calls [`PhoneBook::forget`].
    pub(crate) fn forget(
        &self,
        how_many: u64,
        all: bool,
    ) -> my::rpc::Call<'_, (u64, bool), ()> {
        self.channel.call(&Self::METHODS[1], (how_many, all))
    }
    /// Calls [`PhoneBook::compress`].
    pub(crate) fn compress<'call>(
        &'call self,
        bytes: &'call [u8],
    ) -> my::rpc::Call<'call, (my::rpc::params::Blob<'call>,), Vec<u8>> {
        self.channel.call(&Self::METHODS[2], (my::rpc::params::Blob::from(bytes),))
    }
    /// Calls [`PhoneBook::r#match`].
    #[deprecated]
    pub(crate) fn r#match(
        &self,
        r#type: Option<u8>,
        request: String,
    ) -> my::rpc::Call<'_, (Option<u8>, String), ()> {
        self.channel.call(&Self::METHODS[3], (r#type, request))
    }
}
