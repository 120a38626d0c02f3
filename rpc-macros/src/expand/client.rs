//! The client: each method as a value that is sent when it is awaited.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Lifetime, Type, parse_quote};

use super::generics::{Side, client_view};
use super::table::{self, Index, index};
use crate::model::{Method, Param, Returns, Service};
use crate::types::{Form, pointing_at, search, tuple};

pub(super) fn expand(service: &Service) -> TokenStream {
    let side = Side::of_client(service);
    let (declared, phantom) = (&side.declared, side.phantom());
    let (impl_generics, _, clause) = side.bounds.split_for_impl();
    let (_, types, _) = declared.split_for_impl();
    let Service {
        krate,
        item,
        cfgs,
        client,
        ..
    } = service;
    let vis = &item.vis;
    let about = format!(
        " Calls a [`{}`] on the other side of a channel.",
        item.ident
    );
    let table_doc = format!(" The methods of a [`{}`].", item.ident);
    let table = table::expand(service);
    let derived = phantom.is_none().then(|| quote!(#[derive(Clone, Debug)]));
    let by_hand = phantom.is_some().then(|| clone_and_debug(service, &side));
    let types_field = phantom.iter().map(|phantom| quote!(types: #phantom,));
    let types_value = phantom
        .iter()
        .map(|_| quote!(types: ::core::marker::PhantomData,));
    let methods = (0..service.methods.len()).map(|at| method(service, at));
    quote! {
        #(#cfgs)*
        #[doc = #about]
        #[allow(dead_code)]
        #derived
        #vis struct #client #declared {
            channel: #krate::Channel,
            #(#types_field)*
        }

        #by_hand

        #(#cfgs)*
        #[allow(dead_code)]
        impl #impl_generics #client #types #clause {
            #[doc = #table_doc]
            #vis const METHODS: &'static [#krate::Method] = #table;

            #[doc = " A client that sends its calls over `channel`."]
            #vis fn new(channel: #krate::Channel) -> Self {
                Self { channel, #(#types_value)* }
            }

            #[doc = " A client of the server at `address`."]
            #vis async fn connect(address: &str) -> #krate::Result<Self> {
                #krate::connect(address).await.map(Self::new)
            }

            #[doc = " A client of `server`, with no socket between: values still travel in `encoding`."]
            #vis fn in_memory(server: impl #krate::Service, encoding: #krate::Encoding) -> Self {
                Self::new(#krate::in_memory(server, encoding))
            }

            #[doc = " The channel that calls are sent over."]
            #vis fn channel(&self) -> &#krate::Channel {
                &self.channel
            }

            #[doc = " Several calls of this client, sent together in one round trip."]
            #vis fn batch<All: #krate::Calls>(&self, calls: All) -> #krate::Batch<'_, All> {
                self.channel.batch(calls)
            }

            #[doc = " The same client; its calls wait no longer than `timeout`, unless they say how long."]
            #vis fn with_timeout(&self, timeout: ::core::time::Duration) -> Self {
                Self::new(self.channel.clone().with_timeout(timeout))
            }

            #[doc = " The same client; its calls send `value` along as `name`, unless they have one."]
            #vis fn with_metadata(&self, name: &str, value: &str) -> Self {
                Self::new(self.channel.clone().with_metadata(name, value))
            }

            #(#methods)*
        }
    }
}

/// For generic clients: deriving would ask the same of `K` and `V`.
fn clone_and_debug(service: &Service, side: &Side) -> TokenStream {
    let Service { cfgs, client, .. } = service;
    let unbound = side.unbound();
    let (_, types, _) = side.declared.split_for_impl();
    let name = client.to_string();
    quote! {
        #(#cfgs)*
        impl #unbound ::core::clone::Clone for #client #types {
            fn clone(&self) -> Self {
                Self { channel: self.channel.clone(), types: ::core::marker::PhantomData }
            }
        }

        #(#cfgs)*
        impl #unbound ::core::fmt::Debug for #client #types {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name).field("channel", &self.channel).finish()
            }
        }
    }
}

