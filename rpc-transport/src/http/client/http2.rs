//! One HTTP/2 connection, which all calls to a server share.
//!
//! Each caller opens its own stream and waits for its own answer: there is one task, which moves the
//! bytes of all. (hyper's client has another, to which each request goes by a channel, and one more for
//! each answer, which comes back by a channel again.)

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use farcall_core::limits::Limits;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{Ping, PingPong, RecvStream, SendStream};
use http::{Request, Response};
use http_body::{Body, Frame};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::net::dial::Refused;

/// How many bytes of one answer, and of all, may come ahead of what is read.
const WINDOW: u32 = 2 * 1024 * 1024;
const WINDOWS: u32 = 5 * 1024 * 1024;
/// How many requests may be under way before the server says how many it takes.
const AT_FIRST: usize = 100;
/// How many bytes of a stream may wait to be sent: enough to fill frames, and little beside what
/// sockets hold.
const ROOM: usize = 64 * 1024;
/// Calls that wait this long for a reply make sure that the server is still there: all others wait on
/// the same connection.
const PING: Duration = Duration::from_secs(10);

/// A connection, as each caller has it. It ends with the last of them.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// No further request can be made.
    is_closed: AtomicBool,
    /// Each that is under way holds a share.
    under_way: Arc<()>,
}

impl Http2 {
    /// Begins with `io`, in a task of its own.
    ///
    /// What the server says last is left in `refusal`.
    pub(super) async fn begin<IO>(
        io: IO,
        limits: &Limits,
        refusal: Refused,
    ) -> Result<Self, h2::Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, mut connection) = Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOWS)
            .initial_max_send_streams(AT_FIRST)
            .max_send_buffer_size(ROOM)
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .enable_push(false)
            .handshake(io)
            .await?;
        let state = Arc::<State>::default();
        let pings = connection.ping_pong();
        let driven = Arc::clone(&state);
        tokio::spawn(async move {
            let ended = drive(connection, pings, &driven.under_way).await;
            if let Some(words) = ended.err().as_ref().and_then(last_words) {
                refusal.say(words);
            }
            driven.is_closed.store(true, Ordering::Relaxed);
        });
        Ok(Self { sender, state })
    }

    /// True if no further request can be made.
    pub(super) fn is_closed(&self) -> bool {
        self.state.is_closed.load(Ordering::Relaxed)
    }

    /// Makes a request, whose body is to follow; `None` if none can be made any more.
    pub(super) fn open(&mut self, request: Request<()>) -> Option<(Asked, SendStream<Bytes>)> {
        let Ok((answer, body)) = self.sender.send_request(request, false) else {
            self.state.is_closed.store(true, Ordering::Relaxed);
            return None;
        };
        let under_way = Arc::clone(&self.state.under_way);
        Some((Asked { answer, under_way }, body))
    }
}

/// Moves the bytes of a connection until it is over, or the server stops answering while requests are
/// `under_way`.
async fn drive<IO: AsyncRead + AsyncWrite + Unpin>(
    connection: Connection<IO, Bytes>,
    pings: Option<PingPong>,
    under_way: &Arc<()>,
) -> Result<(), h2::Error> {
    let silent = async {
        let Some(mut pings) = pings else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(PING).await;
            if Arc::strong_count(under_way) > 1 {
                let answered = tokio::time::timeout(PING, pings.ping(Ping::opaque())).await;
                if !matches!(answered, Ok(Ok(_))) {
                    return;
                }
            }
        }
    };
    tokio::select! {
        ended = connection => ended,
        () = silent => Ok(()),
    }
}

/// A request that was made. Dropped, it is given up.
pub(super) struct Asked {
    answer: ResponseFuture,
    under_way: Arc<()>,
}

impl Asked {
    pub(super) async fn answer(self) -> Result<Response<Incoming>, h2::Error> {
        let Self { answer, under_way } = self;
        let answer = answer.await?;
        Ok(answer.map(|body| Incoming {
            body,
            _under_way: under_way,
        }))
    }
}

