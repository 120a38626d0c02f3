//! JSON-RPC in text messages, as a server answers it.

use farcall_core::limits::Limits;
use farcall_transport::server::Server;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::{ADD, Calc, PING, PONG, Raw, TEN, TEXT, calc, call, frame, serve};

#[tokio::test]
async fn each_message_is_a_text_and_so_is_each_answer() {
    let mut socket = Raw::connect(&calc().await).await;
    assert_eq!(socket.ask(ADD).await, TEN);
    assert_eq!(
        socket.ask(&format!("[{ADD},{ADD}]")).await,
        format!("[{TEN},{TEN}]")
    );
    let pretty = ADD.replace(',', ",\r\n  ");
    assert_eq!(socket.ask(&pretty).await, TEN);
    let transport = socket.ask(&call("transport", 2)).await;
    assert_eq!(transport, r#"{"jsonrpc":"2.0","result":"ws","id":2}"#);
}

#[tokio::test]
async fn answers_that_are_ready_together_come_in_one_write() {
    let mut socket = Raw::connect(&calc().await).await;
    let many = frame(true, TEXT, ADD.as_bytes()).repeat(100);
    socket.io.write_all(&many).await.unwrap();
    for _ in 0..100 {
        assert_eq!(socket.text().await, TEN);
    }
}

#[tokio::test]
async fn a_message_may_come_in_any_pieces_with_pings_between_them() {
    let mut socket = Raw::connect(&calc().await).await;
    let mut kind = 0x01;
    for byte in ADD.as_bytes() {
        for piece in frame(true, kind, &[*byte]) {
            socket.io.write_all(&[piece]).await.unwrap();
            socket.io.flush().await.unwrap();
        }
        kind = 0x00;
        if *byte == b':' {
            socket.send(PING, "still there?").await;
            let pong = socket.next().await.unwrap();
            assert_eq!(pong, (PONG, b"still there?".to_vec()));
        }
    }
    socket.send(0x80, "").await;
    assert_eq!(socket.text().await, TEN);
}

#[tokio::test]
async fn a_message_that_is_no_text_is_a_fault_and_the_next_is_answered() {
    let mut socket = Raw::connect(&calc().await).await;
    for broken in [
        r#"{"jsonrpc":"2.0","method":"add","params":[7,3"#,
        "[1,",
        "\"",
        "nonsense",
        &format!("{ADD}{ADD}"),
        &format!("[\n{{\n{ADD}"),
        "\u{1e}",
        "{\"a\":\"\u{1e}\"}",
    ] {
        let fault = socket.ask(broken).await;
        assert!(fault.contains("-32700"), "{broken}: {fault}");
        assert_eq!(socket.ask(ADD).await, TEN, "behind {broken}");
    }
    // Nothing was asked.
    socket.send(TEXT, "").await;
    socket.send(TEXT, " \r\n").await;
    assert_eq!(socket.ask(ADD).await, TEN);
}

#[tokio::test]
async fn a_message_too_large_is_a_fault_that_names_the_limit_and_the_other_calls_go_on() {
    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    let address = serve(Server::new().service(Calc::default()).limits(limits)).await;
    let mut socket = Raw::connect(&address).await;
    socket.send(TEXT, call("held", 9)).await;
    let large = format!("[\n{}0]", "0,\n".repeat(100_000));
    let fault = socket.ask(&large).await;
    assert!(fault.contains("-32004"), "{fault}");
    assert!(
        fault.contains("1000 bytes (`Limits::message_bytes`)"),
        "{fault}"
    );
    assert_eq!(socket.ask(ADD).await, TEN);
    socket.send(TEXT, call("open", 10)).await;
    let both = [socket.text().await, socket.text().await];
    assert!(
        both.iter().any(|reply| reply.contains(r#""id":9"#)),
        "{both:?}"
    );
}

#[tokio::test]
async fn a_length_that_is_only_claimed_makes_no_room() {
    let mut socket = Raw::connect(&calc().await).await;
    // A frame of 2^62 bytes, of which some come.
    let head = [&[TEXT, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0][..], &[0; 4]].concat();
    socket.io.write_all(&head).await.unwrap();
    socket
        .io
        .write_all(&vec![b'['; 5 * 1024 * 1024])
        .await
        .unwrap();
    let fault = socket.text().await;
    assert!(fault.contains("-32004"), "{fault}");
}

#[tokio::test]
async fn many_pings_and_no_reader_cost_nothing() {
    let address = calc().await;
    let mut socket = Raw::connect(&address).await;
    let pings = frame(true, PING, &[b'x'; 125]).repeat(1000);
    // So much that the answers would fill every buffer in between.
    for _ in 0..200 {
        socket.io.write_all(&pings).await.unwrap();
    }
    socket.send(TEXT, ADD).await;
    let mut pongs = 0;
    let answer = loop {
        let (first, payload) = socket.next().await.unwrap();
        match first {
            PONG => pongs += 1,
            _ => break payload,
        }
    };
    assert_eq!(answer, TEN.as_bytes());
    assert!(pongs > 0);
    let mut other = Raw::open(TcpStream::connect(&address).await.unwrap(), "").await;
    assert_eq!(other.ask(ADD).await, TEN);
}

#[tokio::test]
async fn a_long_answer_comes_in_fragments() {
    let mut socket = Raw::connect(&calc().await).await;
    let answer = socket.ask(&call("long", 1)).await;
    assert!(answer.len() > 300_000);
    assert_eq!(socket.ask(ADD).await, TEN);
}
