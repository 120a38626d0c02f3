//! What the crate writes for the same values, and reads from the same bytes behind the guard, which has
//! the same limits.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use bincode::Options;
use proptest::prelude::*;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::*;
use crate::codec::guard::{Asked, Guard, Limit, Policy};

#[derive(Clone, Copy)]
struct Binary;

impl Policy for Binary {
    const DEPTH: &'static str = "Limits::depth";

    fn bytes<'de, D: Deserializer<'de>, V: Visitor<'de>>(
        guard: Guard<'_, D, Self>,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let watched = guard.watch(Asked::Anything, visitor);
        guard.inner.deserialize_bytes(watched)
    }
}

struct Guarded<T>(Limit<Binary>, PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Guarded<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        self.0.read(self.1, deserializer)
    }
}

#[track_caller]
fn same<T: DeserializeOwned + PartialEq + Debug>(bytes: &[u8], budget: Budget) {
    let limit = Limit::<Binary>::new(budget.depth, budget.items, bytes.len());
    let theirs = bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .deserialize_seed(Guarded(limit, PhantomData::<T>), bytes);
    let ours = decode(PhantomData::<T>, bytes, budget);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(ours == theirs || format!("{ours:?}") == format!("{theirs:?}"));
        }
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{ours:?} where the crate has {theirs:?}, of {bytes:?}"),
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    bool: bool,
    signed: (i8, i16, i32, i64, i128),
    unsigned: (u8, u16, u32, u64, u128),
    floats: (f32, f64),
    char: char,
    text: String,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    option: Option<Option<u16>>,
    units: ((), Unit, PhantomData<u8>),
    wrapped: Wrapped,
    list: Vec<String>,
    map: BTreeMap<String, Vec<u16>>,
    forms: Vec<Form>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(Pair);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Form {
    Unit,
    Newtype(char),
    Tuple(bool, Option<String>),
    Struct { inside: Vec<Self> },
}

fn forms() -> impl Strategy<Value = Form> {
    let leaf = prop_oneof![
        Just(Form::Unit),
        any::<char>().prop_map(Form::Newtype),
        (any::<bool>(), any::<Option<String>>()).prop_map(|(a, b)| Form::Tuple(a, b)),
    ];
    leaf.prop_recursive(4, 16, 4, |form| {
        prop::collection::vec(form, 0..4).prop_map(|inside| Form::Struct { inside })
    })
}

prop_compose! {
    fn everything()(
        numbers in any::<((i8, i16, i32, i64, i128), (u8, u16, u32, u64, u128), (f32, f64))>(),
        (bool, char, text) in any::<(bool, char, String)>(),
        (bytes, option, byte) in any::<(Vec<u8>, Option<Option<u16>>, u8)>(),
        list in prop::collection::vec(any::<String>(), 0..4),
        map in prop::collection::btree_map(any::<String>(), any::<Vec<u16>>(), 0..3),
        forms in prop::collection::vec(forms(), 0..4),
    ) -> Everything {
        Everything {
            bool,
            signed: numbers.0,
            unsigned: numbers.1,
            floats: numbers.2,
            char,
            wrapped: Wrapped(Pair(byte, text.clone())),
            text,
            bytes,
            option,
            units: ((), Unit, PhantomData),
            list,
            map,
            forms,
        }
    }
}

/// Limits that some of these values keep.
fn budgets() -> impl Strategy<Value = Budget> {
    let tight = (0..8_u16, 0..400_usize).prop_map(|(depth, items)| Budget {
        depth,
        items,
        ..Budget::default()
    });
    prop_oneof![Just(Budget::default()), tight]
}

/// A byte that is more often of use than others.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0), Just(1), 0..8_u8, any::<u8>()]
}

proptest! {
    #[test]
    fn values_are_written_and_read_as_the_crate_does_it(
        value in everything(),
        budget in budgets(),
        broken in prop::option::of((any::<prop::sample::Index>(), byte())),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = Vec::new();
        encode(&value, &mut bytes).unwrap();
        prop_assert_eq!(&bytes, &bincode::serialize(&value).unwrap());
        if let Some((at, byte)) = broken {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(at) = cut {
            bytes.truncate(at.index(bytes.len()));
        }
        same::<Everything>(&bytes, budget);
    }

    #[test]
    fn anything_is_read_as_the_crate_reads_it(
        bytes in prop::collection::vec(byte(), 0..64),
        budget in budgets(),
    ) {
        same::<(bool, char, Option<u8>, String)>(&bytes, budget);
        same::<(char, Option<Option<bool>>)>(&bytes, budget);
        same::<Vec<Form>>(&bytes, budget);
        same::<Form>(&bytes, budget);
        same::<BTreeMap<u8, Vec<String>>>(&bytes, budget);
        same::<serde_bytes::ByteBuf>(&bytes, budget);
        same::<Vec<()>>(&bytes, budget);
        same::<(u128, i128, f32)>(&bytes, budget);
        same::<Result<Unit, std::net::IpAddr>>(&bytes, budget);
    }
}
