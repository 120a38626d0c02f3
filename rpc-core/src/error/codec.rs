//! Values that could not be written or read.

use std::error::Error as StdError;
use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::codec::found::kind_of;
use crate::codec::place::Place;

type Source = Box<dyn StdError + Send + Sync>;

/// A value that could not be written in an encoding.
///
/// ```
/// let error = farcall_core::error::EncodeError::new("JSON has no NaN");
/// assert_eq!(error.to_string(), "JSON has no NaN");
/// ```
#[derive(Debug)]
pub struct EncodeError {
    reason: Source,
}

/// Bytes that are not the value that was expected.
///
/// ```
/// let error = farcall_core::error::DecodeError::new("expected `,` at line 1 column 5");
/// assert_eq!(error.to_string(), "expected `,` at line 1 column 5");
/// ```
#[derive(Debug)]
// In a box, as results are handed up through every level of a value and errors are rare.
pub struct DecodeError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: Source,
    malformed: bool,
    place: Option<Place>,
    /// The steps to where it is in the value: `[3]`, `.age`.
    path: Vec<String>,
}

impl EncodeError {
    /// An error with this reason.
    pub fn new(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl StdError for EncodeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.reason.source()
    }
}

impl StdError for DecodeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.reason.source()
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "{}: ", steps(&self.0.path))?;
        }
        self.0.reason.fmt(f)?;
        match self.0.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

impl DecodeError {
    /// An error with this reason.
    pub fn new(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::of(reason.into(), false)
    }

    fn of(reason: Source, malformed: bool) -> Self {
        Self(Box::new(Inner {
            reason,
            malformed,
            place: None,
            path: Vec::new(),
        }))
    }

    /// An error of the encoding itself: there is no value in the bytes, of whatever type.
    #[cfg_attr(
        not(any(feature = "json", feature = "xml")),
        allow(dead_code, reason = "only the text encodings tell the two apart")
    )]
    pub(crate) fn malformed(reason: impl Into<Source>) -> Self {
        Self::of(reason.into(), true)
    }

    /// The same error, where the value that it is about is at `step` in another.
    #[cfg(feature = "xml")]
    #[cold]
    pub(crate) fn inside(mut self, step: String) -> Self {
        self.0.path.insert(0, step);
        self
    }

    /// The same error, at the end of these steps.
    #[cfg(feature = "json")]
    pub(crate) fn along(mut self, path: Vec<String>) -> Self {
        self.0.path = path;
        self
    }

    /// The same error, about the parameters of a call: the first step is the parameter, which the
    /// words name if they are about what is in it.
    pub(crate) fn in_parameters(mut self) -> Self {
        let path = std::mem::take(&mut self.0.path);
        let Some(path) = path.get(1..).filter(|path| !path.is_empty()) else {
            return self;
        };
        let words = self.0.reason.to_string();
        let named = words.strip_prefix("parameter `");
        if let Some((name, rest)) = named.and_then(|words| words.split_once("`: ")) {
            self.0.reason = format!("parameter `{name}`{}: {rest}", steps(path)).into();
        }
        self
    }

    /// The same error, about parameters that are an array of XML, as in a multicall: the step into
    /// that array is in the words already, and says no more than the parameter's name.
    #[cfg(feature = "xml")]
    pub(crate) fn in_array_of_parameters(mut self) -> Self {
        let words = self.0.reason.to_string();
        if let Some((name, rest)) = words.split_once("`[")
            && name.starts_with("parameter `")
            && let Some((_, rest)) = rest.split_once(']')
        {
            self.0.reason = format!("{name}`{rest}").into();
        }
        self
    }

    /// The same error, at this place in the text.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// The same error where the text that was read stands behind `before` in its document.
    pub(crate) fn behind(mut self, before: &[u8]) -> Self {
        self.0.place = self.0.place.map(|place| place.behind(before));
        self
    }

    /// True if the bytes are known to be no value at all, rather than one of another type.
    pub(crate) fn is_malformed(&self) -> bool {
        self.0.malformed
    }
}

impl serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason.to_string())
    }
}

/// Says what was found by its kind, where serde's own words would repeat whatever a stranger sent.
impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", Found(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let words = format!("expected {expected}, found {}", Found(found));
        Self::new(match found {
            // The type is right, but for these it has its bounds.
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => words + " that does not fit",
            _ => words,
        })
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("expected one of {}", Alternatives(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "there is a field beside {}",
            Alternatives(expected)
        ))
    }
}

/// The steps in one. What is too deep for words is cut.
fn steps(path: &[String]) -> String {
    const MOST: usize = 128;
    let mut steps = path.concat();
    if steps.len() > MOST {
        steps.truncate(steps.floor_char_boundary(MOST));
        steps.push('…');
    }
    steps
}

struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Str(_) | Unexpected::Char(_) => f.write_str("a string"),
            Unexpected::Bytes(_) => f.write_str("bytes"),
            Unexpected::Bool(_) => f.write_str("a boolean"),
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => f.write_str("an integer"),
            Unexpected::Float(_) => f.write_str("a float"),
            Unexpected::Unit => f.write_str("no value"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("a struct"),
            // In these words serde has integers of 128 bits, with their value.
            Unexpected::Other(what) if what.starts_with("integer `") => {
                f.write_str("an integer of more than 64 bits")
            }
            Unexpected::Other(what) => f.write_str(kind_of(what)),
            other => other.fmt(f),
        }
    }
}

struct Alternatives(&'static [&'static str]);

impl fmt::Display for Alternatives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { ", " };
            write!(f, "{between}`{name}`")?;
        }
        Ok(())
    }
}
