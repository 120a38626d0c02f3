//! Native frames, as a server reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::native_server(bytes));
