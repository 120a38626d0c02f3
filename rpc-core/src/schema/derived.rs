//! The schemas of types that derive schemars' `JsonSchema`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::{Definitions, Describe, Of};

/// The generator, with the definitions it made.
pub(super) struct Derived(SchemaGenerator);

impl Default for Derived {
    fn default() -> Self {
        let settings = SchemaSettings::draft07().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self(settings.into_generator())
    }
}

impl Derived {
    pub(super) fn finish(mut self) -> impl Iterator<Item = (String, Value)> {
        self.0.take_definitions(true).into_iter()
    }
}

/// Describes `T` by its own words.
fn derived<T: JsonSchema>(definitions: &mut Definitions) -> Value {
    let generator = &mut definitions.derived.0;
    let mut schema = generator.subschema_for::<T>();
    // The generator does this to whole documents only.
    for transform in generator.transforms_mut() {
        transform.transform(&mut schema);
    }
    schema.to_value()
}

impl<T: JsonSchema> Of<T> {
    #[doc(hidden)]
    pub const DESCRIBE: Describe = derived::<T>;
}
