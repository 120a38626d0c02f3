//! A service with a type of every odd shape: its document is valid, and what it answers fits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use farcall::{Server, Wire};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{call, discover, fits, is_valid, method, serve};

pub(crate) mod one {
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Item {
        pub(crate) id: u32,
    }
}

pub(crate) mod two {
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Item {
        pub(crate) label: String,
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Box<Self>>,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Color {
    Red,
    #[serde(rename = "dark green")]
    Green,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Tree {
    Fork(Box<Self>, Box<Self>),
    Leaf(Color),
    Named {
        name: String,
        tree: Option<Box<Self>>,
    },
    Nothing,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Meters(f64);

#[derive(Serialize, Deserialize)]
pub(crate) struct Chain(Option<Box<Self>>);

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Bush(Vec<(Self, Self)>);

#[derive(Serialize, Deserialize)]
pub(crate) struct Everything {
    #[serde(rename = "the id")]
    pub id: i128,
    #[serde(default)]
    pub count: u8,
    pub length: Meters,
    pub letter: char,
    pub pair: (bool, f32),
    pub triple: [i16; 3],
    pub long: [u8; 32],
    pub map: BTreeMap<u32, Color>,
    pub set: BTreeSet<String>,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    pub time: Duration,
    pub unit: (),
    pub bush: Bush,
    pub chain: Chain,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Flat {
    pub id: u8,
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Tagged {
    One { n: i32 },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
pub(crate) enum Adjacent {
    One(i32),
    Two { n: String },
    Three,
}

/// Every variant has something in it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c", deny_unknown_fields)]
pub(crate) enum Full {
    One(i32),
    Two { n: String },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Untagged {
    Number(i32),
    Text(String),
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Never {}

/// Strict about what is in it: no value of it can be made up.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Code(pub String);

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() == 3 {
            Ok(Self(text))
        } else {
            Err("three letters".to_owned())
        }
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Coded {
    pub first: i32,
    pub code: Code,
    pub last: i32,
}

fn everything() -> Everything {
    Everything {
        id: -7,
        count: 1,
        length: Meters(2.5),
        letter: 'é',
        pair: (true, 0.5),
        triple: [1, -2, 3],
        long: [7; 32],
        map: BTreeMap::from([(4, Color::Green)]),
        set: BTreeSet::from(["a".to_owned()]),
        bytes: vec![0, 255],
        time: Duration::from_millis(1500),
        unit: (),
        bush: Bush(vec![(
            Bush(vec![]),
            Bush(vec![(Bush(vec![]), Bush(vec![]))]),
        )]),
        chain: Chain(Some(Box::new(Chain(None)))),
    }
}

#[farcall::service(namespace = "odd")]
trait Odd<K: Wire, const N: usize> {
    type Item: Wire;

    async fn generic(&self, keys: Vec<K>, item: Self::Item) -> BTreeMap<String, K> {
        let _ = (keys, item);
        BTreeMap::new()
    }
    async fn one(&self) -> one::Item {
        one::Item::default()
    }
    async fn two(&self) -> two::Item {
        two::Item::default()
    }
    async fn page(&self) -> Page<one::Item> {
        let next = Page {
            items: vec![],
            next: None,
        };
        Page {
            items: vec![one::Item { id: 3 }],
            next: Some(Box::new(next)),
        }
    }
    async fn other_page(&self) -> Page<Option<Color>> {
        Page {
            items: vec![None, Some(Color::Red)],
            next: None,
        }
    }
    async fn tree(&self) -> Tree {
        let leaf = Box::new(Tree::Leaf(Color::Red));
        let named = Tree::Named {
            name: String::new(),
            tree: Some(Box::new(Tree::Nothing)),
        };
        Tree::Fork(leaf, Box::new(named))
    }
    async fn everything(&self) -> Everything {
        everything()
    }
    async fn flat(&self) -> Flat {
        let rest = BTreeMap::from([("more".to_owned(), json!([1, {}]))]);
        Flat { id: 1, rest }
    }
    async fn tagged(&self) -> (Tagged, [Adjacent; 3], Full, Untagged, Untagged) {
        let text = Untagged::Text("x".to_owned());
        (
            Tagged::One { n: 1 },
            [
                Adjacent::One(2),
                Adjacent::Two { n: String::new() },
                Adjacent::Three,
            ],
            Full::Two { n: String::new() },
            Untagged::Number(3),
            text,
        )
    }
    async fn coded(&self) -> Coded {
        Coded {
            first: 1,
            code: Code("abc".to_owned()),
            last: 2,
        }
    }
    async fn maybe(&self) -> Option<Option<Color>> {
        None
    }
    async fn anything(&self, value: Value, bytes: &[u8], list: &[Meters]) -> Value {
        let _ = (bytes, list);
        value
    }
    async fn never(&self, never: Option<Never>) {
        let _ = never;
    }
    #[rpc(notify)]
    async fn told(&self, #[rpc(default)] how: Tree2, maybe: Option<&str>) {
        let _ = (how, maybe);
    }
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) enum Tree2 {
    #[default]
    Only,
}

struct Shop;
impl Odd<String, 3> for Shop {
    type Item = two::Item;
}

async fn odd() -> String {
    serve(Server::new().service(OddServer::new(Shop))).await
}

#[tokio::test]
async fn the_document_of_odd_types_is_valid() {
    let document = discover(&odd().await).await;
    is_valid(&document).unwrap();
}

#[tokio::test]
async fn what_methods_answer_fits_the_schemas_of_their_results() {
    let address = odd().await;
    let document = discover(&address).await;
    for name in [
        "one",
        "two",
        "page",
        "other_page",
        "tree",
        "everything",
        "flat",
        "tagged",
        "coded",
        "maybe",
    ] {
        let name = format!("odd.{name}");
        let mut answer = call(&address, &name, json!([])).await;
        assert_eq!(answer["error"], Value::Null, "{name}");
        let (_, place) = method(&document, &name);
        let place = place + "/result/schema";
        fits(&document, &place, &answer["result"]).unwrap_or_else(|error| panic!("{error}"));
        // That a schema takes this is worth something only if it does not take all.
        answer["result"] = json!(1.5);
        assert!(
            fits(&document, &place, &answer["result"]).is_err(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn types_of_one_name_are_told_apart() {
    let document = discover(&odd().await).await;
    let schema = |name| {
        let (method, _) = method(&document, name);
        super::followed(&document, &method["result"]["schema"])["properties"].clone()
    };
    assert!(schema("odd.one")["id"].is_object());
    assert!(schema("odd.two")["label"].is_object());
    assert_ne!(schema("odd.page"), schema("odd.other_page"));
}
