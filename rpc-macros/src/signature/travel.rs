//! What no type on the wire can be, as far as its spelling tells.

use proc_macro2::Ident;
use syn::Type;

use super::NOT_GENERIC;
use crate::problems::Problems;
use crate::streams::stream;
use crate::types::associated;

const STREAM_ALONE: &str = "a stream stands alone: make it a parameter, or what the method or its \
                            `Result` gives";

/// What holds for parameters and results alike. False if there is no need to look deeper.
pub(super) fn check_type(ty: &Type, known: &[Ident], problems: &mut Problems) -> bool {
    match ty {
        Type::ImplTrait(_) => {
            match stream(ty) {
                Some(stream) => problems.refuse(stream.token, STREAM_ALONE),
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
