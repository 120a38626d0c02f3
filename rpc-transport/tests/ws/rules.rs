//! What a socket may not carry: a goodbye says so, with the code for it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{ADD, BINARY, CLOSE, PING, Raw, TEN, TEXT, calc, frame};

/// Sends a call and these bytes at once; the call is answered, and then the goodbye comes.
async fn check(bytes: &[u8], code: u16, words: &str) {
    let mut socket = Raw::connect(&calc().await).await;
    let all = [frame(true, TEXT, ADD.as_bytes()), bytes.to_vec()].concat();
    socket.io.write_all(&all).await.unwrap();
    assert_eq!(socket.text().await, TEN);
    let (said, why) = socket.goodbye().await;
    assert_eq!(said, code, "{why}");
    assert!(why.contains(words), "{why}");
    assert!(socket.next().await.is_none(), "and then the end");
}

#[tokio::test]
async fn what_breaks_the_rules_ends_the_socket_in_words() {
    let masked = |first, payload: &[u8]| frame(true, first, payload);
    for (bytes, code, words) in [
        (frame(false, TEXT, b"[]"), 1002, "masked"),
        (masked(TEXT | 0x40, b"[]"), 1002, "reserved bit"),
        (masked(TEXT | 0x20, b"[]"), 1002, "reserved bit"),
        (masked(TEXT | 0x10, b"[]"), 1002, "reserved bit"),
        (masked(0x83, b""), 1002, "kind"),
        (masked(0x8f, b""), 1002, "kind"),
        (masked(0x80, b"]"), 1002, "nothing was begun"),
        (
            [masked(0x01, b"["), masked(TEXT, b"]")].concat(),
            1002,
            "before the last",
        ),
        (masked(PING & 0x7f, b""), 1002, "fragmented"),
        (masked(PING, &[0; 126]), 1002, "125 bytes"),
        (masked(TEXT, b"\"\xff\""), 1007, "UTF-8"),
        (masked(TEXT, b"\"\xed\xa0\x80\""), 1007, "UTF-8"),
        (
            [masked(0x01, b"\xe2\x82"), masked(0x80, b"")].concat(),
            1007,
            "UTF-8",
        ),
        (masked(BINARY, b"[]"), 1003, "farcall.native"),
        (masked(CLOSE, b"\x03"), 1002, "two bytes"),
        (masked(CLOSE, b"\x03\xee"), 1002, "a code that is none"),
    ] {
        check(&bytes, code, words).await;
    }
}

#[tokio::test]
async fn a_native_socket_has_binary_messages_only() {
    let io = TcpStream::connect(calc().await).await.unwrap();
    let mut socket = Raw::open(io, "Sec-WebSocket-Protocol: farcall.native\r\n").await;
    socket.send(TEXT, ADD).await;
    let (code, words) = socket.goodbye().await;
    assert_eq!(code, 1003);
    assert!(words.contains("binary"), "{words}");
}

#[tokio::test]
async fn native_frames_may_be_cut_by_messages_anywhere() {
    // The worked example of docs/wire.md.
    let hello = b"\xfcfar\x01\x01\x01\0\0\0\x40\0\0\x04\0\0";
    let call = b"\x18\0\0\0\x01\0\0\0\0\0\0\x01\0\0\0\0\x74\x12\x39\x3b\x10\x27\0\0\
                 \x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0";
    let stream = [&hello[..], call].concat();
    for step in [1, 5, 16, 100] {
        let io = TcpStream::connect(calc().await).await.unwrap();
        let mut socket = Raw::open(io, "Sec-WebSocket-Protocol: farcall.native\r\n").await;
        for piece in stream.chunks(step) {
            socket.send(BINARY, piece).await;
        }
        let mut came = Vec::new();
        while came.len() < 16 + 24 {
            let (first, payload) = socket.next().await.unwrap();
            assert_eq!(first, BINARY);
            came.extend(payload);
        }
        assert_eq!(came[..4], *b"\xfcfar");
        assert_eq!(came[32..], 10_u64.to_le_bytes());
    }
}

#[tokio::test]
async fn whoever_misbehaves_and_does_not_listen_is_not_waited_for() {
    let mut socket = Raw::connect(&calc().await).await;
    socket.send(TEXT | 0x40, "").await;
    // It neither reads nor closes; the server closes all the same.
    let mut rest = Vec::new();
    socket.io.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest[..1], [CLOSE]);
}
