#[farcall::service]
pub trait Sums {
    async fn total(&self, numbers: impl Stream<Item = i64>) -> i64;
    async fn mean(&self, digits: u8, numbers: farcall::Items<f64>) -> Result<f64, Empty>;
    fn running(&self, #[rpc(name = "numbers")] n: impl Stream<Item = i64> + Send + Unpin) -> impl Stream<Item = i64>;
}
