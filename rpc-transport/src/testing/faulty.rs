//! A byte stream that fails.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::faults::{Chance, Fate, Faults};

/// A byte stream around another, with [`Faults`]: for tests of what happens when a network fails.
///
/// Put it under a client ([`over`](crate::connect::over)), under a server
/// ([`serve_stream`](crate::server::Server::serve_stream)), or between two sockets that it copies
/// from one to the other.
///
/// ```
/// use farcall_core::{encoding::Encoding, limits::Limits, method::Method};
/// use farcall_transport::connect::over;
/// use farcall_transport::server::Server;
/// use farcall_transport::testing::{Faults, Faulty};
///
/// static PING: Method = Method::new("ping", "");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (mine, theirs) = tokio::io::duplex(1024);
/// tokio::spawn(Server::new().serve_stream(theirs));
/// // The first two bytes of what the server says, and no more.
/// let io = Faulty::new(mine, Faults::seeded(1).cut_reading(2));
/// let channel = over(io, Encoding::Bincode, Limits::default());
/// let lost = channel.call::<_, (), std::convert::Infallible>(&PING, ()).await;
/// assert!(lost.unwrap_err().was_sent());
/// # }
/// ```
#[derive(Debug)]
pub struct Faulty<IO> {
    /// None once it is cut.
    io: Option<IO>,
    reading: Way,
    writing: Way,
    chance: Chance,
    pieces: Option<usize>,
    delay: Option<Duration>,
}

/// One direction.
#[derive(Debug)]
struct Way {
    /// How many bytes went through.
    moved: u64,
    fate: Option<(u64, Fate)>,
    delayed: Option<Pin<Box<Sleep>>>,
    /// It has waited as long as it must before it moves something.
    waited: bool,
}

/// What one read or write may do.
enum Turn {
    Move(usize),
    End,
}

impl<IO> Faulty<IO> {
    /// `io`, with these faults.
    pub fn new(io: IO, faults: Faults) -> Self {
        let way = |fate| Way {
            moved: 0,
            fate,
            delayed: None,
            waited: false,
        };
        Self {
            io: Some(io),
            chance: faults.chance(),
            reading: way(faults.reading),
            writing: way(faults.writing),
            pieces: faults.pieces,
            delay: faults.delay,
        }
    }

