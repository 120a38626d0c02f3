//! Where in a message a mistake is: counted from the message's beginning, over every transport, in
//! words that do not repeat what was sent.

#![allow(missing_docs, reason = "these traits are for nobody else")]

use farcall::{Limits, Server};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    x: i64,
    kind: Kind,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Round,
    Square,
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
#[error("too hot")]
#[fault(code = 7)]
struct TooHot {
    degrees: f64,
}

#[farcall::service]
trait Places {
    async fn add(&self, x: i64, y: i64) -> i64;
    async fn point(&self, name: &str, points: Vec<Point>) -> u8;
    async fn many(&self, flags: Vec<bool>, blob: &[u8]) -> u8;
    async fn huge(&self, x: u128, y: u8) -> u128;
    async fn heat(&self) -> Result<u8, TooHot>;
    async fn any(&self, value: farcall::types::Value) -> u8;
}

struct Here;

impl Places for Here {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
    async fn point(&self, _: &str, _: Vec<Point>) -> u8 {
        0
    }
    async fn many(&self, _: Vec<bool>, _: &[u8]) -> u8 {
        0
    }
    async fn huge(&self, x: u128, y: u8) -> u128 {
        x + u128::from(y)
    }
    async fn heat(&self) -> Result<u8, TooHot> {
        let degrees = f64::INFINITY;
        Err(TooHot { degrees })
    }
    async fn any(&self, _: farcall::types::Value) -> u8 {
        0
    }
}

async fn serve() -> String {
    let server = Server::new()
        .service(PlacesServer::new(Here))
        .limits(Limits::default());
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap().to_string();
    tokio::spawn(listening.run());
    address
}

async fn over_tcp(address: &str, text: &[u8]) -> String {
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    stream.write_all(text).await.unwrap();
    stream.write_all(b"\n").await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line
}

