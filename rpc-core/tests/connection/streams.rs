//! Streams beside strangers: whatever one sends that cannot be is an error of that call alone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use farcall_core::channel::{Channel, Opening, Streaming};
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::fault::code;
use farcall_core::limits::Limits;
use farcall_core::method::{Method, Param, hash};
use farcall_core::params::required;
use farcall_core::router::Router;
use farcall_core::service::{Reply, Request, Service};
use futures_util::{Stream, StreamExt, stream};

use crate::pair::{now, pass, poll, sent};

const HELLO: [u8; 16] = [
    0xfc, b'f', b'a', b'r', 1, 1, 1, 0, 0, 0, 0x40, 0, 0, 4, 0, 0,
];
const REPLY: u8 = 2;
const FAULT: u8 = 3;
const CANCEL: u8 = 4;
const ITEM: u8 = 5;
const END: u8 = 6;
const CREDIT: u8 = 7;
const CHUNK: u8 = 11;
const OPENED: u8 = 4;
const MORE: u8 = 0x80;

#[derive(Clone)]
pub(crate) struct Numbers;

impl Service for Numbers {
    const METHODS: &'static [Method] = &[
        Method::new("count", "")
            .takes(&[Param::required::<u64>("to")])
            .returns::<u64>()
            .gives_stream(),
        Method::new("total", "")
            .takes_stream::<u64>("numbers")
            .returns::<u64>(),
        Method::new("unread", "").takes_stream::<u64>("numbers"),
        Method::new("add", "")
            .takes(&[Param::required::<u64>("x")])
            .returns::<u64>(),
        Method::new("double", "")
            .takes_stream::<u64>("numbers")
            .returns::<u64>()
            .gives_stream(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        async move {
            match request.index() {
                0 => {
                    let (to,) = request.params::<(u64,)>((required,))?;
                    request.stream(stream::iter(0..to)).await
                }
                1 => {
                    let numbers = request.items::<u64>();
                    let total = numbers.fold(0, |total, number| async move { total + number });
                    let total = total.await;
                    request.reply(&total)
                }
                2 => {
                    let _numbers = request.items::<u64>();
                    std::future::pending().await
                }
                4 => {
                    let numbers = request.items::<u64>();
                    request.stream(numbers.map(|number| number * 2)).await
                }
                _ => {
                    let (x,) = request.params::<(u64,)>((required,))?;
                    request.reply(&(x + 1))
                }
            }
        }
    }
}

/// A frame: kind, flags, id, body.
#[derive(Clone, Debug, PartialEq)]
struct Frame(u8, u8, u64, Vec<u8>);

fn written(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Frame(kind, flags, id, body) in frames {
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend([*kind, *flags, 0, 0]);
        bytes.extend(id.to_le_bytes());
        bytes.extend(body);
    }
    bytes
}

fn read(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(head) = bytes.get(..16) {
        let length = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
        let id = u64::from_le_bytes(head[8..].try_into().unwrap());
        let body = bytes[16..16 + length].to_vec();
        frames.push(Frame(head[4], head[5], id, body));
        bytes = &bytes[16 + length..];
    }
    frames
}

fn request(id: u64, name: &str, params: &[u64]) -> Frame {
    let mut body = hash(name).to_le_bytes().to_vec();
    body.extend([0; 4]);
    body.extend(params.iter().flat_map(|value| value.to_le_bytes()));
    Frame(1, 0, id, body)
}

fn item(id: u64, value: u64) -> Frame {
    Frame(ITEM, 0, id, value.to_le_bytes().to_vec())
}

fn credit(id: u64, bytes: u32) -> Frame {
    Frame(CREDIT, 0, id, bytes.to_le_bytes().to_vec())
}

fn empty(kind: u8, flags: u8, id: u64) -> Frame {
    Frame(kind, flags, id, Vec::new())
}

/// A server that has said hello to a stranger.
struct Served(Server, Received);

