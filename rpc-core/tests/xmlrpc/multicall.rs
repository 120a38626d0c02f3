//! `system.multicall`: many calls in one, each answered by itself.

use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;

use crate::service::{answer, answer_to, call, check_fault, result};

const ADD: &str = "<value><struct><member><name>methodName</name><value>add</value></member>\
                   <member><name>params</name><value><array><data><value><int>7</int></value>\
                   <value><int>3</int></value></data></array></value></member></struct></value>";
const SUM: &str = "<value><array><data><value><int>10</int></value></data></array></value>";

fn members(members: &str) -> String {
    let list = format!("<param><value><array><data>{members}</data></array></value></param>");
    call("system.multicall", &list)
}

fn named(name: &str, more: &str) -> String {
    format!(
        "<value><struct><member><name>methodName</name><value>{name}</value></member>{more}</struct></value>"
    )
}

/// What comes back where the members are answered like this.
fn list(outcomes: &str) -> String {
    result(&format!("<array><data>{outcomes}</data></array>"))
}

#[test]
fn the_answers_come_in_the_order_of_the_calls() {
    let echo = named(
        "echo",
        "<member><name>extra</name><value>1</value></member>",
    );
    let nil = "<value><array><data><value><nil/></value></data></array></value>";
    assert_eq!(
        answer(members(&format!("{ADD}\n{echo}{ADD}"))),
        list(&format!("{SUM}{nil}{SUM}"))
    );
    assert_eq!(answer(members("")), list(""));
}

#[test]
fn a_bad_member_fails_alone() {
    let bad = [
        ("<value>add</value>".to_owned(), -32600, "no struct"),
        ("<value><struct/></value>".to_owned(), -32600, "no struct"),
        (named("sub", ""), -32601, "there is no method `sub`"),
        (named("add", ""), -32602, "parameter `x` is missing"),
        (
            named(
                "add",
                "<member><name>params</name><value>7</value></member>",
            ),
            -32602,
            "add",
        ),
        (
            named("system.multicall", ""),
            -32600,
            "may not hold another",
        ),
        (named("fail", ""), 7, "out of"),
        (named("panic", ""), -32603, "the handler failed"),
    ];
    for (member, code, words) in bad {
        let document = answer(members(&format!("{ADD}{member}{ADD}")));
        let fault = format!("<int>{code}</int>");
        let between = document
            .split(SUM)
            .nth(1)
            .unwrap_or_else(|| panic!("{member}: {document}"));
        assert!(
            between.starts_with("<value><struct><member><name>faultCode</name>"),
            "{document}"
        );
        assert!(
            between.contains(&fault) && between.contains(words),
            "{member}: {document}"
        );
        assert_eq!(document.matches(SUM).count(), 2, "{document}");
    }
}

#[test]
fn without_a_list_of_calls_nothing_runs() {
    for params in [
        "",
        "<param><value>add</value></param>",
        "<param><value><struct/></value></param>",
    ] {
        check_fault(call("system.multicall", params), -32602, "system.multicall");
    }
    let two = "<param><value><array><data/></array></value></param>".repeat(2);
    check_fault(call("system.multicall", &two), -32602, "system.multicall");
    check_fault(members("<value>&bad;</value>"), -32700, "system.multicall");
}

#[test]
fn there_may_be_only_so_many() {
    let mut limits = Limits::default();
    limits.batch_members = 2;
    limits.batch_parallel = 1;
    let peer = || Peer::new("http", Encoding::Xml, None, limits.clone());
    assert_eq!(
        answer_to(peer(), members(&ADD.repeat(2)).as_bytes()),
        list(&SUM.repeat(2))
    );
    let document = answer_to(peer(), members(&ADD.repeat(3)).as_bytes());
    assert!(document.contains("<int>-32004</int>"), "{document}");
    assert!(
        document.contains("the limit is 2 (`Limits::batch_members`)"),
        "{document}"
    );
}

#[test]
fn answers_that_are_too_large_together_are_not_gathered() {
    let mut limits = Limits::default();
    limits.message_bytes = 200;
    let peer = Peer::new("http", Encoding::Xml, None, limits);
    let document = answer_to(peer, members(&ADD.repeat(9)).as_bytes());
    assert!(document.contains("<int>-32004</int>"), "{document}");
    assert!(
        document.contains("the limit is 200 (`Limits::message_bytes`)"),
        "{document}"
    );
}

#[cfg(feature = "json")]
#[test]
fn the_same_in_json() {
    use std::sync::Arc;

    use crate::service::{peer, router};
    use farcall_core::context::Caller;
    use farcall_core::payload::Payload;
    use farcall_core::protocol::jsonrpc;
    use futures_util::FutureExt;

    let calls = r#"[{"methodName":"add","params":[7,3]},{"methodName":"add","params":{"x":1,"y":2}},
        {"methodName":"echo"},{"methodName":"sub"},7,{"methodName":"system.multicall","params":[[]]}]"#;
    let expected = concat!(
        r#"[[10],[3],[null],{"faultCode":-32601,"faultString":"there is no method `sub`"},"#,
        r#"{"faultCode":-32600,"faultString":"a member is no struct of methodName and params"},"#,
        r#"{"faultCode":-32600,"faultString":"a multicall may not hold another"}]"#,
    );
    for body in [
        format!(r#"{{"jsonrpc":"2.0","method":"system.multicall","params":[{calls}],"id":1}}"#),
        format!(
            r#"{{"params":{{"calls":{calls}}},"method":"system.multicall","id":1,"jsonrpc":"2.0"}}"#
        ),
        format!(
            r#"{{"jsonrpc":"2.0","method":"system.multicall","params":[{calls}],"x":[2],"id":1}}"#
        ),
        format!(
            r#"{{"jsonrpc":"2.0","method":"system.multicall","params":[{calls}],"id":1,"x":{{}}}}"#
        ),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"system.multicall","params":[{calls}],"x":[2]}}"#
        ),
    ] {
        let caller = Caller::new(Arc::new(peer(Encoding::Json)));
        let reply = jsonrpc::answer(&router(), caller, Payload::copied_from(body.as_bytes()));
        let reply = String::from_utf8(reply.now_or_never().unwrap().unwrap()).unwrap();
        assert_eq!(
            reply,
            format!(r#"{{"jsonrpc":"2.0","result":{expected},"id":1}}"#),
            "{body}"
        );
    }
}
