//! Calls that find nobody there. In memory, where time is the test's own.

use std::time::Duration;

use farcall::Retry;
use tokio::time::{Instant, sleep};

use super::{CounterClient, Host, Runs};

const SECOND: Duration = Duration::from_secs(1);

async fn client(address: &str, retry: Retry) -> CounterClient {
    let channel = farcall::connect(address).retry(retry).lazily().await;
    CounterClient::new(channel.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_server_to_come_back() {
    let runs = Runs::default();
    let client = client("mem://comes-back", Retry::default()).await;
    let begun = Instant::now();
    let serving = async {
        sleep(4 * SECOND).await;
        Host::start("mem://comes-back", &runs).await
    };
    let (count, (host, _)) = tokio::join!(client.count().into_future(), serving);
    assert_eq!(count.unwrap(), 1);
    let waited = begun.elapsed();
    assert!((4 * SECOND..7 * SECOND).contains(&waited), "{waited:?}");
    host.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_in_its_own_time_if_nobody_comes() {
    let client = client("mem://nobody", Retry::default().attempts(u32::MAX)).await;
    for ms in [1, 50, 500, 5000, 60_000] {
        let begun = Instant::now();
        let time = Duration::from_millis(ms);
        let error = client.count().timeout(time).await.unwrap_err();
        assert!(
            begun.elapsed() <= time + Duration::from_millis(2),
            "{error}"
        );
        assert!(!error.was_sent(), "{error}");
        let words = error.to_string();
        assert!(
            words.contains("cannot connect to bincode+mem://nobody"),
            "{words}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_has_four_attempts() {
    let client = client("mem://four", Retry::default()).await;
    let begun = Instant::now();
    let error = client.count().timeout(60 * SECOND).await.unwrap_err();
    let waited = begun.elapsed();
    assert!(error.failure().unwrap().is_unreachable(), "{error}");
    // 1 s, 1.6 s and 2.56 s between them, give or take a fifth.
    assert!((4 * SECOND..7 * SECOND).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_while_others_wait_long_does_not_wait_as_long() {
    let runs = Runs::default();
    let client = client("mem://impatient", Retry::default().attempts(u32::MAX)).await;
    let waits = tokio::spawn({
        let client = client.clone();
        async move { client.count().timeout(1000 * SECOND).await }
    });
    sleep(100 * SECOND).await;
    let (host, _) = Host::start("mem://impatient", &runs).await;
    let begun = Instant::now();
    // This finds the server, and the other is told.
    client.count().await.unwrap();
    waits.await.unwrap().unwrap();
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    host.end().await;
}

#[tokio::test]
async fn all_that_wait_share_one_connection() {
    let runs = Runs::default();
    let (host, port) = Host::start("tcp://127.0.0.1:0", &runs).await;
    let address = format!("tcp://127.0.0.1:{port}");
    let client = client(&address, Retry::default()).await;
    let calls = (0..100).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.count().await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    drop(host.end);
    assert_eq!(host.running.await.unwrap().connections, 1);
}
