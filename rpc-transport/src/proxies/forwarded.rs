//! What proxies write into headers about who called them.

use std::net::{IpAddr, SocketAddr};

/// The hops in the values of `X-Forwarded-For`, the last first. `None` for one that is no address.
pub(super) fn x_forwarded_for<'a>(
    values: &'a [&'a [u8]],
) -> impl Iterator<Item = Option<SocketAddr>> + 'a {
    let hops = values
        .iter()
        .rev()
        .flat_map(|value| value.rsplit(|&byte| byte == b','));
    hops.map(|hop| address(std::str::from_utf8(hop).ok()?.trim()))
}

/// The hops in the values of `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)), the
/// last first. `None` for one that is no address, or that nobody can tell.
pub(super) fn forwarded(values: &[&[u8]]) -> Vec<Option<SocketAddr>> {
    if values.is_empty() {
        return Vec::new();
    }
    let whole = values.join(&b","[..]);
    // A quote that never ends, which a stranger may have begun, leaves nothing that can be told.
    let Some(elements) = std::str::from_utf8(&whole)
        .ok()
        .and_then(|text| split(text, ','))
    else {
        return vec![None];
    };
    elements.into_iter().rev().map(source).collect()
}

/// The `for` of one element.
fn source(element: &str) -> Option<SocketAddr> {
    let mut sources = split(element, ';')?.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| value.trim())
    });
    let (Some(value), None) = (sources.next(), sources.next()) else {
        return None;
    };
    match value.strip_prefix('"') {
        Some(quoted) => address(quoted.strip_suffix('"')?),
        None => address(value),
    }
}

/// The parts between `separator`s that are not in quotes; none if a quote does not end.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|c| {
        if is_escaped {
            is_escaped = false;
        } else {
            is_escaped = is_quoted && c == '\\';
            is_quoted ^= c == '"';
        }
        !is_quoted && c == separator
    });
    let parts = parts.collect();
    (!is_quoted).then_some(parts)
}

/// `ip`, `ip:port`, `[ip]` or `[ip]:port`; the port is 0 if it is not told.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Ok(ip) = bare.unwrap_or(text).parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, 0));
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(hops: impl Iterator<Item = Option<SocketAddr>>) -> String {
        let shown = hops.map(|hop| hop.map_or_else(|| "?".to_owned(), |hop| hop.to_string()));
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_hops_of_x_forwarded_for_come_last_first() {
        for (values, expected) in [
            (&["192.0.2.1"][..], "192.0.2.1:0"),
            (&["192.0.2.1, 10.0.0.1"], "10.0.0.1:0 192.0.2.1:0"),
            (
                &["192.0.2.1", "10.0.0.1,10.0.0.2"],
                "10.0.0.2:0 10.0.0.1:0 192.0.2.1:0",
            ),
            (
                &["2001:db8::1, [2001:db8::2]:80"],
                "[2001:db8::2]:80 [2001:db8::1]:0",
            ),
            (&["192.0.2.1:80"], "192.0.2.1:80"),
            (&["unknown, 010.0.0.1, "], "? ? ?"),
            (&[""], "?"),
            (&[], ""),
        ] {
            let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
            assert_eq!(shown(x_forwarded_for(&values)), expected, "{values:?}");
        }
        assert_eq!(shown(x_forwarded_for(&[b"\xff"])), "?");
    }

    #[test]
    fn the_hops_of_forwarded_come_last_first() {
        for (value, expected) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60:0"),
            (
                "For=\"[2001:db8:cafe::17]:4711\"",
                "[2001:db8:cafe::17]:4711",
            ),
            (
                "for=192.0.2.43, for=198.51.100.17",
                "198.51.100.17:0 192.0.2.43:0",
            ),
            ("for=_hidden, for=unknown, by=10.0.0.1", "? ? ?"),
            ("for=\"a,for=192.0.2.1\", for=192.0.2.2", "192.0.2.2:0 ?"),
            ("for=192.0.2.1;for=192.0.2.2", "?"),
            ("for=\", for=192.0.2.1", "?"),
            ("for=\"\\\", for=192.0.2.1", "?"),
            ("proto=\"x;for=192.0.2.1\";for=192.0.2.2", "192.0.2.2:0"),
        ] {
            assert_eq!(
                shown(forwarded(&[value.as_bytes()]).into_iter()),
                expected,
                "{value}"
            );
        }
    }
}
