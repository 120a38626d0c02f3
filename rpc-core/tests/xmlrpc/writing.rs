//! What our values look like to others.

use std::collections::BTreeMap;

use farcall_core::encoding::Encoding;
use serde::Serialize;
use serde_bytes::Bytes;

fn xml<T: Serialize + ?Sized>(value: &T) -> Result<String, String> {
    let mut out = Vec::new();
    match Encoding::Xml.encode(value, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

#[track_caller]
fn check<T: Serialize + ?Sized>(value: &T, expected: &str) {
    assert_eq!(
        xml(value).as_deref(),
        Ok(&*format!("<value>{expected}</value>"))
    );
}

#[derive(Serialize)]
enum Form {
    Unit,
    Newtype(i32),
    Tuple(i32, bool),
    Struct { x: Option<i32>, y: Option<i32> },
}

#[derive(Serialize)]
struct Wrapped(Option<i32>);

#[derive(Serialize)]
struct Holder {
    direct: Option<i32>,
    wrapped: Wrapped,
    unit: (),
}

#[test]
fn integers_are_int_and_beyond_32_bits_i8() {
    check(&-7_i8, "<int>-7</int>");
    check(&2_147_483_647_u64, "<int>2147483647</int>");
    check(&2_147_483_648_u32, "<i8>2147483648</i8>");
    check(&i64::MIN, "<i8>-9223372036854775808</i8>");
    check(&i128::from(i64::MAX), "<i8>9223372036854775807</i8>");
    for error in [xml(&u64::MAX), xml(&i128::MIN), xml(&u128::MAX)] {
        let error = error.unwrap_err();
        assert!(error.contains("from -2^63 to 2^63-1"), "{error}");
    }
}

#[test]
fn doubles_are_plain_decimals_with_the_fewest_digits() {
    check(&0.1_f32, "<double>0.1</double>");
    check(&-0.0, "<double>-0</double>");
    check(&1e21, "<double>1000000000000000000000</double>");
    check(&1e-7, "<double>0.0000001</double>");
    for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(xml(&none).unwrap_err().starts_with("XML-RPC has no "));
    }
    assert!(xml(&f32::NAN).is_err());
}

#[test]
fn text_is_escaped_so_that_it_comes_back() {
    check("", "<string></string>");
    check(
        " a<b>&\"'\r\n]]>",
        "<string> a&lt;b&gt;&amp;\"'&#13;\n]]&gt;</string>",
    );
    check(&'é', "<string>é</string>");
    for forbidden in ["\0", "\u{8}", "\u{fffe}"] {
        let error = xml(forbidden).unwrap_err();
        assert!(error.contains("XML cannot carry"), "{error}");
    }
}

#[test]
fn the_rest_of_the_scalars() {
    check(&true, "<boolean>1</boolean>");
    check(Bytes::new(b"\x00\xff?"), "<base64>AP8/</base64>");
    check(Bytes::new(b""), "<base64></base64>");
    check(&(), "<nil/>");
    check(&None::<i32>, "<nil/>");
    check(&Some(1), "<int>1</int>");
}

#[test]
fn what_is_absent_is_left_out_of_a_struct_and_nil_elsewhere() {
    check(
        &Holder {
            direct: None,
            wrapped: Wrapped(None),
            unit: (),
        },
        "<struct><member><name>wrapped</name><value><nil/></value></member>\
         <member><name>unit</name><value><nil/></value></member></struct>",
    );
    check(
        &[None, Some(1)],
        "<array><data><value><nil/></value><value><int>1</int></value></data></array>",
    );
    check(
        &BTreeMap::from([("a", None::<i32>)]),
        "<struct><member><name>a</name><value><nil/></value></member></struct>",
    );
}

#[test]
fn a_unit_variant_is_a_string_and_any_other_a_struct_of_one_member() {
    check(&Form::Unit, "<string>Unit</string>");
    check(
        &Form::Newtype(1),
        "<struct><member><name>Newtype</name><value><int>1</int></value></member></struct>",
    );
    check(
        &Form::Tuple(1, false),
        "<struct><member><name>Tuple</name><value><array><data><value><int>1</int></value>\
         <value><boolean>0</boolean></value></data></array></value></member></struct>",
    );
    check(
        &Form::Struct {
            x: Some(1),
            y: None,
        },
        "<struct><member><name>Struct</name><value><struct><member><name>x</name>\
         <value><int>1</int></value></member></struct></value></member></struct>",
    );
}

#[test]
fn keys_are_names() {
    check(
        &BTreeMap::from([(-1, true)]),
        "<struct><member><name>-1</name><value><boolean>1</boolean></value></member></struct>",
    );
    check(
        &BTreeMap::from([("<", ())]),
        "<struct><member><name>&lt;</name><value><nil/></value></member></struct>",
    );
    let error = xml(&BTreeMap::from([((1, 2), 3)])).unwrap_err();
    assert!(error.contains("a list cannot be one"), "{error}");
}
