//! Every mistake at its token, all in one build; nothing is said about the `impl`.

#[farcall::service]
trait Files {
    fn read(&self, path: String) -> Vec<u8>;
    async fn write(&mut self, path: &str, (from, to): (u64, u64), bytes: &[u8]);
    async fn seek(&self, _: u64);
    async fn parse<T>(&self, text: &str) -> T;
    async fn show(&self, value: impl std::fmt::Debug);
    async fn new(&self);
    async fn open(path: &str);
    const SIZE: u64;
    async fn close(&self) -> u8;
}

struct Disk;

impl Files for Disk {
    fn read(&self, path: String) -> Vec<u8> {
        path.into_bytes()
    }
    async fn write(&mut self, _path: &str, (_from, _to): (u64, u64), _bytes: &[u8]) {}
    async fn seek(&self, _: u64) {}
    async fn parse<T>(&self, _text: &str) -> T {
        unreachable!()
    }
    async fn show(&self, _value: impl std::fmt::Debug) {}
    async fn new(&self) {}
    async fn open(_path: &str) {}
    const SIZE: u64 = 0;
    async fn close(&self) -> u8 {
        0
    }
}

fn main() {
    let files = FilesClient::in_memory(FilesServer::new(Disk), farcall::Encoding::Json);
    let _ = files.close();
}
