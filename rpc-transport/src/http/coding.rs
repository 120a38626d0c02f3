//! Which content codings are spoken (RFC 9110 §8.4 and §12.5.3). Decisions only; no bodies.

use farcall_core::fault::shown;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};

use super::admission::{Refused, refused};
use super::fields::{self, Fields};

/// What a body is coded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    /// The zlib format, as the RFC says. What some programs send under this name, deflate without
    /// zlib's head, is not read.
    Deflate,
}

/// A coding, or a list of several, that is not read here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsupported(pub(super) String);

impl Coding {
    /// What the body that comes with `headers` is coded in.
    pub(super) fn of(headers: &impl Fields) -> Result<Self, Unsupported> {
        Self::named_by(headers.all(&CONTENT_ENCODING))
    }

    /// What a body is coded in, of whose Content-Encoding headers these are the values.
    pub(super) fn named_by<'a>(
        values: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Self, Unsupported> {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(Self::Identity);
        }
        let text = values.map(String::from_utf8_lossy);
        let text = text.collect::<Vec<_>>().join(", ");
        let mut names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let coding = match (names.next(), names.next()) {
            (None, _) => Some(Self::Identity),
            (Some(name), None) => Self::named(name),
            // Gzip in gzip is a bomb in a bomb, and nobody sends it in earnest.
            (Some(_), Some(_)) => None,
        };
        coding.ok_or(Unsupported(text))
    }

    fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("gzip") || is("x-gzip") {
            Some(Self::Gzip)
        } else if is("deflate") {
            Some(Self::Deflate)
        } else if is("identity") {
            Some(Self::Identity)
        } else {
            None
        }
    }
}

impl From<Unsupported> for Refused {
    fn from(Unsupported(coding): Unsupported) -> Self {
        let words = format!(
            "bodies in `{}` are not taken: send it in gzip, in deflate (the zlib format), or without \
             Content-Encoding",
            shown(&coding)
        );
        Self {
            codings: Some("gzip, deflate, identity"),
            ..refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, words)
        }
    }
}

/// Whether an answer may be in gzip: whoever asked names it, or says `*`, and does not like it
/// less as it is.
///
/// Without the header everything would be allowed, but old clients that send none read no gzip.
pub(super) fn takes_gzip(headers: &impl Fields) -> bool {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    for line in headers.all(&ACCEPT_ENCODING) {
        for item in fields::text(line).unwrap_or_default().split(',') {
            let (name, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
            let slot = match (name.trim(), Coding::named(name.trim())) {
                ("*", _) => &mut any,
                (_, Some(Coding::Gzip)) => &mut gzip,
                (_, Some(Coding::Identity)) => &mut identity,
                _ => continue,
            };
            *slot = Some(weight(parameter));
        }
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= identity.or(any).unwrap_or(0.0)
}

/// The weight in `q=0.5`. One that cannot be read is none: what is not asked for clearly is not
/// sent.
fn weight(parameter: &str) -> f32 {
    let (name, value) = parameter.split_once('=').unwrap_or_default();
    let value = value.trim().parse().unwrap_or(0.0);
    let is_weight = name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&value);
    if is_weight { value } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &http::HeaderName, lines: &[&str]) -> http::HeaderMap {
        let lines = lines.iter();
        lines
            .map(|line| (name.clone(), line.parse().unwrap()))
            .collect()
    }

    #[test]
    fn one_coding_is_read_and_a_list_of_several_is_not() {
        for (lines, expected) in [
            (&[][..], Some(Coding::Identity)),
            (&[""], Some(Coding::Identity)),
            (&["identity"], Some(Coding::Identity)),
            (&["gzip"], Some(Coding::Gzip)),
            (&["X-GZip"], Some(Coding::Gzip)),
            (&[" , gzip ,"], Some(Coding::Gzip)),
            (&["deflate"], Some(Coding::Deflate)),
            (&["br"], None),
            (&["gzip;q=1"], None),
            (&["gzip, gzip"], None),
            (&["identity, gzip"], None),
            (&["gzip", "deflate"], None),
            (&["compress"], None),
        ] {
            let coding = Coding::of(&headers(&CONTENT_ENCODING, lines)).ok();
            assert_eq!(coding, expected, "{lines:?}");
        }
    }

    #[test]
    fn gzip_is_for_those_who_ask_for_it() {
        for (lines, expected) in [
            (&[][..], false),
            (&[""], false),
            (&["gzip"], true),
            (&["x-gzip"], true),
            (&["GZIP;Q=0.001"], true),
            (&["gzip; q = 1.000"], true),
            (&["deflate, gzip, br, zstd"], true),
            (&["deflate", "gzip"], true),
            (&["*"], true),
            (&["*;q=0.1, br"], true),
            (&["gzip;q=0"], false),
            (&["gzip;q=0.000, *"], false),
            (&["*;q=0"], false),
            (&["gzip, *;q=0"], true),
            (&["gzip;q=0.5, *;q=0"], true),
            (&["gzip;q=0.5, identity"], false),
            (&["gzip;q=0.5, identity;q=0.5"], true),
            (&["deflate, br"], false),
            (&["identity"], false),
            (&["gzip;q=often"], false),
            (&["gzip;q=2"], false),
            (&["gzip;level=9"], false),
            (&["gzipped"], false),
        ] {
            let takes = takes_gzip(&headers(&ACCEPT_ENCODING, lines));
            assert_eq!(takes, expected, "{lines:?}");
        }
    }
}
