//! A WebSocket as a byte stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use farcall_core::connection::PeerMisbehaved;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;
use tungstenite::protocol::frame::coding::CloseCode;

use super::frames::{Broken, Event, Reader};
use super::out::Out;
use super::{Content, Role};
use crate::drain::Drain;
use crate::net::later::later;
use crate::stream::{Clock, Due, StoppedComing, now};

/// A client that is silent for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(60);
/// And has so long to answer.
const ANSWER: Duration = Duration::from_secs(20);
/// How long the other side may take to read a goodbye.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much is read before others may run, if nothing of it was for them: pings, say.
const TURN: usize = 64 * 1024;
/// How much is read at a time: at least, and where each read brings as much as there is room for.
const LEAST: usize = 1024;
const MOST: usize = 64 * 1024;

/// A byte stream in the messages of a WebSocket. Of JSON, each line that is written is a message,
/// and behind each message that is read stands a [`MESSAGE_END`].
///
/// What is written counts as written when it has left, so whoever waits for a slow reader waits as
/// long as on any other stream.
///
/// [`MESSAGE_END`]: farcall_core::connection::MESSAGE_END
#[derive(Debug)]
pub(crate) struct Socket<IO> {
    io: IO,
    reader: Reader,
    /// What came and was not looked at yet, and how much is asked for at a time.
    raw: BytesMut,
    usual: usize,
    out: Out,
    /// So many bytes of our writer's are in frames already, and it was not told yet that they left.
    owed: usize,
    /// The last ping that was not answered yet.
    ping: Option<BytesMut>,
    pulse: Option<Pulse>,
    /// How long the rest of a frame may take without progress.
    frame_time: Option<Duration>,
    begun_frame: Due,
    life: Life,
    /// What a goodbye will say, where the other side broke the rules.
    farewell: Option<Broken>,
    /// What the other side found wrong.
    told: Option<PeerMisbehaved>,
    /// Runs while a goodbye is not read.
    patience: Clock,
    drain: Option<Drain>,
}

/// Tells a client that is silent from one that is gone.
#[derive(Debug)]
struct Pulse {
    heard: Instant,
    next: Instant,
    is_asked: bool,
    clock: Clock,
}

