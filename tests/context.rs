//! What a handler knows of its call wherever it is, and what the calls that it makes have of it.

use std::time::Duration;

use farcall::{Context, Encoding, Server, Stream};
use futures_util::{StreamExt, stream};

#[farcall::service]
trait Back {
    /// How many milliseconds the caller still waits, as far as it said so.
    async fn left(&self) -> Option<u64>;
    /// The same, as a stream of one item.
    fn left_in_stream(&self) -> impl Stream<Item = Option<u64>>;
    /// Never an item.
    fn silence(&self) -> impl Stream<Item = u64>;
}

struct Last;

fn left(cx: Option<&Context>) -> Option<u64> {
    let left = cx?.deadline()?.duration_since(now());
    u64::try_from(left.as_millis()).ok()
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

impl Back for Last {
    async fn left(&self) -> Option<u64> {
        left(Context::current().as_ref())
    }
    fn left_in_stream(&self) -> impl Stream<Item = Option<u64>> {
        stream::once(async { left(Context::current().as_ref()) })
    }
    fn silence(&self) -> impl Stream<Item = u64> {
        stream::pending()
    }
}

#[farcall::service]
trait Front {
    /// The methods that a function below the handler finds itself in: at once, and after a wait.
    async fn names(&self) -> (Option<String>, Option<String>);
    #[rpc(blocking)]
    async fn name_on_a_thread(&self) -> Option<String>;
    async fn panic(&self);
    /// What `Back::left` says: called alone, together with another, and as a stream.
    async fn ask(&self) -> Vec<Option<u64>>;
    async fn ask_within(&self, ms: u64) -> Option<u64>;
    /// Called in a task of its own, and in one that goes on for this handler.
    async fn ask_elsewhere(&self) -> (Option<u64>, Option<u64>);
}

struct First(BackClient);

fn name() -> Option<String> {
    Context::current().map(|cx| cx.method().to_owned())
}

impl Front for First {
    async fn names(&self) -> (Option<String>, Option<String>) {
        let at_once = name();
        tokio::task::yield_now().await;
        (at_once, name())
    }
    async fn name_on_a_thread(&self) -> Option<String> {
        name()
    }
    async fn panic(&self) {
        panic!("to be expected");
    }
    async fn ask(&self) -> Vec<Option<u64>> {
        let back = &self.0;
        let mut all = vec![back.left().await.unwrap()];
        let (one,) = back.batch((back.left(),)).await.unwrap();
        all.push(one.unwrap());
        // HTTP carries no streams.
        if let Ok(mut items) = back.left_in_stream().await {
            all.push(items.next().await.unwrap().unwrap());
        }
        all
    }
    async fn ask_within(&self, ms: u64) -> Option<u64> {
        let call = self.0.left().timeout(Duration::from_millis(ms));
        call.await.unwrap()
    }
    async fn ask_elsewhere(&self) -> (Option<u64>, Option<u64>) {
        let (alone, with) = (self.0.clone(), self.0.clone());
        let alone = tokio::spawn(async move { alone.left().await.unwrap() });
        let cx = Context::current().unwrap();
        let with = tokio::spawn(cx.scope(async move { with.left().await.unwrap() }));
        (alone.await.unwrap(), with.await.unwrap())
    }
}

async fn fronts() -> Vec<(String, FrontClient)> {
    let mut fronts = Vec::new();
    let listening = Server::new()
        .service(BackServer::new(Last))
        .listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run());
    for way in ["bincode+tcp", "xml+tcp", "bincode+http", "json+http"] {
        let back = format!("{way}://127.0.0.1:{port}");
        let back = BackClient::connect(&back).await.unwrap();
        let server = Server::new().service(FrontServer::new(First(back)));
        let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
        let port = listening.local_addr().unwrap().port();
        tokio::spawn(listening.run());
        let address = format!("{way}://127.0.0.1:{port}");
        let front = FrontClient::connect(&address).await.unwrap();
        fronts.push((address, front));
    }
    fronts
}

