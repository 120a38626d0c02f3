//! What streams may be of, and which methods may have one.

use proc_macro2::Ident;
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{Lifetime, Path, Type};

use super::travel::check_type;
use crate::encodings::Encodings;
use crate::model::Param;
use crate::parse::MethodOptions;
use crate::problems::Problems;
use crate::streams::{Spelled, taken};
use crate::types::{Form, arguments, search};

pub(super) const RETURN_OWNED: &str =
    "return an owned value: the client has nothing to borrow it from";

/// The items of a stream that is given, and the error of each.
pub(super) fn given(
    spelled: &Spelled,
    known: &[Ident],
    problems: &mut Problems,
) -> Option<(Type, Option<Type>)> {
    let item = said(spelled, problems)?;
    let (value, error) = match arguments(item, "Result").as_deref() {
        None => (item.clone(), None),
        Some([value, error]) => ((*value).clone(), Some((*error).clone())),
        Some(_) => {
            problems.refuse(item, super::SPELL_BOTH);
            return None;
        }
    };
    check_owned(item, RETURN_OWNED, known, problems);
    Some((value, error))
}

/// The items of a stream that is taken.
pub(super) fn item_taken(
    spelled: &Spelled,
    known: &[Ident],
    problems: &mut Problems,
) -> Option<Type> {
    let item = said(spelled, problems)?;
    if arguments(item, "Result").is_some() {
        problems.refuse(
            item,
            "a caller's items cannot fail: send plain values, of an enum if some tell of a failure",
        );
        return None;
    }
    check_owned(
        item,
        "own what is in an item: the message it came in does not last",
        known,
        problems,
    );
    Some(item.clone())
}

fn said<'a>(spelled: &'a Spelled, problems: &mut Problems) -> Option<&'a Type> {
    if spelled.item.is_none() {
        problems.refuse(
            &spelled.token,
            "say what the items are, `impl Stream<Item = T>`: they are part of the wire format",
        );
    }
    spelled.item.as_ref()
}

fn check_owned(item: &Type, words: &str, known: &[Ident], problems: &mut Problems) {
    let before = problems.count();
    search(item, &mut |ty| match ty {
        Type::Reference(_) => {
            problems.refuse(ty, words);
            false
        }
        _ => check_type(ty, known, problems),
    });
    if let (true, Some(lifetime)) = (problems.count() == before, lifetime(item)) {
        problems.refuse(lifetime, words);
    }
}

/// A lifetime in `ty`, other than `'static`, that ties it to a message. That of a `Cow` does not: it
/// owns what it reads.
fn lifetime(ty: &Type) -> Option<Lifetime> {
    struct Search(Option<Lifetime>);

    impl VisitMut for Search {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            match arguments(ty, "Cow").as_deref() {
                Some(inside) => {
                    for ty in inside {
                        self.visit_type_mut(&mut (*ty).clone());
                    }
                }
                None => visit_type_mut(self, ty),
            }
        }

        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                self.0.get_or_insert_with(|| lifetime.clone());
            }
        }
    }

    let mut search = Search(None);
    search.visit_type_mut(&mut ty.clone());
    search.0
}

/// What a method with streams cannot be besides.
pub(super) fn check_method(
    asked: &MethodOptions,
    gives: Option<&Ident>,
    params: &[Param],
    krate: &Path,
    encodings: Encodings,
    problems: &mut Problems,
) {
    let takes: Vec<_> = params
        .iter()
        .filter(|param| matches!(param.form, Form::Stream(_)))
        .filter_map(|param| taken(&param.ty, krate))
        .map(|stream| stream.token)
        .collect();
    if let Some(second) = takes.get(1) {
        problems.refuse(
            second,
            "a remote method takes one stream: let the items be of an enum",
        );
    }
    if let (Some(blocking), Some(_)) = (&asked.blocking, gives.or_else(|| takes.first())) {
        problems.refuse(
            blocking,
            "a method with a stream is not `blocking`: it would hold its thread to the last item, \
             so pass the items on from a thread of your own",
        );
    }
    if let (Some(idempotent), Some(_)) = (&asked.idempotent, takes.first()) {
        problems.refuse(
            idempotent,
            "a method that takes a stream is not `idempotent`: items that are gone cannot be sent \
             again",
        );
    }
    if let (Some(notify), Some(token)) = (&asked.notify, takes.first()) {
        problems.refuse(
            token,
            format_args!("a `{notify}` method takes no stream: it is one message, without an end"),
        );
    }
    for token in gives.into_iter().chain(&takes) {
        encodings.check_stream(token, problems);
    }
    if gives.is_some() {
        for param in params {
            check_outlived(param, problems);
        }
    }
}

/// A stream is read when the message of its call is gone.
fn check_outlived(param: &Param, problems: &mut Problems) {
    let lent = match &param.form {
        Form::Value => &param.ty,
        Form::Slice(ty) | Form::Borrowed(ty) => ty,
        Form::Text | Form::Bytes | Form::Context | Form::Stream(_) => return,
    };
    if let Some(lifetime) = lifetime(lent) {
        problems.refuse(
            lifetime,
            "own what is in it: the stream that this method gives outlives the message of its call",
        );
    }
}
