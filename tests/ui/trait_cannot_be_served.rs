//! Traits of which there can be no server.

#[farcall::service]
trait Borrows<'a> {
    async fn name(&self) -> String;
}

#[farcall::service]
unsafe trait Unsafe {
    type Of<T>;
    async unsafe fn name(&self) -> String;
    async fn bounded(&self)
    where
        Self: Sized;
}

impl Borrows<'_> for () {
    async fn name(&self) -> String {
        String::new()
    }
}

fn main() {}
