//! The entries of a list: from text to ranges of addresses, and the question whether an address is
//! in one. No files, no sockets.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// How much of an entry that is not understood is shown.
const SHOWN: usize = 64;

/// Ranges of addresses that do not overlap, in order: first and last of each. IPv4 addresses come
/// before all others, and there are no IPv4-mapped ones among those.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    ranges: Vec<(IpAddr, IpAddr)>,
    entries: usize,
}

/// What is wrong with an entry, in words.
pub(super) type Mistake = String;

impl Rules {
    /// The rules of these entries; else the mistake in the first that has one, and its number.
    pub(super) fn of<'a>(
        entries: impl Iterator<Item = (usize, &'a str)>,
    ) -> Result<Self, (usize, Mistake)> {
        let mut ranges = Vec::new();
        for (number, text) in entries {
            let net = entry(text).map_err(|mistake| (number, mistake))?;
            ranges.push((net.network(), net.broadcast()));
        }
        let entries = ranges.len();
        ranges.sort_unstable();
        // Networks are inside of each other or apart, so what begins within the one before ends
        // within it.
        ranges.dedup_by(|next, before| next.1 <= before.1);
        Ok(Self { ranges, entries })
    }

    /// The rules in a file: one entry a line, `#` begins a comment. Else the mistake in the first
    /// line that has one, and its number.
    pub(super) fn parse(text: &[u8]) -> Result<Self, (usize, Mistake)> {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let text = std::str::from_utf8(text).map_err(|error| {
            let before = text.get(..error.valid_up_to()).unwrap_or_default();
            (lines(before), "the line is not UTF-8".to_owned())
        })?;
        let numbered = (1..).zip(text.lines());
        let entries = numbered.map(|(number, line)| {
            let entry = line.split('#').next().unwrap_or_default();
            (number, entry.trim())
        });
        Self::of(entries.filter(|(_, entry)| !entry.is_empty()))
    }

    /// True if `address` is in the list.
    pub(super) fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let after = self.ranges.partition_point(|range| range.0 <= address);
        let before = after.checked_sub(1).and_then(|last| self.ranges.get(last));
        before.is_some_and(|range| address <= range.1)
    }

    /// How many entries it was made of.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }
}

/// The number of the line that begins or goes on behind `text`.
fn lines(text: &[u8]) -> usize {
    1 + text.iter().filter(|&&byte| byte == b'\n').count()
}

/// `address` or `address/prefix`. Both are read by the letter: what other programs read in another
/// way is refused, not guessed.
fn entry(text: &str) -> Result<IpNet, Mistake> {
    let (ip, prefix) = match text.split_once('/') {
        Some((ip, prefix)) => (ip, Some(prefix)),
        None => (text, None),
    };
    let Ok(ip) = ip.parse::<IpAddr>() else {
        return Err(format!("{} {}", shown(text), no_address(ip)));
    };
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => most,
        Some(digits) => number(digits)
            .filter(|&prefix| prefix <= most)
            .ok_or_else(|| {
                format!(
                    "{}: a prefix here is a number from 0 to {most}",
                    shown(text)
                )
            })?,
    };
    let net = IpNet::new(ip, prefix).map_err(|error| format!("{}: {error}", shown(text)))?;
    if net.network() != ip {
        return Err(format!(
            "{} has bits beyond its prefix: write {} for the network, {ip} for the one address",
            shown(text),
            net.trunc()
        ));
    }
    Ok(canonical(net))
}

/// The network of IPv4 addresses that one of IPv4-mapped addresses stands for.
fn canonical(net: IpNet) -> IpNet {
    let IpAddr::V4(v4) = net.network().to_canonical() else {
        return net;
    };
    let inside = net.prefix_len().checked_sub(mapped_bits(&net));
    let folded = inside.and_then(|prefix| IpNet::new(v4.into(), prefix).ok());
    folded.unwrap_or(net)
}

/// How many bits say that an address is an IPv4-mapped one.
fn mapped_bits(net: &IpNet) -> u8 {
    match net {
        IpNet::V4(_) => 0,
        IpNet::V6(_) => 96,
    }
}

/// Digits and nothing else; no leading zero.
fn number(digits: &str) -> Option<u8> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && (digits == "0" || !digits.starts_with('0')))
        .then(|| digits.parse().ok())
        .flatten()
}

