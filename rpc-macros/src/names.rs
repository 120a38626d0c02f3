//! Names on the wire: how they are spelled, and which two are one.

use syn::LitStr;

/// How `rename_all` spells the names of methods: the spellings of serde.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Spelling {
    #[default]
    AsWritten,
    Upper,
    Pascal,
    Camel,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Spelling {
    pub(crate) fn parse(text: &LitStr) -> syn::Result<Self> {
        Ok(match text.value().as_str() {
            // As in serde: Rust's own names are taken to be in snake_case already.
            "lowercase" | "snake_case" => Self::AsWritten,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            other => {
                return Err(syn::Error::new_spanned(
                    text,
                    format!(
                        "there is no spelling `{other}`: write `lowercase`, `UPPERCASE`, \
                         `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, \
                         `kebab-case` or `SCREAMING-KEBAB-CASE`"
                    ),
                ));
            }
        })
    }

    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Self::AsWritten => name.to_owned(),
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Pascal => name.split('_').map(capitalised).collect(),
            Self::Camel => {
                let pascal = Self::Pascal.apply(name);
                with_first(&pascal, |first| first.to_ascii_lowercase())
            }
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn capitalised(word: &str) -> String {
    with_first(word, |first| first.to_ascii_uppercase())
}

fn with_first(word: &str, change: impl Fn(char) -> char) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(change);
    first.into_iter().chain(letters).collect()
}

/// The hash by which native frames call a method; the same function as `farcall_core::method::hash`.
pub(crate) fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// The same identifier with other letters, until it is none of those in `taken`.
pub(crate) fn free(wanted: &str, taken: &str) -> String {
    let is_taken = |name: &str| {
        taken
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| word == name)
    };
    let mut name = wanted.to_owned();
    while is_taken(&name) {
        name.insert_str(0, "The");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_those_of_serde() {
        for (spelling, expect) in [
            ("lowercase", "last_name"),
            ("UPPERCASE", "LAST_NAME"),
            ("PascalCase", "LastName"),
            ("camelCase", "lastName"),
            ("snake_case", "last_name"),
            ("SCREAMING_SNAKE_CASE", "LAST_NAME"),
            ("kebab-case", "last-name"),
            ("SCREAMING-KEBAB-CASE", "LAST-NAME"),
        ] {
            let literal = LitStr::new(spelling, proc_macro2::Span::call_site());
            let spelling = Spelling::parse(&literal).unwrap();
            assert_eq!(spelling.apply("last_name"), expect);
        }
    }

    #[test]
    fn hashes_are_fnv_1a() {
        assert_eq!(hash(""), 0x811c_9dc5);
        assert_eq!(hash("foobar"), 0xbf9c_f968);
    }

    #[test]
    fn a_free_name_is_one_that_nobody_uses() {
        assert_eq!(free("S", "fn get(&self, s: Set)"), "S");
        assert_eq!(free("S", "fn get(&self, s: S)"), "TheS");
    }
}
