//! XML-RPC documents, literally: what comes in, and what goes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use farcall_core::codec::xml;
use farcall_core::context::{Caller, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::fault::{Fault, code};
use farcall_core::limits::{Budget, Limits};
use farcall_core::method::{Method, Param};
use farcall_core::params::{Blob, required};
use farcall_core::payload::Payload;
use farcall_core::protocol::xmlrpc::{answer, read_reply};
use farcall_core::router::Router;
use farcall_core::service::{Reply, Request, Service};
use futures_util::FutureExt;
use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Clone)]
struct Calc;

impl Service for Calc {
    const METHODS: &'static [Method] = &[
        Method::new("add", "Adds.")
            .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
            .returns::<i64>(),
        Method::new("echo", "")
            .takes(&[Param::required::<String>("s")])
            .returns::<String>(),
        Method::new("fail", ""),
        Method::new("size", "")
            .takes(&[Param::required::<Vec<u8>>("data")])
            .returns::<u64>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        async move {
            match request.index() {
                0 => {
                    let (x, y) = request.params::<(i64, i64)>((required, required))?;
                    request.reply(&(x + y))
                }
                1 => {
                    let (s,) = request.params::<(String,)>((required,))?;
                    request.reply(&s)
                }
                2 => Err(Fault::new(7, "it <failed> & broke")),
                3 => {
                    let (data,) = request.params::<(Blob<'_>,)>((required,))?;
                    let size = data.len() as u64;
                    request.reply(&size)
                }
                _ => Err(request.unknown_method()),
            }
        }
    }
}

fn answered(body: impl AsRef<[u8]>) -> String {
    let router = Router::builder().service(Calc).build().unwrap();
    let peer = Peer::new("http", Encoding::Xml, None, Limits::default());
    let body = Payload::copied_from(body.as_ref());
    let reply = answer(&router, Caller::new(Arc::new(peer)), body)
        .now_or_never()
        .unwrap();
    String::from_utf8(reply).unwrap()
}

fn call(method: &str, params: &[&str]) -> String {
    let params: String = params
        .iter()
        .map(|value| format!("<param>{value}</param>"))
        .collect();
    format!(
        "<?xml version='1.0'?>\n<methodCall><methodName>{method}</methodName>\
         <params>{params}</params></methodCall>"
    )
}

fn echoed(value: &str) -> Result<String, i32> {
    let reply = read_reply(Payload::copied_from(
        answered(call("echo", &[value])).as_bytes(),
    ));
    match reply {
        Ok(inbound) => Ok(inbound.decode(Budget::default()).unwrap()),
        Err(failure) => Err(failure.fault().unwrap().code),
    }
}

fn fault_code(body: impl AsRef<[u8]>) -> i32 {
    let reply = read_reply(Payload::copied_from(answered(body).as_bytes()));
    reply.unwrap_err().fault().expect("a fault").code
}

#[test]
fn a_call_is_answered_and_a_fault_has_two_members_the_code_first() {
    assert_eq!(
        answered(call(
            "add",
            &["<value><int>7</int></value>", "<value><i4>3</i4></value>"]
        )),
        "<?xml version=\"1.0\"?>\n<methodResponse><params><param><value><int>10</int></value>\
         </param></params></methodResponse>\n"
    );
    assert_eq!(
        answered(call("fail", &[])),
        "<?xml version=\"1.0\"?>\n<methodResponse><fault><value><struct>\
         <member><name>faultCode</name><value><int>7</int></value></member>\
         <member><name>faultString</name><value><string>it &lt;failed&gt; &amp; broke</string>\
         </value></member></struct></value></fault></methodResponse>\n"
    );
}

