//! The server: decodes each call, runs the method, encodes what it gives.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit};

use super::generics::{Side, of_implementor, server_view, the_trait};
use super::table::{Index, index};
use crate::model::{Method, Param, Service};
use crate::parse::Fallback;
use crate::types::{Form, is_builtin, located, tuple};

pub(super) fn expand(service: &Service) -> TokenStream {
    let side = Side::of_server(service);
    let (declared, phantom) = (&side.declared, side.phantom());
    let (impl_generics, _, clause) = side.bounds.split_for_impl();
    let (_, types, _) = declared.split_for_impl();
    let Service {
        item,
        cfgs,
        server,
        implementor,
        ..
    } = service;
    let (vis, name) = (&item.vis, server.to_string());
    let about = format!(
        " Serves a [`{}`]: decodes each call, runs the method, encodes what it gives.",
        item.ident
    );
    let new = format!(
        " Serves `service`, an implementation of [`{}`].",
        item.ident
    );
    let types_field = phantom.iter().map(|phantom| quote!(types: #phantom,));
    let types_value = phantom
        .iter()
        .map(|_| quote!(types: ::core::marker::PhantomData,));
    let types_clone = types_value.clone();
    let unbound = side.unbound();
    let the_service = the_service(service, &side);
    quote! {
        #(#cfgs)*
        #[doc = #about]
        #[allow(dead_code)]
        #vis struct #server #declared {
            service: ::std::sync::Arc<#implementor>,
            #(#types_field)*
        }

        #(#cfgs)*
        #[allow(dead_code)]
        impl #impl_generics #server #types #clause {
            #[doc = #new]
            #vis fn new(service: #implementor) -> Self {
                Self { service: ::std::sync::Arc::new(service), #(#types_value)* }
            }
        }

        #(#cfgs)*
        impl #unbound ::core::clone::Clone for #server #types {
            fn clone(&self) -> Self {
                Self { service: ::std::sync::Arc::clone(&self.service), #(#types_clone)* }
            }
        }

        #(#cfgs)*
        impl #unbound ::core::fmt::Debug for #server #types {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(#name)
            }
        }

        #(#cfgs)*
        #the_service
    }
}

