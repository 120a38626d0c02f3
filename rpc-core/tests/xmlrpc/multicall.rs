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

fn add_of(first: &str) -> String {
    let rest = "<value><int>3</int></value>";
    named(
        "add",
        &format!(
            "<member><name>params</name><value><array><data>{first}{rest}</data></array></value></member>"
        ),
    )
}

#[test]
fn whatever_a_well_formed_member_holds_it_fails_alone() {
    let deep = "<value><array><data>".repeat(100_000) + &"</data></array></value>".repeat(100_000);
    let name = |value: &str| {
        format!("<value><struct><member><name>methodName</name>{value}</member></struct></value>")
    };
    for (member, code, words) in [
        (
            add_of("<value><weird>2</weird></value>"),
            -32602,
            "parameter `x`: `&lt;weird&gt;` is no type",
        ),
        (add_of(&deep), -32602, "parameter `x`"),
        (add_of("<value><int/><int/></value>"), -32602, "parameter"),
        (add_of("<odd/>"), -32602, "expected `&lt;value&gt;`"),
        (
            named("add", "<member><name>params</name><x/></member>"),
            -32602,
            "add",
        ),
        (
            named("add", "<member><name>params</name></member>"),
            -32600,
            "no struct",
        ),
        (
            name("<value><weird>add</weird></value>"),
            -32600,
            "no struct",
        ),
        (name("<value><struct/></value>"), -32600, "no struct"),
        ("<value><weird/></value>".to_owned(), -32600, "no struct"),
        ("<odd><value/></odd>".to_owned(), -32600, "no struct"),
        (deep.clone(), -32600, "no struct"),
    ] {
        let document = answer(members(&format!("{ADD}{member}{ADD}")));
        assert_eq!(document.matches(SUM).count(), 2, "{document}");
        let fault = format!("<int>{code}</int>");
        assert!(document.contains(&fault), "{document}");
        assert!(document.contains(words), "{document}");
    }
    // What nobody reads need not be a value.
    let extra = "<member><name>extra</name><value><weird/></value></member>";
    let echo = named("echo", extra);
    let nil = "<value><array><data><value><nil/></value></data></array></value>";
    assert_eq!(answer(members(&echo)), list(nil));
}

#[test]
fn what_is_not_well_formed_in_a_member_fails_them_all() {
    for broken in [
        add_of("<value><weird>2</wierd></value>"),
        add_of("<value><weird>&bad;</weird></value>"),
        add_of("<value><weird a></weird></value>"),
        "<value><struct></value></struct>".to_owned(),
        "</value>".to_owned(),
        "<odd>".to_owned(),
    ] {
        check_fault(members(&format!("{ADD}{broken}")), -32700, "line");
    }
}

#[test]
fn the_items_of_all_members_count_together() {
    let mut limits = Limits::default();
    limits.items = 12;
    let peer = || Peer::new("http", Encoding::Xml, None, limits.clone());
    // A member is one item, and has two members and two items in it.
    assert_eq!(
        answer_to(peer(), members(&ADD.repeat(2)).as_bytes()),
        list(&SUM.repeat(2))
    );
    let document = answer_to(peer(), members(&ADD.repeat(3)).as_bytes());
    assert!(document.contains("`Limits::items`"), "{document}");
    assert!(!document.contains(SUM), "{document}");
}

#[test]
fn results_that_do_not_fit_are_refused_one_by_one() {
    let mut limits = Limits::default();
    limits.message_bytes = 5_000;
    let echo = |size: usize| {
        named(
            "echo",
            &format!(
                "<member><name>params</name><value><array><data><value>{}</value></data></array>\
                 </value></member>",
                "a".repeat(size)
            ),
        )
    };
    let outcomes = |calls: &str| {
        let peer = Peer::new("http", Encoding::Xml, None, limits.clone());
        let document = answer_to(peer, members(calls).as_bytes());
        assert!(document.len() <= 5_000, "{} bytes", document.len());
        let refused = document.matches("<int>-32004</int>").count();
        let limit = "more than 5000 bytes (`Limits::message_bytes`)";
        assert_eq!(document.matches(limit).count(), refused, "{document}");
        (document, refused)
    };

    let (document, refused) = outcomes(&format!("{}{}{ADD}", echo(3_000), echo(3_000)));
    assert_eq!(refused, 1);
    let (before, after) = document.split_at(document.rfind("-32004").unwrap());
    assert!(before.contains(&"a".repeat(3_000)) && after.contains(SUM));

    // The refusals themselves need room: what came before gives way.
    let (document, refused) = outcomes(&format!("{ADD}{}{}", echo(4_000), echo(3_000).repeat(5)));
    assert_eq!(refused, 6);
    assert!(document.contains(SUM), "{document}");
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
        document.contains("the limit is 200 (`Limits::message_bytes`"),
        "{document}"
    );
}

#[cfg(feature = "json")]
#[test]
fn results_that_do_not_fit_are_refused_one_by_one_in_json() {
    use std::sync::Arc;

    use crate::service::router;
    use farcall_core::context::Caller;
    use farcall_core::payload::Payload;
    use farcall_core::protocol::jsonrpc;
    use futures_util::FutureExt;

    let echo = format!(
        r#"{{"methodName":"echo","params":["{}"]}}"#,
        "a".repeat(3_000)
    );
    let add = r#"{"methodName":"add","params":[7,3]}"#;
    let body = format!(
        r#"{{"jsonrpc":"2.0","method":"system.multicall","params":[[{echo},{echo},{add}]],"id":1}}"#
    );
    let mut limits = Limits::default();
    limits.message_bytes = 5_000;
    let caller = Caller::new(Arc::new(Peer::new("http", Encoding::Json, None, limits)));
    let reply = jsonrpc::answer(&router(), caller, Payload::copied_from(body.as_bytes()));
    let reply = String::from_utf8(reply.now_or_never().unwrap().unwrap().message).unwrap();
    let expected = format!(
        r#"{{"jsonrpc":"2.0","result":[["{}"],{{"faultCode":-32004,"faultString":"{}"}},[10]],"id":1}}"#,
        "a".repeat(3_000),
        "the batch's replies have more than 5000 bytes (`Limits::message_bytes`)",
    );
    assert_eq!(reply, expected);
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
        let reply = String::from_utf8(reply.now_or_never().unwrap().unwrap().message).unwrap();
        assert_eq!(
            reply,
            format!(r#"{{"jsonrpc":"2.0","result":{expected},"id":1}}"#),
            "{body}"
        );
    }
}
