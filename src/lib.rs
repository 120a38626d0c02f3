#![doc = include_str!("../README.md")]

// `#[farcall::service]` says `::farcall::…`, in this crate's own examples too.
extern crate self as farcall;

pub use farcall_core::channel::{
    Batch, BatchFuture, Call, CallFuture, CallWithMetadata, Calls, Carrier, Channel, Failed, Line,
    Recover, Recovering, StreamCall, Streaming,
};
pub use farcall_core::context::{Context, Metadata, MetadataError, RequestId, TlsPeer};
pub use farcall_core::encoding::Encoding;
pub use farcall_core::error::{Error, Failure};
pub use farcall_core::fault::{Fault, TypedFault, code};
#[doc(hidden)]
pub use farcall_core::fault_kinds;
pub use farcall_core::guard::{Check, Guarded, Tokens};
pub use farcall_core::introspection::Info;
pub use farcall_core::limits::Limits;
pub use farcall_core::method::{Method, Param};
pub use farcall_core::params;
#[cfg(feature = "schemars")]
#[doc(hidden)]
pub use farcall_core::schema_of;
pub use farcall_core::service::{Answer, Reply, Request, Service};
pub use farcall_core::stream::{Items, Stream};
pub use farcall_core::types;
pub use farcall_core::wire::Wire;
pub use farcall_transport::address::{Address, BadAddress, Transport};
pub use farcall_transport::allow::{AllowList, AllowListError};
#[cfg(feature = "tls")]
pub use farcall_transport::connect::connect_with_tls;
pub use farcall_transport::connect::{Connect, connect, connect_with, in_memory, over};
#[cfg(feature = "http")]
pub use farcall_transport::http::{BadOrigin, Cors, HttpService, ResponseBody};
pub use farcall_transport::proxies::Proxies;
pub use farcall_transport::retry::Retry;
pub use farcall_transport::server::{
    Gauges, ListenError, Listening, Protocol, Protocols, Report, Server,
};
#[cfg(feature = "tls")]
pub use farcall_transport::tls::{ClientTls, ServerTls, TlsError, rustls};

pub use farcall_transport::testing;

/// The Rust in docs/interop.md compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/interop.md")]
struct Interoperation;

