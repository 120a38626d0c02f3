//! What is asked of a few bytes without a connection.

use farcall::Address;
use farcall_transport::sniff::{self, Sniffed};

/// An address that can be is written as itself.
pub fn address(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(address) = text.parse::<Address>() {
        let written = address.to_string();
        assert_eq!(written.parse::<Address>(), Ok(address), "{written:?}");
    }
}

/// What is told from the first bytes stays true when more come, and eight are enough.
pub fn sniff(bytes: &[u8]) {
    let mut told = Sniffed::NeedMore;
    for end in 0..=bytes.len() {
        let now = sniff::sniff(&bytes[..end]);
        assert!(
            told == Sniffed::NeedMore || told == now,
            "{told:?}, then {now:?}"
        );
        told = now;
    }
    assert!(bytes.len() < 8 || told != Sniffed::NeedMore);
}
