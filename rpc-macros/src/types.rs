//! The users' types, as each side of a call needs to see them.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{
    GenericArgument, Lifetime, Path, PathArguments, PathSegment, Type, TypePath, parse_quote,
};

/// How a parameter is spelled, as far as the macro acts on it.
pub(crate) enum Form {
    /// An owned value.
    Value,
    /// `&str`
    Text,
    /// `&[u8]`
    Bytes,
    /// `&[T]`
    Slice(Type),
    /// `&T`
    Borrowed(Type),
    /// `&Context`: not on the wire.
    Context,
    /// `impl Stream<Item = T>`: sent behind the parameters.
    Stream(Type),
}

impl Form {
    /// The form of `ty`, and whether it is in an `Option`.
    pub(crate) fn of(ty: &Type) -> (Self, bool) {
        match one_argument(ty, "Option") {
            Some(inner) => match Self::of_whole(inner) {
                Self::Context => (Self::Value, true),
                form => (form, true),
            },
            None => (Self::of_whole(ty), false),
        }
    }

    fn of_whole(ty: &Type) -> Self {
        let Type::Reference(reference) = bare(ty) else {
            return Self::Value;
        };
        match bare(&reference.elem) {
            Type::Path(path) if path.path.is_ident("str") => Self::Text,
            Type::Path(path) if is_context(&path.path) => Self::Context,
            Type::Slice(slice) => match bare(&slice.elem) {
                Type::Path(path) if path.path.is_ident("u8") => Self::Bytes,
                element => Self::Slice(element.clone()),
            },
            owned => Self::Borrowed(owned.clone()),
        }
    }
}

/// The type without the parentheses around it, also those nobody sees: a type that comes out of
/// somebody's `macro_rules!` has them.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

fn is_context(path: &Path) -> bool {
    path.segments
        .last()
        .is_some_and(|last| last.ident == "Context" && last.arguments.is_none())
}

/// The arguments of `ty` if it is a path that ends in `name`; none written are none given.
pub(crate) fn arguments<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(TypePath {
        qself: None, path, ..
    }) = bare(ty)
    else {
        return None;
    };
    let last = path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return Some(Vec::new());
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(types.collect())
}

fn one_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    match arguments(ty, name)?[..] {
        [only] => Some(only),
        _ => None,
    }
}

/// What `Self` and lifetimes become on one side of a call.
pub(crate) struct View<'a> {
    /// Stands for every lifetime but `'static`.
    pub(crate) lifetime: Lifetime,
    /// Stands for `Self::Item`.
    pub(crate) associated: &'a dyn Fn(&Ident) -> TokenStream,
}

impl View<'_> {
    pub(crate) fn see<T: Clone>(&self, node: &T, visit: fn(&mut Rewrite<'_>, &mut T)) -> T {
        let mut seen = node.clone();
        visit(&mut Rewrite(self), &mut seen);
        seen
    }

    pub(crate) fn ty(&self, ty: &Type) -> Type {
        self.see(ty, |rewrite, ty| rewrite.visit_type_mut(ty))
    }
}

/// Rewrites types in place.
pub(crate) struct Rewrite<'a>(&'a View<'a>);

impl VisitMut for Rewrite<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Reference(reference) = ty {
            reference.lifetime.get_or_insert_with(|| parse_quote!('_));
        }
        if let Some(segment) = associated(ty) {
            let tokens = (self.0.associated)(&segment.ident);
            *ty = Type::Verbatim(tokens);
        } else {
            visit_type_mut(self, ty);
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            lifetime.ident = self.0.lifetime.ident.clone();
        }
    }
}

/// `Item` of `Self::Item`.
pub(crate) fn associated(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(TypePath {
            qself: None, path, ..
        }) if path.segments.len() == 2 && path.segments[0].ident == "Self" => path.segments.last(),
        _ => None,
    }
}

/// Shows `visit` the type, and then the types in it unless that gives false.
pub(crate) fn search(ty: &Type, visit: &mut dyn FnMut(&Type) -> bool) {
    struct Search<'a>(&'a mut dyn FnMut(&Type) -> bool);

    impl VisitMut for Search<'_> {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if (self.0)(ty) {
                visit_type_mut(self, ty);
            }
        }
    }

    Search(visit).visit_type_mut(&mut ty.clone());
}

/// `(A, B,)`: a tuple of one has its comma.
pub(crate) fn tuple(members: &[impl ToTokens]) -> TokenStream {
    match members {
        [only] => quote!((#only,)),
        _ => quote!((#(#members),*)),
    }
}

/// True for types that surely travel: there is nothing in them but the language's own.
pub(crate) fn is_builtin(ty: &Type) -> bool {
    const BUILTIN: [&str; 22] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
        "u32", "u64", "u128", "usize", "str", "String", "Option", "Vec", "HashMap", "BTreeMap",
    ];
    let mut all = true;
    search(ty, &mut |ty| {
        if let Type::Path(path) = ty {
            let last = path.path.segments.last();
            all &= last.is_some_and(|last| BUILTIN.iter().any(|name| last.ident == name));
        }
        all
    });
    all
}

/// The same parenthesised tokens, the parentheses themselves somewhere else.
pub(crate) fn located(tokens: &TokenStream, span: Span) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|tree| match tree {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), group.stream());
            moved.set_span(group.span().located_at(span));
            TokenTree::Group(moved)
        }
        other => other,
    });
    moved.collect()
}

/// The same name somewhere else: what the compiler says about `local`, it says about the type in the
/// trait that is at `span`.
pub(crate) fn pointing_at(local: &Ident, span: Span) -> Ident {
    let mut local = local.clone();
    local.set_span(local.span().located_at(span));
    local
}
