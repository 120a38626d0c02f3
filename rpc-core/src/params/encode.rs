//! Writing parameters.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::codec::place::within;
use crate::encoding::Encoding;
use crate::error::EncodeError;
use crate::method::{Method, Param};

/// Whether a caller sends its parameters as a list or under their names.
///
/// Only JSON-RPC has named parameters; everywhere else they go by position.
///
/// ```
/// assert_eq!(farcall_core::params::Style::default(), farcall_core::params::Style::Positional);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `[7, 3]`
    #[default]
    Positional,
    /// `{"x": 7, "y": 3}`
    Named,
    /// By position, in an array that is a value: so a member of `system.multicall` has them.
    Member,
}

/// Is shown each parameter of a tuple in turn.
///
/// ```
/// use farcall_core::params::{EachParam, EncodeParams};
///
/// struct Count(usize);
///
/// impl EachParam for Count {
///     type Error = std::convert::Infallible;
///     fn param<T: serde::Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Self::Error> {
///         self.0 += 1;
///         Ok(())
///     }
/// }
///
/// let mut count = Count(0);
/// (7, "x").each(&mut count)?;
/// assert_eq!(count.0, 2);
/// # Ok::<(), std::convert::Infallible>(())
/// ```
pub trait EachParam {
    /// How it can fail.
    type Error;

    /// Takes the next parameter.
    ///
    /// # Errors
    /// As the implementor says; the walk stops there.
    fn param<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error>;
}

/// A tuple of parameters that can be sent. Implemented for tuples of up to 16.
///
/// ```
/// fn sends<P: farcall_core::params::EncodeParams>(_: P) {}
/// sends((7_i64, "x"));
/// ```
pub trait EncodeParams: Send {
    /// Shows each parameter to `each`, in order.
    ///
    /// # Errors
    /// The first that `each` gives.
    fn each<V: EachParam>(&self, each: &mut V) -> Result<(), V::Error>;
}

/// The parameters of one call whatever their types, to be written into any encoding.
///
/// ```
/// use farcall_core::encoding::Encoding;
/// use farcall_core::method::{Method, Param};
/// use farcall_core::params::{Outgoing, Style};
///
/// static ADD: Method = Method::new("add", "")
///     .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")]);
///
/// let mut out = Vec::new();
/// (7, 3).encode(&ADD, Encoding::Json, Style::Named, &mut out)?;
/// assert_eq!(out, br#"{"x":7,"y":3}"#);
/// # Ok::<(), farcall_core::error::EncodeError>(())
/// ```
pub trait Outgoing: Send {
    /// Appends the parameters of `method` to `out`.
    ///
    /// # Errors
    /// Names the parameter that has no form in `encoding`. What was appended stays in `out`.
    fn encode(
        &self,
        method: &Method,
        encoding: Encoding,
        style: Style,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError>;
}

impl<P: EncodeParams> Outgoing for P {
    fn encode(
        &self,
        method: &Method,
        encoding: Encoding,
        style: Style,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if encoding == Encoding::Bincode {
            let params = method.params;
            return self.each(&mut Behind {
                params,
                index: 0,
                out,
            });
        }
        if encoding == Encoding::Json && style != Style::Named {
            return encode_list(self, method.params, out);
        }
        let marks = Marks::of(encoding, style);
        out.extend_from_slice(marks.open);
        let end_of_last_given = out.len();
        let mut writer = Writer {
            params: method.params,
            index: 0,
            given: 0,
            end_of_last_given,
            encoding,
            style,
            marks,
            out,
        };
        self.each(&mut writer)?;
        let Writer {
            end_of_last_given,
            marks,
            out,
            ..
        } = writer;
        // Trailing parameters that are absent anyway are left out: the other side may be older.
        out.truncate(end_of_last_given);
        out.extend_from_slice(marks.close);
        Ok(())
    }
}

/// What stands around and between the parameters.
struct Marks {
    open: &'static [u8],
    before: &'static [u8],
    between: &'static [u8],
    after: &'static [u8],
    close: &'static [u8],
    /// How an absent value reads.
    absent: &'static [u8],
}

impl Marks {
    fn of(encoding: Encoding, style: Style) -> Self {
        let mut marks = Self {
            open: b"",
            before: b"",
            between: b"",
            after: b"",
            close: b"",
            absent: b"",
        };
        match (encoding, style) {
            // Nothing stands between them there. (JSON by position has a writer of its own, too.)
            (Encoding::Bincode, _) => {}
            (Encoding::Json, _) => {
                (marks.open, marks.close) = (b"{", b"}");
                (marks.between, marks.absent) = (b",", b"null");
            }
            (Encoding::Xml, Style::Member) => {
                marks.open = b"<value><array><data>";
                marks.close = b"</data></array></value>";
                marks.absent = b"<value><nil/></value>";
            }
            (Encoding::Xml, _) => {
                (marks.open, marks.close) = (b"<params>", b"</params>");
                (marks.before, marks.after) = (b"<param>", b"</param>");
                marks.absent = b"<value><nil/></value>";
            }
        }
        marks
    }
}

struct Writer<'a> {
    params: &'static [Param],
    index: usize,
    given: usize,
    end_of_last_given: usize,
    encoding: Encoding,
    style: Style,
    marks: Marks,
    out: &'a mut Vec<u8>,
}

