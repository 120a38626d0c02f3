//! The same over every way to a server.

use farcall::{Retry, Stream};
use futures_util::{StreamExt, stream};

use super::{CounterClient, Host, Runs};

/// Where servers listen, `0` for the port, and how clients come.
const WAYS: [(&str, &str); 11] = [
    ("tcp://127.0.0.1:0", "bincode+tcp"),
    ("tcp://127.0.0.1:0", "json+tcp"),
    ("tcp://127.0.0.1:0", "xml+tcp"),
    ("tcp://127.0.0.1:0", "bincode+http"),
    ("tcp://127.0.0.1:0", "json+http"),
    ("tcp://127.0.0.1:0", "xml+http"),
    ("tcp://127.0.0.1:0", "json+http2"),
    ("tcp://127.0.0.1:0", "bincode+ws"),
    ("tcp://127.0.0.1:0", "json+ws"),
    ("unix", "bincode+unix"),
    ("mem", "json+mem"),
];

struct Place {
    serves: String,
    calls: String,
}

impl Place {
    async fn host(&mut self, runs: &Runs) -> Host {
        let (host, port) = Host::start(&self.serves, runs).await;
        // From now on the same one.
        self.serves = self.serves.replace(":0", &format!(":{port}"));
        self.calls = self.calls.replace(":0", &format!(":{port}"));
        host
    }
}

fn place(way: (&str, &str), test: &str) -> Place {
    let (serves, calls) = way;
    match serves {
        "unix" => {
            let file = format!("farcall-{test}-{}.sock", std::process::id());
            let path = std::env::temp_dir().join(file);
            Place {
                serves: format!("unix://{}", path.display()),
                calls: format!("{calls}://{}", path.display()),
            }
        }
        "mem" => Place {
            serves: format!("mem://{test}"),
            calls: format!("{calls}://{test}"),
        },
        _ => {
            let (scheme, query) = match calls.strip_suffix("http2") {
                Some(codec) => (format!("{codec}http"), "/?version=2"),
                None => (calls.to_owned(), ""),
            };
            Place {
                serves: serves.to_owned(),
                calls: format!("{scheme}://127.0.0.1:0{query}"),
            }
        }
    }
}

async fn all<T, E>(items: impl Stream<Item = Result<T, E>>) -> Vec<T>
where
    E: std::fmt::Debug,
{
    items.map(Result::unwrap).collect().await
}

#[tokio::test]
async fn a_client_survives_a_restart_of_its_server() {
    for way in WAYS {
        let runs = Runs::default();
        let mut place = place(way, "survives");
        let host = place.host(&runs).await;
        let client = CounterClient::connect(&place.calls).await.unwrap();
        assert_eq!(client.count().await.unwrap(), 1, "{way:?}");
        host.end().await;

        // Each kind of call as the first one after it.
        let host = place.host(&runs).await;
        assert_eq!(client.count().await.unwrap(), 2, "{way:?}");
        host.end().await;

        let host = place.host(&runs).await;
        let (one, other) = client
            .batch((client.count(), client.count()))
            .await
            .unwrap();
        let mut counts = [one.unwrap(), other.unwrap()];
        counts.sort_unstable();
        assert_eq!(counts, [3, 4], "{way:?}");
        host.end().await;

        let host = place.host(&runs).await;
        let numbers = client.numbers(3).await.unwrap();
        assert_eq!(all(numbers).await, [0, 1, 2], "{way:?}");
        host.end().await;

        let host = place.host(&runs).await;
        let total = client.total(stream::iter([1, 2, 3])).await;
        assert_eq!(total.unwrap(), 6, "{way:?}");
        host.end().await;

        let host = place.host(&runs).await;
        client.note().await.unwrap();
        assert_eq!(client.count().await.unwrap(), 6, "{way:?}");
        host.end().await;
    }
}

#[tokio::test]
async fn a_client_may_be_there_before_its_server() {
    for way in WAYS {
        let runs = Runs::default();
        let mut place = place(way, "before");
        // To learn the port.
        place.host(&runs).await.end().await;
        let channel = farcall::connect(&place.calls).lazily().await.unwrap();
        let host = place.host(&runs).await;
        assert_eq!(
            CounterClient::new(channel).count().await.unwrap(),
            1,
            "{way:?}"
        );
        host.end().await;
    }
}

#[tokio::test]
async fn without_retries_a_lost_connection_is_replaced_all_the_same() {
    for way in WAYS {
        let runs = Runs::default();
        let mut place = place(way, "never");
        let host = place.host(&runs).await;
        let channel = farcall::connect(&place.calls).retry(Retry::never()).await;
        let client = CounterClient::new(channel.unwrap());
        assert_eq!(client.count().await.unwrap(), 1, "{way:?}");
        host.end().await;
        let host = place.host(&runs).await;
        assert_eq!(client.count().await.unwrap(), 2, "{way:?}");
        host.end().await;
    }
}

#[tokio::test]
async fn a_channel_that_is_to_have_one_connection_ends_with_it() {
    let runs = Runs::default();
    let mut place = place(WAYS[0], "once");
    let host = place.host(&runs).await;
    let channel = farcall::connect(&place.calls).once().await.unwrap();
    let client = CounterClient::new(channel);
    assert_eq!(client.count().await.unwrap(), 1);
    host.end().await;
    let host = place.host(&runs).await;
    let error = client.count().await.unwrap_err();
    assert!(error.is_retryable() && !error.was_sent(), "{error}");
    host.end().await;
}
