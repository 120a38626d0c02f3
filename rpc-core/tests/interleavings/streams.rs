//! Streams in both directions, under credit, with threads at both ends.

use farcall_core::channel::{CallFuture, Opening};
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::method::{Method, Param};
use farcall_core::params::required;
use farcall_core::service::{Reply, Request, Service};
use futures_util::{StreamExt, stream};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};

use super::check;
use super::wire::Wire;

/// More than a window: each is waited for on its own.
const ITEM: usize = 70_000;

fn item(number: u8) -> String {
    char::from(b'a' + number).to_string().repeat(ITEM)
}

#[derive(Clone)]
struct Letters;

impl Service for Letters {
    const METHODS: &'static [Method] = &[
        Method::new("letters", "")
            .takes(&[Param::required::<u8>("to")])
            .returns::<String>()
            .gives_stream(),
        Method::new("count", "")
            .takes_stream::<String>("letters")
            .returns::<usize>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        async move {
            if request.index() == 0 {
                let (to,) = request.params::<(u8,)>((required,))?;
                return request.stream(stream::iter((0..to).map(item))).await;
            }
            let count = request.items::<String>().count().await;
            request.reply(&count)
        }
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    // The least there is.
    limits.stream_bytes = 0;
    limits
}

/// Reads a stream to its end, or drops it on the way; then makes another call.
fn a_stream_is_read(encoding: Encoding) {
    let wire = Wire::new(Letters, encoding, &limits());
    let (sent, read) = (thread_rng().gen_range(0..5), thread_rng().gen_range(0..7));
    let channel = wire.channel.clone();
    block_on(async {
        let opening: Opening<'_, (u8,), String> =
            channel.stream(&Letters::METHODS[0], (sent,)).into_future();
        let mut letters = opening.await.unwrap();
        for number in 0..read {
            match letters.next().await {
                Some(letter) => assert_eq!(letter.unwrap(), item(number)),
                None => {
                    assert_eq!(number, sent);
                    break;
                }
            }
        }
    });
    drop(channel);
    wire.end();
}

#[test]
fn a_stream_goes_on_as_it_is_read_and_ends_when_it_is_dropped() {
    check(|| a_stream_is_read(Encoding::Bincode));
}

#[test]
fn a_stream_goes_on_as_it_is_read_and_ends_when_it_is_dropped_in_json() {
    check(|| a_stream_is_read(Encoding::Json));
}

#[test]
fn what_a_caller_sends_goes_on_as_it_is_read() {
    check(|| {
        let wire = Wire::new(Letters, Encoding::Bincode, &limits());
        let channel = wire.channel.clone();
        let letters = stream::iter((0..5).map(item));
        let counting: CallFuture<'_, (), usize> = channel
            .call(&Letters::METHODS[1], ())
            .upload(letters)
            .into_future();
        assert_eq!(block_on(counting).unwrap(), 5);
        drop(channel);
        wire.end();
    });
}
