//! Types of one's own that borrow from the call.

use std::borrow::Cow;
use std::collections::BTreeMap;

use farcall::{Channel, Encoding, Server, code};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Record<'a> {
    #[serde(borrow)]
    name: &'a str,
    age: u8,
    /// Text with escapes is owned.
    #[serde(borrow)]
    note: Cow<'a, str>,
    #[serde(borrow, default)]
    nickname: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
pub struct Pair<'a, 'b> {
    #[serde(borrow)]
    one: Record<'a>,
    #[serde(borrow)]
    other: BTreeMap<&'b str, Vec<&'b str>>,
}

#[farcall::service]
pub trait Registry {
    async fn ages(&self, records: Vec<Record<'_>>) -> u32;
    async fn names<'a>(&self, records: &[Record<'a>], between: &'a str) -> String;
    async fn pair<'a, 'b>(&self, pair: &Pair<'a, 'b>, last: Option<Record<'b>>) -> String;
    async fn tuple(&self, id: u64, of: (Record<'_>, u8)) -> Result<String, farcall::Fault>;
}

struct Paper;

impl Registry for Paper {
    async fn ages(&self, records: Vec<Record<'_>>) -> u32 {
        std::future::ready(()).await;
        records.iter().map(|record| u32::from(record.age)).sum()
    }
    async fn names<'a>(&self, records: &[Record<'a>], between: &'a str) -> String {
        let names: Vec<&'a str> = records.iter().map(|record| record.name).collect();
        names.join(between)
    }
    async fn pair<'a, 'b>(&self, pair: &Pair<'a, 'b>, last: Option<Record<'b>>) -> String {
        let last = last.map_or("nobody", |last| last.name);
        format!("{} {:?} {last}", pair.one.note, pair.other)
    }
    async fn tuple(&self, id: u64, of: (Record<'_>, u8)) -> Result<String, farcall::Fault> {
        Ok(format!("{id} {:?} {}", of.0.nickname, of.1))
    }
}

fn record<'a>(name: &'a str, note: &'a str) -> Record<'a> {
    Record {
        name,
        age: 36,
        note: note.into(),
        nickname: Some(name),
    }
}

/// Every encoding, in frames and in the other protocols.
async fn channels() -> Vec<(Encoding, Channel)> {
    let server = Server::new().service(RegistryServer::new(Paper));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run_until(std::future::pending()));
    let mut channels = Vec::new();
    for encoding in [Encoding::Bincode, Encoding::Json, Encoding::Xml] {
        let server = RegistryServer::new(Paper);
        channels.push((encoding, farcall::in_memory(server, encoding)));
        for transport in ["tcp", "http"] {
            let address = format!("{encoding}+{transport}://127.0.0.1:{port}");
            channels.push((encoding, farcall::connect(&address).await.unwrap()));
        }
    }
    channels
}

#[tokio::test]
async fn records_are_borrowed_from_the_call() {
    for (encoding, channel) in channels().await {
        let client = RegistryClient::new(channel);
        let (ada, bob) = ("Ada".to_owned(), "Bob".to_owned());
        let records = || vec![record(&ada, "a <\"note\">\n"), record(&bob, "")];
        assert_eq!(client.ages(records()).await.unwrap(), 72, "{encoding}");
        let names = client.names(&records(), ", ").await.unwrap();
        assert_eq!(names, "Ada, Bob", "{encoding}");
        let pair = Pair {
            one: record("Ada", "a \\ or two"),
            other: BTreeMap::from([("x", vec!["y", &bob])]),
        };
        let told = client.pair(&pair, Some(record(&bob, ""))).await.unwrap();
        assert_eq!(told, r#"a \ or two {"x": ["y", "Bob"]} Bob"#, "{encoding}");
        let told = client.pair(&pair, None).await.unwrap();
        assert!(told.ends_with("nobody"), "{encoding}: {told}");
        let told = client.tuple(7, (record("Ada", ""), 8)).await.unwrap();
        assert_eq!(told, r#"7 Some("Ada") 8"#, "{encoding}");
    }
}

/// Text with escapes is not in the message as it is.
#[tokio::test]
async fn text_that_is_not_in_the_message_cannot_be_borrowed() {
    for (encoding, channel) in channels().await {
        let client = RegistryClient::new(channel);
        let ages = client.ages(vec![record("<Ada>\n\"", "")]).await;
        if encoding == Encoding::Bincode {
            assert_eq!(ages.unwrap(), 36);
            continue;
        }
        let error = ages.unwrap_err();
        let code = error.failure().and_then(|failure| failure.fault());
        assert_eq!(code.map(|fault| fault.code), Some(code::INVALID_PARAMS));
        let words = error.to_string();
        assert!(words.contains("parameter `records`[0].name: "), "{words}");
        assert!(words.contains("expected a borrowed string"), "{words}");
        assert!(!words.contains("Ada"), "{words}");
    }
}
