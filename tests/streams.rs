//! Streams between a client and a server of the same trait, over every way that carries them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use farcall::{Encoding, Fault, Server, ServerTls, Stream};
use futures_util::{StreamExt, stream};
use tokio::sync::{Notify, mpsc};

#[derive(Debug, PartialEq, thiserror::Error, Fault)]
enum Trouble {
    #[error("nothing is called `{name}`")]
    #[fault(code = 1)]
    Unknown { name: String },
    #[error("the end of the world")]
    #[fault(code = 2)]
    End,
}

#[farcall::service]
trait Numbers {
    /// 0, 1, 2… below `to`.
    fn count(&self, to: u64) -> impl Stream<Item = u64>;
    /// 0, 1, 2… below `to`, and then trouble.
    fn until_trouble(&self, to: u64) -> impl Stream<Item = Result<u64, Trouble>>;
    /// The letters of what is called so.
    async fn open(&self, name: &str) -> Result<impl Stream<Item = char>, Trouble>;
    /// Never an item.
    fn silence(&self) -> impl Stream<Item = u64>;
    /// So many texts of that length.
    fn texts(&self, count: u64, length: usize) -> impl Stream<Item = String>;
    async fn total(&self, numbers: impl Stream<Item = i64>) -> i64;
    /// The first of them; the others are not read.
    async fn first(&self, numbers: impl Stream<Item = i64>) -> Option<i64>;
    /// What was said, louder.
    fn louder(&self, said: impl Stream<Item = String>) -> impl Stream<Item = String>;
    async fn add(&self, x: i64, y: i64) -> i64;
}

#[derive(Clone, Default)]
struct Real {
    made: Arc<AtomicU64>,
    dropped: Arc<Notify>,
}

/// Tells when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Numbers for Real {
    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        let told = Told(Arc::clone(&self.dropped));
        stream::iter(0..to).inspect(move |_| {
            let _ = &told;
            self.made.fetch_add(1, Ordering::SeqCst);
        })
    }

    fn until_trouble(&self, to: u64) -> impl Stream<Item = Result<u64, Trouble>> {
        stream::iter(0..to)
            .map(Ok)
            .chain(stream::once(async { Err(Trouble::End) }))
    }

    async fn open(&self, name: &str) -> Result<impl Stream<Item = char>, Trouble> {
        if name == "nobody" {
            return Err(Trouble::Unknown { name: name.into() });
        }
        Ok(stream::iter(name.chars().collect::<Vec<_>>()))
    }

    fn silence(&self) -> impl Stream<Item = u64> {
        let told = Told(Arc::clone(&self.dropped));
        stream::pending().inspect(move |_: &u64| drop(Told(Arc::clone(&told.0))))
    }

    fn texts(&self, count: u64, length: usize) -> impl Stream<Item = String> {
        stream::iter(0..count).map(move |_| "x".repeat(length))
    }

    async fn total(&self, mut numbers: impl Stream<Item = i64> + Unpin) -> i64 {
        let _told = Told(Arc::clone(&self.dropped));
        let mut total = 0;
        while let Some(number) = numbers.next().await {
            total += number;
        }
        total
    }

    async fn first(&self, mut numbers: impl Stream<Item = i64> + Unpin) -> Option<i64> {
        numbers.next().await
    }

    fn louder(&self, said: impl Stream<Item = String> + Send) -> impl Stream<Item = String> {
        said.map(|said| said.to_uppercase())
    }

    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
}

