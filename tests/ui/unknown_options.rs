//! Options that are none, and values that cannot be.

#[farcall::service(name_space = "calc")]
trait Calc {
    #[rpc(idempotant)]
    async fn add(&self, x: i64, y: i64) -> i64;
    #[rpc(timeout = "5 seconds")]
    async fn subtract(&self, #[rpc(rename = "a")] x: i64) -> i64;
    #[rpc(name = "")]
    async fn nameless(&self);
    #[rpc(name = "rpc.discover")]
    async fn discover(&self);
    #[rpc(notify)]
    async fn tell(&self) -> u8;
}

#[farcall::service(params = "by-name")]
trait Written {
    #[rpc(params = "none")]
    async fn close(&self);
}

#[farcall::service(rename_all = "Camel")]
trait Spelled {}

struct Pocket;

impl Calc for Pocket {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
    async fn subtract(&self, x: i64) -> i64 {
        -x
    }
    async fn nameless(&self) {}
    async fn discover(&self) {}
    async fn tell(&self) -> u8 {
        0
    }
}

fn main() {
    let _ = CalcServer::new(Pocket);
}
