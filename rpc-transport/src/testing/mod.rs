//! For tests of what is built on farcall: networks that fail.

mod faults;
mod faulty;

pub use faults::Faults;
pub use faulty::Faulty;
