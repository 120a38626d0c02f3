//! How a socket is opened, and to whom not.

use farcall_transport::server::{Protocol, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{ADD, Calc, Raw, TEN, calc, serve, upgrade};

/// What the server answers to a request after which it closes, or does not.
async fn refusal(address: &str, request: &str) -> String {
    let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_socket_is_opened_where_http_is_answered_on_any_path_and_after_other_requests() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    let length = ADD.len();
    let post = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{ADD}"
    );
    io.write_all(post.as_bytes()).await.unwrap();
    let head = crate::head(&mut io).await;
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    io.read_exact(&mut vec![0; TEN.len()]).await.unwrap();
    let mut socket = Raw::open(io, "").await;
    assert_eq!(socket.ask(ADD).await, TEN);
}

#[tokio::test]
async fn what_comes_right_behind_the_request_is_read() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    let frame = crate::frame(true, crate::TEXT, ADD.as_bytes());
    let all = [upgrade("").into_bytes(), frame].concat();
    io.write_all(&all).await.unwrap();
    assert!(crate::head(&mut io).await.starts_with("http/1.1 101 "));
    let mut socket = Raw { io, masks: true };
    assert_eq!(socket.text().await, TEN);
}

#[tokio::test]
async fn a_page_of_another_site_opens_nothing() {
    let address = calc().await;
    for (headers, status) in [
        ("Origin: http://evil.example\r\n", "403"),
        ("Origin: null\r\n", "403"),
        ("Origin: http://localhost:1\r\n", "403"),
        (
            "Origin: http://localhost\r\nX: y\r\nSec-WebSocket-Version: 13\r\n",
            "426",
        ),
    ] {
        let answer = refusal(&address, &upgrade(headers)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    let strange = upgrade("").replace("Host: localhost", "Host: evil.example");
    let answer = refusal(&address, &strange).await;
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    let io = TcpStream::connect(&address).await.unwrap();
    let mut own = Raw::open(io, "Origin: http://localhost\r\n").await;
    assert_eq!(own.ask(ADD).await, TEN);
}

#[tokio::test]
async fn a_port_opens_sockets_if_it_is_to() {
    let server = || Server::new().service(Calc::default());
    let http = serve(server().protocols([Protocol::Http])).await;
    let answer = refusal(&http, &upgrade("")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("does not speak WebSocket"), "{answer}");

    let only = serve(server().protocols([Protocol::WebSocket])).await;
    assert_eq!(Raw::connect(&only).await.ask(ADD).await, TEN);
    let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 2\r\n\r\n[]";
    for request in [post, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let answer = refusal(&only, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("speaks WebSocket"), "{answer}");
    }

    let neither = serve(server().protocols([Protocol::Native])).await;
    let answer = refusal(&neither, &upgrade("")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("speaks only: farcall's native"), "{answer}");
}
