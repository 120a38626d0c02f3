//! Pages of other sites: which may call, and what their browsers are told.

use farcall_transport::http::Cors;

use super::plain::{JSON, STEPS, assert_alike_on};
use super::*;

const APP: &str = "https://app.example";
const TOLD: &str = r#"{"jsonrpc":"2.0","method":"told","id":1}"#;

fn listed() -> Cors {
    Cors::origins([APP, "http://localhost:5173"]).unwrap()
}

fn sharing(cors: Cors) -> Server {
    Server::new().service(Calc::default()).cors(cors)
}

fn asks(origin: &str, headers: &str) -> String {
    format!(
        "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n{headers}\
         Connection: close\r\n\r\n"
    )
}

/// The lines of an answer that are about pages.
fn said(answer: &str) -> Vec<&str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let lines = head.lines();
    lines
        .filter(|line| line.starts_with("access-control-") || line.starts_with("vary"))
        .collect()
}

fn called(origin: &str, body: &str) -> String {
    post(&format!("{JSON}Connection: close\r\n{origin}"), body)
}

#[tokio::test]
async fn nothing_is_said_to_pages_unless_it_was_asked_for() {
    let calc = calc().await;
    for request in [
        called("", ADD),
        called("Origin: http://localhost\r\n", ADD),
        called(&format!("Origin: {APP}\r\n"), ADD),
        asks(APP, "Access-Control-Request-Method: POST\r\n"),
        asks(
            "http://localhost",
            "Access-Control-Request-Method: POST\r\n",
        ),
    ] {
        let answer = last(&calc, &request).await;
        assert_eq!(said(&answer), Vec::<&str>::new(), "{request}");
        assert!(!answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
}

#[tokio::test]
async fn a_page_that_is_listed_calls_and_reads_the_answer_and_no_other_does() {
    let calc = serve(sharing(listed())).await;
    let varies = "vary: origin";
    let allowed = format!("access-control-allow-origin: {APP}");
    for (origin, status, expected) in [
        (format!("Origin: {APP}\r\n"), "200", vec![varies, &allowed]),
        (String::new(), "200", vec![varies]),
        ("Origin: http://localhost\r\n".into(), "200", vec![varies]),
        ("Origin: http://app.example\r\n".into(), "403", vec![varies]),
        (
            "Origin: https://app.example:8443\r\n".into(),
            "403",
            vec![varies],
        ),
        (
            "Origin: https://app.example.evil.example\r\n".into(),
            "403",
            vec![varies],
        ),
        ("Origin: null\r\n".into(), "403", vec![varies]),
        (
            format!("Origin: {APP}\r\nOrigin: {APP}\r\n"),
            "403",
            vec![varies],
        ),
    ] {
        let answer = last(&calc, &called(&origin, ADD)).await;
        assert_eq!(&answer[9..12], status, "{origin}: {answer}");
        assert_eq!(answer.ends_with(TEN), status == "200", "{origin}: {answer}");
        assert_eq!(said(&answer), expected, "{origin}");
    }
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told_what_a_call_may_have() {
    let calc = serve(sharing(listed().max_age(Duration::from_secs(60)))).await;
    let wants = "Access-Control-Request-Method: POST\r\n\
                 Access-Control-Request-Headers: content-type,farcall-timeout-ms,trace-id,te\r\n";
    let answer = last(&calc, &asks(APP, wants)).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert_eq!(
        said(&answer),
        [
            "access-control-allow-methods: GET, HEAD, POST",
            "access-control-allow-headers: content-type, farcall-timeout-ms, trace-id",
            "access-control-max-age: 60",
            "vary: access-control-request-method, access-control-request-headers",
            "vary: origin",
            "access-control-allow-origin: https://app.example",
        ]
    );
    let answer = last(&calc, &asks("https://evil.example", wants)).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(said(&answer), ["vary: origin"]);
    // No question of a browser's.
    let answer = last(&calc, &asks(APP, "")).await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

#[tokio::test]
async fn credentials_are_for_listed_pages_where_they_were_asked_for() {
    let calc = serve(sharing(Cors::with_credentials([APP]).unwrap())).await;
    let credentials = "access-control-allow-credentials: true";
    let wants = "Access-Control-Request-Method: POST\r\n";
    for request in [called(&format!("Origin: {APP}\r\n"), ADD), asks(APP, wants)] {
        let answer = last(&calc, &request).await;
        assert!(said(&answer).contains(&credentials), "{answer}");
    }
    let evil = "Origin: https://evil.example\r\n";
    for request in [called(evil, ADD), called("", ADD)] {
        let answer = last(&calc, &request).await;
        assert_eq!(said(&answer), ["vary: origin"]);
    }
}

#[tokio::test]
async fn any_page_is_any_page_but_for_the_host_and_what_it_sends_unasked() {
    let calc = serve(sharing(Cors::any())).await;
    let any = "access-control-allow-origin: *";
    for origin in ["Origin: null\r\n", "Origin: https://evil.example\r\n", ""] {
        let answer = last(&calc, &called(origin, ADD)).await;
        assert!(answer.ends_with(TEN), "{answer}");
        assert_eq!(said(&answer), [any]);
    }
    let origin = "Origin: https://evil.example\r\n";
    let rebound = called(origin, ADD).replace("Host: localhost", "Host: evil.example");
    let unasked = called(origin, ADD).replace("application/json", "text/plain");
    let image = "GET /?method=count&params=[1] HTTP/1.1\r\nHost: localhost\r\n\
                 Accept: text/event-stream\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n";
    for (request, status) in [(&*rebound, "421"), (&*unasked, "415"), (image, "403")] {
        let answer = last(&calc, request).await;
        assert_eq!(&answer[9..12], status, "{answer}");
    }
}

#[tokio::test]
async fn a_page_is_told_the_names_of_metadata() {
    let calc = serve(sharing(listed())).await;
    let answer = last(&calc, &called(&format!("Origin: {APP}\r\n"), TOLD)).await;
    let exposed = "access-control-expose-headers: farcall-meta-cost, farcall-meta-pages";
    assert!(said(&answer).contains(&exposed), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn pages_are_told_the_same_by_plain_answers_and_hypers() {
    let echo = format!(
        r#"{{"jsonrpc":"2.0","method":"echo","params":["{}"],"id":1}}"#,
        "long ".repeat(1000)
    );
    let page = |headers: &str| format!("{JSON}Origin: {APP}\r\n{headers}");
    let requests = [
        post(JSON, ADD),
        post(&page(""), ADD),
        post(&page(""), TOLD),
        post(&page("Accept-Encoding: gzip\r\n"), &echo),
        post(&page("Accept-Encoding: gzip\r\n"), TOLD),
        post(&page("Connection: close\r\n"), TOLD),
        post(&page("Origin: https://b.example\r\n"), ADD),
        post(&format!("{JSON}Origin: https://b.example\r\n"), ADD),
        // Its body stops coming.
        post(&page(""), ADD).replace("Content-Length: ", "Content-Length: 9"),
    ];
    for cors in [
        listed(),
        Cors::with_credentials([APP]).unwrap(),
        Cors::any(),
    ] {
        assert_alike_on(&sharing(cors), requests.clone(), STEPS).await;
    }
}

#[tokio::test]
async fn what_a_listed_page_gets_or_opens_is_taken_as_its_calls_are() {
    let calc = serve(sharing(listed())).await;
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n")
    };
    let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let events = "Accept: text/event-stream\r\nSec-Fetch-Site: cross-site\r\n";
    for (path, headers, mine, others) in [
        ("/", "", "200", "403"),
        ("/rpc", socket, "101", "403"),
        // It comes as far as the method, which is not one to be called so.
        ("/?method=count&params=[1]", events, "405", "403"),
    ] {
        for (origin, status) in [(APP, mine), ("https://evil.example", others)] {
            let mut io = TcpStream::connect(&calc).await.unwrap();
            let request = get(path, &format!("{headers}Origin: {origin}\r\n"));
            io.write_all(request.as_bytes()).await.unwrap();
            let mut start = [0; 12];
            io.read_exact(&mut start).await.unwrap();
            assert_eq!(&start[9..], status.as_bytes(), "{origin}: {path}");
        }
    }
}
