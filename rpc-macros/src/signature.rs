//! One method of a trait, read and checked.

mod param;
mod stream;
mod travel;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericParam, Lit, Meta, Receiver, ReceiverKind, ReturnType,
    Safety, Signature, TraitItemFn, Type, WherePredicate, parse_quote,
};

use self::param::params;
use self::stream::{RETURN_OWNED, check_method, given};
use self::travel::check_type;
use crate::model::{Method, Returns, Streamed, only};
use crate::parse::{TraitOptions, method_options};
use crate::problems::Problems;
use crate::streams;
use crate::types::{Form, arguments, bare, search};

/// Functions that the generated client has of its own.
const CLIENT_FUNCTIONS: [&str; 7] = [
    "new",
    "connect",
    "in_memory",
    "channel",
    "batch",
    "with_timeout",
    "with_metadata",
];

const REMOTE_IS_ASYNC: &str =
    "a remote method is `async fn` or returns a `Stream`: its caller waits for the network";
const NOT_GENERIC: &str =
    "a remote method cannot be generic: the server could not know which types were meant";

const SPELL_BOTH: &str =
    "spell both types, `Result<T, E>`: the client has to know the error as well";

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
    let params = params(function, &options.krate, known, problems);
    let returns = returns(&function.sig.output, known, problems);
    let gives = returns.stream.as_ref().map(|stream| &stream.token);
    check_method(
        &asked,
        gives,
        &params,
        &options.krate,
        options.encodings,
        problems,
    );
    let sent = params.iter().filter_map(|param| match &param.form {
        Form::Context => None,
        Form::Stream(item) => Some(item),
        _ => Some(&param.ty),
    });
    for ty in sent.chain([&returns.value]) {
        options.encodings.check(ty, problems);
    }
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
        awaited: function.sig.asyncness.is_some(),
        blocking: asked.blocking.is_some(),
        idempotent: asked.idempotent.is_some(),
        notify: asked.notify.is_some(),
        timeout_ms: asked.timeout_ms,
        named: asked.named.unwrap_or(options.named),
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
                "`{0}` is already a function of the generated client; pick another name, and give \
                 it `#[rpc(name = \"{0}\")]`",
                sig.ident
            ),
        );
    }
    if sig.asyncness.is_none() && !gives_stream(&sig.output) {
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

fn gives_stream(output: &ReturnType) -> bool {
    let mut found = false;
    if let ReturnType::Type(_, ty) = output {
        search(ty, &mut |ty| {
            found |= streams::stream(ty).is_some();
            true
        });
    }
    found
}

fn check_receiver(receiver: &Receiver, problems: &mut Problems) {
    if !matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
        problems.refuse(
            receiver,
            "take `&self`: many calls run on one service at the same time",
        );
    }
}

fn returns(output: &ReturnType, known: &[Ident], problems: &mut Problems) -> Returns {
    let ReturnType::Type(_, spelled) = output else {
        return Returns {
            value: parse_quote!(()),
            stream: None,
            error: None,
            spelled: None,
        };
    };
    let fallible = arguments(spelled, "Result");
    let (value, error) = match fallible.as_deref() {
        None => ((**spelled).clone(), None),
        Some([value, error]) => ((*value).clone(), Some((*error).clone())),
        Some(_) => {
            problems.refuse(spelled, SPELL_BOTH);
            ((**spelled).clone(), None)
        }
    };
    let check = |ty: &Type, problems: &mut Problems| {
        search(ty, &mut |ty| match ty {
            Type::Reference(_) => {
                problems.refuse(ty, RETURN_OWNED);
                false
            }
            _ => check_type(ty, known, problems),
        });
    };
    let Some(stream) = streams::stream(&value) else {
        check(spelled, problems);
        return Returns {
            value,
            stream: None,
            error,
            spelled: Some((**spelled).clone()),
        };
    };
    if let Some(error) = &error {
        check(error, problems);
    }
    let items = given(&stream, known, problems);
    let (item, item_error) = items.unwrap_or_else(|| (parse_quote!(()), None));
    Returns {
        value: item,
        stream: Some(Streamed {
            token: stream.token,
            error: item_error,
        }),
        error,
        spelled: Some((**spelled).clone()),
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
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
