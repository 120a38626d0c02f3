//! What nobody sends by accident: too deep, too much, or no XML at all. An error, never a panic,
//! and in time.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use farcall_core::codec::xml;
use farcall_core::encoding::Encoding;
use farcall_core::error::DecodeError;
use farcall_core::limits::Budget;
use farcall_core::payload::Payload;
use farcall_core::protocol::xmlrpc::read_reply;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::service::{answer, call};

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only whether it can be read matters")]
struct Tree {
    name: Option<String>,
    branches: Vec<Self>,
}

#[derive(Debug, Deserialize)]
struct Endless(#[allow(dead_code, reason = "it cannot be read")] Option<Box<Self>>);

#[derive(Debug, Default, PartialEq)]
struct List(Vec<Self>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}

fn decode<'de, T: Deserialize<'de>>(document: &'de str, budget: Budget) -> Result<T, DecodeError> {
    xml::decode(PhantomData, document.as_bytes(), budget)
}

fn nested(depth: usize) -> String {
    let open = "<value><array><data>".repeat(depth);
    let close = "</data></array></value>".repeat(depth);
    format!("{open}{close}")
}

fn nested_structs(depth: usize) -> String {
    let open = "<value><struct><member><name>a</name>".repeat(depth);
    let close = "</member></struct></value>".repeat(depth);
    format!("{open}<value/>{close}")
}

#[track_caller]
fn check_limit<T: std::fmt::Debug>(result: Result<T, DecodeError>, limit: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(limit), "{error}");
}

#[test]
fn values_nest_as_deep_as_the_budget_says() {
    let budget = Budget::default();
    let depth = usize::from(budget.depth);
    decode::<List>(&nested(depth), budget).unwrap();
    decode::<IgnoredAny>(&nested(depth), budget).unwrap();
    decode::<IgnoredAny>(&nested_structs(depth), budget).unwrap();
    for too_deep in [depth + 1, 100_000] {
        check_limit(
            decode::<List>(&nested(too_deep), budget),
            "64 (`Limits::depth`)",
        );
        check_limit(
            decode::<IgnoredAny>(&nested(too_deep), budget),
            "`Limits::depth`",
        );
        check_limit(
            decode::<IgnoredAny>(&nested_structs(too_deep), budget),
            "`Limits::depth`",
        );
    }
    // Deeper than any stack: in the list of calls no call, in parameters a fault of the limit.
    let param = format!("<param>{}</param>", nested(100_000));
    let document = answer(call("system.multicall", &param));
    assert!(document.contains("a member is no struct"), "{document}");
    let side_by_side = format!(
        "<value><array><data>{}</data></array></value>",
        nested(2).repeat(100)
    );
    decode::<List>(&side_by_side, budget).unwrap();
}

#[test]
fn items_and_members_are_counted_wherever_they_are() {
    let budget = Budget {
        items: 4,
        ..Budget::default()
    };
    let list = |count| {
        format!(
            "<value><array><data>{}</data></array></value>",
            "<value/>".repeat(count)
        )
    };
    decode::<Vec<String>>(&list(4), budget).unwrap();
    check_limit(
        decode::<Vec<String>>(&list(5), budget),
        "more than 4 items (`Limits::items`)",
    );
    check_limit(decode::<IgnoredAny>(&list(5), budget), "`Limits::items`");
    let member = |name: &str, value: &str| format!("<member><name>{name}</name>{value}</member>");
    let members = |inner: &str| {
        format!(
            "<value><struct>{}{}</struct></value>",
            member("a", inner),
            member("b", "<value/>")
        )
    };
    decode::<IgnoredAny>(&members(&list(2)), budget).unwrap();
    check_limit(
        decode::<IgnoredAny>(&members(&list(3)), budget),
        "`Limits::items`",
    );
    check_limit(
        decode::<BTreeMap<String, IgnoredAny>>(&members(&list(3)), budget),
        "`Limits::items`",
    );
}

#[test]
fn a_type_that_wraps_itself_without_end_is_an_error() {
    let error = Encoding::Xml
        .decode::<Endless>(b"<value><int>1</int></value>")
        .unwrap_err();
    assert!(error.to_string().contains("around each other"), "{error}");
}

