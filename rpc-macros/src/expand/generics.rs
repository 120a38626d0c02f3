//! The type parameters of the generated items: those of the trait, and one for each associated
//! type or for the implementor.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::visit_mut::VisitMut;
use syn::{GenericParam, Generics, Lifetime, Type, WherePredicate, parse_quote};

use crate::model::Service;
use crate::types::{View, associated, search};

/// The generics of one generated struct.
pub(super) struct Side {
    /// Behind the struct's name where it is declared: `<K, V = u8>`, without bounds.
    pub(super) declared: Generics,
    /// In `impl<…>` and `where`: with bounds, without defaults.
    pub(super) bounds: Generics,
    /// The types a struct has to mention, though it holds none of them.
    pub(super) mentioned: Vec<Ident>,
}

impl Side {
    fn new(service: &Service) -> Self {
        let mut declared = service.item.generics.clone();
        declared.where_clause = None;
        let mut bounds = service.item.generics.clone();
        let mut mentioned = Vec::new();
        // A parameter for each associated type follows, and none of them has a default.
        let is_last = service.associated.is_empty();
        for param in &mut declared.params {
            match param {
                GenericParam::Type(ty) => {
                    ty.bounds.clear();
                    ty.default = ty.default.take().filter(|_| is_last);
                }
                GenericParam::Const(parameter) => {
                    parameter.default = parameter.default.take().filter(|_| is_last);
                }
                GenericParam::Lifetime(_) => {}
            }
        }
        for param in &mut bounds.params {
            match param {
                GenericParam::Type(ty) => {
                    ty.default = None;
                    ty.bounds.push(parse_quote!('static));
                    mentioned.push(ty.ident.clone());
                }
                GenericParam::Const(parameter) => parameter.default = None,
                GenericParam::Lifetime(_) => {}
            }
        }
        Self {
            declared,
            bounds,
            mentioned,
        }
    }

    /// The client's: `StoreClient<K, V, Item>`.
    pub(super) fn of_client(service: &Service) -> Self {
        let mut side = Self::new(service);
        let to_params = |ident: &Ident| quote!(#ident);
        let view = View {
            lifetime: parse_quote!('_),
            associated: &to_params,
        };
        if let Some(clause) = &mut side.bounds.where_clause {
            let kept = clause
                .predicates
                .iter()
                .filter(|predicate| !says_self(predicate));
            let seen = kept.map(|predicate| {
                view.see(predicate, |rewrite, node| {
                    rewrite.visit_where_predicate_mut(node)
                })
            });
            clause.predicates = seen.collect();
        }
        for item in &service.associated {
            let ident = &item.ident;
            let bounds = item.bounds.iter().map(|bound| {
                view.see(bound, |rewrite, node| {
                    rewrite.visit_type_param_bound_mut(node)
                })
            });
            side.declared.params.push(parse_quote!(#ident));
            side.bounds
                .params
                .push(parse_quote!(#ident: #(#bounds +)* 'static));
            side.mentioned.push(ident.clone());
        }
        side
    }

    /// The server's: `StoreServer<S, K, V>`.
    pub(super) fn of_server(service: &Service) -> Self {
        let mut side = Self::new(service);
        let implementor = &service.implementor;
        let the_trait = the_trait(service);
        side.declared.params.insert(0, parse_quote!(#implementor));
        side.bounds
            .params
            .insert(0, parse_quote!(#implementor: #the_trait));
        if let Some(clause) = &mut side.bounds.where_clause {
            for predicate in &mut clause.predicates {
                SelfTo(implementor).visit_where_predicate_mut(predicate);
            }
        }
        side
    }

    /// `<K, V>` in an `impl` that asks nothing of them.
    pub(super) fn unbound(&self) -> TokenStream {
        let (generics, _, _) = self.declared.split_for_impl();
        quote!(#generics)
    }

    /// `PhantomData<fn() -> (K, V)>`, if there is anything to mention.
    pub(super) fn phantom(&self) -> Option<TokenStream> {
        let mentioned = &self.mentioned;
        (!mentioned.is_empty())
            .then(|| quote!(::core::marker::PhantomData<fn() -> (#(#mentioned,)*)>))
    }
}

/// The trait with its parameters: `Store<K, V>`.
pub(super) fn the_trait(service: &Service) -> TokenStream {
    let ident = &service.item.ident;
    let (_, params, _) = service.item.generics.split_for_impl();
    quote!(#ident #params)
}

/// An associated type, seen from the server: `<S as Store<K, V>>::Item`.
pub(super) fn of_implementor(service: &Service, ident: &Ident) -> TokenStream {
    let implementor = &service.implementor;
    let the_trait = the_trait(service);
    quote!(<#implementor as #the_trait>::#ident)
}

/// How the server sees types, with this lifetime.
pub(super) fn server_view<'a>(
    lifetime: Lifetime,
    associated: &'a dyn Fn(&Ident) -> TokenStream,
) -> View<'a> {
    View {
        lifetime,
        associated,
    }
}

/// How the client sees types, with this lifetime.
pub(super) fn client_view(lifetime: Lifetime) -> View<'static> {
    View {
        lifetime,
        associated: &|ident| quote!(#ident),
    }
}

/// True if the predicate is about `Self`, which the client is not.
fn says_self(predicate: &WherePredicate) -> bool {
    let mut found = false;
    if let WherePredicate::Type(predicate) = predicate {
        search(&predicate.bounded_ty, &mut |ty| {
            found |= matches!(ty, Type::Path(path) if path.path.is_ident("Self"));
            associated(ty).is_none()
        });
    }
    found
}

/// Makes `Self` another type.
struct SelfTo<'a>(&'a Ident);

impl VisitMut for SelfTo<'_> {
    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if ident == "Self" {
            *ident = self.0.clone();
        }
    }
}
