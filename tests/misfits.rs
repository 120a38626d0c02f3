//! Values that their encoding cannot carry: what `{error}` alone says about them, on the side that
//! writes them.

#![allow(missing_docs, reason = "these traits are for nobody else")]

use std::collections::BTreeMap;

use farcall::{Encoding, Error, Fault, code};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Person {
    name: String,
    age: u64,
    height: f64,
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
enum Refusal {
    #[error("too hot")]
    #[fault(code = 7)]
    TooHot { degrees: f64, room: String },
}

type Pairs = BTreeMap<(u8, u8), u8>;

#[farcall::service]
trait Misfits {
    async fn number(&self, x: f64) -> f64;
    async fn wide(&self, before: u8, n: u64) -> u64;
    async fn text(&self, text: &str) -> String;
    async fn people(&self, people: &[Person], by_city: BTreeMap<String, Vec<Person>>) -> u8;
    async fn pairs(&self, pairs: Pairs) -> u8;
    async fn give(&self, what: u8) -> (Vec<Person>, Pairs);
    async fn refuse(&self, infinite: bool) -> Result<u8, Refusal>;
}

struct Giver;

impl Misfits for Giver {
    async fn number(&self, x: f64) -> f64 {
        x / 0.0
    }
    async fn wide(&self, _: u8, _: u64) -> u64 {
        u64::MAX
    }
    async fn text(&self, _: &str) -> String {
        "a\u{1}".to_owned()
    }
    async fn people(&self, _: &[Person], _: BTreeMap<String, Vec<Person>>) -> u8 {
        0
    }
    async fn pairs(&self, _: Pairs) -> u8 {
        0
    }
    async fn give(&self, what: u8) -> (Vec<Person>, Pairs) {
        let mut people = vec![Person::default(); 3];
        let mut pairs = Pairs::new();
        match what {
            0 => people[2].height = f64::INFINITY,
            _ => drop(pairs.insert((1, 2), 3)),
        }
        (people, pairs)
    }
    async fn refuse(&self, infinite: bool) -> Result<u8, Refusal> {
        let degrees = if infinite { f64::INFINITY } else { 50.0 };
        Err(Refusal::TooHot {
            degrees,
            room: "hall".to_owned(),
        })
    }
}

fn client(encoding: Encoding) -> MisfitsClient {
    MisfitsClient::in_memory(MisfitsServer::new(Giver), encoding)
}

/// What a user sees of a call that was never sent.
#[track_caller]
fn unsent<T: std::fmt::Debug>(reply: Result<T, Error>) -> String {
    let error = reply.unwrap_err();
    assert!(!error.was_sent(), "{error}");
    error.to_string()
}

/// What a user sees of a call whose result could not be sent back.
#[track_caller]
fn unanswered<T: std::fmt::Debug>(reply: Result<T, Error>) -> String {
    let error = reply.unwrap_err();
    let fault: &Fault = error.fault().unwrap();
    assert_eq!(fault.code, code::INTERNAL_ERROR);
    error.to_string()
}

#[tokio::test]
async fn a_parameter_is_named_with_the_reason() {
    let (json, xml) = (client(Encoding::Json), client(Encoding::Xml));
    assert_eq!(
        unsent(json.number(f64::NAN).await),
        "`number` cannot be called with this: parameter `x`: JSON has no number NaN"
    );
    assert_eq!(
        unsent(xml.number(f64::NEG_INFINITY).await),
        "`number` cannot be called with this: parameter `x`: XML-RPC has no -inf"
    );
    assert_eq!(
        unsent(xml.wide(1, 1 << 63).await),
        "`wide` cannot be called with this: parameter `n`: the integers of XML-RPC are from -2^63 \
         to 2^63-1; 9223372036854775808 is beyond"
    );
    for (text, number) in [("a\0", "0000"), ("\u{fffe}", "FFFE"), ("é\u{ffff}", "FFFF")] {
        assert_eq!(
            unsent(xml.text(text).await),
            format!(
                "`text` cannot be called with this: parameter `text`: XML cannot carry the \
                 character U+{number}; bytes can (base64)"
            )
        );
    }
}

#[tokio::test]
async fn the_place_in_a_parameter_is_named() {
    let mut people = vec![Person::default(); 5];
    people[3].height = f64::NAN;
    let by_city = BTreeMap::from([
        ("Rome".to_owned(), vec![]),
        ("New York".to_owned(), people.clone()),
    ]);
    for (encoding, reason) in [
        (Encoding::Json, "JSON has no number NaN"),
        (Encoding::Xml, "XML-RPC has no NaN"),
    ] {
        let client = client(encoding);
        let words = "`people` cannot be called with this: parameter ";
        assert_eq!(
            unsent(client.people(&people, BTreeMap::new()).await),
            format!("{words}`people`[3].height: {reason}")
        );
        assert_eq!(
            unsent(client.people(&[], by_city.clone()).await),
            format!(r#"{words}`by_city`["New York"][3].height: {reason}"#)
        );
        let at_home = BTreeMap::from([("Rome".to_owned(), people.clone())]);
        assert_eq!(
            unsent(client.people(&[], at_home).await),
            format!("{words}`by_city`.Rome[3].height: {reason}")
        );
    }
    let mut people = vec![Person::default()];
    people[0].name = "\u{7}".to_owned();
    let error = unsent(client(Encoding::Xml).people(&people, BTreeMap::new()).await);
    assert!(
        error.contains("parameter `people`[0].name: XML cannot carry the character U+0007"),
        "{error}"
    );
}

#[tokio::test]
async fn keys_without_text_are_explained() {
    let pairs = Pairs::from([((1, 2), 3)]);
    assert_eq!(
        unsent(client(Encoding::Json).pairs(pairs.clone()).await),
        "`pairs` cannot be called with this: parameter `pairs`: the keys of a map are text in JSON, \
         and this one has none (key must be a string)"
    );
    assert_eq!(
        unsent(client(Encoding::Xml).pairs(pairs.clone()).await),
        "`pairs` cannot be called with this: parameter `pairs`: the keys of a map are names in \
         XML-RPC; a list cannot be one"
    );
    assert_eq!(client(Encoding::Bincode).pairs(pairs).await.unwrap(), 0);
}

#[tokio::test]
async fn a_result_is_a_fault_that_names_the_method_and_the_place() {
    let (json, xml) = (client(Encoding::Json), client(Encoding::Xml));
    assert_eq!(
        unanswered(json.number(1.0).await),
        "cannot send the result of `number`: JSON has no number inf (fault -32603)"
    );
    assert_eq!(
        unanswered(xml.wide(1, 1).await),
        "cannot send the result of `wide`: the integers of XML-RPC are from -2^63 to 2^63-1; \
         18446744073709551615 is beyond (fault -32603)"
    );
    assert_eq!(
        unanswered(xml.text("").await),
        "cannot send the result of `text`: XML cannot carry the character U+0001; bytes can \
         (base64) (fault -32603)"
    );
    for (client, reason) in [
        (&json, "JSON has no number inf"),
        (&xml, "XML-RPC has no inf"),
    ] {
        assert_eq!(
            unanswered(client.give(0).await),
            format!("cannot send the result of `give`[0][2].height: {reason} (fault -32603)")
        );
        let words = unanswered(client.give(1).await);
        assert!(
            words.starts_with("cannot send the result of `give`[1]: the keys of a map are "),
            "{words}"
        );
    }
    assert_eq!(
        client(Encoding::Bincode).wide(1, 1).await.unwrap(),
        u64::MAX
    );
}

#[tokio::test]
async fn data_of_an_error_that_cannot_be_sent_is_a_fault_that_says_what_the_error_was() {
    for (encoding, reason) in [
        (Encoding::Json, "JSON has no number inf"),
        (Encoding::Xml, "XML-RPC has no inf"),
    ] {
        let error = client(encoding).refuse(true).await.unwrap_err();
        assert_eq!(error.fault().unwrap().code, code::INTERNAL_ERROR);
        assert_eq!(
            error.to_string(),
            format!(
                "cannot send the error of `refuse`.degrees: {reason}; the error is: too hot \
                 (fault 7) (fault -32603)"
            )
        );
        assert!(matches!(
            client(encoding).refuse(false).await,
            Err(Error::Fault(Refusal::TooHot { room, .. })) if room == "hall"
        ));
    }
}

#[tokio::test]
async fn a_call_that_was_not_sent_harms_no_other() {
    for encoding in Encoding::ALL {
        let client = client(encoding);
        for _ in 0..3 {
            let _ = client.number(f64::NAN).await;
            let _ = client.text("\0").await;
            assert_eq!(client.people(&[], BTreeMap::new()).await.unwrap(), 0);
        }
    }
}

/// A struct whose length nobody knows.
#[derive(Serialize, Deserialize)]
struct Open {
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[farcall::service]
trait Opens {
    async fn open(&self, open: Open);
}

impl Opens for Giver {
    async fn open(&self, _: Open) {}
}

#[tokio::test]
async fn bincode_says_that_it_needs_a_length() {
    let client = OpensClient::in_memory(OpensServer::new(Giver), Encoding::Bincode);
    let rest = BTreeMap::new();
    assert_eq!(
        unsent(client.open(Open { rest }).await),
        "`open` cannot be called with this: parameter `open`: bincode writes the length of a list \
         or map first, and this one does not know it (as structs with `#[serde(flatten)]` do not)"
    );
}
