//! The attribute and the derive of farcall: one trait in, a server and a client out.
//!
//! A small compiler in one direction: `parse` reads options, `model` refuses what cannot be
//! (and whatever gets out of it is known to be fine), `expand` writes one generated item a file.
//! Both macros are documented where `farcall` re-exports them, so that their examples can use it.

mod encodings;
mod expand;
mod fault;
mod model;
mod names;
mod parse;
mod problems;
mod signature;
mod streams;
mod types;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a server and a client of a trait. Documented as `farcall::service`.
#[proc_macro_attribute]
pub fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::service(options.into(), &item.into()).into()
}

/// Makes an error type travel. Documented as `farcall::Fault`.
#[proc_macro_derive(Fault, attributes(fault))]
pub fn fault(item: TokenStream) -> TokenStream {
    fault::derive(item.into()).into()
}
