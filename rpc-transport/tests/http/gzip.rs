//! Compressed bodies, on both sides.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use tokio::sync::mpsc;

use super::*;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(compressed: &[u8]) -> String {
    let mut content = String::new();
    let mut decoder = MultiGzDecoder::new(compressed);
    decoder.read_to_string(&mut content).unwrap();
    content
}

/// 100 MiB of zeros in 100 KB, in members that each are beyond the usual limit.
fn bomb() -> Vec<u8> {
    let bomb = gzip(&[0; 5 * 1024 * 1024]).repeat(20);
    assert!(bomb.len() < 128 * 1024);
    bomb
}

const JSON: &str = "Content-Type: application/json\r\n";
const XML: &str = "Content-Type: text/xml\r\n";

/// A request whose body is in `coding`.
fn coded(headers: &str, coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Encoding: {coding}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

async fn exchange(io: &mut TcpStream, request: &[u8]) -> (String, String) {
    io.write_all(request).await.unwrap();
    response(io).await
}

fn echo(text: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{text}"],"id":1}}"#)
}

#[tokio::test]
async fn a_compressed_call_is_answered() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let (start, end) = ADD.split_at(20);
    let in_two = [gzip(start.as_bytes()), gzip(end.as_bytes())].concat();
    for (headers, coding, body, expected) in [
        (JSON, "gzip", gzip(ADD.as_bytes()), TEN),
        (JSON, "X-GZIP", gzip(ADD.as_bytes()), TEN),
        (JSON, "deflate", zlib(ADD.as_bytes()), TEN),
        (JSON, "identity", ADD.into(), TEN),
        (JSON, "gzip", in_two, TEN),
        (XML, "gzip", gzip(ADD_XML.as_bytes()), ">10</"),
        (XML, "deflate", zlib(ADD_XML.as_bytes()), ">10</"),
        ("", "gzip", gzip(ADD_XML.as_bytes()), ">10</"),
        ("", "gzip", gzip(ADD.as_bytes()), TEN),
    ] {
        let (head, reply) = exchange(&mut io, &coded(headers, coding, &body)).await;
        assert!(head.starts_with("http/1.1 200"), "{coding}: {head}");
        assert!(reply.contains(expected), "{coding}: {reply}");
    }
}

#[tokio::test]
async fn a_compressed_call_may_come_byte_by_byte_and_in_chunks() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    io.set_nodelay(true).unwrap();
    let compressed = gzip(ADD.as_bytes());
    let mut chunked = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Encoding: gzip\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for piece in compressed.chunks(7) {
        chunked.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        chunked.extend([piece, b"\r\n"].concat());
    }
    chunked.extend(b"0\r\n\r\n");
    for request in [coded(JSON, "gzip", &compressed), chunked] {
        for byte in request {
            io.write_all(&[byte]).await.unwrap();
        }
        assert_eq!(response(&mut io).await.1, TEN);
    }
}

#[tokio::test]
async fn a_coding_that_is_not_read_is_refused_with_those_that_are() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    for coding in ["br", "zstd", "compress", "gzip, gzip", "identity, gzip"] {
        let (head, words) = exchange(&mut io, &coded(JSON, coding, ADD.as_bytes())).await;
        assert!(head.starts_with("http/1.1 415"), "{coding}: {head}");
        let accepted = "accept-encoding: gzip, deflate, identity\r\n";
        assert!(head.contains(accepted), "{coding}: {head}");
        assert!(words.contains(coding) && words.contains("gzip, in deflate"));
    }
    // With another reason for the status, the header would send its reader the wrong way.
    let (head, _) = exchange(
        &mut io,
        post("Content-Type: text/plain\r\n", ADD).as_bytes(),
    )
    .await;
    assert!(head.starts_with("http/1.1 415") && !head.contains("accept-encoding"));
}

#[tokio::test]
async fn a_broken_body_is_a_parse_error_and_the_connection_goes_on() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let whole = gzip(ADD.as_bytes());
    let in_zlib = zlib(ADD.as_bytes());
    let mut wrong_sum = whole.clone();
    *wrong_sum.iter_mut().nth_back(5).unwrap() ^= 1;
    let noise_behind = [&whole[..], &[7; 200_000]].concat();
    for (coding, body) in [
        ("gzip", &whole[..whole.len() - 1]),
        ("gzip", &whole[..15]),
        ("gzip", &whole[..1]),
        ("gzip", &wrong_sum),
        ("gzip", &[&whole[..], b"{}"].concat()),
        ("gzip", &noise_behind),
        ("gzip", &in_zlib),
        ("gzip", ADD.as_bytes()),
        ("deflate", &whole),
        ("deflate", &in_zlib[..in_zlib.len() - 1]),
        ("deflate", &in_zlib[2..]),
        ("deflate", &[&in_zlib[..], b"\n"].concat()),
    ] {
        for headers in [JSON, XML] {
            let (head, fault) = exchange(&mut io, &coded(headers, coding, body)).await;
            assert!(
                head.starts_with("http/1.1 200"),
                "{coding} {body:?}: {head}"
            );
            assert!(
                fault.contains("-32700") && fault.contains("Content-Encoding"),
                "{coding} {body:?}: {fault}"
            );
        }
        let (head, words) = exchange(&mut io, &coded("", coding, body)).await;
        assert!(
            head.starts_with("http/1.1 400"),
            "{coding} {body:?}: {head}"
        );
        assert!(words.contains("Content-Encoding"), "{words}");
        assert_eq!(ask(&mut io, &post(JSON, ADD)).await.1, TEN);
    }
}

