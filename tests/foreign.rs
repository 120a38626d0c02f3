//! The first call of those who have never heard of farcall: Python's standard library, curl, and
//! a bare socket.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use farcall::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Arithmetic for strangers.
#[farcall::service]
trait Calc {
    /// Returns `x + y`.
    async fn add(&self, x: i64, y: i64) -> i64;
    /// Returns `x / y`.
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError>;
    /// Greets.
    async fn greet(&self, #[rpc(default = "world")] name: &str) -> String;
    /// Counts bytes.
    async fn size(&self, data: &[u8]) -> usize;
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
enum DivideError {
    #[error("division by zero")]
    #[fault(code = 1)]
    ByZero,
}

struct Pocket;

impl Calc for Pocket {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError> {
        x.checked_div(y).ok_or(DivideError::ByZero)
    }
    async fn greet(&self, name: &str) -> String {
        format!("Hello, {name}!")
    }
    async fn size(&self, data: &[u8]) -> usize {
        data.len()
    }
}

/// A server at a free port.
async fn serve() -> u16 {
    let server = Server::new().service(CalcServer::new(Pocket));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run());
    port
}

/// What `program` printed; `None`, and a word about it, if it is not there. Under `CI=true`
/// nothing may be left out.
async fn run(program: &'static str, arguments: Vec<String>) -> Option<Output> {
    let command = move || {
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
    };
    match tokio::task::spawn_blocking(command).await.unwrap() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "{program}: {error}");
            // Past the test harness, which keeps what passing tests print.
            let words = format!("left out, as there is no `{program}`: {}\n", file!());
            std::io::stderr().write_all(words.as_bytes()).unwrap();
            None
        }
    }
}

#[track_caller]
fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{}\n{stdout}\n{stderr}",
        output.status
    );
    stdout
}

#[tokio::test]
async fn pythons_xmlrpc_client_calls() {
    let script = r#"
import sys, xmlrpc.client
from xmlrpc.client import Binary, Fault, MultiCall, ServerProxy
server = ServerProxy(f"http://127.0.0.1:{sys.argv[1]}/")
assert server.add(7, 3) == 10
assert server.greet() == "Hello, world!"
assert server.greet("<&>") == "Hello, <&>!"
assert server.size(Binary(b"\x00" * 1000)) == 1000
assert "add" in server.system.listMethods()
assert server.system.methodHelp("add") == "Returns `x + y`."
assert server.system.methodSignature("greet") == [["string"], ["string", "string"]]
assert "faults_interop" in server.system.getCapabilities()
try:
    server.divide(1, 0)
    sys.exit("no fault")
except Fault as fault:
    assert (fault.faultCode, fault.faultString) == (1, "division by zero"), fault
for wrong, code in [(lambda: server.ad(1, 2), -32601), (lambda: server.add("x", 2), -32602),
                    (lambda: server.add(1), -32602), (lambda: server.add(1, 2, 3), -32602)]:
    try:
        wrong()
        sys.exit("no fault")
    except Fault as fault:
        assert fault.faultCode == code, fault
calls = MultiCall(server)
calls.add(1, 2); calls.divide(1, 0); calls.nobody(); calls.add(3, 4)
results = calls()
assert (results[0], results[3]) == (3, 7)
for index, code in [(1, 1), (2, -32601)]:
    try:
        results[index]
        sys.exit("no fault")
    except Fault as fault:
        assert fault.faultCode == code, fault
print("all is well")
"#;
    let port = serve().await.to_string();
    if let Some(output) = run("python3", vec!["-c".into(), script.into(), port]).await {
        assert_eq!(printed(&output), "all is well\n");
    }
}

#[tokio::test]
async fn curl_calls() {
    let port = serve().await;
    let url = format!("http://127.0.0.1:{port}/");
    let post = |content_type: &str, body: &str| {
        let header = format!("content-type: {content_type}");
        vec![
            "-sS".into(),
            "-H".into(),
            header,
            "-d".into(),
            body.into(),
            url.clone(),
        ]
    };
    let json = r#"{"jsonrpc":"2.0","method":"add","params":[7,3],"id":1}"#;
    let Some(output) = run("curl", post("application/json", json)).await else {
        return;
    };
    assert_eq!(printed(&output), r#"{"jsonrpc":"2.0","result":10,"id":1}"#);
    let xml = "<?xml version='1.0'?><methodCall><methodName>add</methodName><params>\
               <param><value><int>7</int></value></param><param><value><i4>3</i4></value></param>\
               </params></methodCall>";
    let output = run("curl", post("text/xml", xml)).await.unwrap();
    assert!(printed(&output).contains("<value><int>10</int></value>"));
    // curl's own default type is a form's, which any web page could send.
    let output = run("curl", post("application/x-www-form-urlencoded", json))
        .await
        .unwrap();
    assert!(
        printed(&output).contains("application/json"),
        "it says what to set"
    );
    let output = run("curl", vec!["-sS".into(), url.clone()]).await.unwrap();
    assert!(
        printed(&output).contains("add"),
        "the page lists the methods"
    );
    let large = format!(
        r#"{{"jsonrpc":"2.0","method":"greet","params":["{}"],"id":1}}"#,
        "x".repeat(60_000)
    );
    let output = run("curl", post("application/json", &large)).await.unwrap();
    assert!(
        printed(&output).contains("xxx"),
        "Expect: 100-continue is honoured"
    );
}

#[tokio::test]
async fn a_bare_socket_calls() {
    let port = serve().await;
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let mut answer = [0; 36];
    for byte in br#"{"jsonrpc":"2.0","method":"add","params":{"x":7,"y":3},"id":1}"# {
        socket.write_all(&[*byte]).await.unwrap();
    }
    // No line feed was sent, and none is waited for.
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, br#"{"jsonrpc":"2.0","result":10,"id":1}"#);
}

#[tokio::test]
async fn an_old_client_without_content_type_or_keep_alive_calls() {
    let port = serve().await;
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let body = r#"{"method":"add","params":[7,3],"id":1}"#;
    let request = format!(
        "POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(
        answer.ends_with(r#"{"result":10,"error":null,"id":1}"#),
        "{answer}"
    );
}