#[test]
fn strings_are_read_in_every_spelling() {
    for (value, text) in [
        ("<value>bare</value>", "bare"),
        ("<value>  a  </value>", "  a  "),
        ("<value/>", ""),
        ("<value></value>", ""),
        ("<value><string/></value>", ""),
        ("<value>\n <string>x</string>\n</value>", "x"),
        (
            "<value><string>a&lt;b&#65;&#x42;&quot;&apos;&amp;&gt;</string></value>",
            "a<bAB\"'&>",
        ),
        (
            "<value><string>a<![CDATA[<b>&]]>c<!-- no -->d<?pi?>e</string></value>",
            "a<b>&cde",
        ),
        (
            "<value><string><![CDATA[]]]]><![CDATA[>]]></string></value>",
            "]]>",
        ),
        (
            "<value><string>a\r\nb\rc&#13;d</string></value>",
            "a\nb\nc\rd",
        ),
        ("<value><string attr='x'>y</string></value>", "y"),
    ] {
        assert_eq!(echoed(value).as_deref(), Ok(text), "{value}");
    }
}

#[test]
fn integers_are_read_in_every_spelling_and_none_is_rounded() {
    for (x, sum) in [
        ("<int>1</int>", Ok("2")),
        ("<i4>+1</i4>", Ok("2")),
        ("<i8> 007 </i8>", Ok("8")),
        ("<ex:i8>4294967296</ex:i8>", Ok("4294967297")),
        ("<double>2.0</double>", Ok("3")),
        ("<string>9007199254740993</string>", Ok("9007199254740994")),
        ("<double>2.5</double>", Err(code::INVALID_PARAMS)),
        ("<int>9223372036854775808</int>", Err(code::INVALID_PARAMS)),
        ("<boolean>1</boolean>", Err(code::INVALID_PARAMS)),
        ("<nil/>", Err(code::INVALID_PARAMS)),
    ] {
        let body = call(
            "add",
            &[
                &format!("<value>{x}</value>"),
                "<value><int>1</int></value>",
            ],
        );
        match sum {
            Ok(sum) => assert!(answered(&body).contains(&format!(">{sum}<")), "{x}"),
            Err(code) => assert_eq!(fault_code(&body), code, "{x}"),
        }
    }
}

#[test]
fn what_is_wrong_has_its_standard_code() {
    let one = "<value><int>1</int></value>";
    for (body, expected) in [
        ("not xml".to_owned(), code::PARSE_ERROR),
        (String::new(), code::PARSE_ERROR),
        ("<methodCall><methodName>add".to_owned(), code::PARSE_ERROR),
        ("<other/>".to_owned(), code::INVALID_REQUEST),
        (
            "<!DOCTYPE x [<!ENTITY a 'b'>]><methodCall/>".to_owned(),
            code::PARSE_ERROR,
        ),
        (call("nobody", &[]), code::METHOD_NOT_FOUND),
        (call("add", &[one]), code::INVALID_PARAMS),
        (call("add", &[one, one, one]), code::INVALID_PARAMS),
        (
            call("add", &[one, "<value>x</value>"]),
            code::INVALID_PARAMS,
        ),
        (
            call("add", &[one, "<value><int>1</value>"]),
            code::PARSE_ERROR,
        ),
        (call("echo", &["<value>&bomb;</value>"]), code::PARSE_ERROR),
        (call("echo", &["<value>]]></value>"]), code::PARSE_ERROR),
        (call("echo", &["<value>&#1;</value>"]), code::PARSE_ERROR),
        (
            call("echo", &["<value>\u{1}</value>"]),
            code::INVALID_CHARACTER,
        ),
    ] {
        assert_eq!(fault_code(&body), expected, "{body}");
    }
    assert_eq!(fault_code(b"<methodCall>\xff"), code::INVALID_CHARACTER);
}

#[test]
fn a_complaint_names_the_method_the_parameter_and_the_place() {
    let two = ["<value><int>1</int></value>", "<value>x</value>"];
    let answer = answered(call("add", &two));
    for word in ["`add`", "`y`", "line 1"] {
        assert!(answer.contains(word), "{word} in {answer}");
    }
    assert!(answered(call("no<b>", &[])).contains("fault"));
}