impl Served {
    fn new() -> Self {
        let mut limits = Limits::default();
        limits.message_bytes = 100_000;
        limits.stream_bytes = 0;
        let router = Router::builder().service(Numbers).build().unwrap();
        let peer = Arc::new(Peer::new("mem", Encoding::Bincode, None, limits));
        let server = Server::new(router, peer, Speech::Native).unwrap();
        let mut served = Self(server, Received::default());
        served.1.room().extend_from_slice(&HELLO);
        served.said(&[]);
        served
    }

    /// What is answered to `frames`, but for what a neighbour gets, who goes on.
    fn said(&mut self, frames: &[Frame]) -> Vec<Frame> {
        self.1.room().extend_from_slice(&written(frames));
        self.1
            .room()
            .extend_from_slice(&written(&[request(99, "add", &[1])]));
        let neighbour = Frame(REPLY, 0, 99, 2_u64.to_le_bytes().to_vec());
        let mut bytes = Vec::new();
        loop {
            while self.0.receive(&mut self.1, now()).unwrap() {}
            self.0.poll(&Context::from_waker(Waker::noop()));
            let more = sent(|sending| self.0.transmit(sending));
            if more.is_empty() {
                break;
            }
            bytes.extend(more);
        }
        let hello = if bytes.starts_with(&HELLO[..4]) {
            16
        } else {
            0
        };
        let mut frames = read(&bytes[hello..]);
        let at = frames.iter().position(|frame| *frame == neighbour);
        frames.remove(at.expect("the neighbour is answered"));
        frames
    }

    /// Only the call 7 fails, and nothing is left of it.
    fn fails(&mut self, frames: &[Frame], code: i32, word: &str) {
        let said = self.said(frames);
        let faults: Vec<_> = said.iter().filter(|frame| frame.0 == FAULT).collect();
        let [Frame(_, _, 7, body)] = &faults[..] else {
            panic!("{word}: {faults:?}");
        };
        assert_eq!(body[..4], code.to_le_bytes(), "{word}");
        let words = String::from_utf8_lossy(&body[8..]);
        assert!(words.contains(word), "{words}");
        assert!(self.0.is_idle(), "{word}");
        let late = [item(7, 1), credit(7, 1), empty(END, 0, 7)];
        assert_eq!(self.said(&late), []);
    }
}

#[test]
fn what_a_stranger_sends_that_cannot_be_fails_its_call_alone() {
    let (total, unread) = (request(7, "total", &[]), request(7, "unread", &[]));
    let count = request(7, "count", &[1 << 60]);
    let mut served = Served::new();
    served.fails(
        &[count.clone(), credit(7, 1 << 31), credit(7, 1 << 31)],
        code::INVALID_REQUEST,
        "2 GiB",
    );
    let mut flood = vec![unread.clone()];
    flood.extend((0..2731).map(|value| item(7, value)));
    // 24 bytes each: the last of them goes beyond 64 KiB, one more is too many.
    assert_eq!(served.said(&flood), []);
    served.fails(&[item(7, 0)], code::INVALID_REQUEST, "granted");
    served.fails(
        &[unread.clone(), empty(END, 0, 7), item(7, 1)],
        code::INVALID_REQUEST,
        "behind the end",
    );
    let large = Frame(ITEM, 0, 7, vec![0; 100_001]);
    served.fails(&[total.clone(), large], code::TOO_LARGE, "message_bytes");
    let odd = Frame(ITEM, 0, 7, vec![1]);
    served.fails(&[total, odd], code::INVALID_PARAMS, "invalid item");
}

