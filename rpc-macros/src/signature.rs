//! One method of a trait, read and checked.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericParam, Lit, Meta, Pat, PatType, Receiver, ReceiverKind,
    ReturnType, Safety, Signature, TraitItemFn, Type, TypeParamBound, WherePredicate, parse_quote,
};

use crate::model::{Method, Param, Returns, only};
use crate::parse::{TraitOptions, method_options, param_options};
use crate::problems::Problems;
use crate::types::{Form, arguments, associated, search};

/// As many as there are tuples for in `farcall::params`.
const PARAMS_MAX: usize = 16;

/// Functions that the generated client has of its own.
const CLIENT_FUNCTIONS: [&str; 4] = ["new", "connect", "in_memory", "channel"];

const REMOTE_IS_ASYNC: &str =
    "a remote method is `async fn` or returns a `Stream`: its caller waits for the network";
const NOT_GENERIC: &str =
    "a remote method cannot be generic: the server could not know which types were meant";
const STREAM_NOT_YET: &str =
    "streams are not there yet: give and take a `Vec`, or a page of it a call";
const NAME_IT: &str = "give the argument a name: names are part of the wire format";

/// Takes our attributes out of `function`, and gives what it is as a method, with the tokens that
/// name it. Nothing if there is anything wrong with it.
pub(crate) fn read(
    function: &mut TraitItemFn,
    options: &TraitOptions,
    known: &[Ident],
    problems: &mut Problems,
) -> Option<(Method, TokenStream)> {
    let before = problems.count();
    let asked = method_options(&mut function.attrs, problems);
    check_signature(&function.sig, problems);
    let params = params(function, known, problems);
    let returns = returns(&function.sig.output, known, problems);
    if let (Some(notify), Some(spelled)) = (&asked.notify, &returns.spelled)
        && !is_unit(spelled)
    {
        problems.refuse(
            spelled,
            format_args!("a `{notify}` method returns nothing: nobody waits for its answer"),
        );
    }
    if problems.count() > before {
        return None;
    }

    let ident = function.sig.ident.clone();
    let own = match &asked.name {
        Some(name) => name.value(),
        None => options.spelling.apply(&ident.unraw().to_string()),
    };
    let name = match &options.namespace {
        Some(namespace) => format!("{namespace}.{own}"),
        None => own,
    };
    let token = match &asked.name {
        Some(name) => name.to_token_stream(),
        None => ident.to_token_stream(),
    };
    let method = Method {
        ident,
        cfgs: only(&function.attrs, &["cfg"]),
        attributes: only(&function.attrs, &["doc", "allow", "expect", "deprecated"]),
        doc: doc(&function.attrs),
        name,
        aliases: asked.aliases,
        idempotent: asked.idempotent,
        notify: asked.notify.is_some(),
        timeout_ms: asked.timeout_ms,
        params,
        returns,
    };
    Some((method, token))
}

fn check_signature(sig: &Signature, problems: &mut Problems) {
    if CLIENT_FUNCTIONS.iter().any(|name| sig.ident == name) {
        problems.refuse(
            &sig.ident,
            format_args!(
                "`{}` is already a function of the generated client; pick another name",
                sig.ident
            ),
        );
    }
    if sig.asyncness.is_none() && stream_of(&sig.output).is_none() {
        problems.refuse(sig.fn_token, REMOTE_IS_ASYNC);
    }
    let special = [
        sig.constness.map(|token| token.to_token_stream()),
        match &sig.safety {
            Safety::Unsafe(token) => Some(token.to_token_stream()),
            _ => None,
        },
        sig.abi
            .as_ref()
            .map(|abi| abi.extern_token.to_token_stream()),
        sig.variadic.as_ref().map(ToTokens::to_token_stream),
    ];
    for token in special.into_iter().flatten() {
        problems.refuse(
            token,
            "a remote method is a plain `async fn`: its caller is elsewhere",
        );
    }
    for param in &sig.generics.params {
        if !matches!(param, GenericParam::Lifetime(_)) {
            problems.refuse(param, NOT_GENERIC);
        }
    }
    let predicates = sig
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    for predicate in predicates {
        if !matches!(predicate, WherePredicate::Lifetime(_)) {
            problems.refuse(
                predicate,
                "a remote method has no bounds of its own: write them on the trait",
            );
        }
    }
    match sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => check_receiver(receiver, problems),
        Some(argument) => problems.refuse(argument, "the first argument must be `&self`"),
        None => problems.refuse(&sig.ident, "the first argument must be `&self`"),
    }
}

fn check_receiver(receiver: &Receiver, problems: &mut Problems) {
    if !matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
        problems.refuse(
            receiver,
            "take `&self`: many calls run on one service at the same time",
        );
    }
}

fn params(function: &mut TraitItemFn, known: &[Ident], problems: &mut Problems) -> Vec<Param> {
    let has_body = function.default.is_some();
    let mut params: Vec<Param> = Vec::new();
    let mut on_wire = 0;
    for input in &mut function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let Some(param) = param(input, has_body, known, problems) else {
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
            on_wire += 1;
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
    let (form, optional) = Form::of(&input.ty);
    check_param_type(&input.ty, &form, optional, known, problems);
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

fn check_param_type(
    ty: &Type,
    form: &Form,
    optional: bool,
    known: &[Ident],
    problems: &mut Problems,
) {
    // How many references are understood from here on: the one that makes the form.
    let mut lent = usize::from(!matches!(form, Form::Value));
    let _ = optional;
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

fn returns(output: &ReturnType, known: &[Ident], problems: &mut Problems) -> Returns {
    let ReturnType::Type(_, spelled) = output else {
        return Returns {
            value: parse_quote!(()),
            error: None,
            spelled: None,
        };
    };
    let fallible = arguments(spelled, "Result");
    let (value, error) = match fallible.as_deref() {
        None => ((**spelled).clone(), None),
        Some([value, error]) => ((*value).clone(), Some((*error).clone())),
        Some(_) => {
            problems.refuse(
                spelled,
                "spell both types, `Result<T, E>`: the client has to know the error as well",
            );
            ((**spelled).clone(), None)
        }
    };
    search(spelled, &mut |ty| match ty {
        Type::Reference(_) => {
            problems.refuse(
                ty,
                "return an owned value: the client has nothing to borrow it from",
            );
            false
        }
        _ => check_type(ty, known, problems),
    });
    Returns {
        value,
        error,
        spelled: Some((**spelled).clone()),
    }
}

/// What holds for parameters and results alike. False if there is no need to look deeper.
fn check_type(ty: &Type, known: &[Ident], problems: &mut Problems) -> bool {
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

fn stream_of(output: &ReturnType) -> Option<TokenStream> {
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

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// The text of the doc comments, a line each.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    let lines: Vec<_> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}
