//! Compressed bodies of Python: its `xmlrpc.client` asks for gzip unless it is told not to.

use crate::service::script;

#[tokio::test]
async fn pythons_xmlrpc_client_compresses_both_ways() {
    let text = r#"
import sys
from xmlrpc.client import ServerProxy, Transport

class Counting(Transport):
    """Compresses calls from 1 KB on, and counts the answers that came compressed."""
    encode_threshold = 1000
    compressed = 0
    def parse_response(self, response):
        assert response.headers["Vary"] is None or response.headers["Content-Encoding"] == "gzip"
        self.compressed += response.headers["Content-Encoding"] == "gzip"
        return super().parse_response(response)

transport = Counting()
server = ServerProxy(f"http://127.0.0.1:{sys.argv[1]}/RPC2", transport=transport)
assert server.add(7, 3) == 10
assert transport.compressed == 0, "a short answer"
for text in "x" * 100_000, "<&> é 中 😀 " * 500, "y" * 1300:
    assert server.echo(text) == text, text[:20]
assert transport.compressed == 3, transport.compressed
ada = {"name": "Ada <&>", "age": 36, "scores": [1.5, -2.0]}
assert server.names([ada] * 1000) == ["Ada <&>"] * 1000
assert transport.compressed == 4
transport.accept_gzip_encoding = False
assert server.echo("x" * 100_000) == "x" * 100_000
assert transport.compressed == 4, "it did not ask"
print("all is well")
"#;
    script("python3", "-c", text).await;
}

/// By hand: what Python calls zlib is what Perl's RPC::XML sends as `deflate`.
#[tokio::test]
async fn pythons_http_client_sends_what_zlib_and_gzip_made() {
    let text = r#"
import gzip, http.client, json, sys, zlib
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
def post(body, coding):
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()
call = json.dumps({"jsonrpc": "2.0", "method": "add", "params": [7, 3], "id": 1}).encode()
for body, coding in (zlib.compress(call), "deflate"), (gzip.compress(call), "gzip"):
    status, _, answer = post(body, coding)
    assert status == 200 and json.loads(answer)["result"] == 10, answer
status, headers, words = post(call, "br")
assert status == 415 and headers["Accept-Encoding"] == "gzip, deflate, identity", words
status, _, answer = post(gzip.compress(call)[:-3], "gzip")
assert status == 200 and json.loads(answer)["error"]["code"] == -32700, answer
print("all is well")
"#;
    script("python3", "-c", text).await;
}
