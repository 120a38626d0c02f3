//! Reading parameters: by position, by name, or fewer than there are.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::names::{Name, Names};
use crate::encoding::Encoding;
use crate::error::DecodeError;
use crate::in_place::Reading;
use crate::limits::Budget;
use crate::method::Param;
use crate::payload::Payload;
use crate::wire::Readable;

/// The parameters of a received call, still encoded: a stretch of the message they came in.
///
/// ```
/// use farcall_core::params::{Arguments, Part};
/// use farcall_core::{encoding::Encoding, payload::Payload};
///
/// let message = Payload::copied_from(b"[7,3]");
/// let arguments = Arguments::new(Encoding::Json, Part::Value, message, 0..5);
/// assert_eq!(arguments.bytes(), b"[7,3]");
/// ```
#[derive(Clone, Debug)]
pub struct Arguments {
    pub(crate) encoding: Encoding,
    part: Part,
    /// The message is a frame and no text.
    in_frame: bool,
    message: Payload,
    at: Range<usize>,
}

/// Which part of a message the parameters are.
///
/// ```
/// assert_ne!(farcall_core::params::Part::Value, farcall_core::params::Part::Nothing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One value that lists or names them. (In bincode, one after the other.)
    Value,
    /// XML's `<params>`, and whatever may follow it in a document.
    XmlParams,
    /// There are none.
    Nothing,
}

impl Part {
    /// How parameters stand in a message that holds nothing else behind them.
    #[must_use]
    pub fn of(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Bincode | Encoding::Json => Self::Value,
            Encoding::Xml => Self::XmlParams,
        }
    }
}

impl Arguments {
    /// The bytes `at` of `message`.
    #[inline]
    #[must_use]
    pub fn new(encoding: Encoding, part: Part, message: Payload, at: Range<usize>) -> Self {
        Self {
            encoding,
            part,
            in_frame: false,
            message,
            at,
        }
    }

    /// The same, where what is around them is no text: errors say where in the parameters they
    /// are, and not where in the message.
    #[inline]
    pub(crate) fn in_frame(mut self) -> Self {
        self.in_frame = true;
        self
    }

    /// No parameters.
    #[must_use]
    pub fn none(encoding: Encoding) -> Self {
        Self::new(encoding, Part::Nothing, Payload::default(), 0..0)
    }

    /// A stretch of them that is the parameters of a call within the call.
    #[cfg(feature = "xml")]
    pub(crate) fn within(&self, part: Part, at: Range<usize>) -> Self {
        let start = self.at.start;
        let at = start.saturating_add(at.start)..start.saturating_add(at.end);
        self.elsewhere(part, at)
    }

    /// The parameters of a call within the call, at this place in the message.
    #[cfg(any(feature = "json", feature = "xml"))]
    pub(crate) fn elsewhere(&self, part: Part, at: Range<usize>) -> Self {
        Self {
            part,
            at,
            ..self.clone()
        }
    }

    /// `error`, which says where in the parameters it is, with the place in the message.
    pub(crate) fn placed(&self, error: DecodeError, at: &Range<usize>) -> DecodeError {
        if self.in_frame {
            return error;
        }
        error.behind(self.message.get(..at.start).unwrap_or_default())
    }

