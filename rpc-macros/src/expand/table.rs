//! The table of methods: `METHODS`, which the server and the client share.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Type, parse_quote};

use super::generics::client_view;
use crate::model::{Method, Param, Service};
use crate::types::{Form, View};

/// `&[Method::new(…), …]`
pub(super) fn expand(service: &Service) -> TokenStream {
    let entries = service.methods.iter().map(|method| entry(service, method));
    quote!(&[#(#entries),*])
}

fn entry(service: &Service, method: &Method) -> TokenStream {
    let krate = &service.krate;
    let Method {
        cfgs, name, doc, ..
    } = method;
    let mut entry = quote!(#(#cfgs)* #krate::Method::new(#name, #doc));
    let params: Vec<_> = method
        .sent()
        .map(|param| describe(service, param))
        .collect();
    if !params.is_empty() {
        entry.extend(quote!(.takes(&[#(#params),*])));
    }
    if let Some((param, item)) = method.taken() {
        let name = &param.name;
        let item = client_view(parse_quote!('static)).ty(item);
        entry.extend(quote!(.takes_stream::<#item>(#name)));
        if cfg!(feature = "schemars") {
            entry.extend(quote!(.items_schema(#krate::schema_of!(#item))));
        }
    }
    if method.returns.spelled.is_some() {
        let value = client_view(parse_quote!('static)).ty(&method.returns.value);
        entry.extend(match &method.returns.error {
            Some(error) => {
                let error = client_view(parse_quote!('static)).ty(error);
                quote!(.returns_or::<#value>(#krate::fault_kinds!(#error)))
            }
            None => quote!(.returns::<#value>()),
        });
        if cfg!(feature = "schemars") {
            entry.extend(quote!(.result_schema(#krate::schema_of!(#value))));
        }
    }
    if let Some(stream) = &method.returns.stream {
        entry.extend(quote!(.gives_stream()));
        if let Some(error) = &stream.error {
            let error = client_view(parse_quote!('static)).ty(error);
            entry.extend(quote!(.item_errors(#krate::fault_kinds!(#error))));
        }
    }
    if !method.aliases.is_empty() {
        let aliases = &method.aliases;
        entry.extend(quote!(.aliases(&[#(#aliases),*])));
    }
    if method.idempotent {
        entry.extend(quote!(.idempotent()));
    }
    if method.notify {
        entry.extend(quote!(.notification()));
    }
    if method.named {
        entry.extend(quote!(.named()));
    }
    if let Some(ms) = method.timeout_ms {
        entry.extend(quote!(.timeout_ms(#ms)));
    }
    entry
}

/// `Param::required::<i64>("x")`
fn describe(service: &Service, param: &Param) -> TokenStream {
    let krate = &service.krate;
    let name = &param.name;
    let ty = owner(service, param, &client_view(parse_quote!('static)));
    let schema = cfg!(feature = "schemars").then(|| quote!(.schema(#krate::schema_of!(#ty))));
    if param.default.is_some() {
        quote!(#krate::Param::defaulted::<#ty>(#name) #schema)
    } else if param.optional {
        quote!(#krate::Param::optional::<#ty>(#name) #schema)
    } else {
        quote!(#krate::Param::required::<#ty>(#name) #schema)
    }
}

/// The type that owns what the parameter may borrow.
pub(super) fn owner(service: &Service, param: &Param, view: &View<'_>) -> Type {
    let krate = &service.krate;
    let inner = match &param.form {
        Form::Text => parse_quote!(::std::string::String),
        Form::Bytes => parse_quote!(#krate::params::Bytes),
        Form::Slice(element) => {
            let element = view.ty(element);
            parse_quote!(::std::vec::Vec<#element>)
        }
        Form::Borrowed(ty) => view.ty(ty),
        Form::Value | Form::Context | Form::Stream(_) => return view.ty(&param.ty),
    };
    if param.optional {
        parse_quote!(::core::option::Option<#inner>)
    } else {
        inner
    }
}

/// Where `METHODS` has the method: a number, or a sum if methods before it depend on `#[cfg]`.
pub(super) enum Index {
    Literal(proc_macro2::Literal),
    Sum(TokenStream),
}

pub(super) fn index(service: &Service, method: usize) -> Index {
    let (mut always, mut sometimes) = (0, Vec::new());
    for method in &service.methods[..method] {
        if method.cfgs.is_empty() {
            always += 1;
            continue;
        }
        let conditions = method.cfgs.iter().filter_map(|cfg| match &cfg.meta {
            syn::Meta::List(list) => Some(&list.tokens),
            _ => None,
        });
        sometimes.push(quote!(cfg!(all(#(#conditions),*)) as usize));
    }
    let always = proc_macro2::Literal::usize_unsuffixed(always);
    if sometimes.is_empty() {
        Index::Literal(always)
    } else {
        Index::Sum(quote!(#always #(+ #sometimes)*))
    }
}
