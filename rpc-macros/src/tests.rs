//! Golden expansions: `tests/expand/<name>.rs` is what is written, `<name>.expanded.rs` what the
//! compiler gets. `UPDATE_EXPECT=1 cargo test -p farcall-macros` writes the latter anew.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, File, Item, Meta};

use crate::names::hash;

fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand");
    let source = fs::read_to_string(folder.join(name).with_extension("rs")).unwrap();
    let expanded = expand(&source);
    let golden = folder.join(name).with_extension("expanded.rs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&golden, &expanded).unwrap();
    }
    let expect = fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        expanded == expect,
        "{} is no longer what comes out; UPDATE_EXPECT=1 rewrites it. Now:\n{expanded}",
        golden.display()
    );
}

/// Everything in `source` that our macros are on, expanded and pretty-printed.
fn expand(source: &str) -> String {
    let file: File = syn::parse_str(source).unwrap();
    let expanded = file.items.into_iter().map(|item| match item {
        Item::Trait(mut item) => {
            let at = item.attrs.iter().position(is_service);
            let options = at.map(|at| options(&item.attrs.remove(at)));
            crate::expand::service(options.unwrap_or_default(), &item.into_token_stream())
        }
        item => crate::fault::derive(item.into_token_stream()),
    });
    prettyplease::unparse(&syn::parse2(expanded.collect()).unwrap())
}

fn is_service(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|last| last.ident == "service")
}

fn options(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

#[test]
fn three_methods() {
    check("three_methods");
}

#[test]
fn three_methods_are_about_150_lines() {
    let expanded = expand(include_str!("../tests/expand/three_methods.rs"));
    let lines = expanded.lines().count();
    assert!(lines <= 160, "{lines} lines");
}

#[test]
fn every_option() {
    check("every_option");
}

#[test]
fn borrowed_parameters() {
    check("borrowed_parameters");
}

#[test]
fn named_parameters() {
    check("named_parameters");
}

#[test]
fn generic_trait() {
    check("generic_trait");
}

#[test]
fn conditional_methods() {
    check("conditional_methods");
}

#[test]
fn default_bodies() {
    check("default_bodies");
}

#[test]
fn streams_given() {
    check("streams_given");
}

#[test]
fn streams_taken() {
    check("streams_taken");
}

#[test]
fn streams_in_a_generic_trait() {
    check("streams_in_a_generic_trait");
}

#[test]
fn faults() {
    check("faults");
}

/// What the macro says about `source`, a line each.
fn refusals(options: TokenStream, source: &TokenStream) -> Vec<String> {
    let expanded = crate::expand::service(options, source);
    let file: File = syn::parse2(expanded).unwrap();
    let words = file.items.into_iter().filter_map(|item| match item {
        Item::Macro(item)
            if item
                .mac
                .path
                .to_token_stream()
                .to_string()
                .contains("compile_error") =>
        {
            let words: syn::LitStr = item.mac.parse_body().unwrap();
            Some(words.value())
        }
        _ => None,
    });
    words.collect()
}

#[test]
fn two_methods_with_one_hash_are_refused() {
    // Found by trying.
    let (one, other) = ("costarring", "liquid");
    assert_eq!(hash(one), hash(other));
    let words = refusals(
        quote!(),
        &quote! {
            trait Collides {
                async fn costarring(&self);
                async fn liquid(&self);
            }
        },
    );
    assert_eq!(
        words,
        [
            "`liquid` and `costarring` have the same hash, by which native frames call them: rename one of them"
        ]
    );
}

#[test]
fn two_methods_with_one_name_are_refused_unless_only_one_is_there() {
    let words = refusals(
        quote!(namespace = "calc"),
        &quote! {
            trait Collides {
                async fn one(&self);
                #[rpc(name = "one")]
                async fn other(&self);
                #[rpc(alias = "calc.one")]
                async fn third(&self);
                #[cfg(unix)]
                async fn fourth(&self);
                #[cfg(not(unix))]
                async fn fourth(&self);
            }
        },
    );
    let twice = "two methods are called `calc.one`: rename one of them";
    assert_eq!(words, [twice, twice]);
}
