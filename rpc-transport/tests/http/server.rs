//! Literal requests against a server.

use super::*;

#[tokio::test]
async fn the_content_type_tells_the_protocol() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    for (headers, body, status, expected) in [
        ("Content-Type: application/json\r\n", ADD, "200", TEN),
        (
            "content-type:application/json;charset=utf-8\r\n",
            ADD,
            "200",
            TEN,
        ),
        ("Content-Type: application/json-rpc\r\n", ADD, "200", TEN),
        ("Content-Type: text/xml\r\n", ADD_XML, "200", ">10</"),
        ("Content-Type: application/xml\r\n", ADD_XML, "200", ">10</"),
        ("", ADD, "200", TEN),
        ("", "\u{feff} [{}]", "200", "-32600"),
        ("", ADD_XML, "200", ">10</"),
        ("", "x=7&y=3", "415", "Content-Type"),
        (
            "Content-Type: text/plain\r\n",
            ADD,
            "415",
            "application/json",
        ),
        (
            "Content-Type: application/x-www-form-urlencoded\r\n",
            ADD,
            "415",
            "curl",
        ),
        (
            "Content-Type: application/json\r\nContent-Encoding: identity\r\n",
            ADD,
            "200",
            TEN,
        ),
        ("Content-Type: application/json\r\n", "", "200", "-32700"),
        ("Content-Type: application/json\r\n", "{", "200", "-32700"),
    ] {
        let (head, reply) = ask(&mut io, &post(headers, body)).await;
        assert!(head.contains(status), "{headers}{body}: {head}");
        assert!(reply.contains(expected), "{headers}{body}: {reply}");
    }
}

#[tokio::test]
async fn answers_have_a_type_and_a_length() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    let (head, _) = ask(&mut io, &post("", ADD)).await;
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    assert!(
        head.contains(&format!("content-length: {}\r\n", TEN.len())),
        "{head}"
    );
    let (head, _) = ask(&mut io, &post("", ADD_XML)).await;
    assert!(head.contains("content-type: text/xml\r\n"), "{head}");
    let notification = r#"{"jsonrpc":"2.0","method":"add","params":[7,3]}"#;
    let (head, body) = ask(&mut io, &post("", notification)).await;
    assert!(
        head.starts_with("http/1.1 200") && head.contains("content-length: 0"),
        "{head}"
    );
    assert_eq!(body, "");
}

#[tokio::test]
async fn another_sites_page_is_turned_away() {
    let address = serve(Server::new().service(Calc::default()).host("calc.example")).await;
    let request = |headers: &str| {
        format!(
            "POST / HTTP/1.1\r\n{headers}Content-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{ADD}",
            ADD.len()
        )
    };
    for (headers, status) in [
        ("Host: localhost\r\n", "200"),
        ("Host: 127.0.0.1:8000\r\n", "200"),
        ("Host: [::1]:8000\r\n", "200"),
        ("Host: calc.example\r\n", "200"),
        ("Host: evil.example\r\n", "421"),
        ("", "200"),
        ("Host: localhost\r\nOrigin: http://localhost\r\n", "200"),
        ("Host: localhost\r\nOrigin: http://evil.example\r\n", "403"),
        ("Host: localhost\r\nOrigin: null\r\n", "403"),
        ("Host: localhost\r\nHost: evil.example\r\n", "400"),
    ] {
        let answer = last(&address, &request(headers)).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{headers}: {line}");
    }
    let blob = post("Origin: http://localhost\r\nConnection: close\r\n", ADD);
    assert!(
        last(&address, &blob).await.contains("415"),
        "a page's body without a type"
    );
}

#[tokio::test]
async fn what_is_no_call_has_a_page_or_a_reason() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    for (line, status, expected) in [
        ("GET /", "200", "add"),
        ("GET /healthz", "200", "ok\n"),
        ("GET /other", "404", "POST"),
        ("PUT /", "405", "POST"),
        ("OPTIONS /", "405", "POST"),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (head, body) = ask(&mut io, &request).await;
        assert!(
            head.contains(status) && body.contains(expected),
            "{line}: {head}{body}"
        );
        assert_eq!(
            head.contains("allow: get, head, post"),
            status == "405",
            "{head}"
        );
    }
    let head = "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = last(&address, head).await.to_lowercase();
    assert!(
        answer.contains("content-length: 3\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn http_1_0_works_without_a_host() {
    let request = format!(
        "POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{ADD_XML}",
        ADD_XML.len()
    );
    let answer = last(&calc().await, &request).await.to_lowercase();
    assert!(answer.starts_with("http/1.0 200"), "{answer}");
    assert!(
        answer.contains("content-length") && !answer.contains("chunked"),
        "{answer}"
    );
    assert!(answer.contains(">10</"), "{answer}");
}

#[tokio::test]
async fn requests_may_be_sent_ahead() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let requests = post("", ADD) + &post("", ADD_XML) + &post("", ADD);
    io.write_all(requests.as_bytes()).await.unwrap();
    assert_eq!(response(&mut io).await.1, TEN);
    assert!(response(&mut io).await.1.contains(">10</"));
    assert_eq!(response(&mut io).await.1, TEN);
}

