//! The parameters of a method.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{FnArg, Pat, PatType, Path, TraitItemFn, Type, parse_quote};

use super::stream::item_taken;
use super::travel::check_type;
use crate::model::Param;
use crate::parse::param_options;
use crate::problems::Problems;
use crate::streams::taken;
use crate::types::{Form, search};

/// As many as there are tuples for in `farcall::params`.
const PARAMS_MAX: usize = 16;

const NAME_IT: &str = "give the argument a name: names are part of the wire format";

/// The parameters of `function`, without the attributes that are ours.
pub(super) fn params(
    function: &mut TraitItemFn,
    krate: &Path,
    known: &[Ident],
    problems: &mut Problems,
) -> Vec<Param> {
    let has_body = function.default.is_some();
    let mut params: Vec<Param> = Vec::new();
    let mut on_wire = 0;
    for input in &mut function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let Some(param) = param(input, has_body, krate, known, problems) else {
            continue;
        };
        if !matches!(param.form, Form::Context) {
            if params.iter().any(|other| other.name == param.name) {
                problems.refuse(
                    &param.ident,
                    format_args!(
                        "two parameters are called `{}`: rename one of them",
                        param.name
                    ),
                );
            }
            on_wire += usize::from(!matches!(param.form, Form::Stream(_)));
        }
        if on_wire == PARAMS_MAX + 1 {
            problems.refuse(
                &param.ident,
                "a remote method has at most 16 parameters: put some of them into a struct",
            );
        }
        params.push(param);
    }
    params
}

fn param(
    input: &mut PatType,
    has_body: bool,
    krate: &Path,
    known: &[Ident],
    problems: &mut Problems,
) -> Option<Param> {
    let before = problems.count();
    let asked = param_options(&mut input.attrs, problems);
    let ident = match &*input.pat {
        Pat::Ident(pattern) if pattern.subpat.is_none() && pattern.by_ref.is_none() => {
            Some(pattern.ident.clone())
        }
        pattern => {
            problems.refuse(pattern, NAME_IT);
            if !has_body {
                // Spares the trait an error of the compiler about the same pattern.
                *input.pat = parse_quote!(_);
            }
            None
        }
    };
    let stream = taken(&input.ty, krate);
    let (form, optional) = match &stream {
        Some(stream) => {
            let item = item_taken(stream, known, problems);
            (item.map_or(Form::Value, Form::Stream), false)
        }
        None => Form::of(&input.ty),
    };
    if stream.is_none() {
        check_param_type(&input.ty, &form, known, problems);
    } else if asked.default.is_some() {
        problems.refuse(
            &ident,
            "a stream has no default: a caller who has no items sends none",
        );
    }
    if let (Form::Context, true) = (&form, asked.default.is_some() || asked.name.is_some()) {
        problems.refuse(
            &ident,
            "the context is not on the wire: it has neither a name nor a default there",
        );
    }
    let ident = ident.filter(|_| problems.count() == before)?;
    let name = asked.name.map(|name| name.value());
    Some(Param {
        name: name.unwrap_or_else(|| ident.unraw().to_string()),
        ident,
        ty: (*input.ty).clone(),
        form,
        optional,
        default: asked.default,
    })
}

fn check_param_type(ty: &Type, form: &Form, known: &[Ident], problems: &mut Problems) {
    // How many references are understood from here on: the one that makes the form.
    let mut lent = usize::from(!matches!(form, Form::Value));
    search(ty, &mut |ty| match ty {
        Type::Reference(reference) => {
            if let Some(token) = &reference.mutability {
                problems.refuse(
                    token,
                    "a remote method cannot change its caller's values: return the new one",
                );
            } else if lent == 0 {
                problems.refuse(
                    ty,
                    "borrow the whole parameter, or own what is in it: the server has \
                         nothing of this type to lend",
                );
            } else if let Some(lifetime) = &reference.lifetime
                && lifetime.ident == "static"
            {
                problems.refuse(
                    lifetime,
                    "leave out `'static`: what the server lends lives as long as the call",
                );
            }
            lent = lent.saturating_sub(1);
            true
        }
        _ => check_type(ty, known, problems),
    });
}
