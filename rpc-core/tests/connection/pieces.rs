//! Messages that are longer than a piece: they leave in turns, and hold up nobody.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use farcall_core::channel::CallFuture;
use farcall_core::connection::{Received, Sending};
use farcall_core::encoding::Encoding;
use farcall_core::fault::code;
use farcall_core::limits::Limits;
use farcall_core::method::hash;
use farcall_core::service::Service;

use crate::pair::{Gates, Pair, Parts, Wait, now, parts, pass, poll, sent};

/// Longer than several pieces.
const LONG: usize = 2_000_000;

type Echo<'a> = CallFuture<'a, (String,), String>;

/// A pair that has said hello.
fn greeted(limits: &Limits) -> Pair {
    let mut pair = Pair::new(Encoding::Bincode, limits);
    Pair::carry(&mut parts!(pair), 64);
    pair
}

fn echo(channel: &farcall_core::channel::Channel, text: String) -> Echo<'_> {
    channel.call(&Gates::METHODS[1], (text,)).into_future()
}

/// Carries what the client sends next, one write of it.
fn one_write(pair: &mut Pair, sending: &mut Sending) -> usize {
    let mut bytes = Vec::new();
    pair.driver.transmit(sending);
    sending.drain_into(&mut bytes);
    pair.to_server.room().extend_from_slice(&bytes);
    while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    bytes.len()
}

/// What the server writes first, once it has what the client sends: by what, and its bytes.
fn first_reply(pair: &mut Pair) -> (Sending, Vec<u8>) {
    let bytes = sent(|sending| pair.driver.transmit(sending));
    pair.to_server.room().extend_from_slice(&bytes);
    while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    let (mut sending, mut piece) = (Sending::default(), Vec::new());
    pair.server.transmit(&mut sending);
    sending.drain_into(&mut piece);
    (sending, piece)
}

#[test]
fn a_long_message_arrives_whole_however_it_is_cut() {
    for step in [1000, 65_536, usize::MAX] {
        let mut pair = greeted(&Limits::default());
        let channel = pair.channel.clone();
        let text: String = (0..LONG)
            .map(|i| char::from(b'a' + (i % 26) as u8))
            .collect();
        let mut call = echo(&channel, text.clone());
        assert!(poll(&mut call).is_pending());
        Pair::carry(&mut parts!(pair), step);
        match poll(&mut call) {
            Poll::Ready(Ok(answer)) => assert!(answer == text, "in steps of {step}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_short_reply_overtakes_a_long_one() {
    let mut pair = greeted(&Limits::default());
    let channel = pair.channel.clone();
    let mut long = echo(&channel, "x".repeat(LONG));
    assert!(poll(&mut long).is_pending());
    let bytes = sent(|sending| pair.driver.transmit(sending));
    pair.to_server.room().extend_from_slice(&bytes);
    while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    let mut sending = Sending::default();
    pair.server.transmit(&mut sending);
    // The first piece is under way when a short call comes.
    let mut short = echo(&channel, "y".to_owned());
    assert!(poll(&mut short).is_pending());
    let bytes = sent(|sending| pair.driver.transmit(sending));
    pair.to_server.room().extend_from_slice(&bytes);
    while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    let mut deliver = |pair: &mut Pair| {
        let mut bytes = Vec::new();
        sending.drain_into(&mut bytes);
        pair.to_client.room().extend_from_slice(&bytes);
        while pair.driver.receive(&mut pair.to_client).unwrap() {}
        pair.server.transmit(&mut sending);
        bytes.len()
    };
    deliver(&mut pair);
    deliver(&mut pair);
    assert!(matches!(poll(&mut short), Poll::Ready(Ok(text)) if text == "y"));
    assert!(poll(&mut long).is_pending());
    while deliver(&mut pair) > 0 {}
    assert!(matches!(poll(&mut long), Poll::Ready(Ok(text)) if text.len() == LONG));
}

#[test]
fn behind_a_short_request_pieces_are_shorter() {
    let mut pair = greeted(&Limits::default());
    let channel = pair.channel.clone();
    let mut long = echo(&channel, "x".repeat(LONG));
    assert!(poll(&mut long).is_pending());
    let mut sending = Sending::default();
    let alone = one_write(&mut pair, &mut sending);
    let mut short = echo(&channel, "y".to_owned());
    assert!(poll(&mut short).is_pending());
    let beside = one_write(&mut pair, &mut sending);
    let after = one_write(&mut pair, &mut sending);
    assert!(alone > 3 * beside, "{alone} and {beside}");
    assert!(alone > 3 * after, "{alone} and {after}");
    while one_write(&mut pair, &mut sending) > 0 {}
    Pair::carry(&mut parts!(pair), 65_536);
    assert!(matches!(poll(&mut long), Poll::Ready(Ok(text)) if text.len() == LONG));
}

#[test]
fn the_rest_of_a_request_that_was_given_up_is_not_sent() {
    let mut pair = greeted(&Limits::default());
    let channel = pair.channel.clone();
    let mut given_up = echo(&channel, "x".repeat(LONG));
    assert!(poll(&mut given_up).is_pending());
    let mut sending = Sending::default();
    let before = one_write(&mut pair, &mut sending);
    drop(given_up);
    let mut next: Wait<'_> = channel.call(&Gates::METHODS[0], (1,)).into_future();
    assert!(poll(&mut next).is_pending());
    pair.gates.open(1);
    let after = one_write(&mut pair, &mut sending);
    assert!(
        before > LONG / 10 && after < LONG / 10,
        "{before} and {after}"
    );
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut next), Poll::Ready(Ok(1))));
    assert!(
        pair.server.poll_timeout().is_none(),
        "nothing is half there"
    );
}