#[derive(Debug)]
enum Life {
    Open,
    /// A goodbye is on its way, until then.
    Closing(Instant),
    /// It was said.
    Closed,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Socket<IO> {
    /// The server's end, of which `start` was read already. A frame that was begun is waited for as long as
    /// `frame_time` without progress.
    pub(crate) fn server(
        io: IO,
        start: BytesMut,
        content: Content,
        frame_time: Duration,
        drain: Drain,
    ) -> Self {
        Self {
            frame_time: Some(frame_time),
            pulse: Some(Pulse {
                heard: now(),
                next: later(SILENCE).into_std(),
                is_asked: false,
                clock: Clock::default(),
            }),
            drain: Some(drain),
            ..Self::new(io, start, Role::Server, content)
        }
    }

    /// The client's end, of which `start` was read already.
    pub(super) fn client(io: IO, start: BytesMut, content: Content) -> Self {
        Self::new(io, start, Role::Client, content)
    }

    fn new(io: IO, start: BytesMut, role: Role, content: Content) -> Self {
        Self {
            io,
            reader: Reader::new(role, content),
            raw: start,
            usual: LEAST,
            out: Out::new(role, content),
            owed: 0,
            ping: None,
            pulse: None,
            frame_time: None,
            begun_frame: Due::default(),
            life: Life::Open,
            farewell: None,
            told: None,
            patience: Clock::default(),
            drain: None,
        }
    }

    /// Says goodbye, unless that was done.
    fn close(&mut self, code: Option<CloseCode>, words: &str) {
        if matches!(self.life, Life::Open) {
            self.out.close(code, words);
            self.life = Life::Closing(later(PATIENCE).into_std());
        }
    }

    /// Sends a goodbye. Whether the other side hears it is its own affair.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Life::Closing(until) = self.life else {
            return Poll::Ready(());
        };
        if self.patience.poll_at(Some(until), cx).is_pending() {
            let _ = ready!(self.out.poll_all(&mut self.io, cx));
            let _ = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
        }
        self.life = Life::Closed;
        Poll::Ready(())
    }

    /// What a reader gets behind the last message.
    fn gone(&mut self) -> io::Error {
        match self.told.take() {
            Some(why) => misbehaved(why),
            None => io::ErrorKind::ConnectionAborted.into(),
        }
    }

    /// Does what the other side asked for between its messages, as far as that can be done now.
    fn attend(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.out.went_on()
            && let Some(pulse) = &mut self.pulse
        {
            // It reads: slowly perhaps, with our question behind all the rest.
            pulse.hear();
        }
        if self.pulse.as_mut().is_some_and(|pulse| pulse.is_due(cx)) {
            if self.pulse.as_ref().is_some_and(|pulse| pulse.is_asked) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.out.ping();
            if let Some(pulse) = &mut self.pulse {
                pulse.ask(cx);
            }
        }
        if self.out.is_empty() {
            self.pong();
        }
        match self.out.is_empty() {
            true => Ok(()),
            false => match self.out.poll_all(&mut self.io, cx) {
                Poll::Ready(done) => done,
                Poll::Pending => Ok(()),
            },
        }
    }

    /// Answers the last ping. Those before it need no answer (RFC 6455 §5.5.3), so that many pings
    /// and no reader do not fill the memory.
    fn pong(&mut self) {
        if let Some(payload) = self.ping.take() {
            self.out.pong(&payload);
        }
    }

    /// Ready once a frame that was begun came no further for too long.
    fn poll_begun(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let due = match self.frame_time {
            Some(time) if !self.raw.is_empty() || self.reader.has_begun() => {
                self.begun_frame.poll(time, cx)
            }
            _ => self.begun_frame.forget(),
        };
        due.map(|()| io::Error::new(io::ErrorKind::TimedOut, StoppedComing))
    }

    fn poll_raw(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.raw.reserve(self.usual);
        let room = self.raw.spare_capacity_mut().len();
        let Poll::Ready(read) = poll_read_buf(Pin::new(&mut self.io), cx, &mut self.raw) else {
            if self.raw.is_empty() && room > 4 * LEAST {
                // An idle socket holds little.
                self.raw = BytesMut::new();
            }
            return Poll::Pending;
        };
        let count = read?;
        if count == room {
            self.usual = self.usual.saturating_mul(2).min(MOST);
        } else if count < self.usual / 8 {
            self.usual = (self.usual / 2).max(LEAST);
        }
        if let Some(pulse) = &mut self.pulse {
            pulse.hear();
        }
        Poll::Ready(Ok(count))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let mut turn = TURN;
        loop {
            match this.life {
                Life::Open => {}
                Life::Closing(_) => {
                    ready!(this.poll_close(cx));
                    return Poll::Ready(Err(this.gone()));
                }
                // What still comes is for nobody.
                Life::Closed => return Pin::new(&mut this.io).poll_read(cx, into),
            }
            let read = match this.farewell.take() {
                Some(broken) => Err(broken),
                None => this.reader.read(&mut this.raw, into),
            };
            match read {
                Ok(Event::More | Event::Full) if into.filled().len() > before => {
                    return Poll::Ready(Ok(()));
                }
                Ok(Event::More) => {}
                Ok(Event::Full) => return Poll::Ready(Ok(())),
                Ok(Event::Ping(payload)) => {
                    this.ping = Some(payload);
                    continue;
                }
                Ok(Event::Pong) => continue,
                Ok(Event::Close(code, words)) => {
                    this.told = unfriendly(code, &words);
                    this.close(code.map(CloseCode::from), "");
                    // What came before it is still to be read.
                    if into.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                    continue;
                }
                Err(broken) => {
                    this.farewell = Some(broken);
                    if into.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
            if let Some(broken) = &this.farewell {
                return Poll::Ready(Err(misbehaved(PeerMisbehaved::new(broken.words))));
            }
            this.attend(cx)?;
            if turn == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match this.poll_raw(cx) {
                Poll::Pending => return this.poll_begun(cx).map(Err),
                Poll::Ready(read) => match read? {
                    // Without a goodbye; whoever does that does not read either.
                    0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    count => turn = turn.saturating_sub(count),
                },
            }
            let _ = this.begun_frame.forget();
        }
    }
}

/// As a reader of the stream is told of it: what was written before is still sent.
fn misbehaved(why: PeerMisbehaved) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// What the other side finds wrong, if it did not just go.
fn unfriendly(code: Option<u16>, words: &str) -> Option<PeerMisbehaved> {
    let code =
        code.filter(|code| !matches!(CloseCode::from(*code), CloseCode::Normal | CloseCode::Away))?;
    let what = format!("it closed the WebSocket with the code {code}: {words}");
    Some(PeerMisbehaved::new(&what))
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !matches!(this.life, Life::Open) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if this.owed == 0 {
            this.pong();
            this.owed = this.out.put(bytes);
        }
        while !this.out.is_empty() {
            let count = ready!(this.out.poll_some(&mut this.io, cx))?;
            // Whoever waits for progress is told of it, but for the last byte: it is written when
            // all is.
            let told = count.min(this.owed.saturating_sub(1));
            if told > 0 && !this.out.is_empty() {
                this.owed = this.owed.saturating_sub(told);
                return Poll::Ready(Ok(told));
            }
        }
        Poll::Ready(Ok(std::mem::take(&mut this.owed)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.out.poll_all(&mut this.io, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (code, words) = match (&this.farewell, &this.drain) {
            (Some(Broken { code, words }), _) => (*code, *words),
            (None, Some(drain)) if !drain.admits() => {
                (CloseCode::Policy, "this address may not connect any more")
            }
            (None, Some(drain)) if drain.has_started() => (CloseCode::Away, "the server ends"),
            (None, _) => (CloseCode::Normal, ""),
        };
        this.close(Some(code), words);
        this.poll_close(cx).map(Ok)
    }
}

impl Pulse {
    /// There was a sign of life.
    fn hear(&mut self) {
        self.heard = now();
        self.is_asked = false;
    }

    /// True if nothing was heard for as long as may be.
    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        while self.clock.poll_at(Some(self.next), cx).is_ready() {
            let silent = now().saturating_duration_since(self.heard);
            if self.is_asked || silent >= SILENCE {
                return true;
            }
            self.next = later(SILENCE.saturating_sub(silent)).into_std();
        }
        false
    }

    /// The other side was asked, and has time to answer.
    fn ask(&mut self, cx: &mut Context<'_>) {
        self.is_asked = true;
        self.next = later(ANSWER).into_std();
        let _ = self.clock.poll_at(Some(self.next), cx);
    }
}
