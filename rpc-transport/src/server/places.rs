//! Places for connections: who holds one, and who gives one up for another.
//!
//! A limit on connections alone is a weapon: whoever holds all places without using them keeps everybody
//! else out. So the one that has gone without a call for the longest makes room, and among those the ones
//! that never made any go first: they have not finished their handshake, hello, head or line, or did and
//! ask for nothing. A connection with a call in flight is never asked to go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// So many at least may be on their way out while others come in; an eighth of all, where that is more.
const LEAVING: usize = 16;
/// How long somebody waits for those to be gone.
const PATIENCE: Duration = Duration::from_millis(250);
/// So many are chosen at a time of those that made calls, as choosing looks at all of them.
const CHOSEN: usize = 64;
/// So long nobody looks again once there was nobody to choose.
const RESIGNED: Duration = Duration::from_millis(10);

/// The places of one server.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    held: Mutex<Held>,
    /// Counts connections, and is the time that their ages are told in.
    arrivals: AtomicU64,
    evicted: AtomicU64,
    /// Somebody has gone who was told to.
    left: Notify,
}

/// What comes of asking for a place.
#[derive(Debug)]
enum Taken {
    Place(Place),
    /// So many are on their way out that nobody else is asked to go.
    Leaving,
    /// Nobody can go.
    Full,
}

/// Who holds a place, by when it came.
#[derive(Debug, Default)]
struct Held {
    /// Those that have not made a call yet.
    silent: BTreeMap<u64, Arc<Seat>>,
    /// Those that have.
    known: BTreeMap<u64, Arc<Seat>>,
    /// Those that were told to go, and have not gone.
    leaving: usize,
    /// Who of the known goes next, if nothing has changed by then.
    next: VecDeque<(u64, Arc<Seat>)>,
    /// When there was nobody.
    resigned: Option<Instant>,
}

/// A place, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Seat>);

/// What a connection says about itself, and is told.
#[derive(Debug)]
pub(crate) struct Seat {
    places: Arc<Places>,
    number: u64,
    is_known: AtomicBool,
    /// How many calls it has in flight.
    working: AtomicUsize,
    /// How many connections had come when its last call ended.
    since: AtomicU64,
    is_told: AtomicBool,
    told: Notify,
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: Mutex::default(),
            arrivals: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            left: Notify::new(),
        })
    }

    /// How many there may be.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How many are held.
    pub(super) fn taken(&self) -> usize {
        self.held().len()
    }

    /// How many connections were asked to make room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// A place for a connection that came; somebody else's, if that must be. (Who came first is served
    /// first: others wait to be accepted meanwhile.)
    pub(super) async fn take(self: &Arc<Self>) -> Option<Place> {
        let patience = tokio::time::sleep(PATIENCE);
        let mut patience = std::pin::pin!(patience);
        loop {
            let left = self.left.notified();
            match self.try_take() {
                Taken::Place(place) => return Some(place),
                Taken::Full => return None,
                Taken::Leaving => tokio::select! {
                    () = left => {}
                    () = &mut patience => return None,
                },
            }
        }
    }

    fn try_take(self: &Arc<Self>) -> Taken {
        let mut held = self.held();
        if held.len().saturating_sub(held.leaving) >= self.most {
            if held.leaving >= (self.most / 8).max(LEAVING) {
                return Taken::Leaving;
            }
            let Some(leaves) = held.choose() else {
                return Taken::Full;
            };
            held.leaving += 1;
            self.evicted.fetch_add(1, Ordering::Relaxed);
            leaves.tell();
        }
        let number = self.arrivals.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            places: Arc::clone(self),
            number,
            is_known: AtomicBool::new(false),
            working: AtomicUsize::new(0),
            since: AtomicU64::new(number),
            is_told: AtomicBool::new(false),
            told: Notify::new(),
        });
        held.silent.insert(number, Arc::clone(&seat));
        Taken::Place(Place(seat))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn len(&self) -> usize {
        self.silent.len() + self.known.len()
    }

    /// Who is to go, if anybody can.
    fn choose(&mut self) -> Option<Arc<Seat>> {
        let silent = self.silent.values();
        // Its first call may be under way: it is told so soon.
        let mut silent = silent.filter(|seat| !seat.is_told() && seat.is_idle());
        if let Some(first) = silent.next() {
            return Some(Arc::clone(first));
        }
        while let Some((since, seat)) = self.next.pop_front() {
            let is_same = seat.since.load(Ordering::Relaxed) == since;
            if is_same && seat.is_idle() && !seat.is_told() && self.known.contains_key(&seat.number)
            {
                return Some(seat);
            }
        }
        if self.resigned.is_some_and(|at| at.elapsed() < RESIGNED) {
            return None;
        }
        let known = self.known.values();
        let idle = known.filter(|seat| seat.is_idle() && !seat.is_told());
        let mut idle: Vec<_> = idle
            .map(|seat| (seat.since.load(Ordering::Relaxed), seat))
            .collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        let mut idle = idle
            .into_iter()
            .map(|(since, seat)| (since, Arc::clone(seat)));
        let first = idle.next();
        self.next.extend(idle.take(CHOSEN));
        self.resigned = first.is_none().then(Instant::now);
        first.map(|(_, seat)| seat)
    }
}

