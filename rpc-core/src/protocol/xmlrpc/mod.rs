//! XML-RPC.
