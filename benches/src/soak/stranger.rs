//! Whoever else finds the port: nonsense, half of a request, and silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::dice::Dice;

/// How each protocol begins.
const BEGINNINGS: [&[u8]; 6] = [
    b"",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",",
    b"\xfcfar\x01\x01\x01\x00\x00\x00\x40\x00\x00\x04\x00\x00",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
];

pub(super) async fn run(port: u16, mut dice: Dice, over: Arc<AtomicBool>) {
    while !over.load(Relaxed) {
        // Whatever the server does to it, it comes again.
        visit(port, &mut dice).await.ok();
        sleep(Duration::from_millis(20)).await;
    }
}

async fn visit(port: u16, dice: &mut Dice) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let beginning = BEGINNINGS.get(dice.below(6) as usize).copied();
    stream.write_all(beginning.unwrap_or_default()).await?;
    let length = dice.below(4096);
    let nonsense: Vec<u8> = (0..length).map(|_| dice.throw() as u8).collect();
    if dice.below(3) > 0 {
        stream.write_all(&nonsense).await?;
    }
    if dice.below(2) == 0 {
        // In the middle of it, with what the server says unread.
        stream.set_zero_linger()?;
        return Ok(());
    }
    let mut said = Vec::new();
    let reading = stream.read_to_end(&mut said);
    timeout(Duration::from_secs(2), reading).await.ok();
    Ok(())
}