/// Why `text` is no address.
fn no_address(text: &str) -> &'static str {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let numbers = || text.split('.').filter(|part| is_number(part));
    let has_zeros = numbers().any(|part| part.len() > 1 && part.starts_with('0'));
    if has_zeros && numbers().count() == 4 {
        return "is no address: a leading zero means octal to some and nothing to others";
    }
    if text.split_whitespace().nth(1).is_some() || text.contains(',') {
        return "is no address: each entry has a line of its own";
    }
    if text
        .split_once('%')
        .is_some_and(|(ip, _)| ip.parse::<Ipv6Addr>().is_ok())
    {
        return "is no address: leave the zone out, it says nothing about the other side";
    }
    if text.contains(|c: char| c.is_ascii_alphabetic()) && !text.contains(':') {
        return "is no address: names are not looked up, write the addresses";
    }
    "is no IPv4 or IPv6 address"
}

/// Text from a file as it may be shown: one line, and not a long one.
fn shown(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN).map(|(end, _)| end);
    let (start, more) = match end {
        Some(end) => (text.get(..end).unwrap_or_default(), "…"),
        None => (text, ""),
    };
    format!("`{}{more}`", start.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::parse(text.as_bytes()).unwrap()
    }

    fn allows(text: &str, address: &str) -> bool {
        rules(text).allow(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_in_a_network_or_not() {
        for (list, address, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "9.255.255.255", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "0.0.0.0", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true),
            ("::/0", "127.0.0.1", false),
            ("255.255.255.255", "255.255.255.255", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("fe80::/10", "fe80::1", true),
            ("10.0.0.0/8\n10.1.0.0/16\n12.0.0.0/8", "10.200.0.1", true),
            ("10.0.0.0/8\n10.1.0.0/16\n12.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8\n10.1.0.0/16\n12.0.0.0/8", "12.0.0.1", true),
        ] {
            assert_eq!(allows(list, address), expected, "{address} in {list}");
        }
    }

    #[test]
    fn mapped_addresses_are_the_ipv4_addresses_they_stand_for() {
        for (list, address, expected) in [
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "11.0.0.1", false),
            ("::ffff:a00:1", "10.0.0.1", true),
            ("::ffff:0:0/96", "192.0.2.1", true),
            ("::ffff:0:0/96", "::1", false),
            // An old form that stands for nothing any more.
            ("10.0.0.0/8", "::10.0.0.1", false),
        ] {
            assert_eq!(allows(list, address), expected, "{address} in {list}");
        }
    }

    #[test]
    fn a_file_has_comments_blank_lines_and_any_line_ends() {
        let text =
            "\u{feff}# who may come in\r\n\r\n  10.0.0.0/8 # the office\n\t::1\n#192.0.2.1\n";
        assert_eq!(rules(text).entries(), 2);
        assert!(allows(text, "10.0.0.1") && allows(text, "::1"));
        assert!(!allows(text, "192.0.2.1"));
    }

    #[test]
    fn what_is_no_entry_is_refused_with_its_line_and_what_to_do() {
        for (entry, words) in [
            ("010.0.0.1", "leading zero"),
            ("10.0.0.08/8", "leading zero"),
            ("10.0.0.1/08", "0 to 32"),
            ("10.0.0.1/+8", "0 to 32"),
            ("10.0.0.0/33", "0 to 32"),
            ("10.0.0.0/", "0 to 32"),
            ("10.0.0.0/255.0.0.0", "0 to 32"),
            ("::/129", "0 to 128"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("2001:db8::1/32", "write 2001:db8::/32"),
            ("::ffff:10.0.0.1/80", "write ::/80"),
            ("10.0.0", "no IPv4 or IPv6"),
            ("10", "no IPv4 or IPv6"),
            ("0x0a000001", "names are not looked up"),
            ("calc.example", "names are not looked up"),
            ("*", "no IPv4 or IPv6"),
            ("fe80::1%eth0", "zone"),
            ("[::1]", "no IPv4 or IPv6"),
            ("10.0.0.1 10.0.0.2", "a line of its own"),
            ("10.0.0.1, 10.0.0.2", "a line of its own"),
            ("10.0.0.1:80", "no IPv4 or IPv6"),
            ("\u{1b}[2J", "`\\u{1b}[2J`"),
        ] {
            let text = format!("::1\n\n{entry}\n");
            let (line, mistake) = Rules::parse(text.as_bytes()).unwrap_err();
            assert_eq!(line, 3, "{entry}");
            assert!(mistake.contains(words), "{entry}: {mistake}");
        }
        let (line, mistake) = Rules::parse(b"::1\n10.0.0.1\n\xff\n").unwrap_err();
        assert!(line == 3 && mistake.contains("UTF-8"), "{line}: {mistake}");
        let (_, mistake) = Rules::parse("x".repeat(1000).as_bytes()).unwrap_err();
        assert!(mistake.len() < 200, "{mistake}");
    }
}
