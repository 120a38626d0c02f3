//! A Rust type in the words of JSON Schema (draft 7), asked of its own `Deserialize`.
//!
//! What is described is what is read: aliases are among the names of a struct, and a field with a
//! default is not required. What a type does not tell is left open, `{}`, as of untagged enums.
//! Types with a name are [`Definitions`], so a type may hold itself. With the feature `schemars`
//! a type that derives its `JsonSchema` is described by that.

#[cfg(feature = "schemars")]
mod derived;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::Deserialize;
use serde_json::{Map, Value, json};

use crate::shape::probe::{Named, Node, Sight, Step, look};
use crate::types;

/// Describes one type, and in the definitions those it mentions.
pub type Describe = fn(&mut Definitions) -> Value;

/// How deep a type is looked into.
const DEPTH: usize = 32;
/// How many types without a name in one another: readers of documents have limits too.
const NAMELESS: usize = 8;
/// How many places of a type are looked at.
const PLACES: usize = 2_000;
/// The longest tuple whose elements are looked at one by one.
const TUPLE: usize = 16;

/// The types that schemas refer to, as `#/components/schemas/…`.
///
/// ```
/// use farcall_core::schema::{Definitions, of};
///
/// #[derive(serde::Deserialize)]
/// struct Person { name: String, age: Option<u8> }
///
/// let mut definitions = Definitions::default();
/// assert_eq!(of::<Person>(&mut definitions)["$ref"], "#/components/schemas/Person");
/// let person = &definitions.finish()["Person"];
/// assert_eq!(person["properties"]["name"]["type"], "string");
/// assert_eq!(person["required"], serde_json::json!(["name"]));
/// ```
#[derive(Default)]
pub struct Definitions {
    schemas: BTreeMap<String, Value>,
    names: HashMap<Named, String>,
    taken: HashSet<String>,
    #[cfg(feature = "schemars")]
    derived: derived::Derived,
}

impl Definitions {
    /// The schemas by their names.
    #[must_use]
    pub fn finish(self) -> BTreeMap<String, Value> {
        let schemas = self.schemas;
        #[cfg(feature = "schemars")]
        let schemas = schemas.into_iter().chain(self.derived.finish()).collect();
        schemas
    }

    /// None, for a second round: the names that schemars gave in this one are taken there.
    pub(crate) fn again(self) -> Self {
        #[cfg(feature = "schemars")]
        let taken = self.derived.finish().map(|(name, _)| name).collect();
        #[cfg(not(feature = "schemars"))]
        let taken = HashSet::new();
        Self {
            taken,
            ..Self::default()
        }
    }

    /// A name for `named` that no other type has, in letters that need no escape in a reference.
    fn name(&mut self, named: &Named) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let plain = |c| if is_plain(c) { c } else { '_' };
        let base: String = named.name.chars().map(plain).collect();
        let mut name = base.clone();
        let mut count = 1;
        while !self.taken.insert(name.clone()) {
            count += 1;
            name = format!("{base}{count}");
        }
        self.names.insert(named.clone(), name.clone());
        name
    }
}

impl fmt::Debug for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Definitions").field(&self.schemas).finish()
    }
}

/// Describes `T` as far as its `Deserialize` tells.
///
/// ```
/// use farcall_core::schema::{Definitions, of};
///
/// let schema = of::<Vec<bool>>(&mut Definitions::default());
/// assert_eq!(schema, serde_json::json!({"type": "array", "items": {"type": "boolean"}}));
/// ```
pub fn of<'de, T: Deserialize<'de>>(definitions: &mut Definitions) -> Value {
    let mut tour = Tour {
        look: look::<T>,
        path: Vec::new(),
        nameless: 0,
        places: PLACES,
        definitions,
    };
    tour.here()
}

