//! How a socket ends: by a goodbye from either side, or because nobody is there any more.

use std::future::IntoFuture;
use std::time::Duration;

use farcall_core::limits::Limits;
use farcall_transport::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::{ADD, CLOSE, Calc, PING, PONG, Raw, TEN, TEXT, calc, call, frame, serve, upgrade};

/// A client's end of a socket that is served in memory.
async fn in_memory(server: Server) -> Raw<DuplexStream> {
    let (mine, theirs) = tokio::io::duplex(4096);
    tokio::spawn(server.serve_stream(theirs).into_future());
    Raw::open(mine, "").await
}

#[tokio::test]
async fn a_goodbye_is_answered_and_the_server_closes_first() {
    let mut socket = Raw::connect(&calc().await).await;
    socket.send(TEXT, ADD).await;
    socket.send(CLOSE, b"\x03\xe8done").await;
    assert_eq!(socket.text().await, TEN, "what came before it is answered");
    assert_eq!(socket.next().await, Some((CLOSE, b"\x03\xe8".to_vec())));
    assert_eq!(socket.next().await, None);

    let mut socket = Raw::connect(&calc().await).await;
    socket.send(CLOSE, b"").await;
    assert_eq!(socket.next().await, Some((CLOSE, Vec::new())));
    assert_eq!(socket.next().await, None);
}

