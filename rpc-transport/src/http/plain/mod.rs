//! Plain requests, answered without hyper: a POST over HTTP/1.1 that has one host and one length,
//! and asks for nothing but an answer. Nearly all calls are.
//!
//! Whatever is not plain, or not taken, goes to hyper with the rest of its connection: it is refused
//! or handled there, in one place. `head` decides, `connection` moves bytes, `out` writes answers.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod alarm;
mod connection;
mod head;
mod out;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use farcall_core::payload::Payload;
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::admission::ContentType;
use super::answer::{Answer, Answerer, Asked, Plain};
use super::body::Unread;
use super::cors::Shared;
use super::limited::late_head;
use super::page::Reply;
use super::response::refuse_body;
use super::server::HALF_SENT;
use crate::drain::Drain;
use crate::net::later::later;
use crate::net::linger;
use connection::{Broken, Came, Connection};
use head::Parsed;
pub(super) use out::last_words;

/// Longer messages are written where they are, shorter ones copied behind their heads.
const LARGE: usize = 16 * 1024;
/// So many bytes of answers are written before more requests are looked at.
const ENOUGH: usize = 64 * 1024;

/// What the bytes that came are.
enum Next {
    /// A whole request.
    Call(Whole),
    /// A plain head, of whose body so many bytes are missing.
    Body(Plain, usize),
    /// A part of a head, or nothing.
    Head,
    /// Something for hyper.
    Other,
}

/// A request that is all there.
struct Whole {
    asked: Asked,
    shared: Option<Shared>,
    /// How long its head and its message are.
    head: usize,
    body: usize,
}

/// Serves a connection while its requests are plain. Gives it back if one is not, with that one's
/// bytes.
pub(super) async fn serve<IO>(
    io: IO,
    start: BytesMut,
    answerer: &Answerer,
    drain: &Drain,
) -> Option<(IO, BytesMut)>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let limits = answerer.limits();
    let mut connection = Connection::new(io, start, limits.write_time);
    match serve_plain(&mut connection, answerer, drain).await {
        Ok(Stop::Over) => {
            connection.close().await;
            None
        }
        Ok(Stop::Half) => {
            // It may still be sent.
            linger::close(&mut connection.io, &[]).await;
            None
        }
        Ok(Stop::Other) => Some((connection.io, connection.received)),
        Err(Broken) => None,
    }
}

/// Why plain requests end.
enum Stop {
    Over,
    /// In the middle of one that is too late.
    Half,
    /// With one that is not plain.
    Other,
}

async fn serve_plain<IO>(
    connection: &mut Connection<IO>,
    answerer: &Answerer,
    drain: &Drain,
) -> Result<Stop, Broken>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let limits = answerer.limits();
    let mut head_end = None;
    let mut last = Last::default();
    let mut is_farcall = false;
    // From when a call is read until its answer is written.
    let mut working = None;
    loop {
        match next(&connection.received, answerer) {
            // Its peer was taken off the allow-list.
            Next::Call(..) if !drain.admits() => {
                connection.write(&[]).await?;
                return Ok(Stop::Over);
            }
            Next::Call(whole) => {
                let Whole {
                    asked,
                    shared,
                    head,
                    body,
                } = whole;
                is_farcall = asked.caller.peer.is_farcall;
                head_end = None;
                working = working.or_else(|| Some(drain.work()));
                connection.received.advance(head);
                let answer = call(connection, answerer, asked, body).await?;
                let is_last = drain.has_started();
                put(connection, &answer, shared.as_ref(), is_last).await?;
                if is_last {
                    connection.write(&[]).await?;
                    return Ok(Stop::Over);
                }
            }
            Next::Body(plain, missing) => {
                connection.write(&[]).await?;
                working = None;
                match fill(connection, missing, limits.body_time, drain, &mut last).await? {
                    Came::Late if drain.is_evicted() => return Ok(Stop::Over),
                    Came::Late if drain.has_started() => {
                        return too_late(connection, drain).await;
                    }
                    Came::Bytes => {}
                    Came::Closed => return Ok(Stop::Other),
                    Came::Late => {
                        let content = ContentType::Known(plain.encoding);
                        let mut reply = refuse_body(Unread::Stalled, content, limits);
                        if let Some(shared) = plain.shared {
                            shared.put(&mut reply);
                        }
                        refuse(connection, reply).await?;
                        return Ok(Stop::Over);
                    }
                }
            }
            Next::Head => {
                connection.write(&[]).await?;
                working = None;
                connection.rest();
                let end = *head_end.get_or_insert_with(|| later(limits.head_time));
                let came =
                    poll_fn(
                        |cx| match connection.poll_more(cx, None, last.before(end, drain)) {
                            Poll::Pending
                                if drain.has_started() && connection.received.is_empty() =>
                            {
                                Poll::Ready(Ok(Came::Late))
                            }
                            Poll::Pending if drain.is_evicted() => Poll::Ready(Ok(Came::Late)),
                            came => came,
                        },
                    );
                match came.await? {
                    Came::Bytes => {}
                    Came::Closed if !connection.received.is_empty() => return Ok(Stop::Other),
                    Came::Late
                        if drain.has_started()
                            && !drain.is_evicted()
                            && !connection.received.is_empty() =>
                    {
                        return too_late(connection, drain).await;
                    }
                    // A request that is on its way will find this for its answer, and know.
                    Came::Late if drain.has_started() && is_farcall && drain.admits() => {
                        connection.out.last_word();
                        connection.write(&[]).await?;
                        return Ok(Stop::Over);
                    }
                    Came::Late if !drain.has_started() && !connection.received.is_empty() => {
                        let words = last_words(late_head(limits));
                        connection.write(&words).await?;
                        return Ok(Stop::Half);
                    }
                    Came::Closed | Came::Late => return Ok(Stop::Over),
                }
            }
            Next::Other => {
                connection.write(&[]).await?;
                return Ok(Stop::Other);
            }
        }
    }
}

