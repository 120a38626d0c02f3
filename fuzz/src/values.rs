//! Values alone, and bincode as the crate of that name has it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use farcall::Encoding;
use farcall::types::{DateTime, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::memory::bounded;
use crate::service::{Record, Tree};

/// What can be read can be written, and is then read as the same. The first byte says the encoding,
/// the second the type.
pub fn values(bytes: &[u8]) {
    let [encoding, kind, bytes @ ..] = bytes else {
        return;
    };
    let encoding = Encoding::ALL[usize::from(*encoding) % Encoding::ALL.len()];
    match kind % 8 {
        0 => same::<Record>(encoding, bytes),
        1 => same::<Tree>(encoding, bytes),
        2 => same::<Value>(encoding, bytes),
        3 => same::<DateTime>(encoding, bytes),
        4 => same::<Vec<()>>(encoding, bytes),
        5 => same::<BTreeMap<String, (i128, u128, Option<char>)>>(encoding, bytes),
        6 => same::<String>(encoding, bytes),
        _ => same::<Vec<f64>>(encoding, bytes),
    }
}

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(encoding: Encoding, bytes: &[u8]) {
    let read = |bytes: &[u8]| encoding.decode::<T>(bytes);
    let Ok(value) = bounded(bytes, || read(bytes)) else {
        return;
    };
    let mut written = Vec::new();
    if encoding == Encoding::Bincode {
        let theirs: T = bincode::deserialize(bytes).expect("what we read");
        let as_bytes = bincode::serialize(&theirs).expect("what we write");
        encoding.encode(&value, &mut written).expect("a value");
        assert!(
            written == as_bytes,
            "{value:?} where the crate has {theirs:?}"
        );
        written.clear();
    }
    // What one encoding has and another has not, say a control character in XML, is an error.
    if encoding.encode(&value, &mut written).is_err() {
        return;
    }
    match read(&written) {
        // NaN is not equal to itself, but is written as such.
        Ok(again) => assert!(
            again == value || format!("{again:?}") == format!("{value:?}"),
            "{encoding}: {again:?} where {value:?} was written"
        ),
        Err(error) => panic!("{encoding}: {value:?} was written, and is not read: {error}"),
    }
}
