//! Depth and item limits around any `serde` deserializer.
