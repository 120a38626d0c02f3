//! With the feature `schemars`: types that derive `JsonSchema` are described by that.

use farcall::{Server, Wire};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{call, discover, fits, followed, is_valid, method, serve};

/// Who has a number.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Person {
    /// In full.
    name: String,
    #[schemars(range(min = 1, max = 9999))]
    number: u32,
    friends: Vec<Self>,
    pair: (i32, String),
}

mod plain {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Person {
        pub(super) nick: String,
    }
}

#[farcall::service]
trait Book<T: Wire> {
    /// Not described by schemars, and asked for first.
    async fn a_plain_one(&self) -> plain::Person {
        plain::Person {
            nick: "b".to_owned(),
        }
    }
    async fn find(&self, names: Vec<String>, maybe: Option<Person>) -> Option<Person> {
        let _ = (names, maybe);
        Some(Person {
            name: "Ada".to_owned(),
            number: 1,
            friends: vec![],
            pair: (1, String::new()),
        })
    }
    async fn mixed(&self) -> Vec<plain::Person> {
        vec![]
    }
    async fn generic(&self, value: T) -> Vec<T> {
        vec![value]
    }
    async fn text(&self, text: &str, bytes: &[u8]) -> bool {
        text.len() == bytes.len()
    }
}

struct Paper;
impl Book<Person> for Paper {}

#[tokio::test]
async fn a_type_that_derives_its_schema_is_described_by_it() {
    let address = serve(Server::new().service(BookServer::new(Paper))).await;
    let document = discover(&address).await;
    is_valid(&document).unwrap();
    let find = method(&document, "find").0;
    let maybe = &find["params"][1]["schema"];
    let person = followed(&document, &maybe["anyOf"][0]);
    assert_eq!(person["description"], "Who has a number.");
    assert_eq!(person["properties"]["number"]["maximum"], 9999);
    assert_eq!(person["properties"]["friends"]["items"], maybe["anyOf"][0]);
    // Draft 7: a list of items.
    assert!(
        person["properties"]["pair"]["items"].is_array(),
        "{person:#}"
    );
    assert_eq!(
        find["params"][0]["schema"],
        json!({"type": "array", "items": {"type": "string"}})
    );
}

#[tokio::test]
async fn other_types_are_asked_as_without_the_feature() {
    let address = serve(Server::new().service(BookServer::new(Paper))).await;
    let document = discover(&address).await;
    let plain = &method(&document, "a_plain_one").0["result"]["schema"];
    assert_eq!(followed(&document, plain)["required"], json!(["nick"]));
    assert_eq!(
        method(&document, "mixed").0["result"]["schema"]["items"],
        *plain
    );
    // A type parameter promises nothing but serde's traits.
    let generic = &method(&document, "generic").0["params"][0]["schema"];
    assert_eq!(
        followed(&document, generic)["properties"]["number"]["maximum"],
        u32::MAX
    );
    let bytes = &method(&document, "text").0["params"][1]["schema"];
    assert_eq!(bytes["contentEncoding"], "base64");

    for (name, params) in [
        ("a_plain_one", json!([])),
        ("find", json!([[]])),
        ("mixed", json!([])),
    ] {
        let (_, place) = method(&document, name);
        let answer = call(&address, name, params).await;
        fits(&document, &(place + "/result/schema"), &answer["result"]).unwrap();
    }
}