/// The body of an answer.
pub(super) struct Incoming {
    body: RecvStream,
    _under_way: Arc<()>,
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let data = ready!(self.body.poll_data(cx));
        Poll::Ready(match data {
            Some(Ok(data)) => {
                // It is read: as much may follow.
                let _ = self.body.flow_control().release_capacity(data.len());
                Some(Ok(Frame::data(data)))
            }
            // So ends one that the server answered before it had read all of the request (RFC 9113 §8.1).
            Some(Err(error)) if error.reason() == Some(h2::Reason::NO_ERROR) => None,
            Some(Err(error)) => Some(Err(io::Error::other(error))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// The body of a request, as bytes are written to it. Shut down, it ends; dropped, it breaks off.
pub(super) struct Outgoing(pub(super) SendStream<Bytes>);

impl AsyncWrite for Outgoing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = &mut self.0;
        stream.reserve_capacity(bytes.len());
        let room = loop {
            let room = stream.capacity();
            if room > 0 {
                break room;
            }
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        };
        let bytes = bytes.get(..room).unwrap_or(bytes);
        let sent = stream.send_data(Bytes::copy_from_slice(bytes), false);
        Poll::Ready(sent.map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = self.0.send_data(Bytes::new(), true);
        Poll::Ready(ended.map_err(io::Error::other))
    }
}

/// True if the server said that it did not look at the request: that it refused it, or, as it ended, that
/// it had taken only those before it.
pub(super) fn was_refused(error: &h2::Error) -> bool {
    let says = |reason| error.is_remote() && error.reason() == Some(reason);
    (error.is_go_away() && says(h2::Reason::NO_ERROR))
        || (error.is_reset() && says(h2::Reason::REFUSED_STREAM))
}

/// What the server said as it ended the connection because of an error.
pub(super) fn last_words(error: &h2::Error) -> Option<String> {
    (error.is_go_away() && error.is_remote()).then(|| error.to_string())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::Instant;

    use super::*;

    /// A connection, and the end of it at which nobody speaks.
    async fn begun() -> (Http2, DuplexStream) {
        let (mine, theirs) = tokio::io::duplex(1024 * 1024);
        let begun = Http2::begin(mine, &Limits::default(), Refused::default()).await;
        (begun.unwrap(), theirs)
    }

    fn request() -> Request<()> {
        Request::post("http://localhost/").body(()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_vanished_is_noticed_while_somebody_waits() {
        let (mut connection, _theirs) = begun().await;
        let (asked, mut body) = connection.open(request()).unwrap();
        body.send_data(Bytes::new(), true).unwrap();
        let start = Instant::now();
        assert!(asked.answer().await.is_err());
        assert_eq!(start.elapsed(), 2 * PING);
        assert!(connection.is_closed());
        assert!(connection.open(request()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_left_in_peace_while_nobody_waits() {
        let (connection, mut theirs) = begun().await;
        let mut said = [0; 1024];
        // How it begins.
        tokio::time::sleep(PING / 2).await;
        while theirs.read(&mut said).now_or_never().is_some() {}
        tokio::time::sleep(100 * PING).await;
        assert!(theirs.read(&mut said).now_or_never().is_none());
        assert!(!connection.is_closed());
    }

    #[tokio::test]
    async fn a_connection_ends_with_its_last_caller() {
        let (mut connection, mut theirs) = begun().await;
        let another = connection.clone();
        drop(connection.open(request()));
        drop((connection, another));
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_written_waits_for_room() {
        let (mut connection, _theirs) = begun().await;
        let (_asked, body) = connection.open(request()).unwrap();
        let mut body = Outgoing(body);
        let mut written = body.write(b"first").await.unwrap();
        while let Some(count) = body.write(&[7; 1024]).now_or_never() {
            written += count.unwrap();
            tokio::task::yield_now().await;
        }
        // What HTTP/2 lets leave before the server says anything.
        assert_eq!(written, 65_535);
    }
}
