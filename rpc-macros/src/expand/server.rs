//! The server: decodes each call, runs the method, encodes what it gives.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::arguments;
use super::generics::{Side, of_implementor, the_trait};
use super::table::{Index, index};
use crate::model::{Method, Returns, Service, Streamed};
use crate::types::pointing_at;

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
    /// The stream in the answer of a method that may fail to open one.
    items: Ident,
    error: Ident,
}

impl Locals {
    fn new() -> Self {
        let local = |name| Ident::new(name, Span::mixed_site());
        Self {
            request: local("request"),
            service: local("service"),
            answer: local("answer"),
            items: local("items"),
            error: local("error"),
        }
    }
}

fn arm(service: &Service, at: usize, locals: &Locals) -> TokenStream {
    let method = &service.methods[at];
    let Locals {
        request,
        service: shared,
        ..
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
    let params = arguments::decode(service, method, request);
    let given = method
        .params
        .iter()
        .map(|param| arguments::pass(service, method, param, request));
    let context = arguments::keep_context(method, request);
    let deprecated = method
        .attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("deprecated"));
    let allow = deprecated.then(|| quote!(#[allow(deprecated)]));
    let wait = method.awaited.then(|| quote!(.await));
    let call = quote!(<#implementor as #the_trait>::#ident(&#shared #(, #given)*) #wait);
    let run = reply(returns, allow.as_ref(), &call, locals);
    let mut body = quote!(#params #context #run);
    if method.blocking {
        body = quote!(#request.blocking(move |#request| async move { #body }).await);
    }
    quote! {
        #(#cfgs)*
        #pattern => {
            #body
        }
    }
}

/// Runs the method by `call`, and answers with what it gives.
fn reply(
    returns: &Returns,
    allow: Option<&TokenStream>,
    call: &TokenStream,
    locals: &Locals,
) -> TokenStream {
    let request = &locals.request;
    let Some(spelled) = &returns.spelled else {
        return quote!(#allow #call; #request.reply(&()));
    };
    if let Some(stream) = &returns.stream {
        return reply_stream(returns, stream, allow, call, locals);
    }
    let answer = pointing_at(&locals.answer, spelled.span());
    let lent = quote_spanned!(answer.span()=> &#answer);
    let reply = match returns.error {
        Some(_) => format_ident!("reply_result"),
        None => format_ident!("reply"),
    };
    quote!(#allow let #answer = #call; #request.#reply(#lent))
}

/// As [`reply`], with a stream. The answer is a local, because what is left over at the end of a
/// block outlives, before edition 2024, the locals that the stream may borrow.
fn reply_stream(
    returns: &Returns,
    stream: &Streamed,
    allow: Option<&TokenStream>,
    call: &TokenStream,
    locals: &Locals,
) -> TokenStream {
    let Locals {
        request, answer, ..
    } = locals;
    let (give, suspect) = match &stream.error {
        None => ("stream", &returns.value),
        Some(error) => ("try_stream", error),
    };
    let give = pointing_at(&format_ident!("{give}"), suspect.span());
    let items = pointing_at(&locals.items, suspect.span());
    let give = quote!(#request.#give(#items).await);
    let Some(error) = &returns.error else {
        return quote!(#allow let #items = #call; #give);
    };
    let error = pointing_at(&locals.error, error.span());
    let lent = quote_spanned!(error.span()=> &#error);
    quote! {
        #allow let #answer = #call;
        match #answer {
            ::core::result::Result::Ok(#items) => #give,
            ::core::result::Result::Err(#error) => #request.refuse(#lent),
        }
    }
}
