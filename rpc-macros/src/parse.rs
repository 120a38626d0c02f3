//! Attributes to options. Knows what an option looks like, not whether it makes sense together
//! with the others: [`model`](crate::model) does.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Attribute, Expr, Ident, LitStr, Path, Token};

use crate::encodings::Encodings;
use crate::names::Spelling;
use crate::problems::Problems;

/// `#[farcall::service(…)]`
pub(crate) struct TraitOptions {
    pub(crate) krate: Path,
    pub(crate) namespace: Option<String>,
    pub(crate) spelling: Spelling,
    /// `params = "named"`
    pub(crate) named: bool,
    /// None but those that are named.
    pub(crate) encodings: Encodings,
}

/// `#[rpc(…)]` on a method.
#[derive(Default)]
pub(crate) struct MethodOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) blocking: Option<Ident>,
    pub(crate) idempotent: Option<Ident>,
    pub(crate) notify: Option<Ident>,
    pub(crate) timeout_ms: Option<u64>,
    /// `params = "named"` or `"positional"`; as the trait says if it is not there.
    pub(crate) named: Option<bool>,
}

/// `#[rpc(…)]` on a parameter.
#[derive(Default)]
pub(crate) struct ParamOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: Option<Fallback>,
}

/// What stands in for a parameter that is left out.
pub(crate) enum Fallback {
    /// `#[rpc(default)]`
    OfType,
    /// `#[rpc(default = expr)]`
    Value(Expr),
}

pub(crate) fn trait_options(tokens: TokenStream, problems: &mut Problems) -> TraitOptions {
    let mut options = TraitOptions {
        krate: syn::parse_quote!(::farcall),
        namespace: None,
        spelling: Spelling::default(),
        named: false,
        encodings: Encodings::default(),
    };
    let parser = syn::meta::parser(|meta| {
        match word(&meta).as_str() {
            "namespace" => options.namespace = Some(name(&meta)?.value()),
            "rename_all" => options.spelling = Spelling::parse(&meta.value()?.parse()?)?,
            "crate" => options.krate = meta.value()?.call(Path::parse_mod_style)?,
            "params" => options.named = named(&meta.value()?.parse()?)?,
            "encodings" => options.encodings = Encodings::parse(&meta.value()?.parse()?)?,
            other => {
                return Err(meta.error(format_args!(
                    "a service has no option `{other}`: there are `namespace`, `rename_all`, \
                     `params`, `encodings` and `crate`"
                )));
            }
        }
        Ok(())
    });
    if let Err(error) = parser.parse2(tokens) {
        problems.push(error);
    }
    options
}

pub(crate) fn method_options(
    attributes: &mut Vec<Attribute>,
    problems: &mut Problems,
) -> MethodOptions {
    let mut options = MethodOptions::default();
    take("rpc", attributes, problems, |meta| {
        match word(&meta).as_str() {
            "name" => options.name = Some(name(&meta)?),
            "alias" => options.aliases.push(name(&meta)?),
            "blocking" => options.blocking = meta.path.get_ident().cloned(),
            "idempotent" => options.idempotent = meta.path.get_ident().cloned(),
            "notify" => options.notify = meta.path.get_ident().cloned(),
            "timeout" => options.timeout_ms = Some(milliseconds(&meta.value()?.parse()?)?),
            "params" => options.named = Some(named(&meta.value()?.parse()?)?),
            other => {
                return Err(meta.error(format_args!(
                    "a method has no option `{other}`: there are `name`, `alias`, `idempotent`, \
                     `timeout`, `notify`, `params` and `blocking`"
                )));
            }
        }
        Ok(())
    });
    options
}

pub(crate) fn param_options(
    attributes: &mut Vec<Attribute>,
    problems: &mut Problems,
) -> ParamOptions {
    let mut options = ParamOptions::default();
    take("rpc", attributes, problems, |meta| {
        match word(&meta).as_str() {
            "name" => options.name = Some(name(&meta)?),
            "default" if meta.input.peek(Token![=]) => {
                options.default = Some(Fallback::Value(meta.value()?.parse()?));
            }
            "default" => options.default = Some(Fallback::OfType),
            other => {
                return Err(meta.error(format_args!(
                    "a parameter has no option `{other}`: there are `name` and `default`"
                )));
            }
        }
        Ok(())
    });
    options
}

/// Takes all attributes called `ours` out of `attributes`, and shows each option to `read`.
pub(crate) fn take(
    ours: &str,
    attributes: &mut Vec<Attribute>,
    problems: &mut Problems,
    mut read: impl FnMut(ParseNestedMeta) -> syn::Result<()>,
) {
    attributes.retain(|attribute| {
        let is_ours = attribute.path().is_ident(ours);
        if is_ours && let Err(error) = attribute.parse_nested_meta(&mut read) {
            problems.push(error);
        }
        !is_ours
    });
}

/// The option's word; a path of several is none of ours.
pub(crate) fn word(meta: &ParseNestedMeta) -> String {
    let ident = meta.path.get_ident();
    ident.map_or_else(|| "::".to_owned(), Ident::to_string)
}

fn name(meta: &ParseNestedMeta) -> syn::Result<LitStr> {
    let name: LitStr = meta.value()?.parse()?;
    let words = match name.value() {
        empty if empty.is_empty() => {
            "write at least one character: names are part of the wire format"
        }
        taken if taken.starts_with("rpc.") => {
            "pick another name: JSON-RPC keeps those that begin with `rpc.` for itself"
        }
        _ => return Ok(name),
    };
    Err(syn::Error::new_spanned(name, words))
}

/// True for names, false for a list.
fn named(text: &LitStr) -> syn::Result<bool> {
    match text.value().as_str() {
        "named" => Ok(true),
        "positional" => Ok(false),
        other => Err(syn::Error::new_spanned(
            text,
            format!(
                "parameters are not written `{other}`: write \"positional\", a list, or \"named\", \
                 an object (in JSON-RPC; the other protocols have lists only)"
            ),
        )),
    }
}

fn milliseconds(text: &LitStr) -> syn::Result<u64> {
    let value = text.value();
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &value[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let number = digits.parse::<u64>().ok().filter(|&number| number > 0);
    number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| {
            syn::Error::new_spanned(
                text,
                "write a time as a whole number of `ms`, `s`, `m` or `h`, like \"50ms\"",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_number_and_a_unit() {
        let ms = |text| milliseconds(&LitStr::new(text, proc_macro2::Span::call_site())).ok();
        assert_eq!(ms("50ms"), Some(50));
        assert_eq!(ms("5s"), Some(5_000));
        assert_eq!(ms("2m"), Some(120_000));
        assert_eq!(ms("1h"), Some(3_600_000));
        for wrong in [
            "",
            "5",
            "s",
            "0s",
            "1.5s",
            "-1s",
            "5 s",
            "99999999999999999h",
        ] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
    }
}
