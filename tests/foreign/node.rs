//! Node: the packages xmlrpc, jayson and json-rpc2.

use crate::service::{node_has, script};

/// Begins every script: the server's port, and what to say in every way.
const PRELUDE: &str = r#"
const assert = require("assert").strict;
const port = Number(process.argv[1]);
const texts = ["", "<&>", "a ]]> b", "&amp;", "é ß 中 😀", "  a \n\t b  ", "x".repeat(100000)];
const ada = { name: "Ada <&> Łukasz", age: 36, scores: [1, 2.5, -1e300] };
const older = { ...ada, age: 37 };
const done = () => console.log("all is well");
const failed = (error) => { console.error(error); process.exit(1); };
"#;

pub(crate) async fn node(package: &str, text: &str) {
    if node_has(package) {
        script("node", "-e", &format!("{PRELUDE}{text}")).await;
    }
}

/// It writes every whole number as `<int>`, `<int>-1e+300</int>` too, and strings in CDATA sections.
#[tokio::test]
async fn the_xmlrpc_package_of_node_calls() {
    let text = r#"
const client = require("xmlrpc").createClient({ host: "127.0.0.1", port, path: "/" });
const call = (method, ...params) => new Promise((resolve, reject) =>
  client.methodCall(method, params, (error, value) => error ? reject(error) : resolve(value)));
const code = (promise) => promise.then(
  (value) => { throw new Error(`no fault but ${value}`); }, (error) => error.faultCode ?? error);

(async () => {
  assert.equal(await call("add", 7, 3), 10);
  // It reads an <i8> as a string.
  assert.equal(Number(await call("add", 2 ** 40, 1)), 2 ** 40 + 1);
  assert.equal(await call("half", 1), 0.5);
  assert.equal(await call("half", 2e20), 1e20);
  assert.equal(await call("greet"), "Hello, world!");
  for (const text of texts) assert.equal(await call("echo", text), text);
  assert.equal(await call("size", Buffer.from([0, 1, 255])), 3);
  assert.deepEqual(await call("birthday", ada), older);
  assert.deepEqual(await call("names", [ada, older]), [ada.name, ada.name]);
  assert.deepEqual(await call("search", null, "Python"), ["none", "Python", "none"]);
  assert.equal(await call("nothing"), null);
  assert.equal(await code(call("divide", 1, 0)), 1);
  assert.equal(await code(call("ad", 1, 2)), -32601);
  assert.equal(await code(call("add", "x", 2)), -32602);
  const calls = ["add", "divide"].map((methodName) => ({ methodName, params: [1, 0] }));
  assert.deepEqual(await call("system.multicall", calls),
    [[1], { faultCode: 1, faultString: "division by zero" }]);
  const many = [...Array(50).keys()].map((n) => call("add", n, n));
  assert.deepEqual(await Promise.all(many), [...Array(50).keys()].map((n) => 2 * n));
})().then(done, failed);
"#;
    node("xmlrpc", text).await;
}

/// What jayson is asked over HTTP and over TCP; `client` and `old` come before it.
const JAYSON: &str = r#"
const call = (client, method, params, id) => new Promise((resolve, reject) =>
  client.request(method, params, id, (error, reply) => error ? reject(error) : resolve(reply)));
const result = async (method, params) => {
  const reply = await call(client, method, params);
  assert.equal(reply.error, undefined);
  return reply.result;
};
const code = async (method, params) => (await call(client, method, params)).error.code;

