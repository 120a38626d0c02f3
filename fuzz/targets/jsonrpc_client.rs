//! JSON-RPC on a stream, as a client reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::jsonrpc_client(bytes));