/// When a request is too late that was begun before the server was to end.
#[derive(Debug, Default)]
struct Last(Option<Instant>);

impl Last {
    /// `end`, or earlier. It does not move, however much comes.
    fn before(&mut self, end: Instant, drain: &Drain) -> Instant {
        match drain.has_started() {
            true => end.min(*self.0.get_or_insert_with(|| later(HALF_SENT))),
            false => end,
        }
    }
}

/// Says that a request which is not all there has not run, and will not.
async fn too_late<IO>(connection: &mut Connection<IO>, drain: &Drain) -> Result<Stop, Broken>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    if drain.admits() {
        connection.out.last_word();
        connection.write(&[]).await?;
    }
    Ok(Stop::Half)
}

fn next(received: &[u8], answerer: &Answerer) -> Next {
    if received.is_empty() {
        return Next::Head;
    }
    let mut room = head::room();
    let head = match head::parse(received, &mut room, answerer.limits()) {
        Parsed::Partial => return Next::Head,
        Parsed::Other => return Next::Other,
        Parsed::Plain(head) => head,
    };
    let Some(plain) = answerer.plain(&head) else {
        return Next::Other;
    };
    match head
        .body
        .checked_sub(received.len().saturating_sub(head.length))
    {
        None | Some(0) => Next::Call(Whole {
            asked: answerer.asked(plain.encoding, plain.client, &head),
            shared: plain.shared,
            head: head.length,
            body: head.body,
        }),
        Some(missing) => Next::Body(plain, missing),
    }
}

/// Reads what is missing of a body, each piece within `patience`, and as long as nobody else needs the
/// place.
async fn fill<IO>(
    connection: &mut Connection<IO>,
    missing: usize,
    patience: Duration,
    drain: &Drain,
    last: &mut Last,
) -> Result<Came, Broken>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let whole = connection.received.len().saturating_add(missing);
    while let Some(missing) = whole
        .checked_sub(connection.received.len())
        .filter(|&rest| rest > 0)
    {
        let end = later(patience);
        let came =
            poll_fn(
                |cx| match connection.poll_more(cx, Some(missing), last.before(end, drain)) {
                    Poll::Pending if drain.is_evicted() => Poll::Ready(Ok(Came::Late)),
                    came => came,
                },
            );
        match came.await? {
            Came::Bytes => {}
            other => return Ok(other),
        }
    }
    Ok(Came::Bytes)
}

/// Answers something that is no call's answer.
async fn refuse<IO>(connection: &mut Connection<IO>, reply: Reply) -> Result<(), Broken>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let (parts, body) = reply.into_parts();
    let Ok(body) = body.collect().await;
    connection.out.reply(&parts, &body.to_bytes());
    connection.write(&[]).await
}

/// Runs the call whose message is next. An error if its client is gone.
async fn call<IO>(
    connection: &mut Connection<IO>,
    answerer: &Answerer,
    asked: Asked,
    body: usize,
) -> Result<Answer, Broken>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let message = match connection.received.get(..body) {
        Some(message) if Payload::would_be_inline(body) => {
            let message = Payload::copied_from(message);
            connection.received.advance(body);
            message
        }
        _ => connection.received.split_to(body).freeze().into(),
    };
    let mut call = pin!(answerer.call(asked, message));
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Ok(answer)),
        Poll::Pending => connection.poll_beside(cx).map(Err),
    })
    .await
}

/// Puts an answer behind those that wait to be written, and writes them if they are many.
async fn put<IO>(
    connection: &mut Connection<IO>,
    answer: &Answer,
    shared: Option<&Shared>,
    is_last: bool,
) -> Result<(), Broken>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    connection.out.head(answer, shared, is_last);
    if answer.message.len() > LARGE {
        return connection.write(&answer.message).await;
    }
    connection.out.bytes.extend_from_slice(&answer.message);
    if connection.out.bytes.len() > ENOUGH {
        connection.write(&[]).await?;
    }
    Ok(())
}
