/// Integer arithmetic, as every RPC tutorial begins.
pub trait Calc: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Returns `x + y`.
    fn add(
        &self,
        x: i64,
        y: i64,
    ) -> impl ::core::future::Future<Output = i64> + ::core::marker::Send;
    /// Returns `x / y`, rounded toward zero.
    fn divide(
        &self,
        x: i64,
        y: i64,
    ) -> impl ::core::future::Future<
        Output = Result<i64, CalcError>,
    > + ::core::marker::Send;
    /// Forgets everything.
    fn clear(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
/// Serves a [`Calc`]: decodes each call, runs the method, encodes what it gives.
#[allow(dead_code)]
pub struct CalcServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code)]
impl<S: Calc> CalcServer<S> {
    /// Serves `service`, an implementation of [`Calc`].
    pub fn new(service: S) -> Self {
        Self {
            service: ::std::sync::Arc::new(service),
        }
    }
}
impl<S> ::core::clone::Clone for CalcServer<S> {
    fn clone(&self) -> Self {
        Self {
            service: ::std::sync::Arc::clone(&self.service),
        }
    }
}
impl<S> ::core::fmt::Debug for CalcServer<S> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("CalcServer")
    }
}
impl<S: Calc> ::farcall::Service for CalcServer<S> {
    const METHODS: &'static [::farcall::Method] = CalcClient::METHODS;
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
                    let (x, y) = request
                        .params::<
                            (i64, i64),
                        >((::farcall::params::required, ::farcall::params::required))?;
                    let answer = <S as Calc>::add(&service, x, y).await;
                    request.reply(&answer)
                }
                1 => {
                    let (x, y) = request
                        .params::<
                            (i64, i64),
                        >((::farcall::params::required, ::farcall::params::required))?;
                    let answer = <S as Calc>::divide(&service, x, y).await;
                    request.reply_result(&answer)
                }
                2 => {
                    let () = request.params::<()>(())?;
                    <S as Calc>::clear(&service).await;
                    request.reply(&())
                }
                _ => ::core::result::Result::Err(request.unknown_method()),
            }
        }
    }
}
/// Calls a [`Calc`] on the other side of a channel.
#[allow(dead_code)]
#[derive(Clone, Debug)]
pub struct CalcClient {
    channel: ::farcall::Channel,
}
#[allow(dead_code)]
impl CalcClient {
    /// The methods of a [`Calc`].
    pub const METHODS: &'static [::farcall::Method] = &[
        ::farcall::Method::new("add", "Returns `x + y`.")
            .takes(
                &[
                    ::farcall::Param::required::<i64>("x"),
                    ::farcall::Param::required::<i64>("y"),
                ],
            )
            .returns::<i64>(),
        ::farcall::Method::new("divide", "Returns `x / y`, rounded toward zero.")
            .takes(
                &[
                    ::farcall::Param::required::<i64>("x"),
                    ::farcall::Param::required::<i64>("y"),
                ],
            )
            .returns_or::<i64>(::farcall::fault_kinds!(CalcError)),
        ::farcall::Method::new("clear", "Forgets everything."),
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
    /// Returns `x + y`.
    pub fn add(&self, x: i64, y: i64) -> ::farcall::Call<'_, (i64, i64), i64> {
        self.channel.call(&Self::METHODS[0], (x, y))
    }
    /// Returns `x / y`, rounded toward zero.
    pub fn divide(
        &self,
        x: i64,
        y: i64,
    ) -> ::farcall::Call<'_, (i64, i64), i64, CalcError> {
        self.channel.call(&Self::METHODS[1], (x, y))
    }
    /// Forgets everything.
    pub fn clear(&self) -> ::farcall::Call<'_, (), ()> {
        self.channel.call(&Self::METHODS[2], ())
    }
}
