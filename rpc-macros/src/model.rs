//! A trait as a service. Every refusal about the trait as a whole lives here, those about one
//! method in [`signature`](crate::signature); what gets out is known to be fine.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::{Attribute, GenericParam, ItemTrait, LitStr, Path, TraitItem, TraitItemType, Type};

use crate::names::{free, hash};
use crate::parse::{Fallback, TraitOptions};
use crate::problems::Problems;
use crate::signature;
use crate::types::Form;

/// A trait, and what is generated of it.
pub(crate) struct Service {
    /// Where farcall is: `::farcall`.
    pub(crate) krate: Path,
    /// The trait, without attributes of ours.
    pub(crate) item: ItemTrait,
    /// Its `#[cfg]`s, which everything generated shares.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) server: Ident,
    pub(crate) client: Ident,
    /// The server's type parameter: a name that the trait does not use.
    pub(crate) implementor: Ident,
    pub(crate) associated: Vec<TraitItemType>,
    /// The methods that can be called from afar, in order.
    pub(crate) methods: Vec<Method>,
    /// Those that were refused; the trait has them all the same.
    pub(crate) refused: Vec<Ident>,
    /// False if the trait is such that there can be no server of it.
    pub(crate) is_served: bool,
}

/// Everything about one method.
pub(crate) struct Method {
    pub(crate) ident: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    /// Documentation, and what else a client's method shares with the trait's.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) doc: String,
    pub(crate) name: String,
    pub(crate) aliases: Vec<LitStr>,
    /// It is an `async fn`.
    pub(crate) awaited: bool,
    /// The server runs it on a thread where it may block.
    pub(crate) blocking: bool,
    pub(crate) idempotent: bool,
    pub(crate) notify: bool,
    pub(crate) timeout_ms: Option<u64>,
    /// True if the client writes the parameters by name where the protocol has names.
    pub(crate) named: bool,
    pub(crate) params: Vec<Param>,
    pub(crate) returns: Returns,
}

impl Method {
    /// The parameters that are on the wire, but for a stream.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &Param> {
        self.params
            .iter()
            .filter(|param| !matches!(param.form, Form::Context | Form::Stream(_)))
    }

    /// The stream that it takes, and the type of its items.
    pub(crate) fn taken(&self) -> Option<(&Param, &Type)> {
        self.params.iter().find_map(|param| match &param.form {
            Form::Stream(item) => Some((param, item)),
            _ => None,
        })
    }
}

/// One parameter of a method.
pub(crate) struct Param {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) form: Form,
    /// True for `Option<…>`, with the form in it.
    pub(crate) optional: bool,
    pub(crate) name: String,
    pub(crate) default: Option<Fallback>,
}

/// What a method gives.
pub(crate) struct Returns {
    /// The value, or an item of the stream; `()` if nothing is written.
    pub(crate) value: Type,
    /// What is known of the stream, if it is one.
    pub(crate) stream: Option<Streamed>,
    /// The error of a fallible method; with a stream, that there is none.
    pub(crate) error: Option<Type>,
    /// The type as it is spelled, for errors about it.
    pub(crate) spelled: Option<Type>,
}

/// The stream a method gives.
pub(crate) struct Streamed {
    /// The word that says it is one.
    pub(crate) token: Ident,
    /// The error of an item.
    pub(crate) error: Option<Type>,
}

impl Service {
    /// Reads `item`; what cannot be is left out and told to `problems`.
    pub(crate) fn new(options: TraitOptions, mut item: ItemTrait, problems: &mut Problems) -> Self {
        let taken = item.to_token_stream().to_string();
        let is_served = check_trait(&item, problems);
        let mut associated = Vec::new();
        for trait_item in &item.items {
            if let TraitItem::Type(ty) = trait_item {
                associated.push(ty.clone());
            }
        }
        let known: Vec<_> = associated.iter().map(|ty| ty.ident.clone()).collect();
        let mut methods = Vec::new();
        let mut spans = Vec::new();
        let mut refused = Vec::new();
        for trait_item in &mut item.items {
            match trait_item {
                TraitItem::Fn(function) => {
                    match signature::read(function, &options, &known, problems) {
                        Some((method, span)) => {
                            methods.push(method);
                            spans.push(span);
                        }
                        None => refused.push(function.sig.ident.clone()),
                    }
                }
                TraitItem::Type(ty) if ty.generics.params.is_empty() => {}
                TraitItem::Type(ty) => problems.refuse(
                    &ty.generics,
                    "an associated type of a service cannot be generic: the client has one for all calls",
                ),
                other => problems.refuse(
                    other,
                    "only methods can be called from afar; move this to another trait",
                ),
            }
        }
        check_names(&methods, &spans, problems);
        Self {
            krate: options.krate,
            cfgs: only(&item.attrs, &["cfg"]),
            server: format_ident!("{}Server", item.ident, span = item.ident.span()),
            client: format_ident!("{}Client", item.ident, span = item.ident.span()),
            implementor: format_ident!("{}", free("S", &taken)),
            associated,
            methods,
            refused,
            is_served,
            item,
        }
    }
}

/// The attributes that are called one of `names`.
pub(crate) fn only(attributes: &[Attribute], names: &[&str]) -> Vec<Attribute> {
    let is_one = |attribute: &&Attribute| names.iter().any(|name| attribute.path().is_ident(name));
    attributes.iter().filter(is_one).cloned().collect()
}

/// False if nothing but the trait itself can be generated.
fn check_trait(item: &ItemTrait, problems: &mut Problems) -> bool {
    let before = problems.count();
    if let Some(token) = &item.unsafety {
        problems.refuse(
            token,
            "a service is a safe trait: its callers are elsewhere",
        );
    }
    if let Some(token) = &item.modifiers.auto_token {
        problems.refuse(token, "a service cannot be an auto trait: it has methods");
    }
    for param in &item.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            problems.refuse(
                lifetime,
                "a service has no lifetimes: it lives as long as its server",
            );
        }
    }
    problems.count() == before
}

/// Two methods must not have one name, nor one hash: native frames call by hash.
fn check_names(methods: &[Method], spans: &[TokenStream], problems: &mut Problems) {
    let mut known: HashMap<String, bool> = HashMap::new();
    let mut hashes: HashMap<u32, String> = HashMap::new();
    for (method, span) in methods.iter().zip(spans) {
        let conditional = !method.cfgs.is_empty();
        let own = (method.name.clone(), span.clone());
        let aliases = method.aliases.iter();
        let others = aliases.map(|alias| (alias.value(), alias.to_token_stream()));
        for (name, token) in std::iter::once(own).chain(others) {
            match known.get(&name) {
                // Of two under `#[cfg]` only one may be there; the server checks again.
                Some(true) if conditional => {}
                Some(_) => {
                    problems.refuse(
                        token,
                        format_args!("two methods are called `{name}`: rename one of them"),
                    );
                    continue;
                }
                None => {}
            }
            known.insert(name.clone(), conditional);
            if let Some(other) = hashes.insert(hash(&name), name.clone())
                && other != name
            {
                problems.refuse(
                    token,
                    format_args!(
                        "`{name}` and `{other}` have the same hash, by which native frames call \
                         them: rename one of them"
                    ),
                );
            }
        }
    }
}
