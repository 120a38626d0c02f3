//! The OpenRPC document: against the published meta-schema, and against what the server does.

#[cfg(feature = "schemars")]
mod derived;
mod odd;
mod schemas;
mod small;
mod streams;

use boon::{Compiler, Draft, Schemas};
use farcall::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

async fn serve(server: Server) -> String {
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap().to_string();
    tokio::spawn(listening.run());
    address
}

/// The answer to one call of JSON-RPC on the stream.
async fn call(address: &str, method: &str, params: Value) -> Value {
    let request = json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1});
    let mut io = BufReader::new(TcpStream::connect(address).await.unwrap());
    io.write_all(format!("{request}\n").as_bytes())
        .await
        .unwrap();
    let mut line = String::new();
    io.read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

async fn discover(address: &str) -> Value {
    call(address, "rpc.discover", json!([])).await["result"].take()
}

/// Head and body of what an HTTP request is answered.
async fn http(address: &str, request: String) -> (String, String) {
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// A meta-schema that ships with this test.
fn meta(text: &str) -> Value {
    let mut schema: Value = serde_json::from_str(text).unwrap();
    // It names itself or its neighbour here; both keep to draft 7.
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema
}

fn check(schemas: &[(&str, Value)], start: &str, value: &Value) -> Result<(), String> {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    compiler.enable_format_assertions();
    for (at, schema) in schemas {
        compiler.add_resource(at, schema.clone()).unwrap();
    }
    let mut compiled = Schemas::new();
    let start = match compiler.compile(start, &mut compiled) {
        Ok(start) => start,
        Err(error) => return Err(format!("{error:#}")),
    };
    let outcome = compiled.validate(value, start);
    outcome.map_err(|error| format!("{error:#}"))
}

/// Whether `document` is an OpenRPC document.
fn is_valid(document: &Value) -> Result<(), String> {
    let open_rpc = meta(include_str!("meta-schema/open-rpc.json"));
    let json_schema = meta(include_str!("meta-schema/json-schema.json"));
    let schemas = [
        ("https://meta.open-rpc.org/", open_rpc),
        ("https://meta.json-schema.tools/", json_schema),
    ];
    check(&schemas, "https://meta.open-rpc.org/", document)
}

/// Whether `value` is what the schema at this place of the document says.
fn fits(document: &Value, place: &str, value: &Value) -> Result<(), String> {
    let start = format!("https://here.example/document.json#{place}");
    let schemas = [("https://here.example/document.json", document.clone())];
    check(&schemas, &start, value)
}

/// The method of this name, and its place in the document.
fn method<'a>(document: &'a Value, name: &str) -> (&'a Value, String) {
    let methods = document["methods"].as_array().unwrap();
    let at = methods.iter().position(|method| method["name"] == name);
    let at = at.unwrap_or_else(|| panic!("there is no {name} in {document:#}"));
    (&methods[at], format!("/methods/{at}"))
}

/// The schema, or the definition that it refers to.
fn followed<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}
