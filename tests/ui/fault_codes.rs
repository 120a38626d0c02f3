//! Codes that are missing, taken, reserved or no codes.

use std::fmt;

#[derive(Debug, farcall::Fault)]
enum Broken {
    #[fault(code = 1)]
    Leg,
    Arm { left: bool },
    #[fault(code = 1)]
    Heart,
    #[fault(code = -32601)]
    Method,
    #[fault(code = "x")]
    Letter,
    #[fault(code = 5_000_000_000)]
    Large,
    #[fault(number = 9)]
    Number,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

#[derive(Debug, farcall::Fault)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

#[farcall::service]
trait Doctor {
    async fn heal(&self) -> Result<(), Broken>;
    async fn rest(&self) -> Result<(), Nothing>;
}

fn main() {}
