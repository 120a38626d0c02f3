//! Ruby: the server of the gem xmlrpc, on WEBrick.

use super::{
    IntrospectionClient, StrangeClient, call_everything, call_in_batches, failure, fault, inner,
    start,
};
use crate::ruby::is_there;
use farcall::types::Value;

#[tokio::test]
async fn rubys_xmlrpc_server_answers() {
    if !is_there("xmlrpc/server").await || !is_there("webrick").await {
        return;
    }
    let script = r#"
require "webrick"
require "xmlrpc/server"
servlet = XMLRPC::WEBrickServlet.new
servlet.add_handler("add", %w[int int int], "Returns x + y.") { |x, y| x + y }
servlet.add_handler("half") { |x| x / 2 }
%w[echo moment].each { |name| servlet.add_handler(name) { |value| value } }
# Bytes are text to it unless it is told.
servlet.add_handler("bytes") { |value| XMLRPC::Base64.new(value) }
servlet.add_handler("birthday") do |person|
  person.merge("age" => person["age"] + 1, "unheard of" => [{ "of" => 1 }])
end
servlet.add_handler("names") { |people| people.map { |person| person["name"] } }
servlet.add_handler("math.sum") { |numbers| numbers.sum }
servlet.add_handler("nothing") { nil }
servlet.add_handler("divide") do |x, y|
  raise XMLRPC::FaultException.new(1, "division by zero") if y == 0
  x / y
end
servlet.add_introspection
servlet.add_multicall
server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: 0)
server.mount("/RPC2", servlet)
$stdout.sync = true
puts server.listeners[0].addr[1]
server.start
"#;
    let Some(server) = start("ruby", "-e", script, &[]).await else {
        return;
    };
    let address = format!("xml+http://127.0.0.1:{}/RPC2", server.ports[0]);
    let client = StrangeClient::connect(&address).await.unwrap();
    call_everything(&client).await;
    call_in_batches(&client).await;
    assert_eq!(&*client.bytes(b"\x00\xff").await.unwrap(), b"\x00\xff");
    let moment = "1998-07-17T14:08:55Z".parse().unwrap();
    assert_eq!(client.moment(moment).await.unwrap(), moment);
    let division = fault(client.divide(1, 0).await);
    assert_eq!((division.code, &*division.message), (1, "division by zero"));
    let unknown = fault(client.nobody().await);
    assert!(unknown.message.contains("nobody"), "{unknown}");
    // It reads no <i8> and writes no nil.
    let large = failure(client.add(1 << 40, 1).await);
    assert!(large.contains("500"), "{large}");
    let nil = failure(client.nothing().await);
    assert!(nil.contains("500"), "{nil}");

    let system = IntrospectionClient::connect(&address).await.unwrap();
    let methods = system.list_methods().await.unwrap();
    assert!(methods.contains(&"math.sum".into()), "{methods:?}");
    assert_eq!(system.method_help("add").await.unwrap(), "Returns x + y.");
    let int = || Value::String("int".into());
    assert_eq!(
        system.method_signature("add").await.unwrap(),
        Value::Array(vec![Value::Array(vec![int(), int(), int()])])
    );
    let calls = vec![inner("add", &[1, 2]), inner("divide", &[1, 0])];
    let answers = system.multicall(calls).await.unwrap();
    assert_eq!(answers[0], Value::Array(vec![Value::Integer(3)]));
    assert!(matches!(&answers[1], Value::Struct(fault) if fault["faultCode"] == Value::Integer(1)));
}
