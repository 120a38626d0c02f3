//! Streams are designed and not there yet.

trait Stream {
    type Item;
}

impl Stream for u32 {
    type Item = u32;
}

#[farcall::service]
trait Numbers {
    fn countdown(&self, from: u32) -> impl Stream<Item = u32>;
    async fn total(&self, numbers: impl Stream<Item = i64>) -> i64;
    async fn add(&self, x: i64) -> i64;
}

struct Pocket;

impl Numbers for Pocket {
    fn countdown(&self, from: u32) -> impl Stream<Item = u32> {
        from
    }
    async fn total(&self, _numbers: impl Stream<Item = i64>) -> i64 {
        0
    }
    async fn add(&self, x: i64) -> i64 {
        x
    }
}

fn main() {
    let _ = NumbersServer::new(Pocket);
}
