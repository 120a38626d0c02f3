//! A program that has only a socket and JSON reads streams, sends them, and gives calls up.

use farcall::{Server, Stream};
use futures_util::{StreamExt, stream};

use crate::service::{script_at, start};

#[farcall::service]
pub(crate) trait Numbers {
    /// 0, 1, 2… below `to`.
    fn count(&self, to: u64) -> impl Stream<Item = u64>;
    async fn total(&self, numbers: impl Stream<Item = u64>) -> u64;
    fn double(&self, numbers: impl Stream<Item = u64>) -> impl Stream<Item = u64>;
    /// Never answers.
    async fn wait(&self);
    async fn add(&self, x: u64, y: u64) -> u64;
}

pub(crate) struct Plain;

impl Numbers for Plain {
    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }
    async fn total(&self, numbers: impl Stream<Item = u64>) -> u64 {
        let total = |total, number| async move { total + number };
        numbers.fold(0, total).await
    }
    fn double(&self, numbers: impl Stream<Item = u64> + Send) -> impl Stream<Item = u64> {
        numbers.map(|number| number * 2)
    }
    async fn wait(&self) {
        std::future::pending().await
    }
    async fn add(&self, x: u64, y: u64) -> u64 {
        x + y
    }
}

const PROGRAM: &str = r#"
import json
import socket
import sys

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
lines = connection.makefile()

def send(method, params, id=None, **more):
    message = {"jsonrpc": "2.0", "method": method, "params": params, **more}
    if id is not None:
        message["id"] = id
    connection.sendall((json.dumps(message) + "\n").encode())

def read():
    return json.loads(lines.readline())

def answer(id):
    "The answer to `id`, and what came before it."
    before = []
    while (message := read()).get("id") != id:
        before.append(message)
    return message, before

# A whole stream.
send("count", [3], "a")
opened = read()
assert opened["id"] == "a", opened
number = opened["result"]
items = [read() for _ in range(4)]
assert [item["method"] for item in items] == ["count"] * 4, items
params = [item["params"] for item in items]
assert all(each.pop("subscription") == number for each in params), items
assert params == [{"result": 0}, {"result": 1}, {"result": 2}, {"end": True}], params

# One that ends when it is told to, while other calls go on.
send("count", {"to": 2**60}, 1)
number = read()["result"]
assert [read()["params"]["result"] for _ in range(1000)] == list(range(1000))
send("add", [7, 3], 2)
assert answer(2)[0]["result"] == 10
send("rpc.unsubscribe", [number], 3)
assert answer(3)[0]["result"] is True
send("rpc.unsubscribe", [number], 4)
gone, before = answer(4)
assert gone["error"]["code"] == -32602 and before == [], (gone, before)

# One that sends no more than it is asked for.
send("count", [2**60], 5, window=65)
number = read()["result"]
assert read()["params"]["result"] == 0
send("add", [7, 3], 6)
assert answer(6) == ({"jsonrpc": "2.0", "result": 10, "id": 6}, [])
send("rpc.credit", [number, 130])
assert [read()["params"]["result"] for _ in range(2)] == [1, 2]
send("rpc.unsubscribe", [number], 7)
assert answer(7)[0]["result"] is True

# What is sent, alone and with an answer to each.
send("total", [], "sum")
for item in range(100):
    send("rpc.item", ["sum", item])
send("rpc.end", ["sum"])
assert answer("sum")[0]["result"] == 4950
send("double", [], 8)
number = answer(8)[0]["result"]
for item in range(3):
    send("rpc.item", [8, item])
    while (message := read())["method"] != "double":
        assert message["method"] == "rpc.credit", message
    assert message["params"] == {"subscription": number, "result": 2 * item}, message
send("rpc.end", [8])
assert read()["params"] == {"subscription": number, "end": True}

# A call that is given up, and what is no stream.
send("wait", [], 9)
send("$/cancelRequest", {"id": 9})
assert answer(9)[0]["error"]["code"] == -32002
send("total", [], 10)
send("rpc.item", [10, "x"])
assert answer(10)[0]["error"]["code"] == -32602
send("add", [7, 3], 11)
assert answer(11)[0]["result"] == 10
print("all is well")
"#;

#[tokio::test]
async fn a_program_with_a_socket_subscribes_sends_and_cancels() {
    let port = start(Server::new().service(NumbersServer::new(Plain))).await;
    script_at(port, "python3", "-c", PROGRAM).await;
}
