//! A web site: one page at `/page`, its verdict at `/verdict`, and farcall behind all the rest, as
//! behind a proxy.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::chromium;

/// How long a browser may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Opens a page that runs `script`, on a site that has the server at the port `farcall` behind it.
/// What the script says with `verdict` is what this gives; nothing if there is no browser.
pub(crate) async fn visit(farcall: u16, script: &str) -> Option<String> {
    Site::bind("127.0.0.1:0", "127.0.0.1")
        .await
        .visit(farcall, script)
        .await
}

/// A site that is not visited yet.
pub(crate) struct Site {
    listener: TcpListener,
    origin: String,
}

impl Site {
    /// A site at `address` whose pages know it by the name `host`: an IP address, or any of `example`.
    pub(crate) async fn bind(address: &str, host: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = format!("http://{host}:{port}");
        Self { listener, origin }
    }

    /// Where its pages come from, as their browser says it.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// As [`visit`]. The script may use `port`, the one of farcall itself, and `verdict`; an error of it
    /// is a verdict.
    pub(crate) async fn visit(self, farcall: u16, script: &str) -> Option<String> {
        let Self { listener, origin } = self;
        let ip = listener.local_addr().unwrap().ip();
        let (verdict, mut verdicts) = mpsc::channel(1);
        let page = page(farcall, script);
        let serving = tokio::spawn(async move {
            loop {
                let (io, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(io, page.clone(), farcall, verdict.clone()));
            }
        });
        let browser = chromium::open(&format!("{origin}/page"), ip)?;
        let said = tokio::time::timeout(PATIENCE, verdicts.recv()).await;
        drop(browser);
        serving.abort();
        said.expect("the page says something in time")
    }
}

fn page(farcall: u16, script: &str) -> String {
    format!(
        r#"<!doctype html><meta charset="utf-8"><title>farcall</title><script type="module">
const port = {farcall};
const verdict = (words) => fetch("/verdict", {{ method: "POST", body: String(words) }});
try {{
{script}
}} catch (error) {{
  verdict(`${{error}} ${{error?.stack}}`);
}}
</script>"#
    )
}

/// Answers one connection, of which the first request says what it is for.
async fn answer(mut io: TcpStream, page: String, farcall: u16, verdict: mpsc::Sender<String>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if matches!(io.read_buf(&mut request).await, Ok(0) | Err(_)) {
            return;
        }
    }
    if request.starts_with(b"GET /page ") {
        let head = head("200 OK", page.len());
        let _ = io.write_all((head + &page).as_bytes()).await;
    } else if request.starts_with(b"POST /verdict ") {
        let text = String::from_utf8_lossy(&request).into_owned();
        let (before, body) = text.split_once("\r\n\r\n").unwrap();
        let length = before.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        let mut body = body.as_bytes().to_vec();
        while body.len() < length && io.read_buf(&mut body).await.unwrap() > 0 {}
        let _ = io.write_all(head("200 OK", 0).as_bytes()).await;
        let _ = verdict
            .send(String::from_utf8_lossy(&body).into_owned())
            .await;
    } else if request.starts_with(b"GET /favicon.ico ") {
        let _ = io.write_all(head("404 Not Found", 0).as_bytes()).await;
    } else {
        let mut behind = TcpStream::connect(("127.0.0.1", farcall)).await.unwrap();
        behind.write_all(&request).await.unwrap();
        let _ = copy_bidirectional(&mut io, &mut behind).await;
    }
}

fn head(status: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    )
}
