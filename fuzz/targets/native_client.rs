//! Native frames, as a client reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::native_client(bytes));
