//! A service to tokens. On errors: the trait, and a server and a client of what is right in it,
//! so that nothing but the mistakes is reported.

mod arguments;
mod client;
mod generics;
mod server;
mod service_trait;
mod table;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemTrait;

use crate::model::Service;
use crate::parse::trait_options;
use crate::problems::Problems;

/// The expansion of `#[farcall::service(options)] item`.
pub(crate) fn service(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let options = trait_options(options, &mut problems);
    let item = match syn::parse2::<ItemTrait>(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            problems.push(syn::Error::new(
                error.span(),
                format_args!("`service` goes on a trait: {error}"),
            ));
            return quote!(#item #problems);
        }
    };
    let service = Service::new(options, item, &mut problems);
    let the_trait = service_trait::expand(&service);
    if !service.is_served {
        return quote!(#the_trait #problems);
    }
    let server = server::expand(&service);
    let client = client::expand(&service);
    quote! {
        #the_trait
        #server
        #client
        #problems
    }
}
