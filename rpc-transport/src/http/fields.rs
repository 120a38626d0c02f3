//! The headers of a request, however they are held.

use http::{HeaderMap, HeaderName};

/// What is asked of headers to decide about a request: of hyper's map, and of those that still
/// stand where they were read.
pub(super) trait Fields {
    /// All headers, as `name` and value. The name may be in any case.
    fn each(&self) -> impl Iterator<Item = (&str, &[u8])>;

    /// The values of `name`.
    fn all(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]>;

    /// The first value of `name`.
    fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// True if there is a header `name`.
    fn has(&self, name: &HeaderName) -> bool {
        self.first(name).is_some()
    }
}

impl Fields for HeaderMap {
    fn each(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    fn all(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }

    fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        self.get(name).map(http::HeaderValue::as_bytes)
    }
}

/// A value as text, if it is what HTTP allows everywhere: visible ASCII, blanks and tabs.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    value
        .iter()
        .all(is_text)
        .then(|| std::str::from_utf8(value).ok())
        .flatten()
}