#[tokio::test]
async fn a_function_below_a_handler_finds_the_call() {
    for (address, front) in fronts().await {
        let own = Some("names".to_owned());
        let names = front.names().await.unwrap();
        assert_eq!(names, (own.clone(), own), "{address}");
        let there = front.name_on_a_thread().await.unwrap();
        assert_eq!(there.as_deref(), Some("name_on_a_thread"), "{address}");
        // Handlers, this test and what serves them share one thread.
        front.panic().await.unwrap_err();
        assert_eq!(name(), None, "{address}");
    }
}

#[tokio::test]
async fn calls_inherit_the_deadline_of_the_handler_that_makes_them() {
    // Far below a call's usual 10 seconds, and far above what all of it takes.
    let (time, near) = (Duration::from_secs(8), 3_000..=8_000);
    let near = |left: &Option<u64>| left.is_some_and(|left| near.contains(&left));
    for (address, front) in fronts().await {
        let asked = front.ask().timeout(time).await.unwrap();
        assert!(asked.len() >= 2, "{address}");
        assert!(asked.iter().all(near), "{address}: {asked:?}");
        // The earlier of the two counts.
        let within = |ms| front.ask_within(ms).timeout(time);
        let later = within(60_000).await.unwrap();
        assert!(near(&later), "{address}: {later:?}");
        let earlier = within(2_000).await.unwrap();
        assert!(
            earlier.is_some_and(|left| left <= 2_000),
            "{address}: {earlier:?}"
        );
    }
}

#[tokio::test]
async fn other_tasks_inherit_what_they_are_given() {
    for (address, front) in fronts().await {
        let asked = front.ask_elsewhere().timeout(Duration::from_secs(8));
        let (alone, with) = asked.await.unwrap();
        assert!(
            alone.is_none_or(|left| left > 8_000),
            "{address}: {alone:?}"
        );
        assert!(
            with.is_some_and(|left| left <= 8_000),
            "{address}: {with:?}"
        );
    }
}

#[farcall::service]
trait Relay {
    /// How long a stream without an end took to end.
    async fn listen(&self) -> u64;
}

struct Listener(BackClient);

impl Relay for Listener {
    async fn listen(&self) -> u64 {
        let start = tokio::time::Instant::now();
        let mut silence = self.0.silence().await.unwrap();
        // In a task of its own, that no deadline of the handler ends.
        let ended = tokio::spawn(async move { silence.next().await.unwrap().unwrap_err() });
        let why = ended.await.unwrap();
        assert!(why.is_timeout(), "{why}");
        start.elapsed().as_secs()
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_a_handler_opened_ends_at_its_deadline() {
    let back = BackClient::in_memory(BackServer::new(Last), Encoding::Bincode);
    let relay = Listener(back);
    let (said, heard) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        // A deadline of a minute, without a server that drops the handler then.
        let cx = InAMinute::context().await;
        let _ = said.send(cx.scope(relay.listen()).await);
    });
    // An hour by the test's own clock: a stream without an end must not hang it.
    let heard = tokio::time::timeout(Duration::from_secs(3600), heard).await;
    assert_eq!(heard.unwrap().unwrap(), 60);
}

#[farcall::service]
trait Lend {
    async fn lend(&self);
}

/// Lends the context of a call that has a minute.
struct InAMinute(tokio::sync::mpsc::UnboundedSender<Context>);

impl Lend for InAMinute {
    async fn lend(&self) {
        let _ = self.0.send(Context::current().unwrap());
    }
}

impl InAMinute {
    async fn context() -> Context {
        let (sender, mut contexts) = tokio::sync::mpsc::unbounded_channel();
        let lender = LendClient::in_memory(LendServer::new(Self(sender)), Encoding::Bincode);
        let call = lender.lend().timeout(Duration::from_secs(60));
        call.await.unwrap();
        contexts.recv().await.unwrap()
    }
}
