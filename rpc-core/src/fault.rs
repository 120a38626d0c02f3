//! Errors that travel.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::codec::place::within;
use crate::encoding::Encoding;
use crate::error::DecodeError;
use crate::params::{DecodeParams, EncodeParams, Fields};
use crate::payload::Payload;

/// The reserved codes, the same in every encoding.
///
/// −32700…−32600 are those of [JSON-RPC 2.0 §5.1](https://www.jsonrpc.org/specification#error_object)
/// and of the XML-RPC fault code interoperability specification; the others are farcall's, from
/// the range both leave to implementations. An application's own codes lie outside
/// −32768…−32000.
pub mod code {
    /// The message is not well-formed.
    pub const PARSE_ERROR: i32 = -32700;
    /// The message is in a character encoding that is not read here (XML-RPC).
    pub const UNSUPPORTED_ENCODING: i32 = -32701;
    /// The message holds a character that its encoding does not allow (XML-RPC).
    pub const INVALID_CHARACTER: i32 = -32702;
    /// The message is well-formed but no request.
    pub const INVALID_REQUEST: i32 = -32600;
    /// There is no such method.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// The parameters do not fit the method.
    pub const INVALID_PARAMS: i32 = -32602;
    /// The handler panicked, or its answer could not be written.
    pub const INTERNAL_ERROR: i32 = -32603;
    /// The deadline passed before the method was done.
    pub const TIMEOUT: i32 = -32001;
    /// The caller gave up.
    pub const CANCELLED: i32 = -32002;
    /// Too much is in flight; the method did not run.
    pub const OVERLOADED: i32 = -32003;
    /// The message is larger than a limit.
    pub const TOO_LARGE: i32 = -32004;
    /// The server is shutting down; the method did not run.
    pub const UNAVAILABLE: i32 = -32005;
    /// The server does not know who calls; the method did not run.
    pub const UNAUTHENTICATED: i32 = -32006;
    /// Whoever calls may not call this; the method did not run.
    pub const FORBIDDEN: i32 = -32007;
    /// The server ended while the method ran, which may have done a part of its work.
    pub const ABORTED: i32 = -32008;
}

/// An error as it travels: a code, words for people, and optional data for programs.
///
/// ```
/// use farcall_core::fault::Fault;
///
/// let fault = Fault::new(7, "out of paper");
/// assert_eq!(fault.to_string(), "out of paper (fault 7)");
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    /// What happened, for programs. See [`code`].
    pub code: i32,
    /// What happened, for people.
    pub message: String,
    /// More for programs, in the encoding of the conversation.
    pub data: Option<Data>,
}

/// How the words of a fault end by which a server refuses a call before it runs it.
const NOT_RUN: &str = "the method did not run";

/// How the words of a fault begin whose own data cannot be written.
const UNSENT: &str = "cannot send the error";

