//! Types that can travel in one of the trait's encodings never, and encodings that are none.

use std::collections::{BTreeMap, HashMap};

#[farcall::service(encodings = "xml, json, bincode")]
trait Everywhere {
    async fn paint(&self, pixels: HashMap<(u16, u16), u8>);
    async fn store(&self, blobs: &BTreeMap<Vec<u8>, String>, value: serde_json::Value);
    async fn nested(&self) -> Option<Vec<HashMap<String, BTreeMap<[u8; 4], u8>>>>;
    async fn fails(&self, key: u8) -> Result<BTreeMap<Option<u8>, u8>, farcall::Fault>;
    async fn raw(&self, text: Box<serde_json::value::RawValue>);
}

#[farcall::service(encodings = "xml")]
trait Old {
    async fn paint(&self, pixels: HashMap<(u16, u16), u8>);
    async fn raw(&self, text: &serde_json::value::RawValue);
}

#[farcall::service(encodings = "bincode")]
trait New {
    async fn paint(&self, pixels: HashMap<(u16, u16), u8>);
}

#[farcall::service(encodings = "json, yaml")]
trait Unknown {}

#[farcall::service(encodings = "json, xml, json")]
trait Twice {}

#[farcall::service(encodings = "")]
trait Nothing {}

fn main() {}
