//! Documents that nobody thought of, read here and by roxmltree: what is read in one step, because it
//! is written as most write it, means the same as the same thing in any other spelling, and nothing
//! is read that is not well-formed.

use std::collections::BTreeMap;

use farcall_core::encoding::Encoding;
use farcall_core::types::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use roxmltree::Node;
use serde::{Deserialize, Serialize};

/// What asks for its members by type and by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Typed {
    id: i64,
    name: String,
    score: f64,
    small: Option<i16>,
    yes: bool,
    tags: Vec<String>,
    inner: Option<Box<Self>>,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Form {
    Unit,
    Newtype(Option<f32>),
    Tuple(i32, String),
    Struct { x: u8 },
}

/// Text with all that matters to XML in it.
fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "a", "green", "12345678", "-7", " ", "\t", "\n", "\r", ">", "<", "&", "]]>", "é", "😀",
        "\"", "&amp;", "<!--",
    ];
    vec(select(pieces.to_vec()), 0..16).prop_map(|pieces| pieces.concat())
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Unit),
        proptest::option::of(any::<i16>()).prop_map(|n| Form::Newtype(n.map(f32::from))),
        (any::<i32>(), text()).prop_map(|(n, text)| Form::Tuple(n, text)),
        any::<u8>().prop_map(|x| Form::Struct { x }),
    ]
}

fn typed() -> impl Strategy<Value = Typed> {
    let flat = (
        any::<i64>(),
        text(),
        any::<i32>(),
        any::<Option<i16>>(),
        any::<bool>(),
        vec(text(), 0..4),
        form(),
    );
    let flat = flat.prop_map(|(id, name, score, small, yes, tags, form)| Typed {
        id,
        name,
        score: f64::from(score) / 8.0,
        small,
        yes,
        tags,
        inner: None,
        form,
    });
    flat.prop_recursive(3, 4, 1, |inner| {
        (inner.clone(), inner).prop_map(|(mut outer, inner)| {
            outer.inner = Some(Box::new(inner));
            outer
        })
    })
}

/// Writes `value` in a way that `choices` say, each as well-formed as the next.
struct Spelling<'a> {
    out: String,
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl Spelling<'_> {
    fn choice(&mut self, of: u8) -> u8 {
        self.choices.next().map_or(0, |choice| choice % of)
    }

    /// A tag, and what may stand before it where there is no text. Mostly as most write it.
    fn tag(&mut self, tag: &str) {
        let before = match self.choice(12) {
            0 => "\n  ",
            1 => "<!-- <value> -->",
            2 => "<?value?>",
            _ => "",
        };
        self.out.push_str(before);
        self.bare_tag(tag);
    }

    /// A tag right behind text.
    fn bare_tag(&mut self, tag: &str) {
        let end = match self.choice(12) {
            0 => " >",
            1 => "\n>",
            2 if !tag.starts_with('/') => " a='b&lt;'>",
            _ => ">",
        };
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push_str(end);
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match (c, self.choice(6)) {
                ('\r', _) | (_, 0) => self.out.push_str(&format!("&#{};", u32::from(c))),
                ('<', _) => self.out.push_str("&lt;"),
                ('&', _) => self.out.push_str("&amp;"),
                ('>', _) => self.out.push_str("&gt;"),
                ('a', 1) => self.out.push_str("<![CDATA[a]]>"),
                ('a', 2) => self.out.push_str("a<!-- -->"),
                _ => self.out.push(c),
            }
        }
    }

    fn scalar(&mut self, kind: &str, text: &str) {
        self.tag(kind);
        self.text(text);
        self.bare_tag(&format!("/{kind}"));
    }

    fn value(&mut self, value: &Value) {
        self.tag("value");
        match value {
            Value::Nil => {
                self.tag("nil");
                self.tag("/nil");
            }
            Value::Boolean(yes) => self.scalar("boolean", if *yes { "1" } else { "0" }),
            Value::Integer(n) => {
                let kind = ["int", "i4", "i8", "ex:i8"][usize::from(self.choice(3))];
                self.scalar(kind, &n.to_string());
            }
            Value::Double(n) => self.scalar("double", &n.to_string()),
            Value::String(text) => self.scalar("string", text),
            Value::Array(items) => {
                self.tag("array");
                self.tag("data");
                items.iter().for_each(|item| self.value(item));
                self.tag("/data");
                self.tag("/array");
            }
            Value::Struct(members) => {
                self.tag("struct");
                // In an order that is not the type's.
                for (name, member) in members {
                    self.tag("member");
                    self.scalar("name", name);
                    self.value(member);
                    self.tag("/member");
                }
                self.tag("/struct");
            }
            Value::DateTime(_) | Value::Bytes(_) => unreachable!("none is made here"),
        }
        self.tag("/value");
    }
}