(async () => {
  assert.equal(await result("add", [7, 3]), 10);
  assert.equal(await result("add", { y: 3, x: 7 }), 10);
  assert.equal(await result("add", [2 ** 40, 1]), 2 ** 40 + 1);
  assert.equal(await result("half", [1]), 0.5);
  assert.equal(await result("greet", []), "Hello, world!");
  assert.equal(await result("greet", { name: "<&>" }), "Hello, <&>!");
  for (const text of [...texts, "\u0001\r"]) assert.equal(await result("echo", [text]), text);
  assert.deepEqual(await result("birthday", [ada]), older);
  assert.deepEqual(await result("names", [[ada, older]]), [ada.name, ada.name]);
  assert.deepEqual(await result("search", { last_name: "Python" }), ["none", "Python", "none"]);
  assert.equal(await result("nothing", []), null);
  const reply = await call(client, "divide", [1, 0]);
  assert.deepEqual(reply.error, { code: 1, message: "division by zero" });
  assert.equal(await code("ad", [1, 2]), -32601);
  assert.equal(await code("add", ["x", 2]), -32602);
  assert.equal(await code("add", [1]), -32602);
  assert.equal(await call(client, "add", [1, 2], null), undefined);
  assert.equal((await call(client, "add", [1, 2], 0)).id, 0);

  const batch = [
    client.request("add", [1, 2], "first", false),
    client.request("nothing", [], null, false),
    client.request("divide", [1, 0], 2, false),
  ];
  const replies = await new Promise((resolve, reject) =>
    client.request(batch, (error, replies) => error ? reject(error) : resolve(replies)));
  assert.equal(replies.length, 2);
  assert.equal(replies.find((reply) => reply.id === "first").result, 3);
  assert.equal(replies.find((reply) => reply.id === 2).error.code, 1);

  const reply1 = await call(old, "add", [7, 3]);
  assert.deepEqual([reply1.result, reply1.error, reply1.jsonrpc], [10, null, undefined]);
  assert.equal((await call(old, "divide", [1, 0])).error.code, 1);
  const many = [...Array(50).keys()].map((n) => result("add", [n, n]));
  assert.deepEqual(await Promise.all(many), [...Array(50).keys()].map((n) => 2 * n));
})().then(done, failed);
"#;

#[tokio::test]
async fn jayson_calls_over_http() {
    let clients = r#"
const { Client } = require("jayson");
const client = Client.http({ host: "127.0.0.1", port });
const old = Client.http({ host: "127.0.0.1", port, version: 1 });
"#;
    node("jayson", &format!("{clients}{JAYSON}")).await;
}

#[tokio::test]
async fn jayson_calls_over_tcp() {
    let clients = r#"
const { Client } = require("jayson");
const client = Client.tcp({ host: "127.0.0.1", port });
const old = Client.tcp({ host: "127.0.0.1", port, version: 1 });
"#;
    node("jayson", &format!("{clients}{JAYSON}")).await;
}

/// Over HTTP it says no content type; over TCP it puts nothing between its texts.
#[tokio::test]
async fn json_rpc2_calls_over_http_and_tcp() {
    let text = r#"
const client = require("json-rpc2").Client.$create(port, "127.0.0.1");
const call = (client, method, params) => new Promise((resolve, reject) =>
  client.call(method, params, (error, value) => error ? reject(error) : resolve(value)));
const code = (promise) => promise.then(
  (value) => { throw new Error(`no fault but ${value}`); }, (error) => error.code ?? error.message);

(async () => {
  const socket = await new Promise((resolve, reject) =>
    client.connectSocket((error, socket) => error ? reject(error) : resolve(socket)));
  assert.equal(await call(client, "add", { x: 7, y: 3 }), 10);
  for (const way of [client, socket]) {
    assert.equal(await call(way, "add", [7, 3]), 10);
    for (const text of texts) assert.equal(await call(way, "echo", [text]), text);
    assert.deepEqual(await call(way, "birthday", [ada]), older);
    assert.match(String(await code(call(way, "divide", [1, 0]))), /^1$|division by zero/);
    const many = [...Array(50).keys()].map((n) => call(way, "add", [n, n]));
    assert.deepEqual(await Promise.all(many), [...Array(50).keys()].map((n) => 2 * n));
  }
  process.stdout.write("all is well\n", () => process.exit(0));
})().catch(failed);
"#;
    node("json-rpc2", text).await;
}
