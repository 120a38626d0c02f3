//! Bare sockets, with the habits of old and small clients.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::service::serve;

#[tokio::test]
async fn a_bare_socket_calls() {
    let port = serve().await;
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut answer = [0; 36];
    for byte in br#"{"jsonrpc":"2.0","method":"add","params":{"x":7,"y":3},"id":1}"# {
        socket.write_all(&[*byte]).await.unwrap();
    }
    // No line feed was sent, and none is waited for.
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, br#"{"jsonrpc":"2.0","result":10,"id":1}"#);
}

/// R. Koebler's jsonrpc.py: a connection a call, named parameters, no line feed, and a read that
/// takes what comes in one piece.
#[tokio::test]
async fn a_client_that_reads_once_calls() {
    let port = serve().await;
    let request =
        r#"{"jsonrpc": "2.0", "method": "search", "params": {"last_name": "Python"}, "id": 0}"#;
    for _ in 0..3 {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 4096];
        let length = socket.read(&mut answer).await.unwrap();
        assert_eq!(
            String::from_utf8_lossy(&answer[..length]),
            "{\"jsonrpc\":\"2.0\",\"result\":[\"none\",\"Python\",\"none\"],\"id\":0}\n"
        );
    }
}

#[tokio::test]
async fn an_old_client_without_content_type_or_keep_alive_calls() {
    let port = serve().await;
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
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

#[tokio::test]
async fn content_types_of_old_clients_and_a_byte_order_mark_are_taken() {
    const JSON: &str = "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"add\",\"params\":[7,3],\"id\":1}";
    const XML: &str = "<methodCall><methodName>add</methodName><params><param><value><int>7</int>\
                       </value></param><param><value><int>3</int></value></param></params>\
                       </methodCall>";
    let port = serve().await;
    for (kind, body, answer) in [
        ("application/json", JSON, "\"result\":10"),
        ("text/json", JSON, "\"result\":10"),
        ("", JSON, "\"result\":10"),
        ("", XML, "<int>10</int>"),
        ("application/xml-rpc", XML, "<int>10</int>"),
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!(
            "POST / HTTP/1.0\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).await.unwrap();
        assert!(response.contains(answer), "{kind}: {response}");
    }
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    for byte in JSON.as_bytes() {
        socket.write_all(&[*byte]).await.unwrap();
    }
    let mut answer = [0; 36];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, br#"{"jsonrpc":"2.0","result":10,"id":1}"#);
}
