//! What a subscriber of `tracing` hears of a server's calls.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::pin::Pin;
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::method::Method;
use farcall_core::router::Router;
use farcall_core::service::{Reply, Request, Service};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What was heard on one thread: each test has its own.
#[derive(Default)]
struct Heard {
    spans: Vec<String>,
    inside: Vec<u64>,
    events: Vec<String>,
}

thread_local! {
    static HEARD: RefCell<Heard> = RefCell::default();
}

/// Takes down each event behind the span that it is in.
struct Listener;

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut shown = span.metadata().name().to_owned();
        span.record(&mut Fields(&mut shown));
        HEARD.with_borrow_mut(|heard| {
            heard.spans.push(shown);
            Id::from_u64(heard.spans.len() as u64)
        })
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        HEARD.with_borrow_mut(|heard| {
            let shown = &mut heard.spans[span.into_u64() as usize - 1];
            values.record(&mut Fields(shown));
        });
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        HEARD.with_borrow_mut(|heard| {
            let parent = event.parent().map(Id::into_u64);
            let span = parent.or_else(|| heard.inside.last().copied());
            let mut shown = match span {
                Some(span) => format!("[{}]", heard.spans[span as usize - 1]),
                None => "[]".to_owned(),
            };
            event.record(&mut Fields(&mut shown));
            heard.events.push(shown);
        });
    }

    fn enter(&self, span: &Id) {
        HEARD.with_borrow_mut(|heard| heard.inside.push(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        HEARD.with_borrow_mut(|heard| heard.inside.pop());
    }
}

#[derive(Clone)]
struct Talker;

impl Service for Talker {
    const METHODS: &'static [Method] = &[
        Method::new("talk", "").returns::<()>(),
        Method::new("fall", "").returns::<()>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        async move {
            if request.index() == 1 {
                panic!("as the test wants it");
            }
            tracing::info!("before");
            LaterOnce::default().await;
            tracing::info!("after");
            request.reply(&())
        }
    }
}

/// Not ready at first.
#[derive(Default)]
struct LaterOnce(bool);

impl Future for LaterOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// What is heard while a server is sent `messages`.
fn heard(speech: Speech, messages: &[u8]) -> Vec<String> {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
    let router = Router::builder().service(Talker).build().unwrap();
    let address = "127.0.0.1:9".parse().ok();
    let peer = Peer::new("tcp", Encoding::Json, address, Limits::default());
    let mut server = Server::new(router, Arc::new(peer), speech).unwrap();
    let mut received = Received::default();
    received.room().extend_from_slice(messages);
    // An error is what one of the tests is about.
    server.receive(&mut received, Instant::now()).ok();
    server.poll(&Context::from_waker(Waker::noop()));
    assert!(server.is_idle());
    HEARD.take().events
}

#[test]
fn a_handlers_words_are_in_the_span_of_its_call() {
    let call = br#"{"jsonrpc":"2.0","method":"talk","id":1}"#;
    assert_eq!(
        heard(Speech::JsonRpc, call),
        [
            r#"[farcall.call method="talk" encoding=json transport="tcp" peer=127.0.0.1:9] message=before"#,
            r#"[farcall.call method="talk" encoding=json transport="tcp" peer=127.0.0.1:9] message=after"#,
        ]
    );
}

#[test]
fn a_panic_is_told_with_the_call_it_was_in() {
    let call = br#"{"jsonrpc":"2.0","method":"fall","id":1}"#;
    assert_eq!(
        heard(Speech::JsonRpc, call),
        [
            r#"[farcall.call method="fall" encoding=json transport="tcp" peer=127.0.0.1:9] message=the handler panicked"#,
        ]
    );
}

#[test]
fn a_peer_that_misbehaves_is_told_of() {
    let events = heard(Speech::Native, &[0xff; 64]);
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].starts_with(r#"[] message=the connection ends: "#),
        "{events:?}"
    );
    assert!(events[0].contains("peer=127.0.0.1:9"), "{events:?}");
}
