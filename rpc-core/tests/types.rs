//! Dates and values of any type, in every encoding.
#![cfg(all(feature = "bincode", feature = "json", feature = "xml"))]

use std::collections::BTreeMap;
use std::fmt::Debug;

use farcall_core::encoding::Encoding;
use farcall_core::types::{DateTime, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn written<T: Serialize>(encoding: Encoding, value: &T) -> String {
    let mut bytes = Vec::new();
    encoding.encode(value, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(encoding: Encoding, value: &T) {
    let mut bytes = Vec::new();
    encoding.encode(value, &mut bytes).unwrap();
    let back: T = encoding.decode(&bytes).unwrap();
    assert_eq!(back, *value, "{encoding}");
}

fn moment() -> DateTime {
    "1998-07-17T14:08:55Z".parse().unwrap()
}

fn everything() -> Value {
    let scalars = vec![
        Value::Nil,
        Value::Boolean(true),
        Value::Integer(i64::MIN),
        Value::Integer(7),
        Value::Double(-0.5),
        Value::Double(2.0),
        Value::String("19980717T14:08:55".into()),
        Value::String("<&> 😀".into()),
        Value::DateTime(moment()),
        Value::Bytes(vec![0, 255].into()),
    ];
    let inner = BTreeMap::from([
        ("nil".to_owned(), Value::Nil),
        ("empty".to_owned(), Value::Array(vec![])),
        ("none".to_owned(), Value::Struct(BTreeMap::new())),
        ("scalars".to_owned(), Value::Array(scalars)),
    ]);
    Value::Array(vec![Value::Struct(inner)])
}

#[test]
fn dates_come_back_in_every_encoding() {
    for encoding in Encoding::ALL {
        comes_back(encoding, &moment());
        comes_back(encoding, &vec![Some(moment()), None]);
    }
}

#[test]
fn dates_are_written_as_each_protocol_has_them() {
    assert_eq!(
        written(Encoding::Xml, &moment()),
        "<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>"
    );
    assert_eq!(
        written(Encoding::Json, &moment()),
        r#""1998-07-17T14:08:55Z""#
    );
}

#[test]
fn any_value_comes_back_in_the_encodings_that_have_its_types() {
    comes_back(Encoding::Xml, &everything());
    comes_back(Encoding::Bincode, &everything());
    let plain = Value::Array(vec![
        Value::Nil,
        Value::Integer(-7),
        Value::Double(2.0),
        Value::Struct(BTreeMap::from([("a".to_owned(), Value::Boolean(false))])),
    ]);
    comes_back(Encoding::Json, &plain);
}

#[test]
fn dates_and_bytes_are_text_in_json() {
    let value = Value::Array(vec![
        Value::DateTime(moment()),
        Value::Bytes(vec![0, 255].into()),
    ]);
    assert_eq!(
        written(Encoding::Json, &value),
        r#"["1998-07-17T14:08:55Z","AP8="]"#
    );
}

#[test]
fn what_is_no_date_is_refused_in_words() {
    let text = b"<value><dateTime.iso8601>yesterday</dateTime.iso8601></value>";
    for error in [
        Encoding::Xml.decode::<DateTime>(text).unwrap_err(),
        Encoding::Xml.decode::<Value>(text).unwrap_err(),
    ] {
        let words = error.to_string();
        assert!(words.contains("not a date and time like"), "{words}");
    }
}

#[test]
fn integers_that_do_not_fit_are_refused_not_rounded() {
    let xml = b"<value><i8>9223372036854775808</i8></value>";
    let json = b"9223372036854775808";
    let xml = Encoding::Xml.decode::<Value>(xml).unwrap_err();
    let json = Encoding::Json.decode::<Value>(json).unwrap_err();
    for words in [xml.to_string(), json.to_string()] {
        assert!(words.contains("2^63"), "{words}");
    }
}

#[test]
fn integers_of_any_size_are_refused_where_they_are_not_where_a_float_is() {
    const HUGE: &str = "123456789012345678901234567890";
    for sign in ["", "-"] {
        for digits in [HUGE.to_owned(), HUGE.repeat(2)] {
            let text = format!("<value><biginteger>{sign}{digits}</biginteger></value>");
            let error = Encoding::Xml.decode::<Value>(text.as_bytes()).unwrap_err();
            let words = error.to_string();
            assert!(
                words.contains("too large") || words.contains("2^63"),
                "{words}"
            );
            assert!(!words.contains("123456"), "{words}");

            let text = format!("[\"\\\\\\\"{digits}\",1e300,\n {{\"é\": [{sign}{digits}]}}]");
            let error = Encoding::Json.decode::<Value>(text.as_bytes()).unwrap_err();
            let words = "an integer beyond -2^63 to 2^63-1 at line 2 column 9";
            assert_eq!(error.to_string(), words);
        }
    }
    // A float is written with a dot or an exponent, and elsewhere as the type likes.
    let text = format!("[{HUGE}, 1e300, 18446744073709551616.0, -9223372036854775808]");
    let read: (f64, Value, Value, Value) = Encoding::Json.decode(text.as_bytes()).unwrap();
    let values = [1e300, 2_f64.powi(64)].map(Value::Double);
    assert_eq!([read.1, read.2], values);
    assert_eq!(read.3, Value::Integer(i64::MIN));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    id: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn values_that_are_flattened_into_a_struct_are_read_but_for_dates() {
    let open = |date: Value| Open {
        id: 1,
        rest: BTreeMap::from([
            ("bytes".to_owned(), Value::Bytes(vec![0, 255].into())),
            ("date".to_owned(), date),
            (
                "list".to_owned(),
                Value::Array(vec![Value::Bytes(vec![1].into())]),
            ),
            ("nil".to_owned(), Value::Nil),
        ]),
    };
    let mut bytes = Vec::new();
    Encoding::Xml
        .encode(&open(Value::DateTime(moment())), &mut bytes)
        .unwrap();
    let read: Open = Encoding::Xml.decode(&bytes).unwrap();
    assert_eq!(read, open(Value::String("19980717T14:08:55".into())));

    let huge = b"<value><struct><member><name>id</name><value><int>1</int></value></member>\
        <member><name>n</name><value><i8>9223372036854775808</i8></value></member></struct></value>";
    let words = Encoding::Xml.decode::<Open>(huge).unwrap_err().to_string();
    assert!(words.contains("2^63"), "{words}");
}

#[test]
fn a_float_that_javascript_calls_an_integer_is_a_double() {
    let text = b"<value><int>1e+21</int></value>";
    let value: Value = Encoding::Xml.decode(text).unwrap();
    assert_eq!(value, Value::Double(1e21));
}

#[test]
fn any_value_nests_no_deeper_than_the_limit() {
    const DEEP: usize = 20_000;
    let array = [&7_u32.to_le_bytes()[..], &1_u64.to_le_bytes()].concat();
    for (encoding, bytes) in [
        (Encoding::Bincode, array.repeat(DEEP)),
        (
            Encoding::Json,
            [b"[".repeat(DEEP), b"]".repeat(DEEP)].concat(),
        ),
        (Encoding::Xml, b"<value><array><data>".repeat(DEEP)),
    ] {
        let words = encoding.decode::<Value>(&bytes).unwrap_err().to_string();
        assert!(words.contains("deeper"), "{encoding}: {words}");
    }
}
