//! How long a connection is waited for, and what ends it: the same whether its requests are plain
//! or hyper's.

use farcall_transport::server::Report;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, timeout};

use super::plain::{JSON, begin, begun};
use super::*;

const WAIT: &str = r#"{"jsonrpc":"2.0","method":"wait","id":1}"#;
const HELD: &str = r#"{"jsonrpc":"2.0","method":"held","id":1}"#;
const LONG: &str = r#"{"jsonrpc":"2.0","method":"long","id":1}"#;
const FOUR: &str = r#"{"jsonrpc":"2.0","result":4,"id":1}"#;

/// The head of a call without its body.
fn head() -> String {
    post(JSON, ADD).replace(ADD, "")
}

#[tokio::test(start_paused = true)]
async fn a_head_and_a_body_have_their_time() {
    let limits = Limits::default();
    for (start, time) in [
        (String::new(), limits.head_time),
        ("POST / HT".to_owned(), limits.head_time),
        (head() + "[", limits.body_time),
    ] {
        for by_hyper in [false, true] {
            let (mut io, serving) = begun(Calc::default(), 1024, by_hyper).await;
            let began = Instant::now();
            io.write_all(start.as_bytes()).await.unwrap();
            let mut answer = String::new();
            io.read_to_string(&mut answer).await.unwrap();
            serving.await.unwrap();
            let waited = began.elapsed();
            assert!(waited >= time && waited < time * 2, "{start}: {waited:?}");
            // To somebody who said nothing there is nothing to say.
            let is_told = answer.starts_with("HTTP/1.1 408 ") && answer.contains("10s (`Limits::");
            assert_eq!(is_told, !start.is_empty(), "{start}: {answer}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_slowly_but_does_come_is_waited_for() {
    let limits = Limits::default();
    for by_hyper in [false, true] {
        let (mut io, _serving) = begun(Calc::default(), 1024, by_hyper).await;
        for _ in 0..3 {
            advance(limits.head_time * 9 / 10).await;
            io.write_all(head().as_bytes()).await.unwrap();
            for piece in ADD.as_bytes().chunks(9) {
                advance(limits.body_time * 9 / 10).await;
                io.write_all(piece).await.unwrap();
            }
            assert_eq!(response(&mut io).await.1, TEN);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_ends_the_call() {
    for by_hyper in [false, true] {
        let calc = Calc::default();
        let (mut io, serving) = begun(calc.clone(), 1024, by_hyper).await;
        let began = Instant::now();
        io.write_all(post(JSON, WAIT).as_bytes()).await.unwrap();
        calc.started.notified().await;
        drop(io);
        calc.dropped.notified().await;
        serving.await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_closes_one_half_is_answered_for_a_moment() {
    for by_hyper in [false, true] {
        for is_let_go in [true, false] {
            let calc = Calc::default();
            let (mut io, serving) = begun(calc.clone(), 1024, by_hyper).await;
            io.write_all(post(JSON, HELD).as_bytes()).await.unwrap();
            calc.started.notified().await;
            let began = Instant::now();
            io.shutdown().await.unwrap();
            if is_let_go {
                // The server sees first that it is closed.
                tokio::task::yield_now().await;
                advance(Duration::from_millis(900)).await;
                calc.open.notify_one();
            }
            let mut answer = String::new();
            io.read_to_string(&mut answer).await.unwrap();
            serving.await.unwrap();
            assert_eq!(answer.contains(FOUR), is_let_go, "{answer}");
            let waited = began.elapsed();
            assert!(waited < Duration::from_millis(1100), "{waited:?}");
        }
    }
}

/// A server that drains when it is told to.
async fn ending(calc: Calc, grace: Duration) -> (String, oneshot::Sender<()>, JoinHandle<Report>) {
    let server = Server::new().service(calc);
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let listening = listening.grace(grace);
    let address = listening.local_addr().unwrap().to_string();
    let (end, ended) = oneshot::channel();
    let running = tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    (address, end, running)
}

#[tokio::test]
async fn a_server_that_drains_answers_what_it_took_and_says_it_closes() {
    for by_hyper in [false, true] {
        let calc = Calc::default();
        let (address, end, running) = ending(calc.clone(), Duration::from_secs(60)).await;
        let connect = async || {
            let mut io = TcpStream::connect(&address).await.unwrap();
            begin(&mut io, by_hyper).await;
            io
        };
        let (mut idle, mut sending, mut waiting) =
            (connect().await, connect().await, connect().await);
        sending.write_all(head().as_bytes()).await.unwrap();
        // What is behind a call is none that was taken.
        let calls = post(JSON, HELD) + &post(JSON, ADD);
        waiting.write_all(calls.as_bytes()).await.unwrap();
        calc.started.notified().await;
        end.send(()).unwrap();
        let mut nothing = Vec::new();
        idle.read_to_end(&mut nothing).await.unwrap();
        assert!(nothing.is_empty());
        sending.write_all(ADD.as_bytes()).await.unwrap();
        calc.open.notify_one();
        for (io, expected) in [(&mut sending, TEN), (&mut waiting, FOUR)] {
            let (head, body) = response(io).await;
            assert!(head.contains("connection: close"), "{head}");
            assert_eq!(body, expected);
            assert_eq!(io.read(&mut [0]).await.unwrap(), 0);
        }
        assert!(!running.await.unwrap().forced);
    }
}

#[tokio::test]
async fn a_server_that_drains_waits_for_the_rest_of_a_head() {
    let (address, end, running) = ending(Calc::default(), Duration::from_secs(60)).await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    begin(&mut io, false).await;
    let request = post(JSON, ADD);
    let (start, rest) = request.split_at(9);
    io.write_all(start.as_bytes()).await.unwrap();
    // What came before this was read before it is answered.
    let mut idle = TcpStream::connect(&address).await.unwrap();
    begin(&mut idle, false).await;
    end.send(()).unwrap();
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    let (head, body) = ask(&mut io, rest).await;
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(body, TEN);
    assert!(!running.await.unwrap().forced);
}

#[tokio::test]
async fn a_request_that_is_not_all_there_as_the_server_ends_is_told_that_it_did_not_run() {
    let in_head = "POST / HTTP/1.1\r\nX: ".to_owned();
    for (start, by_hyper) in [(in_head, false), (head(), false), (head(), true)] {
        for drips in [false, true] {
            let (address, end, running) = ending(Calc::default(), Duration::from_secs(60)).await;
            let mut io = TcpStream::connect(&address).await.unwrap();
            begin(&mut io, by_hyper).await;
            io.write_all(start.as_bytes()).await.unwrap();
            // What came before this was read before it is answered.
            let mut idle = TcpStream::connect(&address).await.unwrap();
            begin(&mut idle, by_hyper).await;
            let began = Instant::now();
            end.send(()).unwrap();
            let (mut read, mut write) = io.into_split();
            let dripping = tokio::spawn(async move {
                while drips && write.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                // It stays open.
                std::future::pending::<()>().await;
                drop(write);
            });
            let mut said = Vec::new();
            while matches!(read.read_buf(&mut said).await, Ok(count) if count > 0) {}
            let said = String::from_utf8(said).unwrap();
            assert!(said.starts_with("HTTP/1.1 503 "), "{start}: {said}");
            assert!(said.contains("farcall-going-away: 1"), "{said}");
            assert!(said.contains("connection: close"), "{said}");
            assert!(!running.await.unwrap().forced);
            assert!(began.elapsed() < Duration::from_secs(8), "{start}");
            dripping.abort();
        }
    }
}

#[tokio::test]
async fn a_first_head_that_is_not_all_there_holds_no_end_up() {
    let (address, end, running) = ending(Calc::default(), Duration::from_secs(60)).await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    io.write_all(b"GET / HTTP/1.1\r\nX: y").await.unwrap();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    begin(&mut idle, true).await;
    let began = Instant::now();
    end.send(()).unwrap();
    assert_eq!(io.read(&mut [0]).await.unwrap(), 0);
    assert!(!running.await.unwrap().forced);
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_server_whose_grace_is_over_drops_what_it_took() {
    for by_hyper in [false, true] {
        let calc = Calc::default();
        let (address, end, running) = ending(calc.clone(), Duration::ZERO).await;
        let mut io = TcpStream::connect(&address).await.unwrap();
        begin(&mut io, by_hyper).await;
        io.write_all(post(JSON, WAIT).as_bytes()).await.unwrap();
        calc.started.notified().await;
        end.send(()).unwrap();
        calc.dropped.notified().await;
        assert!(running.await.unwrap().forced);
    }
}

/// Sends `request` again and again until nothing more is taken. How many bytes were.
async fn taken(io: &mut DuplexStream, request: &str) -> usize {
    let mut taken = 0;
    // 128 MiB, if all of it were taken.
    while taken < 128 * 1024 * 1024 && io.write_all(request.as_bytes()).await.is_ok() {
        taken += request.len();
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn whoever_sends_and_never_reads_is_not_read_from_for_ever() {
    let time = Limits::default().write_time;
    for by_hyper in [false, true] {
        for length in [10, 1_000, 30_000] {
            let text = "x".repeat(length);
            let echo = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{text}"],"id":1}}"#);
            let (mut io, serving) = begun(Calc::default(), 1024, by_hyper).await;
            let began = Instant::now();
            let taken = taken(&mut io, &post(JSON, &echo)).await;
            assert!(taken < 512 * 1024, "{taken} bytes were taken");
            serving.await.unwrap();
            let waited = began.elapsed();
            assert!(waited >= time && waited < time * 2, "{waited:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_do_not_gather() {
    for by_hyper in [false, true] {
        let calc = Calc::default();
        let (mut io, _serving) = begun(calc.clone(), 256 * 1024, by_hyper).await;
        // What comes behind a large request is read with its end.
        let large = post(JSON, &(" ".repeat(100_000) + ADD));
        let requests = large + &post(JSON, LONG).repeat(50) + &post(JSON, HELD);
        io.write_all(requests.as_bytes()).await.unwrap();
        let last = timeout(Duration::from_secs(1), calc.started.notified());
        assert!(last.await.is_err(), "50 answers were held ahead of it");
    }
}

#[tokio::test(start_paused = true)]
async fn behind_a_call_that_waits_little_is_read() {
    for by_hyper in [false, true] {
        let calc = Calc::default();
        let (mut io, _serving) = begun(calc.clone(), 1024, by_hyper).await;
        io.write_all(post(JSON, WAIT).as_bytes()).await.unwrap();
        calc.started.notified().await;
        let mut sent = 0;
        let request = post(JSON, ADD);
        let sending = async {
            loop {
                io.write_all(request.as_bytes()).await.unwrap();
                sent += request.len();
            }
        };
        assert!(timeout(Duration::from_secs(1), sending).await.is_err());
        assert!(sent < 128 * 1024, "{sent} bytes were taken");
    }
}
