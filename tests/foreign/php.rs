//! PHP: the extension xmlrpc, as Debian has it, and plain JSON-RPC.

use crate::service::{left_out, run, script};

const PRELUDE: &str = r#"
error_reporting(E_ALL);
set_error_handler(function ($level, $text) { throw new Exception($text); });
function post($type, $body) {
    global $argv;
    return file_get_contents("http://127.0.0.1:$argv[1]/", false, stream_context_create(["http" =>
        ["method" => "POST", "header" => "Content-Type: $type", "content" => $body]]));
}
function is($got, $expected) {
    if ($got !== $expected) throw new Exception(var_export($got, true) . " is not " . var_export($expected, true));
}
$ada = ["name" => "Ada <&>", "age" => 36, "scores" => [1.0, 2.5]];
$older = ["name" => "Ada <&>", "age" => 37, "scores" => [1.0, 2.5]];
"#;

/// It declares ISO-8859-1, writes other characters as references, and reads no `<i8>`.
#[tokio::test]
async fn phps_xmlrpc_functions_call() {
    let there = "exit((int) !function_exists('xmlrpc_encode_request'));";
    match run("php", vec!["-r".into(), there.into()]).await {
        Some(output) if output.status.success() => {}
        Some(_) => return left_out("PHP's extension xmlrpc"),
        None => return,
    }
    let text = r#"
function call($method, ...$params) {
    return xmlrpc_decode(post("text/xml", xmlrpc_encode_request($method, $params)), "utf-8");
}
function code($method, ...$params) { return call($method, ...$params)["faultCode"]; }
is(call("add", 7, 3), 10);
is(call("add", 2147483646, 1), 2147483647);
is(call("half", 3), 1.5);
is(call("half", -1e300), -5e299);
is(call("greet"), "Hello, world!");
foreach (["", "<&>", "]]>", "&amp;", "  a \n\t b  ", str_repeat("x", 100000)] as $text) {
    is(call("echo", $text), $text);
}
$bytes = "\0\xff\1";
xmlrpc_set_type($bytes, "base64");
is(call("size", $bytes), 3);
is(call("birthday", $ada), $older);
is(call("names", [$ada, $older]), ["Ada <&>", "Ada <&>"]);
is(call("nothing"), null);
is(code("divide", 1, 0), 1);
is(code("ad", 1, 2), -32601);
is(code("add", "x", 2), -32602);
is(call("system.methodSignature", "greet"), [["string"], ["string", "string"]]);
$calls = [["methodName" => "add", "params" => [1, 2]], ["methodName" => "divide", "params" => [1, 0]]];
is(call("system.multicall", $calls),
    [[3], ["faultCode" => 1, "faultString" => "division by zero"]]);
echo "all is well\n";
"#;
    script("php", "-r", &format!("{PRELUDE}{text}")).await;
}

#[tokio::test]
async fn php_calls_in_json() {
    let text = r#"
function call($method, $params) {
    $call = ["jsonrpc" => "2.0", "method" => $method, "params" => $params, "id" => 1];
    return json_decode(post("application/json", json_encode($call)), true);
}
is(call("add", [7, 3])["result"], 10);
is(call("add", ["y" => 3, "x" => 7])["result"], 10);
is(call("add", [PHP_INT_MAX - 1, 1])["result"], PHP_INT_MAX);
foreach (["", "<&>", "é ß 中 😀", "  a \r\n\t b  \1"] as $text) {
    is(call("echo", [$text])["result"], $text);
}
is(call("birthday", [$ada])["result"], $older);
is(call("nothing", [])["result"], null);
is(call("divide", [1, 0])["error"], ["code" => 1, "message" => "division by zero"]);
is(call("ad", [1, 2])["error"]["code"], -32601);
is(post("application/json", '{"jsonrpc":"2.0","method":"nothing"}'), "");
echo "all is well\n";
"#;
    script("php", "-r", &format!("{PRELUDE}{text}")).await;
}
