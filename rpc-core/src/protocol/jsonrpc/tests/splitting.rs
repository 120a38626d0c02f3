//! Texts in a stream, however it is cut.

use proptest::prelude::*;

use crate::protocol::jsonrpc::{Split, Splitter};

/// What a reader gets that is given the stream in these pieces: texts, and the word TOO LARGE.
fn split(limit: usize, pieces: &[&[u8]]) -> Vec<String> {
    let mut splitter = Splitter::new(limit);
    let mut buffer = Vec::new();
    let mut texts = Vec::new();
    let longest = pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    for piece in pieces {
        buffer.extend_from_slice(piece);
        assert!(
            buffer.len() <= limit + longest,
            "no more than the limit is kept"
        );
        loop {
            let (text, end) = match splitter.next(&buffer) {
                Split::Partial => break,
                Split::Blank(end) => (None, end),
                Split::Text(at) => (Some(buffer[at.clone()].to_vec()), at.end),
                Split::TooLarge => (Some(b"TOO LARGE".to_vec()), 0),
            };
            texts.extend(text.map(|text| String::from_utf8_lossy(&text).into_owned()));
            buffer.drain(..end);
            splitter.consumed(end);
        }
    }
    texts
}

const STREAM: &str = "\r\n {\"a\":\"}\\\"{\"}{\"b\":[1,{}]}\n\n[1]\u{1e}\"x y\\\\\" 12 nonsense\n{\n \"c\" : \"é\"\n}\n";

#[test]
fn texts_end_where_their_brackets_close() {
    assert_eq!(
        split(100, &[STREAM.as_bytes()]),
        [
            "{\"a\":\"}\\\"{\"}",
            "{\"b\":[1,{}]}",
            "[1]",
            "\"x y\\\\\"",
            "12",
            "nonsense",
            "{\n \"c\" : \"é\"\n}"
        ]
    );
}

#[test]
fn one_byte_at_a_time_gives_the_same() {
    let bytes: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
    assert_eq!(split(100, &bytes), split(100, &[STREAM.as_bytes()]));
}

#[test]
fn a_text_over_the_limit_is_told_once_and_the_next_line_is_read() {
    let stream = format!("[{}]\n[1]\n[2]", "1,".repeat(50));
    for size in [1, 7, 1000] {
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        assert_eq!(split(10, &pieces), ["TOO LARGE", "[1]", "[2]"]);
    }
}

#[test]
fn a_string_without_an_end_costs_one_line() {
    assert_eq!(split(100, &[b"{\"a\":\"b}\n[1]"]), ["{\"a\":\"b}", "[1]"]);
}

#[test]
fn after_broken_text_reading_goes_on_at_the_next_line() {
    let mut splitter = Splitter::new(100);
    let stream = b"{x} rubbish [3]\n[1]";
    assert_eq!(splitter.next(stream), Split::Text(0..3));
    splitter.resync();
    assert_eq!(splitter.next(stream), Split::Text(16..19));
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        stream in proptest::collection::vec(
            proptest::sample::select(&b"{}[]\"\\\n 1a,:\x1e\xc3"[..]), 0..80),
        sizes in proptest::collection::vec(1..9_usize, 1..80),
        limit in 1..40_usize,
    ) {
        let mut rest = &stream[..];
        let mut pieces = Vec::new();
        for size in sizes.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(split(limit, &pieces), split(limit, &[&stream]));
    }
}
