//! What is set on each TCP connection.

use std::io;

use socket2::SockRef;
use tokio::net::TcpStream;

/// How many bytes may wait in the kernel to be sent, as a small reply queues behind them.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// How many bytes a peer on this machine may send ahead of what is read. (Linux doubles it.)
const AHEAD: usize = 256 * 1024;

/// Sets up a connection that was made or accepted.
pub(crate) fn set_up(io: &TcpStream) -> io::Result<()> {
    // Requests and replies leave in whole batches: to hold a small one back gains nothing.
    io.set_nodelay(true)?;
    let socket = SockRef::from(io);
    // A system that knows no such thing sends all the same, so its errors are none.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    // No bytes are under way on a loopback, so more than keeps both sides busy is only a queue: Linux
    // would let it grow to 32 MB, and what a small reply waits for there are milliseconds. Over a
    // network the same bytes are on their way, and a limit would be one of speed.
    if io
        .peer_addr()
        .is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    {
        let _ = socket.set_recv_buffer_size(AHEAD);
    }
    Ok(())
}