impl EachParam for Writer<'_> {
    type Error = EncodeError;

    fn param<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let param = self.params.get(self.index);
        self.index += 1;
        let named = self.encoding == Encoding::Json && self.style == Style::Named;
        let start = self.out.len();
        if self.given > 0 {
            self.out.extend_from_slice(self.marks.between);
        }
        self.out.extend_from_slice(self.marks.before);
        if named && let Some(param) = param {
            self.encoding.encode(param.name, self.out)?;
            self.out.push(b':');
        }
        let value_at = self.out.len();
        self.encoding
            .encode(value, self.out)
            .map_err(|error| unfit(self.index, param, &error))?;
        let absent = !self.marks.absent.is_empty()
            && param.is_some_and(|param| param.absent_is_none)
            && self.out.get(value_at..) == Some(self.marks.absent);
        if absent && named {
            self.out.truncate(start);
            return Ok(());
        }
        self.out.extend_from_slice(self.marks.after);
        self.given += 1;
        if !absent {
            self.end_of_last_given = self.out.len();
        }
        Ok(())
    }
}

/// Writes JSON by position, which is most of it.
struct List<'a> {
    params: &'static [Param],
    index: usize,
    end_of_last_given: usize,
    out: &'a mut Vec<u8>,
}

/// Appends a list of `values`, without those at its end that are absent.
fn encode_list<P: EncodeParams>(
    values: &P,
    params: &'static [Param],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    out.push(b'[');
    let mut list = List {
        params,
        index: 0,
        end_of_last_given: out.len(),
        out,
    };
    values.each(&mut list)?;
    let end = list.end_of_last_given;
    out.truncate(end);
    out.push(b']');
    Ok(())
}

impl EachParam for List<'_> {
    type Error = EncodeError;

    #[inline]
    fn param<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let param = self.params.get(self.index);
        if self.index > 0 {
            self.out.push(b',');
        }
        self.index += 1;
        let start = self.out.len();
        Encoding::Json
            .encode(value, self.out)
            .map_err(|error| unfit(self.index, param, &error))?;
        let may_be_absent = param.is_some_and(|param| param.absent_is_none);
        if !(may_be_absent && self.out.get(start..) == Some(b"null")) {
            self.end_of_last_given = self.out.len();
        }
        Ok(())
    }
}

/// Writes bincode: one behind the other, without marks, and nothing is left out.
struct Behind<'a> {
    params: &'static [Param],
    index: usize,
    out: &'a mut Vec<u8>,
}

impl EachParam for Behind<'_> {
    type Error = EncodeError;

    fn param<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let param = self.params.get(self.index);
        self.index += 1;
        Encoding::Bincode
            .encode(value, self.out)
            .map_err(|error| unfit(self.index, param, &error))
    }
}

/// The error for a parameter that cannot be written, the one `index` counted from 1.
#[cold]
fn unfit(index: usize, param: Option<&Param>, error: &EncodeError) -> EncodeError {
    EncodeError::new(match param {
        Some(param) => within(format_args!("parameter `{}`", param.name), error),
        None => within(format_args!("parameter {index}"), error),
    })
}

/// A tuple as one value, a map.
pub(crate) struct Fields<'a, P> {
    pub(crate) names: &'static [&'static str],
    pub(crate) fields: &'a P,
}

impl<P> fmt::Debug for Fields<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({:?})", self.names)
    }
}

impl<P: EncodeParams> Serialize for Fields<'_, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = Entries {
            names: self.names.iter(),
            map: serializer.serialize_map(Some(self.names.len()))?,
        };
        self.fields.each(&mut entries)?;
        entries.map.end()
    }
}

struct Entries<M> {
    names: std::slice::Iter<'static, &'static str>,
    map: M,
}

impl<M: SerializeMap> EachParam for Entries<M> {
    type Error = M::Error;

    fn param<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), M::Error> {
        match self.names.next() {
            Some(name) => self.map.serialize_entry(name, value),
            None => Ok(()),
        }
    }
}

macro_rules! tuples {
    ($(($($T:ident $i:tt),*))*) => {$(
        impl<$($T: Serialize + Send),*> EncodeParams for ($($T,)*) {
            fn each<V: EachParam>(&self, each: &mut V) -> Result<(), V::Error> {
                let _ = &each;
                $(each.param(&self.$i)?;)*
                Ok(())
            }
        }
    )*};
}

tuples! {
    ()
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15)
}
