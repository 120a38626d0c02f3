//! `#[derive(Fault)]`: an error type to a fault and back, by code.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, ExprUnary, Fields, GenericParam, Lit, Path, UnOp,
    parse_quote,
};

use crate::parse::{take, word};
use crate::problems::Problems;
use crate::types::tuple;

const GIVE_A_CODE: &str = "give it a code, `#[fault(code = 1)]`: codes are part of the wire format";
const RESERVED: std::ops::RangeInclusive<i32> = -32768..=-32000;

/// The expansion of `#[derive(Fault)]`.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let (krate, kinds) = read(item.clone(), &mut problems);
    // Also where there were mistakes: whoever uses the type shall not hear of them again.
    let the_impl = expand(&krate, item, &kinds);
    quote!(#the_impl #problems)
}

/// One kind of error: a variant, or the struct.
struct Kind {
    /// `Self::NotFound`
    path: TokenStream,
    code: i32,
    /// What it means, without values.
    meaning: String,
    fields: Vec<Field>,
    /// How its fields are written: `{ id, }`, `(_0, )` or nothing.
    pattern: TokenStream,
}

struct Field {
    local: Ident,
    name: String,
}

fn read(mut item: DeriveInput, problems: &mut Problems) -> (Path, Vec<Kind>) {
    let (krate, own) = options(&mut item.attrs, problems);
    for param in &item.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            problems.refuse(
                lifetime,
                "own what is in it: the error is made anew on the other side",
            );
        }
    }
    let mut kinds = Vec::new();
    let mut codes = HashSet::new();
    let mut add = |path,
                   name: &Ident,
                   attributes: &[Attribute],
                   fields: &Fields,
                   code,
                   problems: &mut Problems| {
        let (code, token) = match code {
            Code::Is(code, token) => (code, token),
            Code::Missing => return problems.refuse(name, GIVE_A_CODE),
            Code::Refused => return,
        };
        if !codes.insert(code) {
            let words = format!("code {code} is taken: give each kind of error its own");
            problems.refuse(token, words);
        } else {
            kinds.push(kind(path, code, meaning(name, attributes), fields));
        }
    };
    match item.data {
        Data::Enum(data) => {
            if let Code::Is(_, token) = own {
                problems.refuse(token, "give each variant its code, not the enum");
            }
            for mut variant in data.variants {
                let (_, code) = options(&mut variant.attrs, problems);
                let ident = &variant.ident;
                add(
                    quote!(Self::#ident),
                    ident,
                    &variant.attrs,
                    &variant.fields,
                    code,
                    problems,
                );
            }
        }
        Data::Struct(data) => add(
            quote!(Self),
            &item.ident,
            &item.attrs,
            &data.fields,
            own,
            problems,
        ),
        Data::Union(data) => problems.refuse(
            data.union_token,
            "a union cannot travel: make it an enum with a code on each variant",
        ),
    }
    (krate.unwrap_or_else(|| parse_quote!(::farcall)), kinds)
}

/// What thiserror's `#[error("…")]` says, else the name: `Display` says more, but of a value only.
fn meaning(name: &Ident, attributes: &[Attribute]) -> String {
    let words = attributes.iter().find_map(|attribute| {
        let tokens = &attribute.meta.require_list().ok()?.tokens;
        let is_error = attribute.path().is_ident("error");
        let first = tokens.clone().into_iter().next().filter(|_| is_error)?;
        syn::parse2::<syn::LitStr>(first.into()).ok()
    });
    words.map_or_else(|| name.unraw().to_string(), |words| words.value())
}