/// The [`Describe`] of a type: its own `JsonSchema` where it derives that and the feature
/// `schemars` is on, else [`of`].
///
/// ```
/// use farcall_core::{schema::{Definitions, Describe}, schema_of};
///
/// const DESCRIBE: Describe = schema_of!(bool);
/// assert_eq!(DESCRIBE(&mut Definitions::default())["type"], "boolean");
/// ```
#[macro_export]
macro_rules! schema_of {
    ($ty:ty) => {{
        #[allow(unused_imports)]
        use $crate::schema::Told as _;
        <$crate::schema::Of<$ty>>::DESCRIBE
    }};
}

/// Where [`schema_of`](crate::schema_of) looks: an associated constant of the type itself, for
/// those with a `JsonSchema`, comes before one of a trait, [`Told`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Of<T>(PhantomData<T>);

#[doc(hidden)]
pub trait Told {
    const DESCRIBE: Describe;
}

impl<'de, T: Deserialize<'de>> Told for Of<T> {
    const DESCRIBE: Describe = of::<T>;
}

/// A way through all places of a type.
struct Tour<'a> {
    look: fn(&[Step]) -> Sight,
    path: Vec<Step>,
    /// How many of them since the last type with a name.
    nameless: usize,
    /// How many more places are looked at.
    places: usize,
    definitions: &'a mut Definitions,
}

