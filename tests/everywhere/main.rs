//! One service over every encoding and transport, from one list.

mod sampler;
mod unlimited;
mod ways;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use farcall::types::Bytes;
use farcall::{Channel, Encoding, Error, Limits, code};
use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

use sampler::{DivideError, File, Record, SamplerClient, Shape};
use ways::{everywhere, over_all};

fn record() -> Record {
    Record {
        id: u64::MAX >> 1,
        name: " a<b>&\r\n".into(),
        nickname: None,
        scores: vec![0.1, -1e300],
    }
}

#[tokio::test]
async fn values_survive() {
    over_all("values", Limits::default(), |client, _| async move {
        assert_eq!(client.add(7, 3).await.unwrap(), 10);
        assert_eq!(client.add(i64::MAX, 0).await.unwrap(), i64::MAX);
        let numbers = (-128, 65535, i32::MIN, i64::MIN, 0.1, -2.5e-7);
        let (a, b, c, d, e, f) = numbers;
        assert_eq!(client.numbers(a, b, c, d, e, f).await.unwrap(), numbers);
        for text in ["", "  blanks  ", "]]>&amp;<x/>", "\r\n\r\t", "🦀 ünï"] {
            assert_eq!(client.text(text).await.unwrap(), text);
        }
        assert_eq!(client.bytes(&[0, 255, 10]).await.unwrap(), 3);
        assert_eq!(client.options(None, None).await.unwrap(), (false, false));
        assert_eq!(
            client.options(None, Some("x".into())).await.unwrap(),
            (false, true)
        );
        assert_eq!(client.options(Some(1), None).await.unwrap(), (true, false));
        assert_eq!(client.record(&record()).await.unwrap(), record());
        let nicknamed = Record {
            nickname: Some("n".into()),
            ..record()
        };
        assert_eq!(client.record(&nicknamed).await.unwrap(), nicknamed);
        let shapes = vec![
            Shape::Point,
            Shape::Circle(1.5),
            Shape::Line(-1, 2),
            Shape::Box {
                width: 3,
                height: 4,
            },
        ];
        assert_eq!(client.shapes(shapes.clone()).await.unwrap(), shapes);
        let map = BTreeMap::from([(7, "seven".to_owned()), (0, String::new())]);
        assert_eq!(client.map(map.clone()).await.unwrap(), map);
        client.nothing().await.unwrap();
        assert_eq!(client.renamed(9).await.unwrap(), 9);
    })
    .await;
}

fn file(name: &str, length: usize) -> File {
    let content: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
    File {
        name: name.to_owned(),
        content: Some(Bytes::from(content)),
    }
}