impl Fault {
    /// A fault without data.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The same fault with `data` in it: a map of `fields` under their `names`.
    ///
    /// If a field has no form in `encoding`, the fault becomes an
    /// [`INTERNAL_ERROR`](code::INTERNAL_ERROR) that says which and why, and what it was: the other
    /// side could not read the error without its data.
    ///
    /// ```
    /// use farcall_core::{encoding::Encoding, fault::{Fault, code}};
    ///
    /// let fault = Fault::new(7, "too hot").with_data(Encoding::Json, &["degrees"], &(f64::NAN,));
    /// assert_eq!(fault.code, code::INTERNAL_ERROR);
    /// assert_eq!(
    ///     fault.message,
    ///     "cannot send the error.degrees: JSON has no number NaN; the error is: too hot (fault 7)",
    /// );
    /// ```
    #[must_use]
    pub fn with_data<P: EncodeParams>(
        mut self,
        encoding: Encoding,
        names: &'static [&'static str],
        fields: &P,
    ) -> Self {
        let mut bytes = Vec::new();
        match encoding.encode(&Fields { names, fields }, &mut bytes) {
            Ok(()) => {
                self.data = Some(Data {
                    encoding,
                    bytes: Payload::from(bytes),
                });
                self
            }
            Err(error) => {
                let words = format!("{}; the error is: {self}", within(UNSENT, error));
                Self::new(code::INTERNAL_ERROR, words)
            }
        }
    }

    /// True if it stands for one whose data cannot be written.
    pub(crate) fn is_unsent(&self) -> bool {
        self.code == code::INTERNAL_ERROR && self.message.starts_with(UNSENT)
    }

    /// The same fault; if it says that an error cannot be sent, also whose error.
    pub(crate) fn of_method(mut self, method: &str) -> Self {
        if self.code == code::INTERNAL_ERROR
            && let Some(why) = self.message.strip_prefix(UNSENT)
        {
            self.message = format!("{UNSENT} of `{method}`{why}");
        }
        self
    }

    /// The server takes no further calls: the method did not run.
    #[must_use]
    pub fn shutting_down() -> Self {
        let words = format!("the server is shutting down; {NOT_RUN}");
        Self::new(code::UNAVAILABLE, words)
    }

    /// The server did not wait for the end of the method.
    pub(crate) fn aborted() -> Self {
        Self::new(
            code::ABORTED,
            "the server shut down before the method was done",
        )
    }

    /// So many calls are in flight on the connection.
    pub(crate) fn overloaded(in_flight: &str) -> Self {
        Self::new(code::OVERLOADED, format!("{in_flight}; {NOT_RUN}"))
    }

    /// True if this is a server's word that the method did not run. The code alone is none: other
    /// servers have other meanings for it, and a handler may answer with it.
    pub(crate) fn says_not_run(&self) -> bool {
        matches!(self.code, code::OVERLOADED | code::UNAVAILABLE) && self.message.ends_with(NOT_RUN)
    }

    /// What a method answers that ran: it may hand on what it was told of another.
    pub(crate) fn after_it_ran(mut self) -> Self {
        if self.says_not_run() {
            self.message.push_str(", says the method that did");
        }
        self
    }

    /// True if it says as well that further calls are not run either.
    #[cfg(feature = "json")]
    pub(crate) fn says_going_away(&self) -> bool {
        self.code == code::UNAVAILABLE && self.says_not_run()
    }

    /// The deadline passed: the caller's own, or that which no call outlives, `most` after it came.
    /// (Whose own was earlier does not wait for these words, but who is cut short does.)
    #[cold]
    pub(crate) fn too_late(most: Duration) -> Self {
        let words = "the deadline passed before the method was done";
        if most == Duration::MAX {
            return Self::new(code::TIMEOUT, words);
        }
        let words = format!(
            "{words}: the caller's own, or {most:?} after the call came, the most here \
             (`Limits::call_time_max`)"
        );
        Self::new(code::TIMEOUT, words)
    }

    /// `method` has a stream, and came in a way of `encoding` that carries none.
    #[cold]
    pub(crate) fn no_streams(method: &str, encoding: Encoding) -> Self {
        let instead = match encoding {
            Encoding::Xml => {
                "which XML-RPC does not carry: JSON-RPC does, as a subscription over `tcp://`, `tls://` and \
                 `ws://`, or as events (a POST with `Accept: text/event-stream`), and so do farcall's own \
                 clients in every encoding"
            }
            Encoding::Json => {
                "which a batch and a plain POST do not carry: call it alone, as a subscription over \
                 `tcp://`, `tls://` or `ws://`, or, if it only gives one, with `Accept: text/event-stream`"
            }
            Encoding::Bincode => {
                "which a batch and a single message do not carry: call it alone, with a client of \
                 farcall's, which has streams on every transport"
            }
        };
        let reason = format!("`{method}` has a stream, {instead}");
        Self::new(code::INVALID_REQUEST, reason)
    }

    /// A batch has more than `most` members.
    pub(crate) fn too_many_members(most: usize) -> Self {
        let reason = format!("the batch has more than {most} members (`Limits::batch_members`)");
        Self::new(code::TOO_LARGE, reason)
    }

    /// The replies to a batch have more than `most` bytes; this one is left out.
    pub(crate) fn replies_too_large(most: usize) -> Self {
        let reason =
            format!("the batch's replies have more than {most} bytes (`Limits::message_bytes`)");
        Self::new(code::TOO_LARGE, reason)
    }

    /// The same for a call that was not run.
    #[must_use]
    pub(crate) fn not_run(mut self) -> Self {
        self.message.push_str("; ");
        self.message.push_str(NOT_RUN);
        self
    }

    pub(crate) fn method_not_found(name: &str) -> Self {
        Self::new(
            code::METHOD_NOT_FOUND,
            format!("there is no method `{}`", shown(name)),
        )
    }
}

/// Text from outside as it may be shown, in a log or an error: what is no letter but does something
/// is escaped, and after 256 bytes it is cut. So it can forge no line, turn none around and fill no screen.
///
/// ```
/// use farcall_core::fault::shown;
///
/// assert_eq!(shown("add\r\n\u{1b}[2J"), "add\\u{d}\\u{a}\\u{1b}[2J");
/// assert!(shown(&"x".repeat(1000)).len() < 260);
/// ```
#[must_use]
pub fn shown(text: &str) -> String {
    shown_up_to(text, 256)
}

