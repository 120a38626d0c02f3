//! What a client writes and reads.

use crate::channel::{Options, Outbound};
use crate::encoding::Encoding;
use crate::fault::Fault;
use crate::limits::Budget;
use crate::method::{Method, Param};
use crate::params::Style;
use crate::payload::Payload;
use crate::protocol::jsonrpc::{
    Ends, Heard, News, hear, read_reply, write_call, write_fault, write_reply,
};

fn result<T: serde::de::DeserializeOwned>(text: &str) -> (Ends, Result<T, String>) {
    let reply = read_reply(Payload::copied_from(text.as_bytes()));
    let value = reply.outcome.map_err(|failure| failure.to_string());
    let value = value.and_then(|inbound| {
        inbound
            .decode(Budget::default())
            .map_err(|error| error.to_string())
    });
    (reply.ends, value)
}

#[test]
fn an_item_is_read_in_any_order_of_members_and_null_is_one() {
    for text in [
        r#"{"jsonrpc":"2.0","method":"m","params":{"subscription":"a","result":null}}"#,
        r#"{"method":"m","jsonrpc":"2.0","params":{"result":null,"subscription":"a"}}"#,
        r#"{"jsonrpc":"2.0","method":"a\"b","params":{"subscription":"a","result":null}}"#,
        r#"{"jsonrpc":"2.0","method":"m","params":{"subscription":"a","result":null,"x":{}}}"#,
    ] {
        let Heard::News(Some(News::Item(of, item))) = hear(Payload::copied_from(text.as_bytes()))
        else {
            panic!("{text}");
        };
        assert_eq!(&of[..], b"\"a\"");
        assert_eq!(item.decode::<()>(Budget::default()).unwrap(), (), "{text}");
    }
    let nothing = r#"{"jsonrpc":"2.0","method":"m","params":{"subscription":"a"}}"#;
    let heard = hear(Payload::copied_from(nothing.as_bytes()));
    assert!(matches!(heard, Heard::News(None)));
}

#[test]
fn results_are_read_in_any_order_of_members() {
    for text in [
        r#"{"jsonrpc":"2.0","result":[1,2],"id":7}"#,
        r#"{"id":7,"jsonrpc":"2.0","result":[1,2]}"#,
        r#"{"jsonrpc":"2.0","result":[1,2],"error":null,"id":7}"#,
        r#"{"result":[1,2],"error":null,"id":7}"#,
        r#"{"jsonrpc":"2.0","result":[1,2],"warnings":["a"],"id":7}"#,
    ] {
        assert_eq!(result(text), (Ends::Call(7), Ok(vec![1, 2])), "{text}");
    }
    assert_eq!(
        result(r#"{"jsonrpc":"2.0","result":null,"id":7}"#),
        (Ends::Call(7), Ok(()))
    );
}

#[test]
fn errors_are_faults_and_their_data_is_kept() {
    for text in [
        r#"{"jsonrpc":"2.0","error":{"code":7,"message":"no","data":{"tray": 2}},"id":7}"#,
        r#"{"jsonrpc":"2.0","result":null,"error":{"code":7,"message":"no","data":{"tray": 2}},"id":7}"#,
    ] {
        let reply = read_reply(Payload::copied_from(text.as_bytes()));
        assert_eq!(reply.ends, Ends::Call(7));
        let failure = reply.outcome.unwrap_err();
        let fault = failure.fault().unwrap();
        assert_eq!((fault.code, &*fault.message), (7, "no"));
        let (tray,): (i32,) = fault.data.as_ref().unwrap().decode(&["tray"]).unwrap();
        assert_eq!(tray, 2);
    }
    let unread = r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"what?"},"id":null}"#;
    assert_eq!(
        result::<()>(unread),
        (Ends::Unknown, Err("what? (fault -32700)".to_owned()))
    );
    assert!(
        result::<()>(r#"{"error":"bad luck","id":1}"#)
            .1
            .unwrap_err()
            .contains("bad luck")
    );
}

#[test]
fn nonsense_is_the_servers_fault_and_no_panic() {
    for text in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"id":7}"#,
        r#"{"jsonrpc":"2.0","result":[1,"id":7}"#,
    ] {
        assert!(result::<Vec<u8>>(text).1.is_err(), "{text}");
    }
}

#[test]
fn what_is_written_stays_on_one_line() {
    static ECHO: Method = Method::new("echo", "").takes(&[Param::required::<String>("value")]);
    let raw: Box<serde_json::value::RawValue> = serde_json::from_str("[1,\r\n\n2]").unwrap();
    let (params, options) = ((&raw,), Options::default());
    let call = Outbound {
        method: &ECHO,
        params: &params,
        options: &options,
    };
    let mut out = Vec::new();
    write_call(&mut out, &call, Style::Positional, None).unwrap();
    assert_eq!(
        out,
        br#"{"jsonrpc":"2.0","method":"echo","params":[[1,   2]]}"#
    );
    out.clear();
    write_reply(&mut out, b"\"x\"", false, |out| {
        Encoding::Json.encode(&raw, out)
    })
    .unwrap();
    assert_eq!(
        out,
        b"{\"jsonrpc\":\"2.0\",\"result\":[1,   2],\"id\":\"x\"}\n"
    );
    out.clear();
    write_fault(&mut out, b"1", false, &Fault::new(1, "a\nb"));
    assert_eq!(
        out,
        b"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"a\\nb\"},\"id\":1}\n"
    );
}
