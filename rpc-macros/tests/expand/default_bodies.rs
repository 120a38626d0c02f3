#[farcall::service]
trait Bodies: Debug {
    async fn twice(&self, x: i64) -> i64 {
        self.once(x).await + self.once(x).await
    }
    async fn once(&self, x: i64) -> i64;
}
