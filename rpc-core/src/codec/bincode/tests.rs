//! The layout as golden bytes, and what hostile bytes must not do.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::*;

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    decode(PhantomData, bytes, Budget::default()).map_err(|error| error.to_string())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Form {
    Unit,
    Newtype(u16),
    Tuple(u8, bool),
    Struct { x: i8 },
}

/// A list as long as somebody likes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Chain {
    End,
    Link(Box<Self>),
}

#[track_caller]
fn golden<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, hex: &str) {
    let mut bytes = Vec::new();
    encode(value, &mut bytes).unwrap();
    let written: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, hex.replace(' ', ""));
    assert_eq!(&read::<T>(&bytes).unwrap(), value);
}

#[test]
fn the_layout_is_what_the_documentation_says() {
    golden(&0x0102_i16, "02 01");
    golden(&-1_i64, "ffffffffffffffff");
    golden(&1_u128, "01000000000000000000000000000000");
    golden(&1.5_f64, "000000000000f83f");
    golden(&1.5_f32, "0000c03f");
    golden(&true, "01");
    golden(&'é', "c3a9");
    golden(&"hé".to_owned(), "0300000000000000 68c3a9");
    golden(&serde_bytes::ByteBuf::from([7, 8]), "0200000000000000 0708");
    golden(&Some(7_u8), "01 07");
    golden(&None::<u8>, "00");
    golden(&(), "");
    golden(&(1_u8, 2_u16), "01 0200");
    golden(&vec![1_u16, 2], "0200000000000000 0100 0200");
    golden(&BTreeMap::from([(1_u8, true)]), "0100000000000000 01 01");
    golden(&Form::Unit, "00000000");
    golden(&Form::Newtype(5), "01000000 0500");
    golden(&Form::Tuple(5, true), "02000000 05 01");
    golden(&Form::Struct { x: -1 }, "03000000 ff");
}

#[test]
fn surplus_and_short_bytes_are_refused_in_plain_words() {
    assert_eq!(
        read::<u32>(&[1, 2]).unwrap_err(),
        "the bytes end in the middle of the value"
    );
    assert!(read::<u8>(&[1, 2]).unwrap_err().contains("behind"));
    assert!(read::<bool>(&[2]).unwrap_err().contains("bool"));
}

#[test]
fn a_claimed_length_allocates_nothing_and_ends_at_once() {
    for length in [1_u64 << 62, 1 << 30, 15 << 20, u64::MAX] {
        let bytes = length.to_le_bytes();
        for error in [
            read::<String>(&bytes).unwrap_err(),
            read::<serde_bytes::ByteBuf>(&bytes).unwrap_err(),
            read::<Vec<u64>>(&bytes).unwrap_err(),
            read::<BTreeSet<()>>(&bytes).unwrap_err(),
            read::<Vec<()>>(&bytes).unwrap_err(),
            read::<BTreeMap<(), ()>>(&bytes).unwrap_err(),
        ] {
            assert!(
                error.contains("the bytes end") || error.contains("more than 1048576 items"),
                "{error}"
            );
        }
    }
}

/// A list of itself that adds up for how many items it was told to make room.
struct Eager(usize);

impl<'de> Deserialize<'de> for Eager {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inside;

        impl<'de> Visitor<'de> for Inside {
            type Value = Eager;

            fn expecting(&self, text: &mut std::fmt::Formatter) -> std::fmt::Result {
                text.write_str("a list")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<Eager, A::Error> {
                let mut room = items.size_hint().unwrap_or_default();
                ROOM.set(ROOM.get() + room);
                while let Some(item) = items.next_element::<Eager>()? {
                    room += item.0;
                }
                Ok(Eager(room))
            }
        }

        deserializer.deserialize_seq(Inside)
    }
}

thread_local! {
    static ROOM: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[test]
fn lists_that_announce_lists_get_room_for_what_came_and_not_more() {
    let fair = [2_u64, 0, 1, 0].map(u64::to_le_bytes).concat();
    assert_eq!(read::<Eager>(&fair).unwrap().0, 3);

    ROOM.set(0);
    let greedy = 100_000_u64.to_le_bytes().repeat(8);
    let error = read::<Eager>(&greedy).map(drop).unwrap_err();
    assert_eq!(error, "the bytes end in the middle of the value");
    assert_eq!(ROOM.get(), greedy.len());
}

#[test]
fn a_set_of_more_units_than_there_are_atoms_is_refused_by_name() {
    let error = read::<BTreeSet<()>>(&(1_u64 << 36).to_le_bytes()).unwrap_err();
    assert_eq!(error, "more than 1048576 items (`Limits::items`)");
}

#[test]
fn a_million_levels_end_at_the_limit_on_a_small_stack() {
    let bytes = [1_u8, 0, 0, 0].repeat(1_000_000);
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    let error = thread
        .spawn(move || read::<Chain>(&bytes).unwrap_err())
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(error, "nested deeper than 64 levels (`Limits::depth`)");
}

#[test]
fn options_around_options_end_too() {
    #[derive(Debug, Deserialize)]
    struct Onion(#[allow(dead_code, reason = "never made")] Option<Box<Self>>);
    let error = read::<Onion>(&[1; 1000]).unwrap_err();
    assert!(error.contains("options and newtypes"), "{error}");
}

#[test]
fn items_are_counted_across_the_whole_message() {
    let mut bytes = Vec::new();
    encode(&vec![vec![1_u8; 10]; 10], &mut bytes).unwrap();
    let budget = |items| Budget {
        items,
        ..Budget::default()
    };
    let read = |items| decode::<PhantomData<Vec<Vec<u8>>>>(PhantomData, &bytes, budget(items));
    assert!(read(110).is_ok());
    assert!(read(109).is_err());
}

#[test]
fn two_million_empty_strings_stop_at_the_item_limit() {
    let mut bytes = 2_000_000_u64.to_le_bytes().to_vec();
    bytes.resize(8 + 16_000_000, 0);
    assert!(read::<Vec<String>>(&bytes).unwrap_err().contains("items"));
}

#[test]
fn a_type_that_asks_what_comes_next_gets_told_why_it_cannot_know() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Either {
        #[allow(dead_code, reason = "never made")]
        Number(u8),
    }
    assert!(
        read::<Either>(&[1])
            .unwrap_err()
            .contains("bincode does not say")
    );
}

#[test]
fn what_is_refused_is_not_repeated() {
    fn words<T: DeserializeOwned + std::fmt::Debug>(bytes: &[u8]) -> String {
        read::<T>(bytes).unwrap_err()
    }
    let nothing = words::<std::num::NonZero<u8>>(&[0]);
    assert_eq!(
        nothing,
        "expected a nonzero u8, found an integer that does not fit"
    );
    for words in [
        words::<bool>(&[77]),
        words::<Option<u8>>(&[77]),
        words::<(u8, bool)>(&[1, 77]),
        words::<Form>(&[77, 0, 0, 0]),
        words::<std::net::Ipv4Addr>(&[77]),
    ] {
        assert!(!words.contains("77"), "{words}");
    }
}
