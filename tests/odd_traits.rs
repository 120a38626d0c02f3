//! Traits that are odd but legal: that they compile is most of the test.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "these traits show what compiles, to nobody"
)]
#![allow(
    clippy::too_many_arguments,
    reason = "sixteen are allowed, so sixteen are tried"
)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use farcall::{Context, Encoding, Fault, Method, Service, TypedFault, Wire};
use serde::{Deserialize, Serialize};

fn methods<S: Service>(_: &S) -> &'static [Method] {
    S::METHODS
}

fn names(methods: &[Method]) -> Vec<&str> {
    methods.iter().map(|method| method.name).collect()
}

fn param_names(method: &Method) -> Vec<&str> {
    method.params.iter().map(|param| param.name).collect()
}

/// The ways of `design.md`: what the front page shows, without streams.
mod calc {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub struct Person {
        pub name: String,
    }

    #[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
    pub enum CalcError {
        #[error("division by zero")]
        #[fault(code = 1)]
        DivisionByZero,
        #[error("{x} is too large, the limit is {limit}")]
        #[fault(code = 2)]
        TooLarge { x: i64, limit: i64 },
        #[error("odd: {0} {1}")]
        #[fault(code = -3)]
        Odd(String, u8),
    }

    /// Integer arithmetic.
    #[farcall::service]
    pub trait Calc {
        /// Returns `x + y`.
        async fn add(&self, x: i64, y: i64) -> i64;
        /// Returns `x / y`, rounded toward zero.
        async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError>;
        /// Greets; foreign callers may leave `name` out.
        async fn greet(&self, #[rpc(default = "world")] name: &str) -> String;
        /// Finds people.
        async fn search(&self, number: Option<String>, last_name: Option<String>) -> Vec<Person>;
        /// Who am I to you?
        async fn whoami(&self, cx: &Context) -> String;
    }

    struct Pocket;

    impl Calc for Pocket {
        async fn add(&self, x: i64, y: i64) -> i64 {
            x + y
        }
        async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError> {
            x.checked_div(y).ok_or(CalcError::DivisionByZero)
        }
        async fn greet(&self, name: &str) -> String {
            format!("hello, {name}")
        }
        async fn search(&self, _: Option<String>, last_name: Option<String>) -> Vec<Person> {
            last_name.into_iter().map(|name| Person { name }).collect()
        }
        async fn whoami(&self, cx: &Context) -> String {
            cx.transport().to_owned()
        }
    }

    #[test]
    fn the_front_page_is_one_table() {
        let server = CalcServer::new(Pocket);
        let table = methods(&server);
        assert_eq!(names(table), ["add", "divide", "greet", "search", "whoami"]);
        assert_eq!(table[0].doc, "Returns `x + y`.");
        assert_eq!(param_names(&table[0]), ["x", "y"]);
        assert!(table[0].params[0].required);
        assert!(!table[2].params[0].required);
        assert_eq!(param_names(&table[3]), ["number", "last_name"]);
        assert!(!table[3].params[0].required);
        assert!(param_names(&table[4]).is_empty());
        assert_eq!(format!("{:?}", server.clone()), "CalcServer");
    }

    #[tokio::test]
    async fn calls_borrow_what_they_are_given() {
        let calc = CalcClient::in_memory(CalcServer::new(Pocket), Encoding::Xml);
        let name = String::from("Ada");
        let call = calc.greet(&name);
        assert_eq!(format!("{call:?}"), "Call(greet)");
        drop(call);
        assert_eq!(format!("{calc:?}"), "CalcClient { channel: Channel(xml) }");
    }

