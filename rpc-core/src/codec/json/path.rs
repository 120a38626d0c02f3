//! Where in a value an error is, told by where it is in the text: nothing is kept for it while a
//! value is read.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use super::integers::string;
use crate::codec::place::member;
use crate::codec::scan::past;

/// A list or an object that is open.
enum Open<'a> {
    /// At the item of this index.
    List(usize),
    /// At the value of the member of this name, still in quotes; or at none.
    Object(Option<&'a str>),
}

/// The steps to the value that the byte `at` of `text`, which is JSON, belongs to: of a closing
/// bracket what it closes, of an opening one or a comma in a list the item behind it.
pub(super) fn path(text: &str, at: usize) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut name = "";
    let mut here = 0;
    while let Some(&byte) = bytes.get(here).filter(|_| here <= at) {
        let mut len = 1;
        match byte {
            b'[' => open.push(Open::List(0)),
            b'{' => open.push(Open::Object(None)),
            b']' | b'}' => {
                open.pop();
            }
            b',' => match open.last_mut() {
                Some(Open::List(index)) => *index = past(*index, 1),
                Some(Open::Object(member)) => *member = None,
                None => {}
            },
            b':' => {
                if let Some(Open::Object(member)) = open.last_mut() {
                    *member = Some(name);
                }
            }
            b'"' => {
                len = string(bytes.get(here..).unwrap_or_default());
                name = text.get(here..past(here, len)).unwrap_or_default();
            }
            _ => {}
        }
        here = past(here, len);
    }
    let steps = open.iter().filter_map(|open| match open {
        Open::List(index) => Some(format!("[{index}]")),
        Open::Object(None) => None,
        Open::Object(Some(name)) => {
            let name: String = serde_json::from_str(name).unwrap_or_default();
            Some(member(&name))
        }
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn every_byte_of_a_text_has_its_path() {
        let text = r#"[7,{"a,":[1, {"b":2}],"c\"":"x]"}]"#;
        for (upto, steps) in [
            ("[", "[0]"),
            ("[7", "[0]"),
            ("[7,", "[1]"),
            ("[7,{", "[1]"),
            (r#"[7,{"a,""#, "[1]"),
            (r#"[7,{"a,":"#, r#"[1]["a,"]"#),
            (r#"[7,{"a,":["#, r#"[1]["a,"][0]"#),
            (r#"[7,{"a,":[1, "#, r#"[1]["a,"][1]"#),
            (r#"[7,{"a,":[1, {"b":2"#, r#"[1]["a,"][1].b"#),
            (r#"[7,{"a,":[1, {"b":2}"#, r#"[1]["a,"][1]"#),
            (r#"[7,{"a,":[1, {"b":2}]"#, r#"[1]["a,"]"#),
            (r#"[7,{"a,":[1, {"b":2}],"#, "[1]"),
            (r#"[7,{"a,":[1, {"b":2}],"c\"":"x]""#, r#"[1]["c""]"#),
            (text, ""),
        ] {
            assert!(text.starts_with(upto), "{upto}");
            assert_eq!(path(text, upto.len() - 1).concat(), steps, "{upto}");
        }
    }
}
