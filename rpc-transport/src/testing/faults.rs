//! What goes wrong with a byte stream, and where.

use std::time::Duration;

/// What goes wrong with a byte stream, and where. Deterministic: what is left to chance is decided by the
/// seed alone.
///
/// ```
/// use std::time::Duration;
///
/// use farcall_transport::testing::Faults;
///
/// // The other end vanishes after 100 bytes of what it sends; until then all of it comes in pieces of
/// // up to 3 bytes, each up to 10 ms late.
/// let faults = Faults::seeded(7)
///     .in_pieces(3)
///     .delayed(Duration::from_millis(10))
///     .cut_reading(100);
/// # let _ = faults;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    seed: u64,
    pub(super) pieces: Option<usize>,
    pub(super) delay: Option<Duration>,
    pub(super) reading: Option<(u64, Fate)>,
    pub(super) writing: Option<(u64, Fate)>,
}

/// What becomes of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The connection breaks, both ways and for both ends.
    Cut,
    /// Nothing moves any more, without a word.
    Stall,
    /// It ends as if the other side had closed.
    End,
}

impl Faults {
    /// None so far, with this seed for what is left to chance.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Some that the seed picks: within the first `bytes` in one of the directions the stream is cut,
    /// stalls or ends; pieces and delays as well, some of the time.
    ///
    /// ```
    /// use farcall_transport::testing::Faults;
    ///
    /// assert_eq!(Faults::random(7, 1000), Faults::random(7, 1000));
    /// ```
    #[must_use]
    pub fn random(seed: u64, bytes: u64) -> Self {
        let mut chance = Chance(seed);
        let at = chance.below(bytes.max(1));
        let mut faults = Self::seeded(chance.next());
        if chance.below(2) == 0 {
            faults = faults.in_pieces(1 + usize::try_from(chance.below(64)).unwrap_or_default());
        }
        if chance.below(2) == 0 {
            faults = faults.delayed(Duration::from_millis(1 + chance.below(20)));
        }
        match chance.below(5) {
            0 => faults.cut_reading(at),
            1 => faults.cut_writing(at),
            2 => faults.stall_reading(at),
            3 => faults.stall_writing(at),
            _ => faults.end_reading(at),
        }
    }

    /// No read or write moves more than so many bytes; how many each does is left to chance.
    #[must_use]
    pub fn in_pieces(mut self, most: usize) -> Self {
        self.pieces = Some(most.max(1));
        self
    }

    /// Each read and write waits before it moves anything, up to `longest`; how long each does is left
    /// to chance. By tokio's clock, which a test can stop.
    #[must_use]
    pub fn delayed(mut self, longest: Duration) -> Self {
        self.delay = Some(longest);
        self
    }

    /// The connection breaks once `bytes` were read: both directions fail, and the other end sees it
    /// closed.
    #[must_use]
    pub fn cut_reading(mut self, bytes: u64) -> Self {
        self.reading = Some((bytes, Fate::Cut));
        self
    }

    /// The same once `bytes` were written.
    #[must_use]
    pub fn cut_writing(mut self, bytes: u64) -> Self {
        self.writing = Some((bytes, Fate::Cut));
        self
    }

    /// Once `bytes` were read nothing more comes, and nobody is told.
    #[must_use]
    pub fn stall_reading(mut self, bytes: u64) -> Self {
        self.reading = Some((bytes, Fate::Stall));
        self
    }

    /// Once `bytes` were written nothing more is taken, and nobody is told.
    #[must_use]
    pub fn stall_writing(mut self, bytes: u64) -> Self {
        self.writing = Some((bytes, Fate::Stall));
        self
    }

    /// What comes is truncated: after `bytes` it ends, as if the other side had closed.
    #[must_use]
    pub fn end_reading(mut self, bytes: u64) -> Self {
        self.reading = Some((bytes, Fate::End));
        self
    }

    pub(super) fn chance(&self) -> Chance {
        Chance(self.seed)
    }
}

/// Numbers that look like chance: SplitMix64.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}
