//! The wire is cut behind each byte of a request and of its reply. What is said of a call has to agree
//! with the journal, into which each run is written before anything else.

mod proxy;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::testing::Faults;
use farcall::{Error, Retry, Server};
use proxy::Proxy;

/// What ran, in order.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<u32>>>);

impl Journal {
    fn runs_of(&self, id: u32) -> usize {
        let entries = self.0.lock().unwrap();
        entries.iter().filter(|&&entry| entry == id).count()
    }
}

#[farcall::service]
trait Work {
    async fn plain(&self, id: u32) -> String;
    #[rpc(idempotent)]
    async fn harmless(&self, id: u32) -> String;
}

impl Work for Journal {
    async fn plain(&self, id: u32) -> String {
        self.0.lock().unwrap().push(id);
        "done".to_owned()
    }
    async fn harmless(&self, id: u32) -> String {
        self.plain(id).await
    }
}

const WAYS: [&str; 7] = [
    "bincode+tcp",
    "json+tcp",
    "xml+tcp",
    "json+ws",
    "bincode+http",
    "json+http",
    "xml+http",
];

/// So many bytes go each way of one call, hellos and heads and all.
struct Bytes {
    read: u64,
    written: u64,
}

struct Cut {
    journal: Journal,
    proxy: Proxy,
    client: WorkClient,
}

impl Cut {
    async fn new(way: &str) -> Self {
        let journal = Journal::default();
        let server = Server::new().service(WorkServer::new(journal.clone()));
        let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
        let to = listening.local_addr().unwrap();
        tokio::spawn(listening.run());
        let proxy = Proxy::start(to).await;
        let (pause, longest) = (Duration::from_millis(1), Duration::from_millis(2));
        let retry = Retry::default()
            .pauses(pause, longest)
            .connect_pauses(pause, longest)
            .budget(1.0, 1000);
        let address = format!("{way}://{}", proxy.address);
        let channel = farcall::connect(&address).retry(retry).lazily().await;
        Self {
            journal,
            proxy,
            client: WorkClient::new(channel.unwrap()),
        }
    }

    /// How many bytes a call and its reply take on a new connection.
    async fn bytes(way: &str) -> Bytes {
        let cut = Self::new(way).await;
        cut.client.plain(0).await.unwrap();
        drop(cut.client);
        let (read, written) = cut.proxy.first_connection().await;
        Bytes { read, written }
    }

    /// Makes a plain and a harmless call, each over a connection that breaks.
    async fn try_both(&self, way: &str, at: u32, faults: &Faults) {
        let plain = at * 2;
        self.proxy.next_is(*faults);
        let outcome = self.client.plain(plain).await;
        let runs = self.journal.runs_of(plain);
        assert!(runs <= 1, "{way} {faults:?}: {runs} runs, {outcome:?}");
        match &outcome {
            Ok(done) => assert_eq!((done.as_str(), runs), ("done", 1), "{way} {faults:?}"),
            Err(error) => honest(error, runs, &format!("{way} {faults:?}")),
        }

        let harmless = at * 2 + 1;
        self.proxy.next_is(*faults);
        let outcome = self.client.harmless(harmless).await;
        let runs = self.journal.runs_of(harmless);
        assert!(outcome.is_ok(), "{way} {faults:?}: {outcome:?}");
        assert!((1..=2).contains(&runs), "{way} {faults:?}: {runs} runs");
    }
}

/// An error that says that nothing ran is right.
fn honest(error: &Error, runs: usize, what: &str) {
    if error.is_retryable() || !error.was_sent() {
        assert_eq!(runs, 0, "{what}: {error}");
    }
    let is_lost = error.failure().unwrap().is_lost();
    assert!(is_lost || error.is_retryable(), "{what}: {error}");
}

#[tokio::test]
async fn nothing_runs_twice_wherever_a_request_is_cut() {
    for way in WAYS {
        let bytes = Cut::bytes(way).await;
        let cut = Cut::new(way).await;
        for at in 0..=bytes.read {
            let faults = Faults::seeded(at).cut_reading(at);
            cut.try_both(way, u32::try_from(at).unwrap(), &faults).await;
        }
    }
}

#[tokio::test]
async fn nothing_runs_twice_wherever_a_reply_is_cut() {
    for way in WAYS {
        let bytes = Cut::bytes(way).await;
        let cut = Cut::new(way).await;
        for at in 0..=bytes.written {
            let faults = Faults::seeded(at).cut_writing(at).in_pieces(64);
            cut.try_both(way, u32::try_from(at).unwrap(), &faults).await;
        }
    }
}