/// The implementation of `farcall::Service`.
fn the_service(service: &Service, side: &Side) -> TokenStream {
    let (krate, server, client) = (&service.krate, &service.server, &service.client);
    let (impl_generics, _, clause) = side.bounds.split_for_impl();
    let (_, types, _) = side.declared.split_for_impl();
    let client_types = client_types(service);
    let captured = side.bounds.params.iter().map(|param| match param {
        syn::GenericParam::Type(ty) => &ty.ident,
        syn::GenericParam::Const(parameter) => &parameter.ident,
        syn::GenericParam::Lifetime(lifetime) => &lifetime.lifetime.ident,
    });
    let locals = Locals::new();
    let Locals {
        request,
        service: shared,
        ..
    } = &locals;
    let arms = (0..service.methods.len()).map(|at| arm(service, at, &locals));
    let unknown = quote!(::core::result::Result::Err(#request.unknown_method()));
    let body = if service.methods.is_empty() {
        quote!(async move { #unknown })
    } else {
        let unused = service
            .methods
            .iter()
            .all(|method| !method.cfgs.is_empty())
            .then(|| quote!(#[allow(unused_variables)]));
        quote! {
            #unused
            let #shared = ::std::sync::Arc::clone(&self.service);
            async move {
                match #request.index() {
                    #(#arms)*
                    _ => #unknown,
                }
            }
        }
    };
    quote! {
        impl #impl_generics #krate::Service for #server #types #clause {
            const METHODS: &'static [#krate::Method] = #client #client_types::METHODS;

            fn call(
                &self,
                #request: #krate::Request,
            ) -> impl ::core::future::Future<Output = #krate::Reply>
                   + ::core::marker::Send
                   + use<#(#captured),*> {
                #body
            }
        }
    }
}

/// The client's parameters, seen from the server: `::<K, V, <S as Store<K, V>>::Item>`.
fn client_types(service: &Service) -> Option<TokenStream> {
    let (_, types, _) = service.item.generics.split_for_impl();
    if service.associated.is_empty() {
        return (!service.item.generics.params.is_empty()).then(|| {
            let turbofish = types.as_turbofish();
            quote!(#turbofish)
        });
    }
    let own = service
        .item
        .generics
        .params
        .iter()
        .map(|param| match param {
            syn::GenericParam::Const(parameter) => parameter.ident.clone(),
            syn::GenericParam::Type(ty) => ty.ident.clone(),
            syn::GenericParam::Lifetime(lifetime) => lifetime.lifetime.ident.clone(),
        });
    let own = own.map(|ident| quote!(#ident));
    let associated = service
        .associated
        .iter()
        .map(|ty| of_implementor(service, &ty.ident));
    let all = own.chain(associated);
    Some(quote!(::<#(#all),*>))
}

/// Names that no parameter can meet, whatever it is called.
struct Locals {
    request: Ident,
    service: Ident,
    answer: Ident,
}

impl Locals {
    fn new() -> Self {
        let local = |name| Ident::new(name, Span::mixed_site());
        Self {
            request: local("request"),
            service: local("service"),
            answer: local("answer"),
        }
    }
}

fn arm(service: &Service, at: usize, locals: &Locals) -> TokenStream {
    let method = &service.methods[at];
    let Locals {
        request,
        service: shared,
        answer,
    } = locals;
    let Method {
        ident,
        cfgs,
        returns,
        ..
    } = method;
    let implementor = &service.implementor;
    let the_trait = the_trait(service);
    let pattern = match index(service, at) {
        Index::Literal(index) => quote!(#index),
        Index::Sum(sum) => {
            let index = Ident::new("index", Span::mixed_site());
            quote!(#index if #index == #sum)
        }
    };
    let params = params(service, method, request);
    let given = method.params.iter().map(|param| pass(param, request));
    // What the compiler says about the answer's type, it says about the type in the trait.
    let mut answer = answer.clone();
    if let Some(spelled) = &returns.spelled {
        answer.set_span(answer.span().located_at(spelled.span()));
    }
    let reply = if returns.error.is_some() {
        format_ident!("reply_result")
    } else {
        format_ident!("reply")
    };
    let deprecated = method
        .attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("deprecated"));
    let allow = deprecated.then(|| quote!(#[allow(deprecated)]));
    let call = quote!(<#implementor as #the_trait>::#ident(&#shared #(, #given)*).await);
    let run = if returns.spelled.is_some() {
        let lent = quote_spanned!(answer.span()=> &#answer);
        quote!(#allow let #answer = #call; #request.#reply(#lent))
    } else {
        quote!(#allow #call; #request.reply(&()))
    };
    quote! {
        #(#cfgs)*
        #pattern => {
            #params
            #run
        }
    }
}

/// `let (x, y) = request.params::<(i64, i64)>((required, required))?;`
fn params(service: &Service, method: &Method, request: &Ident) -> TokenStream {
    let names: Vec<_> = method.sent().map(|param| &param.ident).collect();
    let types: Vec<_> = method.sent().map(|param| decoded(service, param)).collect();
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
    let view = server_view(&to_implementor);
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
        Form::Value | Form::Context => {
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

fn is_option(param: &Param) -> bool {
    crate::types::arguments(&param.ty, "Option").is_some()
}

/// The parameter as the method takes it.
fn pass(param: &Param, request: &Ident) -> TokenStream {
    let ident = &param.ident;
    match (&param.form, param.optional) {
        (Form::Context, _) => quote!(#request.context()),
        (Form::Value, _) => quote!(#ident),
        (Form::Borrowed(_), true) => quote!(#ident.as_ref()),
        (_, true) => quote!(#ident.as_deref()),
        (_, false) => quote!(&#ident),
    }
}
