//! Whatever a type looks like, its values come back from XML as they went.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use farcall_core::encoding::Encoding;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Suit {
    Hearts,
    Spades,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Form {
    Unit,
    Newtype(Option<i64>),
    Tuple(u8, String),
    Struct { x: Option<f64>, y: char },
    Nested(Box<Self>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Meters(f32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(i16, Option<bool>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    name: String,
    length: Meters,
    pair: Pair,
    forms: Vec<Form>,
    data: ByteBuf,
    plain: Vec<u8>,
    nothing: Nothing,
    by_number: BTreeMap<i64, Option<bool>>,
    by_name: BTreeMap<String, (u16, i8)>,
    by_suit: BTreeMap<Suit, u32>,
    by_char: BTreeMap<char, ()>,
    by_bool: BTreeMap<bool, BTreeSet<u64>>,
    maybe: Option<Box<Self>>,
}

fn comes_back<T>(value: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut bytes = Vec::new();
    Encoding::Xml.encode(value, &mut bytes).unwrap();
    let shown = String::from_utf8_lossy(&bytes);
    let back: T = Encoding::Xml
        .decode(&bytes)
        .unwrap_or_else(|error| panic!("{error}: {shown}"));
    assert_eq!(&back, value, "{shown}");
}

/// A character that XML has, white space and `]]>` more often than not.
fn xml_char() -> impl Strategy<Value = char> {
    let special = vec![
        '\r', '\n', '\t', ' ', ']', '>', '<', '&', ';', '#', '"', '\'', '\u{fffd}',
    ];
    prop_oneof![prop::sample::select(special), any::<char>().prop_filter("not in XML", |&c| {
        !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
    })]
}

fn text() -> impl Strategy<Value = String> {
    vec(xml_char(), 0..20).prop_map(String::from_iter)
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("not in XML-RPC", |value| value.is_finite())
}

/// What the integers of XML-RPC hold.
fn u64s() -> impl Strategy<Value = u64> {
    0..=i64::MAX.unsigned_abs()
}

fn form() -> impl Strategy<Value = Form> {
    let flat = prop_oneof![
        Just(Form::Unit),
        any::<Option<i64>>().prop_map(Form::Newtype),
        (any::<u8>(), text()).prop_map(|(a, b)| Form::Tuple(a, b)),
        (option::of(finite()), xml_char()).prop_map(|(x, y)| Form::Struct { x, y }),
    ];
    flat.prop_recursive(3, 4, 1, |form| {
        form.prop_map(|form| Form::Nested(Box::new(form)))
    })
}

fn record() -> impl Strategy<Value = Record> {
    let scalars = (
        text(),
        any::<f32>().prop_filter("not in XML-RPC", |value| value.is_finite()),
        any::<(i16, Option<bool>)>(),
        vec(form(), 0..4),
        vec(any::<u8>(), 0..50),
    );
    let suit = prop::sample::select(vec![Suit::Hearts, Suit::Spades]);
    let maps = (
        btree_map(any::<i64>(), any::<Option<bool>>(), 0..4),
        btree_map(text(), any::<(u16, i8)>(), 0..4),
        btree_map(suit, any::<u32>(), 0..3),
        btree_map(xml_char(), Just(()), 0..3),
        btree_map(
            any::<bool>(),
            prop::collection::btree_set(u64s(), 0..3),
            0..3,
        ),
    );
    let flat = (scalars, maps).prop_map(|(scalars, maps)| {
        let (name, length, (a, b), forms, bytes) = scalars;
        let (by_number, by_name, by_suit, by_char, by_bool) = maps;
        Record {
            name,
            length: Meters(length),
            pair: Pair(a, b),
            forms,
            data: ByteBuf::from(bytes.clone()),
            plain: bytes,
            nothing: Nothing,
            by_number,
            by_name,
            by_suit,
            by_char,
            by_bool,
            maybe: None,
        }
    });
    flat.prop_recursive(3, 4, 1, |record| {
        (record.clone(), record).prop_map(|(outer, inner)| Record {
            maybe: Some(Box::new(inner)),
            ..outer
        })
    })
}

proptest! {
    #[test]
    fn integers_of_every_size(
        signed in any::<(i8, i16, i32, i64)>(), unsigned in any::<(u8, u16, u32)>(), large in u64s(),
    ) {
        comes_back(&signed);
        comes_back(&unsigned);
        comes_back(&large);
        comes_back(&(i128::from(signed.3), u128::from(large)));
    }

    #[test]
    fn floats_to_the_last_bit(a in finite(), b in any::<f32>()) {
        comes_back(&a);
        prop_assume!(b.is_finite());
        comes_back(&b);
    }

    #[test]
    fn text_and_characters(text in text(), c in xml_char()) {
        comes_back(&text);
        comes_back(&c);
        comes_back(&(Some(text), [None, Some(c)]));
    }

    #[test]
    fn any_text_comes_back_or_is_refused(text in any::<String>()) {
        if Encoding::Xml.encode(&text, &mut Vec::new()).is_ok() {
            comes_back(&text);
        }
    }

    #[test]
    fn structs_enums_and_maps(record in record()) {
        comes_back(&record);
    }
}
