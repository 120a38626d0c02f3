//! Who may come in, and who is said to call.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use farcall_transport::allow::AllowList;
use farcall_transport::proxies::{Preface, Proxies, preface};

/// A list that is read lets in whom its lines let in, one by one.
pub fn allow_list(bytes: &[u8]) {
    let Some((asked, text)) = bytes.split_first_chunk::<16>() else {
        return;
    };
    let Ok(list) = AllowList::parse(text) else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        panic!("a list that is no text was read");
    };
    let lines = text.trim_start_matches('\u{feff}').lines();
    let networks: Vec<_> = lines.filter_map(network).collect();
    assert_eq!(networks.len(), list.entries(), "{text:?}");
    let v4 = [asked[0], asked[1], asked[2], asked[3]];
    let ends = networks.iter().flat_map(|&(first, bits)| {
        let last = first | u128::MAX.checked_shr(bits).unwrap_or(0);
        [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
    });
    let asked = [u128::from_be_bytes(*asked), mapped(v4.into())];
    for address in asked.into_iter().chain(ends) {
        let is_in = networks.iter().any(|&network| has(network, address));
        let ip = Ipv6Addr::from(address);
        assert_eq!(list.allows(ip.into()), is_in, "{ip} in {text:?}");
    }
}

/// The first address of a line's network and how many bits all its addresses share, as IPv6, in which
/// IPv4 is mapped.
fn network(line: &str) -> Option<(u128, u32)> {
    let entry = line.split('#').next()?.trim();
    let (ip, prefix) = entry.split_once('/').unwrap_or((entry, ""));
    let ip: IpAddr = ip.parse().ok()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    Some((mapped(ip), 128 - most + prefix.parse().unwrap_or(most)))
}

fn mapped(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

/// True if the address is one of the network. What is wider than all of IPv4 has nothing of it.
fn has((first, bits): (u128, u32), address: u128) -> bool {
    let apart = u128::MAX.checked_shr(bits).unwrap_or(0);
    let is_v4 = |address: u128| address >> 32 == 0xffff;
    (first ^ address) & !apart == 0 && (bits >= 96 || !is_v4(address))
}

/// What a proxy says ahead of a connection is the same however it is cut, and what it says in a
/// header never makes a client of a proxy that has one behind it.
pub fn proxies(bytes: &[u8]) {
    let mut told = Preface::Partial;
    for end in 0..=bytes.len() {
        let now = preface(&bytes[..end]);
        if told == Preface::Partial {
            if let Preface::Whole(length, _) = now {
                assert_eq!(length, end, "what is behind a header is no part of it");
            }
            told = now;
        }
        assert_eq!(now, told, "cut at {end}");
    }

    let Ok(list) = AllowList::new(["10.0.0.0/8"]) else {
        panic!("it is a network");
    };
    let proxy = SocketAddr::from(([10, 0, 0, 1], 1));
    let proxies = Proxies::new(list.clone());
    let values: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
    for proxies in [proxies.clone(), proxies.forwarded()] {
        let Some(client) = proxies.client(proxy, &values) else {
            continue;
        };
        if client == proxy || list.allows(client.ip()) {
            continue;
        }
        // The one who is told from the right: more to the left changes nothing.
        let forged = [&[&b"192.0.2.66, for=192.0.2.66"[..]][..], &values].concat();
        assert_eq!(proxies.client(proxy, &forged), Some(client));
    }
}
