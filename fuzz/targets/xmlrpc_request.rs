//! An XML-RPC request.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::xmlrpc_request(bytes));
