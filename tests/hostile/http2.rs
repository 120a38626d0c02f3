//! HTTP/2 by hand: frames that no client of good will sends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use farcall::{Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::beside::GoodCalls;
use crate::service::{Attacked, Counting, TargetServer, WAIT, until};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The head of a POST of JSON to `/`, in HPACK without a table of its own.
fn head() -> Vec<u8> {
    // `:method: POST`, `:scheme: http`, `:path: /` of the static table.
    let mut head = vec![0x83, 0x86, 0x84];
    for (name, value) in [(1, "localhost"), (31, "application/json")] {
        // Without indexing; the index of the name has a prefix of 4 bits.
        match name {
            0..15 => head.push(name),
            _ => head.extend([0x0f, name - 15]),
        }
        head.push(u8::try_from(value.len()).unwrap());
        head.extend(value.as_bytes());
    }
    head
}

/// A call of the stream `id`.
fn call(id: u32) -> Vec<u8> {
    [
        frame(HEADERS, END_HEADERS, id, &head()),
        frame(DATA, END_STREAM, id, WAIT.as_bytes()),
    ]
    .concat()
}

async fn open(attacked: &Attacked) -> TcpStream {
    let mut io = attacked.connect().await;
    io.write_all(PREFACE).await.unwrap();
    io.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    io
}

/// Sends what `next` makes until the server says GOAWAY or closes, and asserts that it does before
/// `most` of them. What it sends meanwhile is read.
async fn assert_ended(attacked: &Attacked, most: u32, mut next: impl FnMut(u32) -> Vec<u8>) {
    let (mut read, mut write) = open(attacked).await.into_split();
    let reading = tokio::spawn(async move {
        let mut head = [0; 9];
        let mut last = None;
        while read.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            if read.read_exact(&mut payload).await.is_err() {
                break;
            }
            if head[3] == GOAWAY {
                last = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
            }
        }
        last
    });
    let mut sent = 0;
    while sent < most && !reading.is_finished() {
        if write.write_all(&next(sent)).await.is_err() {
            break;
        }
        sent += 1;
        tokio::task::yield_now().await;
    }
    drop(write);
    let ended = tokio::time::timeout(Duration::from_secs(30), reading).await;
    let code = ended.expect("it ends").unwrap();
    assert!(sent < most, "{sent} were taken, and the end was {code:?}");
}

#[tokio::test]
async fn a_call_by_hand_is_answered() {
    let attacked = Attacked::with(Limits::default()).await;
    let mut io = open(&attacked).await;
    io.write_all(&call(1)).await.unwrap();
    until("it waits", || {
        attacked.service.waiting.load(Ordering::SeqCst) == 1
    })
    .await;
    let give_up = frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes());
    io.write_all(&give_up).await.unwrap();
    until("it is over", || {
        attacked.service.waiting.load(Ordering::SeqCst) == 0
    })
    .await;
}

/// CVE-2023-44487: each stream is reset at once, so that no limit on their number holds.
#[tokio::test]
async fn streams_that_are_reset_at_once_end_the_connection() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::over(&attacked, &["bincode+tcp", "json+http"]).await;
    assert_ended(&attacked, 20_000, |count| {
        let mut burst = Vec::new();
        for id in count * 50..(count + 1) * 50 {
            let id = id * 2 + 1;
            burst.extend(call(id));
            burst.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        }
        burst
    })
    .await;
    until("none is left", || {
        attacked.service.waiting.load(Ordering::SeqCst) == 0 && attacked.gauges.calls() == 0
    })
    .await;
    good.were_answered().await;
}

/// CVE-2025-8671: the server is made to reset them itself, here by a window that overflows.
#[tokio::test]
async fn streams_that_the_server_must_reset_end_the_connection() {
    const WINDOW_UPDATE: u8 = 8;

    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::over(&attacked, &["bincode+tcp", "json+http"]).await;
    assert_ended(&attacked, 20_000, |count| {
        let id = count * 2 + 1;
        let overflow = frame(WINDOW_UPDATE, 0, id, &0x7fff_ffff_u32.to_be_bytes());
        [call(id), overflow].concat()
    })
    .await;
    until("none is left", || attacked.gauges.calls() == 0).await;
    good.were_answered().await;
}

