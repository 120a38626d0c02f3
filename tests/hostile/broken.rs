//! Who breaks off, or closes one half.

use std::sync::atomic::Ordering;
use std::time::Duration;

use farcall::Limits;
use tokio::io::AsyncWriteExt;

use crate::beside::GoodCalls;
use crate::service::{ADD, Attacked, HELLO, WAIT, native_request, post, rest, until};

const MANY: usize = 100;

#[tokio::test]
async fn who_resets_the_connection_ends_its_calls_and_no_others() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::beside(&attacked).await;
    let held = attacked.gauges.connections();
    let native = [&HELLO[..], &native_request(1, "wait")].concat();
    let half = post("", ADD);
    for (request, is_whole) in [
        (native.clone(), true),
        (format!("{WAIT}\n").into_bytes(), true),
        (format!("[{WAIT},{WAIT}]\n").into_bytes(), true),
        (post("", WAIT).into_bytes(), true),
        (post("Connection: close\r\n", WAIT).into_bytes(), true),
        (native[..native.len() - 3].to_vec(), false),
        (half.as_bytes()[..half.len() - 9].to_vec(), false),
        (b"POST / HT".to_vec(), false),
    ] {
        let begun = attacked.service.begun.load(Ordering::SeqCst);
        let mut open = Vec::new();
        for _ in 0..MANY {
            let mut io = attacked.connect().await;
            io.write_all(&request).await.unwrap();
            open.push(io);
        }
        if is_whole {
            until("their calls have begun", || {
                attacked.service.begun.load(Ordering::SeqCst) >= begun + MANY
            })
            .await;
        }
        for io in open {
            io.set_zero_linger().unwrap();
            drop(io);
        }
        until("their calls are over", || {
            attacked.service.waiting.load(Ordering::SeqCst) == 0 && attacked.gauges.calls() == 0
        })
        .await;
    }
    until("their places are free", || {
        attacked.gauges.connections() <= held
    })
    .await;
    good.were_answered().await;
}

#[tokio::test]
async fn who_closes_one_half_is_answered_what_it_asked() {
    let attacked = Attacked::with(Limits::default()).await;
    let native = [&HELLO[..], &native_request(9, "hidden")].concat();
    for (request, answer) in [
        (native, ""),
        (ADD.as_bytes().to_vec(), "10"),
        (format!("[{ADD},{ADD}]").into_bytes(), "10"),
        (post("", ADD).into_bytes(), "10"),
        (post("Connection: close\r\n", ADD).into_bytes(), "10"),
    ] {
        let mut io = attacked.connect().await;
        io.write_all(&request).await.unwrap();
        io.shutdown().await.unwrap();
        let said = rest(&mut io).await;
        assert!(said.contains(answer) && said.len() > 20, "{said}");
    }
    let hidden = attacked.service.hidden.load(Ordering::SeqCst);
    assert_eq!(hidden, 1, "the native call ran");
    until("nobody is held", || attacked.gauges.connections() == 0).await;
}

#[tokio::test]
async fn who_comes_and_goes_without_a_word_leaves_nothing() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::beside(&attacked).await;
    let held = attacked.gauges.connections();
    for round in 0..2000 {
        let io = attacked.connect().await;
        if round % 2 == 0 {
            io.set_zero_linger().unwrap();
        }
        drop(io);
    }
    until("their places are free", || {
        attacked.gauges.connections() <= held
    })
    .await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    good.were_answered().await;
}

/// What a page makes a browser send could stand behind a line that somebody else chose.
#[tokio::test]
async fn http_behind_a_blank_line_is_not_skipped_until_something_fits() {
    let attacked = Attacked::with(Limits::default()).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"hidden"}"#;
    let limit = Limits::default().message_bytes;
    // The line of the request is the one in which a text is too long.
    let long = format!("[{}\n", "1,".repeat(limit / 2 - 4));
    let blank = format!("[{}\n{}", "1,".repeat(limit / 2 - 4), " ".repeat(20));
    let starts = [
        "\r\n",
        "{}\n",
        "[\r\n",
        "[1,\n",
        "[1,\n  \t",
        "{\"a\n",
        "\"x\r\n",
        "{\n\n",
        "[1,\n2\n,\n",
        &long,
        &blank,
    ];
    let request = post("Origin: https://evil.example\r\n", body);
    let line = |method: &str| format!("{method}\r\nHost: x\r\n\r\n{body}");
    let others = [
        "PRI * HTTP/2.0",
        "PROPFIND / HTTP/1.1",
        "M-SEARCH * HTTP/1.1",
    ]
    .map(line);
    let behind = |start: &str| format!("{start}{request}\n");
    let all = starts.map(behind).into_iter();
    for all in all.chain(others.map(|other| format!("[\n{other}\n"))) {
        let mut io = attacked.connect().await;
        let _ = io.write_all(all.as_bytes()).await;
        let said = rest(&mut io).await;
        assert!(
            said.contains("HTTP where a JSON-RPC message was expected")
                || said.contains("that is not spoken here"),
            "{said}"
        );
    }
    assert_eq!(attacked.service.hidden.load(Ordering::SeqCst), 0);
}
