//! What is JSON here and what is not.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::*;

fn write<T: Serialize>(value: T) -> Result<String, String> {
    let mut out = Vec::new();
    encode(&value, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    decode(PhantomData, text.as_bytes(), Budget::default()).map_err(|error| error.to_string())
}

#[test]
fn bytes_are_base64_and_also_read_from_numbers() {
    let long: Vec<u8> = (0..2000_u32).map(|i| i as u8).collect();
    let text = write(ByteBuf::from(long.clone())).unwrap();
    assert_eq!(read::<ByteBuf>(&text).unwrap().into_vec(), long);
    assert_eq!(write(ByteBuf::from([0, 255])).unwrap(), r#""AP8=""#);
    for text in [r#""AP8=""#, r#""AP8""#, "[0,255]", "[0.0, 255]"] {
        assert_eq!(read::<ByteBuf>(text).unwrap().into_vec(), [0, 255]);
    }
    for text in [r#""A*8=""#, "[256]", "[-1]", "7", "null", "{}"] {
        assert!(read::<ByteBuf>(text).is_err(), "{text}");
    }
}

#[test]
fn integers_are_exact_or_an_error() {
    assert_eq!(read("2.0"), Ok(2_u8));
    assert_eq!(read("1e2"), Ok(100_i64));
    assert_eq!(read("-0.0"), Ok(0_u8));
    assert_eq!(read("18446744073709551615"), Ok(u64::MAX));
    for text in [
        "2.5",
        "256",
        "-1",
        "1e300",
        "9007199254740993.0",
        "\"1\"",
        "true",
        "null",
    ] {
        assert!(read::<u8>(text).is_err(), "{text}");
    }
    assert!(read::<i64>("9007199254740993.0").is_err());
    assert!(read::<u64>("18446744073709551616").is_err());
    assert!(read::<i64>("9223372036854775808").is_err());
    assert!(read::<i128>("2.5").is_err());
}

#[test]
fn floats_take_integers_but_never_nan() {
    assert_eq!(read("3"), Ok(3.0_f64));
    assert_eq!(read("3"), Ok(3.0_f32));
    assert_eq!(write(0.1_f32).unwrap(), "0.1");
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let nested = BTreeMap::from([("x", vec![(1, Some(value))])]);
        assert_eq!(
            write(nested).unwrap_err(),
            format!(".x[0][1]: JSON has no number {value}")
        );
        assert!(write(value as f32).is_err());
    }
    assert!(read::<f64>("NaN").is_err());
    assert!(read::<f64>("1e400").is_err());
}

#[test]
fn keys_are_written_by_their_text() {
    assert_eq!(
        write(BTreeMap::from([(-7, true)])).unwrap(),
        r#"{"-7":true}"#
    );
    assert_eq!(read(r#"{"-7":true}"#), Ok(BTreeMap::from([(-7, true)])));
    assert_eq!(read(r#"{"true":1}"#), Ok(BTreeMap::from([(true, 1)])));
    assert!(write(BTreeMap::from([((1, 2), true)])).is_err());
}

#[test]
fn what_is_refused_is_not_repeated() {
    fn words<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        let words = read::<T>(text).unwrap_err();
        words
            .split(" at line")
            .next()
            .unwrap_or_default()
            .to_owned()
    }
    assert_eq!(words::<u8>("300"), "expected u8, found an integer");
    assert_eq!(words::<u8>("-1"), "expected u8, found an integer");
    assert_eq!(words::<i64>("true"), "expected i64, found a boolean");
    assert_eq!(words::<u64>("2.5"), "expected u64, found a float");
    assert_eq!(words::<String>("2.5"), "expected a string, found a float");
    assert_eq!(words::<bool>("\"x\""), "expected a boolean, found a string");
    assert_eq!(
        words::<ByteBuf>("[300]"),
        "[0]: expected u8, found an integer"
    );
}

#[test]
fn integers_of_128_bits_are_exact_or_refused_where_they_stand() {
    assert_eq!(read(&u128::MAX.to_string()), Ok(u128::MAX));
    assert_eq!(read(&i128::MIN.to_string()), Ok(i128::MIN));
    assert_eq!(read("1e2"), Ok(100_u128));
    assert_eq!(read("-2.0"), Ok(-2_i128));
    assert_eq!(read("-0"), Ok(0_u128));
    assert_eq!(read("[1e2, 2]"), Ok((100_i128, 2_u8)));
    assert_eq!(read("[null,1]"), Ok((None::<u128>, Some(1_u128))));
    let keys = BTreeMap::from([(u128::MAX, i128::MIN)]);
    assert_eq!(read(&write(&keys).unwrap()), Ok(keys));
    let beyond = format!("{}0", u128::MAX);
    for text in [
        &beyond, "2.5", "-1", "\"77\"", "true", "[]", "{}", "null", "1e300",
    ] {
        let words = read::<u128>(text).unwrap_err();
        assert!(
            words.starts_with("expected u128, found "),
            "{text}: {words}"
        );
        assert!(!words.contains(['`', '7']), "{words}");
    }
    assert!(
        read::<(u128, u8)>("[1e2 3]")
            .unwrap_err()
            .starts_with("expected `,`")
    );
}

#[test]
fn surplus_text_is_refused() {
    assert!(read::<u8>("1 2").is_err());
    assert!(read::<Vec<u8>>("[1],").is_err());
    assert_eq!(read::<u8>(" 1\n"), Ok(1));
}

#[test]
fn text_that_is_no_json_is_told_from_a_value_of_another_type() {
    let malformed = |text: &str| {
        decode::<PhantomData<(i128, f64)>>(PhantomData, text.as_bytes(), Budget::default())
            .unwrap_err()
            .is_malformed()
    };
    for text in ["[1,2", "[1,]", "[1,x]", "", "[1,2],3", "[01,2]", "[1,NaN]"] {
        assert!(malformed(text), "{text}");
    }
    for text in ["[1]", "{}", "[1.5,2]", "[1,1e400]", "[1,2,3]", "null"] {
        assert!(!malformed(text), "{text}");
    }
}

#[test]
fn depth_and_items_are_limited_by_name() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let error = read::<serde_json::Value>(&deep).unwrap_err();
    assert!(
        error.starts_with("nested deeper than 127 levels"),
        "{error}"
    );
    let tight = Budget {
        depth: 1,
        json_depth: 2,
        items: 3,
    };
    let read = |text: &'static str| {
        decode::<PhantomData<serde_json::Value>>(PhantomData, text.as_bytes(), tight)
            .map_err(|error| error.to_string())
    };
    assert!(read("[[1],2]").is_ok());
    assert!(read("[1,2,3,4]").unwrap_err().contains("Limits::items"));
    assert!(read("[[[]]]").unwrap_err().contains("Limits::json_depth"));
    assert!(read(r#"{"a":{"b":1,"c":2,"d":3}}"#).is_err());
}

#[test]
fn a_type_without_a_bottom_does_not_recurse_for_ever() {
    #[derive(Debug, Deserialize)]
    struct Onion(#[allow(dead_code, reason = "never made")] Option<Box<Self>>);
    assert!(
        read::<Onion>("1")
            .unwrap_err()
            .contains("options and newtypes")
    );
}

#[test]
fn raw_values_and_open_ended_types_pass_through_the_guard() {
    let raw: Box<serde_json::value::RawValue> = read(r#"{"a": [1, 2.50]}"#).unwrap();
    assert_eq!(raw.get(), r#"{"a": [1, 2.50]}"#);
    assert_eq!(write(&raw).unwrap(), r#"{"a": [1, 2.50]}"#);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Names(BTreeSet<String>),
    }
    assert_eq!(read(r#"["x"]"#), Ok(Either::Names(["x".to_owned()].into())));
    assert_eq!(read("3"), Ok(Either::Number(3)));
}
