//! XML-RPC (to be written).
