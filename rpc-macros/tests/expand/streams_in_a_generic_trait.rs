#[farcall::service]
trait Feed<K: Wire> {
    type Item: Wire;
    fn since(&self, key: K) -> impl Stream<Item = Self::Item>;
    async fn keep(&self, items: impl Stream<Item = (K, Self::Item)>);
}
