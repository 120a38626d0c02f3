//! Python: `SimpleXMLRPCServer` of the standard library, and jsonrpclib-pelix.

use std::collections::BTreeMap;

use farcall::types::Value;

use super::{
    IntrospectionClient, Running, StrangeClient, call_everything, call_in_batches, failure, fault,
    inner, nested, start,
};
use crate::service::TOOLS;

/// What is served.
const SERVICE: &str = r#"
import sys
def divide(x, y):
    return x // y
def birthday(person):
    return {**person, "age": person["age"] + 1, "unheard of": [{"of": 1}]}
def names(people):
    return tuple(person["name"] for person in people)
def add(x, y):
    """Returns x + y."""
    return x + y
def register(server):
    for function in add, divide, birthday, names:
        server.register_function(function)
    server.register_function(lambda x: x / 2, "half")
    for name in "echo", "bytes", "moment", "value":
        server.register_function(lambda value: value, name)
    server.register_function(lambda: None, "nothing")
    server.register_function(sum, "math.sum")
    server.register_function(str, "text")
def serve(server):
    print(server.server_address[1], flush=True)
    server.serve_forever()
"#;

/// `SimpleXMLRPCServer`: HTTP/1.0 and single-threaded, as it is; or HTTP/1.1 with threads.
const XML: &str = r#"
from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer
class Handler(SimpleXMLRPCRequestHandler):
    protocol_version = sys.argv[1]
class Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True
old = sys.argv[1] == "HTTP/1.0"
server = (SimpleXMLRPCServer if old else Server)(
    ("127.0.0.1", 0), Handler, allow_none=sys.argv[2] == "none")
server.register_introspection_functions()
server.register_multicall_functions()
register(server)
serve(server)
"#;

async fn xml(version: &str, none: &str) -> Option<Running> {
    let script = format!("{SERVICE}{XML}");
    start("python3", "-c", &script, &[version, none]).await
}

fn address(server: &Running, path: &str) -> String {
    format!("xml+http://127.0.0.1:{}{path}", server.ports[0])
}

#[tokio::test]
async fn pythons_xmlrpc_server_answers() {
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let Some(server) = xml(version, "").await else {
            return;
        };
        let client = StrangeClient::connect(&address(&server, "/RPC2"))
            .await
            .unwrap();
        call_everything(&client).await;
        call_in_batches(&client).await;
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(&*client.bytes(&bytes).await.unwrap(), &bytes[..]);
        let moment = "1998-07-17T14:08:55Z".parse().unwrap();
        assert_eq!(client.moment(moment).await.unwrap(), moment);
        assert_eq!(client.value(nested()).await.unwrap(), nested());
        // It reads 64 bits and writes 32.
        assert_eq!(client.text(1 << 40).await.unwrap(), "1099511627776");
        let beyond = fault(client.add(1 << 40, 1).await);
        assert!(beyond.message.contains("OverflowError"), "{beyond}");
        // Every fault of its is 1, and begins with the class of the exception.
        let division = fault(client.divide(1, 0).await);
        assert_eq!(division.code, 1);
        assert!(division.message.contains("ZeroDivisionError"), "{division}");
        let unknown = fault(client.nobody().await);
        assert_eq!(unknown.code, 1);
        assert!(unknown.message.contains("nobody"), "{unknown}");
        let none = fault(client.nothing().await);
        assert!(none.message.contains("cannot marshal None"), "{none}");
        // After all of those it goes on.
        assert_eq!(client.add(7, 3).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn pythons_xmlrpc_server_answers_none() {
    let Some(server) = xml("HTTP/1.1", "none").await else {
        return;
    };
    let client = StrangeClient::connect(&address(&server, "/"))
        .await
        .unwrap();
    client.nothing().await.unwrap();
    client.nothing().notify().await.unwrap();
    let nil = Value::Struct(BTreeMap::from([("nil".to_owned(), Value::Nil)]));
    assert_eq!(client.value(nil.clone()).await.unwrap(), nil);
}

#[tokio::test]
async fn pythons_xmlrpc_server_tells_of_itself() {
    let Some(server) = xml("HTTP/1.0", "").await else {
        return;
    };
    let system = IntrospectionClient::connect(&address(&server, "/RPC2"))
        .await
        .unwrap();
    let methods = system.list_methods().await.unwrap();
    assert!(methods.contains(&"math.sum".into()), "{methods:?}");
    assert_eq!(system.method_help("add").await.unwrap(), "Returns x + y.");
    assert_eq!(
        system.method_signature("add").await.unwrap(),
        Value::String("signatures not supported".into())
    );
    let calls = vec![inner("add", &[1, 2]), inner("divide", &[1, 0])];
    let answers = system.multicall(calls).await.unwrap();
    let [sum, Value::Struct(division)] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert_eq!(*sum, Value::Array(vec![Value::Integer(3)]));
    assert_eq!(division["faultCode"], Value::Integer(1));
}

#[tokio::test]
async fn what_http_answers_is_told_in_words() {
    let Some(server) = xml("HTTP/1.0", "").await else {
        return;
    };
    let nowhere = StrangeClient::connect(&address(&server, "/nowhere"))
        .await
        .unwrap();
    let words = failure(nowhere.add(7, 3).await);
    assert!(
        words.contains("404") && words.contains("No such page"),
        "{words}"
    );
    let json = format!("json+http://127.0.0.1:{}/", server.ports[0]);
    let json = StrangeClient::connect(&json).await.unwrap();
    let words = match json.add(7, 3).await {
        Err(error) => error.to_string(),
        Ok(sum) => panic!("an XML-RPC server answered {sum} to JSON"),
    };
    assert!(words.contains("JSON"), "{words}");
}

#[tokio::test]
async fn pelix_answers() {
    let program = format!("{TOOLS}/python/bin/python");
    let script = format!(
        "{SERVICE}
from jsonrpclib.SimpleJSONRPCServer import SimpleJSONRPCServer
server = SimpleJSONRPCServer(('127.0.0.1', 0))
register(server)
serve(server)
"
    );
    let Some(server) = start(&program, "-c", &script, &[]).await else {
        return;
    };
    let address = format!("json+http://127.0.0.1:{}/", server.ports[0]);
    let client = StrangeClient::connect(&address).await.unwrap();
    call_everything(&client).await;
    call_in_batches(&client).await;
    assert_eq!(client.add(1 << 40, 1).await.unwrap(), (1 << 40) + 1);
    assert_eq!(client.echo("\u{1}\r").await.unwrap(), "\u{1}\r");
    client.nothing().await.unwrap();
    client.nothing().notify().await.unwrap();
    assert_eq!(fault(client.nobody().await).code, -32601);
    // What went wrong it tells its log alone.
    assert_eq!(fault(client.divide(1, 0).await).code, -32603);
}