/// Makes a server and a client of a trait.
///
/// ```
/// use farcall::{Context, Encoding};
///
/// /// Integer arithmetic, as every RPC tutorial begins.
/// #[farcall::service]
/// pub trait Calc {
///     /// Returns `x + y`.
///     async fn add(&self, x: i64, y: i64) -> i64;
///     /// Returns `x / y`, rounded toward zero.
///     async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError>;
///     /// Greets; foreign callers may leave `name` out.
///     async fn greet(&self, #[rpc(default = "world")] name: &str) -> String;
///     /// Who am I to you? (`cx` is not on the wire.)
///     async fn whoami(&self, cx: &Context) -> String;
/// }
///
/// #[derive(Debug, thiserror::Error, farcall::Fault)]
/// pub enum CalcError {
///     #[error("division by zero")]
///     #[fault(code = 1)]
///     DivisionByZero,
/// }
///
/// struct Pocket;
///
/// impl Calc for Pocket {
///     async fn add(&self, x: i64, y: i64) -> i64 {
///         x + y
///     }
///     async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError> {
///         if y == 0 {
///             return Err(CalcError::DivisionByZero);
///         }
///         Ok(x.div_euclid(y))
///     }
///     async fn greet(&self, name: &str) -> String {
///         format!("Hello, {name}!")
///     }
///     async fn whoami(&self, cx: &Context) -> String {
///         format!("a caller who speaks {}", cx.encoding())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), farcall::Error> {
/// let calc = CalcClient::in_memory(CalcServer::new(Pocket), Encoding::Xml);
/// assert_eq!(calc.add(7, 3).await?, 10);
/// # Ok(())
/// # }
/// ```
///
/// # What a trait may have
///
/// Methods are `async fn`s that take `&self`, or functions that give a [stream](#streams). Their parameters and results are whatever serde can
/// write and read; parameters may be borrowed (`&str`, `&[u8]`, `&[T]`, `&T`, or an `Option` of
/// one), and an `Option` may be left out by the caller. Types of your own that
/// [borrow](#records-that-borrow) are named with their lifetimes, `Vec<Record<'_>>`. A method is fallible if its return type is
/// spelled `Result<T, E>`; `E` derives [`Fault`](derive@Fault). A `cx: &Context` parameter is not
/// on the wire. Bodies, bounds, type parameters, associated types, `#[cfg]` and documentation are
/// as in any trait. Implementations write plain `async fn`s; their futures have to be `Send`.
///
/// # Options
///
/// | on the trait | |
/// |---|---|
/// | `namespace = "calc"` | `add` is called `calc.add` |
/// | `rename_all = "camelCase"` | how methods are spelled; all of serde's spellings |
/// | `params = "named"` | the client writes parameters by name where the protocol has names, in JSON-RPC; `"positional"`, a list, is the default. A server takes both |
/// | `encodings = "json, xml"` | the encodings that the types must fit: see [below](#what-encodings-checks) |
/// | `crate = path` | where farcall is, if it is not `::farcall` |
///
/// | `#[rpc(…)]` on a method | |
/// |---|---|
/// | `name = "…"` | its name, behind the namespace |
/// | `alias = "…"` | one more name, in full; may be repeated |
/// | `idempotent` | running it twice is as good as once: a lost call may be made again |
/// | `timeout = "5s"` | how long a call may take where the caller does not say; `ms`, `s`, `m`, `h` |
/// | `params = "…"` | as on the trait, for this method |
/// | `notify` | its callers want no reply; it returns nothing |
/// | `blocking` | it may block: the server runs it on a thread of its own, not among the other calls |
///
/// | `#[rpc(…)]` on a parameter | |
/// |---|---|
/// | `name = "…"` | its name on the wire |
/// | `default` | `Default::default()` where it is left out |
/// | `default = expr` | `expr` where it is left out; a string literal fits `&str` and `String` |
///
/// # What `encodings` checks
///
/// An attribute sees how a type is spelled, and not what it is. With `encodings = "…"`, some of
/// `bincode`, `json` and `xml`, it refuses in parameters and results what it knows to fail by that:
///
/// - for `json` and `xml`, the key of a `HashMap` or `BTreeMap` that is spelled as a tuple, `()`, an
///   array, a slice, a `Vec` or another standard collection, an `Option` or a float, behind
///   references and `Box`, `Rc`, `Arc` or `Cow` too: the keys of their maps are text;
/// - for `bincode`, `serde_json::Value`, `Map` and `Number`, written with that path: they ask what
///   comes next, and bincode does not say;
/// - for `bincode` and `xml`, `serde_json`'s `RawValue`, written with its path.
///
/// It looks into references, tuples, arrays, slices, `Option`, `Result`, `Box`, `Rc`, `Arc`, `Cow`
/// and the standard collections, and into no other type: any other may have a serde form of its own.
/// So it cannot know what is in your own structs and behind aliases, nor untagged enums, nor the
/// fields of errors, nor values that do not fit although others of their type do (a `u64` beyond 2^63
/// in XML, NaN in JSON). Those fail when they are sent, with an error that names the method, the
/// parameter and the reason.
///
/// It does not choose what a server speaks: [`Server::protocols`] does.
///
/// # Records that borrow
///
/// The fields of a parameter can stay in the message it came in, and nothing is allocated for them:
///
/// ```
/// # use std::borrow::Cow;
/// # use farcall::Encoding;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize)]
/// pub struct Record<'a> {
///     #[serde(borrow)]
///     name: &'a str,
///     #[serde(borrow)]
///     note: Cow<'a, str>,
/// }
///
/// #[farcall::service]
/// pub trait Book {
///     async fn longest(&self, records: Vec<Record<'_>>) -> usize;
/// }
/// # struct Paper;
/// # impl Book for Paper {
/// #     async fn longest(&self, records: Vec<Record<'_>>) -> usize {
/// #         records.iter().map(|record| record.name.len()).max().unwrap_or_default()
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), farcall::Error> {
/// # let book = BookClient::in_memory(BookServer::new(Paper), Encoding::Bincode);
/// let names = ["Ada".to_owned(), "Grace".to_owned()];
/// let records = names.iter().map(|name| Record { name, note: "".into() });
/// assert_eq!(book.longest(records.collect()).await?, 5);
/// # Ok(())
/// # }
/// ```
///
/// What is not in the message as it is cannot be borrowed: in JSON and XML text with escapes, and
/// bytes. There a field `&str` is an error that says so, and a `Cow<str>` is owned.
///
/// # Streams
///
/// A method can give a stream, and take one beside its parameters:
///
/// ```
/// # use farcall::{Fault, Stream};
/// # #[derive(Debug, thiserror::Error, Fault)]
/// # pub enum ReadError {}
/// # #[derive(Debug, thiserror::Error, Fault)]
/// # pub enum OpenError {}
/// #[farcall::service]
/// pub trait Sums {
///     /// Counts up to `to`.
///     fn count(&self, to: u32) -> impl Stream<Item = u32>;
///     /// May fail to open, and at each line.
///     async fn lines(&self, path: &str)
///     -> Result<impl Stream<Item = Result<String, ReadError>>, OpenError>;
///     /// Takes a stream.
///     async fn total(&self, numbers: impl Stream<Item = i64>) -> i64;
/// }
/// ```
///
/// `Stream` is known by its name, whatever path leads to it. A stream that is given may borrow the
/// service and all parameters but types of your own that borrow, which it would outlive. The trait
/// asks it to be `Send`.
///
/// A method takes one stream at most, of plain values that own what is in them. The trait asks it to
/// be `Send + Unpin + 'static`; an implementation repeats of that what it uses, `mut numbers: impl
/// Stream<Item = i64> + Unpin` for a loop over `numbers.next().await`. Spelled
/// `farcall::Items<i64>`, by this path, in the trait, it is that type in the implementation too. The
/// client takes any `impl Stream<Item = i64> + Send + 'static`.
///
/// Streams do not go with `notify`, `blocking`, `encodings = "xml"`, nor, where one is taken, with
/// `idempotent`.
///
/// # Generated code
///
/// For a trait `Calc`, beside it and as visible as it is:
///
/// - the trait itself, its methods returning `impl Future<Output = T> + Send`, with `Send + Sync +
///   'static` required of implementations;
/// - `CalcServer<S>`, a [`Service`] that decodes each call, runs the method of an `S: Calc` and
///   encodes its answer: `CalcServer::new(service)`;
/// - `CalcClient`, with a method for each of the trait's that gives a [`Call`], and
///   - `CalcClient::connect(address).await`, `CalcClient::new(channel)`,
///     `CalcClient::in_memory(server, encoding)`;
///   - `batch(calls)`, several calls sent together: a [`Batch`];
///   - `channel()`, the [`Channel`] that calls are sent over;
///   - `CalcClient::METHODS`, the table of [`Method`]s that both sides share.
///
/// The type parameters of a trait are those of its client, and follow `S` on its server; each
/// associated type is one more parameter of the client: `StoreServer<S, K, V>`,
/// `StoreClient<K, V, Item>`.
pub use farcall_macros::service;

/// Makes an error type one that travels: a [`TypedFault`].
///
/// Each variant has a code, and its `Display` is the message. Fields travel as data, under their
/// names (in a tuple, their numbers), and have to be known to serde. On the client the code tells
/// which variant it was. −32768…−32000 are reserved for the protocols.
///
/// ```
/// use farcall::{Encoding, TypedFault};
///
/// #[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
/// enum BookError {
///     #[error("the book is closed")]
///     #[fault(code = 1)]
///     Closed,
///     #[error("nobody has the number {number}")]
///     #[fault(code = 2)]
///     Unknown { number: u64 },
/// }
///
/// let fault = BookError::Unknown { number: 7 }.to_fault(Encoding::Json);
/// assert_eq!(fault.to_string(), "nobody has the number 7 (fault 2)");
/// assert_eq!(BookError::from_fault(&fault), Some(BookError::Unknown { number: 7 }));
/// ```
///
/// A struct has its code on itself: `#[fault(code = 7)] struct Closed;`. Where farcall is not
/// `::farcall`, `#[fault(crate = path)]` on the type says so.
pub use farcall_macros::Fault;

/// How a call, or an attempt to connect, ends. `E` is the method's own error.
///
/// ```
/// async fn ping(address: &str) -> farcall::Result<()> {
///     farcall::connect(address).await.map(drop)
/// }
/// ```
pub type Result<T, E = std::convert::Infallible> = std::result::Result<T, Error<E>>;
