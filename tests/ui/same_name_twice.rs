//! Names that mean two things on the wire.

#[farcall::service(rename_all = "camelCase")]
trait Twins {
    async fn first_born(&self);
    #[rpc(name = "firstBorn")]
    async fn second(&self);
    #[rpc(alias = "second")]
    async fn third(&self, #[rpc(name = "y")] x: u8, y: u8);
    async fn costarring(&self);
    async fn liquid(&self);
}

struct Castor;

impl Twins for Castor {
    async fn first_born(&self) {}
    async fn second(&self) {}
    async fn third(&self, _x: u8, _y: u8) {}
    async fn costarring(&self) {}
    async fn liquid(&self) {}
}

fn main() {
    let _ = TwinsServer::new(Castor);
}
