//! Generics, associated types, const generics, defaults and where clauses.

use std::collections::HashMap;

use farcall::{Encoding, Fault, Wire};

use crate::{methods, names};

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
