//! The Rust client against servers that are not ours: what it writes, byte by byte, and what it
//! makes of answers written by hand.

#![allow(missing_docs, reason = "these traits are for nobody else")]

mod errors;
mod ids;
mod named;
mod replies;
mod unasked;

use farcall::Channel;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that answers each call with the next of its answers, whatever it asks. `ID` in an
/// answer stands for the call's id, `ID0`, `ID1` and so on for those of a batch.
struct Literal {
    channel: Channel,
    /// The messages it was sent, without line ends, and `ID` for the id.
    asked: mpsc::UnboundedReceiver<String>,
}

impl Literal {
    /// A server to be called by `way`, `json+tcp`, `json+http` or `xml+http`.
    async fn new<const N: usize>(way: &str, answers: [&str; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{way}://{}", listener.local_addr().unwrap());
        let answers = answers.map(str::to_owned);
        let is_http = way.ends_with("http");
        let kind = if way.starts_with("xml") {
            "text/xml"
        } else {
            "application/json"
        };
        let (tell, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            for answer in answers {
                let message = if is_http {
                    body(&mut stream).await
                } else {
                    line(&mut stream).await
                };
                let id = id_of(&message);
                let answer = with_ids(&answer, &message).replace("ID", &id) + "\n";
                let mut head = String::new();
                if is_http {
                    let length = answer.len();
                    head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
                    );
                }
                let message = message.replace(&format!("\"id\":{id}}}"), "\"id\":ID}");
                tell.send(message).unwrap();
                stream.write_all((head + &answer).as_bytes()).await.unwrap();
            }
            // The client hangs up first.
            let _ = stream.read(&mut [0]).await;
        });
        let channel = farcall::connect(&address).await.unwrap();
        Self { channel, asked }
    }

    /// The next message that it was sent.
    async fn asked(&mut self) -> String {
        self.asked.recv().await.unwrap()
    }
}

/// The id of a JSON-RPC call; nothing of anything else.
fn id_of(message: &str) -> String {
    let call: serde_json::Value = serde_json::from_str(message).unwrap_or_default();
    call.get("id").map(ToString::to_string).unwrap_or_default()
}

/// `answer` with the ids of the batch in `message`.
fn with_ids(answer: &str, message: &str) -> String {
    let batch: Vec<serde_json::Value> = serde_json::from_str(message).unwrap_or_default();
    let ids = batch.iter().map(|call| call["id"].to_string()).enumerate();
    ids.fold(answer.to_owned(), |answer, (at, id)| {
        answer.replace(&format!("ID{at}"), &id)
    })
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

/// The body of an HTTP request.
async fn body(stream: &mut BufReader<TcpStream>) -> String {
    let mut length = 0;
    loop {
        let head = line(stream).await;
        match head.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap();
            }
            _ if head.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    String::from_utf8(body).unwrap()
}
