//! Traits that are odd but legal: that they compile is most of the test.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "these traits show what compiles, to nobody"
)]
#![allow(
    clippy::too_many_arguments,
    reason = "sixteen are allowed, so sixteen are tried"
)]

mod borrowed;
mod counts;
mod faults;
mod front_page;
mod generics;
mod names;
mod origins;
mod records;

use farcall::{Method, Service};

fn methods<S: Service>(_: &S) -> &'static [Method] {
    S::METHODS
}

fn names(methods: &[Method]) -> Vec<&str> {
    methods.iter().map(|method| method.name).collect()
}

fn param_names(method: &Method) -> Vec<&str> {
    method.params.iter().map(|param| param.name).collect()
}
