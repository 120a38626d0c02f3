//! The limit over TCP: length-prefixed frames, echoed as they are, a window of them in flight. No
//! task, waker, lock or codec for a call; all frames of a read are answered by one write.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::load::{BLOB, Caller, Load, Meter, Op};
use crate::peer::Problem;

/// A length of 4 bytes, an id of 8.
const HEAD: usize = 12;

/// Starts the server.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that goes away in the middle ends its own connection alone.
            tokio::spawn(async move { echo(stream).await.ok() });
        }
    });
    Ok(port)
}

async fn echo(mut stream: TcpStream) -> Result<(), Problem> {
    stream.set_nodelay(true)?;
    let mut read = Vec::with_capacity(64 * 1024);
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        let (_, whole) = whole_frames(&mut read)?;
        if whole > 0 {
            stream
                .write_all(read.get(..whole).unwrap_or_default())
                .await?;
            read.drain(..whole);
        }
    }
}

/// How many frames of `read` are whole, and how many bytes they are. Makes room for the next.
fn whole_frames(read: &mut Vec<u8>) -> Result<(u64, usize), Problem> {
    let (mut frames, mut at) = (0, 0);
    while let Some(head) = read.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let len = u32::from_le_bytes(*head) as usize;
        if len > 2 * BLOB {
            return Err("a frame larger than any here".into());
        }
        let end = at + HEAD + len;
        if end > read.len() {
            read.reserve(end - read.len());
            break;
        }
        at = end;
        frames += 1;
    }
    Ok((frames, at))
}

/// Connects, and keeps each connection's window full.
pub(crate) async fn drive(port: u16, load: Load, meter: Arc<Meter>) -> Result<(), Problem> {
    let mut connections = JoinSet::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        connections.spawn(window(stream, load, meter.enter()));
    }
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    Ok(())
}

async fn window(mut stream: TcpStream, load: Load, caller: Caller) -> Result<(), Problem> {
    stream.set_nodelay(true)?;
    let payload = match load.op {
        Op::Add => 8,
        Op::Records => 11_708,
        Op::Blob => BLOB,
    };
    let mut frame = (payload as u32).to_le_bytes().to_vec();
    frame.resize(HEAD + payload, 7);
    let mut out = frame.repeat(load.in_flight);
    let mut read = Vec::with_capacity(64 * 1024);
    while let Some(since) = caller.next() {
        stream.write_all(&out).await?;
        let frames = loop {
            if stream.read_buf(&mut read).await? == 0 {
                return Err("the server is gone".into());
            }
            let (frames, whole) = whole_frames(&mut read)?;
            if whole > 0 {
                read.drain(..whole);
                break frames;
            }
        };
        // As many as came are sent again.
        let again = frames as usize * frame.len();
        while out.len() < again {
            out.extend_from_slice(&frame);
        }
        out.truncate(again);
        caller.answered(frames, since);
    }
    Ok(())
}