#[test]
fn declared_encodings_are_read() {
    let document = |encoding: &str, text: &[u8]| {
        let mut body = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>").into_bytes();
        body.extend_from_slice(b"<methodCall><methodName>echo</methodName><params><param><value>");
        body.extend_from_slice(text);
        body.extend_from_slice(b"</value></param></params></methodCall>");
        body
    };
    for encoding in ["UTF-8", "utf-8"] {
        assert!(answered(document(encoding, "ü".as_bytes())).contains('ü'));
    }
    assert!(answered(document("iso-8859-1", b"\xfc")).contains('ü'));
    assert!(answered(document("ASCII", b"&#252;")).contains('ü'));
    assert_eq!(
        fault_code(document("us-ascii", b"\xfc")),
        code::INVALID_CHARACTER
    );
    assert_eq!(
        fault_code(document("EBCDIC", b"x")),
        code::UNSUPPORTED_ENCODING
    );
    let plain = String::from_utf8(document("UTF-16", "ü".as_bytes())).unwrap();
    for (mark, bytes) in [
        (
            [0xff, 0xfe],
            plain
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
        ),
        (
            [0xfe, 0xff],
            plain.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
    ] {
        let marked: Vec<u8> = mark.into_iter().chain(bytes).collect();
        assert!(answered(marked).contains('ü'));
    }
    let marked: Vec<u8> = b"\xef\xbb\xbf"
        .iter()
        .copied()
        .chain(document("utf-8", b"x"))
        .collect();
    assert!(answered(marked).contains(">x<"));
}

#[test]
fn multicall_answers_in_order_and_a_bad_member_fails_alone() {
    let member = |name: &str, params: &str| {
        format!(
            "<value><struct><member><name>methodName</name><value>{name}</value></member>\
             <member><name>params</name><value><array><data>{params}</data></array></value>\
             </member></struct></value>"
        )
    };
    let two = "<value><int>1</int></value><value><int>2</int></value>";
    let members = [
        member("add", two),
        member("nobody", ""),
        "<value><int>5</int></value>".to_owned(),
        member("system.multicall", ""),
        member("add", ""),
        member("echo", "<value>x</value>"),
    ];
    let list = format!(
        "<value><array><data>{}</data></array></value>",
        members.concat()
    );
    let answer = answered(call("system.multicall", &[&list]));
    let codes: Vec<_> = answer
        .match_indices("faultCode</name><value><int>")
        .collect();
    assert_eq!(codes.len(), 4, "{answer}");
    let first = answer.find("<int>3</int>").unwrap();
    let last = answer.find("<string>x</string>").unwrap();
    assert!(first < codes[0].0 && codes[3].0 < last, "{answer}");
    let empty = "<value><array><data/></array></value>";
    assert!(answered(call("system.multicall", &[empty])).contains("<array><data></data></array>"));
}

#[test]
fn deep_nesting_and_large_counts_are_refused() {
    let deep = format!(
        "{}{}",
        "<value><array><data>".repeat(100_000),
        "</data></array></value>".repeat(100_000)
    );
    assert_eq!(fault_code(call("echo", &[&deep])), code::INVALID_PARAMS);
    let budget = Budget {
        items: 10,
        ..Budget::default()
    };
    let many = format!(
        "<value><array><data>{}</data></array></value>",
        "<value/>".repeat(11)
    );
    let seed = std::marker::PhantomData::<Vec<String>>;
    assert!(xml::decode(seed, many.as_bytes(), budget).is_err());
}

#[test]
fn replies_of_other_servers_are_read() {
    let reply = |body: &str| read_reply(Payload::copied_from(body.as_bytes()));
    let value = |body: &str| {
        reply(body)
            .unwrap()
            .decode::<i64>(Budget::default())
            .unwrap()
    };
    assert_eq!(
        value(
            "<?xml version='1.0' encoding='ASCII'?>\n<methodResponse>\n<params>\n<param>\n\
             <value><i4>5</i4></value>\n</param>\n</params>\n</methodResponse>\n"
        ),
        5
    );
    let nothing = reply("<methodResponse><params/></methodResponse>").unwrap();
    assert_eq!(
        nothing.decode::<Option<i32>>(Budget::default()).unwrap(),
        None
    );
    let fault = reply(
        "<methodResponse><fault><value><struct><member><name>faultString</name><value>x</value>\
         </member><member><name>extra</name><value><nil/></value></member><member><name>faultCode\
         </name><value><string>12</string></value></member></struct></value></fault>\
         </methodResponse>",
    );
    assert!(
        fault
            .unwrap_err()
            .fault()
            .is_some_and(|fault| fault.message == "x")
    );
    assert!(reply("<html>404</html>").unwrap_err().fault().is_none());
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    small: (i8, u16, i32),
    large: i64,
    float: f64,
    single: f32,
    flag: bool,
    letter: char,
    text: String,
    maybe: Option<String>,
    list: Vec<Option<i32>>,
    map: BTreeMap<i32, Kind>,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    unit: (),
    wrapped: Wrapped,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(u32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Unit,
    New(i64),
    Tuple(bool, String),
    Struct { a: u8, b: Option<f64> },
}

/// Text without the characters that XML cannot carry.
fn text() -> impl Strategy<Value = String> {
    "[ \t\n\r -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,12}"
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unit),
        any::<i64>().prop_map(Kind::New),
        (any::<bool>(), text()).prop_map(|(flag, text)| Kind::Tuple(flag, text)),
        (any::<u8>(), proptest::option::of(-1e300..1e300)).prop_map(|(a, b)| Kind::Struct { a, b }),
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    let first = (
        any::<(i8, u16, i32)>(),
        any::<i64>(),
        -1e300..1e300_f64,
        -1e30..1e30_f32,
    );
    let second = (
        any::<bool>(),
        proptest::char::range(' ', 'ÿ'),
        text(),
        proptest::option::of(text()),
    );
    let third = (
        proptest::collection::vec(any::<Option<i32>>(), 0..5),
        proptest::collection::btree_map(any::<i32>(), kind(), 0..4),
        proptest::collection::vec(any::<u8>(), 0..40),
        any::<u32>(),
    );
    (first, second, third).prop_map(|(first, second, third)| {
        let (small, large, float, single) = first;
        let (flag, letter, text, maybe) = second;
        let (list, map, bytes, wrapped) = third;
        let (unit, wrapped) = ((), Wrapped(wrapped));
        Everything {
            small,
            large,
            float,
            single,
            flag,
            letter,
            text,
            maybe,
            list,
            map,
            bytes,
            unit,
            wrapped,
        }
    })
}

fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let mut bytes = Vec::new();
    xml::encode(value, &mut bytes).unwrap();
    let decoded = xml::decode(std::marker::PhantomData, &bytes, Budget::default());
    decoded.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)))
}

