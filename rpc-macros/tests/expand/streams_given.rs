#[farcall::service]
pub trait Chat {
    fn count(&self, to: u32) -> impl Stream<Item = u32>;
    async fn lines(&self, name: &str, cx: &Context) -> impl futures::Stream<Item = String> + Send;
    fn checked(&self) -> impl Stream<Item = Result<u32, Overflow>>;
    async fn open(&self, tags: &[Tag], seed: Cow<'_, str>) -> Result<impl Stream<Item = u8>, Closed>;
    async fn both(&self) -> Result<impl Stream<Item = Result<u8, Overflow>>, Closed>;
}
