//! A handler that holds across an `await` what may not leave its thread.

use std::rc::Rc;

#[farcall::service]
trait Counter {
    async fn count(&self) -> u32;
}

struct Local;

impl Counter for Local {
    async fn count(&self) -> u32 {
        let shared = Rc::new(7);
        std::future::ready(()).await;
        *shared
    }
}

fn main() {
    let _ = CounterServer::new(Local);
}
