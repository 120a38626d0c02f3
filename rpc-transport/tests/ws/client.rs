//! farcall's client, against servers that answer from a script.

use farcall_core::channel::Channel;
use farcall_core::error::Error;
use farcall_transport::connect::connect;
use farcall_transport::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tungstenite::handshake::derive_accept_key;

use crate::{CLOSE, Calc, PING, PONG, Raw, TEXT, head, method, serve};

async fn add(channel: &Channel, x: i64, y: i64) -> Result<i64, Error> {
    channel.call(method("add"), (x, y)).await
}

/// A server that answers the first request with `answer` and closes.
async fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.unwrap();
        head(&mut io).await;
        io.write_all(answer.as_bytes()).await.unwrap();
    });
    address
}

async fn refused(answer: &'static str) -> Error {
    connect(&answering(answer).await).await.unwrap_err()
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_words() {
    let failure =
        refused("HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\nnot from here\n").await;
    let words = failure.to_string();
    assert!(words.contains("403 Forbidden: not from here"), "{words}");
    assert!(!failure.is_retryable(), "it would be the same again");

    let wrong = refused(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    );
    let words = wrong.await.to_string();
    assert!(words.contains("Sec-WebSocket-Accept"), "{words}");

    let nothing = refused("").await;
    assert!(nothing.is_retryable(), "{nothing}");
}

/// A server's end of a socket that a client of farcall opens, and the channel over it.
async fn opened() -> (Channel, Raw<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("ws://{}/rpc", listener.local_addr().unwrap());
    let connecting = tokio::spawn(async move { connect(&address).await.unwrap() });
    let (mut io, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(io.read_u8().await.unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    assert!(request.starts_with("GET /rpc HTTP/1.1\r\n"), "{request}");
    let at = request.find("Sec-WebSocket-Key: ").unwrap() + 19;
    let accept = derive_accept_key(&request.as_bytes()[at..at + 24]);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    io.write_all(answer.as_bytes()).await.unwrap();
    (connecting.await.unwrap(), Raw { io, masks: false })
}

#[tokio::test]
async fn a_client_answers_pings_and_takes_answers_in_fragments() {
    let (channel, mut server) = opened().await;
    let calling = tokio::spawn(async move { add(&channel, 7, 3).await });
    let asked = server.text().await;
    assert_eq!(
        asked,
        format!(
            r#"{{"jsonrpc":"2.0","method":"add","params":[7,3],"id":{}}}"#,
            id(&asked)
        )
    );
    server.send(PING, b"hello").await;
    assert_eq!(server.next().await, Some((PONG, b"hello".to_vec())));
    server.send(0x01, br#"{"jsonrpc":"2.0","#).await;
    server.send(PING, b"").await;
    server
        .send(0x80, format!(r#""result":10,"id":{}}}"#, id(&asked)))
        .await;
    assert_eq!(calling.await.unwrap().unwrap(), 10);
}

fn id(text: &str) -> &str {
    let at = text.rfind(r#""id":"#).unwrap() + 5;
    &text[at..text.len() - 1]
}

#[tokio::test]
async fn a_client_that_is_dropped_says_goodbye() {
    let (channel, mut server) = opened().await;
    drop(channel);
    assert_eq!(server.goodbye().await.0, 1000);
}

#[tokio::test]
async fn what_the_server_says_at_its_end_is_told_to_the_caller() {
    let (channel, mut server) = opened().await;
    let calling = tokio::spawn(async move { add(&channel, 7, 3).await });
    server.text().await;
    server.send(CLOSE, b"\x03\xf3the disk is full").await;
    let error = calling.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("1011: the disk is full"), "{error}");
    assert_eq!(server.next().await, Some((CLOSE, b"\x03\xf3".to_vec())));

    let (channel, mut server) = opened().await;
    let calling = tokio::spawn(async move { add(&channel, 7, 3).await });
    server.text().await;
    server.send(CLOSE, b"\x03\xe9").await;
    let error = calling.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("closed before the reply"), "{error}");
}

#[tokio::test]
async fn a_server_that_breaks_the_rules_is_told_so_and_the_caller_as_well() {
    let (channel, mut server) = opened().await;
    let calling = tokio::spawn(async move { add(&channel, 7, 3).await });
    server.text().await;
    server.send(TEXT | 0x40, b"").await;
    let error = calling.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("reserved bit"), "{error}");
    assert_eq!(server.goodbye().await.0, 1002);
}

#[tokio::test]
async fn every_encoding_is_spoken_by_both_ends() {
    let address = serve(Server::new().service(Calc::default())).await;
    for encoding in ["json", "bincode", "xml"] {
        let channel = connect(&format!("{encoding}+ws://{address}/"))
            .await
            .unwrap();
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10);
    }
}
