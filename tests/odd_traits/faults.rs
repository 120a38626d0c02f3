//! Errors of few kinds.

use farcall::{Encoding, Fault, TypedFault};

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
#[error("never")]
enum Never {}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
#[error("unit")]
#[fault(code = 1)]
struct Unit;

#[test]
fn faults_of_few_kinds() {
    assert_eq!(Never::from_fault(&Fault::new(1, "?")), None);
    assert_eq!(
        Unit::from_fault(&Unit.to_fault(Encoding::Bincode)),
        Some(Unit)
    );
}
