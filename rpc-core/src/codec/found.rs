//! What was found where something else was expected: in words that do not repeat it.
//!
//! Errors travel, and are written into logs, and what a stranger sent, or a secret that came in the
//! wrong place, does not belong there. serde's own words show it.

/// serde's words about a value of another type, with its kind in the place of the value.
#[cfg(feature = "json")]
pub(crate) fn without_input(words: &str) -> String {
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some((before, rest)) = words.split_once(kind)
            && let Some((found, expected)) = rest.rsplit_once(", expected ")
        {
            return format!("{before}expected {expected}, found {}", kind_of(found));
        }
    }
    for (kind, what) in [
        ("unknown variant `", "variant"),
        ("unknown field `", "field"),
    ] {
        if let Some((before, rest)) = words.split_once(kind)
            && let Some((_, expected)) = rest.rsplit_once("`, expected ")
        {
            return format!("{before}there is no such {what}: expected {expected}");
        }
    }
    words.to_owned()
}

/// The kind of what serde shows as `found`.
pub(crate) fn kind_of(found: &str) -> &str {
    const KINDS: [(&str, &str); 8] = [
        ("map", "an object"),
        ("sequence", "a list"),
        ("byte array", "bytes"),
        ("string ", "a string"),
        ("character ", "a string"),
        ("integer ", "an integer"),
        ("floating point ", "a float"),
        ("boolean ", "a boolean"),
    ];
    let kind = KINDS
        .iter()
        .find(|(start, _)| match start.strip_suffix(' ') {
            Some(_) => found.starts_with(start),
            None => found == *start,
        });
    kind.map_or(found, |(_, kind)| kind)
}
