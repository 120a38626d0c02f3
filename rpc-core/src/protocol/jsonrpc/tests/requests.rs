//! Single requests: ids, envelopes, parameters, and the two ways of reading them.

use proptest::prelude::*;

use super::{answered, answered_within, refusal};
use crate::limits::Limits;

#[test]
fn ids_come_back_byte_for_byte() {
    let ids = [
        "1",
        "0",
        "-7",
        "1.50",
        "1e3",
        "18446744073709551616",
        "null",
    ]
    .into_iter()
    .chain(
        [r#""""#, r#""a\u0041\n\"}""#, r#""é""#, "00.1"]
            .iter()
            .take(3)
            .copied(),
    );
    for id in ids {
        for request in [
            format!(r#"{{"jsonrpc":"2.0","method":"sum","params":[1,2],"id":{id}}}"#),
            format!(r#"{{"id":{id} ,"params":[1,2],"method":"sum","jsonrpc":"2.0"}}"#),
        ] {
            assert_eq!(
                answered(&request).unwrap(),
                format!(r#"{{"jsonrpc":"2.0","result":3,"id":{id}}}"#)
            );
        }
    }
}

#[test]
fn what_is_no_id_is_refused_without_one() {
    for id in ["[1]", "{}", "true", "false"] {
        let request = format!(r#"{{"jsonrpc":"2.0","method":"sum","params":[1,2],"id":{id}}}"#);
        assert_eq!(refusal(&request), (-32600, "null".to_owned()));
    }
    let leading_zero = r#"{"jsonrpc":"2.0","method":"sum","params":[1,2],"id":01}"#;
    assert_eq!(refusal(leading_zero), (-32700, "null".to_owned()));
}

#[test]
fn broken_text_is_a_parse_error_without_an_id_wherever_it_breaks() {
    for params in [
        "[1,", "[1,2", "[1,x]", "[1 2]", "[1,2]]", "{\"a\":}", "[1,2],", "[\"a]",
    ] {
        let request = format!(r#"{{"jsonrpc":"2.0","method":"sum","params":{params},"id":1}}"#);
        assert_eq!(refusal(&request), (-32700, "null".to_owned()), "{request}");
    }
    for text in ["", "  ", "nonsense", "{", "\u{1}", "{\"a\":1}}"] {
        assert_eq!(refusal(text), (-32700, "null".to_owned()), "{text}");
    }
    let invalid_utf8 = b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\",\"id\":1}";
    let reply = answered_within(Limits::default(), invalid_utf8).unwrap();
    assert!(reply.contains("-32700"), "{reply}");
}

#[test]
fn parameters_that_do_not_fit_are_invalid_params_with_the_id() {
    for params in [
        "[]",
        "[1]",
        "[1,2,3,4]",
        "[1,\"2\"]",
        "[1,2.5]",
        "{\"a\":1}",
        "{\"z\":1}",
        "[1,9223372036854775808]",
        "[1,1e400]",
    ] {
        let request = format!(r#"{{"jsonrpc":"2.0","method":"sum","params":{params},"id":1}}"#);
        assert_eq!(refusal(&request), (-32602, "1".to_owned()), "{request}");
    }
}

#[test]
fn members_behind_the_parameters_are_not_lost_on_the_short_way() {
    let request =
        |more: &str| format!(r#"{{"jsonrpc":"2.0","method":"sum","params":[1,2]{more},"id":1}}"#);
    let expected = r#"{"jsonrpc":"2.0","result":3,"id":1}"#;
    assert_eq!(answered(&request(r#","meta":[{}]"#)).unwrap(), expected);
    assert_eq!(
        answered(&request(r#","meta":{"a":{"id":3}},"z":[]"#)).unwrap(),
        expected
    );
    for (twice, id) in [
        ("params\":[3", "1"),
        ("id\":[3", "null"),
        ("method\":[3", "1"),
    ] {
        let request = request(&format!(",\"{twice}]"));
        assert_eq!(refusal(&request), (-32600, id.to_owned()), "{request}");
    }
    let nested = r#"{"jsonrpc":"2.0","method":"sum","params":{"a":1,"x":{"b":2},"id":1}"#;
    assert_eq!(refusal(nested), (-32700, "null".to_owned()));
}

#[test]
fn valid_json_that_is_no_request_is_an_invalid_request() {
    for text in [
        "1",
        "null",
        "\"x\"",
        "{}",
        r#"{"foo":"boo"}"#,
        r#"{"jsonrpc":"1.0","method":"sum"}"#,
        r#"{"jsonrpc":2.0,"method":"sum"}"#,
        r#"{"jsonrpc":"2.0","method":"sum","params":"bar"}"#,
        r#"{"method":"sum","params":[1,2]}"#,
    ] {
        assert_eq!(refusal(text), (-32600, "null".to_owned()), "{text}");
    }
    let scalar = r#"{"jsonrpc":"2.0","method":"sum","params":7,"id":"q"}"#;
    assert_eq!(refusal(scalar), (-32600, "\"q\"".to_owned()));
}

#[test]
fn escapes_unknown_members_null_params_and_a_byte_order_mark_are_fine() {
    for request in [
        r#"{"jsonrpc":"2.0","method":"su\u006d","params":[1,2],"id":1}"#,
        r#"{"json\u0072pc":"2.0","version":"2.0","method":"sum","params":[1,2],"id":1}"#,
        "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"params\":[1,2],\"id\":1}\r\n",
        r#"{"jsonrpc":"2.0","method":"sum","params":{"a":1,"b":2,"c":null},"id":1}"#,
    ] {
        assert_eq!(
            answered(request).unwrap(),
            r#"{"jsonrpc":"2.0","result":3,"id":1}"#
        );
    }
    let null = r#"{"jsonrpc":"2.0","method":"get_data","params":null,"id":1}"#;
    assert!(answered(null).unwrap().contains("hello"));
}

#[test]
fn requests_in_the_old_form_are_answered_in_it() {
    let request = r#"{"method":"sum","params":[1,2],"id":"x"}"#;
    assert_eq!(
        answered(request).unwrap(),
        r#"{"result":3,"error":null,"id":"x"}"#
    );
    let failing = r#"{"method":"fail","params":[],"id":1}"#;
    assert_eq!(
        answered(failing).unwrap(),
        r#"{"result":null,"error":{"code":7,"message":"out of \"paper\"","data":{"tray":2}},"id":1}"#
    );
    assert_eq!(
        answered(r#"{"method":"sum","params":[1,2],"id":null}"#),
        None
    );
}

#[test]
fn a_panic_is_an_internal_error_of_that_call() {
    let request = r#"{"jsonrpc":"2.0","method":"panic","params":[],"id":1}"#;
    assert_eq!(refusal(request), (-32603, "1".to_owned()));
}

#[test]
fn a_result_over_the_limit_says_which_limit() {
    let limits = Limits {
        message_bytes: 100,
        ..Limits::default()
    };
    let long = "x".repeat(200);
    let request = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{long}"],"id":1}}"#);
    let reply = answered_within(limits, request.as_bytes()).unwrap();
    assert!(reply.contains("-32004") && reply.contains("Limits::message_bytes"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        answered_within(Limits::default(), &bytes);
    }

    #[test]
    fn anything_in_place_of_the_parameters_reads_alike_on_both_ways(
        params in r#"[\[\]{}",:a-e0-9. "id]{0,24}"#,
    ) {
        let short = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":[{params}],"id":1}}"#);
        // The space keeps it from the short way.
        let long = format!(r#"{{ "jsonrpc":"2.0","method":"echo","params":[{params}],"id":1}}"#);
        let code = |reply: Option<String>| {
            let reply: serde_json::Value = serde_json::from_str(&reply.unwrap()).unwrap();
            (reply["id"].clone(), reply["error"]["code"].clone(), reply["result"].clone())
        };
        prop_assert_eq!(code(answered(&short)), code(answered(&long)));
    }

    #[test]
    fn the_order_of_members_does_not_matter(
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
        a in any::<i32>(),
        b in any::<i32>(),
    ) {
        let params = format!(r#""params":[{a},{b}]"#);
        let members = [r#""jsonrpc":"2.0""#, r#""method":"sum""#, &params, r#""id":7"#];
        let shuffled: Vec<_> = order.into_iter().map(|at| members[at]).collect();
        let sum = i64::from(a) + i64::from(b);
        prop_assert_eq!(
            answered(&format!("{{{}}}", shuffled.join(","))).unwrap(),
            format!(r#"{{"jsonrpc":"2.0","result":{sum},"id":7}}"#)
        );
    }
}
