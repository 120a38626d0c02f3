//! Texts in a stream, however it is cut.

use proptest::prelude::*;

use crate::protocol::jsonrpc::{Split, Splitter};

/// What a reader gets that is given the stream in these pieces: texts, and the word TOO LARGE.
fn split(limit: usize, pieces: &[&[u8]]) -> Vec<String> {
    split_by(Splitter::new(limit), limit, pieces)
}

fn split_by(mut splitter: Splitter, limit: usize, pieces: &[&[u8]]) -> Vec<String> {
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

/// What is read of a stream whose broken texts are skipped, in pieces of this size.
fn texts(stream: &str, size: usize) -> Vec<String> {
    let mut splitter = Splitter::new(1000);
    let mut buffer = Vec::new();
    let mut texts = Vec::new();
    for piece in stream.as_bytes().chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            let end = match splitter.next(&buffer) {
                Split::Partial | Split::TooLarge => break,
                Split::Blank(end) => end,
                Split::Text(at) => {
                    let text = String::from_utf8_lossy(&buffer[at.clone()]).into_owned();
                    if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
                        splitter.resync();
                    }
                    texts.push(text);
                    at.end
                }
            };
            buffer.drain(..end);
            splitter.consumed(end);
        }
    }
    texts
}

#[test]
fn a_text_that_cannot_go_on_ends_and_the_next_line_is_read() {
    for (stream, expected) in [
        // The specification's, whose brackets never close.
        (
            "[\n  {\"a\": 1},\n  {\"a\"\n]\n[2]\n",
            &["[\n  {\"a\": 1},\n  {\"a\"\n]", "[2]"][..],
        ),
        // Known as soon as the next text begins, whether or not that ends in a line feed.
        ("{\"a\":[1,2\n{\"b\":1}", &["{\"a\":[1,2", "{\"b\":1}"]),
        ("{\"a\"\r\n\n[2]", &["{\"a\"\r\n", "[2]"]),
        ("[1\n\u{1e}[2]", &["[1", "[2]"]),
        // Anything else costs its line.
        ("[1\n  [2]\n[3]", &["[1\n  [2]", "[3]"]),
        ("[1\n x]\n[3]", &["[1\n x]", "[3]"]),
        ("[1 2\n[3]", &["[1 2", "[3]"]),
        // A line that fits where it stands is a part, until something does not.
        ("[1,\n[2]\n[3]", &["[1,\n[2]", "[3]"]),
        ("[1,\n[2] [3\n]\n[4]", &["[1,", "[2]", "[3\n]", "[4]"]),
        (
            "[\n1,\n[2],\n{\"a\"\n:\n3}\n]\n[4]",
            &["[\n1,\n[2],\n{\"a\"\n:\n3}\n]", "[4]"],
        ),
    ] {
        for size in 1..=stream.len() {
            assert_eq!(texts(stream, size), expected, "{stream} by {size}");
        }
    }
}

#[test]
fn a_text_of_many_lines_is_looked_at_twice_and_not_again_and_again() {
    // At every line anew it would be a million million steps.
    let stream = format!("[\n{}1]", "1,\n".repeat(500_000));
    let mut splitter = Splitter::new(stream.len());
    assert_eq!(
        splitter.next(stream.as_bytes()),
        Split::Text(0..stream.len())
    );
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

/// Any JSON, its strings full of what means something outside of them.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let text = "[a-z{}\\[\\]\"\\\\\n,: é]{0,40}";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i64>().prop_map(Into::into),
        text.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::btree_map(text, inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn texts_are_those_that_the_parser_finds(
        values in proptest::collection::vec((json(), any::<bool>()), 0..6),
    ) {
        let mut stream = String::new();
        for (value, pretty) in &values {
            stream += &match pretty {
                true => serde_json::to_string_pretty(value).unwrap(),
                false => format!(r#"{{"jsonrpc":"2.0","method":"m","params":{value},"id":1}}"#),
            };
            stream.push('\n');
        }
        let found = split(usize::MAX / 2, &[stream.as_bytes()]);
        let mut parser = serde_json::Deserializer::from_str(&stream).into_iter();
        let mut expected: Vec<String> = Vec::new();
        let mut start = 0;
        while let Some(read) = parser.next() {
            let _: serde::de::IgnoredAny = read.unwrap();
            let end = parser.byte_offset();
            expected.push(stream[start..end].trim().to_owned());
            start = end;
        }
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_message_is_one_text_however_broken_and_however_cut() {
    let stream = format!(
        "{{\"a\":1}}\x1e[1,\n{{}}{{}}\n\x1e \n\x1e\x1e[{}\n2]\x1e\"\x1e[2]\x1e[3",
        "1,\n".repeat(50)
    );
    for step in 1..stream.len() {
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(step).collect();
        assert_eq!(
            split_by(Splitter::of_messages(100), 100, &pieces),
            ["{\"a\":1}", "[1,\n{}{}\n", "TOO LARGE", "\"", "[2]"]
        );
    }
}
