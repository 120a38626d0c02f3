//! `encodings = "…"`: what the spelling of a type tells about the encodings it cannot travel in.
//!
//! Only what is known for sure is refused. A name can be an alias, and any type can have a serde
//! form of its own, so this looks into the language's and the standard library's types and into
//! nothing else.

use proc_macro2::Ident;
use syn::{GenericArgument, LitStr, PathArguments, PathSegment, Type};

use crate::problems::Problems;
use crate::types::bare;

/// The encodings that a trait has to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Encodings {
    bincode: bool,
    json: bool,
    xml: bool,
}

/// What a list of names may hold.
const NAMES: &str = "write some of `bincode`, `json` and `xml`, like \"json, xml\"";

/// Standard containers that are written as what is in them, whose first argument is no key.
const CONTAINERS: [&str; 12] = [
    "Option",
    "Vec",
    "VecDeque",
    "LinkedList",
    "BinaryHeap",
    "HashSet",
    "BTreeSet",
    "Box",
    "Rc",
    "Arc",
    "Cow",
    "Result",
];

/// Those of them that leave a key what it is.
const TRANSPARENT: [&str; 4] = ["Box", "Rc", "Arc", "Cow"];

const MAPS: [&str; 2] = ["HashMap", "BTreeMap"];

impl Encodings {
    pub(crate) fn parse(text: &LitStr) -> syn::Result<Self> {
        let mut found = Self::default();
        for name in text.value().split(',').map(str::trim) {
            let known = match name {
                "bincode" => &mut found.bincode,
                "json" => &mut found.json,
                "xml" => &mut found.xml,
                "" => {
                    let words = format!("an encoding without a name: {NAMES}");
                    return Err(syn::Error::new_spanned(text, words));
                }
                other => {
                    let words = format!("there is no encoding `{other}`: {NAMES}");
                    return Err(syn::Error::new_spanned(text, words));
                }
            };
            if std::mem::replace(known, true) {
                let words = format!("`{name}` is there twice: once is enough");
                return Err(syn::Error::new_spanned(text, words));
            }
        }
        Ok(found)
    }

    /// Refuses what is in `ty` and can travel in one of these never.
    pub(crate) fn check(self, ty: &Type, problems: &mut Problems) {
        match bare(ty) {
            Type::Reference(reference) => self.check(&reference.elem, problems),
            Type::Slice(slice) => self.check(&slice.elem, problems),
            Type::Array(array) => self.check(&array.elem, problems),
            Type::Tuple(tuple) => {
                for member in &tuple.elems {
                    self.check(member, problems);
                }
            }
            Type::Path(path) if path.qself.is_none() => {
                let segments = &path.path.segments;
                if segments
                    .first()
                    .is_some_and(|first| first.ident == "serde_json")
                {
                    self.check_json_type(ty, segments.last(), problems);
                } else if let Some(last) = segments.last() {
                    self.check_container(last, problems);
                }
            }
            _ => {}
        }
    }

    /// Refuses a stream, which `token` names, where a protocol has none.
    pub(crate) fn check_stream(self, token: &Ident, problems: &mut Problems) {
        if self.xml {
            problems.refuse(
                token,
                "XML-RPC carries no streams: give and take a `Vec`, or leave xml out of `encodings`",
            );
        }
    }

    fn check_container(self, container: &PathSegment, problems: &mut Problems) {
        let is_one = |names: &[&str]| names.iter().any(|name| container.ident == name);
        let is_map = is_one(&MAPS);
        if !is_map && !is_one(&CONTAINERS) {
            return;
        }
        let inside = inside(container);
        if let (true, Some(&key)) = (is_map, inside.first()) {
            self.check_key(key, problems);
        }
        for ty in inside {
            self.check(ty, problems);
        }
    }

    /// Refuses a key that is no text in an encoding whose maps have names.
    fn check_key(self, key: &Type, problems: &mut Problems) {
        let Some(textual) = self.textual() else {
            return;
        };
        if let Some(what) = without_text(key) {
            problems.refuse(
                key,
                format_args!(
                    "the keys of a map are text in {textual}, and {what} has none: send a `Vec` of \
                     pairs, or leave {textual} out of `encodings`"
                ),
            );
        }
    }

