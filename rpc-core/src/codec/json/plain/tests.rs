//! What the short way takes, the long way takes for the same.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::read;
use crate::codec::json::{decode_at_length, encode};
use crate::limits::Budget;
use crate::types::Value;

fn short<T: DeserializeOwned>(text: &str, budget: Budget) -> Option<T> {
    read(PhantomData, text.as_bytes(), budget)
}

fn long<T: DeserializeOwned>(text: &str, budget: Budget) -> Option<T> {
    decode_at_length(PhantomData, text, budget).ok()
}

/// The short way takes `text` only if the long way does, and for the same; true if it did.
#[track_caller]
fn same<T: DeserializeOwned + Debug>(text: &str, budget: Budget) -> bool {
    let Some(found) = short::<T>(text, budget) else {
        return false;
    };
    // By their words, as NaN is no equal of itself, and -0 one of 0.
    let found = format!("{found:?}");
    let expected = format!("{:?}", long::<T>(text, budget));
    assert_eq!(format!("Some({found})"), expected, "{text}");
    true
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Typed {
    id: i64,
    name: String,
    score: f64,
    #[serde(default)]
    small: Option<f32>,
    yes: bool,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inner: Option<Box<Self>>,
    form: Form,
    bytes: ByteBuf,
    counts: BTreeMap<i16, (u8, char)>,
    wide: u128,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Form {
    Unit,
    Newtype(Option<i32>),
    Tuple(i32, String),
    Struct { x: u64 },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "shown by their words")]
enum Either {
    Number(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Names(BTreeMap<String, Self>),
    Nothing(Option<bool>),
}

/// Takes whatever goes wrong for nothing, as some types do.
#[derive(Debug)]
#[allow(dead_code, reason = "shown by its words")]
struct OrNothing(Option<u8>);

impl<'de> Deserialize<'de> for OrNothing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(u8::deserialize(deserializer).ok()))
    }
}

fn all(text: &str) {
    let budget = Budget::default();
    same::<u8>(text, budget);
    same::<i64>(text, budget);
    same::<u64>(text, budget);
    same::<i128>(text, budget);
    same::<u128>(text, budget);
    same::<f32>(text, budget);
    same::<f64>(text, budget);
    same::<bool>(text, budget);
    same::<char>(text, budget);
    same::<String>(text, budget);
    same::<Option<Option<i32>>>(text, budget);
    same::<()>(text, budget);
    same::<ByteBuf>(text, budget);
    same::<(i32, String)>(text, budget);
    same::<Vec<f64>>(text, budget);
    same::<BTreeMap<i8, Value>>(text, budget);
    same::<BTreeMap<String, IgnoredAny>>(text, budget);
    same::<IgnoredAny>(text, budget);
    same::<Value>(text, budget);
    same::<serde_json::Value>(text, budget);
    same::<Box<serde_json::value::RawValue>>(text, budget);
    same::<Either>(text, budget);
    same::<OrNothing>(text, budget);
    same::<Vec<OrNothing>>(text, budget);
    same::<Form>(text, budget);
    same::<Typed>(text, budget);
    let tight = Budget {
        depth: 2,
        json_depth: 2,
        items: 3,
    };
    same::<Value>(text, tight);
    same::<Form>(text, tight);
    same::<Vec<(i32, Vec<String>)>>(text, tight);
}

#[test]
fn nothing_is_taken_for_something_else() {
    let texts = [
        "",
        " ",
        "0",
        "-0",
        "00",
        "01",
        "-1",
        "- 1",
        "+1",
        "1.",
        ".5",
        "1.5",
        "-1.5e+3",
        "1e",
        "1e5",
        "1E-5",
        "1e400",
        "18446744073709551615",
        "18446744073709551616",
        "9999999999999999999",
        "-9223372036854775808",
        "-9223372036854775809",
        "9007199254740993.0",
        "1e39",
        "0.1",
        "-0.0",
        "true",
        "tru",
        "truex",
        "false",
        "null",
        "nul",
        "NaN",
        "1 2",
        "[1,]",
        "[,1]",
        "[1",
        "[]]",
        "[1 2]",
        "[ 1 , \"a\" ]\n",
        "[1,\"a\",2]",
        "[[[]]]",
        "[1,2,3,4]",
        "{}",
        "{\"1\":[]}",
        "{\"01\":1}",
        "{\" 1\":1}",
        "{\"-0\":1}",
        "{\"1.0\":1}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{1:1}",
        "{\"a\":1,\"a\":2}",
        "\"\"",
        "\"a",
        "\"a\u{1}b\"",
        "\"a\nb\"",
        "\"é😀\"",
        "\"\\u00e9\\n\\\"\\/\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\u0041\"",
        "\"\\u+123\"",
        "\"\\x\"",
        "\"\\",
        "\"AP8=\"",
        "\"AP8\"",
        "[0,255]",
        "[0.0,255]",
        "\"Unit\"",
        "{\"Unit\":null}",
        "{\"Newtype\":null}",
        "{\"Newtype\":3}",
        "{\"Tuple\":[1,\"x\"]}",
        "{\"Struct\":{\"x\":1}}",
        "{\"Struct\":[1]}",
        "{\"Unit\":null,\"x\":1}",
        "\"Newtype\"",
        "{\"U\\u006eit\":null}",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u{1f}\"",
        "300",
        "[300,2.0,\"x\"]",
        "{\"a\":{\"b\":[1,{\"c\":null},{}],\"d\":\"\"},\"e\":[[],[]]}",
    ];
    texts.iter().for_each(|text| all(text));
}

