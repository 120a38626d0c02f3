//! What serde_json writes for the same values.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::codec::json::encode;

use super::*;

fn written<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = Vec::new();
    encode(value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn same<T: Serialize + ?Sized>(value: &T) {
    assert_eq!(written(value), serde_json::to_string(value).unwrap());
}

#[derive(Debug, Serialize)]
struct Everything {
    bool: bool,
    signed: (i8, i16, i32, i64, i128),
    unsigned: (u8, u16, u32, u64, u128),
    floats: (f32, f64),
    char: char,
    #[serde(rename = "a \"text\"\n")]
    text: String,
    option: Option<Option<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u8>,
    units: ((), Unit),
    wrapped: Wrapped,
    list: Vec<String>,
    maps: Maps,
    forms: Vec<Form>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Unit;

#[derive(Debug, Serialize)]
struct Wrapped(Pair);

#[derive(Debug, Serialize)]
struct Pair(u8, String);

#[derive(Debug, Default, Serialize)]
struct Maps {
    texts: BTreeMap<String, String>,
    numbers: BTreeMap<(), ()>,
    signed: BTreeMap<i64, u8>,
    wide: BTreeMap<u128, u8>,
    bools: BTreeMap<Option<bool>, u8>,
    chars: BTreeMap<char, u8>,
    forms: BTreeMap<Name, u8>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Name {
    First,
    #[serde(rename = "the \\ second")]
    Second,
}

#[derive(Clone, Debug, Serialize)]
enum Form {
    Unit,
    Newtype(char),
    Tuple(bool, Option<String>),
    Struct { inside: Vec<Self>, empty: [u8; 0] },
}

/// Texts with much to escape, at all places.
fn texts() -> impl Strategy<Value = String> {
    let special = prop_oneof![
        8 => any::<char>(),
        8 => prop::char::range('a', 'z'),
        1 => prop::char::range('\0', '\u{20}'),
        1 => Just('"'),
        1 => Just('\\'),
        1 => Just('\u{7f}'),
    ];
    let plain = prop::char::range(' ', '~');
    prop_oneof![
        prop::collection::vec(special, 0..80).prop_map(String::from_iter),
        prop::collection::vec(plain, 0..80).prop_map(String::from_iter),
    ]
}

fn forms() -> impl Strategy<Value = Form> {
    let leaf = prop_oneof![
        Just(Form::Unit),
        any::<char>().prop_map(Form::Newtype),
        (any::<bool>(), prop::option::of(texts())).prop_map(|(a, b)| Form::Tuple(a, b)),
    ];
    leaf.prop_recursive(4, 16, 4, |form| {
        prop::collection::vec(form, 0..4).prop_map(|inside| Form::Struct { inside, empty: [] })
    })
}

prop_compose! {
    fn maps()(
        texts in prop::collection::btree_map(texts(), texts(), 0..3),
        (signed, wide) in any::<(BTreeMap<i64, u8>, BTreeMap<u128, u8>)>(),
        bool in any::<bool>(),
        chars in any::<BTreeMap<char, u8>>(),
    ) -> Maps {
        Maps {
            texts,
            numbers: BTreeMap::new(),
            signed,
            wide,
            bools: BTreeMap::from([(Some(bool), 1)]),
            chars,
            forms: BTreeMap::from([(Name::First, 1), (Name::Second, 2)]),
        }
    }
}

prop_compose! {
    fn everything()(
        numbers in any::<((i8, i16, i32, i64, i128), (u8, u16, u32, u64, u128), (f32, f64))>(),
        (bool, char, option, skipped) in any::<(bool, char, Option<Option<u16>>, Option<u8>)>(),
        (text, second) in (texts(), texts()),
        list in prop::collection::vec(texts(), 0..4),
        maps in maps(),
        forms in prop::collection::vec(forms(), 0..4),
    ) -> Everything {
        Everything {
            bool,
            signed: numbers.0,
            unsigned: numbers.1,
            floats: numbers.2,
            char,
            text,
            option,
            skipped,
            units: ((), Unit),
            wrapped: Wrapped(Pair(1, second)),
            list,
            maps,
            forms,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_what_serde_json_writes(value in everything()) {
        // `any` has finite floats only.
        same(&value);
    }

    #[test]
    fn a_text_is_escaped_as_serde_json_does_it(text in texts()) {
        same(&text);
        same(&format_args!("{text}, and then {text}"));
    }

    #[test]
    fn a_float_is_written_as_serde_json_does_it(bits in any::<(u32, u64)>()) {
        let (short, long) = (f32::from_bits(bits.0), f64::from_bits(bits.1));
        if short.is_finite() {
            same(&short);
        }
        if long.is_finite() {
            same(&long);
        }
    }
}

#[test]
fn every_byte_is_escaped_at_every_place_of_a_text() {
    for len in 0..70 {
        for at in 0..len {
            for byte in (0..0x80).filter(|byte| byte % 7 == 0 || is_rare(*byte)) {
                let mut text = vec![b'a'; len];
                text[at] = byte;
                same(std::str::from_utf8(&text).unwrap());
            }
        }
    }
}

fn is_rare(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric()
}

#[test]
fn json_that_is_there_already_is_copied() {
    let raw = RawValue::from_string("[1, {\"a\" : null}]".to_owned()).unwrap();
    same(&raw);
    same(&(&raw, vec![&raw]));
    assert_eq!(written(&raw), "[1, {\"a\" : null}]");
}

#[test]
fn a_value_of_serde_json_is_written_as_it_writes_itself() {
    same(&serde_json::json!({"a": [1, -2, 0.5, null, true], "b": {"c": "\u{1}"}, "": []}));
}

#[test]
fn what_has_no_text_is_no_key() {
    fn words<K: Serialize + Ord>(key: K) -> String {
        let map = BTreeMap::from([(key, 1)]);
        let ours = encode(&map, &mut Vec::new()).unwrap_err().to_string();
        let theirs = serde_json::to_string(&map).unwrap_err().to_string();
        assert!(ours.contains(&theirs), "{ours}");
        ours
    }
    let says = "the keys of a map are text in JSON, and this one has none (key must be a string)";
    assert_eq!(words(()), says);
    assert_eq!(words(Unit), says);
    assert_eq!(words(None::<u8>), says);
    assert_eq!(words([1, 2]), says);
    assert_eq!(words(vec![1]), says);
    assert_eq!(words(BTreeMap::from([(1, 2)])), says);
    assert_eq!(words(Ok::<u8, u8>(1)), says);
}
