//! The trait as a careful person would have written it: futures that are `Send`, nothing boxed.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ReturnType, TraitItem, TraitItemFn, parse_quote};

use crate::model::Service;
use crate::streams::say_the_bounds;

pub(super) fn expand(service: &Service) -> TokenStream {
    let mut item = service.item.clone();
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.supertraits.push(parse_quote!('static));
    for item in &mut item.items {
        if let TraitItem::Fn(function) = item {
            let is_refused = service.refused.contains(&function.sig.ident);
            if !is_refused {
                say_the_bounds(function);
            }
            say_the_future(function, is_refused);
        }
    }
    item.to_token_stream()
}

/// `async fn … -> T` becomes `fn … -> impl Future<Output = T> + Send`.
fn say_the_future(function: &mut TraitItemFn, is_refused: bool) {
    if function.sig.asyncness.take().is_none() {
        return;
    }
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    // Of a method that was refused nothing more is asked: one mistake, one error.
    let and_send = (!is_refused).then(|| quote!(+ ::core::marker::Send));
    function.sig.output = parse_quote! {
        -> impl ::core::future::Future<Output = #output> #and_send
    };
    if let Some(body) = &function.default {
        let future = quote!({ async move #body });
        function.default = syn::parse2(future).ok();
    }
}
