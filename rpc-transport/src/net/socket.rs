//! What is set on each TCP connection.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// How many bytes may wait in the kernel to be sent, as a small reply queues behind them.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 * 1024;

/// How many bytes a peer on this machine may send ahead of what is read. (Linux doubles it.)
const AHEAD: usize = 256 * 1024;

/// After so long without a byte the system asks whether the other end is still there.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
/// It asks so often, each time after so long without an answer; then the connection is broken.
const KEEPALIVE_RETRIES: u32 = 4;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// Sets up a connection that was made or accepted.
pub(crate) fn set_up(io: &TcpStream) -> io::Result<()> {
    // Requests and replies leave in whole batches: to hold a small one back gains nothing.
    io.set_nodelay(true)?;
    let socket = SockRef::from(io);
    // Nobody else looks at an idle connection, and routers in between may have forgotten it.
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_TIME)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)?;
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn idle_connections_are_asked_after_a_minute_and_have_20_s_to_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let io = TcpStream::connect(address).await.unwrap();
        set_up(&io).unwrap();
        let socket = SockRef::from(&io);
        assert!(socket.keepalive().unwrap() && io.nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), 60);
        let interval = socket.tcp_keepalive_interval().unwrap();
        let retries = socket.tcp_keepalive_retries().unwrap();
        assert_eq!((interval * retries).as_secs(), 20);
    }
}
