//! Limits as high as they go, which is how one says that there are none.

use std::time::Duration;

use farcall::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sampler::SamplerClient;
use crate::ways::everywhere;

fn none() -> Limits {
    let mut limits = Limits::default();
    for count in [
        &mut limits.message_bytes,
        &mut limits.items,
        &mut limits.batch_members,
        &mut limits.batch_parallel,
        &mut limits.calls_per_connection,
        &mut limits.calls,
        &mut limits.unsent_bytes,
        &mut limits.stream_bytes,
        &mut limits.connections,
        &mut limits.head_bytes,
        &mut limits.headers,
    ] {
        *count = usize::MAX;
    }
    limits.depth = u16::MAX;
    limits.json_depth = u16::MAX;
    for time in [
        &mut limits.handshake_time,
        &mut limits.head_time,
        &mut limits.body_time,
        &mut limits.write_time,
        &mut limits.silence_time,
        &mut limits.pong_time,
        &mut limits.call_time,
        &mut limits.call_time_max,
    ] {
        *time = Duration::MAX;
    }
    limits
}

#[tokio::test]
async fn both_sides_work_without_any_limit() {
    let everywhere = everywhere("unlimited", none()).await;
    let text = "x".repeat(200_000);
    for address in &everywhere.addresses {
        eprintln!("over {address}");
        let channel = farcall::connect(&address.to_string()).limits(none()).await;
        let client = SamplerClient::new(channel.unwrap());
        assert_eq!(client.text(&text).await.unwrap(), text, "{address}");
        let sums = client.batch((client.add(1, 2), client.add(3, 4))).await;
        let (first, second) = sums.unwrap();
        assert_eq!((first.unwrap(), second.unwrap()), (3, 7), "{address}");
    }
}

#[tokio::test]
async fn a_request_that_comes_in_pieces_is_waited_for() {
    let everywhere = everywhere("patient", none()).await;
    let port = everywhere.port;
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                Content-Type: application/json\r\n";
    let body = r#"{"jsonrpc":"2.0","method":"add","params":[13,7],"id":1}"#;
    let length = format!("Content-Length: {}\r\n\r\n", body.len());
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    let (begin, rest) = body.split_at(9);
    for (framing, end) in [(length, ""), (chunked, "\r\n0\r\n\r\n")] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        for piece in [head, &framing, begin, rest, end] {
            socket.write_all(piece.as_bytes()).await.unwrap();
            socket.flush().await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(r#""result":20"#), "{answer}");
    }
}
