//! Frames of a WebSocket.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::web_socket(bytes));
