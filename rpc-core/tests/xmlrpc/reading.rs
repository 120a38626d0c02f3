//! What others send, in all the spellings there are.

use std::collections::BTreeMap;
use std::fmt::Debug;

use farcall_core::encoding::Encoding;
use farcall_core::params::Text;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_bytes::ByteBuf;

/// `inner` is what stands in `<value>`.
fn read<T: for<'de> Deserialize<'de>>(inner: &str) -> Result<T, String> {
    let document = format!("<value>{inner}</value>");
    let read = Encoding::Xml.decode(document.as_bytes());
    read.map_err(|error| error.to_string())
}

#[track_caller]
fn check<T: for<'de> Deserialize<'de> + PartialEq + Debug>(inner: &str, expected: T) {
    assert_eq!(read::<T>(inner), Ok(expected), "{inner}");
}

#[track_caller]
fn refused<T: for<'de> Deserialize<'de> + Debug>(inner: &str, reason: &str) {
    let error = read::<T>(inner).expect_err(inner);
    assert!(error.contains(reason), "{inner}: {error}");
}

#[derive(Debug, PartialEq, Deserialize)]
struct Point {
    x: i32,
    y: Option<i32>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Form {
    Unit,
    Newtype(Option<i32>),
    Struct { x: i32 },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Anything {
    Bool(bool),
    Integer(i64),
    Double(f64),
    Text(String),
    Bytes(ByteBuf),
    List(Vec<Self>),
    Struct(BTreeMap<String, Self>),
    Nothing,
}

#[test]
fn white_space_counts_in_text_and_nowhere_else() {
    check("  a  ", "  a  ".to_owned());
    check("<string>  a  </string>", "  a  ".to_owned());
    check("\n\t<int>5</int>\n", 5);
    check("\n<string> </string >\n", " ".to_owned());
    for empty in ["", "<string/>", "<string></string>", "<string />"] {
        check(empty, String::new());
    }
    assert_eq!(
        Encoding::Xml.decode(b" <value/>\n").ok(),
        Some(String::new())
    );
}

#[test]
fn text_arrives_in_pieces() {
    check(
        "<string>a&lt;<![CDATA[<&]]]]><![CDATA[>]]><!-- no --> &#x41;<?pi no?>&#66;&quot;</string>",
        "a<<&]]> AB\"".to_owned(),
    );
    check("a<!-- -->b", "ab".to_owned());
    check("<![CDATA[ ]]>", " ".to_owned());
    check("<!-- a --><int>1<!-- -->2</int><?b?>", 12);
}

#[test]
fn line_ends_are_line_feeds_unless_they_are_references() {
    check("a\r\nb\rc\n\r", "a\nb\nc\n\n".to_owned());
    check("<![CDATA[a\r\n]]>\r", "a\n\n".to_owned());
    check("a&#13;&#10;b&#xD;", "a\r\nb\r".to_owned());
}

#[test]
fn text_without_escapes_is_borrowed() {
    let document = b"<value><string>a > b]] ></string></value>";
    let text: &str = Encoding::Xml.decode(document).unwrap();
    assert_eq!(text, "a > b]] >");
    let text: Text<'_> = Encoding::Xml.decode(b"<value>a&amp;b</value>").unwrap();
    assert_eq!(&*text, "a&b");
    assert!(
        Encoding::Xml
            .decode::<&str>(b"<value>a&amp;b</value>")
            .is_err()
    );
}

#[test]
fn any_integer_element_is_an_integer_of_any_size_or_a_float() {
    for name in [
        "int",
        "i4",
        "i8",
        "i1",
        "i2",
        "i64",
        "ex:i8",
        "biginteger",
        "ex:biginteger",
    ] {
        let element = format!("<{name}> +042\n</{name}>");
        check(&element, 42_u8);
        check(&element, 42_i64);
        check(&element, 42_u128);
        check(&element, 42.0_f64);
        check(&element, 42.0_f32);
    }
    check("<int>4294967296</int>", 4_294_967_296_i64);
    check("<biginteger>18446744073709551615</biginteger>", u64::MAX);
    check(
        "<biginteger>-170141183460469231731687303715884105728</biginteger>",
        i128::MIN,
    );
    refused::<i32>("<int>4294967296</int>", "expected i32");
    refused::<u8>("<int>-1</int>", "expected u8");
    for junk in ["", "x", "1.0", "1 2", "0x1", "--1", "1e3", "&#49;x"] {
        refused::<i32>(
            &format!("<int>{junk}</int>"),
            "an integer element that holds none",
        );
    }
}

#[test]
fn an_integral_double_is_an_integer_and_no_other() {
    check("<double>2.0</double>", 2_u8);
    check("<double>-2147483648</double>", i32::MIN);
    check(
        "<double>9007199254740992</double>",
        9_007_199_254_740_992_u64,
    );
    refused::<i32>("<double>2.5</double>", "expected i32");
    refused::<u64>("<double>1e300</double>", "expected u64");
    refused::<i64>("<double>NaN</double>", "expected i64");
}

#[test]
fn text_is_an_integer_where_32_bits_would_be_too_few() {
    check("<string>18446744073709551615</string>", u64::MAX);
    check("-7", -7_i64);
    check(
        "<string>340282366920938463463374607431768211455</string>",
        u128::MAX,
    );
    refused::<i32>("<string>7</string>", "expected i32, found a string");
    refused::<u64>("<string>7 </string>", "expected u64, found a string");
}

#[test]
fn doubles_in_every_spelling() {
    check("<double>-1.5</double>", -1.5);
    check("<double> +1e3 </double>", 1000.0);
    check("<float>.5</float>", 0.5_f32);
    check("<double>0.1</double>", 0.1_f32);
    assert!(read::<f64>("<double>nan</double>").unwrap().is_nan());
    check("<double>-INF</double>", f64::NEG_INFINITY);
    for junk in ["", "1,5", "1e999", "0x10", "1.5.2"] {
        refused::<f64>(
            &format!("<double>{junk}</double>"),
            "a `<double>` that holds no number",
        );
    }
}

#[test]
fn booleans_are_one_or_zero_or_words() {
    check("<boolean>1</boolean>", true);
    check("<boolean>0</boolean>", false);
    check("<boolean>true</boolean>", true);
    check("<boolean>false</boolean>", false);
    refused::<bool>("<boolean>yes</boolean>", "neither 0 nor 1");
    refused::<bool>("<boolean/>", "neither 0 nor 1");
    refused::<bool>("<int>1</int>", "expected a boolean");
    refused::<i32>("<boolean>1</boolean>", "expected i32");
}

#[test]
fn nil_is_nothing() {
    for nil in [
        "<nil/>",
        "<nil></nil>",
        "<ex:nil/>",
        " <nil /> ",
        "<nil> </nil>",
    ] {
        check(nil, ());
        check(nil, None::<String>);
        check(nil, Anything::Nothing);
    }
    refused::<String>("<nil/>", "expected a string, found no value");
    refused::<()>("<nil>x</nil>", "expected a tag, found text");
}

#[test]
fn bytes_are_base64_or_a_list_of_numbers() {
    for bytes in ["<base64>AP8/</base64>", "<base64>\nAP\r\n8/ </base64>"] {
        check(bytes, ByteBuf::from(b"\x00\xff?"));
        check(bytes, b"\x00\xff?".to_vec());
    }
    let list = "<array><data><value><int>0</int></value><value><i4>255</i4></value></data></array>";
    check(list, ByteBuf::from(b"\x00\xff"));
    check(list, b"\x00\xff".to_vec());
    check("<base64/>", ByteBuf::new());
    for junk in ["AP8", "AP8*", "A", "===="] {
        refused::<ByteBuf>(
            &format!("<base64>{junk}</base64>"),
            "`<base64>` that holds something else",
        );
    }
}

#[test]
fn dates_are_text() {
    let date = "19980717T14:08:55".to_owned();
    check(
        "<dateTime.iso8601> 19980717T14:08:55\n</dateTime.iso8601>",
        date.clone(),
    );
    check("<ex:dateTime>19980717T14:08:55</ex:dateTime>", date);
}

#[test]
fn arrays_and_tuples_have_as_many_items_as_are_wanted() {
    let two = "<array> <data>\n<value>a</value><value/> </data> </array>";
    check(two, vec!["a".to_owned(), String::new()]);
    check(two, ("a".to_owned(), String::new()));
    check("<array><data/></array>", Vec::<i32>::new());
    check("<array/>", Vec::<i32>::new());
    check("<array></array>", Vec::<i32>::new());
    check("<array><data></data></array>", [0_i32; 0]);
    refused::<(String,)>(two, "too many items");
    refused::<(String, String, String)>(two, "invalid length 2");
    refused::<Vec<i32>>("<array><value/></array>", "expected `<data>`");
}

#[test]
fn an_error_says_where_in_the_value_it_is() {
    let person = |age: &str| {
        format!(
            "<value><struct><member><name>name</name><value>Ada</value></member>\
             <member><name>age</name><value>{age}</value></member></struct></value>"
        )
    };
    let list = |people: &str| format!("<array><data>{people}</data></array>");
    let two = |age: &str| list(&format!("{}{}", person("<int>36</int>"), person(age)));
    #[derive(Debug, serde::Deserialize)]
    struct Named {
        #[allow(dead_code, reason = "only whether it can be read matters")]
        age: u8,
    }
    refused::<Vec<Named>>(
        &two("<int>300</int>"),
        "[1].age: expected u8, found an integer",
    );
    refused::<Vec<Named>>(&two("<weird/>"), "[1].age: `<weird>` is no type");
    refused::<(u8, Vec<Vec<Named>>)>(
        &list(&format!(
            "<value><int>1</int></value><value>{}</value>",
            list(&format!("<value>{}</value>", two("x")))
        )),
        "[1][0][1].age: expected u8, found a string",
    );
    let lacks = list("<value><struct/></value>");
    refused::<Vec<Named>>(&lacks, "[0]: missing field `age`");
    let odd = "a b&lt;".to_owned() + &"c".repeat(40);
    let entry = format!("<struct><member><name>{odd}</name><value/></member></struct>");
    let words = format!("[\"a b<{}…\"]: expected i32", "c".repeat(28));
    refused::<BTreeMap<String, i32>>(&entry, &words);
}

#[test]
fn structs_ignore_what_they_do_not_know_and_do_without_what_is_optional() {
    let member = |name: &str, value: &str| {
        format!("<member>\n<name>{name}</name><value>{value}</value> </member>")
    };
    let x = member("x", "<int>1</int>");
    let unknown = member(
        "z",
        &format!(
            "<struct>{x}{}</struct>",
            member("", "<array><data><value>&lt;</value></data></array>")
        ),
    );
    check(&format!("<struct>{x}</struct>"), Point { x: 1, y: None });
    check(
        &format!("<struct> {unknown}{x}{} </struct>", member("y", "<nil/>")),
        Point { x: 1, y: None },
    );
    refused::<Point>("<struct></struct>", "missing field `x`");
    refused::<Point>("<struct/>", "missing field `x`");
    refused::<Point>(&format!("<struct>{x}{x}</struct>"), "duplicate field `x`");
    check(
        &format!("<struct>{}</struct>", member(" a&amp;\n", "b")),
        BTreeMap::from([(" a&\n".to_owned(), "b".to_owned())]),
    );
    check(
        &format!("<struct>{}</struct>", member("-3", "b")),
        BTreeMap::from([(-3, 'b')]),
    );
    check(
        &format!("<struct>{}</struct>", member("true", "b")),
        BTreeMap::from([(true, 'b')]),
    );
    refused::<BTreeMap<i32, String>>(
        &format!("<struct>{}</struct>", member("b", "")),
        "expected i32",
    );
}

#[test]
fn enums_are_text_or_structs_of_one_member() {
    check("Unit", Form::Unit);
    check(
        "<struct><member><name>Unit</name><value><nil/></value></member></struct>",
        Form::Unit,
    );
    check(
        "<struct><member><name>Newtype</name><value><int>1</int></value></member></struct>",
        Form::Newtype(Some(1)),
    );
    check(
        "<struct><member><name>Newtype</name><value><nil/></value></member></struct>",
        Form::Newtype(None),
    );
    check(
        "<struct><member><name>Struct</name><value><struct><member><name>x</name><value><int>1</int>\
         </value></member></struct></value></member></struct>",
        Form::Struct { x: 1 },
    );
    refused::<Form>("Other", "expected one of `Unit`, `Newtype`, `Struct`");
    refused::<Form>("<int>1</int>", "expected a variant");
    refused::<Form>("<struct/>", "expected a variant");
    refused::<Form>(
        "<struct><member><name>Unit</name><value><nil/></value></member>\
         <member><name>Unit</name><value><nil/></value></member></struct>",
        "expected a variant",
    );
}

#[test]
fn every_element_tells_what_it_is() {
    check("<i8>1</i8>", Anything::Integer(1));
    check("<boolean>1</boolean>", Anything::Bool(true));
    check("<double>1</double>", Anything::Double(1.0));
    check("x", Anything::Text("x".to_owned()));
    check(
        "<base64>/w==</base64>",
        Anything::Bytes(ByteBuf::from([255])),
    );
    check(
        "<array><data><value><struct><member><name>a</name><value/></member></struct></value></data></array>",
        Anything::List(vec![Anything::Struct(BTreeMap::from([(
            "a".to_owned(),
            Anything::Text(String::new()),
        )]))]),
    );
}

#[test]
fn attributes_mean_nothing_but_must_be_few_and_well_formed() {
    let ex = "xmlns:ex='http://ws.apache.org/xmlrpc/namespaces/extensions'";
    check(&format!("<ex:i8 {ex} a = \"&lt;>\" >5</ex:i8>"), 5);
    let many = |count| (0..count).map(|n| format!(" a{n}=''")).collect::<String>();
    check(&format!("<int{}>5</int>", many(16)), 5);
    refused::<i32>(
        &format!("<int{}>5</int>", many(17)),
        "more than 16 attributes",
    );
    for junk in [
        "a", "a=", "a=1", "a='", "a='<'", "a='&x;'", "a=''b=''", "1=''", "/",
    ] {
        assert!(
            read::<i32>(&format!("<int {junk}>5</int>")).is_err(),
            "{junk}"
        );
    }
}

#[test]
fn an_error_says_what_was_expected_and_where_but_not_what_was_sent() {
    let document = b"<value><array><data>\n<value>secret</value>\n</data></array></value>";
    let error = Encoding::Xml.decode::<Vec<i32>>(document).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[0]: expected i32, found a string at line 2 column 8"
    );
    refused::<i32>(
        "<secret\u{202e}>1</secret\u{202e}>",
        "`<secret\\u{202e}>` is no type",
    );
    refused::<IgnoredAny>(
        "<int>1</i4>",
        "expected `</int>`, found `</i4>` at line 1 column",
    );
}
