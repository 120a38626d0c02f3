//! The OpenRPC document (<https://spec.open-rpc.org>) of a server's methods.
//!
//! It describes the services. `rpc.discover` itself and `system.*` are not in it: the first is known
//! to whoever reads this, the others say the same again in the words of XML-RPC. An alias is no
//! method of its own, as in `system.listMethods`, but the extension `x-aliases` of its method. The
//! extension `x-stream` tells the streams of a method.

use serde_json::{Value, json};

use super::Info;
use crate::method::{Method, Param};
use crate::schema::Definitions;

/// The method that gives the document; the name is the specification's.
pub(super) const NAME: &str = "rpc.discover";

/// The version of the specification.
const VERSION: &str = "1.3.2";

/// The document of `methods`, in their order.
pub(super) fn document(info: &Info, methods: &[&Method]) -> Value {
    // The first round finds the names that schemars gives, so that no other type takes one.
    let mut first = Definitions::default();
    described(methods, &mut first);
    let mut definitions = first.again();
    let methods = described(methods, &mut definitions);
    let mut about = json!({"title": info.title, "version": info.version});
    if let Some(words) = &info.description {
        set(&mut about, "description", json!(words));
    }
    let mut document = json!({"openrpc": VERSION, "info": about, "methods": methods});
    let schemas = definitions.finish();
    if !schemas.is_empty() {
        set(&mut document, "components", json!({"schemas": schemas}));
    }
    document
}

fn described(methods: &[&Method], definitions: &mut Definitions) -> Vec<Value> {
    let methods = methods.iter();
    methods
        .map(|method| describe(method, definitions))
        .collect()
}

fn describe(method: &Method, definitions: &mut Definitions) -> Value {
    let mut params: Vec<&Param> = method.params.iter().collect();
    // Required parameters come first. Where the trait has them in another order, positions would
    // not be what the document says: then only names are.
    let structure = if params.is_sorted_by_key(|param| !param.required) {
        "either"
    } else {
        params.sort_by_key(|param| !param.required);
        "by-name"
    };
    let params: Vec<_> = params
        .into_iter()
        .map(|param| {
            let schema = (param.schema)(definitions);
            json!({"name": param.name, "required": param.required, "schema": schema})
        })
        .collect();
    let mut described = json!({
        "name": method.name,
        "params": params,
        "paramStructure": structure,
    });
    if !method.doc.is_empty() {
        let summary = method.doc.split("\n\n").next().unwrap_or_default();
        let summary: Vec<_> = summary.lines().map(str::trim).collect();
        set(&mut described, "summary", json!(summary.join(" ")));
        set(&mut described, "description", json!(method.doc));
    }
    // A method without a result is a notification.
    if !method.notification {
        let schema = (method.result_schema)(definitions);
        let result = json!({"name": "result", "schema": schema});
        set(&mut described, "result", result);
    }
    let mut errors: Vec<Value> = Vec::new();
    for (code, message) in method.errors.iter().chain(method.item_errors) {
        let error = json!({"code": code, "message": message});
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    if !errors.is_empty() {
        set(&mut described, "errors", errors.into());
    }
    if method.has_streams() {
        set(&mut described, "x-stream", streams(method, definitions));
    }
    if !method.aliases.is_empty() {
        set(&mut described, "x-aliases", json!(method.aliases));
    }
    described
}

/// The specification has no word for streams: which way they go, and what an item of each is. The
/// result of a method that gives one is an item.
fn streams(method: &Method, definitions: &mut Definitions) -> Value {
    let mut streams = json!({"gives": method.gives_stream});
    if let Some(taken) = &method.takes_stream {
        let schema = (taken.schema)(definitions);
        let taken = json!({"name": taken.name, "schema": schema});
        set(&mut streams, "takes", taken);
    }
    streams
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}
