//! The attribute on something else.

#[farcall::service]
struct Calc;

fn main() {
    let _ = Calc;
}
