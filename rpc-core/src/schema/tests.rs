//! The bounds of the look into a type; `tests/openrpc` has what is seen within them.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::{Value, json};

use super::{Definitions, NAMELESS, PLACES, of};

fn depth(value: &Value) -> usize {
    let inside = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + inside.unwrap_or_default()
}

static LOOKS: AtomicUsize = AtomicUsize::new(0);

/// Holds itself without a name in between.
struct Bush;

impl<'de> Deserialize<'de> for Bush {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LOOKS.fetch_add(1, Ordering::Relaxed);
        Vec::<(Self, Self, Self, Self)>::deserialize(deserializer).map(|_| Self)
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its schema is looked at")]
struct Garden {
    bush: Bush,
    last: i32,
}

#[test]
fn a_type_that_holds_itself_namelessly_is_described_to_a_bound() {
    let mut definitions = Definitions::default();
    of::<Garden>(&mut definitions);
    let garden = &definitions.finish()["Garden"];
    // Each look enters `Bush` once for each type on the way to the place.
    assert!(LOOKS.load(Ordering::Relaxed) <= PLACES * (NAMELESS + 1));
    assert!(depth(garden) <= 3 * NAMELESS, "{}", depth(garden));
    assert_eq!(garden["required"], json!(["bush", "last"]));
}

/// Claims to be an array that no memory holds.
struct Endless;

impl<'de> Deserialize<'de> for Endless {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Endlessly;

        impl<'de> Visitor<'de> for Endlessly {
            type Value = Endless;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("very many numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Endless, A::Error> {
                while seq.next_element::<(u8, Option<u8>)>()?.is_some() {}
                Ok(Endless)
            }
        }

        deserializer.deserialize_tuple(usize::MAX, Endlessly)
    }
}

/// Has no smallest value.
#[derive(Deserialize)]
#[allow(dead_code, reason = "only its schema is looked at")]
enum Bottomless {
    Down(Box<Self>),
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its schema is looked at")]
struct Holds<T> {
    first: T,
    last: i32,
}

#[test]
fn values_that_cannot_be_made_end_the_list_of_required_fields() {
    fn required<T: for<'de> Deserialize<'de>>() -> Value {
        let mut definitions = Definitions::default();
        of::<Holds<T>>(&mut definitions);
        definitions.finish()["Holds"]["required"].clone()
    }
    assert_eq!(required::<Endless>(), json!(["first"]));
    assert_eq!(required::<Bottomless>(), json!(["first"]));
    assert_eq!(required::<u64>(), json!(["first", "last"]));
}

#[test]
fn a_long_array_is_not_looked_into() {
    let schema = of::<Endless>(&mut Definitions::default());
    let long = json!({"type": "array", "minItems": usize::MAX, "maxItems": usize::MAX});
    assert_eq!(schema, long);
}

#[test]
fn names_are_made_fit_for_references() {
    #[derive(Deserialize)]
    #[serde(rename = "a/b ~1")]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Named {
        x: i32,
    }
    let mut definitions = Definitions::default();
    let schema = of::<Named>(&mut definitions);
    assert_eq!(schema["$ref"], "#/components/schemas/a_b__1");
    assert!(definitions.finish().contains_key("a_b__1"));
}
