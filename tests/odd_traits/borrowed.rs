//! What can be borrowed, and how.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Mutex;

use crate::methods;

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
