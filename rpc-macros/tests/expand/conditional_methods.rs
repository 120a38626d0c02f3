#[cfg(feature = "net")]
#[farcall::service]
trait Conditional {
    #[cfg(unix)]
    async fn fork(&self) -> u32;
    async fn exec(&self, path: &str);
    #[cfg(unix)]
    #[cfg(feature = "signals")]
    async fn kill(&self);
    async fn exit(&self, code: i32);
}