fn shown_up_to(text: &str, most: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(most));
    for c in text.chars() {
        if safe.len() >= most {
            safe.push('…');
            break;
        }
        // Control characters, what separates lines, and the marks that turn the direction of text around.
        if c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Its words escaped, and cut at 1 KiB: they may be a stranger's. All of them are in
/// [`message`](Self::message).
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 1024;

        write!(
            f,
            "{} (fault {})",
            shown_up_to(&self.message, MOST),
            self.code
        )
    }
}

impl std::error::Error for Fault {}

/// The data of a fault, still encoded.
///
/// ```
/// use farcall_core::{encoding::Encoding, fault::Fault};
///
/// let fault = Fault::new(404, "no such file").with_data(Encoding::Json, &["path"], &("/a",));
/// let (path,): (String,) = fault.data.unwrap().decode(&["path"])?;
/// assert_eq!(path, "/a");
/// # Ok::<(), farcall_core::error::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Data {
    /// What it is encoded in.
    pub encoding: Encoding,
    /// The encoded value.
    pub bytes: Payload,
}

impl Data {
    /// Reads the fields of these `names`.
    ///
    /// # Errors
    /// If the data is something else.
    pub fn decode<P: for<'de> DecodeParams<'de>>(
        &self,
        names: &'static [&'static str],
    ) -> Result<P, DecodeError> {
        crate::params::decode_fields(self.encoding, names, &self.bytes)
    }
}

/// A method's own error type: written into a [`Fault`] on the server, recognised in one on the
/// client. Derive it: `#[derive(farcall::Fault)]`.
///
/// ```
/// use farcall_core::{encoding::Encoding, fault::{Fault, TypedFault}};
///
/// #[derive(Debug, PartialEq)]
/// struct OutOfPaper;
///
/// impl TypedFault for OutOfPaper {
///     fn to_fault(&self, _: Encoding) -> Fault {
///         Fault::new(7, "out of paper")
///     }
///     fn from_fault(fault: &Fault) -> Option<Self> {
///         (fault.code == 7).then_some(Self)
///     }
/// }
/// assert_eq!(OutOfPaper::from_fault(&OutOfPaper.to_fault(Encoding::Xml)), Some(OutOfPaper));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be answered as a fault",
    label = "this error type has no fault form",
    note = "derive `farcall::Fault` on it (an enum with a `#[fault(code = …)]` on each variant)"
)]
pub trait TypedFault: Sized {
    /// Code and meaning of each kind of these, for those who read about a method. Empty if they
    /// are not known beforehand.
    const KINDS: &'static [(i32, &'static str)] = &[];

    /// This error as it travels, its data in `encoding`.
    fn to_fault(&self, encoding: Encoding) -> Fault;

    /// The error that `fault` is, or none if it is not one of these.
    fn from_fault(fault: &Fault) -> Option<Self>;
}

/// The [`KINDS`](TypedFault::KINDS) of an error type. None of a type that is no [`TypedFault`]: that
/// is refused where it is answered, and need not be said twice.
///
/// ```
/// use farcall_core::fault_kinds;
///
/// assert!(fault_kinds!(std::convert::Infallible).is_empty());
/// ```
#[macro_export]
macro_rules! fault_kinds {
    ($ty:ty) => {{
        #[allow(unused_imports)]
        use $crate::fault::NoKinds as _;
        <$crate::fault::KindsOf<$ty>>::KINDS
    }};
}

/// Where [`fault_kinds`](crate::fault_kinds) looks: an associated constant of the type itself comes
/// before one of a trait.
#[doc(hidden)]
#[derive(Debug)]
pub struct KindsOf<E>(PhantomData<E>);

impl<E: TypedFault> KindsOf<E> {
    #[doc(hidden)]
    pub const KINDS: &'static [(i32, &'static str)] = E::KINDS;
}

#[doc(hidden)]
pub trait NoKinds {
    const KINDS: &'static [(i32, &'static str)] = &[];
}

impl<E> NoKinds for KindsOf<E> {}

/// For methods that answer with faults of any code: every fault is one.
impl TypedFault for Fault {
    fn to_fault(&self, _: Encoding) -> Fault {
        self.clone()
    }

    fn from_fault(fault: &Fault) -> Option<Self> {
        Some(fault.clone())
    }
}

/// For methods that cannot fail: no fault is one.
impl TypedFault for std::convert::Infallible {
    fn to_fault(&self, _: Encoding) -> Fault {
        match *self {}
    }

    fn from_fault(_: &Fault) -> Option<Self> {
        None
    }
}
