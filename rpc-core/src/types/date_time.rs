//! A moment, as `dateTime.iso8601` tells it.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use jiff::SignedDuration;
use jiff::civil;
use jiff::fmt::temporal::DateTimeParser;

pub(crate) const NAME: &str = "farcall::DateTime";

/// The first second of the year 0, and the first after the year 9999.
const YEARS: Range<i64> = -62_167_219_200..253_402_300_800;

/// Where the seconds are counted from. Civil time, because jiff's moments end before the year 9999
/// does: they leave room for an offset.
const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// A date and a time of day in UTC, to the second, from the year 0 to 9999.
///
/// In XML-RPC it is a `<dateTime.iso8601>`, `19980717T14:08:55`; elsewhere text after RFC 3339,
/// `1998-07-17T14:08:55Z`. XML-RPC has no time zones and leaves them to an agreement; here it is
/// UTC. What is read may have dashes, no colons, a fraction of a second (which is dropped), `Z` or
/// an offset (which is applied).
///
/// ```
/// use farcall_core::types::DateTime;
///
/// let moment: DateTime = "19980717T16:08:55.25+0200".parse()?;
/// assert_eq!(moment.to_string(), "1998-07-17T14:08:55Z");
/// assert_eq!(moment.unix_seconds(), 900_684_535);
/// # Ok::<(), farcall_core::types::BadDateTime>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(i64);

impl DateTime {
    /// The moment so many seconds after 1970-01-01T00:00:00Z; none outside of the years 0 to 9999.
    ///
    /// ```
    /// use farcall_core::types::DateTime;
    ///
    /// assert_eq!(DateTime::from_unix_seconds(0).unwrap().to_string(), "1970-01-01T00:00:00Z");
    /// assert!(DateTime::from_unix_seconds(i64::MAX).is_none());
    /// ```
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        YEARS.contains(&seconds).then_some(Self(seconds))
    }

    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
    ///
    /// ```
    /// use farcall_core::types::DateTime;
    ///
    /// let moment: DateTime = "1969-12-31T23:59:59Z".parse()?;
    /// assert_eq!(moment.unix_seconds(), -1);
    /// # Ok::<(), farcall_core::types::BadDateTime>(())
    /// ```
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0
    }
}

/// As RFC 3339 writes it.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = SignedDuration::from_secs(self.0);
        let moment = EPOCH.checked_add(since).map_err(|_| fmt::Error)?;
        write!(f, "{moment}Z")
    }
}

/// Text that is no [`DateTime`].
///
/// ```
/// use farcall_core::types::DateTime;
///
/// let error = "yesterday".parse::<DateTime>().unwrap_err();
/// assert_eq!(error.to_string(), "not a date and time like 19980717T14:08:55");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadDateTime;

impl fmt::Display for BadDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date and time like 19980717T14:08:55")
    }
}

impl std::error::Error for BadDateTime {}

impl FromStr for DateTime {
    type Err = BadDateTime;

    fn from_str(text: &str) -> Result<Self, BadDateTime> {
        moment(text.trim()).ok_or(BadDateTime)
    }
}

fn moment(text: &str) -> Option<DateTime> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let pieces = PARSER.parse_pieces(text).ok()?;
    let there = pieces.date().to_datetime(pieces.time()?);
    let ahead = pieces
        .to_numeric_offset()
        .map_or(0, |offset| i64::from(offset.seconds()));
    // A fraction is dropped, before 1970 too.
    let nanoseconds = there.duration_since(EPOCH).as_nanos();
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    DateTime::from_unix_seconds(seconds.checked_sub(ahead)?)
}

/// As text, whose form the XML codec adapts.
impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(NAME, &self.to_string())
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, DateTimeVisitor)
    }
}

struct DateTimeVisitor;

impl<'de> Visitor<'de> for DateTimeVisitor {
    type Value = DateTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date and time")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DateTime, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<DateTime, D::Error> {
        inner.deserialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_in_use_is_the_same_moment() {
        for text in [
            "19980717T14:08:55",
            "1998-07-17T14:08:55",
            "19980717T140855",
            "1998-07-17T14:08:55.999",
            "19980717T14:08:55Z",
            "1998-07-17T16:08:55+02:00",
            "19980717T06:38:55-0730",
            "19980717T15:08:55+01",
            " 1998-07-17 14:08:55\n",
        ] {
            assert_eq!(text.parse().map(DateTime::unix_seconds), Ok(900_684_535));
        }
    }

    #[test]
    fn the_years_0_to_9999_are_there_in_full() {
        for (text, seconds) in [
            ("0000-01-01T00:00:00Z", YEARS.start),
            ("9999-12-30T22:00:01Z", YEARS.end - 93_599),
            ("9999-12-31T23:59:59Z", YEARS.end - 1),
        ] {
            let moment: DateTime = text.parse().unwrap();
            assert_eq!(moment.unix_seconds(), seconds);
            assert_eq!(moment.to_string(), text);
            assert_eq!(DateTime::from_unix_seconds(seconds), Some(moment));
        }
        let last = DateTime::from_unix_seconds(YEARS.end - 1);
        for text in [
            "99991231T23:59:59",
            "9999-12-31T23:59:59.999",
            "99991231T22:59:59-01",
        ] {
            assert_eq!(text.parse().ok(), last, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "19980717",
            "19980717T",
            "19980431T00:00:00",
            "19990229T00:00:00",
            "19981301T00:00:00",
            "19980001T00:00:00",
            "19980717T24:00:00",
            "19980717T14:60:00",
            "19980717T14:08:61",
            "19980717T14:08:55.",
            "19980717T14:08:55+",
            "19980717T14:08:55+1",
            "19980717T14:08:55+02:",
            "19980717T14:08:55+0260",
            "19980717T14:08:55 UTC",
            "-9980717T14:08:55",
            "99991231T23:59:59-01",
            "00000101T00:00:00+01",
            "１９980717T14:08:55",
        ] {
            assert_eq!(text.parse::<DateTime>(), Err(BadDateTime), "{text}");
        }
    }
}
