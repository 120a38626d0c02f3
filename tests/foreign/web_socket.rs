//! WebSockets: Python's websockets and Node's ws.

use crate::node::node;
use crate::service::{TOOLS, script};

/// It offers to compress, and answers pings by itself. Its messages go out in fragments if they are
/// given in pieces.
#[tokio::test]
async fn the_websockets_package_of_python_calls() {
    let text = r#"
import asyncio, json, sys
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

place = f"ws://127.0.0.1:{sys.argv[1]}/rpc"

async def main():
    async with connect(place, compression="deflate") as socket:
        async def ask(text):
            await socket.send(text)
            return json.loads(await socket.recv())
        async def call(method, params, id=1):
            return await ask(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": id}))

        assert (await call("add", [7, 3]))["result"] == 10
        assert (await call("add", {"y": 3, "x": 7}, "an id"))["id"] == "an id"
        for text in ["", "<&>", "é ß 中 😀", "a\r\nb", "x" * 100000]:
            assert (await call("echo", [text]))["result"] == text
        large = "y" * 1000000
        async def pieces():
            yield '{"jsonrpc":"2.0","method":"echo","params":["'
            for at in range(0, len(large), 10000):
                yield large[at:at + 10000]
            yield '"],"id":2}'
        assert (await ask(pieces()))["result"] == large
        assert (await call("divide", [1, 0]))["error"] == {"code": 1, "message": "division by zero"}
        assert (await ask('{"jsonrpc"'))["error"]["code"] == -32700
        batch = [{"jsonrpc": "2.0", "method": "add", "params": [n, n], "id": n} for n in range(50)]
        assert [reply["result"] for reply in await ask(json.dumps(batch))] == [2 * n for n in range(50)]
        await (await socket.ping(b"hello"))
        assert socket.subprotocol is None
    assert socket.close_code == 1000

    async with connect(place, subprotocols=["chat", "jsonrpc"]) as socket:
        assert socket.subprotocol == "jsonrpc"
        await socket.send(b"[]")
        try:
            await socket.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 1003, closed
            assert "farcall.native" in closed.rcvd.reason, closed
        else:
            raise AssertionError("a binary message was taken")

    try:
        async with connect(place, origin="http://evil.example"):
            raise AssertionError("another site was let in")
    except InvalidStatus as refused:
        assert refused.response.status_code == 403

asyncio.run(main())
print("all is well")
"#;
    let python = format!("{TOOLS}/python/bin/python");
    script(&python, "-c", text).await;
}

#[tokio::test]
async fn the_ws_package_of_node_calls() {
    let text = r#"
const WebSocket = require("ws");
const place = `ws://127.0.0.1:${port}/rpc`;

const opened = (...options) => new Promise((resolve, reject) => {
  const socket = new WebSocket(place, ...options);
  socket.once("open", () => resolve(socket));
  socket.once("error", reject);
});

(async () => {
  const socket = await opened();
  const waiting = new Map();
  socket.on("message", (data, isBinary) => {
    assert.equal(isBinary, false);
    const reply = JSON.parse(data);
    waiting.get(reply.id)(reply);
  });
  let last = 0;
  const call = (method, params) => new Promise((resolve) => {
    waiting.set(++last, resolve);
    socket.send(JSON.stringify({ jsonrpc: "2.0", method, params, id: last }));
  });
  assert.equal((await call("add", [7, 3])).result, 10);
  for (const text of texts) assert.equal((await call("echo", [text])).result, text);
  assert.deepEqual((await call("birthday", [ada])).result, older);
  assert.equal((await call("divide", { x: 1, y: 0 })).error.code, 1);
  const many = [...Array(500).keys()].map((n) => call("add", [n, n]));
  assert.deepEqual((await Promise.all(many)).map((reply) => reply.result),
    [...Array(500).keys()].map((n) => 2 * n));
  const pong = new Promise((resolve) => socket.once("pong", resolve));
  socket.ping("hello");
  assert.equal(String(await pong), "hello");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.close(1000);
  assert.equal(await closed, 1000);

  const native = await opened(["farcall.native"]);
  assert.equal(native.protocol, "farcall.native");
  const hello = new Promise((resolve) => native.once("message", resolve));
  native.send(Buffer.from("fc666172010101000000400000040000", "hex"));
  assert.equal((await hello).subarray(0, 4).toString("hex"), "fc666172");
  native.terminate();

  await assert.rejects(opened({ origin: "http://evil.example" }), /403/);
})().then(done, failed);
"#;
    node("ws", text).await;
}