impl Place {
    /// What the connection is given of it.
    pub(super) fn seat(&self) -> Arc<Seat> {
        Arc::clone(&self.0)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let seat = &self.0;
        let mut held = seat.places.held();
        held.silent.remove(&seat.number);
        held.known.remove(&seat.number);
        if seat.is_told() {
            held.leaving = held.leaving.saturating_sub(1);
            seat.places.left.notify_waiters();
        }
    }
}

impl Seat {
    /// A call begins.
    pub(crate) fn works(&self) {
        self.working.fetch_add(1, Ordering::Relaxed);
        if !self.is_known.load(Ordering::Relaxed) {
            self.get_known();
        }
    }

    /// A call ended.
    pub(crate) fn rests(&self) {
        let now = self.places.arrivals.load(Ordering::Relaxed);
        self.since.store(now, Ordering::Relaxed);
        self.working.fetch_sub(1, Ordering::Relaxed);
    }

    /// The first call of a connection.
    #[cold]
    fn get_known(&self) {
        if !self.is_known.swap(true, Ordering::Relaxed) {
            let mut held = self.places.held();
            if let Some(seat) = held.silent.remove(&self.number) {
                held.known.insert(self.number, seat);
            }
        }
    }

    /// True if it has no call in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.working.load(Ordering::Relaxed) == 0
    }

    fn tell(&self) {
        self.is_told.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    /// True once it is to go, for somebody else.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Acquire)
    }

    /// Waits for that.
    pub(crate) async fn told(&self) {
        loop {
            let told = self.told.notified();
            if self.is_told() {
                return;
            }
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(places: &Arc<Places>) -> Option<Place> {
        match places.try_take() {
            Taken::Place(place) => Some(place),
            Taken::Leaving | Taken::Full => None,
        }
    }

    #[test]
    fn the_oldest_that_never_called_makes_room() {
        let places = Places::new(3);
        let held: Vec<_> = (0..3).map(|_| take(&places).unwrap()).collect();
        held[0].0.works();
        held[0].0.rests();
        let _fourth = take(&places).unwrap();
        let told = || {
            held.iter()
                .map(|place| place.0.is_told())
                .collect::<Vec<_>>()
        };
        assert_eq!(told(), [false, true, false]);
        let _fifth = take(&places).unwrap();
        assert_eq!(told(), [false, true, true]);
        assert_eq!(places.evicted(), 2);
    }

    #[test]
    fn of_those_that_called_the_one_whose_last_call_is_longest_ago_makes_room() {
        let places = Places::new(3);
        let held: Vec<_> = (0..3).map(|_| take(&places).unwrap()).collect();
        for which in [2, 0, 1, 2] {
            held[which].0.works();
            held[which].0.rests();
            // Time goes by.
            places.arrivals.fetch_add(1, Ordering::Relaxed);
        }
        let fourth = take(&places).unwrap();
        fourth.0.works();
        let told = || {
            held.iter()
                .map(|place| place.0.is_told())
                .collect::<Vec<_>>()
        };
        assert_eq!(told(), [true, false, false]);
        // The next was chosen with it, and has called since.
        held[1].0.works();
        held[1].0.rests();
        let _fifth = take(&places).unwrap();
        assert_eq!(told(), [true, false, true]);
    }

    #[test]
    fn nobody_with_a_call_in_flight_makes_room() {
        let places = Places::new(2);
        let held: Vec<_> = (0..2).map(|_| take(&places).unwrap()).collect();
        held.iter().for_each(|place| place.0.works());
        assert!(take(&places).is_none());
        assert_eq!((places.taken(), places.evicted()), (2, 0));
        held[1].0.rests();
        std::thread::sleep(RESIGNED);
        assert!(take(&places).is_some());
        assert!(held[1].0.is_told());
    }

    #[test]
    fn a_place_that_was_left_is_free() {
        let places = Places::new(1);
        for _ in 0..100 {
            let (first, second) = (take(&places).unwrap(), take(&places).unwrap());
            assert!(first.0.is_told() && !second.0.is_told());
            drop(first);
        }
        assert_eq!((places.taken(), places.held().leaving), (0, 0));
    }

    #[test]
    fn whoever_does_not_go_is_not_replaced_for_ever() {
        let places = Places::new(1);
        let mut held = Vec::new();
        while let Some(place) = take(&places) {
            held.push(place);
            assert!(held.len() <= LEAVING + 1);
        }
        held.remove(0);
        assert!(take(&places).is_some());
    }
}