    #[tokio::test]
    async fn calls_can_be_made_from_any_task() {
        fn takes_a_task<T>(_: impl Future<Output = T> + Send + 'static) {}
        let calc = CalcClient::in_memory(CalcServer::new(Pocket), Encoding::Json);
        takes_a_task(async move {
            let name = String::from("Ada");
            let greeting: String = calc.greet(&name).timeout(Duration::from_secs(1)).await?;
            match calc.divide(7, 0).await {
                Err(farcall::Error::Fault(CalcError::DivisionByZero)) => {}
                other => drop(other),
            }
            calc.add(1, 2).notify().await?;
            Ok::<_, farcall::Error>(greeting)
        });
    }

    #[test]
    fn errors_are_recognised_by_their_code() {
        for error in [
            CalcError::DivisionByZero,
            CalcError::TooLarge { x: 7, limit: 5 },
            CalcError::Odd("x".to_owned(), 3),
        ] {
            let fault = error.to_fault(Encoding::Json);
            assert_eq!(fault.message, error.to_string());
            assert_eq!(CalcError::from_fault(&fault), Some(error));
        }
        assert_eq!(CalcError::from_fault(&Fault::new(4, "?")), None);
    }
}

mod spelled {
    /// Every option there is.
    #[farcall::service(namespace = "phone.book", rename_all = "camelCase")]
    pub trait PhoneBook {
        /// Finds.
        ///
        /// By number.
        #[rpc(idempotent, timeout = "50ms", alias = "lookup", alias = "book.lookup")]
        async fn find_by_number(&self, #[rpc(name = "phoneNumber")] number: &str)
        -> Option<String>;
        #[rpc(name = "Forget_It", notify)]
        async fn forget(&self, #[rpc(default = 3)] how_many: u64, #[rpc(default)] all: bool);
        async fn r#match(&self, r#type: Option<&str>, #[rpc(default = "x")] tag: String);
    }
}

#[test]
fn names_on_the_wire_are_as_asked() {
    let table = spelled::PhoneBookClient::METHODS;
    assert_eq!(
        names(table),
        [
            "phone.book.findByNumber",
            "phone.book.Forget_It",
            "phone.book.match"
        ]
    );
    let [find, forget, matches] = table else {
        panic!("three methods");
    };
    assert_eq!(find.doc, "Finds.\n\nBy number.");
    assert_eq!(find.aliases, ["lookup", "book.lookup"]);
    assert_eq!(param_names(find), ["phoneNumber"]);
    assert!(find.idempotent && !find.notification);
    assert_eq!(find.timeout, Some(Duration::from_millis(50)));
    assert!(forget.notification && !forget.idempotent);
    assert_eq!(param_names(matches), ["type", "tag"]);
    assert!(matches.params.iter().all(|param| !param.required));
}

/// Parameters named like the locals of the generated code, and like its fields.
#[farcall::service]
trait Clash {
    async fn all(
        &self,
        request: i32,
        service: i32,
        answer: i32,
        self_: i32,
        index: i32,
        channel: i32,
    ) -> i32;
    async fn clone(&self, answer: &str) -> String;
    async fn call(&self, service: Vec<u8>) -> Result<(), Fault>;
    async fn borrow(&self) -> u8;
    async fn fmt(&self);
}

impl Clash for () {
    async fn all(&self, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32) -> i32 {
        a + b + c + d + e + f
    }
    async fn clone(&self, answer: &str) -> String {
        answer.to_owned()
    }
    async fn call(&self, _: Vec<u8>) -> Result<(), Fault> {
        Ok(())
    }
    async fn borrow(&self) -> u8 {
        0
    }
    async fn fmt(&self) {}
}

#[test]
fn parameters_may_be_called_as_our_locals_are() {
    let table = methods(&ClashServer::new(()));
    assert_eq!(names(table), ["all", "clone", "call", "borrow", "fmt"]);
    assert_eq!(
        param_names(&table[0])[..3],
        ["request", "service", "answer"]
    );
}

/// Types named like our type parameters.
mod letters {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct S;
    pub type Result<T> = std::result::Result<T, super::Fault>;
    pub type Option = u8;

    #[farcall::service]
    pub trait Letters {
        async fn s(&self, s: S) -> S;
        async fn may_fail(&self, name: &str) -> core::result::Result<u8, super::Fault>;
    }

