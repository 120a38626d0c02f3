//! Several calls sent together, from Rust, over every encoding and transport.

use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::{Encoding, Error, Limits, Server, code};
use tokio::sync::Barrier;

#[farcall::service]
trait Desk {
    async fn add(&self, x: i64, y: i64) -> i64;
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DeskError>;
    async fn echo(&self, text: &str) -> String;
    async fn half(&self, x: f64) -> f64;
    /// Waits until two have come.
    async fn meet(&self) -> bool;
    async fn whoami(&self, cx: &farcall::Context) -> Option<String>;
    #[rpc(notify)]
    async fn note(&self, count: usize);
    async fn noted(&self) -> usize;
    async fn never(&self);
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
enum DeskError {
    #[error("{x} cannot be divided by zero")]
    #[fault(code = 1)]
    ByZero { x: i64 },
}

struct Clerk {
    meeting: Barrier,
    noted: AtomicUsize,
}

impl Default for Clerk {
    fn default() -> Self {
        Self {
            meeting: Barrier::new(2),
            noted: AtomicUsize::new(0),
        }
    }
}

impl Desk for Clerk {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DeskError> {
        x.checked_div(y).ok_or(DeskError::ByZero { x })
    }
    async fn echo(&self, text: &str) -> String {
        text.to_owned()
    }
    async fn half(&self, x: f64) -> f64 {
        x / 2.0
    }
    async fn meet(&self) -> bool {
        self.meeting.wait().await.is_leader()
    }
    async fn whoami(&self, cx: &farcall::Context) -> Option<String> {
        cx.metadata().get("x-token").map(str::to_owned)
    }
    async fn note(&self, count: usize) {
        self.noted.fetch_add(count, Ordering::SeqCst);
    }
    async fn noted(&self) -> usize {
        self.noted.load(Ordering::SeqCst)
    }
    async fn never(&self) {
        std::future::pending().await
    }
}

/// Clients by every way to one server with these limits.
async fn clients(limits: Limits) -> Vec<(String, DeskClient)> {
    let server = Server::new()
        .service(DeskServer::new(Clerk::default()))
        .limits(limits);
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run_until(std::future::pending::<()>()));
    let mut clients = Vec::new();
    for encoding in Encoding::ALL {
        for (transport, version) in [("tcp", ""), ("http", ""), ("http", "/?version=2")] {
            let address = format!("{encoding}+{transport}://127.0.0.1:{port}{version}");
            let client = DeskClient::connect(&address).await.unwrap();
            clients.push((address, client));
        }
    }
    clients
}

#[tokio::test]
async fn a_tuple_of_calls_gives_a_tuple_of_results() {
    for (way, desk) in clients(Limits::default()).await {
        let text = String::from("<&> \u{1f980}");
        let batch = desk.batch((
            desk.add(7, 3),
            desk.divide(7, 0),
            desk.echo(&text),
            desk.divide(7, 2),
        ));
        let (sum, none, echo, quotient) = batch.await.unwrap();
        assert_eq!(sum.unwrap(), 10, "{way}");
        assert!(
            matches!(none, Err(Error::Fault(DeskError::ByZero { x: 7 }))),
            "{way}: {none:?}"
        );
        assert_eq!(echo.unwrap(), text, "{way}");
        assert_eq!(quotient.unwrap(), 3, "{way}");
    }
}

#[tokio::test]
async fn a_list_of_calls_gives_a_list_of_results_in_its_order() {
    for (way, desk) in clients(Limits::default()).await {
        let calls = (0..100).map(|n| desk.add(n, 1)).collect::<Vec<_>>();
        let sums = desk.batch(calls).await.unwrap();
        let sums: Vec<_> = sums.into_iter().map(Result::unwrap).collect();
        assert_eq!(sums, (1..=100).collect::<Vec<_>>(), "{way}");
        let nothing: Vec<_> = Vec::from_iter(None.map(|()| desk.add(0, 0)));
        assert!(desk.batch(nothing).await.unwrap().is_empty(), "{way}");
    }
}

