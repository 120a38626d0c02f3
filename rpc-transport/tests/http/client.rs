//! Calls of a client, to a server and to answers written by hand.

use super::*;

#[tokio::test]
async fn a_client_calls_in_every_encoding_and_version() {
    let address = calc().await;
    for encoding in ["bincode", "json", "xml"] {
        for version in ["1", "2"] {
            let way = format!("{encoding}+http://{address}/?version={version}");
            let channel = connect(&way).await.unwrap();
            assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{way}");
            let mut many = tokio::task::JoinSet::new();
            for x in 0..50 {
                let channel = channel.clone();
                many.spawn(async move { (x, add(&channel, x, 1).await.unwrap()) });
            }
            for (x, sum) in many.join_all().await {
                assert_eq!(sum, x + 1, "{way}");
            }
            let notified =
                channel.call::<_, i64, std::convert::Infallible>(method("add"), (1_i64, 2_i64));
            notified.notify().await.unwrap();
        }
    }
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    let mut ways = tokio::task::JoinSet::new();
    for encoding in ["bincode", "json", "xml"] {
        for version in ["1", "2"] {
            ways.spawn(drop_a_call(encoding, version));
        }
    }
    ways.join_all().await;
}

async fn drop_a_call(encoding: &str, version: &str) {
    let calc = Calc::default();
    let address = serve(Server::new().service(calc.clone())).await;
    let way = format!("{encoding}+http://{address}/?version={version}");
    let channel = connect(&way).await.unwrap();
    let wait = channel.call::<_, (), std::convert::Infallible>(method("wait"), ());
    let call = wait.timeout(Duration::from_secs(3600));
    tokio::select! {
        ended = call.into_future() => panic!("{ended:?}"),
        () = calc.started.notified() => {}
    }
    calc.dropped.notified().await;
    assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{way}");
}

#[tokio::test]
async fn metadata_travels_as_headers() {
    let address = calc().await;
    for encoding in ["bincode", "json", "xml"] {
        let channel = connect(&format!("{encoding}+http://{address}/"))
            .await
            .unwrap();
        let trace = || channel.call::<_, String, std::convert::Infallible>(method("trace"), ());
        assert_eq!(trace().await.unwrap(), "none");
        assert_eq!(
            trace().metadata("Trace-Id", "grüß 7f").await.unwrap(),
            "grüß 7f"
        );
        let refused = trace().metadata("Content-Length", "0").await.unwrap_err();
        assert!(
            refused.to_string().contains("Content-Length") && !refused.was_sent(),
            "{refused}"
        );
    }
}