    /// The encodings whose maps have text for keys.
    fn textual(self) -> Option<&'static str> {
        match (self.json, self.xml) {
            (true, true) => Some("json and xml"),
            (true, false) => Some("json"),
            (false, true) => Some("xml"),
            (false, false) => None,
        }
    }

    /// Refuses serde_json's own types where they cannot be read back.
    fn check_json_type(self, ty: &Type, last: Option<&PathSegment>, problems: &mut Problems) {
        let is = |name: &str| last.is_some_and(|last| last.ident == name);
        if self.bincode && (is("Value") || is("Map") || is("Number")) {
            problems.refuse(
                ty,
                "bincode does not say what comes next, and this type has to ask: name a type of \
                 your own, send its text as a `String`, or leave bincode out of `encodings`",
            );
        }
        let others = match (self.bincode, self.xml) {
            (true, true) => "bincode and xml",
            (true, false) => "bincode",
            (false, true) => "xml",
            (false, false) => return,
        };
        if is("RawValue") {
            problems.refuse(
                ty,
                format_args!(
                    "this is JSON as it came, which {others} cannot carry: name a type of your own, \
                     send its text as a `String`, or leave {others} out of `encodings`"
                ),
            );
        }
    }
}

/// The types that `segment` is given.
fn inside(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// What `key` is, if that has no text to be a name.
fn without_text(key: &Type) -> Option<&'static str> {
    let path = match bare(key) {
        Type::Tuple(tuple) if tuple.elems.is_empty() => return Some("`()`"),
        Type::Tuple(_) => return Some("a tuple"),
        Type::Array(_) | Type::Slice(_) => return Some("a list"),
        Type::Reference(reference) => return without_text(&reference.elem),
        Type::Path(path) if path.qself.is_none() => path,
        _ => return None,
    };
    let last = path.path.segments.last()?;
    if TRANSPARENT.iter().any(|name| last.ident == name) {
        return without_text(inside(last).first()?);
    }
    match last.ident.to_string().as_str() {
        "Option" => Some("a `None`"),
        "f32" | "f64" => Some("a float"),
        "HashMap" | "BTreeMap" => Some("a map"),
        "Vec" | "VecDeque" | "LinkedList" | "BinaryHeap" | "HashSet" | "BTreeSet" => Some("a list"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::parse_quote;

    use super::*;

    fn refused(encodings: &str, ty: &Type) -> bool {
        let text = LitStr::new(encodings, proc_macro2::Span::call_site());
        let mut problems = Problems::default();
        Encodings::parse(&text).unwrap().check(ty, &mut problems);
        assert!(problems.count() <= 1, "{}", ty.to_token_stream());
        problems.count() > 0
    }

    #[test]
    fn keys_without_text_are_refused_wherever_they_are() {
        let types: [Type; 12] = [
            parse_quote!(HashMap<(u8, u8), String>),
            parse_quote!(std::collections::BTreeMap<Vec<u8>, String>),
            parse_quote!(Option<Vec<HashMap<[u8; 4], String>>>),
            parse_quote!((u8, [BTreeMap<(), u8>; 3])),
            parse_quote!(&HashMap<Option<u8>, u8>),
            parse_quote!(HashMap<String, HashMap<Box<(u8, u8)>, u8>>),
            parse_quote!(&[BTreeMap<BTreeSet<u8>, u8>]),
            parse_quote!(Result<HashMap<&[u8], u8>, u8>),
            parse_quote!(Cow<'_, BTreeMap<BTreeMap<u8, u8>, u8>>),
            parse_quote!(HashMap<f64, u8>),
            parse_quote!((HashMap<((u8), u8), u8>)),
            parse_quote!(HashMap<std::sync::Arc<[u8]>, u8>),
        ];
        for ty in types {
            for encodings in ["json", "xml", "bincode, json,xml"] {
                assert!(refused(encodings, &ty), "{}", ty.to_token_stream());
            }
            assert!(!refused("bincode", &ty), "{}", ty.to_token_stream());
        }
    }

    #[test]
    fn what_is_not_known_for_sure_is_let_through() {
        let types: [Type; 8] = [
            parse_quote!(HashMap<String, Vec<(u8, u8)>>),
            parse_quote!(BTreeMap<u64, u128>),
            parse_quote!(HashMap<Point, u8>),
            parse_quote!(Pairs<HashMap<(u8, u8), u8>>),
            parse_quote!(Value),
            parse_quote!(Self::Item),
            parse_quote!(<T as Keyed>::Map<(u8, u8)>),
            parse_quote!(HashMap<Box<str>, &'static str>),
        ];
        for ty in types {
            let all = "bincode, json, xml";
            assert!(!refused(all, &ty), "{}", ty.to_token_stream());
        }
    }

    #[test]
    fn what_only_json_can_say_is_refused_in_the_others() {
        let value: Type = parse_quote!(Vec<serde_json::Value>);
        assert!(refused("bincode", &value));
        assert!(!refused("json, xml", &value));
        let raw: Type = parse_quote!(Option<Box<serde_json::value::RawValue>>);
        assert!(refused("bincode", &raw) && refused("xml, json", &raw));
        assert!(!refused("json", &raw));
    }
}
