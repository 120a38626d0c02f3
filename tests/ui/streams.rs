//! Streams where there can be none, and of what cannot be streamed.

use std::borrow::Cow;
use std::collections::HashMap;

trait Stream {
    type Item;
}

mod io {
    pub type Result<T> = std::result::Result<T, farcall::Fault>;
}

type Words<'a> = Cow<'a, str>;

#[farcall::service]
trait Numbers {
    #[rpc(notify)]
    fn tell(&self) -> impl Stream<Item = u8>;
    #[rpc(notify)]
    async fn hear(&self, numbers: impl Stream<Item = u8>);
    #[rpc(blocking)]
    fn count(&self) -> impl Stream<Item = u8>;
    #[rpc(blocking)]
    async fn total(&self, numbers: impl Stream<Item = u8>) -> u64;
    #[rpc(idempotent)]
    async fn keep(&self, numbers: farcall::Items<u8>);
    async fn both(&self, one: impl Stream<Item = u8>, other: farcall::Items<u8>);
    async fn many(&self, all: Vec<impl Stream<Item = u8>>);
    async fn maybe(&self) -> Option<impl Stream<Item = u8>>;
    async fn pair(&self) -> (u8, impl Stream<Item = u8>);
    async fn lent<'a>(&self, names: impl Stream<Item = &'a str>);
    async fn tied<'a>(&self, names: impl Stream<Item = Words<'a>>);
    fn names(&self) -> impl Stream<Item = &str>;
    fn words(&self) -> impl Stream<Item = Vec<Words<'_>>>;
    fn outlive(&self, words: Vec<Words<'_>>) -> impl Stream<Item = u8>;
    async fn usual(&self, #[rpc(default)] numbers: impl Stream<Item = u8>);
    async fn fails(&self, numbers: impl Stream<Item = Result<u8, farcall::Fault>>);
    fn what(&self) -> impl Stream;
    async fn other(&self, what: impl Stream + Send);
    fn half(&self) -> impl Stream<Item = io::Result<u8>>;
    fn any(&self) -> impl Stream<Item = impl Copy>;
    fn later(&self) -> Vec<impl Stream<Item = u8>>;
}

#[farcall::service(encodings = "json, xml")]
trait OverXml {
    fn count(&self) -> impl Stream<Item = u8>;
    async fn total(&self, numbers: impl Stream<Item = HashMap<(u8, u8), u8>>);
}

fn main() {}