    const _: Option = 0;
    const _: fn() -> Result<()> = || Ok(());
}

#[test]
fn a_user_type_may_be_called_s() {
    assert_eq!(letters::LettersClient::METHODS.len(), 2);
}

#[farcall::service]
trait Wide {
    async fn sixteen(
        &self,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        cx: &Context,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        o: u8,
        p: &[u8],
    );
    async fn none(&self);
}

#[test]
fn sixteen_parameters_and_none() {
    let [sixteen, none] = WideClient::METHODS else {
        panic!("two methods");
    };
    assert_eq!(sixteen.params.len(), 16);
    assert_eq!(format!("{:?}", (sixteen.params[15].shape)()), "Bytes");
    assert!(none.params.is_empty());
}

mod conditional {
    #[farcall::service]
    pub trait Conditional {
        async fn always(&self);
        #[cfg(any())]
        async fn never(&self, what: ThereIsNoSuchType) -> ThereIsNoSuchType;
        async fn after_one(&self);
        #[cfg(not(any()))]
        async fn sometimes(&self);
        #[cfg(any())]
        async fn sometimes(&self, another: u8);
        #[cfg(not(any()))]
        #[cfg(panic = "unwind")]
        async fn twice(&self);
        async fn last(&self) -> u8;
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_moves_no_other() {
    let table = conditional::ConditionalClient::METHODS;
    assert_eq!(
        names(table),
        ["always", "after_one", "sometimes", "twice", "last"]
    );
    let client = conditional::ConditionalClient::new(farcall::in_memory(
        EmptyServer::new(()),
        Encoding::Json,
    ));
    assert_eq!(format!("{:?}", client.always()), "Call(always)");
    assert_eq!(format!("{:?}", client.sometimes()), "Call(sometimes)");
    assert_eq!(format!("{:?}", client.last()), "Call(last)");
}

#[farcall::service]
pub trait AllConditional {
    #[cfg(any())]
    async fn never(&self);
}

#[farcall::service]
pub trait Empty {}

impl Empty for () {}

/// Generics, associated types, const generics, defaults and where clauses.
#[farcall::service]
pub trait Store<K: Wire + Sync, V = String, const N: usize = 4>
where
    V: Wire,
    Self::Item: Clone,
{
    type Item: Wire + Sync;
    type Many: IntoIterator<Item = Self::Item> + Wire;
    async fn get(&self, key: K) -> Option<V>;
    async fn borrowed(&self, key: &K) -> Result<Vec<V>, Fault>;
    async fn many(&self, of: HashMap<String, Self::Item>, one: &Self::Item) -> Self::Many;
    async fn array(&self, few: &[K]) -> Vec<(K, V)>;
}

struct Shelf;

impl Store<u8, i64, 3> for Shelf {
    type Item = String;
    type Many = Vec<String>;
    async fn get(&self, _: u8) -> Option<i64> {
        None
    }
    async fn borrowed(&self, key: &u8) -> Result<Vec<i64>, Fault> {
        Ok(vec![i64::from(*key)])
    }
    async fn many(&self, _: HashMap<String, String>, one: &String) -> Vec<String> {
        vec![one.clone()]
    }
    async fn array(&self, few: &[u8]) -> Vec<(u8, i64)> {
        few.iter().map(|&key| (key, 0)).collect()
    }
}

#[tokio::test]
async fn generic_traits_have_generic_clients() {
    let server = StoreServer::<Shelf, u8, i64, 3>::new(Shelf);
    let client: StoreClient<u8, i64, 3, String, Vec<String>> =
        StoreClient::in_memory(server.clone(), Encoding::Json);
    assert_eq!(
        format!("{:?}", client.clone().borrowed(&7)),
        "Call(borrowed)"
    );
    assert_eq!(
        names(methods(&server)),
        ["get", "borrowed", "many", "array"]
    );
}

/// What can be borrowed, and how.
#[farcall::service]
pub trait Lends: std::fmt::Debug {
    async fn all(
        &self,
        text: &str,
        bytes: &[u8],
        list: &[String],
        map: &HashMap<String, u8>,
        cow: Cow<'_, str>,
        maybe: Option<&str>,
        maybe_bytes: Option<&[u8]>,
        maybe_list: Option<&[i64]>,
        maybe_map: Option<&HashMap<String, u8>>,
        tuple: &(u8, String),
    );
    async fn named<'a>(&'a self, one: &'a str, other: &'a str) -> String;
    async fn defaults(
        &self,
        #[rpc(default)] text: &str,
        #[rpc(default)] bytes: &[u8],
        #[rpc(default = b"ab")] more: &[u8],
        #[rpc(default = Some("x".into()))] maybe: Option<&str>,
        #[rpc(default = GREETING)] greeting: &str,
        #[rpc(default = vec![1, 2])] list: &[i64],
        #[rpc(default = -1)] negative: i64,
    );
}

const GREETING: &str = "hello";

#[derive(Debug)]
struct Lender(Mutex<u8>);

impl Lends for Lender {
    async fn all(
        &self,
        text: &str,
        bytes: &[u8],
        _: &[String],
        map: &HashMap<String, u8>,
        _: Cow<'_, str>,
        _: Option<&str>,
        _: Option<&[u8]>,
        _: Option<&[i64]>,
        _: Option<&HashMap<String, u8>>,
        _: &(u8, String),
    ) {
        std::future::ready(()).await;
        *self.0.lock().unwrap() = (text.len() + bytes.len() + map.len()) as u8;
    }
    async fn named<'a>(&'a self, one: &'a str, other: &'a str) -> String {
        format!("{one}{other}")
    }
    async fn defaults(
        &self,
        _: &str,
        _: &[u8],
        _: &[u8],
        _: Option<&str>,
        _: &str,
        _: &[i64],
        _: i64,
    ) {
    }
}

#[test]
fn borrowed_parameters_are_described_by_what_owns_them() {
    let table = methods(&LendsServer::new(Lender(Mutex::new(0))));
    let shapes: Vec<_> = table[0]
        .params
        .iter()
        .map(|param| (param.shape)())
        .collect();
    assert_eq!(
        format!("{shapes:?}"),
        "[String, Bytes, Array, Struct, String, String, Bytes, Array, Struct, Array]"
    );
    assert!(table[2].params.iter().all(|param| !param.required));
}

/// A trait that comes out of somebody's macro.
macro_rules! getters {
    ($name:ident: $($method:ident($given:ty) -> $gives:ty),*) => {
        #[farcall::service]
        trait $name {
            $(async fn $method(&self, given: $given, maybe: Option<$given>) -> $gives;)*
        }
    };
}

getters!(Getters: text(&str) -> String, bytes(&[u8]) -> Result<u8, Fault>, number(i64) -> ());

impl Getters for () {
    async fn text(&self, given: &str, _: Option<&str>) -> String {
        given.to_owned()
    }
    async fn bytes(&self, _: &[u8], _: Option<&[u8]>) -> Result<u8, Fault> {
        Err(Fault::new(1, "none"))
    }
    async fn number(&self, _: i64, _: Option<i64>) {}
}

#[test]
fn a_trait_may_come_out_of_a_macro() {
    let table = methods(&GettersServer::new(()));
    let shapes = table.iter().map(|method| (method.params[0].shape)());
    assert_eq!(
        format!("{:?}", shapes.collect::<Vec<_>>()),
        "[String, Bytes, Integer]"
    );
}

mod bodies {
    #[farcall::service]
    pub trait Bodies {
        async fn twice(&self, x: i64) -> i64 {
            self.once(x).await + self.once(x).await
        }
        async fn once(&self, mut x: i64) -> i64 {
            x += 1;
            x
        }
        async fn fails(&self, text: &str) -> Result<i64, farcall::Fault> {
            let number = text
                .parse()
                .map_err(|_| farcall::Fault::new(5, "no number"))?;
            if number > 7 {
                return Err(farcall::Fault::new(6, "too much"));
            }
            Ok(number)
        }
        async fn nothing(&self) {}
    }

