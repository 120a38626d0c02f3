//! Streams in JSON-RPC, as a server has them beside strangers: the texts as they are, and whatever one
//! sends that cannot be, which is an error of that call alone.

use std::task::{Context, Waker};

use farcall_core::limits::Limits;

use crate::json::Served;
use crate::pair::now;
use crate::streams::Numbers;

pub(crate) fn limits(stream_bytes: usize) -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes = 100_000;
    limits.stream_bytes = stream_bytes;
    limits
}

fn served() -> Served {
    Served::new(Numbers, limits(0))
}

pub(crate) fn request(method: &str, params: &str, id: u64) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":{id}}}"#)
}

pub(crate) fn told(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#)
}

pub(crate) fn reply(result: &str, id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","result":{result},"id":{id}}}"#)
}

impl Served {
    /// What is answered to `texts`, but for what a neighbour gets, who goes on.
    fn heard(&mut self, texts: &[String]) -> Vec<String> {
        let neighbour = request("add", "[1]", 99);
        let mut said = self.said(&format!("{}\n{neighbour}", texts.join("\n")));
        let at = said.iter().position(|line| *line == reply("2", "99"));
        said.remove(at.expect("the neighbour is answered"));
        said
    }

    /// Only the call 7 fails, and nothing is left of it.
    fn fails(&mut self, texts: &[String], code: i32, word: &str) {
        let said = self.heard(texts);
        let faults: Vec<_> = said.iter().filter(|line| line.contains("error")).collect();
        let [fault] = &faults[..] else {
            panic!("{word}: {faults:?}");
        };
        let is_of_the_call =
            fault.ends_with(r#","id":7}"#) || fault.contains(r#"{"subscription":"#);
        assert!(is_of_the_call, "{fault}");
        assert!(
            fault.contains(&code.to_string()) && fault.contains(word),
            "{word}: {fault}"
        );
        assert!(self.0.is_idle(), "{word}");
        let late = [
            told("rpc.item", "[7,1]"),
            told("rpc.credit", "[7,1]"),
            told("rpc.end", "[7]"),
        ];
        assert_eq!(self.heard(&late), [""; 0]);
    }
}

#[test]
fn a_stream_is_a_subscription() {
    let mut served = served();
    let said = served.said(r#"{"jsonrpc":"2.0","method":"count","params":[2],"id":"a"}"#);
    let expected = [
        r#"{"jsonrpc":"2.0","result":1,"id":"a"}"#,
        r#"{"jsonrpc":"2.0","method":"count","params":{"subscription":1,"result":0}}"#,
        r#"{"jsonrpc":"2.0","method":"count","params":{"subscription":1,"result":1}}"#,
        r#"{"jsonrpc":"2.0","method":"count","params":{"subscription":1,"end":true}}"#,
    ];
    assert_eq!(said, expected);
    let said = served.said(&request("count", r#"{"to":0}"#, 2));
    assert_eq!(said[0], reply("2", "2"), "another number");
    let said = served.said(&request("count", r#"["x"]"#, 3));
    assert!(
        said[0].contains("-32602") && said[0].ends_with(r#""id":3}"#),
        "{said:?}"
    );
    assert!(served.0.is_idle());
}

#[test]
fn a_window_is_kept_to_and_an_unsubscribe_ends_the_stream() {
    let mut served = served();
    let open = r#"{"jsonrpc":"2.0","method":"count","params":[99999],"window":640,"id":7}"#;
    // An item costs its text and 64 bytes: the tenth goes beyond.
    assert_eq!(served.said(open).len(), 1 + 10);
    assert_eq!(served.said(""), [""; 0]);
    assert_eq!(
        served.said(&told("rpc.credit", "[1,10]")),
        [""; 0],
        "none is left of it"
    );
    assert_eq!(served.said(&told("rpc.credit", "[1,1]")).len(), 1);
    assert_eq!(
        served
            .said(&told("rpc.credit", r#"{"subscription":1,"bytes":132}"#))
            .len(),
        2
    );
    let none = served.said(&request("rpc.unsubscribe", "[2]", 8));
    assert!(
        none[0].contains("-32602") && none[0].contains("no subscription 2"),
        "{none:?}"
    );
    assert!(!served.0.is_idle());
    let ended = served.said(&request("rpc.unsubscribe", "[1]", 8));
    assert_eq!(ended, [reply("true", "8")]);
    assert!(served.0.is_idle());
    let again = served.said(&request("rpc.unsubscribe", "[1]", 8));
    assert!(again[0].contains("-32602"), "{again:?}");
    let odd = served.said(&request("rpc.unsubscribe", r#"["x"]"#, 8));
    assert!(odd[0].contains("-32602"), "{odd:?}");
}

#[test]
fn a_window_that_cannot_be_refuses_the_stream() {
    let mut served = served();
    for window in ["-1", "1.5", "\"64\"", "null", "2147483649", "1e99"] {
        let open = format!(
            r#"{{"jsonrpc":"2.0","method":"count","params":[1],"window":{window},"id":7}}"#
        );
        served.fails(&[open], -32600, "window");
    }
    let other = r#"{"jsonrpc":"2.0","method":"add","params":[1],"window":-1,"id":7}"#;
    assert_eq!(
        served.said(other),
        [reply("2", "7")],
        "elsewhere it says nothing"
    );
}

#[test]
fn who_says_no_window_and_does_not_read_holds_no_memory() {
    let mut served = served();
    let open = request("count", "[1152921504606846976]", 7);
    served.1.room().extend_from_slice(open.as_bytes());
    while served.0.receive(&mut served.1, now()).unwrap() {}
    for _ in 0..1000 {
        served.0.poll(&Context::from_waker(Waker::noop()));
    }
    let waits = served.0.unsent().bytes;
    assert!((50_000..70_000).contains(&waits), "{waits}");
    // It takes some, and there are more.
    for _ in 0..3 {
        assert!(!sent_once(&mut served).is_empty());
        served.0.poll(&Context::from_waker(Waker::noop()));
        assert!(served.0.unsent().bytes < 70_000);
    }
    // Credit without a window counts for nothing.
    served
        .1
        .room()
        .extend_from_slice(told("rpc.credit", "[1,4294967295]").as_bytes());
    while served.0.receive(&mut served.1, now()).unwrap() {}
    let end = request("rpc.unsubscribe", "[1]", 8);
    served.1.room().extend_from_slice(end.as_bytes());
    while served.0.receive(&mut served.1, now()).unwrap() {}
    assert!(served.0.is_idle());
    assert!(sent_once(&mut served).ends_with(&(reply("true", "8") + "\n")));
}

fn sent_once(served: &mut Served) -> String {
    let mut sending = farcall_core::connection::Sending::default();
    served.0.transmit(&mut sending);
    let mut bytes = Vec::new();
    sending.drain_into(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_stream_is_sent_after_its_request() {
    let mut served = served();
    // By the id as it was written, and as parameters come: by position, by name, in any order.
    let texts = [
        r#"{"jsonrpc":"2.0","method":"total","id":"a \"b\""}"#,
        r#"{"jsonrpc":"2.0","method":"total","id":7}"#,
        r#"{"jsonrpc":"2.0","method":"rpc.item","params":["a \"b\"",1]}"#,
        r#"{"jsonrpc":"2.0","method":"rpc.item","params":[7,40]}"#,
        r#"{"jsonrpc":"2.0","method":"rpc.item","params":{"item":2,"id":"a \"b\""}}"#,
        r#"{"params":[7,2],"method":"rpc.item","jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","method":"rpc.item","params":[7,300],"more":[1]}"#,
        r#"[{"jsonrpc":"2.0","method":"rpc.item","params":[7,5000]}]"#,
        r#"{"jsonrpc":"2.0","method":"rpc.end","params":[7]}"#,
        r#"{"jsonrpc":"2.0","method":"rpc.end","params":{"id":"a \"b\""}}"#,
    ];
    let said = served.heard(&texts.map(str::to_owned));
    assert_eq!(said, [reply("3", r#""a \"b\"""#), reply("5342", "7")]);
}

#[test]
fn a_server_grants_what_is_sent_to_it() {
    let mut served = Served::new(Numbers, limits(100_000));
    let said = served.heard(&[request("total", "[]", 7)]);
    assert_eq!(
        said,
        [told("rpc.credit", "[7,34464]")],
        "beyond the first 64 KiB"
    );
    let items = vec![told("rpc.item", "[7,1]"); 800];
    let said = served.heard(&items);
    assert_eq!(
        said,
        [told("rpc.credit", "[7,50050]")],
        "half the window was read"
    );
    let said = served.heard(&[told("rpc.end", "[7]")]);
    assert_eq!(said, [reply("800", "7")]);
}

#[test]
fn both_directions_at_once() {
    let mut served = served();
    let said = served.heard(&[request("double", "[]", 7), told("rpc.item", "[7,21]")]);
    let item = |item| {
        told(
            "double",
            &format!(r#"{{"subscription":1,"result":{item}}}"#),
        )
    };
    assert_eq!(said, [reply("1", "7"), item(42)]);
    assert_eq!(served.heard(&[told("rpc.item", "[7,4]")]), [item(8)]);
    let end = told("double", r#"{"subscription":1,"end":true}"#);
    assert_eq!(served.heard(&[told("rpc.end", "[7]")]), [end]);
    assert!(served.0.is_idle());
}

#[test]
fn what_a_stranger_sends_that_cannot_be_fails_its_call_alone() {
    let open = r#"{"jsonrpc":"2.0","method":"count","params":[99999],"window":1,"id":7}"#;
    let unread = request("unread", "[]", 7);
    let mut served = served();
    let two_gib = [open.to_owned(), told("rpc.credit", "[1,4294967296]")];
    served.fails(&two_gib, -32600, "2 GiB");
    let mut flood = vec![unread.clone()];
    flood.extend((0..1009).map(|_| told("rpc.item", "[7,1]")));
    // 65 bytes each: the last of them goes beyond 64 KiB, one more is too many.
    assert_eq!(served.heard(&flood), [""; 0]);
    served.fails(&[told("rpc.item", "[7,1]")], -32600, "granted");
    let late = [unread, told("rpc.end", "[7]"), told("rpc.item", "[7,1]")];
    served.fails(&late, -32600, "behind the end");
    for odd in [
        r#"[7,"x"]"#,
        "[7,1 2]",
        "[7,1,2]",
        "[7,{broken]",
        "[7,]",
        "[7,1.5]",
    ] {
        let texts = [request("total", "[]", 7), told("rpc.item", odd)];
        served.fails(&texts, -32602, "invalid item");
    }
    let large = format!("[7,\"{}\"]", "x".repeat(100_000));
    let texts = [request("total", "[]", 7), told("rpc.item", &large)];
    served.fails(&texts, -32004, "message_bytes");
    // The handler is told of its own trouble once it is open, by its subscription.
    let texts = [request("double", "[]", 7), told("rpc.item", "[7,true]")];
    served.fails(&texts, -32602, "invalid item");
}

#[test]
fn what_belongs_to_no_call_is_read_past() {
    let mut served = served();
    let strays = [
        told("rpc.item", "[5,1]"),
        told("rpc.item", "[]"),
        told("rpc.item", "7"),
        told("rpc.credit", "[5,4294967296]"),
        told("rpc.credit", "[5,-1]"),
        told("rpc.end", "[5]"),
        told("rpc.unsubscribe", "[5]"),
    ];
    let said = served.heard(&strays);
    // That is no request of any kind.
    let [odd] = &said[..] else { panic!("{said:?}") };
    assert!(odd.contains("-32600") && odd.contains("params"), "{odd}");
    // An item of a stranger that is no JSON is a text that is none, as everywhere.
    let said = served.heard(&[told("rpc.item", "[5,{broken]")]);
    assert!(said.iter().any(|line| line.contains("-32700")), "{said:?}");
}

#[test]
fn a_call_without_a_stream_that_is_open_has_no_subscription() {
    let mut served = served();
    served.said(&request("unread", "[]", 7));
    let said = served.said(&request("rpc.unsubscribe", "[1]", 8));
    assert!(said[0].contains("-32602"), "{said:?}");
    assert!(!served.0.is_idle());
    let cancel = told("$/cancelRequest", r#"{"id":7}"#);
    assert!(served.said(&cancel)[0].contains("-32002"));
    assert!(served.0.is_idle());
}

#[test]
fn a_cancel_of_its_request_ends_an_open_stream_too() {
    // The reply and the cancel may cross.
    let open = r#"{"jsonrpc":"2.0","method":"count","params":[9],"window":1,"id":7}"#;
    let mut served = served();
    served.said(open);
    let said = served.said(&told("$/cancelRequest", r#"{"id":7}"#));
    let ended = r#"{"subscription":1,"error":{"code":-32002,"message":"the caller gave up"}}"#;
    assert_eq!(said, [told("count", ended)]);
    assert!(served.0.is_idle());
}

#[test]
fn a_server_that_ends_tells_its_streams() {
    let open = r#"{"jsonrpc":"2.0","method":"count","params":[9],"window":1,"id":7}"#;
    let mut served = served();
    served.said(open);
    served.0.drain();
    let said = served.said(&told("rpc.credit", "[1,65]"));
    assert_eq!(said.len(), 1, "a stream that is open goes on");
    let refused = served.said(&request("count", "[1]", 8));
    assert!(refused[0].contains("-32005"), "{refused:?}");
    served.0.abort();
    let said = served.said("");
    assert!(
        said[0].contains(r#"{"subscription":1,"error":{"code":-32008"#),
        "{said:?}"
    );
}

#[test]
fn streams_in_a_batch_are_refused_in_words() {
    let calls = [
        request("count", "[1]", 1),
        request("total", "[]", 2),
        request("add", "[1]", 3),
    ];
    let said = served().said(&format!("[{}]", calls.join(",")));
    let answers: Vec<serde_json::Value> = serde_json::from_str(&said[0]).unwrap();
    for answer in &answers[..2] {
        let words = answer["error"]["message"].as_str().unwrap();
        assert!(
            words.contains("batch") && words.contains("tcp://"),
            "{words}"
        );
    }
    assert_eq!(answers[2]["result"], 2);
}
