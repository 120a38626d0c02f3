//! Python: `xmlrpc.client` of the standard library, aiohttp-xmlrpc, jsonrpclib-pelix,
//! and aiorpcX.

use crate::service::{TOOLS, script};

/// Begins every script: the server's address, what to say in every way, and a check for faults.
const PRELUDE: &str = r#"
import sys
URL = f"http://127.0.0.1:{sys.argv[1]}/"
TEXTS = ["", "<&>", "]]>", "&amp;", "é ß 中 😀", "  a \n\t b  ", "x" * 100_000]
ADA = {"name": "Ada <&> Łukasz", "age": 36, "scores": [1, 2.5, -1e300]}
OLDER = {"name": "Ada <&> Łukasz", "age": 37, "scores": [1.0, 2.5, -1e300]}

def fault(call, kind, code_of):
    try:
        returned = call()
    except kind as error:
        return code_of(error)
    sys.exit(f"no fault but {returned!r}")
"#;

async fn python(program: &str, text: &str) {
    script(program, "-c", &format!("{PRELUDE}{text}")).await;
}

async fn installed_python(text: &str) {
    python(&format!("{TOOLS}/python/bin/python"), text).await;
}

#[tokio::test]
async fn pythons_xmlrpc_client_calls() {
    let text = r#"
from xmlrpc.client import Binary, Fault, MultiCall, ServerProxy
server = ServerProxy(URL)
assert server.add(7, 3) == 10
assert server.add(2**31 - 1, 1) == 2**31
assert server.half(3) == 1.5 and server.half(-1e300) == -5e299
assert server.greet() == "Hello, world!"
assert server.greet("<&>") == "Hello, <&>!"
for text in TEXTS:
    assert server.echo(text) == text, text[:20]
assert server.size(Binary(bytes(range(256)) * 4)) == 1024
assert server.birthday(ADA) == OLDER, server.birthday(ADA)
assert server.birthday({**ADA, "email": "a@b"})["email"] == "a@b"
assert server.names([ADA, OLDER]) == [ADA["name"]] * 2 and server.names(()) == []
assert "add" in server.system.listMethods()
assert server.system.methodHelp("add") == "Returns `x + y`."
assert server.system.methodSignature("greet") == [["string"], ["string", "string"]]
assert "faults_interop" in server.system.getCapabilities()

def code(call):
    return fault(call, Fault, lambda fault: fault.faultCode)
def words(call):
    return fault(call, Fault, lambda fault: fault.faultString)
assert code(lambda: server.divide(1, 0)) == 1
assert words(lambda: server.divide(1, 0)) == "division by zero"
assert code(lambda: server.ad(1, 2)) == -32601 and "ad" in words(lambda: server.ad(1, 2))
for wrong in [("x", 2), (1,), (1, 2, 3), (1, 2.5), ([], {})]:
    assert code(lambda: server.add(*wrong)) == -32602, wrong
# Python writes characters that XML cannot hold.
for broken in "\x01", "\x00", "\ufffe":
    assert -32799 < code(lambda: server.echo(broken)) <= -32600, broken

calls = MultiCall(server)
calls.add(1, 2); calls.divide(1, 0); calls.nobody(); calls.add(3, 4); calls.birthday(ADA)
results = calls()
assert (results[0], results[3], results[4]) == (3, 7, OLDER)
assert (code(lambda: results[1]), code(lambda: results[2])) == (1, -32601)
print("all is well")
"#;
    python("python3", text).await;
}

#[tokio::test]
async fn pythons_xmlrpc_client_sends_none_and_other_encodings() {
    let text = r#"
from xmlrpc.client import ServerProxy
server = ServerProxy(URL, allow_none=True)
assert server.search(None, "Python") == ["none", "Python", "none"]
assert server.search() == ["none"] * 3
assert server.nothing() is None
assert "email" not in server.birthday({**ADA, "email": None})
for encoding in "iso-8859-1", "us-ascii", "utf-8", "UTF-8":
    server = ServerProxy(URL, encoding=encoding)
    for text in TEXTS:
        assert server.echo(text) == text, (encoding, text[:20])
print("all is well")
"#;
    python("python3", text).await;
}