async fn over_http(address: &str, kind: &str, text: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(text).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// The code and the message that `text` is refused with, the same over both transports.
async fn refused(address: &str, text: &[u8]) -> (i64, String) {
    let tcp = over_tcp(address, text).await;
    let http = over_http(address, "application/json", text).await;
    assert_eq!(tcp.trim_end(), http.trim_end());
    let reply: serde_json::Value = serde_json::from_str(&tcp).unwrap();
    let error = &reply["error"];
    let message = error["message"].as_str().unwrap_or_default();
    for input in ["secret", "geheim"] {
        assert!(!message.contains(input), "{message}");
    }
    (
        error["code"].as_i64().unwrap_or_default(),
        message.to_owned(),
    )
}

#[tokio::test]
async fn json_of_another_type_is_where_it_is_in_the_message() {
    let address = serve().await;
    // The short way and the long way, and more than one line.
    let short = r#"{"jsonrpc":"2.0","method":"add","params":[1,"secret"],"id":1}"#;
    let long = r#"{"id":1,"jsonrpc":"2.0","method":"add","params":[1,"secret"]}"#;
    let lines = "\n {\n \"jsonrpc\": \"2.0\",\r\n \"id\": 1, \"method\": \"add\",\n \"params\": [\n  \
                 1,\n  \"secret\"\n ]}";
    for (text, place) in [
        (short, "line 1 column 52"),
        (long, "line 1 column 59"),
        // The line feed before it is between two messages on a stream.
        (lines.trim_start(), "line 6 column 10"),
    ] {
        assert_eq!(
            refused(&address, text.as_bytes()).await,
            (
                -32602,
                format!(
                    "invalid parameters for `add`: parameter `y`: expected i64, found a string at \
                     {place}"
                )
            )
        );
    }
}

#[tokio::test]
async fn in_a_parameter_the_path_to_it_is_told() {
    let address = serve().await;
    let call =
        |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"point","params":{params},"id":1}}"#);
    let good = r#"{"x":1,"kind":"Round"}"#;
    for (point, words) in [
        (r#"{"x":"secret"}"#, "[1].x: expected i64, found a string"),
        (
            r#"{"x":1,"kind":"geheim"}"#,
            "[1].kind: there is no such variant: expected `Round` or `Square`",
        ),
        (r#"{"x":1}"#, "[1]: missing field `kind`"),
        (r#"{"x":[1]}"#, "[1].x: expected i64, found a list"),
        (r#""secret""#, "[1]: expected struct Point, found a string"),
    ] {
        let points = format!("[{good}, {point}]");
        for params in [
            format!(r#"["",{points}]"#),
            format!(r#"{{"points":{points}}}"#),
        ] {
            let (code, message) = refused(&address, call(&params).as_bytes()).await;
            let words = format!("invalid parameters for `point`: parameter `points`{words}");
            assert_eq!(code, -32602);
            assert!(message.starts_with(&words), "{message}");
        }
    }
    let (_, message) = refused(&address, call(r#"["",[],3]"#).as_bytes()).await;
    assert!(
        message.starts_with("invalid parameters for `point`: too many"),
        "{message}"
    );
}

#[tokio::test]
async fn in_a_batch_it_is_where_it_is_in_the_whole_batch() {
    let address = serve().await;
    let text = b"[{\"jsonrpc\":\"2.0\",\"method\":\"add\",\"params\":[1,2],\"id\":1},\n\
                 {\"jsonrpc\":\"2.0\",\"method\":\"add\",\"params\":[1,\"secret\"],\"id\":2}]";
    let tcp = over_tcp(&address, text).await;
    let http = over_http(&address, "application/json", text).await;
    assert_eq!(tcp.trim_end(), http.trim_end());
    let expected = "parameter `y`: expected i64, found a string at line 2 column 52";
    assert!(tcp.contains(expected), "{tcp}");
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_not_repeated() {
    let address = serve().await;
    for (method, params, words) in [
        ("add", r#"[1]"#, "parameter `y` is missing"),
        ("add", r#"{"x":1}"#, "parameter `y` is missing"),
        ("add", "[1,2,3]", "too many parameters: the method takes 2"),
        ("add", r#"{"x":1,"y":2,"z":3}"#, "there is no parameter `z`"),
        ("add", r#"{"x":1,"x":2}"#, "parameter `x` is given twice"),
        (
            "add",
            "[1,[2]]",
            "parameter `y`: expected i64, found a list",
        ),
        (
            "add",
            r#"[1,{"a":2}]"#,
            "parameter `y`: expected i64, found an object",
        ),
        ("add", "[1,null]", "parameter `y`: expected i64, found null"),
        (
            "add",
            "[1,true]",
            "parameter `y`: expected i64, found a boolean",
        ),
        (
            "add",
            "[1,2.5]",
            "parameter `y`: expected i64, found a float",
        ),
        (
            "add",
            "[1,18446744073709551615]",
            "parameter `y`: expected i64, found an integer",
        ),
        (
            "point",
            r#"["a",[{"x":1,"kind":"secret, expected geheim"}]]"#,
            "parameter `points`[0].kind: there is no such variant: expected `Round` or `Square`",
        ),
        (
            "point",
            r#"["a",[{"x":1,"secret":2}]]"#,
            "parameter `points`[0]: there is no such field: expected `x` or `kind`",
        ),
        (
            "point",
            r#"["a",[{"x":"secret\", expected geheim","kind":"Round"}]]"#,
            "parameter `points`[0].x: expected i64, found a string",
        ),
        (
            "point",
            r#"["a",[{"x":1}]]"#,
            "parameter `points`[0]: missing field `kind`",
        ),
        (
            "many",
            r#"[["secret"],""]"#,
            "parameter `flags`[0]: expected a boolean, found a string",
        ),
        (
            "many",
            r#"[[],"secret!"]"#,
            "parameter `blob`: expected base64, found other text",
        ),
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#);
        let (code, message) = refused(&address, text.as_bytes()).await;
        assert_eq!(code, -32602, "{text}: {message}");
        let expected = format!("invalid parameters for `{method}`: {words} at line 1 column ");
        assert!(message.starts_with(&expected), "{text}: {message}");
    }
    let unknown = br#"{"jsonrpc":"2.0","method":"sub","params":[],"id":1}"#;
    let (code, message) = refused(&address, unknown).await;
    assert_eq!((code, &*message), (-32601, "there is no method `sub`"));
}

#[tokio::test]
async fn broken_json_is_where_it_breaks_in_the_message() {
    let address = serve().await;
    for (text, place) in [
        // In the parameters, on the short way; elsewhere; on the third line; behind other letters.
        (
            r#"{"jsonrpc":"2.0","method":"add","params":[1,x],"id":1}"#,
            "line 1 column 45",
        ),
        (
            r#"{"jsonrpc":"2.0","method":x,"params":[1,2],"id":1}"#,
            "line 1 column 27",
        ),
        (
            "{\n\"jsonrpc\":\"2.0\",\n\"method\" \"add\"}",
            "line 3 column 10",
        ),
        (r#"{"é":"ü","method":x}"#, "line 1 column 19"),
        ("[{\"jsonrpc\":\"2.0\"},\n x]", "line 2 column 2"),
    ] {
        let (code, message) = refused(&address, text.as_bytes()).await;
        assert_eq!(code, -32700, "{text}");
        assert!(message.ends_with(place), "{text}: {message}");
    }
}

#[tokio::test]
async fn what_is_not_utf8_is_no_json_wherever_it_is() {
    let address = serve().await;
    for text in [
        &b"{\"jsonrpc\":\"2.0\",\"method\":\"point\",\"params\":[\"\xff\",[]],\"id\":1}"[..],
        b"{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"point\",\"params\":[\"\xff\",[]]}",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"a\xff\",\"params\":[],\"id\":1}",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"add\",\"params\":[1,2],\"more\":\"\xff\"}",
    ] {
        let at = text.iter().position(|&byte| byte == 0xff).unwrap() + 1;
        assert_eq!(
            refused(&address, text).await,
            (
                -32700,
                format!(
                    "the message is not well-formed JSON: a byte that is not UTF-8 at line 1 column \
                     {at}"
                )
            )
        );
    }
}

#[tokio::test]
async fn a_multicall_in_json_speaks_as_all_else_does() {
    let address = serve().await;
    let call = |params: &str| {
        format!(r#"{{"jsonrpc":"2.0","method":"system.multicall","params":{params},"id":1}}"#)
    };
    for (params, words) in [
        ("[]", "parameter `calls` is missing"),
        (
            "[7]",
            "parameter `calls`: expected a sequence, found an integer",
        ),
        (
            r#"["secret"]"#,
            "parameter `calls`: expected a sequence, found a string",
        ),
        ("[[],[]]", "too many parameters: the method takes 1"),
        (r#"{"calls":[],"other":1}"#, "there is no parameter `other`"),
    ] {
        let (code, message) = refused(&address, call(params).as_bytes()).await;
        assert_eq!(code, -32602, "{params}: {message}");
        let expected = format!("invalid parameters for `system.multicall`: {words} at line 1 ");
        assert!(message.starts_with(&expected), "{params}: {message}");
    }
    // A member's mistake is where it is in the message, too.
    let reply = over_tcp(
        &address,
        call(r#"[[{"methodName":"add","params":[1,"secret"]}]]"#).as_bytes(),
    )
    .await;
    assert!(
        reply.contains("parameter `y`: expected i64, found a string at line 1 column 96"),
        "{reply}"
    );
    for (member, words) in [
        (
            r#"{"methodName":"add","params":7}"#,
            "expected 2 parameters, in a list or by name",
        ),
        (r#"{"methodName":7}"#, "no struct of methodName and params"),
        (r#"7"#, "no struct of methodName and params"),
        (
            r#"{"methodName":"add","params":{"x":1,"z":2}}"#,
            "there is no parameter `z`",
        ),
    ] {
        let reply = over_tcp(&address, call(&format!("[[{member}]]")).as_bytes()).await;
        assert!(reply.contains(words), "{member}: {reply}");
    }
}

#[tokio::test]
async fn xml_is_where_it_is_in_the_document() {
    let address = serve().await;
    let xml = |middle: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<methodCall>\n <methodName>add</methodName>\n <params>\n  \
             <param><value><int>1</int></value></param>\n  {middle}\n </params>\n</methodCall>\n"
        )
    };
    for (middle, code, words) in [
        (
            "<param><value>secret</value></param>",
            -32602,
            "parameter `y`: expected i64, found a string at line 6 column 17",
        ),
        ("", -32602, "parameter `y` is missing at line 7 column 11"),
        (
            "<param><value><int>7</i4></value></param>",
            -32700,
            "at line 6 column 28",
        ),
        (
            "<param><value>\u{1}</value></param>",
            -32702,
            "U+0001 is none of XML's at line 6 column 17",
        ),
    ] {
        let reply = over_http(&address, "text/xml", xml(middle).as_bytes()).await;
        assert!(reply.contains(&format!("<int>{code}</int>")), "{reply}");
        assert!(reply.contains(words), "{middle}: {reply}");
        assert!(!reply.contains("secret"), "{reply}");
    }
    let head = "<?xml version=\"1.0\"?>\n<methodCall>\n <methodNam>add</methodName>";
    let reply = over_http(&address, "text/xml", head.as_bytes()).await;
    assert!(reply.contains("line 3 column 13"), "{reply}");
}

#[tokio::test]
async fn an_xml_client_that_gets_no_data_gets_the_error_that_has_some() {
    let address = serve().await;
    let call = b"<methodCall><methodName>heat</methodName></methodCall>";
    let reply = over_http(&address, "text/xml", call).await;
    assert!(
        reply.contains("<int>7</int>") && reply.contains(">too hot<"),
        "{reply}"
    );
}

#[tokio::test]
async fn json_that_is_nested_too_deep_is_told_the_limit() {
    let address = serve().await;
    for depth in [127, 128, 200, 100_000] {
        let value = "[".repeat(depth) + &"]".repeat(depth);
        for params in [format!("[{value}]"), format!("{{\"value\":{value}}}")] {
            let call = format!(r#"{{"jsonrpc":"2.0","method":"any","params":{params},"id":1}}"#);
            let answer = over_tcp(&address, call.as_bytes()).await;
            let limit = "deeper than 127 levels, the most for JSON (`Limits::json_depth`)";
            assert!(
                answer.contains(limit) && answer.contains("-32602"),
                "{answer}"
            );
        }
    }
}
