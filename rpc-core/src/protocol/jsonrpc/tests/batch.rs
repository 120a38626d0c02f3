//! Batches beyond the specification's examples.

use super::{answered, answered_within, refusal};
use crate::limits::Limits;

#[test]
fn a_batch_over_the_limit_is_one_refusal_that_names_it() {
    let limits = Limits {
        batch_members: 2,
        ..Limits::default()
    };
    let reply = answered_within(limits.clone(), b"[1,2,3]").unwrap();
    assert!(reply.contains("more than 2 members (`Limits::batch_members`)"));
    assert!(reply.contains("-32004"));
    assert!(answered_within(limits, b"[1,2]").unwrap().starts_with('['));
}

#[test]
fn one_bad_member_fails_alone_and_the_order_is_kept() {
    let reply = answered(
        r#"[{"jsonrpc":"2.0","method":"panic","id":1},[],
            {"jsonrpc":"2.0","method":"sum","params":[1,2],"id":2}]"#,
    )
    .unwrap();
    let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(reply[0]["error"]["code"], -32603);
    assert_eq!(reply[1]["error"]["code"], -32600);
    assert_eq!(reply[2]["result"], 3);
}

#[test]
fn broken_text_after_the_members_is_a_parse_error() {
    assert_eq!(refusal("[1] 2"), (-32700, "null".to_owned()));
    assert_eq!(refusal("[1,]"), (-32700, "null".to_owned()));
}

#[test]
fn replies_beyond_the_message_limit_are_replaced_one_by_one() {
    let limits = Limits {
        message_bytes: 150,
        ..Limits::default()
    };
    let long = "x".repeat(80);
    let member = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{long}"],"id":1}}"#);
    let batch = format!("[{member},{member}]");
    let reply = answered_within(limits, batch.as_bytes()).unwrap();
    let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(reply[0]["result"], long);
    assert_eq!(reply[1]["error"]["code"], -32004);
}
