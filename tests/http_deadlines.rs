//! A deadline that passes over HTTP ends the call it belongs to, and is answered as that call.

use std::time::Duration;

use farcall::{Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[farcall::service]
trait Clock {
    async fn now(&self) -> u32;
    async fn never(&self) -> u32;
}

struct Stopped;

impl Clock for Stopped {
    async fn now(&self) -> u32 {
        12
    }
    async fn never(&self) -> u32 {
        std::future::pending().await
    }
}

/// What is answered to a POST with these headers and this body.
async fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let (mut mine, theirs) = tokio::io::duplex(4096);
    tokio::spawn(
        Server::new()
            .service(ClockServer::new(Stopped))
            .serve_stream(theirs),
    );
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    mine.write_all(head.as_bytes()).await.unwrap();
    mine.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    mine.read_to_end(&mut answer).await.unwrap();
    let body = answer
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .unwrap()
        + 4;
    answer.split_off(body)
}

const JSON: &str = "Content-Type: application/json\r\nfarcall-timeout-ms: 50\r\n";

#[tokio::test(start_paused = true)]
async fn the_fault_has_the_id_and_the_form_of_its_request() {
    for (request, id) in [
        (
            r#"{"jsonrpc":"2.0","method":"never","params":[],"id":1}"#,
            r#""id":1}"#,
        ),
        (
            r#"{"id":"a","method":"never","jsonrpc":"2.0"}"#,
            r#""id":"a"}"#,
        ),
        (
            r#"{"method":"never","params":[],"id":9}"#,
            r#""result":null,"#,
        ),
    ] {
        let answer = String::from_utf8(post(JSON, request.as_bytes()).await).unwrap();
        assert!(answer.contains("-32001") && answer.contains(id), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_member_of_a_batch_is_late_alone() {
    let batch =
        br#"[{"jsonrpc":"2.0","method":"never","id":1},{"jsonrpc":"2.0","method":"now","id":2}]"#;
    let answer = String::from_utf8(post(JSON, batch).await).unwrap();
    assert!(
        answer.starts_with(r#"[{"jsonrpc":"2.0","error":{"code":-32001"#),
        "{answer}"
    );
    assert!(
        answer.ends_with(r#"{"jsonrpc":"2.0","result":12,"id":2}]"#),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_time_in_a_native_frame_counts_too() {
    let method = ClockClient::METHODS
        .iter()
        .find(|method| method.name == "never")
        .unwrap();
    let mut frame = vec![8, 0, 0, 0, 1, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&method.hash.to_le_bytes());
    frame.extend_from_slice(&100_u32.to_le_bytes());
    let started = tokio::time::Instant::now();
    let answer = post("Content-Type: application/vnd.farcall.bincode\r\n", &frame).await;
    assert_eq!(started.elapsed().as_millis() / 100, 1);
    assert_eq!(
        (answer[4], answer[8]),
        (3, 77),
        "a fault frame with the request's id"
    );
    assert_eq!(answer[16..20], (-32001_i32).to_le_bytes());
}

#[tokio::test(start_paused = true)]
async fn a_method_whose_time_is_over_does_not_run() {
    let headers = JSON.replace("50", "0");
    let answer = post(&headers, br#"{"jsonrpc":"2.0","method":"now","id":1}"#).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.contains("-32001") && answer.contains(r#""id":1"#),
        "{answer}"
    );
}

#[tokio::test]
async fn what_was_answered_leaves_before_what_is_broken() {
    let (mut mine, theirs) = tokio::io::duplex(4096);
    tokio::spawn(
        Server::new()
            .service(ClockServer::new(Stopped))
            .serve_stream(theirs),
    );
    let body = r#"{"jsonrpc":"2.0","method":"now","id":1}"#;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \
         {}\r\n\r\n{body}JUNK\r\n\r\n",
        body.len()
    );
    mine.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = tokio::time::timeout(Duration::from_secs(20), mine.read_to_string(&mut answer));
    reading.await.unwrap().unwrap();
    assert!(answer.contains(r#""result":12"#), "{answer}");
    assert!(answer.contains("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_more_time_than_there_is_is_told_how_much_there_is() {
    let mut limits = Limits::default();
    limits.call_time_max = Duration::from_secs(60);
    let server = Server::new().limits(limits);
    let listening = server
        .service(ClockServer::new(Stopped))
        .listen("mem://patient")
        .await
        .unwrap();
    tokio::spawn(listening.run());
    let begun = tokio::time::Instant::now();
    let client = ClockClient::connect("mem://patient").await.unwrap();
    let call = client.never().timeout(Duration::from_secs(3600));
    let error = call.await.unwrap_err();
    assert!(error.is_timeout() && begun.elapsed() < Duration::from_secs(70));
    let words = error.to_string();
    assert!(
        words.contains("60s after the call came, the most here (`Limits::call_time_max`)"),
        "{words}"
    );
}
