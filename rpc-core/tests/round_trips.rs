//! Whatever a type looks like, its values come back from bincode and JSON as they went.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use farcall_core::encoding::Encoding;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Form {
    Unit,
    Newtype(i64),
    Tuple(u8, String),
    Struct { x: Option<f64>, y: char },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Meters(f32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    name: String,
    inner: Inner,
    forms: Vec<Form>,
    data: ByteBuf,
    nothing: Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    length: Meters,
    by_number: BTreeMap<i32, bool>,
    by_name: BTreeMap<String, (u16, i8)>,
    maybe: Option<Box<Self>>,
}

fn comes_back<T>(value: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    for encoding in [Encoding::Bincode, Encoding::Json] {
        let mut bytes = Vec::new();
        encoding.encode(value, &mut bytes).unwrap();
        let back: T = encoding.decode(&bytes).unwrap_or_else(|error| {
            panic!("{encoding}: {error}: {}", String::from_utf8_lossy(&bytes))
        });
        assert_eq!(&back, value, "{encoding}");
    }
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("JSON has no such number", |value| value.is_finite())
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Unit),
        any::<i64>().prop_map(Form::Newtype),
        (any::<u8>(), ".*").prop_map(|(a, b)| Form::Tuple(a, b)),
        (option::of(finite()), any::<char>()).prop_map(|(x, y)| Form::Struct { x, y }),
    ]
}

fn inner() -> impl Strategy<Value = Inner> {
    let flat = (
        any::<f32>().prop_filter("JSON has no such number", |value| value.is_finite()),
        btree_map(any::<i32>(), any::<bool>(), 0..5),
        btree_map(".*", any::<(u16, i8)>(), 0..5),
    )
        .prop_map(|(length, by_number, by_name)| Inner {
            length: Meters(length),
            by_number,
            by_name,
            maybe: None,
        });
    flat.prop_recursive(4, 8, 1, |within| {
        (within.clone(), within).prop_map(|(outer, inside)| Inner {
            maybe: Some(Box::new(inside)),
            ..outer
        })
    })
}

proptest! {
    #[test]
    fn integers_of_every_size(
        a in any::<(i8, i16, i32, i64, i128)>(),
        b in any::<(u8, u16, u32, u64, u128)>(),
    ) {
        comes_back(&a);
        comes_back(&b);
    }

    #[test]
    fn floats_to_the_last_bit(a in finite(), b in any::<f32>()) {
        comes_back(&a);
        prop_assume!(b.is_finite());
        comes_back(&b);
    }

    #[test]
    fn text_bytes_and_lists(
        text in ".*", c in any::<char>(), bytes in vec(any::<u8>(), 0..1000),
        list in vec(option::of(any::<bool>()), 0..20),
    ) {
        comes_back(&text);
        comes_back(&c);
        comes_back(&bytes);
        comes_back(&ByteBuf::from(bytes));
        comes_back(&list);
    }

    #[test]
    fn structs_enums_and_maps(
        name in ".*", inner in inner(), forms in vec(form(), 0..5),
        data in vec(any::<u8>(), 0..50),
    ) {
        let data = ByteBuf::from(data);
        comes_back(&Record { name, inner, forms, data, nothing: Nothing });
    }

    #[test]
    fn arbitrary_bytes_are_a_value_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        for encoding in [Encoding::Bincode, Encoding::Json] {
            let _ = encoding.decode::<Record>(&bytes);
            let _ = encoding.decode::<Vec<Form>>(&bytes);
            let _ = encoding.decode::<BTreeSet<()>>(&bytes);
        }
    }
}

#[test]
fn the_ends_of_the_integers() {
    comes_back(&(i128::MIN, i128::MAX, u128::MAX, u64::MAX, i64::MIN));
    comes_back(&BTreeMap::from([(u64::MAX, ()), (0, ())]));
    comes_back(&(f64::MAX, f64::MIN_POSITIVE, -0.0_f64, 5e-324_f64));
}