/// RUSTSEC-2024-0332: a head without an end.
#[tokio::test]
async fn a_head_that_goes_on_and_on_ends_the_connection() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::over(&attacked, &["bincode+tcp", "json+http"]).await;
    // A header of 8 KiB in each frame; the limit of a head is 32 KiB.
    let mut header = vec![0x00, 1, b'x', 0x7f, 0x81, 0x3f];
    header.extend([b'y'; 8192]);
    assert_ended(&attacked, 1000, |count| match count {
        0 => frame(HEADERS, 0, 1, &head()),
        _ => frame(CONTINUATION, 0, 1, &header),
    })
    .await;
    // Frames without anything in them.
    assert_ended(&attacked, 1_000_000, |count| match count {
        0 => frame(HEADERS, 0, 1, &head()),
        _ => frame(CONTINUATION, 0, 1, &[]).repeat(100),
    })
    .await;
    good.were_answered().await;
}

/// CVE-2019-9512 and its kin: what must be answered, and is not read.
#[tokio::test]
async fn pings_and_settings_whose_answers_nobody_reads_are_not_kept() {
    let mut limits = Limits::default();
    limits.write_time = Duration::from_secs(1);
    let attacked = Attacked::with(limits).await;
    let good = GoodCalls::over(&attacked, &["bincode+tcp", "json+http"]).await;
    for rude in [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[])] {
        let mut io = open(&attacked).await;
        let many = rude.repeat(10_000);
        let mut taken = 0;
        let is_ended = loop {
            let write = io.write_all(&many);
            match tokio::time::timeout(Duration::from_secs(30), write).await {
                Ok(Ok(())) => taken += many.len(),
                Ok(Err(_)) => break true,
                Err(_) => break false,
            }
            if taken > 256 << 20 {
                break false;
            }
        };
        assert!(is_ended, "{taken} bytes were taken, and it is open still");
    }
    good.were_answered().await;
}

/// A call of `hidden`, which counts how often it ran.
fn hidden(id: u32) -> Vec<u8> {
    let body = br#"{"jsonrpc":"2.0","method":"hidden","id":1}"#;
    [
        frame(HEADERS, END_HEADERS, id, &head()),
        frame(DATA, END_STREAM, id, body),
    ]
    .concat()
}

#[tokio::test]
async fn answers_that_nobody_makes_room_for_are_few_and_not_kept_for_ever() {
    let mut limits = Limits::default();
    limits.write_time = Duration::from_secs(1);
    limits.unsent_bytes = 1000;
    let attacked = Attacked::with(limits).await;
    let good = GoodCalls::beside(&attacked).await;
    let mut io = open(&attacked).await;
    // SETTINGS_INITIAL_WINDOW_SIZE: nothing may be sent.
    io.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]))
        .await
        .unwrap();
    for call in 0..200 {
        io.write_all(&hidden(2 * call + 1)).await.unwrap();
    }
    let mut said = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), io.read_to_end(&mut said));
    let _ = closed.await.expect("it is closed");
    // Some forty bytes each; one may be in hand on each thread.
    let ran = attacked.service.hidden.load(Ordering::SeqCst);
    assert!((20..50).contains(&ran), "{ran} ran");
    good.were_answered().await;
}

#[tokio::test]
async fn a_client_that_hears_nothing_does_not_hold_up_the_end() {
    let server = Server::new().service(TargetServer::new(Counting::default()));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(PREFACE).await.unwrap();
    io.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    io.write_all(&hidden(1)).await.unwrap();
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("result") {
        assert!(io.read_buf(&mut said).await.unwrap() > 0);
    }
    // It answers no ping from now on.
    drop(end);
    let report = tokio::time::timeout(Duration::from_secs(20), running);
    let report = report.await.expect("it ends long before the grace");
    assert!(!report.unwrap().forced);
}