fn kind(path: TokenStream, code: i32, meaning: String, fields: &Fields) -> Kind {
    let named = matches!(fields, Fields::Named(_));
    let read = fields
        .iter()
        .enumerate()
        .map(|(at, field)| match &field.ident {
            Some(ident) => Field {
                local: ident.clone(),
                name: ident.unraw().to_string(),
            },
            None => Field {
                local: format_ident!("field_{at}", span = Span::mixed_site()),
                name: at.to_string(),
            },
        });
    let fields: Vec<_> = read.collect();
    let locals = fields.iter().map(|field| &field.local);
    let pattern = match (named, fields.is_empty()) {
        (true, _) => quote!({ #(#locals),* }),
        (false, false) => quote!((#(#locals),*)),
        (false, true) => quote!(),
    };
    Kind {
        path,
        code,
        meaning,
        fields,
        pattern,
    }
}

/// What `code = …` says.
enum Code {
    /// A code, with its tokens.
    Is(i32, TokenStream),
    Missing,
    /// Told to `Problems` already.
    Refused,
}

/// `#[fault(code = 1, crate = path)]`
fn options(attributes: &mut Vec<Attribute>, problems: &mut Problems) -> (Option<Path>, Code) {
    let before = problems.count();
    let (mut krate, mut code) = (None, Code::Missing);
    take("fault", attributes, problems, |meta| {
        match word(&meta).as_str() {
            "code" => {
                let value: Expr = meta.value()?.parse()?;
                code = Code::Is(number(&value)?, value.to_token_stream());
            }
            "crate" => krate = Some(meta.value()?.call(Path::parse_mod_style)?),
            other => {
                return Err(meta.error(format_args!(
                    "a fault has no option `{other}`: there are `code` and `crate`"
                )));
            }
        }
        Ok(())
    });
    if problems.count() > before {
        code = Code::Refused;
    }
    (krate, code)
}

fn number(value: &Expr) -> syn::Result<i32> {
    let refuse = |words: String| Err(syn::Error::new_spanned(value, words));
    let (digits, sign) = match value {
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => (&**expr, -1),
        _ => (value, 1),
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Int(digits),
        ..
    }) = digits
    else {
        return refuse("write the code as a number: codes are part of the wire format".to_owned());
    };
    let code = digits.base10_parse::<i64>()? * sign;
    match i32::try_from(code) {
        Ok(code) if RESERVED.contains(&code) => refuse(format!(
            "pick a code outside -32768..=-32000: {code} is reserved for the protocols themselves"
        )),
        Ok(code) => Ok(code),
        Err(_) => refuse(format!("pick a smaller code: {code} is no `i32`")),
    }
}

fn expand(krate: &Path, mut item: DeriveInput, kinds: &[Kind]) -> TokenStream {
    bound(krate, &mut item);
    let (impl_generics, types, clause) = item.generics.split_for_impl();
    let name = &item.ident;
    let encoding = Ident::new("encoding", Span::mixed_site());
    let fault = Ident::new("fault", Span::mixed_site());
    let written = kinds.iter().map(|kind| written(krate, kind, &encoding));
    let recognised = kinds.iter().map(|kind| recognised(kind, &fault));
    // A variant without a code was refused already, and an enum without variants has no value.
    let to_fault = match &item.data {
        Data::Enum(data) if data.variants.is_empty() => quote!(match *self {}),
        Data::Enum(data) if data.variants.len() != kinds.len() => quote! {
            match self { #(#written)* #[allow(unreachable_patterns)] _ => ::core::unreachable!() }
        },
        _ if kinds.is_empty() => quote!(::core::unreachable!()),
        _ => quote!(match self { #(#written)* }),
    };
    let described = kinds
        .iter()
        .map(|Kind { code, meaning, .. }| quote!((#code, #meaning)));
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::TypedFault for #name #types #clause {
            const KINDS: &'static [(i32, &'static str)] = &[#(#described),*];

            fn to_fault(&self, #encoding: #krate::Encoding) -> #krate::Fault {
                #to_fault
            }

            fn from_fault(#fault: &#krate::Fault) -> ::core::option::Option<Self> {
                match #fault.code {
                    #(#recognised)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}

/// What a generic error asks of its parameters.
fn bound(krate: &Path, item: &mut DeriveInput) {
    let params = item.generics.params.iter();
    let types: Vec<_> = params
        .filter_map(|param| match param {
            GenericParam::Type(ty) => Some(ty.ident.clone()),
            _ => None,
        })
        .collect();
    if types.is_empty() {
        return;
    }
    let clause = item.generics.make_where_clause();
    for ty in types {
        clause
            .predicates
            .push(parse_quote!(#ty: #krate::Wire + ::core::marker::Sync));
    }
    clause
        .predicates
        .push(parse_quote!(Self: ::core::fmt::Display));
}

/// `Self::NotFound { id } => Fault::new(2, …).with_data(encoding, &["id"], &(id,)),`
fn written(krate: &Path, kind: &Kind, encoding: &Ident) -> TokenStream {
    let Kind {
        path,
        code,
        fields,
        pattern,
        ..
    } = kind;
    let mut fault = quote!(#krate::Fault::new(#code, ::std::string::ToString::to_string(self)));
    if !fields.is_empty() {
        let names = fields.iter().map(|field| &field.name);
        let locals: Vec<_> = fields.iter().map(|field| &field.local).collect();
        let values = tuple(&locals);
        fault.extend(quote!(.with_data(#encoding, &[#(#names),*], &#values)));
    }
    quote!(#path #pattern => #fault,)
}

/// `2 => { let (id,) = fault.data.as_ref()?.decode(&["id"]).ok()?; Some(Self::NotFound { id }) }`
fn recognised(kind: &Kind, fault: &Ident) -> TokenStream {
    let Kind {
        path,
        code,
        fields,
        pattern,
        ..
    } = kind;
    let value = quote!(::core::option::Option::Some(#path #pattern));
    if fields.is_empty() {
        return quote!(#code => #value,);
    }
    let names = fields.iter().map(|field| &field.name);
    let locals: Vec<_> = fields.iter().map(|field| &field.local).collect();
    let values = tuple(&locals);
    quote! {
        #code => {
            let #values = #fault.data.as_ref()?.decode(&[#(#names),*]).ok()?;
            #value
        }
    }
}
