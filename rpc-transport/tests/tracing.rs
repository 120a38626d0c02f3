//! What a subscriber of `tracing` hears of those who come in, and that it cannot be flooded.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::sync::Once;
use std::time::Duration;

use farcall_transport::allow::AllowList;
use farcall_transport::server::Server;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    /// What was heard on one thread: each test has its own.
    static HEARD: RefCell<Vec<String>> = RefCell::default();
}

/// Takes down each event.
struct Listener;

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("farcall") {
            let mut shown = metadata.level().to_string();
            event.record(&mut Fields(&mut shown));
            HEARD.with_borrow_mut(|heard| heard.push(shown));
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
}

/// One test takes all descriptors that the others need as well.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Runs `server` on this thread.
async fn run(server: Server) -> SocketAddr {
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap();
    tokio::spawn(listening.run());
    address
}

#[tokio::test(start_paused = true)]
async fn a_server_without_descriptors_says_so_once_a_second_and_no_more_when_there_are_some() {
    let _alone = ALONE.lock().await;
    listen();
    let address = run(Server::new()).await;
    // Connected, as far as the system sees it; nobody has accepted it yet.
    let waits = TcpStream::connect(address).unwrap();
    let (few, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, few.min(256), hard).unwrap();
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }

    tokio::time::sleep(Duration::from_millis(9500)).await;
    let heard = HEARD.take();
    drop(taken);
    setrlimit(Resource::RLIMIT_NOFILE, few, hard).unwrap();
    assert_eq!(heard.len(), 10, "{heard:?}");
    for event in heard {
        let words = "WARN message=no connection can be accepted, the next try is in a second: ";
        assert!(event.starts_with(words), "{event}");
    }

    waits.set_nonblocking(true).unwrap();
    let mut waits = tokio::net::TcpStream::from_std(waits).unwrap();
    waits.write_all(b"{}\n").await.unwrap();
    assert_eq!(waits.read_u8().await.unwrap(), b'{');
    assert_eq!(HEARD.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn of_many_who_are_turned_away_one_a_second_is_named() {
    let _alone = ALONE.lock().await;
    listen();
    let allowed = AllowList::new(["10.0.0.0/8"]).unwrap();
    let address = run(Server::new().allow(allowed)).await;
    for round in 0..3 {
        let mut peers = Vec::new();
        for _ in 0..50 {
            let mut peer = tokio::net::TcpStream::connect(address).await.unwrap();
            peers.push(peer.local_addr().unwrap());
            // It ends without a byte.
            let _ = peer.read_u8().await.unwrap_err();
        }
        let others = if round == 0 { 0 } else { 49 };
        let first = peers.first().unwrap();
        let words = "message=not on the allow-list: turned away";
        let expected = format!("INFO {words} peer={first} others={others}");
        assert_eq!(HEARD.take(), [expected]);
        tokio::time::advance(Duration::from_millis(1001)).await;
    }
}

#[tokio::test]
async fn a_list_that_was_read_again_is_told_of_and_why_another_was_not() {
    let _alone = ALONE.lock().await;
    listen();
    let path = std::env::temp_dir().join(format!("farcall-tracing-{}", std::process::id()));
    std::fs::write(&path, "10.0.0.0/8\n").unwrap();
    let list = AllowList::from_file(&path).unwrap();
    std::fs::write(&path, "10.0.0.0/8\n::1\n").unwrap();
    list.reload().unwrap();
    assert_eq!(
        HEARD.take(),
        ["INFO message=the allow-list was read again entries=2"]
    );
    // What is in the file is shown, but cannot write a line of its own, or turn one around.
    std::fs::write(&path, "10.0.0.1\u{1b}[2K\u{202e}x\r10.0.0.2\n").unwrap();
    list.reload().unwrap_err();
    std::fs::remove_file(&path).unwrap();
    let heard = HEARD.take().concat();
    let words = "WARN message=the old allow-list stays: ";
    assert!(heard.starts_with(words), "{heard}");
    assert!(
        !heard.contains(['\u{1b}', '\u{202e}', '\r', '\n']),
        "{heard:?}"
    );
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn certificates_that_were_read_again_are_told_of_and_why_others_were_not() {
    use farcall_transport::tls::ServerTls;

    let _alone = ALONE.lock().await;
    listen();
    let own = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let path = std::env::temp_dir().join(format!("farcall-tracing-{}.pem", std::process::id()));
    let pem = own.cert.pem() + &own.signing_key.serialize_pem();
    std::fs::write(&path, &pem).unwrap();
    let tls = ServerTls::from_pem_files(&path, &path).unwrap();
    tls.reload().unwrap();
    assert_eq!(
        HEARD.take(),
        ["INFO message=the certificates were read again"]
    );
    std::fs::write(&path, "nothing").unwrap();
    tls.reload().unwrap_err();
    std::fs::remove_file(&path).unwrap();
    let heard = HEARD.take().concat();
    let words = "WARN message=the old certificates stay: ";
    assert!(heard.starts_with(words), "{heard}");
}