impl Tour<'_> {
    fn see(&mut self) -> Sight {
        let Some(places) = self.places.checked_sub(1) else {
            return Sight {
                nullable: false,
                node: Node::Anything,
            };
        };
        self.places = places;
        (self.look)(&self.path)
    }

    fn here(&mut self) -> Value {
        let Sight { nullable, node } = self.see();
        let schema = self.schema(node);
        if nullable { or_null(schema) } else { schema }
    }

    fn schema(&mut self, node: Node) -> Value {
        match node {
            Node::Nil => json!({"type": "null"}),
            Node::Boolean => json!({"type": "boolean"}),
            Node::Integer { least, most } => {
                let mut schema = Map::from_iter([("type".to_owned(), json!("integer"))]);
                schema.extend(least.map(|least| ("minimum".to_owned(), json!(least))));
                schema.extend(most.map(|most| ("maximum".to_owned(), json!(most))));
                schema.into()
            }
            Node::Double => json!({"type": "number"}),
            Node::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
            Node::Text => json!({"type": "string"}),
            Node::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Node::List => {
                let items = self.below(Step::Element(0));
                with_member(json!({"type": "array"}), "items", items)
            }
            Node::Map => {
                let values = self.below(Step::Value);
                with_member(json!({"type": "object"}), "additionalProperties", values)
            }
            Node::Tuple(len) => self.tuple(len),
            Node::Newtype(named) if named.name == types::DATE_TIME => {
                json!({"type": "string", "format": "date-time"})
            }
            Node::Newtype(named) if named.name == types::VALUE => json!({}),
            Node::Newtype(named) => self.define(&named, |this| this.below(Step::Inner)),
            Node::Struct(named, fields) => self.define(&named, |this| this.structure(fields)),
            Node::Enum(named, variants) => self.define(&named, |this| this.choice(variants)),
            _ => json!({}),
        }
    }

    /// The schema of what is one step on.
    fn below(&mut self, step: Step) -> Value {
        if self.path.len() >= DEPTH || self.nameless == NAMELESS {
            return json!({});
        }
        self.nameless += 1;
        self.path.push(step);
        let schema = self.here();
        self.path.pop();
        self.nameless -= 1;
        schema
    }

    /// A reference to `named`, described by `describe` if it was not yet.
    fn define(&mut self, named: &Named, describe: impl FnOnce(&mut Self) -> Value) -> Value {
        if named.name.is_empty() {
            return describe(self);
        }
        let name = match self.definitions.names.get(named) {
            Some(known) => known.clone(),
            None => {
                // The name first: the type may hold itself.
                let name = self.definitions.name(named);
                let outside = std::mem::take(&mut self.nameless);
                let schema = describe(self);
                self.nameless = outside;
                self.definitions.schemas.insert(name.clone(), schema);
                name
            }
        };
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    fn tuple(&mut self, len: usize) -> Value {
        let schema = json!({"type": "array", "minItems": len, "maxItems": len});
        if len > TUPLE {
            return schema;
        }
        let elements = (0..len).map(|at| self.below(Step::Element(at)));
        let mut items: Vec<_> = elements.collect();
        // An array looks like a tuple.
        let is_array = items.windows(2).all(|pair| pair.first() == pair.last());
        let items = match items.pop() {
            None => return schema,
            Some(any) if is_array => any,
            Some(last) => {
                items.push(last);
                items.into()
            }
        };
        with_member(schema, "items", items)
    }

    fn structure(&mut self, fields: &'static [&'static str]) -> Value {
        let members = fields.iter().map(|field| {
            let schema = self.below(Step::Field(field));
            ((*field).to_owned(), schema)
        });
        let properties: Map<_, _> = members.collect();
        let mut schema = json!({"type": "object"});
        if !properties.is_empty() {
            schema = with_member(schema, "properties", properties.into());
        }
        let required = self.required(fields);
        if !required.is_empty() {
            schema = with_member(schema, "required", required.into());
        }
        schema
    }

    /// The fields that must be there: those that the struct misses, one after the other, until it
    /// is whole. After a field whose value cannot be made, the others are not known.
    fn required(&mut self, fields: &[&'static str]) -> Vec<&'static str> {
        let mut required = Vec::new();
        while required.len() < fields.len() {
            self.path.push(Step::Given(required.clone()));
            let sight = self.see();
            self.path.pop();
            match sight.node {
                Node::Lacks(field) if fields.contains(&field) && !required.contains(&field) => {
                    required.push(field);
                }
                _ => break,
            }
        }
        if let [tag, _content] = *required
            && fields.len() == 2
            && self.is_enough(tag)
        {
            required.truncate(1);
        }
        required
    }

    /// True if some name of a variant in `tag` makes the struct whole: it is an enum with its tag
    /// beside its content, and not every variant has some.
    fn is_enough(&mut self, tag: &'static str) -> bool {
        self.path.push(Step::Field(tag));
        let asked = self.see();
        self.path.pop();
        let Node::Enum(_, variants) = asked.node else {
            return false;
        };
        variants.iter().any(|variant| {
            self.path.push(Step::Tagged(tag, variant));
            let sight = self.see();
            self.path.pop();
            sight.node == Node::Whole
        })
    }

    fn choice(&mut self, variants: &'static [&'static str]) -> Value {
        let (mut units, mut others) = (Vec::new(), Vec::new());
        for name in variants {
            self.path.push(Step::Variant(name));
            match self.see().node {
                Node::UnitVariant => units.push(*name),
                Node::FullVariant => {
                    let content = self.below(Step::Content);
                    let properties = Map::from_iter([((*name).to_owned(), content)]);
                    others.push(json!({
                        "type": "object",
                        "properties": properties,
                        "required": [name],
                        "additionalProperties": false,
                    }));
                }
                _ => others.push(json!({})),
            }
            self.path.pop();
        }
        if !units.is_empty() {
            others.insert(0, json!({"type": "string", "enum": units}));
        }
        match <[Value; 1]>::try_from(others) {
            Ok([only]) => only,
            // There is no value of an enum without variants.
            Err(none) if none.is_empty() => json!({"not": {}}),
            Err(several) => json!({"anyOf": several}),
        }
    }
}

fn with_member(mut schema: Value, name: &str, member: Value) -> Value {
    let is_open = member.as_object().is_some_and(Map::is_empty);
    if let (Value::Object(schema), false) = (&mut schema, is_open) {
        schema.insert(name.to_owned(), member);
    }
    schema
}

/// The same, or null.
fn or_null(mut schema: Value) -> Value {
    let Value::Object(members) = &mut schema else {
        return schema;
    };
    if members.is_empty() {
        return schema;
    }
    match members.get_mut("type") {
        Some(kind) if kind == "null" => return schema,
        Some(kind) if kind.is_string() => {
            *kind = json!([kind, "null"]);
        }
        _ => return json!({"anyOf": [schema, {"type": "null"}]}),
    }
    schema
}

#[cfg(test)]
mod tests;