    /// The encoded bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.message.get(self.at.clone()).unwrap_or_default()
    }

    /// The whole message, and where in it they are.
    #[cfg(any(feature = "json", feature = "xml"))]
    pub(crate) fn place(&self) -> (&[u8], &Range<usize>) {
        (&self.message, &self.at)
    }

    /// Reads them as the tuple `P`, described by `params`; `absent` fills in what was left out.
    pub(crate) fn decode<'de, P: DecodeParams<'de>>(
        &'de self,
        params: &'static [Param],
        absent: P::Absent,
        budget: Budget,
    ) -> Result<P, DecodeError> {
        self.decode_at(&self.at, params, absent, budget)
    }

    /// As [`decode`](Self::decode), from elsewhere in the message.
    pub(crate) fn decode_at<'de, P: DecodeParams<'de>>(
        &'de self,
        at: &Range<usize>,
        params: &'static [Param],
        absent: P::Absent,
        budget: Budget,
    ) -> Result<P, DecodeError> {
        let _reading = Reading::of(&self.message);
        let bytes = self.message.get(at.clone()).unwrap_or_default();
        let seed = Seed {
            names: Names::Params(params),
            absent,
            tuple: PhantomData,
        };
        let read = match self.part {
            #[cfg(feature = "xml")]
            Part::Value if self.encoding == Encoding::Xml => {
                let read = crate::codec::xml::decode(seed, bytes, budget);
                read.map_err(DecodeError::in_array_of_parameters)
            }
            Part::Value => self.encoding.decode_seed(seed, bytes, budget),
            #[cfg(feature = "xml")]
            Part::XmlParams => crate::codec::xml::decode_params(seed, bytes, budget),
            #[cfg(not(feature = "xml"))]
            Part::XmlParams => self.encoding.decode_seed(seed, bytes, budget),
            Part::Nothing => P::from_nothing(Names::Params(params), absent),
        };
        read.map_err(|error| self.placed(error.in_parameters(), at))
    }
}

/// For a parameter that must be given.
#[must_use]
pub fn required<T>() -> Option<T> {
    None
}

/// For an `Option` parameter: left out means `None`.
#[must_use]
pub fn optional<T>() -> Option<Option<T>> {
    Some(None)
}

/// Reads a fault's data.
pub(crate) fn decode_fields<'de, P: DecodeParams<'de>>(
    encoding: Encoding,
    names: &'static [&'static str],
    bytes: &'de [u8],
) -> Result<P, DecodeError> {
    let seed = Seed {
        names: Names::Fields(names),
        absent: P::NONE_ABSENT,
        tuple: PhantomData,
    };
    let read = encoding.decode_seed(seed, bytes, Budget::default());
    read.map_err(DecodeError::in_parameters)
}

/// A tuple, whatever its members are: so that the compiler complains about a member that cannot be
/// received, and not about the tuple as well.
///
/// ```
/// use farcall_core::params::Tuple;
///
/// assert_eq!(<(u8, std::rc::Rc<u8>)>::COUNT, 2);
/// ```
pub trait Tuple: Sized {
    /// For each member, what stands in for it when it is left out: `None` if nothing can.
    type Absent: Copy + Send;

    /// No member may be left out.
    const NONE_ABSENT: Self::Absent;

    /// How many members there are.
    const COUNT: usize;
}

/// A tuple of parameters that can be received. Implemented for tuples of up to 16.
///
/// ```
/// fn receives<P: for<'de> farcall_core::params::DecodeParams<'de>>() {}
/// receives::<(i64, Option<String>)>();
/// ```
pub trait DecodeParams<'de>: Tuple {
    /// Reads the members in order.
    ///
    /// # Errors
    /// Names the member that is missing or of another type, or says how many are too many.
    fn from_seq<A: SeqAccess<'de>>(
        names: Names,
        absent: Self::Absent,
        seq: A,
    ) -> Result<Self, A::Error>;

    /// Reads the members by their names.
    ///
    /// # Errors
    /// Names the member that is missing, unknown, given twice or of another type.
    fn from_map<A: MapAccess<'de>>(
        names: Names,
        absent: Self::Absent,
        map: A,
    ) -> Result<Self, A::Error>;

    /// Reads no members at all.
    ///
    /// # Errors
    /// Names the first that must be given.
    fn from_nothing(names: Names, absent: Self::Absent) -> Result<Self, DecodeError>;
}

struct Seed<A, P> {
    names: Names,
    absent: A,
    tuple: PhantomData<fn() -> P>,
}

// By hand: a derive would ask for `P: Clone`.
impl<A: Clone, P> Clone for Seed<A, P> {
    fn clone(&self) -> Self {
        Self {
            names: self.names,
            absent: self.absent.clone(),
            tuple: PhantomData,
        }
    }
}

