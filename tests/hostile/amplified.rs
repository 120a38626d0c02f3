//! Little that asks for much.

use std::sync::atomic::Ordering;

use farcall::{Limits, code};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::beside::GoodCalls;
use crate::service::{ADD, Attacked, HELLO, WAIT, native_request, post, until};

/// Asserts that `request` is refused by one answer that is small beside it, with these words.
async fn assert_refused(attacked: &Attacked, request: &str, words: &str) {
    let said = attacked.ask(request.as_bytes()).await;
    let most = 8 * request.len().min(1000) + 4096;
    assert!(said.len() <= most, "{} bytes", said.len());
    assert!(said.contains(words), "{said}");
}

#[tokio::test]
async fn a_batch_that_is_too_long_is_one_error() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::beside(&attacked).await;
    let too_many = "more than 1000 members (`Limits::batch_members`)";
    for member in [ADD, "1", "[]", "{}", "null", "\"\""] {
        for count in [1001, 100_000] {
            let batch = format!("[{}]", vec![member; count].join(","));
            if batch.len() > 4 << 20 {
                continue;
            }
            assert_refused(&attacked, &post("Connection: close\r\n", &batch), too_many).await;
            let mut io = attacked.connect().await;
            io.write_all(batch.as_bytes()).await.unwrap();
            io.shutdown().await.unwrap();
            let said = crate::service::rest(&mut io).await;
            assert!(said.len() < 1000 && said.contains(too_many), "{said}");
        }
    }
    good.were_answered().await;
}

fn multicall(members: &str) -> String {
    let body = format!(
        "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>{members}\
         </data></array></value></param></params></methodCall>"
    );
    post("Connection: close\r\n", &body).replace("application/json", "text/xml")
}

#[tokio::test]
async fn a_multicall_that_is_too_long_is_one_fault_and_none_holds_another() {
    let attacked = Attacked::with(Limits::default()).await;
    let call = |name: &str| {
        format!(
            "<value><struct><member><name>methodName</name><value>{name}</value></member><member>\
             <name>params</name><value><array><data/></array></value></member></struct></value>"
        )
    };
    for (member, count) in [(call("hidden"), 1001), ("<value/>".to_owned(), 100_000)] {
        let too_many = format!("{count} calls in one; the limit is 1000 (`Limits::batch_members`)");
        assert_refused(&attacked, &multicall(&member.repeat(count)), &too_many).await;
    }
    assert_eq!(attacked.service.hidden.load(Ordering::SeqCst), 0);
    let nested = multicall(&call("system.multicall"));
    assert_refused(&attacked, &nested, "a multicall may not hold another").await;
}

/// The members of batches count as the calls that they are.
#[tokio::test]
async fn batches_on_one_connection_have_no_more_calls_than_it_may() {
    no_more_calls_than_it_may(&format!("[{}]\n", vec![WAIT; 1000].join(","))).await;
}

#[tokio::test]
async fn multicalls_on_one_connection_have_no_more_calls_than_it_may() {
    let members = vec![r#"{"methodName":"wait","params":[]}"#; 1000].join(",");
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"system.multicall","params":[["#;
    no_more_calls_than_it_may(&format!("{call}{members}]]}}\n")).await;
}

#[tokio::test]
async fn a_batch_holds_no_multicall() {
    let attacked = Attacked::with(Limits::default()).await;
    let member = r#"{"jsonrpc":"2.0","id":1,"method":"system.multicall","params":[[{"methodName":"hidden"}]]}"#;
    let batch = post("Connection: close\r\n", &format!("[{member}]"));
    assert_refused(&attacked, &batch, "a batch may not hold a multicall").await;
    assert_eq!(attacked.service.hidden.load(Ordering::SeqCst), 0);
}

async fn no_more_calls_than_it_may(batch: &str) {
    let mut limits = Limits::default();
    limits.calls_per_connection = 100;
    let attacked = Attacked::with(limits).await;
    let good = GoodCalls::beside(&attacked).await;
    let mut io = attacked.connect().await;
    for _ in 0..50 {
        io.write_all(batch.as_bytes()).await.unwrap();
    }
    let mut said = Vec::new();
    let refused = |said: &[u8]| said.iter().filter(|byte| **byte == b'\n').count();
    while refused(&said) < 48 {
        assert!(io.read_buf(&mut said).await.unwrap() > 0);
    }
    let said = String::from_utf8(said).unwrap();
    for line in said.lines() {
        assert!(line.contains("Limits::calls_per_connection"), "{line}");
        assert!(line.contains(&code::OVERLOADED.to_string()), "{line}");
    }
    // Of one batch 64 at a time, of the next as many as there are places left.
    let begun = attacked.service.begun.load(Ordering::SeqCst);
    assert_eq!(begun, 100);
    io.set_zero_linger().unwrap();
    drop(io);
    until("they are over", || {
        attacked.service.waiting.load(Ordering::SeqCst) == 0 && attacked.gauges.calls() == 0
    })
    .await;
    good.were_answered().await;
}

#[tokio::test]
async fn requests_on_one_connection_are_no_more_than_it_may_have() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::beside(&attacked).await;
    let mut io = attacked.connect().await;
    let mut requests = HELLO.to_vec();
    for id in 0..100_000 {
        requests.extend(native_request(id, "wait"));
    }
    let (mut read, mut write) = io.split();
    let mut said = [0; 64 * 1024];
    let mut answered = 0;
    let reading = async {
        // A fault of each that was not taken, which has 16 bytes of head and some of words.
        while answered < 90_000 * 16 {
            answered += read.read(&mut said).await.unwrap();
        }
    };
    let (written, ()) = tokio::join!(write.write_all(&requests), reading);
    written.unwrap();
    assert_eq!(attacked.service.waiting.load(Ordering::SeqCst), 1024);
    io.set_zero_linger().unwrap();
    drop(io);
    until("they are over", || attacked.gauges.calls() == 0).await;
    good.were_answered().await;
}
