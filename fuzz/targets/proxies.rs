//! What proxies say about who calls.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::proxies(bytes));