proptest! {
    #[test]
    fn every_value_survives(value in everything()) {
        prop_assert_eq!(round_trip(&value), value);
    }

    #[test]
    fn any_string_survives_or_is_refused(text in any::<String>()) {
        let mut bytes = Vec::new();
        if xml::encode(&text, &mut bytes).is_ok() {
            prop_assert_eq!(round_trip(&text), text);
        }
    }

    #[test]
    fn no_bytes_are_left_without_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(answered(bytes).contains("methodResponse"));
    }

    #[test]
    fn a_broken_document_is_never_misread(at in 0..1000_usize, byte in any::<u8>()) {
        let mut body = call("add", &["<value><int>7</int></value>", "<value><i4>3</i4></value>"])
            .into_bytes();
        let at = at % body.len();
        body[at] = byte;
        prop_assert!(answered(body).contains("methodResponse"));
    }
}

#[test]
fn what_xml_cannot_carry_is_refused_with_the_reason() {
    let refused = |error: farcall_core::error::EncodeError| error.to_string();
    let encode = |value: &dyn Fn(&mut Vec<u8>) -> Result<(), farcall_core::error::EncodeError>| {
        refused(value(&mut Vec::new()).unwrap_err())
    };
    assert!(
        encode(&|out| xml::encode(&f64::NAN, out))
            .to_lowercase()
            .contains("nan")
    );
    assert!(encode(&|out| xml::encode("\u{1}", out)).contains("U+0001"));
    assert!(!encode(&|out| xml::encode(&u64::MAX, out)).is_empty());
    assert!(!encode(&|out| xml::encode(&BTreeMap::from([((1, 2), 3)]), out)).is_empty());
}
