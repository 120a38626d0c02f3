#[farcall::service(params = "named")]
pub trait Editor {
    async fn open(&self, uri: &str, line: Option<u32>) -> bool;
    #[rpc(params = "positional")]
    async fn close(&self, uri: &str);
}
