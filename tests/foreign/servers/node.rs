//! Node: jayson over HTTP and over TCP, and the package xmlrpc.

use farcall::types::Value;

use super::{StrangeClient, call_everything, call_in_batches, failure, fault, nested, start};
use crate::service::{PATIENCE, node_has};

/// What is served.
const SERVICE: &str = r#"
const divided = { code: 1, message: "division by zero", data: { x: 1 } };
const same = ([value]) => value;
const service = {
  add: ([x, y]) => x + y,
  half: ([x]) => x / 2,
  echo: same, bytes: same, moment: same, value: same,
  birthday: ([person]) => ({ ...person, age: person.age + 1, "unheard of": [{ of: 1 }] }),
  names: ([people]) => people.map((person) => person.name),
  nothing: () => null,
  "math.sum": ([numbers]) => numbers.reduce((x, y) => x + y, 0),
  text: ([number]) => String(number),
};
"#;

#[tokio::test]
async fn jayson_answers_over_http_and_tcp() {
    if !node_has("jayson") {
        return;
    }
    let script = format!(
        "{SERVICE}{}",
        r#"
const jayson = require("jayson");
const methods = { divide: ([x, y], done) => y === 0 ? done(divided) : done(null, Math.trunc(x / y)) };
for (const [name, method] of Object.entries(service))
  methods[name] = (params, done) => done(null, method(params));
const server = new jayson.Server(methods);
const http = server.http(), tcp = server.tcp();
http.listen(0, "127.0.0.1", () => tcp.listen(0, "127.0.0.1", () =>
  console.log(http.address().port, tcp.address().port)));
"#
    );
    let Some(server) = start("node", "-e", &script, &[]).await else {
        return;
    };
    for (way, port) in ["json+http", "json+tcp"].into_iter().zip(&server.ports) {
        let address = format!("{way}://127.0.0.1:{port}");
        let client = StrangeClient::connect(&address).await.unwrap();
        call_everything(&client).await;
        call_in_batches(&client).await;
        assert_eq!(client.add(1 << 40, 1).await.unwrap(), (1 << 40) + 1);
        assert_eq!(client.echo("\u{1}\r").await.unwrap(), "\u{1}\r");
        client.nothing().await.unwrap();
        client.nothing().notify().await.unwrap();
        let division = fault(client.divide(1, 0).await);
        assert_eq!((division.code, &*division.message), (1, "division by zero"));
        assert!(division.data.is_some());
        assert_eq!(fault(client.nobody().await).code, -32601);
        let late = client.add(7, 3).timeout(PATIENCE).await;
        assert_eq!(late.unwrap(), 10);
    }
}

/// It answers an unknown method with 404 and no fault, and cannot write an integer beyond 32 bits.
#[tokio::test]
async fn the_xmlrpc_package_of_node_answers() {
    if !node_has("xmlrpc") {
        return;
    }
    let script = format!(
        "{SERVICE}{}",
        r#"
const server = require("xmlrpc").createServer({ host: "127.0.0.1", port: 0 }, () =>
  console.log(server.httpServer.address().port));
for (const [name, method] of Object.entries(service))
  server.on(name, (error, params, done) => done(null, method(params)));
server.on("divide", (error, [x, y], done) => y === 0
  ? done({ faultCode: 1, faultString: "division by zero" }) : done(null, Math.trunc(x / y)));
"#
    );
    let Some(server) = start("node", "-e", &script, &[]).await else {
        return;
    };
    let address = format!("xml+http://127.0.0.1:{}/", server.ports[0]);
    let client = StrangeClient::connect(&address).await.unwrap();
    call_everything(&client).await;
    client.nothing().await.unwrap();
    assert_eq!(client.value(Value::Nil).await.unwrap(), Value::Nil);
    assert_eq!(&*client.bytes(b"\x00\xff").await.unwrap(), b"\x00\xff");
    let Value::Struct(members) = client.value(nested()).await.unwrap() else {
        panic!("a struct");
    };
    assert_eq!(members.len(), 3);
    let division = fault(client.divide(1, 0).await);
    assert_eq!((division.code, &*division.message), (1, "division by zero"));
    let unknown = failure(client.nobody().await);
    assert!(unknown.contains("404"), "{unknown}");
}