#[tokio::test]
async fn pythons_xmlrpc_client_keeps_its_connection() {
    let text = r#"
from xmlrpc.client import Fault, ServerProxy
server = ServerProxy(URL)
def socket():
    return server("transport")._connection[1].sock.getsockname()
server.add(1, 2)
first = socket()
for number in range(200):
    assert server.add(number, 1) == number + 1
    assert fault(lambda: server.divide(1, 0), Fault, lambda fault: fault.faultCode) == 1
assert socket() == first, "it had to connect anew"
print("all is well")
"#;
    python("python3", text).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_threads_of_python_call() {
    let text = r#"
from concurrent.futures import ThreadPoolExecutor
from xmlrpc.client import ServerProxy
def calls(thread):
    with ServerProxy(URL) as server:
        for number in range(50):
            assert server.add(thread, number) == thread + number
            text = f"{thread} <&> {number}"
            assert server.echo(text) == text
    return 50
with ThreadPoolExecutor(8) as pool:
    assert list(pool.map(calls, range(8))) == [50] * 8
print("all is well")
"#;
    python("python3", text).await;
}

/// It declares ASCII, checks answers against a schema, and strips the strings it receives.
#[tokio::test]
async fn aiohttp_xmlrpc_calls() {
    let text = r#"
import asyncio
from aiohttp_xmlrpc.client import ServerProxy
from aiohttp_xmlrpc.common import Binary
from aiohttp_xmlrpc.exceptions import InvalidArguments, MethodNotFound, ServerError

async def code(call, kind):
    try:
        returned = await call
    except kind as error:
        return error.code
    sys.exit(f"no fault but {returned!r}")

async def main():
    server = ServerProxy(URL)
    assert await server.add(7, 3) == 10
    assert await server.add(2**31, -1) == 2**31 - 1
    assert await server.half(3) == 1.5
    assert await server.greet() == "Hello, world!"
    for text in TEXTS:
        assert await server.echo(text) == text.strip(), text[:20]
    assert await server.size(Binary(range(256))) == 256
    assert await server.birthday(ADA) == OLDER
    assert await server.birthday(**ADA) == OLDER
    assert await server.names([ADA, OLDER]) == [ADA["name"]] * 2
    assert await server.search(None, "Python") == ["none", "Python", "none"]
    assert await server.nothing() is None
    assert await code(server.divide(1, 0), ServerError) == 1
    assert await code(server.ad(1, 2), MethodNotFound) == -32601
    assert await code(server.add("x", 2), InvalidArguments) == -32602
    calls = [{"methodName": name, "params": [1, 0]} for name in ("add", "divide")]
    sum, error = await server.system.multicall(calls)
    assert sum == [1] and error == {"faultCode": 1, "faultString": "division by zero"}
    assert await asyncio.gather(*(server.add(n, n) for n in range(50))) == list(range(0, 100, 2))
    await server.close()

asyncio.run(main())
print("all is well")
"#;
    installed_python(text).await;
}

/// Its content type is `application/json-rpc`, and it takes nothing but 200, for a notification
/// too.
#[tokio::test]
async fn jsonrpclib_pelix_calls() {
    let text = r#"
from jsonrpclib import MultiCall, ServerProxy
from jsonrpclib.jsonrpc import AppError, ProtocolError

def code(call, kind=ProtocolError):
    return fault(call, kind, lambda error: error.args[0][0])

for server in ServerProxy(URL), ServerProxy(URL, version=1.0):
    assert server.add(7, 3) == 10
    assert server.add(2**53, 1) == 2**53 + 1
    assert server.half(3) == 1.5
    assert server.greet() == "Hello, world!"
    for text in TEXTS + ["\x01\r"]:
        assert server.echo(text) == text, text[:20]
    assert server.birthday(ADA) == OLDER
    assert server.names([ADA, OLDER]) == [ADA["name"]] * 2
    assert server.nothing() is None
    assert code(lambda: server.divide(1, 0), AppError) == 1
    assert code(lambda: server.ad(1, 2)) == -32601
    assert code(lambda: server.add("x", 2)) == -32602

server = ServerProxy(URL)
assert server.add(x=7, y=3) == 10
assert server.greet(name="<&>") == "Hello, <&>!"
assert server.search(last_name="Python") == ["none", "Python", "none"]
assert "add" in server.system.listMethods()
assert code(lambda: server.add(x=1, z=2)) == -32602
assert server._notify.add(1, 2) is None
assert server._notify.nobody() is None

calls = MultiCall(server)
calls.add(1, 2); calls._notify.nothing(); calls.add(x=3, y=4); calls.divide(1, 0)
results = calls()
assert (results[0], results[1]) == (3, 7)
assert code(lambda: results[2], AppError) == 1
print("all is well")
"#;
    installed_python(text).await;
}

/// A stream of lines over TCP; its ids begin at 0.
#[tokio::test]
async fn aiorpcx_calls_over_tcp() {
    let text = r#"
import asyncio
from aiorpcx import RPCError, connect_rs

async def code(call):
    try:
        sys.exit(f"no fault but {await call!r}")
    except RPCError as error:
        return error.code

async def main():
    async with connect_rs("127.0.0.1", int(sys.argv[1])) as session:
        def call(method, *params):
            return session.send_request(method, params)
        assert await call("add", 7, 3) == 10
        assert await session.send_request("add", {"x": 7, "y": 3}) == 10
        assert await call("add", 2**62, 1) == 2**62 + 1
        assert await call("half", 3) == 1.5
        assert await call("greet") == "Hello, world!"
        for text in TEXTS + ["\x01\r\n"]:
            assert await call("echo", text) == text, text[:20]
        assert await call("birthday", ADA) == OLDER
        assert await call("nothing") is None
        assert await code(call("divide", 1, 0)) == 1
        assert await code(call("ad", 1, 2)) == -32601
        assert await code(call("add", "x", 2)) == -32602
        await session.send_notification("nothing", [])
        async with session.send_batch() as batch:
            batch.add_request("add", [1, 2])
            batch.add_notification("nothing")
            batch.add_request("divide", [1, 0])
        assert batch.results[0] == 3 and batch.results[1].code == 1, batch.results
        calls = (call("add", n, n) for n in range(200))
        assert await asyncio.gather(*calls) == list(range(0, 400, 2))

asyncio.run(main())
print("all is well")
"#;
    installed_python(text).await;
}
