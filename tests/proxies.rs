//! Proxies in front of a server: who is believed about where calls come from.
//!
//! On Linux all of 127.0.0.0/8 is this machine, so that a proxy can have another address than a client.

use std::net::SocketAddr;
use std::time::Duration;

use farcall::{AllowList, Context, Encoding, Limits, Proxies, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

#[farcall::service]
trait Mirror {
    /// The address of the caller.
    async fn whoami(&self, cx: &Context) -> String;
}

struct Glass;

impl Mirror for Glass {
    async fn whoami(&self, cx: &Context) -> String {
        let address = cx.peer_address().map(|address| address.ip().to_string());
        address.unwrap_or_else(|| "nobody".to_owned())
    }
}

fn list(entries: &[&str]) -> AllowList {
    AllowList::new(entries).unwrap()
}

/// 127.0.0.9 is a proxy.
fn proxies() -> Proxies {
    Proxies::new(list(&["127.0.0.9"]))
}

async fn serve(server: Server) -> SocketAddr {
    let server = server.service(MirrorServer::new(Glass));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap();
    tokio::spawn(listening.run());
    address
}

async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// All that is heard after these words, until the connection ends.
async fn say(io: &mut TcpStream, words: &str) -> String {
    let _ = io.write_all(words.as_bytes()).await;
    let mut heard = Vec::new();
    let _ = io.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

fn request(headers: &str, version: &str) -> String {
    let body = r#"{"jsonrpc":"2.0","method":"whoami","id":1}"#;
    format!(
        "POST / HTTP/{version}\r\nHost: localhost\r\n{headers}Content-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Who a client at `from` is told to be that sends these headers.
async fn who(server: SocketAddr, from: &str, headers: &str) -> String {
    let answer = say(&mut connect(from, server).await, &request(headers, "1.1")).await;
    match answer.split_once("\"result\":\"") {
        Some((_, rest)) => rest.split('"').next().unwrap().to_owned(),
        None => answer.lines().next().unwrap_or_default().to_owned(),
    }
}

#[tokio::test]
async fn headers_count_only_from_a_listed_proxy() {
    let believing = serve(Server::new().proxies(proxies())).await;
    let plain = serve(Server::new()).await;
    for header in [
        "X-Forwarded-For: 192.0.2.1",
        "Forwarded: for=192.0.2.1",
        "X-Real-IP: 192.0.2.1",
    ] {
        let header = format!("{header}\r\n");
        assert_eq!(
            who(plain, "127.0.0.9", &header).await,
            "127.0.0.9",
            "{header}"
        );
        assert_eq!(
            who(believing, "127.0.0.1", &header).await,
            "127.0.0.1",
            "{header}"
        );
    }
    assert_eq!(who(believing, "127.0.0.9", "").await, "127.0.0.9");
    for (headers, expected) in [
        ("X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
        (
            "X-Forwarded-For: 192.0.2.7, 192.0.2.1, 127.0.0.9\r\n",
            "192.0.2.1",
        ),
        (
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 192.0.2.1\r\n",
            "192.0.2.1",
        ),
        ("X-Forwarded-For: 192.0.2.1, unknown\r\n", "nobody"),
        (
            "Forwarded: for=192.0.2.7\r\nX-Forwarded-For: 192.0.2.1\r\n",
            "192.0.2.1",
        ),
        (
            "Forwarded: for=192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\n",
            "127.0.0.9",
        ),
    ] {
        assert_eq!(
            who(believing, "127.0.0.9", headers).await,
            expected,
            "{headers}"
        );
    }
    let standard = serve(Server::new().proxies(proxies().forwarded())).await;
    for (headers, expected) in [
        (
            "Forwarded: for=192.0.2.7, for=\"[2001:db8::1]:9\";proto=https\r\n",
            "2001:db8::1",
        ),
        (
            "X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.1\r\n",
            "192.0.2.1",
        ),
        ("X-Forwarded-For: 192.0.2.7\r\n", "127.0.0.9"),
        ("Forwarded: for=\", for=192.0.2.1\r\n", "nobody"),
    ] {
        assert_eq!(
            who(standard, "127.0.0.9", headers).await,
            expected,
            "{headers}"
        );
    }
}

#[tokio::test]
async fn the_allow_list_is_asked_about_the_client_behind_a_proxy() {
    let allowed = list(&["192.0.2.0/24"]);
    let server = Server::new().proxies(proxies()).allow(allowed.clone());
    let server = serve(server).await;
    let from = |ip: &str| format!("X-Forwarded-For: {ip}\r\n");
    assert_eq!(
        who(server, "127.0.0.9", &from("192.0.2.1")).await,
        "192.0.2.1"
    );
    for forged in [
        "198.51.100.1",
        "192.0.2.1, 198.51.100.1",
        "192.0.2.1, unknown",
        "127.0.0.9",
    ] {
        let answer = who(server, "127.0.0.9", &from(forged)).await;
        assert!(answer.contains("403"), "{forged}: {answer}");
    }
    assert!(
        who(server, "127.0.0.9", "").await.contains("403"),
        "the proxy itself"
    );
    assert_eq!(
        who(server, "127.0.0.1", &from("192.0.2.1")).await,
        "",
        "no proxy"
    );
    // What has no headers comes from the proxy itself.
    let answer = say(
        &mut connect("127.0.0.9", server).await,
        "{\"jsonrpc\":\"2.0\"}\n",
    )
    .await;
    assert_eq!(answer, "");

    let mut io = connect("127.0.0.9", server).await;
    let kept = request(&from("192.0.2.1"), "1.1").replace("Connection: close\r\n", "");
    io.write_all(kept.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    io.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    allowed.set(["198.51.100.0/24"]).unwrap();
    let answer = say(&mut io, &request(&from("192.0.2.1"), "1.1")).await;
    assert!(answer.contains("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn the_proxy_protocol_says_who_calls_whatever_is_spoken() {
    let server = Server::new().proxies(proxies().proxy_protocol());
    let server = serve(server.allow(list(&["192.0.2.0/24", "2001:db8::/32"]))).await;
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\x7f\0\0\x01\x30\x39\0\x50";
    for (preface, expected) in [
        (
            &b"PROXY TCP4 192.0.2.1 127.0.0.1 12345 80\r\n"[..],
            "192.0.2.1",
        ),
        (b"PROXY TCP6 2001:db8::1 ::1 12345 80\r\n", "2001:db8::1"),
        (v2, "192.0.2.1"),
    ] {
        let mut io = connect("127.0.0.9", server).await;
        io.write_all(preface).await.unwrap();
        let client = farcall::over(io, Encoding::Bincode, Limits::default());
        assert_eq!(MirrorClient::new(client).whoami().await.unwrap(), expected);

        let mut io = connect("127.0.0.9", server).await;
        io.write_all(preface).await.unwrap();
        let answer = say(&mut io, &request("X-Forwarded-For: 192.0.2.7\r\n", "1.1")).await;
        assert!(answer.contains(expected), "{answer}");
    }
    for preface in [
        "PROXY TCP4 198.51.100.1 127.0.0.1 12345 80\r\n",
        // A check by the proxy itself, which is not on the list.
        "PROXY UNKNOWN\r\n",
        // Whatever it says, it is for nobody.
        "",
        "PROXY TCP4 192.0.2.01 127.0.0.1 12345 80\r\n",
    ] {
        let mut io = connect("127.0.0.9", server).await;
        let answer = say(&mut io, &format!("{preface}{}", request("", "1.1"))).await;
        assert_eq!(answer, "", "{preface}");
    }
}

#[tokio::test]
async fn nobody_else_may_send_a_header_of_the_proxy_protocol() {
    let preface = "PROXY TCP4 192.0.2.1 127.0.0.1 12345 80\r\n";
    for server in [
        Server::new(),
        Server::new().proxies(proxies()),
        Server::new().proxies(proxies().proxy_protocol()),
    ] {
        let server = serve(server).await;
        let mut io = connect("127.0.0.1", server).await;
        let answer = say(&mut io, &format!("{preface}{}", request("", "1.1"))).await;
        assert!(
            answer.starts_with("farcall: that is not spoken here"),
            "{answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_that_does_not_come_is_not_waited_for() {
    let mut limits = Limits::default();
    limits.handshake_time = Duration::from_secs(3);
    let server = Server::new()
        .limits(limits)
        .proxies(proxies().proxy_protocol());
    let server = serve(server).await;
    for slow in ["", "PROXY TCP4 192.0.2.1 "] {
        let begun = tokio::time::Instant::now();
        assert_eq!(say(&mut connect("127.0.0.9", server).await, slow).await, "");
        let waited = begun.elapsed();
        assert!((3..4).contains(&waited.as_secs()), "{slow}: {waited:?}");
    }
}