#[test]
fn nesting_ends_where_the_long_way_ends_it() {
    for depth in 120..140 {
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let budget = Budget {
            json_depth: 1000,
            ..Budget::default()
        };
        let took = same::<Value>(&text, budget);
        assert_eq!(took, long::<Value>(&text, budget).is_some(), "{depth}");
        assert!(
            same::<IgnoredAny>(&text, budget) == (depth <= 127),
            "{depth}"
        );
    }
    assert!(short::<IgnoredAny>(&"[".repeat(1_000_000), Budget::default()).is_none());
}

#[test]
fn what_is_common_goes_the_short_way() {
    let budget = Budget::default();
    assert!(same::<(i32, i32)>("[100000, -7]", budget));
    assert!(same::<BTreeMap<u8, f64>>("{\"7\": 0.5}", budget));
    assert!(same::<Vec<String>>(
        "[\"caf\\u00e9\", \"\\\"x\\\"\"]",
        budget
    ));
    assert!(same::<Value>("{\"a\": [1, null, {\"b\": true}]}", budget));
    assert!(same::<ByteBuf>("\"AP8=\"", budget));
}

fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "green",
        "12345678",
        "\"",
        "\\",
        "\u{1}",
        "\n",
        "é",
        "😀",
        "[",
        "{",
        "longer than sixteen",
    ];
    vec(select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Unit),
        any::<Option<i32>>().prop_map(Form::Newtype),
        (any::<i32>(), text()).prop_map(|(n, text)| Form::Tuple(n, text)),
        any::<u64>().prop_map(|x| Form::Struct { x }),
    ]
}

fn typed() -> impl Strategy<Value = Typed> {
    let first = (
        any::<i64>(),
        text(),
        any::<f64>(),
        any::<Option<f32>>(),
        any::<bool>(),
    );
    let second = (
        vec(text(), 0..4),
        form(),
        vec(any::<u8>(), 0..9),
        any::<BTreeMap<i16, (u8, char)>>(),
        // Of those beyond 64 bits it gives up.
        any::<u64>().prop_map(u128::from),
    );
    let flat = (first, second).prop_map(|(first, second)| {
        let (id, name, score, small, yes) = first;
        let (tags, form, bytes, counts, wide) = second;
        Typed {
            id,
            name,
            score,
            small,
            yes,
            tags,
            inner: None,
            form,
            bytes: ByteBuf::from(bytes),
            counts,
            wide,
        }
    });
    flat.prop_recursive(3, 4, 1, |inner| {
        (inner.clone(), inner).prop_map(|(mut outer, inner)| {
            outer.inner = Some(Box::new(inner));
            outer
        })
    })
}

proptest! {
    #[test]
    fn both_ways_read_what_was_written(sent in typed()) {
        let mut text = Vec::new();
        encode(&sent, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let read: Option<Typed> = long(&text, Budget::default());
        prop_assert_eq!(read.as_ref(), Some(&sent));
        prop_assert_eq!(short::<Typed>(&text, Budget::default()), Some(sent));
    }

    /// With a piece taken out of a text and another put in its place.
    #[test]
    fn both_ways_take_what_is_nearly_right_for_the_same(
        sent in typed(),
        at in any::<prop::sample::Index>(),
        len in 0_usize..6,
        piece in select(vec![
            "", "\"", "\\", "\\u", ",", ":", "[", "]", "{", "}", "-", ".", "e", "0", "1", " ", "null",
            "1.0", "\u{1}", "\"x\":1,", "1e2", "\\ud83d",
        ]),
    ) {
        let mut text = Vec::new();
        encode(&sent, &mut text).unwrap();
        let mut text = String::from_utf8(text).unwrap();
        let from = at.index(text.len());
        let to = (from + len).min(text.len());
        prop_assume!(text.is_char_boundary(from) && text.is_char_boundary(to));
        text.replace_range(from..to, piece);
        all(&text);
    }

    #[test]
    fn both_ways_take_tokens_in_any_order_for_the_same(
        tokens in vec(select(vec![
            "[", "]", "{", "}", ",", ":", "\"a\"", "\"1\"", "1", "-7", "2.5", "1e2", "null", "true", " ",
            "\"\\n\"", "[]", "{}", "\"a\":",
        ]), 0..12),
    ) {
        all(&tokens.concat());
    }
}
