//! The arguments of a call on the server: decoded, with what stands in for them, and passed on.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, parse_quote};

use super::generics::{of_implementor, server_view};
use super::table::owner;
use crate::model::{Method, Param, Service};
use crate::parse::Fallback;
use crate::types::{Form, arguments, is_builtin, located, tuple};

/// `let (x, y) = request.params::<(i64, i64)>((required, required))?;`
pub(super) fn decode(service: &Service, method: &Method, request: &Ident) -> TokenStream {
    let names: Vec<_> = method.sent().map(|param| &param.ident).collect();
    let types: Vec<_> = match method.returns.stream {
        None => method.sent().map(|param| decoded(service, param)).collect(),
        // What a stream borrows must not be in the request, which is used up by the answer.
        Some(_) => method.sent().map(|param| owned(service, param)).collect(),
    };
    let absent: Vec<_> = method.sent().map(|param| absent(service, param)).collect();
    let (names, types, absent) = (tuple(&names), tuple(&types), tuple(&absent));
    // What the compiler says about the tuple is about a type that is not the language's own.
    let suspect = method.sent().find(|param| !is_builtin(&param.ty));
    let types = suspect.map_or_else(|| types.clone(), |param| located(&types, param.ty.span()));
    quote!(let #names = #request.params::<#types>(#absent)?;)
}

/// The type a parameter is decoded as.
fn decoded(service: &Service, param: &Param) -> TokenStream {
    let krate = &service.krate;
    let to_implementor = |ident: &Ident| of_implementor(service, ident);
    let view = server_view(parse_quote!('_), &to_implementor);
    let inner = match &param.form {
        Form::Text => quote!(#krate::params::Text<'_>),
        Form::Bytes => quote!(#krate::params::Blob<'_>),
        Form::Slice(element) => {
            let element = view.ty(element);
            quote!(::std::vec::Vec<#element>)
        }
        Form::Borrowed(ty) => {
            let ty = view.ty(ty);
            quote!(#ty)
        }
        Form::Value | Form::Context | Form::Stream(_) => {
            let ty = view.ty(&param.ty);
            return quote!(#ty);
        }
    };
    if param.optional {
        quote!(::core::option::Option<#inner>)
    } else {
        inner
    }
}

/// The type a parameter is decoded as where it has to outlive the request.
fn owned(service: &Service, param: &Param) -> TokenStream {
    let to_implementor = |ident: &Ident| of_implementor(service, ident);
    let view = server_view(parse_quote!('static), &to_implementor);
    let ty = owner(service, param, &view);
    quote!(#ty)
}

/// What stands in for a parameter that is left out.
fn absent(service: &Service, param: &Param) -> TokenStream {
    let krate = &service.krate;
    let value = match &param.default {
        None if param.optional || is_option(param) => return quote!(#krate::params::optional),
        None => return quote!(#krate::params::required),
        Some(Fallback::OfType) if param.optional => quote!(::core::option::Option::None),
        Some(Fallback::OfType) => match param.form {
            Form::Text => quote!("".into()),
            Form::Bytes => quote!(b"".into()),
            _ => quote!(::core::default::Default::default()),
        },
        Some(Fallback::Value(value)) => match (&param.form, value) {
            (Form::Text | Form::Bytes, value) if !param.optional => quote!((#value).into()),
            (
                _,
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }),
            ) => quote!(#text.into()),
            (_, value) => quote!(#value),
        },
    };
    quote!(|| ::core::option::Option::Some(#value))
}

/// The context of a method whose stream may borrow it: one that is not in the request.
pub(super) fn keep_context(method: &Method, request: &Ident) -> Option<TokenStream> {
    let mut forms = method.params.iter().map(|param| &param.form);
    let is_kept =
        method.returns.stream.is_some() && forms.any(|form| matches!(form, Form::Context));
    is_kept.then(|| {
        let context = context();
        quote!(let #context = ::core::clone::Clone::clone(#request.context());)
    })
}

fn context() -> Ident {
    Ident::new("context", Span::mixed_site())
}

fn is_option(param: &Param) -> bool {
    arguments(&param.ty, "Option").is_some()
}

/// The parameter as the method takes it.
pub(super) fn pass(
    service: &Service,
    method: &Method,
    param: &Param,
    request: &Ident,
) -> TokenStream {
    let ident = &param.ident;
    match (&param.form, param.optional) {
        (Form::Context, _) if method.returns.stream.is_some() => {
            let context = context();
            quote!(&#context)
        }
        (Form::Context, _) => quote!(#request.context()),
        (Form::Stream(item), _) => {
            let to_implementor = |ident: &Ident| of_implementor(service, ident);
            let item = server_view(parse_quote!('static), &to_implementor).ty(item);
            quote!(#request.items::<#item>())
        }
        (Form::Value, _) => quote!(#ident),
        (Form::Borrowed(_), true) => quote!(#ident.as_ref()),
        (_, true) => quote!(#ident.as_deref()),
        (_, false) => quote!(&#ident),
    }
}
