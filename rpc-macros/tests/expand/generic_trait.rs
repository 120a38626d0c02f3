#[farcall::service]
pub trait Store<K: Wire, V, const N: usize>
where
    V: Wire + Sync,
    Self::Item: Clone,
{
    type Item: Wire;
    async fn get(&self, key: K) -> Result<V, Fault>;
    async fn put(&self, key: K, value: &V, items: Vec<Self::Item>) -> Option<Self::Item>;
}
