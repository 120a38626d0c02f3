//! What no type on the wire can be, as far as its spelling tells.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{ReturnType, Type, TypeParamBound};

use super::NOT_GENERIC;
use crate::problems::Problems;
use crate::types::associated;

const STREAM_NOT_YET: &str =
    "streams are not there yet: give and take a `Vec`, or a page of it a call";

/// What holds for parameters and results alike. False if there is no need to look deeper.
pub(super) fn check_type(ty: &Type, known: &[Ident], problems: &mut Problems) -> bool {
    match ty {
        Type::ImplTrait(_) => {
            match stream(ty) {
                Some(token) => problems.refuse(token, STREAM_NOT_YET),
                None => problems.refuse(ty, NOT_GENERIC),
            }
            false
        }
        Type::Path(path) => {
            if let Some(segment) = associated(ty) {
                if !known.contains(&segment.ident) {
                    problems.refuse(
                        segment,
                        "there is no such associated type in this trait: those of other traits \
                         are not known here",
                    );
                }
                return false;
            }
            if let Some(qself) = &path.qself
                && matches!(&*qself.ty, Type::Path(inner) if inner.path.is_ident("Self"))
            {
                problems.refuse(
                    ty,
                    "write `Self::…`: this is how associated types are known here",
                );
                return false;
            }
            if path.path.is_ident("Self") {
                problems.refuse(ty, "the service itself cannot travel: name another type");
            }
            true
        }
        Type::Infer(_) => {
            problems.refuse(ty, "spell the type: it is part of the wire format");
            false
        }
        _ => true,
    }
}

/// The `Stream` of a method that returns one.
pub(super) fn stream_of(output: &ReturnType) -> Option<TokenStream> {
    match output {
        ReturnType::Type(_, ty) => stream(ty),
        ReturnType::Default => None,
    }
}

/// The `Stream` of `impl Stream<Item = T>`.
fn stream(ty: &Type) -> Option<TokenStream> {
    let Type::ImplTrait(ty) = ty else { return None };
    ty.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            (last.ident == "Stream").then(|| last.ident.to_token_stream())
        }
        _ => None,
    })
}