#[test]
fn the_rest_of_a_reply_that_nobody_waits_for_is_not_sent() {
    let mut pair = greeted(&Limits::default());
    let channel = pair.channel.clone();
    let mut given_up = echo(&channel, "x".repeat(LONG));
    assert!(poll(&mut given_up).is_pending());
    let (mut sending, piece) = first_reply(&mut pair);
    pair.to_client.room().extend_from_slice(&piece);
    while pair.driver.receive(&mut pair.to_client).unwrap() {}
    drop(given_up);
    let bytes = sent(|sending| pair.driver.transmit(sending));
    pair.to_server.room().extend_from_slice(&bytes);
    while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    pair.server.transmit(&mut sending);
    assert!(sending.is_empty() && pair.server.unsent().bytes == 0);
    // The connection goes on.
    let mut next = echo(&channel, "y".to_owned());
    assert!(poll(&mut next).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut next), Poll::Ready(Ok(_))));
}

#[test]
fn a_reply_that_is_given_up_in_the_middle_of_a_piece_leaves_nothing_behind() {
    let mut pair = greeted(&Limits::default());
    let channel = pair.channel.clone();
    let mut given_up = echo(&channel, "x".repeat(LONG));
    assert!(poll(&mut given_up).is_pending());
    let (_, piece) = first_reply(&mut pair);
    let (begin, rest) = piece.split_at(100_000);
    pair.to_client.room().extend_from_slice(begin);
    while pair.driver.receive(&mut pair.to_client).unwrap() {}
    assert!(
        pair.to_client.body().is_some(),
        "the rest goes straight into the message"
    );
    drop(given_up);
    let mut rest = pair.to_client.put(rest);
    while !rest.is_empty() {
        while pair.driver.receive(&mut pair.to_client).unwrap() {}
        rest = pair.to_client.put(rest);
    }
    while pair.driver.receive(&mut pair.to_client).unwrap() {}
    assert!(pair.to_client.body().is_none());
    let mut next = echo(&channel, "y".to_owned());
    assert!(poll(&mut next).is_pending());
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut next), Poll::Ready(Ok(_))));
}

/// A frame: kind, flags, id, body.
fn frame(kind: u8, flags: u8, id: u64, body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32).to_le_bytes().to_vec();
    frame.extend([kind, flags, 0, 0]);
    frame.extend(id.to_le_bytes());
    frame.extend(body);
    frame
}

