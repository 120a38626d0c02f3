//! The limits that a client was given hold for what it reads, whatever way it comes.

use std::time::Duration;

use farcall::types::Value;
use farcall::{Encoding, Error, Limits, Server, Stream};
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;

#[farcall::service]
trait Shelf {
    async fn list(&self, length: usize) -> Vec<u32>;
    async fn nested(&self, levels: usize) -> Value;
    async fn lists(&self, length: usize) -> impl Stream<Item = Vec<u32>>;
}

struct Full;

fn ones(length: usize) -> Vec<u32> {
    vec![1; length]
}

impl Shelf for Full {
    async fn list(&self, length: usize) -> Vec<u32> {
        ones(length)
    }
    async fn nested(&self, levels: usize) -> Value {
        (0..levels).fold(Value::Nil, |inner, _| Value::Array(vec![inner]))
    }
    async fn lists(&self, length: usize) -> impl Stream<Item = Vec<u32>> {
        stream::iter([ones(length)])
    }
}

/// Clients with these limits by every way to one server that has its own.
async fn clients(limits: &Limits) -> Vec<(String, ShelfClient)> {
    let server = Server::new().service(ShelfServer::new(Full));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run_until(std::future::pending::<()>()));
    let mut clients = Vec::new();
    for encoding in Encoding::ALL {
        for (transport, version) in [
            ("tcp", ""),
            ("ws", ""),
            ("http", ""),
            ("http", "/?version=2"),
        ] {
            let way = format!("{encoding}+{transport}://127.0.0.1:{port}{version}");
            let connect = || farcall::connect(&way).limits(limits.clone());
            let channel = connect().lazily().await.unwrap();
            clients.push((format!("{way}, lazily"), ShelfClient::new(channel)));
            let channel = connect().once().await.unwrap();
            clients.push((way, ShelfClient::new(channel)));
        }
    }
    clients
}

#[tokio::test]
async fn more_items_than_a_client_takes_are_its_own_limit() {
    let mut limits = Limits::default();
    limits.items = 10;
    let named = |error: &Error| {
        let words = error.to_string();
        words.contains("10") && words.contains("`Limits::items`")
    };
    for (way, shelf) in clients(&limits).await {
        assert_eq!(shelf.list(10).await.unwrap(), ones(10), "{way}");
        let error = shelf.list(11).await.unwrap_err();
        assert!(named(&error), "{way}: {error}");
        let results = shelf.batch((shelf.list(5), shelf.list(11))).await;
        let words = match results {
            Ok((few, many)) => {
                assert_eq!(few.unwrap(), ones(5), "{way}");
                many.unwrap_err()
            }
            // A multicall is one document, whose items count together.
            Err(error) => error,
        };
        assert!(named(&words), "{way}: {words}");
        let mut few = shelf.lists(10).await.unwrap();
        assert_eq!(few.next().await.unwrap().unwrap(), ones(10), "{way}");
        let mut many = shelf.lists(11).await.unwrap();
        let error = many.next().await.unwrap().unwrap_err();
        assert!(named(&error), "{way}: {error}");
    }
}

#[tokio::test]
async fn what_nests_deeper_than_a_client_takes_is_its_own_limit() {
    let mut limits = Limits::default();
    (limits.depth, limits.json_depth) = (5, 6);
    for (way, shelf) in clients(&limits).await {
        let (most, name) = match shelf.channel().encoding() {
            Encoding::Json => (6, "`Limits::json_depth`"),
            _ => (5, "`Limits::depth`"),
        };
        let error = shelf.nested(most + 1).await.unwrap_err();
        assert!(error.to_string().contains(name), "{way}: {error}");
    }
}

#[tokio::test]
async fn a_client_may_take_what_nests_deeper_than_the_default() {
    let mut limits = Limits::default();
    limits.depth = 1000;
    for (way, shelf) in clients(&limits).await {
        shelf.nested(100).await.expect(&way);
        let (one, other) = shelf
            .batch((shelf.nested(100), shelf.list(1)))
            .await
            .expect(&way);
        assert!(one.is_ok() && other.is_ok(), "{way}: {one:?}");
    }
}

#[tokio::test]
async fn a_reply_larger_than_a_client_takes_is_of_a_call_that_was_sent() {
    let mut limits = Limits::default();
    limits.message_bytes = 2_000;
    for (way, shelf) in clients(&limits).await {
        let error = shelf.list(5_000).await.unwrap_err();
        let words = error.to_string();
        assert!(error.was_sent() && !error.is_retryable(), "{way}: {words}");
        let named = words.contains("reply") && words.contains("2000");
        assert!(
            named && words.contains("`Limits::message_bytes`"),
            "{way}: {words}"
        );
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_says_whose_time_it_had() {
    let mut limits = Limits::default();
    limits.call_time = Duration::from_millis(30);
    // Nobody answers: a server would know the time as well, and might be the first to say it.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = silent.local_addr().unwrap();
    for way in ["json+tcp", "json+http", "xml+http", "bincode+http"] {
        let address = format!("{way}://{place}");
        let connect = || farcall::connect(&address).limits(limits.clone());
        let channels = [connect().lazily().await, connect().once().await];
        for shelf in channels.map(|channel| ShelfClient::new(channel.unwrap())) {
            let usual = "no reply within 30ms (`Limits::call_time`)";
            let error = shelf.list(1).await.unwrap_err();
            assert_eq!(error.to_string(), usual, "{way}");
            let own = shelf.list(1).timeout(Duration::from_millis(20));
            let words = own.await.unwrap_err().to_string();
            assert_eq!(words, "no reply within 20ms", "{way}");
            let words = match shelf.batch((shelf.list(1), shelf.list(2))).await {
                Ok((one, _)) => one.unwrap_err().to_string(),
                // Over HTTP it is one request.
                Err(error) => error.to_string(),
            };
            assert_eq!(words, usual, "{way}");
            if way.starts_with("json") {
                let words = shelf.lists(1).await.unwrap_err().to_string();
                assert!(words.starts_with("no reply within 30ms"), "{way}: {words}");
            }
        }
    }
}