/// The most memory this program has had so far, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[tokio::test]
async fn a_bomb_is_refused_by_the_name_of_the_limit_before_it_has_gone_off() {
    let bomb = bomb();
    let address = calc().await;
    let before = peak();
    let chunked = [
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Encoding: gzip\r\n\
             Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            bomb.len()
        )
        .as_bytes(),
        &bomb,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    // curl asks first if a body is long.
    let asking = coded(&format!("{JSON}Expect: 100-continue\r\n"), "gzip", &bomb);
    for (request, expected) in [
        (coded(JSON, "gzip", &bomb), "-32004"),
        (coded(XML, "gzip", &bomb), "-32004"),
        (coded("", "gzip", &bomb), "HTTP/1.1 413"),
        (asking, "-32004"),
        (chunked, "-32004"),
    ] {
        let mut io = TcpStream::connect(&address).await.unwrap();
        io.write_all(&request).await.unwrap();
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(expected), "{answer}");
        let limit = Limits::default().message_bytes.to_string();
        assert!(
            answer.contains(&limit) && answer.contains("Limits::message_bytes"),
            "{answer}"
        );
    }
    let grown = peak().zip(before).map(|(after, before)| after - before);
    assert!(grown.unwrap_or(0) < 32 * 1024 * 1024, "{grown:?}");
}

#[tokio::test]
async fn the_limit_holds_to_the_byte() {
    let address = serve(Server::new().service(Calc::default()).limits(small())).await;
    let blanks = |length: usize| gzip(format!("{ADD:length$}").as_bytes());
    let mut io = TcpStream::connect(address).await.unwrap();
    for (length, expected) in [(1000, TEN), (1001, "-32004")] {
        let (_, reply) = exchange(&mut io, &coded(JSON, "gzip", &blanks(length))).await;
        assert!(reply.contains(expected), "{length}: {reply}");
    }
}

#[tokio::test]
async fn compressed_nothing_without_end_is_too_large() {
    let address = serve(Server::new().service(Calc::default()).limits(small())).await;
    let mut io = TcpStream::connect(address).await.unwrap();
    let nothing = gzip(b"").repeat(100);
    let (_, fault) = exchange(&mut io, &coded(JSON, "gzip", &nothing)).await;
    assert!(fault.contains("-32004"), "{fault}");
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let text = "seven and three ".repeat(1000);
    let plain = format!(r#"{{"jsonrpc":"2.0","result":"{text}","id":1}}"#);
    for (accepted, is_compressed) in [
        ("Accept-Encoding: gzip\r\n", true),
        ("Accept-Encoding: deflate, gzip, br, zstd\r\n", true),
        (
            "Accept-Encoding: br\r\nAccept-Encoding: x-gzip;q=0.1\r\n",
            true,
        ),
        ("Accept-Encoding: *\r\n", true),
        ("Accept-Encoding: gzip;q=0\r\n", false),
        ("Accept-Encoding: gzip;q=0, *\r\n", false),
        ("Accept-Encoding: identity, gzip;q=0.5\r\n", false),
        ("Accept-Encoding: br\r\n", false),
        ("Accept-Encoding:\r\n", false),
        ("", false),
    ] {
        let request = post(&format!("{JSON}{accepted}"), &echo(&text));
        io.write_all(request.as_bytes()).await.unwrap();
        // Its length was right if the next answer is understood.
        let (head, body) = message(&mut io).await;
        assert!(head.starts_with("http/1.1 200"), "{accepted}: {head}");
        assert!(
            head.contains("content-type: application/json\r\n"),
            "{head}"
        );
        for header in ["content-encoding: gzip\r\n", "vary: accept-encoding\r\n"] {
            assert_eq!(head.contains(header), is_compressed, "{accepted}: {head}");
        }
        assert_eq!(body.len() < plain.len(), is_compressed, "{accepted}");
        let content = if is_compressed {
            gunzip(&body)
        } else {
            String::from_utf8(body).unwrap()
        };
        assert_eq!(content, plain, "{accepted}");
    }
}

#[tokio::test]
async fn short_answers_are_not_compressed() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let around = r#"{"jsonrpc":"2.0","result":"","id":1}"#.len();
    for (length, is_compressed) in [(1399, false), (1400, true)] {
        let text = "x".repeat(length - around);
        let request = post(&format!("{JSON}Accept-Encoding: gzip\r\n"), &echo(&text));
        io.write_all(request.as_bytes()).await.unwrap();
        let (head, _) = message(&mut io).await;
        assert_eq!(head.contains("content-encoding"), is_compressed, "{length}");
    }
}

