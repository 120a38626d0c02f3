//! A client's handshake: it asks for a WebSocket (RFC 6455 §4.1), and looks at the answer.

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use farcall_core::encoding::Encoding;
use farcall_core::error::Failure;
use farcall_core::fault::shown;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;

use super::{Content, NATIVE, Socket};
use crate::address::Address;

/// The longest head of an answer, and the most headers in it.
const HEAD: usize = 32 * 1024;
const HEADERS: usize = 100;
/// How much of a refusal is shown, and how long it is waited for.
const SHOWN: usize = 200;
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes a WebSocket of `io`, a connection to the server at `address`.
pub(crate) async fn connect<IO>(io: IO, address: &Address) -> Result<Socket<IO>, Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    shake_hands(io, address)
        .await
        .map_err(|not_open| match not_open {
            NotOpen::Broken(source) => Failure::connect(address, source),
            NotOpen::Refused(words) => Failure::refused(words),
            NotOpen::Wrong(how) => Failure::peer(how),
        })
}

/// Why there is no socket.
enum NotOpen {
    Broken(io::Error),
    Refused(String),
    /// The answer is none to what was asked.
    Wrong(String),
}

impl From<io::Error> for NotOpen {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<String> for NotOpen {
    fn from(how: String) -> Self {
        Self::Wrong(how)
    }
}

async fn shake_hands<IO>(mut io: IO, address: &Address) -> Result<Socket<IO>, NotOpen>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let content = match address.encoding() {
        Encoding::Json => Content::Json,
        _ => Content::Native,
    };
    let key = generate_key();
    let protocol = match content {
        Content::Native => format!("Sec-WebSocket-Protocol: {NATIVE}\r\n"),
        Content::Json => String::new(),
    };
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{protocol}\r\n",
        address.path(),
        address.authority(),
    );
    io.write_all(request.as_bytes()).await?;
    io.flush().await?;
    let mut received = BytesMut::new();
    loop {
        match answer(&received, &key, content)? {
            Answer::Partial if received.len() > HEAD => {
                let words = format!("the head of its answer is longer than {HEAD} bytes");
                return Err(words.into());
            }
            Answer::Partial => {}
            Answer::Interim(length) => {
                received.advance(length);
                continue;
            }
            Answer::Open(length) => {
                received.advance(length);
                return Ok(Socket::client(io, received, content));
            }
            Answer::Refused(status, length) => {
                received.advance(length);
                let rest = async {
                    while received.len() < SHOWN && io.read_buf(&mut received).await? > 0 {}
                    Ok::<(), io::Error>(())
                };
                // What it says is shown as far as it came.
                let _ = tokio::time::timeout(PATIENCE, rest).await;
                let text = received.get(..SHOWN).unwrap_or(&received);
                let text = String::from_utf8_lossy(text);
                let text = text.trim().escape_debug();
                let words = format!("it opens no WebSocket, but answers HTTP {status}: {text}");
                return Err(NotOpen::Refused(words));
            }
        }
        if io.read_buf(&mut received).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// What an answer is, and how long its head.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// Not all there.
    Partial,
    /// It only says to go on waiting.
    Interim(usize),
    Open(usize),
    Refused(StatusCode, usize),
}

/// Looks at an answer to a request with this `key`; the error says what is wrong with it.
fn answer(received: &[u8], key: &str, content: Content) -> Result<Answer, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let length = match answer.parse(received) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(Answer::Partial),
        Err(error) => return Err(format!("its answer is no HTTP: {error}")),
    };
    let code = answer.code.unwrap_or_default();
    let status = StatusCode::from_u16(code).map_err(|_| format!("it answers HTTP {code}"))?;
    match code {
        101 => {}
        100..200 => return Ok(Answer::Interim(length)),
        _ => return Ok(Answer::Refused(status, length)),
    }
    let value = |name: &str| {
        let mut all = answer.headers.iter();
        let header = all.find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok().map(str::trim)
    };
    let says = |name: &str, word: &str| {
        let mut words = value(name).into_iter().flat_map(|value| value.split(','));
        words.any(|said| said.trim().eq_ignore_ascii_case(word))
    };
    if !says("upgrade", "websocket") || !says("connection", "upgrade") {
        return Err("it switches to something else than WebSocket".to_owned());
    }
    if value("sec-websocket-accept") != Some(&derive_accept_key(key.as_bytes())) {
        return Err("its Sec-WebSocket-Accept is not the one to the key it was sent".to_owned());
    }
    if value("sec-websocket-extensions").is_some() {
        return Err("it uses an extension of WebSocket that it was not asked for".to_owned());
    }
    match (content, value("sec-websocket-protocol")) {
        (Content::Json, None) => Ok(Answer::Open(length)),
        (Content::Native, Some(NATIVE)) => Ok(Answer::Open(length)),
        (Content::Native, None) => Err(format!(
            "it does not speak the subprotocol {NATIVE}, which all encodings but json need"
        )),
        (_, Some(other)) => Err(format!(
            "it chose the subprotocol `{}`, for which it was not asked",
            shown(other)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and what it is answered with in RFC 6455 §1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n";

    fn looked_at(text: &str, content: Content) -> Result<Answer, String> {
        answer(text.as_bytes(), KEY, content)
    }

    #[test]
    fn an_answer_opens_a_socket_if_it_is_to_what_was_asked() {
        let right = format!("{SWITCH}{ACCEPT}\r\n");
        let open = Ok(Answer::Open(right.len()));
        assert_eq!(looked_at(&right, Content::Json), open);
        for end in 0..right.len() {
            let part = looked_at(&right[..end], Content::Json);
            assert_eq!(part, Ok(Answer::Partial));
        }
        let native = format!("{SWITCH}{ACCEPT}Sec-WebSocket-Protocol: farcall.native\r\n\r\n");
        let open = Ok(Answer::Open(native.len()));
        assert_eq!(looked_at(&native, Content::Native), open);
    }

    #[test]
    fn an_answer_to_something_else_is_refused_in_words() {
        let wrong = "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n";
        let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        let protocol = "Sec-WebSocket-Protocol: graphql-ws\r\n";
        let h2c = "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n";
        for (answer, content, words) in [
            (format!("{SWITCH}{wrong}"), Content::Json, "the key"),
            (SWITCH.to_owned(), Content::Json, "the key"),
            (
                format!("{SWITCH}{ACCEPT}{extension}"),
                Content::Json,
                "extension",
            ),
            (
                format!("{SWITCH}{ACCEPT}{protocol}"),
                Content::Json,
                "graphql-ws",
            ),
            (
                format!("{SWITCH}{ACCEPT}"),
                Content::Native,
                "farcall.native",
            ),
            (format!("{h2c}{ACCEPT}"), Content::Json, "something else"),
            ("SSH-2.0-OpenSSH\r\n".to_owned(), Content::Json, "no HTTP"),
        ] {
            let error = looked_at(&format!("{answer}\r\n"), content).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