/// A certificate for loopback, and the file that clients trust it by.
fn certificate() -> (ServerTls, String) {
    static FILE: LazyLock<(String, String, String)> = LazyLock::new(|| {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
        let file = format!("{}/streams.pem", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(&file, own.cert.pem()).unwrap();
        (own.cert.pem(), own.signing_key.serialize_pem(), file)
    });
    let (certificate, key, file) = &*FILE;
    let tls = ServerTls::from_pem(certificate, key).unwrap();
    (tls, file.clone())
}

/// A client for each way that carries streams.
async fn clients(real: &Real) -> Vec<(String, NumbersClient)> {
    let mut clients = Vec::new();
    for encoding in Encoding::ALL {
        let memory = NumbersClient::in_memory(NumbersServer::new(real.clone()), encoding);
        clients.push((format!("{encoding} in memory"), memory));
        let server = Server::new()
            .service(NumbersServer::new(real.clone()))
            .listen("tcp://127.0.0.1:0")
            .await
            .unwrap();
        let address = format!("{encoding}+tcp://{}", server.local_addr().unwrap());
        tokio::spawn(server.run_until(std::future::pending::<()>()));
        let client = NumbersClient::connect(&address).await.unwrap();
        clients.push((address, client));
    }
    let (tls, ca) = certificate();
    let server = Server::new()
        .service(NumbersServer::new(real.clone()))
        .tls(tls)
        .tls_beside_plain()
        .listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(server.run_until(std::future::pending::<()>()));
    let plain = [
        "http://127.0.0.1/?version=1",
        "http://127.0.0.1/?version=2",
        "ws://127.0.0.1/",
    ];
    let plain = plain
        .iter()
        .flat_map(|way| Encoding::ALL.map(|encoding| format!("{encoding}+{way}")));
    // Below TLS they are the same: one encoding of each.
    let secure = [
        "bincode+tls://127.0.0.1?",
        "json+https://127.0.0.1/?version=1&",
        "bincode+https://127.0.0.1/?version=2&",
        "json+wss://127.0.0.1/?",
    ];
    let secure = secure.map(|way| format!("{way}ca={ca}"));
    for way in plain.chain(secure) {
        let address = way.replacen("127.0.0.1", &format!("127.0.0.1:{port}"), 1);
        let client = NumbersClient::connect(&address).await.unwrap();
        clients.push((address, client));
    }
    // First bytes are waited for no longer than `handshake_time`, and the turn of some comes late.
    for (way, client) in &clients {
        assert_eq!(client.add(7, 3).await.unwrap(), 10, "{way}");
    }
    clients
}

#[tokio::test]
async fn items_come_in_order_and_the_end_is_told_from_an_error() {
    for (way, client) in clients(&Real::default()).await {
        let items: Vec<_> = client.count(20_000).await.unwrap().collect().await;
        let items: Vec<_> = items.into_iter().map(Result::unwrap).collect();
        assert!(items.iter().copied().eq(0..20_000), "{way}");
        let items: Vec<_> = client.until_trouble(3).await.unwrap().collect().await;
        match &items[..] {
            [
                Ok(0),
                Ok(1),
                Ok(2),
                Err(farcall::Error::Fault(Trouble::End)),
            ] => {}
            other => panic!("{way}: {other:?}"),
        }
        let letters = client.open("abc").await.unwrap();
        let letters: Vec<_> = letters.map(Result::unwrap).collect().await;
        assert_eq!(letters, ['a', 'b', 'c'], "{way}");
        match client.open("nobody").await {
            Err(farcall::Error::Fault(Trouble::Unknown { name })) => assert_eq!(name, "nobody"),
            other => panic!("{way}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_caller_sends_a_stream_and_gets_one_back() {
    for (way, client) in clients(&Real::default()).await {
        let total = client.total(stream::iter(1..=10_000)).await.unwrap();
        assert_eq!(total, 50_005_000, "{way}");
        assert_eq!(client.total(stream::empty()).await.unwrap(), 0, "{way}");
        // Each answer is asked for before the next word is said.
        let (say, said) = mpsc::channel::<String>(1);
        let said = stream::unfold(said, |mut said| async { Some((said.recv().await?, said)) });
        let mut louder = client.louder(said).await.unwrap();
        for word in ["one", "two"] {
            say.send(word.to_owned()).await.unwrap();
            let answer = louder.next().await.unwrap().unwrap();
            assert_eq!(answer, word.to_uppercase(), "{way}");
        }
        drop(say);
        assert!(louder.next().await.is_none(), "{way}");
    }
}

#[tokio::test]
async fn a_reply_ends_what_its_caller_sends() {
    for (way, client) in clients(&Real::default()).await {
        let told = Arc::new(Notify::new());
        let guard = Told(Arc::clone(&told));
        let endless = stream::repeat(7).inspect(move |_| {
            let _ = &guard;
        });
        assert_eq!(client.first(endless).await.unwrap(), Some(7), "{way}");
        told.notified().await;
        assert_eq!(client.add(7, 3).await.unwrap(), 10, "{way}");
    }
}

#[tokio::test]
async fn a_stream_that_is_not_read_holds_up_itself_and_nobody_else() {
    let real = Real::default();
    for (way, client) in clients(&real).await {
        real.made.store(0, Ordering::SeqCst);
        let mut endless = client.count(1 << 62).await.unwrap();
        assert_eq!(endless.next().await.unwrap().unwrap(), 0);
        for _ in 0..1000 {
            assert_eq!(client.add(7, 3).await.unwrap(), 10, "{way}");
        }
        // An item costs at least its frame's header.
        let most = 256 * 1024 / 16;
        let made = real.made.load(Ordering::SeqCst);
        assert!((1..=most).contains(&made), "{way}: {made}");
        drop(endless);
        real.dropped.notified().await;
        assert_eq!(client.add(7, 3).await.unwrap(), 10, "{way}");
    }
}

#[tokio::test]
async fn whoever_gives_up_a_stream_ends_its_handler() {
    let real = Real::default();
    for (way, client) in clients(&real).await {
        // One that is open, and one that nobody has sent anything of.
        let silence = client.silence().await.unwrap();
        drop(silence);
        real.dropped.notified().await;
        let (say, said) = mpsc::channel::<i64>(1);
        let said = stream::unfold(said, |mut said| async { Some((said.recv().await?, said)) });
        let mut total = Box::pin(client.total(said).into_future());
        say.send(7).await.unwrap();
        tokio::select! {
            ended = &mut total => panic!("{way}: {ended:?}"),
            // The first was taken: there is room for the third.
            () = async { for n in [8, 9] { say.send(n).await.unwrap() } } => {}
        }
        drop(total);
        real.dropped.notified().await;
        assert_eq!(client.add(7, 3).await.unwrap(), 10, "{way}");
    }
}

#[tokio::test]
async fn a_fast_producer_does_not_starve_other_calls() {
    for (way, client) in clients(&Real::default()).await {
        let running = Arc::new(AtomicBool::new(true));
        let (beside, still) = (client.clone(), Arc::clone(&running));
        let reader = tokio::spawn(async move {
            let mut endless = beside.count(1 << 62).await.unwrap();
            let mut read = 0_u64;
            while still.load(Ordering::SeqCst) {
                read = endless.next().await.unwrap().unwrap();
            }
            read
        });
        for _ in 0..20 {
            assert_eq!(client.add(7, 3).await.unwrap(), 10, "{way}");
        }
        running.store(false, Ordering::SeqCst);
        assert!(reader.await.unwrap() > 0, "{way}");
    }
}

#[tokio::test]
async fn large_items_arrive_whole_and_in_order() {
    for (way, client) in clients(&Real::default()).await {
        let texts: Vec<_> = client.texts(5, 1_200_000).await.unwrap().collect().await;
        assert_eq!(texts.len(), 5, "{way}");
        assert!(
            texts
                .iter()
                .all(|text| text.as_ref().unwrap().len() == 1_200_000)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_stream_on_both_sides() {
    let real = Real::default();
    for encoding in Encoding::ALL {
        let client = NumbersClient::in_memory(NumbersServer::new(real.clone()), encoding);
        let mut silence = client
            .silence()
            .timeout(Duration::from_secs(5))
            .await
            .unwrap();
        let ended = silence.next().await.unwrap();
        assert!(ended.unwrap_err().is_timeout(), "{encoding}");
        assert!(silence.next().await.is_none());
        real.dropped.notified().await;
        // Without a deadline it lasts: opening it was all that had a limit.
        let mut silence = client.silence().await.unwrap();
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, silence.next()).await.is_err());
        drop(silence);
        real.dropped.notified().await;
    }
}

#[tokio::test]
async fn a_stream_that_panics_fails_its_call_alone() {
    for (way, client) in clients(&Real::default()).await {
        let broken = stream::iter(1..3).map(|n: i64| if n == 2 { panic!("on purpose") } else { n });
        let error = client.total(broken).await.unwrap_err();
        assert!(error.to_string().contains("panicked"), "{way}: {error}");
        assert_eq!(client.add(7, 3).await.unwrap(), 10, "{way}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_ends_its_streams() {
    let server = Server::new()
        .service(NumbersServer::new(Real::default()))
        .listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let address = server.local_addr().unwrap();
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let running = tokio::spawn(server.run_until(async move { stopped.notified().await }));
    let client = NumbersClient::connect(&format!("tcp://{address}"))
        .await
        .unwrap();
    let mut silence = client.silence().await.unwrap();
    stop.notify_one();
    // It drains first; then the stream is told that it is cut off.
    running.abort();
    let error = silence.next().await.unwrap().unwrap_err();
    assert!(!error.is_timeout(), "{error}");
    assert!(silence.next().await.is_none());
}
