//! Streams as they are spelled: `impl Stream<Item = T>`, and `farcall::Items<T>` for those that a
//! method takes.

use proc_macro2::Ident;
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{
    GenericArgument, Path, PathArguments, PathSegment, TraitItemFn, Type, TypeImplTrait,
    TypeParamBound, TypePath, parse_quote,
};

use crate::types::bare;

/// A stream in a signature.
pub(crate) struct Spelled {
    /// The word that says it is one.
    pub(crate) token: Ident,
    /// What its items are, if that is said.
    pub(crate) item: Option<Type>,
}

/// The stream that `ty` is, if it is an `impl Stream<…>`, wherever `Stream` comes from.
pub(crate) fn stream(ty: &Type) -> Option<Spelled> {
    let Type::ImplTrait(ty) = bare(ty) else {
        return None;
    };
    let segment = segment(ty)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Some(Spelled {
            token: segment.ident.clone(),
            item: None,
        });
    };
    let item = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(item.ty.clone()),
        _ => None,
    });
    Some(Spelled {
        token: segment.ident.clone(),
        item,
    })
}

/// The stream that a parameter of type `ty` is. `Items` is a word that users have as well, so it
/// counts only where it is said whose it is.
pub(crate) fn taken(ty: &Type, krate: &Path) -> Option<Spelled> {
    if let Some(stream) = stream(ty) {
        return Some(stream);
    }
    let Type::Path(TypePath {
        qself: None, path, ..
    }) = bare(ty)
    else {
        return None;
    };
    let mut segments = path.segments.iter().rev();
    let (last, owner) = (segments.next()?, segments.next()?);
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let ours = &krate.segments.last()?.ident;
    match (arguments.args.len(), arguments.args.first()) {
        (1, Some(GenericArgument::Type(item))) if last.ident == "Items" && owner.ident == *ours => {
            Some(Spelled {
                token: last.ident.clone(),
                item: Some(item.clone()),
            })
        }
        _ => None,
    }
}

/// `Stream<Item = T>` among the bounds.
fn segment(ty: &TypeImplTrait) -> Option<&PathSegment> {
    ty.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            (last.ident == "Stream").then_some(last)
        }
        _ => None,
    })
}

/// Says in the trait what the server needs: streams that are given are `Send`, those that are
/// taken are `Send + Unpin + 'static`.
pub(crate) fn say_the_bounds(function: &mut TraitItemFn) {
    struct Bounds<'a>(&'a [(&'a str, TypeParamBound)]);

    impl VisitMut for Bounds<'_> {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            match ty {
                Type::ImplTrait(ty) if segment(ty).is_some() => {
                    for (name, bound) in self.0 {
                        if !is_said(ty, name) {
                            ty.bounds.push(bound.clone());
                        }
                    }
                }
                _ => visit_type_mut(self, ty),
            }
        }
    }

    let send = ("Send", parse_quote!(::core::marker::Send));
    let unpin = ("Unpin", parse_quote!(::core::marker::Unpin));
    let long = ("static", parse_quote!('static));
    Bounds(std::slice::from_ref(&send)).visit_return_type_mut(&mut function.sig.output);
    let all = [send, unpin, long];
    for input in &mut function.sig.inputs {
        Bounds(&all).visit_fn_arg_mut(input);
    }
}

fn is_said(ty: &TypeImplTrait, name: &str) -> bool {
    ty.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last();
            last.is_some_and(|last| last.ident == name)
        }
        TypeParamBound::Lifetime(lifetime) => lifetime.ident == name,
        _ => false,
    })
}