#[test]
fn long_runs_of_anything_are_read_in_linear_time() {
    let size = 1 << 18;
    let start = Instant::now();
    for unit in [
        "<",
        ">",
        "&",
        "&amp;",
        "&#",
        "]]>",
        "]]",
        "\r",
        "<!--",
        "<!-- -->",
        "<![CDATA[",
        "<![CDATA[]]>",
        "<?",
        "<?a?>",
        "<a ",
        "<value>",
        "<value><!-- -->",
        " a=''",
        "</",
        "<value/>",
        "<int>",
        "é",
        "0",
    ] {
        let run = unit.repeat(size / unit.len());
        for document in [
            run.clone(),
            format!("<value>{run}</value>"),
            format!("<value><string>{run}</string></value>"),
            format!("<value><int>{run}</int></value>"),
            format!("<value><double>{run}</double></value>"),
            format!("<value><base64>{run}</base64></value>"),
            format!("<value><int {run}>1</int></value>"),
            format!("<value><array><data>{run}</data></array></value>"),
        ] {
            let _ = Encoding::Xml.decode::<IgnoredAny>(document.as_bytes());
            let _ = Encoding::Xml.decode::<u128>(document.as_bytes());
        }
        answer(call("echo", &run));
    }
    // Some 400 documents; were one of them quadratic, it would show.
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

const VALID: &str = "<?xml version='1.0'?><methodCall><methodName>system.multicall</methodName>\
    <params><param><value><array><data><value><struct><member><name>methodName</name><value>add\
    </value></member><member><name>params</name><value><array><data><value><int>7</int></value>\
    <value><double>3.0</double></value></data></array></value></member><member><name>x</name>\
    <value><struct><member><name>&lt;</name><value><base64>AP8/</base64></value></member>\
    <member><name>branches</name><value><string>a<![CDATA[b]]>&#233;é</string></value></member>\
    </struct></value></member></struct></value></data></array></value></param></params></methodCall>";

fn survives(bytes: &[u8]) {
    let _ = Encoding::Xml.decode::<Tree>(bytes);
    let _ = Encoding::Xml.decode::<Vec<(i8, f64, bool)>>(bytes);
    let _ = Encoding::Xml.decode::<BTreeMap<u8, IgnoredAny>>(bytes);
    let _ = Encoding::Xml.decode::<serde_bytes::ByteBuf>(bytes);
    let _ = read_reply(Payload::copied_from(bytes), Budget::default());
    let document = answer(bytes);
    assert!(document.starts_with("<?xml version=\"1.0\"?>\n<methodResponse>"));
    match read_reply(Payload::copied_from(document.as_bytes()), Budget::default()) {
        Ok(inbound) => drop(inbound.decode::<IgnoredAny>(Budget::default()).unwrap()),
        Err(failure) => assert!(failure.fault().is_some(), "{document}: {failure}"),
    }
}

/// Pieces that go together, so that more of it gets far.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "<value>", "</value>", "<value/>", "<array>", "</array>", "<data>", "</data>", "<data/>",
            "<struct>", "</struct>", "<member>", "</member>", "<name>", "</name>", "<int>", "</int>",
            "<nil/>", "<base64>", "</base64>", "<params>", "<param>", "<methodCall>", "<!--", "-->",
            "<![CDATA[", "]]>", "<?", "?>", "&amp;", "&#", ";", "\r\n", "1", "a", " ", "é", "'", "=",
        ])
        .prop_map(str::to_owned),
        1 => ".{0,3}",
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(bytes in vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn arbitrary_pieces_of_documents_are_answered(text in pieces()) {
        survives(text.as_bytes());
        survives(format!("<value>{text}</value>").as_bytes());
        survives(call("echo", &text).as_bytes());
    }

    #[test]
    fn documents_with_something_cut_or_changed_are_answered(
        at in 0..VALID.len(), len in 0..20_usize, with in vec(any::<u8>(), 0..4),
    ) {
        let mut bytes = VALID.as_bytes().to_vec();
        bytes.splice(at..(at + len).min(VALID.len()), with);
        survives(&bytes);
    }
}

#[test]
fn a_document_cut_anywhere_is_a_fault() {
    for end in 0..VALID.len() {
        let document = answer(VALID.as_bytes().get(..end).unwrap());
        assert!(document.contains("<fault>"), "cut at {end}: {document}");
    }
    assert!(!answer(VALID).contains("<fault>"));
}
