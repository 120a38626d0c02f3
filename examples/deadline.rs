//! One deadline through two hops: the kitchen knows how long the guest still waits.

use std::time::Duration;

use farcall::{Context, Server};

/// The far end.
#[farcall::service]
trait Kitchen {
    /// How long the dish may take, in milliseconds.
    async fn cook(&self, cx: &Context, dish: &str) -> Option<u64>;
}

struct Stove;

impl Kitchen for Stove {
    async fn cook(&self, cx: &Context, dish: &str) -> Option<u64> {
        let left = cx.time_left()?;
        println!("{dish} within {left:?}");
        u64::try_from(left.as_millis()).ok()
    }
}

/// Between the guest and the kitchen.
#[farcall::service]
trait Waiter {
    async fn order(&self, dish: &str) -> Result<Option<u64>, Sorry>;
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
#[error("the kitchen is closed")]
#[fault(code = 1)]
struct Sorry;

struct Joe(KitchenClient);

impl Waiter for Joe {
    async fn order(&self, dish: &str) -> Result<Option<u64>, Sorry> {
        // Not a word of the deadline here.
        self.0.cook(dish).await.map_err(|_| Sorry)
    }
}

/// The port where `server` listens.
async fn listen(server: Server) -> Result<u16, Box<dyn std::error::Error>> {
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let port = listening.local_addr().ok_or("no port")?.port();
    tokio::spawn(listening.run());
    Ok(port)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kitchen = listen(Server::new().service(KitchenServer::new(Stove))).await?;
    let kitchen = KitchenClient::connect(&format!("json+http://127.0.0.1:{kitchen}")).await?;
    let waiter = listen(Server::new().service(WaiterServer::new(Joe(kitchen)))).await?;
    let waiter = WaiterClient::connect(&format!("bincode+tcp://127.0.0.1:{waiter}")).await?;

    let patience = Duration::from_secs(5);
    let left = waiter.order("soup").timeout(patience).await?;
    // Without it a call has ten seconds.
    assert!(left.is_some_and(|left| left <= 5_000), "{left:?}");
    Ok(())
}
