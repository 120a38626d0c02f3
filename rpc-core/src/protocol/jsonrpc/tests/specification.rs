//! Section 7 of the specification, to the letter but for the words of the messages.

use serde_json::Value;

use super::answered;

#[track_caller]
fn check(request: &str, expected: &str) {
    let Some(reply) = answered(request) else {
        assert_eq!(expected, "", "no answer to {request}");
        return;
    };
    let mut reply: Value = serde_json::from_str(&reply).unwrap();
    let expected: Value = serde_json::from_str(expected).unwrap();
    forget_messages(&mut reply);
    assert_eq!(reply, expected, "to {request}");
}

fn forget_messages(value: &mut Value) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(forget_messages),
        Value::Object(members) => {
            if let Some(Value::Object(error)) = members.get_mut("error") {
                assert!(error.remove("message").is_some_and(|m| m.is_string()));
            }
        }
        _ => {}
    }
}

const NOT_FOUND: &str = r#"{"jsonrpc":"2.0","error":{"code":-32601},"id":"1"}"#;
const BROKEN: &str = r#"{"jsonrpc":"2.0","error":{"code":-32700},"id":null}"#;
const INVALID: &str = r#"{"jsonrpc":"2.0","error":{"code":-32600},"id":null}"#;

#[test]
fn every_example_of_section_7_is_answered_as_written_there() {
    for (request, expected) in [
        (
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
            r#"{"jsonrpc":"2.0","result":19,"id":1}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#,
            r#"{"jsonrpc":"2.0","result":-19,"id":2}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
            r#"{"jsonrpc":"2.0","result":19,"id":3}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
            r#"{"jsonrpc":"2.0","result":19,"id":4}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#,
            "",
        ),
        (r#"{"jsonrpc": "2.0", "method": "foobar"}"#, ""),
        (
            r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
            NOT_FOUND,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
            BROKEN,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#,
            INVALID,
        ),
        (
            r#"[
                {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
                {"jsonrpc": "2.0", "method"
            ]"#,
            BROKEN,
        ),
        ("[]", INVALID),
        ("[1]", &format!("[{INVALID}]")),
        ("[1,2,3]", &format!("[{INVALID},{INVALID},{INVALID}]")),
        (
            r#"[
                {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
                {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
                {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
                {"foo": "boo"},
                {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
                {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
            ]"#,
            r#"[
                {"jsonrpc": "2.0", "result": 7, "id": "1"},
                {"jsonrpc": "2.0", "result": 19, "id": "2"},
                {"jsonrpc": "2.0", "error": {"code": -32600}, "id": null},
                {"jsonrpc": "2.0", "error": {"code": -32601}, "id": "5"},
                {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
            ]"#,
        ),
        (
            r#"[
                {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
                {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
            ]"#,
            "",
        ),
    ] {
        check(request, expected);
    }
}
