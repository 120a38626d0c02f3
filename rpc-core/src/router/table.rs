//! The methods of a server by the hashes of their names.
//!
//! Each request is looked up here. A `HashMap` is made to be changed and to stand crowding; this is
//! built once, of hashes that are the traits' own, and takes a third of the instructions.

use super::Target;

/// A name and where its method is.
pub(super) struct Entry {
    pub(super) hash: u32,
    pub(super) name: &'static str,
    pub(super) target: Target,
}

/// Each entry is at the place that its hash says, or at the next free one behind.
pub(super) struct Table {
    places: Vec<Option<Entry>>,
    /// How many of a hash's upper bits, once it is spread, are its place.
    bits: u32,
    len: usize,
}

impl Table {
    /// Of `entries`, no two of which have the same hash.
    pub(super) fn new(entries: impl ExactSizeIterator<Item = Entry>) -> Self {
        let len = entries.len();
        // A quarter is taken at the most, so that most are where they belong. Behind the end there
        // is room for all, and one more place, that stays free: a search ends there.
        let bits = (4 * len).next_power_of_two().ilog2().max(1);
        let mut places = Vec::new();
        places.resize_with((1 << bits) + len + 1, || None);
        for entry in entries {
            let behind = places.iter_mut().skip(start(entry.hash, bits));
            if let Some(free) = behind.into_iter().find(|place| place.is_none()) {
                *free = Some(entry);
            }
        }
        Self { places, bits, len }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn find(&self, hash: u32) -> Option<&Entry> {
        let places = self.places.get(start(hash, self.bits)..)?;
        let mut taken = places.iter().map_while(Option::as_ref);
        taken.find(|entry| entry.hash == hash)
    }
}

/// The first place where a hash may be. (2^32 over the golden ratio spreads it, as Knuth has it for
/// multiplicative hashing.)
#[inline]
fn start(hash: u32, bits: u32) -> usize {
    (hash.wrapping_mul(0x9e37_79b9) >> (32 - bits)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(hashes: &[u32]) -> Table {
        Table::new(hashes.iter().enumerate().map(|(method, &hash)| Entry {
            hash,
            name: "",
            target: Target { service: 0, method },
        }))
    }

    #[test]
    fn each_is_found_and_no_other() {
        // Multiples of 2^28 all belong into the same few places, the last of the table among them.
        let crowded: Vec<u32> = (0..16).map(|n| n << 28).collect();
        for hashes in [&[][..], &[0], &[u32::MAX, 0, 1], &crowded] {
            let table = table(hashes);
            for (method, &hash) in hashes.iter().enumerate() {
                assert_eq!(
                    table.find(hash).map(|entry| entry.target.method),
                    Some(method)
                );
            }
            for hash in [2, 3, 77, u32::MAX - 1, 1 << 27] {
                assert!(table.find(hash).is_none(), "{hash} is not in {hashes:?}");
            }
        }
    }
}