/// The first piece of an echo whose whole body is to have `total` bytes.
fn first_piece(id: u64, total: u32, more: usize) -> Vec<u8> {
    let mut body = total.to_le_bytes().to_vec();
    body.extend(hash("echo").to_le_bytes());
    body.extend([0; 4]);
    body.resize(body.len() + more, b'x');
    frame(1, 0x80, id, &body)
}

/// The code and the words of each fault among `frames`, and its id.
fn faults(mut frames: &[u8]) -> Vec<(u64, i32, String)> {
    let mut faults = Vec::new();
    while let Some(head) = frames.get(..16) {
        let length = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
        let (frame, rest) = frames.split_at(16 + length);
        if frame[4] == 3 {
            let code = i32::from_le_bytes(frame[16..20].try_into().unwrap());
            let id = u64::from_le_bytes(frame[8..16].try_into().unwrap());
            faults.push((id, code, String::from_utf8_lossy(&frame[24..]).into_owned()));
        }
        frames = rest;
    }
    faults
}

/// Has the server read `frames` from a stranger; what it answers.
fn said_to(pair: &mut Pair, frames: &[Vec<u8>]) -> Vec<(u64, i32, String)> {
    let mut received = Received::default();
    received.room().extend_from_slice(&frames.concat());
    while pair.server.receive(&mut received, now()).unwrap() {}
    pair.server.poll(&Context::from_waker(Waker::noop()));
    faults(&sent(|sending| pair.server.transmit(sending)))
}

#[test]
fn pieces_that_do_not_fit_are_that_call_s_fault() {
    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    let mut pair = greeted(&limits);
    let cases: [(&[Vec<u8>], i32, &str); 5] = [
        (
            &[first_piece(7, 1001, 8)],
            code::TOO_LARGE,
            "Limits::message_bytes",
        ),
        (&[first_piece(7, 16, 8)], code::INVALID_REQUEST, "pieces"),
        (
            &[first_piece(7, 100, 8), frame(11, 0, 7, b"too little")],
            code::INVALID_REQUEST,
            "pieces",
        ),
        (
            &[first_piece(7, 20, 8), frame(11, 0x80, 7, b"too much")],
            code::INVALID_REQUEST,
            "pieces",
        ),
        (
            &[first_piece(7, 100, 8), first_piece(7, 100, 8)],
            code::INVALID_REQUEST,
            "pieces",
        ),
    ];
    for (frames, code, word) in cases {
        let said = said_to(&mut pair, frames);
        assert!(
            matches!(&said[..], [(7, known, words)] if *known == code && words.contains(word)),
            "{frames:?}: {said:?}"
        );
    }
    // One too short for its total takes nothing of the frame behind it.
    let short = [frame(1, 0x80, 7, b""), first_piece(8, 16, 8)];
    let said = said_to(&mut pair, &short);
    assert!(matches!(said[..], [(7, ..), (8, ..)]), "{said:?}");
    let strays = [frame(11, 0, 9, b"of nothing"), frame(11, 0x80, 9, b"")];
    assert!(said_to(&mut pair, &strays).is_empty());
    let many: Vec<_> = (1..=33).map(|id| first_piece(id, 100, 8)).collect();
    let said = said_to(&mut pair, &many);
    assert!(matches!(said[..], [(33, code::OVERLOADED, _)]), "{said:?}");
}

#[test]
fn half_a_message_and_then_silence_is_a_timeout_of_that_call() {
    let mut pair = greeted(&Limits::default());
    assert!(said_to(&mut pair, &[first_piece(7, 100, 8)]).is_empty());
    let due = pair.server.poll_timeout().expect("somebody is waited for");
    assert_eq!(due, now() + Limits::default().body_time);
    pass(Duration::from_secs(10));
    pair.server.handle_timeout(now());
    let said = said_to(&mut pair, &[]);
    assert!(
        matches!(&said[..], [(7, code::TIMEOUT, words)] if words.contains("Limits::body_time")),
        "{said:?}"
    );
    assert_eq!(pair.server.poll_timeout(), None);
}
