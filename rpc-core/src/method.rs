//! What a method is called and what it takes: the table that the macro writes for each trait.

use std::time::Duration;

use crate::params::Style;
#[cfg(feature = "json")]
use crate::schema::{self, Describe};
use crate::shape::{self, Shape};
use crate::wire::{Parameter, Wire};

/// One method of a service.
///
/// ```
/// use farcall_core::method::{Method, Param};
///
/// static ADD: Method = Method::new("add", "Returns `x + y`.")
///     .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
///     .returns::<i64>();
/// assert_eq!(ADD.name, "add");
/// assert_eq!(ADD.hash, farcall_core::method::hash("add"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Method {
    /// The name on the wire, with its namespace.
    pub name: &'static str,
    /// What it does, from the doc comment.
    pub doc: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// Its parameters, in order.
    pub params: &'static [Param],
    /// The stream that it takes besides, described by one of its items.
    pub takes_stream: Option<Param>,
    /// What it gives; of a stream, an item.
    pub result: fn() -> Shape,
    /// What it gives, in the words of JSON Schema.
    #[cfg(feature = "json")]
    pub result_schema: Describe,
    /// True if it gives a stream.
    pub gives_stream: bool,
    /// Code and meaning of each error of its own.
    pub errors: &'static [(i32, &'static str)],
    /// The same of each error that can end its stream.
    pub item_errors: &'static [(i32, &'static str)],
    /// [`hash`] of the name: how native frames call it.
    pub hash: u32,
    /// True if running it twice is as good as once, so that a lost call may be made again.
    pub idempotent: bool,
    /// True if its callers want no reply.
    pub notification: bool,
    /// How long a call may take where the caller does not say.
    pub timeout: Option<Duration>,
    /// How a caller writes its parameters where the protocol has both ways. A server takes either.
    pub style: Style,
}

impl Method {
    /// A method without parameters that gives nothing.
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            aliases: &[],
            params: &[],
            takes_stream: None,
            result: shape::of::<()>,
            #[cfg(feature = "json")]
            result_schema: schema::of::<()>,
            gives_stream: false,
            errors: &[],
            item_errors: &[],
            hash: hash(name),
            idempotent: false,
            notification: false,
            timeout: None,
            style: Style::Positional,
        }
    }

    /// The same method with these parameters.
    #[must_use]
    pub const fn takes(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    /// The same method, taking a stream of `T` as well.
    ///
    /// ```
    /// use farcall_core::method::Method;
    ///
    /// static TOTAL: Method = Method::new("total", "").takes_stream::<i64>("numbers").returns::<i64>();
    /// assert_eq!(TOTAL.takes_stream.map(|stream| stream.name), Some("numbers"));
    /// ```
    #[must_use]
    pub const fn takes_stream<T: Wire>(mut self, name: &'static str) -> Self {
        self.takes_stream = Some(Param::required::<T>(name));
        self
    }

    /// The same method, the items that it takes described by this, as of
    /// [`schema_of`](crate::schema_of).
    #[cfg(feature = "json")]
    #[must_use]
    pub const fn items_schema(mut self, schema: Describe) -> Self {
        if let Some(stream) = &mut self.takes_stream {
            stream.schema = schema;
        }
        self
    }

    /// The same method, giving a stream of what it [returns](Self::returns).
    #[must_use]
    pub const fn gives_stream(mut self) -> Self {
        self.gives_stream = true;
        self
    }

    /// The same method, its stream ending with one of these errors, as of
    /// [`fault_kinds`](crate::fault_kinds).
    #[must_use]
    pub const fn item_errors(mut self, errors: &'static [(i32, &'static str)]) -> Self {
        self.item_errors = errors;
        self
    }

    /// The same method, giving a `T`.
    #[must_use]
    pub const fn returns<T: Wire>(mut self) -> Self {
        self.result = shape::of::<T>;
        #[cfg(feature = "json")]
        {
            self.result_schema = schema::of::<T>;
        }
        self
    }

    /// The same method, its result described by this, as of
    /// [`schema_of`](crate::schema_of).
    #[cfg(feature = "json")]
    #[must_use]
    pub const fn result_schema(mut self, schema: Describe) -> Self {
        self.result_schema = schema;
        self
    }

    /// The same method, giving a `T` or one of these errors, as of
    /// [`fault_kinds`](crate::fault_kinds).
    #[must_use]
    pub const fn returns_or<T: Wire>(mut self, errors: &'static [(i32, &'static str)]) -> Self {
        self.errors = errors;
        self.returns::<T>()
    }

    /// The same method under more names.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same method, declared idempotent.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// The same method, called without waiting for a reply.
    #[must_use]
    pub const fn notification(mut self) -> Self {
        self.notification = true;
        self
    }

    /// The same method with a time of its own, in milliseconds.
    #[must_use]
    pub const fn timeout_ms(mut self, ms: u64) -> Self {
        self.timeout = Some(Duration::from_millis(ms));
        self
    }

    /// The same method, called with its parameters by name where the protocol has names: in
    /// JSON-RPC.
    #[must_use]
    pub const fn named(mut self) -> Self {
        self.style = Style::Named;
        self
    }
}

/// One parameter of a method.
///
/// ```
/// use farcall_core::method::Param;
///
/// assert!(!Param::optional::<Option<String>>("nickname").required);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Param {
    /// The name on the wire.
    pub name: &'static str,
    /// False if callers may leave it out.
    pub required: bool,
    /// True if leaving it out means the same as giving `None`.
    pub absent_is_none: bool,
    /// What it takes.
    pub shape: fn() -> Shape,
    /// What it takes, in the words of JSON Schema.
    #[cfg(feature = "json")]
    pub schema: Describe,
}

impl Param {
    /// A parameter that must be given.
    #[must_use]
    pub const fn required<T: Parameter>(name: &'static str) -> Self {
        Self {
            name,
            required: true,
            absent_is_none: false,
            shape: shape::of::<T>,
            #[cfg(feature = "json")]
            schema: schema::of::<T>,
        }
    }

    /// A parameter that may be left out, which means `None`: an `Option`.
    #[must_use]
    pub const fn optional<T: Parameter>(name: &'static str) -> Self {
        Self {
            name,
            required: false,
            absent_is_none: true,
            shape: shape::of::<T>,
            #[cfg(feature = "json")]
            schema: schema::of::<T>,
        }
    }

    /// A parameter that may be left out, for which the server has a default.
    #[must_use]
    pub const fn defaulted<T: Parameter>(name: &'static str) -> Self {
        Self {
            name,
            required: false,
            absent_is_none: false,
            shape: shape::of::<T>,
            #[cfg(feature = "json")]
            schema: schema::of::<T>,
        }
    }

    /// The same parameter, described by this, as of [`schema_of`](crate::schema_of).
    #[cfg(feature = "json")]
    #[must_use]
    pub const fn schema(mut self, schema: Describe) -> Self {
        self.schema = schema;
        self
    }
}

/// The 32-bit FNV-1a hash of a method's wire name, by which native frames call it.
///
/// A hash and not an index: a trait whose methods are reordered must not call another method.
/// Two methods of a server with the same hash are refused when the server is built.
#[must_use]
pub const fn hash(name: &str) -> u32 {
    let mut bytes = name.as_bytes();
    let mut hash: u32 = 0x811c_9dc5;
    while let Some((&byte, rest)) = bytes.split_first() {
        hash = (hash ^ byte as u32).wrapping_mul(0x0100_0193);
        bytes = rest;
    }
    hash
}