#[test]
fn a_caller_that_says_no_more_gets_what_it_has_credit_for_and_leaves_no_handler_behind() {
    let whole = vec![request(7, "count", &[3])];
    let mut served = Served::new();
    assert_eq!(served.said(&whole).last(), Some(&empty(END, 0, 7)));
    served.0.receive_end(&mut served.1);
    assert!(served.0.is_idle());

    let uploads = vec![request(7, "total", &[]), item(7, 1)];
    let endless = vec![request(7, "count", &[1 << 60])];
    for frames in [uploads, endless] {
        let mut served = Served::new();
        served.said(&frames);
        assert_eq!(served.0.in_flight(), 1);
        served.0.receive_end(&mut served.1);
        served.0.poll(&Context::from_waker(Waker::noop()));
        let said = read(&sent(|sending| served.0.transmit(sending)));
        let [.., Frame(FAULT, _, 7, body)] = &said[..] else {
            panic!("{said:?}");
        };
        assert!(String::from_utf8_lossy(&body[8..]).contains("ended before the streams"));
        assert!(served.0.is_idle());
    }
}

#[test]
fn what_belongs_to_no_call_is_read_past() {
    let strays = [
        item(5, 1),
        credit(5, u32::MAX),
        empty(END, 0, 5),
        empty(CANCEL, 0, 5),
        Frame(ITEM, 0, 5, vec![0; 100_001]),
    ];
    let mut served = Served::new();
    assert_eq!(served.said(&strays), []);
    let sum = served.said(&[
        request(5, "total", &[]),
        item(5, 4),
        item(5, 3),
        empty(END, 0, 5),
    ]);
    let seven = Frame(REPLY, 0, 5, 7_u64.to_le_bytes().to_vec());
    assert!(sum.contains(&seven), "{sum:?}");
}

#[test]
fn a_stream_that_nobody_reads_stops_at_the_window_and_a_cancel_ends_it() {
    let mut served = Served::new();
    let items = |said: &[Frame]| said.iter().filter(|frame| frame.0 == ITEM).count();
    let said = served.said(&[request(7, "count", &[1 << 60])]);
    assert_eq!(said[0], empty(REPLY, OPENED, 7));
    assert_eq!(items(&said), 65_536_usize.div_ceil(24));
    assert_eq!(items(&served.said(&[credit(7, 24)])), 1);
    assert_eq!(served.said(&[empty(CANCEL, 0, 7)]), []);
    assert!(served.0.is_idle());
}

#[test]
fn half_an_item_and_then_silence_is_a_timeout_of_that_call() {
    let mut served = Served::new();
    let mut half = 70_000_u32.to_le_bytes().to_vec();
    half.extend([0; 8]);
    served.said(&[request(7, "total", &[]), Frame(ITEM, MORE, 7, half)]);
    pass(Limits::default().body_time);
    served.0.handle_timeout(now());
    served.fails(&[], code::TIMEOUT, "body_time");
    assert_eq!(
        served.said(&[Frame(CHUNK, 0, 7, vec![0; 9])]),
        [],
        "what is left of it"
    );
}

/// A client whose server is a stranger.
struct Asking {
    channel: Channel,
    driver: Driver,
    received: Received,
}

pub(crate) type Sum<'a> = farcall_core::channel::CallFuture<'a, (), u64>;

impl Asking {
    fn new() -> Self {
        let mut limits = Limits::default();
        limits.stream_bytes = 0;
        let (client, driver) = Client::new(Speech::Native, Encoding::Bincode, limits, now);
        let channel = Channel::over(Arc::new(client));
        let mut received = Received::default();
        received.room().extend_from_slice(&HELLO);
        let mut asking = Self {
            channel,
            driver,
            received,
        };
        let hello = asking.hears(&[]);
        assert_eq!(hello, []);
        asking
    }

    /// Has the client read `frames`; what it sends.
    fn hears(&mut self, frames: &[Frame]) -> Vec<Frame> {
        self.received.room().extend_from_slice(&written(frames));
        while self.driver.receive(&mut self.received).unwrap() {}
        self.driver
            .poll_uploads(&mut Context::from_waker(Waker::noop()));
        let bytes = sent(|sending| self.driver.transmit(sending));
        let hello = if bytes.starts_with(&HELLO[..4]) {
            16
        } else {
            0
        };
        read(&bytes[hello..])
    }
}

