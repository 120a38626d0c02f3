//! Numbers as XML-RPC spells them.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::fmt;
use std::io::Write;

use serde::de::{Error, Visitor};

use super::text::trimmed;
use crate::error::DecodeError;

/// Up to this many digits, any integer fits in an `i64`.
pub(super) const SURELY_I64: usize = 18;

/// The largest integer below which a double has every integer exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

const NO_INTEGER: &str = "an integer element that holds none, or one too large";

/// An integer in the smallest type of ours that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Integer {
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
}

impl Integer {
    /// The integer that `text` is: a sign and digits, nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] | digits => (false, digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        if digits.len() <= SURELY_I64 {
            let size = digits.iter().fold(0, |size: i64, b| {
                let digit = i64::from(b.wrapping_sub(b'0'));
                size.wrapping_mul(10).wrapping_add(digit)
            });
            let size = if negative { size.wrapping_neg() } else { size };
            return Some(Self::I64(size));
        }
        None.or_else(|| text.parse().ok().map(Self::I64))
            .or_else(|| text.parse().ok().map(Self::U64))
            .or_else(|| text.parse().ok().map(Self::I128))
            .or_else(|| text.parse().ok().map(Self::U128))
    }

    /// The integer in an `<int>` or one of its kin; white space around it is let pass.
    pub(super) fn from_element(text: &str) -> Result<Self, DecodeError> {
        Self::parse(trimmed(text)).ok_or_else(|| DecodeError::new(NO_INTEGER))
    }

    #[inline]
    pub(super) fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        match self {
            Self::I64(n) => visitor.visit_i64(n),
            Self::U64(n) => visitor.visit_u64(n),
            Self::I128(n) => visitor.visit_i128(n),
            Self::U128(n) => visitor.visit_u128(n),
        }
    }
}

/// The integer that the double `n` is, if it surely is one: 2.0 is 2, 2.5 is none.
pub(super) fn integral(n: f64) -> Option<i64> {
    // `as` is exact here.
    (n.fract() == 0.0 && n.abs() <= EXACT).then_some(n as i64)
}

/// The number in a `<double>`. Nobody may send `NaN` and `INF`, but some do.
pub(super) fn float<F: Float>(text: &str) -> Result<F, DecodeError> {
    let text = trimmed(text);
    let spelled = !text.bytes().any(|b| b.is_ascii_digit());
    match text.parse::<F>() {
        Ok(n) if spelled || n.is_finite() => Ok(n),
        _ => Err(DecodeError::new(
            "a `<double>` that holds no number, or one too large",
        )),
    }
}

/// The float in an `<int>` or one of its kin. JavaScript clients take every whole number for an
/// integer and spell it their way: `<int>1e+21</int>`.
pub(super) fn whole<F: Float>(text: &str) -> Result<F, DecodeError> {
    match trimmed(text).parse::<F>() {
        Ok(n) if n.is_whole() => Ok(n),
        _ => Err(DecodeError::new(NO_INTEGER)),
    }
}

/// Appends `n`, which is finite: the fewest digits that read back the same, and no exponent.
pub(super) fn write_float<F: zmij::Float + fmt::Display>(out: &mut Vec<u8>, n: F) {
    let mut buffer = zmij::Buffer::new();
    let digits = buffer.format_finite(n);
    if digits.contains('e') {
        // `Display` takes five times as long, and writes out the zeros. Writing to a `Vec` cannot fail.
        let _ = write!(out, "{n}");
        return;
    }
    let digits = digits.strip_suffix(".0").unwrap_or(digits);
    out.extend_from_slice(digits.as_bytes());
}

/// The types that `<double>` is read into. `f32` has its own way from the digits: over `f64` they
/// would be rounded twice.
pub(super) trait Float: std::str::FromStr {
    fn is_finite(&self) -> bool;
    fn is_whole(&self) -> bool;
}

impl Float for f32 {
    fn is_finite(&self) -> bool {
        Self::is_finite(*self)
    }
    fn is_whole(&self) -> bool {
        // Of an infinity and of NaN it is NaN.
        self.fract() == 0.0
    }
}

impl Float for f64 {
    fn is_finite(&self) -> bool {
        Self::is_finite(*self)
    }
    fn is_whole(&self) -> bool {
        // Of an infinity and of NaN it is NaN.
        self.fract() == 0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Of two that are as near and as short, `Display` may choose the other.
        #[test]
        fn floats_are_written_as_short_as_can_be_and_without_an_exponent(
            bits in any::<u64>(),
            small in any::<i32>(),
        ) {
            fn check<F>(n: F)
            where
                F: zmij::Float + fmt::Display + fmt::Debug + Copy + PartialEq + std::str::FromStr,
            {
                let mut out = Vec::new();
                write_float(&mut out, n);
                let out = String::from_utf8(out).unwrap();
                assert_eq!(out.parse().ok(), Some(n), "{out}");
                assert_eq!(out.len(), n.to_string().len(), "{out}");
                assert!(!out.contains('e'), "{out}");
            }
            let small = f64::from(small);
            for n in [f64::from_bits(bits), 0.0, -0.0, small, small / 1000.0, 1e16, 1e-7] {
                if n.is_finite() && (n as f32).is_finite() {
                    check(n);
                    check(n as f32);
                }
            }
        }
    }

    #[test]
    fn integers_are_exact_or_none() {
        let cases = [
            ("+007", Some(Integer::I64(7))),
            ("-0", Some(Integer::I64(0))),
            ("-9223372036854775808", Some(Integer::I64(i64::MIN))),
            ("18446744073709551615", Some(Integer::U64(u64::MAX))),
            (
                "-9223372036854775809",
                Some(Integer::I128(-9_223_372_036_854_775_809)),
            ),
            (
                "340282366920938463463374607431768211455",
                Some(Integer::U128(u128::MAX)),
            ),
            ("340282366920938463463374607431768211456", None),
            ("", None),
            ("-", None),
            ("+-1", None),
            ("1 ", None),
            ("1.0", None),
            ("٣", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Integer::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn floats_of_integer_elements_are_whole() {
        assert_eq!(whole::<f64>(" -1e+300 ").unwrap(), -1e300);
        assert_eq!(whole::<f64>("100000000000000000000").unwrap(), 1e20);
        assert_eq!(whole::<f32>("+007").unwrap(), 7.0);
        for text in ["2.5", "NaN", "inf", "1e999", "", "x"] {
            assert!(whole::<f64>(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn doubles_are_finite_unless_spelled_out() {
        assert_eq!(float::<f64>(" 1e3\n").unwrap(), 1000.0);
        assert_eq!(float::<f64>("-.5").unwrap(), -0.5);
        assert!(float::<f64>("NaN").unwrap().is_nan());
        assert!(float::<f64>("-INF").unwrap().is_infinite());
        assert!(float::<f64>("1e999").is_err());
        assert!(float::<f64>("").is_err());
        assert!(float::<f64>("1,5").is_err());
        assert_eq!(
            (integral(-2.0), integral(2.5), integral(1e16)),
            (Some(-2), None, None)
        );
    }
}