fn method(service: &Service, at: usize) -> TokenStream {
    let method = &service.methods[at];
    let krate = &service.krate;
    let vis = &service.item.vis;
    let Method {
        ident,
        cfgs,
        attributes,
        returns,
        ..
    } = method;
    let borrows = method.sent().any(borrows);
    let (generics, receiver, lifetime): (_, _, Lifetime) = if borrows {
        (
            Some(quote!(<'call>)),
            quote!(&'call self),
            parse_quote!('call),
        )
    } else {
        (None, quote!(&self), parse_quote!('_))
    };
    let about = method.doc.is_empty().then(|| {
        let words = format!(" Calls [`{}::{ident}`].", service.item.ident);
        quote!(#[doc = #words])
    });
    let view = client_view(lifetime.clone());
    let sent: Vec<_> = method
        .sent()
        .map(|param| sent(service, param, &view.ty(&param.ty), &lifetime))
        .collect();
    let values: Vec<_> = method.sent().map(|param| value(service, param)).collect();
    let (sent, values) = (tuple(&sent), tuple(&values));
    let arguments = method.params.iter().filter_map(|param| match &param.form {
        Form::Context => None,
        Form::Stream(item) => Some(uploaded(service, param, &view.ty(item))),
        _ => {
            let (name, ty) = (&param.ident, view.ty(&param.ty));
            Some(quote!(#name: #ty))
        }
    });
    let upload = method.taken().map(|(param, item)| {
        let items = pointing_at(&param.ident, item.span());
        let upload = pointing_at(&format_ident!("upload"), item.span());
        quote!(.#upload(#items))
    });
    let value = view.ty(&returns.value);
    let errors = errors(returns).into_iter().map(|error| view.ty(&error));
    let (call, start) = match returns.stream {
        Some(_) => (format_ident!("StreamCall"), format_ident!("stream")),
        None => (format_ident!("Call"), format_ident!("call")),
    };
    let index = match index(service, at) {
        Index::Literal(index) => quote!(#index),
        Index::Sum(sum) => sum,
    };
    quote! {
        #(#cfgs)*
        #about
        #(#attributes)*
        #vis fn #ident #generics(#receiver #(, #arguments)*) -> #krate::#call<#lifetime, #sent, #value #(, #errors)*> {
            self.channel.#start(&Self::METHODS[#index], #values) #upload
        }
    }
}

/// The errors that a call's type names: of the items and then of the method, if it gives a stream.
fn errors(returns: &Returns) -> Vec<Type> {
    let of_method = returns.error.clone();
    let Some(stream) = &returns.stream else {
        return of_method.into_iter().collect();
    };
    match (stream.error.clone(), of_method) {
        (None, Some(error)) => vec![parse_quote!(::core::convert::Infallible), error],
        (of_items, of_method) => of_items.into_iter().chain(of_method).collect(),
    }
}

/// `numbers: impl Stream<Item = i64> + Send + 'static`
fn uploaded(service: &Service, param: &Param, item: &Type) -> TokenStream {
    let krate = &service.krate;
    let name = &param.ident;
    quote!(#name: impl #krate::Stream<Item = #item> + ::core::marker::Send + 'static)
}

/// True if the parameter's type has a lifetime in it.
fn borrows(param: &Param) -> bool {
    let mut found = false;
    let view = client_view(parse_quote!('call));
    let seen = view.ty(&param.ty);
    search(&param.ty, &mut |ty| {
        found |= matches!(ty, Type::Reference(_));
        true
    });
    found || quote!(#seen).to_string().contains("'call")
}

/// The type a parameter is sent as: bytes as bytes, all else as it is.
fn sent(service: &Service, param: &Param, ty: &Type, lifetime: &Lifetime) -> TokenStream {
    let krate = &service.krate;
    match (&param.form, param.optional) {
        (Form::Bytes, false) => quote!(#krate::params::Blob<#lifetime>),
        (Form::Bytes, true) => {
            quote!(::core::option::Option<#krate::params::Blob<#lifetime>>)
        }
        _ => quote!(#ty),
    }
}

/// What goes into the tuple. What the compiler says about it, it says about the type in the trait.
fn value(service: &Service, param: &Param) -> TokenStream {
    let krate = &service.krate;
    let ident = pointing_at(&param.ident, param.ty.span());
    match (&param.form, param.optional) {
        (Form::Bytes, false) => quote_spanned!(ident.span()=> #krate::params::Blob::from(#ident)),
        (Form::Bytes, true) => {
            quote_spanned!(ident.span()=> #ident.map(#krate::params::Blob::from))
        }
        _ => quote!(#ident),
    }
}
