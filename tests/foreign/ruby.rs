//! Ruby: the gem xmlrpc, as Debian has it.

use crate::service::{left_out, run, script};

/// Whether Ruby has a library; else a word is said about it.
pub(crate) async fn is_there(library: &str) -> bool {
    let require = format!("require {library:?}");
    match run("ruby", vec!["-e".into(), require]).await {
        Some(output) if output.status.success() => true,
        Some(_) => {
            left_out(&format!("Ruby's {library}"));
            false
        }
        None => false,
    }
}

/// It writes every integer as `<i4>` or, if large, `<int>`, and reads no nil.
#[tokio::test]
async fn rubys_xmlrpc_client_calls() {
    if !is_there("xmlrpc/client").await {
        return;
    }
    let text = r##"
require "xmlrpc/client"
client = XMLRPC::Client.new("127.0.0.1", "/RPC2", ARGV[0].to_i)
is = lambda do |actual, expected|
  actual == expected or raise "#{actual.inspect} is not #{expected.inspect}"
end
code = lambda do |method, *params|
  begin
    raise "no fault but #{client.call(method, *params).inspect}"
  rescue XMLRPC::FaultException => fault
    fault.faultCode
  end
end

is.(client.call("add", 7, 3), 10)
is.(client.call("add", 2**31 - 1, 1), 2**31)
is.(client.call("half", 3), 1.5)
is.(client.call("greet"), "Hello, world!")
["", "<&>", "]]>", "&amp;", "é ß 中 😀", "  a \n\t b  ", "x" * 100_000].each do |text|
  is.(client.call("echo", text), text)
end
is.(client.call("size", XMLRPC::Base64.new((0..255).to_a.pack("C*"))), 256)
ada = { "name" => "Ada <&> Łukasz", "age" => 36, "scores" => [1, 2.5, -1e300] }
older = ada.merge("age" => 37, "scores" => [1.0, 2.5, -1e300])
is.(client.call("birthday", ada), older)
is.(client.call("names", [ada, older]), [ada["name"]] * 2)
is.(client.call("search", 1), ["1", "none", "none"])
is.(code.("divide", 1, 0), 1)
is.(code.("ad", 1, 2), -32601)
is.(code.("add", "x", 2), -32602)
is.(code.("add", 1), -32602)
sum, fault, unknown = client.multicall(["add", 1, 2], ["divide", 1, 0], ["nobody"])
is.([sum, fault.faultCode, fault.faultString], [3, 1, "division by zero"])
is.(unknown.faultCode, -32601)
calc = client.proxy("system")
is.(calc.listMethods.include?("add"), true)
100.times { |number| is.(client.call("add", number, 1), number + 1) }
puts "all is well"
"##;
    script("ruby", "-e", text).await;
}
