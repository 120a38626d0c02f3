//! An XML-RPC reply.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| farcall_fuzz::xmlrpc_reply(bytes));
