//! Borrowed where nobody lends, and results that are spelled in half.

type Half<T> = Result<T, farcall::Fault>;

mod io {
    pub type Result<T> = std::result::Result<T, farcall::Fault>;
}

#[farcall::service]
trait Names {
    async fn name(&self) -> &str;
    async fn all(&self, names: Vec<&str>);
    async fn change(&self, name: &mut String);
    async fn keep(&self, name: &'static str);
    async fn other(&self, other: &Self) -> u8;
    async fn load(&self) -> io::Result<String>;
    async fn with(&self, #[rpc(default)] cx: &farcall::Context) -> u8;
}

struct Ada;

impl Names for Ada {
    async fn name(&self) -> &str {
        "Ada"
    }
    async fn all(&self, _names: Vec<&str>) {}
    async fn change(&self, _name: &mut String) {}
    async fn keep(&self, _name: &'static str) {}
    async fn other(&self, _other: &Self) -> u8 {
        0
    }
    async fn load(&self) -> Half<String> {
        Ok(String::new())
    }
    async fn with(&self, _cx: &farcall::Context) -> u8 {
        0
    }
}

fn main() {
    let _ = NamesServer::new(Ada);
}