    /// How many bytes were read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.reading.moved
    }

    /// How many bytes were written.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        self.writing.moved
    }

    /// What a read or write of up to `wanted` bytes may do now; pending while it is held up.
    fn poll_turn(
        &mut self,
        is_reading: bool,
        wanted: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Turn>> {
        let Self {
            io,
            reading,
            writing,
            chance,
            pieces,
            delay,
        } = self;
        let way = if is_reading { reading } else { writing };
        if io.is_none() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut most = wanted;
        if let Some((at, fate)) = way.fate {
            let left = usize::try_from(at.saturating_sub(way.moved)).unwrap_or(usize::MAX);
            match fate {
                _ if left > 0 => most = most.min(left),
                Fate::Stall => return Poll::Pending,
                Fate::End => return Poll::Ready(Ok(Turn::End)),
                Fate::Cut => {
                    // The other end hears of it as well.
                    *io = None;
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
            }
        }
        if let Some(longest) = *delay
            && !way.waited
        {
            let sleep = way.delayed.get_or_insert_with(|| {
                let share = chance.below(1001) as f64 / 1000.0;
                Box::pin(tokio::time::sleep(longest.mul_f64(share)))
            });
            ready!(sleep.as_mut().poll(cx));
            way.delayed = None;
            way.waited = true;
        }
        if let Some(pieces) = *pieces {
            let piece = 1 + usize::try_from(chance.below(pieces as u64)).unwrap_or_default();
            most = most.min(piece);
        }
        Poll::Ready(Ok(Turn::Move(most)))
    }
}

impl Way {
    fn moved(&mut self, count: usize) {
        self.moved += count as u64;
        self.waited = false;
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Faulty<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let most = match ready!(this.poll_turn(true, buf.remaining(), cx))? {
            Turn::Move(most) => most,
            Turn::End => return Poll::Ready(Ok(())),
        };
        let Some(io) = &mut this.io else {
            return Poll::Ready(Ok(()));
        };
        let mut piece = vec![0; most];
        let mut into = ReadBuf::new(&mut piece);
        ready!(Pin::new(io).poll_read(cx, &mut into))?;
        let read = into.filled();
        buf.put_slice(read);
        this.reading.moved(read.len());
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Faulty<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let most = match ready!(this.poll_turn(false, buf.len(), cx))? {
            Turn::Move(most) => most,
            Turn::End => 0,
        };
        let Some(io) = &mut this.io else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let piece = buf.get(..most).unwrap_or(buf);
        let written = ready!(Pin::new(io).poll_write(cx, piece))?;
        this.writing.moved(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Some(io) => Pin::new(io).poll_flush(cx),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Some(io) => Pin::new(io).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pair(faults: Faults) -> (Faulty<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (mine, theirs) = tokio::io::duplex(1024);
        (Faulty::new(mine, faults), theirs)
    }

    #[tokio::test]
    async fn a_stream_is_cut_behind_a_byte_in_either_direction() {
        let (mut mine, mut theirs) = pair(Faults::seeded(1).cut_reading(3));
        theirs.write_all(b"hello").await.unwrap();
        let mut read = Vec::new();
        let error = mine.read_to_end(&mut read).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!((read.as_slice(), mine.bytes_read()), (&b"hel"[..], 3));
        assert!(mine.write_all(b"x").await.is_err());
        assert!(theirs.write_all(b"x").await.is_err(), "the other end too");

        let (mut mine, mut theirs) = pair(Faults::seeded(1).cut_writing(3));
        assert!(mine.write_all(b"hello").await.is_err());
        let mut read = Vec::new();
        theirs.read_to_end(&mut read).await.unwrap();
        assert_eq!((read.as_slice(), mine.bytes_written()), (&b"hel"[..], 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_stream_says_nothing() {
        let (mut mine, mut theirs) = pair(Faults::seeded(1).stall_reading(3).stall_writing(2));
        theirs.write_all(b"hello").await.unwrap();
        let mut read = Vec::new();
        assert!(timeout(SECOND, mine.read_to_end(&mut read)).await.is_err());
        assert_eq!(read, b"hel");
        assert!(timeout(SECOND, mine.write_all(b"hello")).await.is_err());
        assert_eq!(mine.bytes_written(), 2);
    }

    #[tokio::test]
    async fn what_is_truncated_ends_without_an_error() {
        let (mut mine, mut theirs) = pair(Faults::seeded(1).end_reading(3));
        theirs.write_all(b"hello").await.unwrap();
        let mut read = Vec::new();
        mine.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"hel");
        mine.write_all(b"x").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_seed_gives_the_same_pieces_at_the_same_times() {
        async fn moves() -> Vec<(usize, Duration)> {
            let faults = Faults::seeded(42).in_pieces(7).delayed(SECOND);
            let (mut mine, mut theirs) = pair(faults);
            theirs.write_all(&[7; 100]).await.unwrap();
            drop(theirs);
            let begun = Instant::now();
            let mut moves = Vec::new();
            let mut buf = [0; 100];
            while let Ok(count @ 1..) = mine.read(&mut buf).await {
                moves.push((count, begun.elapsed()));
            }
            moves
        }
        let moved = moves().await;
        assert_eq!(moved, moves().await);
        assert_eq!(moved.iter().map(|(count, _)| count).sum::<usize>(), 100);
        assert!(moved.iter().all(|(count, _)| *count <= 7));
        assert!(moved.windows(2).any(|two| two[0].0 != two[1].0));
        assert!(moved.windows(2).any(|two| two[1].1 - two[0].1 > SECOND / 4));
    }
}
