//! More connections, and more calls, than there is room for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use farcall::{Limits, code};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::beside::GoodCalls;
use crate::service::{ADD, Attacked, HELLO, TEN, TargetClient, WAIT, post, rest, until};

/// Longer than the test.
const LONG: Duration = Duration::from_secs(600);

fn connections(most: usize) -> Limits {
    let mut limits = Limits::default();
    limits.connections = most;
    limits
}

fn calls(most: usize) -> Limits {
    let mut limits = Limits::default();
    limits.calls = most;
    limits
}

#[tokio::test]
async fn idle_strangers_make_room_for_those_who_call() {
    let attacked = Attacked::with(connections(50)).await;
    let good = GoodCalls::over(&attacked, &["bincode+tcp", "json+tcp"]).await;
    let mut open = Vec::new();
    for start in [
        &b""[..],
        b"POST / HTTP",
        &HELLO[..],
        b"{\"json",
        b"\x16\x03",
    ] {
        for _ in 0..100 {
            let mut io = attacked.connect().await;
            io.write_all(start).await.unwrap();
            open.push(io);
        }
        // Somebody new is served at once.
        let mut io = attacked.connect().await;
        let one = post("Connection: close\r\n", ADD);
        io.write_all(one.as_bytes()).await.unwrap();
        let said = rest(&mut io).await;
        assert!(said.ends_with(TEN), "{said}");
        assert!(attacked.gauges.connections() <= 50 + 16);
    }
    assert!(attacked.gauges.evicted() > 400);
    good.were_answered().await;
    // The first of them were closed long ago.
    assert_eq!(open[0].read(&mut [0; 9]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn of_those_who_called_the_one_that_was_silent_longest_makes_room() {
    let attacked = Attacked::with(connections(4)).await;
    let mut known = Vec::new();
    for _ in 0..4 {
        let mut io = attacked.connect().await;
        io.write_all(format!("{ADD}\n").as_bytes()).await.unwrap();
        io.read_exact(&mut [0; TEN.len() + 1]).await.unwrap();
        known.push(io);
    }
    let mut fifth = attacked.connect().await;
    fifth
        .write_all(format!("{ADD}\n").as_bytes())
        .await
        .unwrap();
    fifth.read_exact(&mut [0; TEN.len() + 1]).await.unwrap();
    let going_away = "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.goingAway\"}\n";
    assert_eq!(rest(&mut known[0]).await, going_away);
    for io in &mut known[1..] {
        io.write_all(format!("{ADD}\n").as_bytes()).await.unwrap();
        io.read_exact(&mut [0; TEN.len() + 1]).await.unwrap();
    }
    assert_eq!(attacked.gauges.evicted(), 1);
}

/// A half of a request is no call, whoever reads it: plain requests or hyper.
#[tokio::test]
async fn who_sends_half_a_request_makes_room() {
    let attacked = Attacked::with(connections(2)).await;
    let plain = post("", ADD);
    let other = plain.replace("POST / ", "POST /{ ");
    for request in [plain, other] {
        let half = &request.as_bytes()[..request.len() - 9];
        let mut slow = Vec::new();
        for _ in 0..2 {
            let mut io = attacked.connect().await;
            // It called before.
            io.write_all(request.as_bytes()).await.unwrap();
            io.read_buf(&mut Vec::new()).await.unwrap();
            io.write_all(half).await.unwrap();
            slow.push(io);
        }
        let client = attacked.client("bincode+tcp").await;
        assert_eq!(client.add(7, 3).await.unwrap(), 10);
        rest(&mut slow[0]).await;
    }
}

#[tokio::test]
async fn where_all_places_call_a_stranger_is_told_which_limit_that_is() {
    let attacked = Attacked::with(connections(3)).await;
    let mut busy = Vec::new();
    for request in [
        format!("{WAIT}\n"),
        post("", WAIT),
        post("Connection: close\r\n", WAIT),
    ] {
        let mut io = attacked.connect().await;
        io.write_all(request.as_bytes()).await.unwrap();
        busy.push(io);
    }
    until("they wait", || {
        attacked.service.waiting.load(Ordering::SeqCst) == 3
    })
    .await;
    let words = "3 connections are open, the most there may be (`Limits::connections`)";
    for (request, start) in [
        (
            post("", ADD).into_bytes(),
            "HTTP/1.1 503 Service Unavailable",
        ),
        (
            ADD.as_bytes().to_vec(),
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32003",
        ),
        (HELLO.to_vec(), ""),
    ] {
        let said = attacked.ask(&request).await;
        assert!(said.starts_with(start) && said.contains(words), "{said}");
    }
    let address = format!("tcp://{}", attacked.address);
    let refused = match TargetClient::connect(&address).await {
        Ok(client) => client.add(7, 3).await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(refused.contains("Limits::connections"), "{refused}");
    assert_eq!(attacked.service.waiting.load(Ordering::SeqCst), 3);
    // One leaves.
    busy.pop();
    until("there is room", || attacked.gauges.connections() == 2).await;
    assert!(
        attacked
            .ask(post("Connection: close\r\n", ADD).as_bytes())
            .await
            .ends_with(TEN)
    );
}

#[tokio::test]
async fn beyond_the_most_calls_one_more_is_refused_in_every_protocol_and_others_go_on() {
    let attacked = Attacked::with(calls(2)).await;
    let (first, second) = (
        attacked.client("bincode+tcp").await,
        attacked.client("json+http").await,
    );
    let waiting = [
        tokio::spawn(async move { first.wait().timeout(LONG).await }),
        tokio::spawn(async move { second.wait().timeout(LONG).await }),
    ];
    until("they wait", || {
        attacked.service.waiting.load(Ordering::SeqCst) == 2
    })
    .await;
    assert_eq!(attacked.gauges.calls(), 2);
    let words = "the server has 2 calls in flight, the most it takes (`Limits::calls`)";
    for way in [
        "bincode+tcp",
        "json+tcp",
        "xml+tcp",
        "json+http",
        "xml+http",
        "bincode+http",
        "json+ws",
        "bincode+ws",
    ] {
        let client = attacked.client(way).await;
        let error = client.add(7, 3).await.unwrap_err();
        assert!(error.to_string().contains(words), "{way}: {error}");
        assert!(error.is_retryable(), "{way}: it did not run");
        // A batch is calls as well.
        let batch = client.batch((client.add(1, 2), client.add(3, 4))).await;
        let said = match batch {
            Ok((one, two)) => format!("{} {}", one.unwrap_err(), two.unwrap_err()),
            Err(error) => format!("{error} {error}"),
        };
        assert_eq!(said.matches("Limits::calls").count(), 2, "{way}: {said}");
    }
    let multicall = "<methodCall><methodName>system.multicall</methodName><params><param><value><array>\
                     <data/></array></value></param></params></methodCall>";
    let multicall =
        post("Connection: close\r\n", multicall).replace("application/json", "text/xml");
    let ticks = r#"{"jsonrpc":"2.0","method":"ticks","id":1}"#;
    let events = post("Accept: text/event-stream\r\nConnection: close\r\n", ticks);
    for request in [multicall, events] {
        let said = attacked.ask(request.as_bytes()).await;
        assert!(said.contains("Limits::calls"), "{said}");
        assert!(said.contains(&code::OVERLOADED.to_string()), "{said}");
    }
    for call in waiting {
        call.abort();
    }
    until("there is room", || attacked.gauges.calls() == 0).await;
    assert_eq!(
        attacked.client("xml+http").await.add(7, 3).await.unwrap(),
        10
    );
}

#[tokio::test]
async fn a_place_is_kept_by_a_stream_as_long_as_it_runs() {
    use futures_util::StreamExt;

    let attacked = Attacked::with(connections(2)).await;
    let mut streams = Vec::new();
    for way in ["bincode+tcp", "json+http"] {
        let client = attacked.client(way).await;
        streams.push((client.ticks().await.unwrap(), client));
    }
    until("they run", || attacked.gauges.calls() == 2).await;
    for _ in 0..20 {
        let said = attacked.ask(post("", ADD).as_bytes()).await;
        assert!(said.contains("Limits::connections"), "{said}");
    }
    for (stream, _) in &mut streams {
        let next = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
        assert!(next.is_err(), "it is open, and silent");
    }
}
