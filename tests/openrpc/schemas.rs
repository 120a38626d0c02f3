//! What the schemas say about types that derive nothing but serde's traits.

use farcall::Server;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::odd::{Adjacent, Coded, Color, Everything, Flat, Full, Never, Tagged, Tree};
use super::{discover, followed, method, serve};

#[farcall::service]
trait Types {
    async fn color(&self, color: Option<Color>) {
        let _ = color;
    }
    async fn tree(&self, tree: Tree) {
        let _ = tree;
    }
    async fn everything(&self, everything: Everything) {
        let _ = everything;
    }
    async fn flat(&self, flat: Flat) {
        let _ = flat;
    }
    async fn coded(&self, coded: Coded) {
        let _ = coded;
    }
    async fn adjacent(&self, adjacent: Adjacent) {
        let _ = adjacent;
    }
    async fn full(&self, full: Full) {
        let _ = full;
    }
    async fn tagged(&self, tagged: Tagged) {
        let _ = tagged;
    }
    async fn bytes(&self, bytes: &[u8]) {
        let _ = bytes;
    }
    async fn never(&self, never: Never) {
        match never {}
    }
    async fn value(&self, value: Value) {
        let _ = value;
    }
    async fn lent(&self, lent: Lent<'_>) {
        let _ = lent;
    }
}

#[derive(Serialize, Deserialize)]
struct Lent<'a> {
    text: &'a str,
    bytes: &'a [u8],
    #[serde(borrow)]
    texts: Vec<&'a str>,
    last: u8,
}

struct Types1;
impl Types for Types1 {}

async fn schema(name: &str) -> (Value, Value) {
    let server = Server::new().service(TypesServer::new(Types1));
    let document = discover(&serve(server).await).await;
    let schema = method(&document, name).0["params"][0]["schema"].clone();
    (document, schema)
}

#[tokio::test]
async fn an_enum_of_units_lists_them_and_an_option_may_be_null() {
    let (document, schema) = schema("color").await;
    let reference = json!({"$ref": "#/components/schemas/Color"});
    assert_eq!(schema, json!({"anyOf": [reference, {"type": "null"}]}));
    assert_eq!(
        *followed(&document, &reference),
        json!({"type": "string", "enum": ["Red", "dark green"]})
    );
}

#[tokio::test]
async fn an_enum_that_holds_itself_is_described_once() {
    let (document, schema) = schema("tree").await;
    let tree = json!({"$ref": "#/components/schemas/Tree"});
    assert_eq!(schema, tree);
    let variants = followed(&document, &schema)["anyOf"].as_array().unwrap();
    assert_eq!(variants[0], json!({"type": "string", "enum": ["Nothing"]}));
    assert_eq!(
        variants[1],
        json!({
            "type": "object",
            "properties": {
                "Fork": {"type": "array", "items": tree, "minItems": 2, "maxItems": 2},
            },
            "required": ["Fork"],
            "additionalProperties": false,
        })
    );
    let named = &variants[3]["properties"]["Named"];
    assert_eq!(named["required"], json!(["name"]));
    assert_eq!(
        named["properties"]["tree"],
        json!({"anyOf": [tree, {"type": "null"}]})
    );
}

#[tokio::test]
async fn a_struct_has_its_members_and_says_which_must_be_there() {
    let (document, schema) = schema("everything").await;
    let everything = followed(&document, &schema);
    let properties = &everything["properties"];
    assert_eq!(properties["the id"], json!({"type": "integer"}));
    assert_eq!(properties["count"]["maximum"], 255);
    assert_eq!(
        *followed(&document, &properties["length"]),
        json!({"type": "number"})
    );
    assert_eq!(properties["letter"]["maxLength"], 1);
    assert_eq!(
        properties["pair"]["items"],
        json!([{"type": "boolean"}, {"type": "number"}])
    );
    assert_eq!(properties["triple"]["items"]["minimum"], -32768);
    assert_eq!(properties["triple"]["maxItems"], 3);
    assert_eq!(
        properties["long"],
        json!({"type": "array", "minItems": 32, "maxItems": 32})
    );
    let color = &properties["map"]["additionalProperties"];
    assert_eq!(followed(&document, color)["enum"][0], "Red");
    assert_eq!(properties["bytes"]["contentEncoding"], "base64");
    let duration = followed(&document, &properties["time"]);
    assert_eq!(duration["required"], json!(["secs", "nanos"]));
    let chain = &properties["chain"];
    let more = json!({"anyOf": [chain, {"type": "null"}]});
    assert_eq!(*followed(&document, chain), more);
    assert_eq!(
        everything["required"],
        json!([
            "the id", "length", "letter", "pair", "triple", "long", "map", "set", "bytes", "time",
            "unit", "bush", "chain"
        ])
    );
}

#[tokio::test]
async fn a_struct_with_others_flattened_into_it_is_an_object_of_anything() {
    let (document, schema) = schema("flat").await;
    // It reads a map: serde does not tell more.
    assert_eq!(*followed(&document, &schema), json!({"type": "object"}));
}

#[tokio::test]
async fn an_enum_with_its_tag_beside_it_needs_content_only_if_every_variant_has_some() {
    let (document, adjacent) = schema("adjacent").await;
    let adjacent = followed(&document, &adjacent);
    assert_eq!(adjacent["required"], json!(["t"]));
    assert_eq!(adjacent["properties"]["c"], json!({}));
    let tag = followed(&document, &adjacent["properties"]["t"]);
    assert_eq!(tag["enum"], json!(["One", "Two", "Three"]));
    let (document, full) = schema("full").await;
    assert_eq!(followed(&document, &full)["required"], json!(["t", "c"]));
    // With the tag inside, serde reads anything first and looks at it then.
    assert_eq!(schema("tagged").await.1, json!({}));
}

#[tokio::test]
async fn after_a_field_that_cannot_be_made_up_no_other_is_called_required() {
    let (document, schema) = schema("coded").await;
    let coded = followed(&document, &schema);
    assert_eq!(coded["properties"]["code"], json!({"type": "string"}));
    assert_eq!(coded["properties"]["last"]["type"], "integer");
    assert_eq!(coded["required"], json!(["first", "code"]));
}

#[tokio::test]
async fn bytes_are_base64_and_what_is_not_known_is_open() {
    let (_, bytes) = schema("bytes").await;
    assert_eq!(
        bytes,
        json!({"type": "string", "contentEncoding": "base64"})
    );
    let (_, value) = schema("value").await;
    #[cfg(not(feature = "schemars"))]
    assert_eq!(value, json!({}));
    #[cfg(feature = "schemars")]
    assert_eq!(value, json!(true));
    let (document, never) = schema("never").await;
    assert_eq!(*followed(&document, &never), json!({"not": {}}));
}

#[tokio::test]
async fn a_struct_that_borrows_is_described_as_one_that_owns() {
    let (document, schema) = schema("lent").await;
    let lent = followed(&document, &schema);
    assert_eq!(
        lent["properties"]["texts"]["items"],
        json!({"type": "string"})
    );
    assert_eq!(lent["required"], json!(["text", "bytes", "texts", "last"]));
}
