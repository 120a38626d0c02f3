//! One JSON-RPC message in each direction.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::jsonrpc_post(bytes));
