//! Whatever comes on a connection of a server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::http_server(bytes));