#[tokio::test]
async fn a_goodbye_ends_the_calls_and_lets_notifications_go_on() {
    let service = Calc::default();
    let (started, dropped) = (service.started.clone(), service.dropped.clone());
    let (open, done) = (service.open.clone(), service.done.clone());
    let address = serve(Server::new().service(service)).await;
    let mut socket = Raw::connect(&address).await;
    socket.send(TEXT, call("wait", 1)).await;
    started.notified().await;
    socket
        .send(TEXT, r#"{"jsonrpc":"2.0","method":"held"}"#)
        .await;
    socket.send(CLOSE, b"\x03\xe8").await;
    dropped.notified().await;
    assert_eq!(socket.next().await, Some((CLOSE, b"\x03\xe8".to_vec())));
    assert_eq!(socket.next().await, None);
    open.notify_one();
    done.notified().await;
}

#[test]
fn a_goodbye_right_behind_a_call_ends_the_socket() {
    let (tell, told) = std::sync::mpsc::channel();
    // In a thread of its own: a connection that turned in circles would keep this one.
    std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(async {
            let mut socket = Raw::connect(&calc().await).await;
            // Read together: the answer is written when nobody waits for it any more.
            let both = [
                frame(true, TEXT, ADD.as_ref()),
                frame(true, CLOSE, b"\x03\xe8"),
            ];
            socket.io.write_all(&both.concat()).await.unwrap();
            assert_eq!(socket.next().await, Some((CLOSE, b"\x03\xe8".to_vec())));
            assert_eq!(socket.next().await, None);
            tell.send(()).unwrap();
        });
    });
    told.recv_timeout(Duration::from_secs(20)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_stops_coming_ends_the_socket_at_the_limit() {
    let time = Limits::default().body_time;
    let whole = frame(true, TEXT, ADD.as_bytes());
    let ping = frame(true, PING, b"are you there");
    for start in [
        // A head, in part and with none of its payload; and some of that.
        &whole[..1],
        &whole[..2],
        &whole[..6],
        &whole[..20],
        &ping[..1],
        &ping[..8],
        // A text of which a frame came that has nothing in it.
        &frame(true, TEXT & 0x7f, b""),
    ] {
        let mut socket = in_memory(Server::new().service(Calc::default())).await;
        assert_eq!(socket.ask(ADD).await, TEN);
        let began = Instant::now();
        socket.io.write_all(start).await.unwrap();
        let said = socket.text().await;
        assert!(said.contains("`Limits::body_time`"), "{said}");
        assert_eq!(socket.goodbye().await.0, 1000);
        assert!(socket.next().await.is_none());
        let after = began.elapsed();
        assert!(
            after >= time && after < time + Duration::from_secs(2),
            "{start:?}: {after:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_comes_slowly_but_does_come_is_answered() {
    let mut socket = in_memory(Server::new().service(Calc::default())).await;
    for byte in frame(true, TEXT, ADD.as_bytes()) {
        tokio::time::sleep(Limits::default().body_time * 9 / 10).await;
        socket.io.write_u8(byte).await.unwrap();
    }
    assert_eq!(socket.text().await, TEN);
    // Between its messages nothing is waited for.
    tokio::time::sleep(Limits::default().body_time * 2).await;
    assert_eq!(socket.ask(ADD).await, TEN);
}

#[tokio::test]
async fn a_client_that_is_gone_without_a_word_ends_its_calls() {
    let service = Calc::default();
    let (started, dropped) = (service.started.clone(), service.dropped.clone());
    let address = serve(Server::new().service(service)).await;
    let mut socket = Raw::connect(&address).await;
    socket.send(TEXT, call("wait", 1)).await;
    started.notified().await;
    drop(socket);
    dropped.notified().await;
}

#[tokio::test]
async fn a_client_that_is_gone_before_its_socket_is_open_leaves_nothing_behind() {
    let server = Server::new().service(Calc::default());
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    for _ in 0..20 {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.writable().await.unwrap();
        // All of it before the server looks.
        assert!(socket.try_write(upgrade("").as_bytes()).unwrap() > 0);
        socket.set_zero_linger().unwrap();
        drop(socket);
        // One that is served shows that the server has looked.
        let mut good = Raw::connect(&address.to_string()).await;
        assert_eq!(good.ask(ADD).await, TEN);
    }
    drop(end);
    assert!(!running.await.unwrap().forced);
}

#[tokio::test]
async fn a_server_that_ends_answers_what_it_took_and_says_goodbye() {
    let service = Calc::default();
    let started = service.started.clone();
    let open = service.open.clone();
    let server = Server::new().service(service);
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap().to_string();
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    let mut busy = Raw::connect(&address).await;
    let mut idle = Raw::connect(&address).await;
    assert_eq!(idle.ask(ADD).await, TEN);
    busy.send(TEXT, call("held", 1)).await;
    started.notified().await;
    drop(end);
    assert_eq!(idle.goodbye().await, (1001, "the server ends".to_owned()));
    let refused = busy.ask(ADD).await;
    assert!(refused.contains("-32005"), "{refused}");
    open.notify_one();
    assert_eq!(busy.text().await, r#"{"jsonrpc":"2.0","result":4,"id":1}"#);
    assert_eq!(busy.goodbye().await.0, 1001);
    drop((busy, idle));
    assert!(!running.await.unwrap().forced);
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_asked_after_a_minute_and_has_20_s_to_answer() {
    let mut socket = in_memory(Server::new().service(Calc::default())).await;
    let start = Instant::now();
    assert_eq!(socket.next().await, Some((PING, Vec::new())));
    assert_eq!(start.elapsed().as_secs(), 60);
    socket.send(PONG, b"").await;
    assert_eq!(socket.next().await, Some((PING, Vec::new())));
    assert_eq!(start.elapsed().as_secs(), 120);
    // A call is a sign of life like any other.
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(socket.ask(ADD).await, TEN);
    assert_eq!(socket.next().await, Some((PING, Vec::new())));
    assert_eq!(start.elapsed().as_secs(), 190);
    let mut rest = Vec::new();
    socket.io.read_to_end(&mut rest).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 210);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_not_written_to_for_ever() {
    let mut limits = Limits::default();
    limits.write_time = Duration::from_secs(7);
    let service = Calc::default();
    let dropped = service.dropped.clone();
    let mut socket = in_memory(Server::new().service(service).limits(limits)).await;
    socket.send(TEXT, call("wait", 1)).await;
    let start = Instant::now();
    socket.send(TEXT, call("long", 2)).await;
    dropped.notified().await;
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_of_it_though_it_answers_no_ping() {
    let mut socket = in_memory(Server::new().service(Calc::default())).await;
    for id in 0..20 {
        socket.send(TEXT, call("long", id)).await;
    }
    let mut came = 0;
    let mut piece = [0; 100_000];
    while came < 20 * 300_000 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let count = socket.io.read(&mut piece).await.unwrap();
        assert_ne!(count, 0, "it is there, and read {came} bytes");
        came += count;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let (mut mine, theirs) = tokio::io::duplex(4096);
    let server = Server::new().service(Calc::default());
    tokio::spawn(server.serve_stream(theirs).into_future());
    let start = Instant::now();
    mine.write_all(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    mine.read_to_end(&mut rest).await.unwrap();
    assert_eq!(start.elapsed(), Limits::default().head_time);
}