#[tokio::test]
async fn the_calls_of_a_batch_run_side_by_side() {
    for (way, desk) in clients(Limits::default()).await {
        let (one, other) = desk.batch((desk.meet(), desk.meet())).await.unwrap();
        assert_ne!(one.unwrap(), other.unwrap(), "{way}: one of two leads");
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_encoded_fails_alone() {
    for (way, desk) in clients(Limits::default()).await {
        if desk.channel().encoding() == Encoding::Bincode {
            continue;
        }
        let batch = desk.batch((desk.add(1, 2), desk.half(f64::NAN), desk.half(1.0)));
        let (sum, nan, half) = batch.await.unwrap();
        assert_eq!((sum.unwrap(), half.unwrap()), (3, 0.5), "{way}");
        assert!(!nan.unwrap_err().was_sent(), "{way}");
        let (alone,) = desk.batch((desk.half(f64::NAN),)).await.unwrap();
        assert!(!alone.unwrap_err().was_sent(), "{way}");
        let (sum,) = desk.batch((desk.add(1, 2),)).await.unwrap();
        assert_eq!(sum.unwrap(), 3, "{way}: the connection goes on");
    }
}

#[tokio::test]
async fn notifications_of_a_batch_run_and_are_not_waited_for() {
    for (way, desk) in clients(Limits::default()).await {
        let before = desk.noted().await.unwrap();
        let (one, sum, other) = desk
            .batch((desk.note(1), desk.add(1, 2), desk.note(2)))
            .await
            .unwrap();
        one.unwrap();
        other.unwrap();
        assert_eq!(sum.unwrap(), 3, "{way}");
        let notes = vec![desk.note(3), desk.note(4)];
        for noted in desk.batch(notes).await.unwrap() {
            noted.unwrap();
        }
        while desk.noted().await.unwrap() < before + 10 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn more_calls_than_the_server_takes_in_one_are_its_limit_and_no_harm() {
    let mut limits = Limits::default();
    limits.batch_members = 3;
    for (way, desk) in clients(limits).await {
        let calls = |count| (0..count).map(|n| desk.add(n, n)).collect::<Vec<_>>();
        let all = desk.batch(calls(3)).await.unwrap();
        assert!(all.into_iter().all(|sum| sum.is_ok()), "{way}");
        let refused = desk.batch(calls(4)).await;
        // Frames on a stream are calls like any others.
        if way.starts_with("bincode+tcp") || way.starts_with("xml+tcp") {
            assert_eq!(refused.unwrap().len(), 4, "{way}");
            continue;
        }
        let error = refused.expect_err(&way);
        assert_eq!(error.fault().unwrap().code, code::TOO_LARGE, "{way}");
        assert!(
            error.to_string().contains("Limits::batch_members"),
            "{error}"
        );
        assert_eq!(desk.add(1, 2).await.unwrap(), 3, "{way}: it goes on");
    }
}

#[tokio::test]
async fn a_batch_of_more_calls_than_fit_on_a_connection_goes_in_parts() {
    let mut limits = Limits::default();
    limits.calls_per_connection = 8;
    for (way, desk) in clients(limits).await {
        let calls = (0..50).map(|n| desk.add(n, 1)).collect::<Vec<_>>();
        let sums = desk.batch(calls).await.unwrap();
        let sums: Vec<_> = sums.into_iter().map(Result::unwrap).collect();
        assert_eq!(sums, (1..=50).collect::<Vec<_>>(), "{way}");
    }
}

#[tokio::test]
async fn a_batch_has_its_time() {
    for (way, desk) in clients(Limits::default()).await {
        let soon = std::time::Duration::from_millis(20);
        let late = desk
            .batch((desk.add(1, 2), desk.never()))
            .timeout(soon)
            .await;
        match late {
            Ok((sum, never)) => {
                // Frames come one by one, the replies of JSON-RPC all at once.
                match way.starts_with("json") {
                    true => assert!(sum.unwrap_err().is_timeout(), "{way}"),
                    false => assert_eq!(sum.unwrap(), 3, "{way}"),
                }
                assert!(never.unwrap_err().is_timeout(), "{way}");
            }
            Err(error) => assert!(way.contains("http") && error.is_timeout(), "{way}: {error}"),
        }
        assert_eq!(desk.add(1, 2).await.unwrap(), 3, "{way}: it goes on");
    }
}

#[tokio::test]
async fn metadata_travels_with_a_batch() {
    for (way, desk) in clients(Limits::default()).await {
        let mine = || desk.whoami().metadata("x-token", "7f");
        let (one, other) = desk.batch((mine(), mine())).await.unwrap();
        if way.starts_with("json+tcp") {
            // JSON-RPC on a stream has no place for it.
            continue;
        }
        assert_eq!(one.unwrap().as_deref(), Some("7f"), "{way}");
        assert_eq!(other.unwrap().as_deref(), Some("7f"), "{way}");
        if way.contains("http") {
            let others = desk.whoami().metadata("x-token", "80");
            let error = desk.batch((mine(), others)).await.unwrap_err();
            assert!(error.to_string().contains("`x-token`"), "{error}");
        }
    }
}

#[tokio::test]
async fn calls_of_another_channel_are_refused() {
    let clients = clients(Limits::default()).await;
    let (here, there) = (&clients[0].1, &clients[1].1);
    let error = here
        .batch((here.add(1, 2), there.add(1, 2)))
        .await
        .unwrap_err();
    assert!(!error.was_sent(), "{error}");
}

#[tokio::test]
async fn any_clone_of_a_client_may_send_the_batch() {
    let desk = DeskClient::in_memory(DeskServer::new(Clerk::default()), Encoding::Json);
    let same = desk.clone();
    let (sum,) = same.batch((desk.add(1, 2),)).await.unwrap();
    assert_eq!(sum.unwrap(), 3);
}