#[tokio::test]
async fn large_bytes_survive_in_any_place() {
    over_all("bytes", Limits::default(), |client, _| async move {
        let files = vec![
            file("small", 3),
            file("large", 300_000),
            file("empty", 0),
            File {
                name: "none".into(),
                content: None,
            },
            file("as long as a piece", 65_536),
            file("one more", 65_537),
        ];
        for first in files.iter().filter_map(|file| file.content.clone()) {
            let sent = (first, files.clone());
            // Asked twice: of a peer that said hello, more is known.
            for _ in 0..2 {
                let back = client.files(sent.0.clone(), sent.1.clone()).await;
                assert!(back.unwrap() == sent);
            }
        }
        let large = files[1].content.clone().unwrap();
        let call = || client.files(large.clone(), files.clone());
        let back = client.batch((call(), client.add(1, 2), call())).await;
        let (one, sum, two) = back.unwrap();
        assert!(one.unwrap() == (large.clone(), files.clone()));
        assert!(two.unwrap() == (large.clone(), files.clone()));
        assert_eq!(sum.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn faults_come_back_as_the_same_enum() {
    over_all("faults", Limits::default(), |client, _| async move {
        assert_eq!(
            client.divide(7, 2).await.map_err(unwrap_fault),
            Err(DivideError::Odd { x: 7 })
        );
        assert_eq!(
            client.divide(7, 0).await.map_err(unwrap_fault),
            Err(DivideError::ByZero)
        );
        assert_eq!(client.divide(8, 2).await.map_err(unwrap_fault), Ok(4));
    })
    .await;
}

fn unwrap_fault<E>(error: Error<E>) -> E
where
    E: std::fmt::Debug,
{
    match error {
        Error::Fault(fault) => fault,
        Error::Failed(failure) => panic!("{failure:?}"),
    }
}

#[tokio::test]
async fn a_panic_costs_its_own_call_and_no_other() {
    over_all("panics", Limits::default(), |client, _| async move {
        let other = client.clone();
        let waiting = tokio::spawn(async move { other.wait().await });
        let error = client.panic().await.unwrap_err();
        assert_eq!(error.fault().unwrap().code, code::INTERNAL_ERROR);
        assert!(
            !error.to_string().contains("secret"),
            "its words stay on the server"
        );
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        client.open().await.unwrap();
        waiting.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_deadline_ends_the_call_and_no_other() {
    over_all("deadlines", Limits::default(), |client, _| async move {
        let error = client
            .wait()
            .timeout(Duration::from_millis(20))
            .await
            .unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        assert_eq!(client.add(1, 2).timeout(Duration::MAX).await.unwrap(), 3);
        let error = client.add(1, 2).timeout(Duration::ZERO).await.unwrap_err();
        assert!(error.is_timeout());
    })
    .await;
}

#[tokio::test]
async fn a_message_too_large_is_a_fault_that_names_the_limit() {
    let limits = |bytes| {
        let mut limits = Limits::default();
        limits.message_bytes = bytes;
        limits
    };
    let everywhere = everywhere("large", limits(64 * 1024)).await;
    for address in &everywhere.addresses {
        eprintln!("over {address}");
        let channel = farcall::connect_with(address, limits(64 * 1024 * 1024))
            .await
            .unwrap();
        let client = SamplerClient::new(channel);
        let other = client.clone();
        let waiting = tokio::spawn(async move { other.wait().await });
        client.nothing().await.unwrap();
        let error = client.bytes(&vec![7; 128 * 1024]).await.unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains("65536") && words.contains("Limits::message_bytes"),
            "{words}"
        );
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        client.open().await.unwrap();
        waiting.await.unwrap().unwrap();
    }
}

/// A trait that has what the server has not, and less of what it has.
#[farcall::service]
trait Stranger {
    async fn missing(&self) -> i64;
    async fn add(&self, x: String) -> i64;
}

#[tokio::test]
async fn an_unknown_method_and_a_misfit_get_their_faults() {
    over_all("strangers", Limits::default(), |client, _| async move {
        let channel: Channel = client.channel().clone();
        let stranger = StrangerClient::new(channel);
        let error = stranger.missing().await.unwrap_err();
        assert_eq!(error.fault().unwrap().code, code::METHOD_NOT_FOUND);
        let error = stranger.add("x".into()).await.unwrap_err();
        let fault = error.fault().unwrap();
        assert_eq!(fault.code, code::INVALID_PARAMS, "{fault}");
        assert!(
            fault.message.contains('`'),
            "it names the parameter: {fault}"
        );
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_context_tells_who_calls() {
    over_all(
        "contexts",
        Limits::default(),
        |client, address| async move {
            let call = client.whoami().metadata("x-token", "t0");
            let encoding = address.encoding();
            let told = call.timeout(Duration::from_secs(5)).await.unwrap();
            // JSON-RPC on a stream has no place for a deadline or metadata.
            let expected = match (encoding, address.transport().name()) {
                (Encoding::Json, "tcp" | "tls" | "unix" | "mem" | "ws" | "wss") => {
                    "whoami json false nobody".to_owned()
                }
                _ => format!("whoami {encoding} true t0"),
            };
            assert_eq!(told, expected);
        },
    )
    .await;
}

#[tokio::test]
async fn streams_go_both_ways() {
    over_all("streams", Limits::default(), |client, _| async move {
        let doubled = client.doubled(stream::iter(1..=3)).await;
        let doubled: Vec<_> = doubled.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(doubled, [2, 4, 6]);
    })
    .await;
}

#[tokio::test]
async fn a_notification_runs_and_nobody_waits() {
    over_all("notifications", Limits::default(), |client, _| async move {
        let other = client.clone();
        let waiting = tokio::spawn(async move { other.wait().await });
        client.open().notify().await.unwrap();
        waiting.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn many_callers_share_a_client() {
    over_all("callers", Limits::default(), |client, _| async move {
        let client = Arc::new(client);
        let calls: Vec<_> = (0..200)
            .map(|n| {
                let client = Arc::clone(&client);
                tokio::spawn(async move { client.add(n, 1).await.unwrap() })
            })
            .collect();
        for (n, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap(), n + 1_i64);
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    /// Tells when it is dropped.
    struct Bell(Arc<Notify>);
    impl Drop for Bell {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    #[farcall::service]
    trait Sleeper {
        async fn sleep(&self);
    }
    struct Tells(Arc<Notify>, Arc<Notify>);
    impl Sleeper for Tells {
        async fn sleep(&self) {
            let _bell = Bell(Arc::clone(&self.1));
            self.0.notify_one();
            std::future::pending::<()>().await;
        }
    }

    for encoding in Encoding::ALL {
        let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let service = Tells(Arc::clone(&started), Arc::clone(&dropped));
        let client = SleeperClient::in_memory(SleeperServer::new(service), encoding);
        let held = client.clone();
        let call = tokio::spawn(async move { held.sleep().await });
        started.notified().await;
        call.abort();
        dropped.notified().await;
        // And so does its deadline, which JSON-RPC does not tell the server.
        let time = Duration::from_millis(20);
        assert!(client.sleep().timeout(time).await.unwrap_err().is_timeout());
        dropped.notified().await;
    }
}