#[tokio::test]
async fn a_body_may_come_in_chunks_of_any_size() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let mut request = String::from(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
    );
    for piece in ADD.as_bytes().chunks(7) {
        let piece = std::str::from_utf8(piece).unwrap();
        request += &format!("{:x}\r\n{piece}\r\n", piece.len());
    }
    request += "0\r\n\r\n";
    for byte in request.bytes() {
        io.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(response(&mut io).await.1, TEN);
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let request = post(
        "Content-Type: application/json\r\nExpect: 100-continue\r\n",
        ADD,
    );
    let (head, body) = request.split_at(request.len() - ADD.len());
    let (go_on, _) = ask(&mut io, head).await;
    assert!(go_on.starts_with("http/1.1 100"), "{go_on}");
    assert_eq!(ask(&mut io, body).await.1, TEN);
}

#[tokio::test]
async fn a_body_too_large_is_refused_by_name() {
    let address = serve(Server::new().service(Calc::default()).limits(small())).await;
    let long = format!(r#"["{}"]"#, "x".repeat(3_000_000));
    let chunked = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    for (request, expected) in [
        (post("Content-Type: application/json\r\n", &long), "-32004"),
        (post("Content-Type: text/xml\r\n", &long), "-32004"),
        (post("", &long), "HTTP/1.1 413"),
        (
            format!(
                "{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"
            ),
            "-32004",
        ),
        (
            // Nothing of this one is sent, as it is not asked for.
            format!(
                "{head}Content-Type: application/json\r\nExpect: 100-continue\r\n\
                 Content-Length: 2000\r\n\r\n"
            ),
            "-32004",
        ),
    ] {
        // Both ways at once, so that an answer that comes early is seen.
        let io = TcpStream::connect(&address).await.unwrap();
        let (mut read, mut write) = io.into_split();
        let sending = tokio::spawn(async move { write.write_all(request.as_bytes()).await });
        let mut answer = String::new();
        read.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(expected), "{answer}");
        assert!(
            answer.contains("1000") && answer.contains("Limits::message_bytes"),
            "{answer}"
        );
        let _ = sending.await;
    }
}

/// Most clients send the body behind the head without looking for an answer first.
#[tokio::test]
async fn a_type_that_is_refused_is_so_after_its_body_and_the_connection_goes_on() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let long = "x".repeat(1_000_000);
    for header in [
        "Content-Type: text/plain\r\n",
        "Content-Type: application/json\r\nContent-Encoding: br\r\n",
    ] {
        let (head, _) = ask(&mut io, &post(header, &long)).await;
        assert!(head.starts_with("http/1.1 415"), "{head}");
        assert_eq!(ask(&mut io, &post("", ADD)).await.1, TEN);
        // Of a client that asks first, nothing is asked for.
        let asking = format!("{header}Expect: 100-continue\r\nConnection: close\r\n");
        let request = post(&asking, &long);
        let head = request.split_at(request.len() - long.len()).0;
        let address = io.peer_addr().unwrap().to_string();
        let answer = last(&address, head).await;
        assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    }
}

/// A header so long, and so many.
fn long(length: usize) -> String {
    format!("Long: {}\r\n", "x".repeat(length))
}

fn many(count: usize) -> String {
    (0..count).map(|i| format!("H{i}: x\r\n")).collect()
}