fn spelled(value: &Value, choices: &[u8]) -> String {
    let mut spelling = Spelling {
        out: String::new(),
        choices: choices.iter().cycle(),
    };
    spelling.value(value);
    spelling.out
}

/// What roxmltree finds, if it finds XML and XML-RPC.
fn oracle(document: &str) -> Option<Value> {
    let document = roxmltree::Document::parse(document).ok()?;
    value(document.root_element())
}

fn value(element: Node<'_, '_>) -> Option<Value> {
    let (kind, texts) = children(element)?;
    let [kind] = kind[..] else {
        return kind.is_empty().then_some(Value::String(texts));
    };
    let (inside, text) = children(kind)?;
    Some(match kind.tag_name().name() {
        "nil" => Value::Nil,
        "boolean" => Value::Boolean(text.trim() == "1"),
        "int" | "i4" | "i8" => Value::Integer(text.trim().parse().ok()?),
        "double" => Value::Double(text.trim().parse().ok()?),
        "string" => Value::String(text),
        "array" => {
            let (items, _) = children(*inside.first()?)?;
            Value::Array(items.into_iter().map(value).collect::<Option<_>>()?)
        }
        "struct" => {
            let mut members = BTreeMap::new();
            for member in inside {
                let (parts, _) = children(member)?;
                let [name, member] = parts[..] else {
                    return None;
                };
                members.insert(children(name)?.1, value(member)?);
            }
            Value::Struct(members)
        }
        _ => return None,
    })
}

/// The elements in `element`, and its text.
fn children<'a, 'input>(element: Node<'a, 'input>) -> Option<(Vec<Node<'a, 'input>>, String)> {
    let elements = element.children().filter(Node::is_element).collect();
    let texts = element.children().filter(Node::is_text);
    Some((elements, texts.filter_map(|text| text.text()).collect()))
}

fn read<T: for<'de> Deserialize<'de>>(document: &str) -> Option<T> {
    Encoding::Xml.decode(document.as_bytes()).ok()
}

proptest! {
    #[test]
    fn a_typed_value_is_the_same_in_every_spelling(sent in typed(), choices in vec(any::<u8>(), 1..64)) {
        let mut plain = Vec::new();
        Encoding::Xml.encode(&sent, &mut plain).unwrap();
        let plain = String::from_utf8(plain).unwrap();
        prop_assert_eq!(read::<Typed>(&plain), Some(sent.clone()));

        let meant = oracle(&plain).unwrap();
        prop_assert_eq!(read::<Value>(&plain), Some(meant.clone()));
        let spelled = spelled(&meant, &choices);
        prop_assert_eq!(oracle(&spelled), Some(meant.clone()), "{}", spelled);
        prop_assert_eq!(read::<Value>(&spelled), Some(meant), "{}", spelled);
        prop_assert_eq!(read::<Typed>(&spelled), Some(sent), "{}", spelled);
    }

    /// With a piece taken out of a document and another put in its place.
    #[test]
    fn what_is_read_is_well_formed_and_means_what_others_find(
        sent in typed(),
        at in any::<prop::sample::Index>(),
        len in 0_usize..9,
        piece in select(vec![
            "", "<", ">", "&", "&lt;", "]]>", "é", "<!--", "-->", "x", "/", "1", "-", " ", "\u{1}",
            "<int>", "</int>", "<value>", "</value>", "</member>", "<member><name>id</name>",
        ]),
    ) {
        let mut text = Vec::new();
        Encoding::Xml.encode(&sent, &mut text).unwrap();
        let mut text = String::from_utf8(text).unwrap();
        let from = at.index(text.len());
        let to = (from + len).min(text.len());
        prop_assume!(text.is_char_boundary(from) && text.is_char_boundary(to));
        text.replace_range(from..to, piece);
        if let Some(found) = read::<Value>(&text) {
            prop_assert_eq!(Some(found), oracle(&text), "{}", text);
        }
        if read::<Typed>(&text).is_some() {
            let found = oracle(&text);
            prop_assert!(found.is_some(), "{}", text);
        }
    }
}
