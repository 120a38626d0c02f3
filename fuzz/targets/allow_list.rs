//! Files of allow-lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::allow_list(bytes));
