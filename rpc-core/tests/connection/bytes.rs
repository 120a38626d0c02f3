//! Large `types::Bytes`: sent from where they are, received as a share, and on the wire like any
//! other bytes.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use farcall_core::channel::Inbound;
use farcall_core::connection::Sending;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::payload::Payload;
use farcall_core::service::Service;
use farcall_core::types::Bytes;
use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_bytes::ByteBuf;

use crate::pair::{Gates, Pair, Parts, Wait, parts, poll, sent};

const LARGE: usize = 70_000;

/// A pair that has said hello.
fn greeted() -> Pair {
    let mut pair = Pair::new(Encoding::Bincode, &Limits::default());
    Pair::carry(&mut parts!(pair), 64);
    pair
}

/// What a client sends for a call with `value`, after a call with nothing large.
fn on_the_wire<T: Serialize + Send>(value: T) -> Vec<u8> {
    let mut pair = greeted();
    let channel = pair.channel.clone();
    let mut first: Wait<'_> = channel.call(&Gates::METHODS[0], (1,)).into_future();
    let mut call = channel
        .call::<_, u32, Infallible>(&Gates::METHODS[1], (7_u8, value))
        .into_future();
    let _ = (poll(&mut first), poll(&mut call));
    sent(|sending| pair.driver.transmit(sending))
}

#[derive(Serialize)]
struct Parcel<B> {
    name: String,
    first: Option<B>,
    all: Vec<B>,
    count: u16,
}

fn parcel<B: From<Vec<u8>>>(name: &str, lengths: &[usize]) -> Parcel<B> {
    let bytes = |&length: &usize| B::from((0..length).map(|i| i as u8).collect());
    Parcel {
        name: name.to_owned(),
        first: lengths.first().map(bytes),
        all: lengths.iter().map(bytes).collect(),
        count: 9,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn they_look_like_bytes_that_are_copied(
        name in "[a-z]{0,9}",
        lengths in prop::collection::vec(
            prop_oneof![Just(0_usize), 1..100_usize, 65_500..65_600_usize, 65_536..400_000_usize],
            0..5,
        ),
    ) {
        let shared = on_the_wire(parcel::<Bytes>(&name, &lengths));
        let copied = on_the_wire(parcel::<ByteBuf>(&name, &lengths));
        prop_assert!(shared == copied, "{} and {} bytes", shared.len(), copied.len());
    }
}

#[test]
fn a_large_one_is_sent_from_where_it_is() {
    let mut pair = greeted();
    let channel = pair.channel.clone();
    let bytes = Bytes::from(vec![7; LARGE]);
    let mut call = channel
        .call::<_, u32, Infallible>(&Gates::METHODS[1], (bytes.clone(),))
        .into_future();
    assert!(poll(&mut call).is_pending());
    let mut sending = Sending::default();
    pair.driver.transmit(&mut sending);
    let range = bytes.as_ptr_range();
    let slices = sending.slices();
    let own: usize = slices
        .iter()
        .filter(|slice| range.contains(&slice.as_ptr()))
        .map(|slice| slice.len())
        .sum();
    assert!(own > 60_000, "{own} bytes of it in the first piece");
}

/// Writes a large [`Bytes`], and then cannot go on.
struct Panics(Bytes);

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_some(&(&self.0, Stop))
    }
}

struct Stop;

impl Serialize for Stop {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("on purpose");
    }
}

#[test]
fn nothing_is_left_of_a_message_whose_writing_panicked() {
    let mut pair = greeted();
    let channel = pair.channel.clone();
    let panics = Panics(Bytes::from(vec![7; LARGE]));
    let mut call = channel
        .call::<_, u32, Infallible>(&Gates::METHODS[1], (panics,))
        .into_future();
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut call).is_ready())).is_err());
    drop(call);
    let mut next = channel
        .call::<_, String, Infallible>(&Gates::METHODS[1], ("y".to_owned(),))
        .into_future();
    assert!(poll(&mut next).is_pending());
    let bytes = sent(|sending| pair.driver.transmit(sending));
    assert!(bytes.len() < 50, "{} bytes", bytes.len());
}

/// Writes a large [`Bytes`] into a buffer of its own while it is written itself.
struct Nested(Bytes);

impl Serialize for Nested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut own = Vec::new();
        let written = Encoding::Bincode.encode(&self.0, &mut own);
        written.map_err(serde::ser::Error::custom)?;
        serializer.serialize_bytes(&own)
    }
}

#[test]
fn what_is_written_to_another_buffer_meanwhile_stays_there() {
    let bytes = vec![7; LARGE];
    let mut own = (LARGE as u64).to_le_bytes().to_vec();
    own.extend_from_slice(&bytes);
    let nested = on_the_wire(Nested(Bytes::from(bytes)));
    assert!(nested == on_the_wire(ByteBuf::from(own)));
}

/// `value` as it is read from a message, and whether it is a share of that.
fn received(length: usize) -> (Bytes, bool) {
    let mut message = Vec::new();
    let sent = (3_u8, ByteBuf::from(vec![7; length]));
    Encoding::Bincode.encode(&sent, &mut message).unwrap();
    let message = Payload::from(message);
    let at = 0..message.len();
    let inbound = Inbound::new(Encoding::Bincode, message.clone(), at);
    let (_, bytes): (u8, Bytes) = inbound.decode(Default::default()).unwrap();
    let shares = message.as_ptr_range().contains(&bytes.as_ptr());
    (bytes, shares)
}

#[test]
fn a_large_one_shares_its_message_and_a_small_one_does_not_keep_it() {
    for (length, shared) in [(0, false), (500, false), (65_536, false), (LARGE, true)] {
        let (bytes, shares) = received(length);
        assert_eq!(shares, shared, "of {length} bytes");
        assert!(*bytes == vec![7; length]);
    }
}

#[test]
fn what_is_read_from_elsewhere_is_a_copy() {
    let mut message = Vec::new();
    let sent = ByteBuf::from(vec![7; LARGE]);
    Encoding::Bincode.encode(&sent, &mut message).unwrap();
    let bytes: Bytes = Encoding::Bincode.decode(&message).unwrap();
    drop(message);
    assert!(*bytes == vec![7; LARGE]);
}