#[tokio::test]
async fn a_head_too_large_ends_the_connection() {
    let address = calc().await;
    for (headers, is_told) in [
        (long(32 * 1024), true),
        (many(100), true),
        // What hyper refuses has no words.
        (long(64 * 1024), false),
        (many(300), false),
    ] {
        let mut io = TcpStream::connect(&address).await.unwrap();
        let _ = io.write_all(post(&headers, ADD).as_bytes()).await;
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        for limit in [
            "32768 bytes (`Limits::head_bytes`)",
            "100 headers (`Limits::headers`)",
        ] {
            assert_eq!(answer.contains(limit), is_told, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_head_may_be_as_small_as_one_likes() {
    let mut limits = Limits::default();
    limits.head_bytes = 1000;
    let address = serve(Server::new().service(Calc::default()).limits(limits)).await;
    for (length, status) in [(500, "200"), (1000, "431")] {
        let headers = long(length) + "Connection: close\r\nContent-Type: text/json\r\n";
        let answer = last(&address, &post(&headers, ADD)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn an_answer_may_hold_the_head_of_another() {
    let text = "HTTP/1.1 431 ".repeat(10_000);
    let echo = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{text}"],"id":1}}"#);
    // It leaves in pieces that begin anywhere in it, once from hyper.
    for headers in ["", "Connection: keep-alive, x\r\n"] {
        let (mut io, _serving) = pipe(1000);
        let (mut read, mut write) = tokio::io::split(&mut io);
        let request = post(&format!("Content-Type: text/json\r\n{headers}"), &echo);
        let mut answer = vec![0; 20];
        let (sent, ()) = tokio::join!(write.write_all(request.as_bytes()), async {
            while !answer.ends_with(b"\"id\":1}") && read.read_buf(&mut answer).await.unwrap() > 0 {
            }
        });
        sent.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains(&text), "{}", &answer[answer.len() - 200..]);
    }
}

#[tokio::test]
async fn a_head_too_large_over_http2_is_told_the_limits() {
    let address = calc().await;
    let long = ("long".to_owned(), "x".repeat(33 * 1024));
    let many = (0..120).map(|i| (format!("h{i}"), "x".to_owned()));
    for (metadata, limit) in [
        (vec![long], "32768 bytes (`Limits::head_bytes`)"),
        (many.collect(), "100 headers (`Limits::headers`)"),
    ] {
        let channel = connect(&format!("http://{address}/?version=2"))
            .await
            .unwrap();
        let mut call = channel.call::<_, i64, std::convert::Infallible>(method("add"), (7, 3));
        for (name, value) in &metadata {
            call = call.metadata(name, value);
        }
        let error = call.await.unwrap_err().to_string();
        assert!(error.contains(limit), "{error}");
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn a_deadline_ends_the_call_and_not_the_connection() {
    let calc = Calc::default();
    let mut io = TcpStream::connect(serve(Server::new().service(calc.clone())).await)
        .await
        .unwrap();
    let wait = ADD.replace("add", "wait").replace("[7,3]", "[]");
    for ms in ["0", "20"] {
        let (head, body) = ask(
            &mut io,
            &post(&format!("farcall-timeout-ms: {ms}\r\n"), &wait),
        )
        .await;
        assert!(
            head.starts_with("http/1.1 200") && body.contains("-32001"),
            "{head}{body}"
        );
    }
    calc.dropped.notified().await;
    let long = post("farcall-timeout-ms: 99999999999999999999999\r\n", ADD);
    assert_eq!(ask(&mut io, &long).await.1, TEN);
}

/// A server at the other end of a pipe, where hours pass in no time.
fn pipe(room: usize) -> (tokio::io::DuplexStream, tokio::task::JoinHandle<()>) {
    let (here, there) = tokio::io::duplex(room);
    let server = Server::new().service(Calc::default());
    let serving = tokio::spawn(async move { server.serve_stream(there).await.unwrap() });
    (here, serving)
}

#[tokio::test(start_paused = true)]
async fn whoever_stalls_is_not_waited_for() {
    let limits = Limits::default();
    for (start, time) in [
        ("POST / HT", limits.head_time),
        ("POST / HTTP/1.1\r\nHost: a\r\n", limits.head_time),
        ("PRI * HT", limits.head_time),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", limits.head_time),
        (
            "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n[",
            limits.body_time,
        ),
    ] {
        let begun = tokio::time::Instant::now();
        let (mut io, serving) = pipe(1024);
        io.write_all(start.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await.unwrap();
        serving.await.unwrap();
        let waited = begun.elapsed();
        assert!(waited >= time && waited < time * 2, "{start}: {waited:?}");
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(
            answer.contains(" 408 "),
            start.starts_with("POST"),
            "{start}: {answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_read_is_not_waited_for() {
    let begun = tokio::time::Instant::now();
    let (mut io, serving) = pipe(1024);
    let text = "x".repeat(100_000);
    let echo = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{text}"],"id":1}}"#);
    io.write_all(post("", &echo).as_bytes()).await.unwrap();
    serving.await.unwrap();
    let (waited, time) = (begun.elapsed(), Limits::default().write_time);
    assert!(waited >= time && waited < time * 2, "{waited:?}");
}