impl<'de, P: DecodeParams<'de>> DeserializeSeed<'de> for Seed<P::Absent, P> {
    type Value = P;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<P, D::Error> {
        match self.names {
            // Self-describing encodings tell a list from names; bincode has only lists.
            Names::Params(_) if !deserializer.is_human_readable() => {
                deserializer.deserialize_tuple(P::COUNT, self)
            }
            Names::Params(_) => deserializer.deserialize_any(self),
            Names::Fields(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de, P: DecodeParams<'de>> Visitor<'de> for Seed<P::Absent, P> {
    type Value = P;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} parameters, in a list or by name", P::COUNT)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<P, A::Error> {
        P::from_seq(self.names, self.absent, seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<P, A::Error> {
        P::from_map(self.names, self.absent, map)
    }

    /// `"params": null` is taken as none.
    fn visit_unit<E: Error>(self) -> Result<P, E> {
        P::from_nothing(self.names, self.absent).map_err(E::custom)
    }
}

macro_rules! tuples {
    ($($count:literal ($($T:ident $t:ident $i:tt),*))*) => {$(
        impl<$($T),*> Tuple for ($($T,)*) {
            type Absent = ($(fn() -> Option<$T>,)*);
            const NONE_ABSENT: Self::Absent = ($(required::<$T>,)*);
            const COUNT: usize = $count;
        }

        impl<'de, $($T: Readable<'de>),*> DecodeParams<'de> for ($($T,)*) {
            fn from_seq<Access: SeqAccess<'de>>(
                names: Names,
                absent: Self::Absent,
                mut seq: Access,
            ) -> Result<Self, Access::Error> {
                let (_, _) = (names, absent);
                $(let $t = match seq.next_element::<$T>() {
                    Ok(Some(value)) => value,
                    Ok(None) => (absent.$i)().ok_or_else(|| names.missing($i))?,
                    Err(error) => return Err(names.wrong($i, &error)),
                };)*
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    return Err(Access::Error::custom(too_many($count)));
                }
                Ok(($($t,)*))
            }

            fn from_map<Access: MapAccess<'de>>(
                names: Names,
                absent: Self::Absent,
                mut map: Access,
            ) -> Result<Self, Access::Error> {
                let _ = absent;
                $(let mut $t: Option<$T> = None;)*
                #[allow(unreachable_code, reason = "of a method without parameters no name is known")]
                while let Some(index) = map.next_key_seed(Name(names))? {
                    match index {
                        $($i => {
                            if $t.is_some() {
                                return Err(names.twice($i));
                            }
                            $t = Some(map.next_value().map_err(|error| names.wrong($i, &error))?);
                        })*
                        _ => return Err(names.missing(index)),
                    }
                }
                $(let $t = match $t {
                    Some(value) => value,
                    None => (absent.$i)().ok_or_else(|| names.missing($i))?,
                };)*
                Ok(($($t,)*))
            }

            fn from_nothing(names: Names, absent: Self::Absent) -> Result<Self, DecodeError> {
                let (_, _) = (names, absent);
                $(let $t = (absent.$i)().ok_or_else(|| {
                    let error: serde::de::value::Error = names.missing($i);
                    DecodeError::new(error)
                })?;)*
                Ok(($($t,)*))
            }
        }
    )*};
}

fn too_many(count: usize) -> String {
    format!("too many parameters: the method takes {count}")
}

tuples! {
    0 ()
    1 (A a 0)
    2 (A a 0, B b 1)
    3 (A a 0, B b 1, C c 2)
    4 (A a 0, B b 1, C c 2, D d 3)
    5 (A a 0, B b 1, C c 2, D d 3, E e 4)
    6 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5)
    7 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6)
    8 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7)
    9 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8)
    10 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9)
    11 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10)
    12 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11)
    13 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11, M m 12)
    14 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11, M m 12, N n 13)
    15 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11, M m 12, N n 13, O o 14)
    16 (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11, M m 12, N n 13, O o 14, P p 15)
}