pub(crate) fn count(channel: &Channel) -> Opening<'_, (u64,), u64> {
    let call = channel.stream(&Numbers::METHODS[0], (9,));
    call.into_future()
}

pub(crate) fn sum(channel: &Channel) -> Sum<'_> {
    let call = channel.call(&Numbers::METHODS[1], ());
    call.upload(stream::repeat(1_u64)).into_future()
}

fn words<T: std::fmt::Debug, E: ToString + std::fmt::Debug>(answer: Poll<Result<T, E>>) -> String {
    match answer {
        Poll::Ready(Err(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_strange_server_answers_fails_that_call_alone() {
    type Answer = fn(u64) -> Vec<Frame>;
    let value = |id| vec![Frame(REPLY, 0, id, vec![0; 8])];
    let openings: [(Answer, &str); 1] = [(value, "not a stream")];
    for (answer, word) in openings {
        let mut asking = Asking::new();
        let channel = asking.channel.clone();
        let (mut call, mut other) = (count(&channel), sum(&channel));
        assert!(poll(&mut call).is_pending() && poll(&mut other).is_pending());
        let asked = asking.hears(&[]);
        let (id, neighbour) = (asked[0].2, asked[1].2);
        let said = asking.hears(&answer(id));
        assert!(said.contains(&empty(CANCEL, 0, id)), "{said:?}");
        assert!(words(poll(&mut call)).contains(word));
        asking.hears(&value(neighbour));
        assert!(matches!(poll(&mut other), Poll::Ready(Ok(0))));
    }
    let opened = |id| vec![empty(REPLY, OPENED, id)];
    let granted = |id| vec![credit(id, u32::MAX)];
    let flooded = |id| (0..2732).map(|value| item(id, value)).collect();
    let takings: [(Answer, &str); 3] = [
        (opened, "not a value"),
        (granted, "2 GiB"),
        (flooded, "granted"),
    ];
    for (answer, word) in takings {
        let mut asking = Asking::new();
        let channel = asking.channel.clone();
        let (mut call, mut other) = (sum(&channel), count(&channel));
        assert!(poll(&mut call).is_pending() && poll(&mut other).is_pending());
        let asked = asking.hears(&[]);
        let (id, neighbour) = (asked[0].2, asked[1].2);
        let said = asking.hears(&answer(id));
        assert!(said.contains(&empty(CANCEL, 0, id)), "{word}: {said:?}");
        assert!(words(poll(&mut call)).contains(word), "{word}");
        asking.hears(&opened(neighbour));
        assert!(matches!(poll(&mut other), Poll::Ready(Ok(_))), "{word}");
    }
}

fn next<T, E>(items: &mut Streaming<T, E>) -> Poll<Option<<Streaming<T, E> as Stream>::Item>>
where
    Streaming<T, E>: Stream + Unpin,
{
    Pin::new(items).poll_next(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_item_that_is_too_large_is_no_hole_in_the_stream() {
    let mut asking = Asking::new();
    let channel = asking.channel.clone();
    let mut call = count(&channel);
    assert!(poll(&mut call).is_pending());
    let id = asking.hears(&[])[0].2;
    asking.hears(&[empty(REPLY, OPENED, id), item(id, 1)]);
    let Poll::Ready(Ok(mut items)) = poll(&mut call) else {
        panic!("it was opened");
    };
    let large = Frame(ITEM, 0, id, vec![0; Limits::default().message_bytes + 1]);
    asking.hears(&[large, item(id, 3), empty(END, 0, id)]);
    assert!(matches!(next(&mut items), Poll::Ready(Some(Ok(1)))));
    assert!(matches!(next(&mut items), Poll::Ready(Some(Err(_)))));
    assert!(matches!(next(&mut items), Poll::Ready(None)));
}