    impl Bodies for () {}
}

#[test]
fn a_trait_may_have_bodies() {
    assert_eq!(methods(&bodies::BodiesServer::new(())).len(), 4);
}

mod elsewhere {
    pub use ::farcall as rpc;

    pub mod inner {
        #[farcall::service(crate = super::rpc)]
        pub(super) trait Renamed {
            async fn greet(&self, #[rpc(default = "you")] name: &str, raw: &[u8]) -> String;
        }

        #[derive(Debug, super::rpc::Fault)]
        #[fault(code = 7, crate = super::rpc)]
        pub struct Broken<T> {
            pub part: T,
            pub fault: u8,
            pub encoding: String,
        }

        impl<T> std::fmt::Display for Broken<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("broken")
            }
        }
    }

    pub(super) fn names() -> Vec<&'static str> {
        super::names(inner::RenamedClient::METHODS)
    }
}

#[test]
fn the_crate_may_be_elsewhere() {
    assert_eq!(elsewhere::names(), ["greet"]);
    let broken = elsewhere::inner::Broken {
        part: 3_u8,
        fault: 4,
        encoding: "none".to_owned(),
    };
    let fault = broken.to_fault(Encoding::Json);
    let again = elsewhere::inner::Broken::<u8>::from_fault(&fault).unwrap();
    assert_eq!((again.part, again.fault, &*again.encoding), (3, 4, "none"));
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
#[error("never")]
enum Never {}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
#[error("unit")]
#[fault(code = 1)]
struct Unit;

#[test]
fn faults_of_few_kinds() {
    assert_eq!(Never::from_fault(&Fault::new(1, "?")), None);
    assert_eq!(
        Unit::from_fault(&Unit.to_fault(Encoding::Bincode)),
        Some(Unit)
    );
}
