//! Methods with streams: the document says what they are, and XML-RPC nothing false.

use farcall::{Server, Stream};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::small::CalcError;
use super::{call, discover, is_valid, method, serve};

#[farcall::service]
trait Numbers {
    fn count(&self, to: u64) -> impl Stream<Item = Result<bool, CalcError>>;
    async fn total(&self, numbers: impl Stream<Item = bool>) -> String;
    async fn plain(&self) -> bool;
}

struct Plain;

impl Numbers for Plain {
    fn count(&self, _: u64) -> impl Stream<Item = Result<bool, CalcError>> {
        stream::empty()
    }

    async fn total(&self, numbers: impl Stream<Item = bool>) -> String {
        numbers.count().await.to_string()
    }

    async fn plain(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_stream_is_marked_and_its_errors_are_listed() {
    let address = serve(Server::new().service(NumbersServer::new(Plain))).await;
    let document = discover(&address).await;
    is_valid(&document).unwrap();
    let (count, _) = method(&document, "count");
    assert_eq!(count["x-stream"], json!({"gives": true}));
    assert_eq!(count["result"]["schema"], json!({"type": "boolean"}));
    assert_eq!(count["errors"][0]["message"], "division by zero");
    let (total, _) = method(&document, "total");
    let taken = json!({"name": "numbers", "schema": {"type": "boolean"}});
    assert_eq!(total["x-stream"], json!({"gives": false, "takes": taken}));
    assert_eq!(total["params"], json!([]));
    assert_eq!(method(&document, "plain").0["x-stream"], Value::Null);
    for (name, signatures) in [("count", json!([])), ("plain", json!([["boolean"]]))] {
        let answer = call(&address, "system.methodSignature", json!([name])).await;
        assert_eq!(answer["result"], signatures, "{name}");
    }
}