#[tokio::test]
async fn clients_of_http_1_0_have_compressed_answers_too() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let call = gzip(echo(&"x".repeat(5000)).as_bytes());
    let head = format!(
        "POST / HTTP/1.0\r\n{JSON}Content-Encoding: gzip\r\nAccept-Encoding: gzip\r\n\
         Content-Length: {}\r\n\r\n",
        call.len()
    );
    io.write_all(&[head.as_bytes(), &call].concat())
        .await
        .unwrap();
    let (head, body) = message(&mut io).await;
    assert!(head.starts_with("http/1.0 200"), "{head}");
    assert!(gunzip(&body).contains(&"x".repeat(5000)));
    assert_eq!(io.read(&mut [0]).await.unwrap(), 0, "{head}");
}

#[tokio::test]
async fn a_client_that_is_told_to_compresses_in_every_encoding_and_version() {
    let address = calc().await;
    let text = "seven and three ".repeat(10_000);
    for encoding in ["bincode", "json", "xml"] {
        for version in ["1", "2"] {
            let way = format!("{encoding}+http://{address}/?version={version}&gzip=1");
            let channel = connect(&way).await.unwrap();
            assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{way}");
            let echo: Result<String, Error> = channel.call(method("echo"), (&text,)).await;
            assert_eq!(echo.unwrap(), text, "{way}");
        }
    }
}

/// A server of one's own making: gives one connection these answers, and what it was sent.
async fn answering(answers: Vec<Vec<u8>>) -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, requests) = mpsc::channel(answers.len());
    tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.unwrap();
        for answer in answers {
            sender.send(message(&mut io).await).await.unwrap();
            io.write_all(&answer).await.unwrap();
        }
    });
    (address, requests)
}

/// An answer whose body is in `coding`.
fn answer(coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_client_compresses_only_if_it_is_told_to_and_what_is_long() {
    for (option, is_told) in [("", false), ("?gzip=0", false), ("?gzip=1", true)] {
        let ten = answer("gzip", &gzip(TEN.as_bytes()));
        let (address, mut requests) = answering(vec![ten.clone(), ten]).await;
        let channel = connect(&format!("http://{address}/{option}"))
            .await
            .unwrap();
        for text in ["short", &"long ".repeat(1000)] {
            let is_long = text != "short";
            let call: Result<i64, Error> = channel.call(method("echo"), (text,)).await;
            assert_eq!(call.unwrap(), 10);
            let (head, body) = requests.recv().await.unwrap();
            let asks = head.contains("accept-encoding: gzip\r\n");
            assert_eq!(asks, is_told, "{head}");
            let is_compressed = head.contains("content-encoding: gzip\r\n");
            assert_eq!(is_compressed, is_told && is_long, "{head}");
            let body = if is_compressed {
                gunzip(&body)
            } else {
                String::from_utf8(body).unwrap()
            };
            assert!(body.contains(text), "{body}");
        }
    }
}

#[tokio::test]
async fn a_client_reads_what_is_compressed_unasked() {
    let (start, end) = TEN.split_at(10);
    let in_two = [gzip(start.as_bytes()), gzip(end.as_bytes())].concat();
    let answers = vec![
        answer("gzip", &gzip(TEN.as_bytes())),
        answer("x-gzip", &in_two),
        answer("deflate", &zlib(TEN.as_bytes())),
        answer("identity", TEN.as_bytes()),
    ];
    let count = answers.len();
    let (address, _requests) = answering(answers).await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    for _ in 0..count {
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn a_notification_is_done_with_an_empty_answer_in_any_coding() {
    let (address, _requests) = answering(vec![answer("gzip", b"")]).await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    let call = channel.call::<_, i64, std::convert::Infallible>(method("add"), (7_i64, 3_i64));
    call.notify().await.unwrap();
}

#[tokio::test]
async fn a_client_is_told_what_is_wrong_with_a_compressed_answer() {
    let whole = gzip(TEN.as_bytes());
    let before = peak();
    for (answer, expected) in [
        (answer("gzip", &bomb()), "`Limits::message_bytes`"),
        (
            answer("deflate", &zlib(&vec![0; 5_000_000])),
            "`Limits::message_bytes`",
        ),
        (
            answer("gzip", &whole[..whole.len() - 1]),
            "not in its Content-Encoding",
        ),
        (
            answer("gzip", TEN.as_bytes()),
            "not in its Content-Encoding",
        ),
        (answer("br", TEN.as_bytes()), "`br`, which nobody asked for"),
    ] {
        let (address, _requests) = answering(vec![answer]).await;
        let channel = connect(&format!("http://{address}/")).await.unwrap();
        let error = add(&channel, 7, 3).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.was_sent() && !error.is_retryable(), "{error}");
    }
    let grown = peak().zip(before).map(|(after, before)| after - before);
    assert!(grown.unwrap_or(0) < 32 * 1024 * 1024, "{grown:?}");
}
