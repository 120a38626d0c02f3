//! Decoding fed one byte at a time: streams that never hold more.

use farcall::{Encoding, Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[farcall::service]
trait Echo {
    async fn echo(&self, text: &str, numbers: Vec<i64>) -> (String, Vec<i64>);
}

struct Same;

impl Echo for Same {
    async fn echo(&self, text: &str, numbers: Vec<i64>) -> (String, Vec<i64>) {
        (text.to_owned(), numbers)
    }
}

fn server() -> Server {
    Server::new().service(EchoServer::new(Same))
}

#[tokio::test]
async fn every_encoding_survives_a_stream_of_single_bytes() {
    for encoding in Encoding::ALL {
        let (mine, theirs) = tokio::io::duplex(1);
        tokio::spawn(server().serve_stream(theirs));
        let client = EchoClient::new(farcall::over(mine, encoding, Limits::default()));
        for _ in 0..3 {
            let sent = ("a \"text\" <&>\n🦀".to_owned(), vec![0, -1, i64::MAX]);
            let got = client.echo(&sent.0, sent.1.clone()).await.unwrap();
            assert_eq!(got, sent, "{encoding}");
        }
    }
}

#[tokio::test]
async fn http_survives_it_too() {
    let json = r#"{"jsonrpc":"2.0","method":"echo","params":["x",[1]],"id":1}"#;
    let xml = "<?xml version='1.0'?><methodCall><methodName>echo</methodName><params><param>\
               <value>x</value></param><param><value><array><data><value><int>1</int></value>\
               </data></array></value></param></params></methodCall>";
    for (content_type, body, expected) in [
        ("application/json", json, r#""result":["x",[1]]"#),
        ("text/xml", xml, "<int>1</int>"),
    ] {
        let (mut mine, theirs) = tokio::io::duplex(1);
        tokio::spawn(server().serve_stream(theirs));
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
             {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        mine.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        mine.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(expected),
            "{answer}"
        );
    }
}
