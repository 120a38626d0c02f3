//! What a proxy sends ahead of a connection in the PROXY protocol, versions 1 and 2, as
//! [HAProxy describes it](https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). Bytes in, an
//! address out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest line of version 1, with its end (§2.1).
const LINE: usize = 107;
/// The longest header of version 2 that is read. Addresses need 52 bytes; what is behind them is
/// skipped.
const BINARY: usize = 4096;
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What the first bytes of a connection from a proxy are.
///
/// ```
/// use farcall_transport::proxies::{Preface, preface};
///
/// let line = b"PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\r\n";
/// let client = "192.0.2.1:12345".parse()?;
/// assert_eq!(preface(line), Preface::Whole(line.len(), Some(client)));
/// assert_eq!(preface(&line[..10]), Preface::Partial);
/// assert_eq!(preface(b"POST / HTTP/1.1\r\n"), Preface::Broken);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preface {
    /// Not all of it is there.
    Partial,
    /// A header of so many bytes. The connection comes from there, or, with no address, from the
    /// proxy itself.
    Whole(usize, Option<SocketAddr>),
    /// No header, or a broken one.
    Broken,
}

/// Reads the header of the [PROXY protocol](https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt),
/// version 1 or 2, that `start` begins with. One has at most 4,096 bytes.
#[must_use]
pub fn preface(start: &[u8]) -> Preface {
    if begins(start, SIGNATURE) {
        return binary(start).unwrap_or(Preface::Partial);
    }
    if !begins(start, b"PROXY ") {
        return Preface::Broken;
    }
    let Some(end) = start.iter().take(LINE).position(|&byte| byte == b'\n') else {
        return match start.len() < LINE {
            true => Preface::Partial,
            false => Preface::Broken,
        };
    };
    let line = start.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let from = line
        .and_then(|line| std::str::from_utf8(line).ok())
        .and_then(source);
    from.map_or(Preface::Broken, |from| {
        Preface::Whole(end.saturating_add(1), from)
    })
}

/// True if one of the two begins with the other.
fn begins(start: &[u8], with: &[u8]) -> bool {
    start.iter().zip(with).all(|(one, other)| one == other)
}

/// `PROXY TCP4 source destination port port`
fn source(line: &str) -> Option<Option<SocketAddr>> {
    let mut words = line.split(' ').skip(1);
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let (source, destination): (IpAddr, IpAddr) =
        (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (port, _) = (number(words.next()?)?, number(words.next()?)?);
    let is_known = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    (is_known && words.next().is_none()).then(|| Some(SocketAddr::new(source, port)))
}

/// Digits and nothing else, without a leading zero.
fn number(digits: &str) -> Option<u16> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && (digits == "0" || !digits.starts_with('0'))).then(|| digits.parse().ok())?
}

/// The header of version 2. None if it is not all there.
fn binary(start: &[u8]) -> Option<Preface> {
    const PROXY: u8 = 0x21;
    const LOCAL: u8 = 0x20;
    const TCP4: u8 = 0x11;
    const TCP6: u8 = 0x21;

    let [command, family, high, low] = *start.get(SIGNATURE.len()..)?.first_chunk()?;
    let begin = SIGNATURE.len().saturating_add(4);
    let end = begin.saturating_add(usize::from(u16::from_be_bytes([high, low])));
    if end > BINARY || !matches!(command, PROXY | LOCAL) {
        return Some(Preface::Broken);
    }
    let addresses = start.get(begin..end)?;
    let from = match (command, family) {
        (PROXY, TCP4) => v4(addresses).map(Some),
        (PROXY, TCP6) => v6(addresses).map(Some),
        // A check of the proxy's own, or something that has no such address.
        _ => Some(None),
    };
    Some(from.map_or(Preface::Broken, |from| Preface::Whole(end, from)))
}

/// Source, destination, and their ports.
fn v4(addresses: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 4] = *addresses.first_chunk()?;
    let port = *addresses.get(8..12)?.first_chunk()?;
    Some((Ipv4Addr::from(ip), u16::from_be_bytes(port)).into())
}

fn v6(addresses: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 16] = *addresses.first_chunk()?;
    let port = *addresses.get(32..36)?.first_chunk()?;
    Some((Ipv6Addr::from(ip), u16::from_be_bytes(port)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Option<SocketAddr> {
        Some(address.parse().unwrap())
    }

    fn two(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    #[test]
    fn a_header_is_the_same_however_it_is_cut() {
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x30, 0x39, 0, 80, 3, 0, 1, 7];
        let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 28], &[0x30, 0x39, 0, 80]].concat();
        for (header, expected) in [
            (
                b"PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\r\n".to_vec(),
                from("192.0.2.1:12345"),
            ),
            (
                b"PROXY TCP6 2001:db8::1 ::1 12345 80\r\n".to_vec(),
                from("[2001:db8::1]:12345"),
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n".to_vec(), None),
            (two(0x21, 0x11, &v4), from("192.0.2.1:12345")),
            (two(0x21, 0x21, &v6), from("[2001:db8::]:12345")),
            (two(0x20, 0, &[]), None),
            (two(0x20, 0x11, &v4), None),
            (two(0x21, 0, &[]), None),
            (two(0x21, 0x31, &[0; 216]), None),
        ] {
            let whole = Preface::Whole(header.len(), expected);
            let more = [&header[..], b"PROXY "].concat();
            assert_eq!(preface(&more), whole, "{header:?}");
            for cut in 0..header.len() {
                assert_eq!(
                    preface(&header[..cut]),
                    Preface::Partial,
                    "{header:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_header_is_broken() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for start in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXX",
            b"\xfcfar",
            b"proxy TCP4 192.0.2.1 10.0.0.1 12345 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\n",
            b"PROXY TCP4 192.0.2.01 10.0.0.1 12345 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 012 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 65536 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 +1 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1 80 2\r\n",
            b"PROXY TCP4 192.0.2.1  10.0.0.1 1 80\r\n",
            b"PROXY TCP4 ::1 ::1 1 80\r\n",
            b"PROXY TCP6 192.0.2.1 10.0.0.1 1 80\r\n",
            b"PROXY UDP4 192.0.2.1 10.0.0.1 1 80\r\n",
            b"PROXY TCP4\r\n",
            long.as_bytes(),
            &two(0x31, 0x11, &[0; 12]),
            &two(0x22, 0x11, &[0; 12]),
            &two(0x21, 0x11, &[0; 11]),
            &two(0x21, 0x21, &[0; 35]),
            &two(0x21, 0x11, &[0; 5000])[..20],
        ] {
            assert_eq!(preface(start), Preface::Broken, "{}", start.escape_ascii());
        }
    }
}