/// A server of one's own making: gives each connection's answers in turn, then closes it. Counts
/// the connections.
async fn stub(answers: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut io, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                for answer in answers {
                    let _request = response(&mut io).await;
                    io.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (address, count)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n\
                  {\"jsonrpc\":\"2.0\",\"result\":10,\"id\":1}";

#[tokio::test]
async fn a_connection_is_used_again_until_it_is_closed() {
    let (address, connections) = stub(&[OK, OK, OK]).await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    for call in 1..=7 {
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "call {call}");
        // The close of the third comes whenever it comes; the next call must not fail by it.
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_is_no_answer_is_told_in_words() {
    for (answer, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n<h1>no</h1",
            "HTTP 404 Not Found: <h1>no</h1",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            "HTTP 302",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "no JSON-RPC",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n",
            "Limits::message_bytes",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP"),
        ("", "before the reply came"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            "before the reply came",
        ),
    ] {
        let answers: &'static [&'static str] = vec![answer].leak();
        let (address, _) = stub(answers).await;
        let channel = connect(&format!("http://{address}/")).await.unwrap();
        let error = add(&channel, 7, 3).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{answer}: {error}");
        assert!(error.was_sent() && !error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn an_answer_may_be_framed_in_any_way() {
    let body = r#"{"jsonrpc":"2.0","result":10,"id":1}"#;
    let (first, rest) = body.split_at(7);
    let chunked = format!("7;x=y\r\n{first}\r\n1d\r\n{rest}\r\n0\r\nTrailer: 1\r\n\r\n");
    for answer in [
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
        format!("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n{body}"),
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n{body}"),
    ] {
        let answers: &'static [&'static str] = vec![&*answer.leak()].leak();
        let (address, _) = stub(answers).await;
        let channel = connect(&format!("http://{address}/")).await.unwrap();
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{}", answers[0]);
    }
}

#[tokio::test]
async fn a_call_of_a_batch_may_have_less_time_than_the_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let short = Duration::from_millis(20);
    let answering = async {
        let (mut io, _) = listener.accept().await.unwrap();
        let _request = response(&mut io).await;
        tokio::time::sleep(2 * short).await;
        let body = r#"[{"jsonrpc":"2.0","result":1,"id":1},{"jsonrpc":"2.0","result":2,"id":2}]"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        io.write_all((head + body).as_bytes()).await.unwrap();
    };
    let asking = async {
        let channel = connect(&format!("http://{address}/")).await.unwrap();
        let add =
            || channel.call::<_, i64, std::convert::Infallible>(method("add"), (0_i64, 0_i64));
        channel.batch((add().timeout(short), add())).await.unwrap()
    };
    let ((), (late, in_time)) = tokio::join!(answering, asking);
    assert!(late.unwrap_err().is_timeout());
    assert_eq!(in_time.unwrap(), 2);
}

#[tokio::test]
async fn an_answer_before_all_was_asked_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let refusing = async {
        let (mut io, _) = listener.accept().await.unwrap();
        io.read_exact(&mut [0; 100]).await.unwrap();
        // It reads no further, as a server does that thinks it is too much.
        let body = r#"{"jsonrpc":"2.0","error":{"code":-32004,"message":"too much"},"id":null}"#;
        let head = format!("HTTP/1.1 413 No\r\nContent-Length: {}\r\n\r\n", body.len());
        io.write_all((head + body).as_bytes()).await.unwrap();
        io
    };
    let asking = async {
        let channel = connect(&format!("http://{address}/")).await.unwrap();
        let long = ("x".repeat(4_000_000),);
        let echo: Result<String, Error> = channel.call(method("echo"), long).await;
        echo.unwrap_err()
    };
    let (_held_open, error) = tokio::join!(refusing, asking);
    assert_eq!(error.fault().unwrap().message, "too much");
}

#[tokio::test]
async fn a_head_without_an_end_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let flooding = async {
        let (mut io, _) = listener.accept().await.unwrap();
        io.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        while io.write_all(b"X-More: and more\r\n").await.is_ok() {}
    };
    let asking = async {
        let channel = connect(&format!("http://{address}/")).await.unwrap();
        add(&channel, 7, 3).await.unwrap_err()
    };
    let ((), error) = tokio::join!(flooding, asking);
    assert!(error.to_string().contains("no HTTP"), "{error}");
}

#[tokio::test]
async fn a_fault_is_a_fault_whatever_its_status() {
    let (address, _) = stub(&[
        "HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\nContent-Length: 53\r\n\r\n\
         {\"error\":{\"code\":-32601,\"message\":\"no `add`\"},\"id\":1}",
    ])
    .await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    let error = add(&channel, 7, 3).await.unwrap_err();
    assert_eq!(error.fault().unwrap().code, code::METHOD_NOT_FOUND);
}

#[tokio::test]
async fn a_notification_is_done_with_any_success() {
    let (address, _) = stub(&["HTTP/1.1 204 No Content\r\n\r\n"]).await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    let call = channel.call::<_, i64, std::convert::Infallible>(method("add"), (7_i64, 3_i64));
    call.notify().await.unwrap();
}

#[tokio::test]
async fn time_runs_out_before_and_after_a_call_was_sent() {
    let calc = Calc::default();
    let address = serve(Server::new().service(calc.clone())).await;
    for version in ["1", "2"] {
        let channel = connect(&format!("http://{address}/?version={version}"))
            .await
            .unwrap();
        let wait = || channel.call::<_, (), std::convert::Infallible>(method("wait"), ());
        let late = wait().timeout(Duration::from_millis(30)).await.unwrap_err();
        assert!(late.is_timeout() && late.was_sent(), "{late}");
        let late = wait().timeout(Duration::ZERO).await.unwrap_err();
        assert!(late.is_timeout() && !late.was_sent(), "{late}");
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn nobody_there_is_told_before_anything_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for version in ["1", "2"] {
        let channel = connect(&format!("http://{address}/?version={version}"))
            .await
            .unwrap();
        let error = add(&channel, 7, 3).await.unwrap_err();
        assert!(error.is_retryable() && !error.was_sent(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_although_the_client_has_closed_its_half() {
    let address = calc().await;
    for blanks in [0, 300_000] {
        let request = post("", &(" ".repeat(blanks) + ADD));
        for _ in 0..20 {
            let mut io = TcpStream::connect(&address).await.unwrap();
            io.write_all(request.as_bytes()).await.unwrap();
            io.shutdown().await.unwrap();
            assert_eq!(response(&mut io).await.1, TEN);
        }
    }
}

#[tokio::test]
async fn a_server_with_smaller_limits_says_so() {
    let address = serve(Server::new().service(Calc::default()).limits(small())).await;
    for encoding in ["bincode", "json", "xml"] {
        for version in ["1", "2"] {
            let way = format!("{encoding}+http://{address}/?version={version}");
            let channel = connect(&way).await.unwrap();
            let long = ("x".repeat(2000),);
            let echo: Result<String, Error> = channel.call(method("echo"), long).await;
            let error = echo.unwrap_err();
            assert_eq!(
                error.fault().unwrap().code,
                code::TOO_LARGE,
                "{way}: {error}"
            );
            assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{way}");
        }
    }
}

#[tokio::test]
async fn a_client_outlives_its_server() {
    for version in ["1", "2"] {
        let mut address = "127.0.0.1:0".to_owned();
        let mut channel = None;
        for _ in 0..3 {
            let server = Server::new().service(Calc::default());
            let listening = server.listen(&format!("tcp://{address}")).await.unwrap();
            address = listening.local_addr().unwrap().to_string();
            let (end, ended) = tokio::sync::oneshot::channel::<()>();
            let running = tokio::spawn(listening.run_until(async move { ended.await.unwrap() }));
            if channel.is_none() {
                let way = format!("http://{address}/?version={version}");
                channel = Some(connect(&way).await.unwrap());
            }
            let channel = channel.as_ref().unwrap();
            assert_eq!(add(channel, 7, 3).await.unwrap(), 10, "HTTP/{version}");
            end.send(()).unwrap();
            assert!(!running.await.unwrap().forced);
        }
    }
}
