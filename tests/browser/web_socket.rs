//! `new WebSocket` in a page.

use farcall::{Server, Stream};
use futures_util::stream;

use crate::site::visit;

#[farcall::service]
trait Calc {
    async fn add(&self, x: i64, y: i64) -> i64;
    async fn echo(&self, text: String) -> String;
    fn count(&self, to: u64) -> impl Stream<Item = u64>;
}

struct Pocket;

impl Calc for Pocket {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
    async fn echo(&self, text: String) -> String {
        text
    }
    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }
}

async fn serve() -> u16 {
    let server = Server::new().service(CalcServer::new(Pocket));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run());
    port
}

/// A client, as a page writes one.
const CLIENT: &str = r#"
const opened = (place, ...protocols) => new Promise((resolve, reject) => {
  const socket = new WebSocket(place, ...protocols);
  const waiting = new Map();
  let last = 0;
  const call = (method, params) => new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject });
    socket.send(JSON.stringify({ jsonrpc: "2.0", method, params, id: last }));
  });
  socket.onmessage = ({ data }) => {
    const { id, result, error, params } = JSON.parse(data);
    if (id === undefined) return opens.item?.(params);
    error ? waiting.get(id).reject(error) : waiting.get(id).resolve(result);
  };
  const opens = { socket, call };
  socket.onopen = () => resolve(opens);
  socket.onerror = () => reject("no socket");
});
"#;

#[tokio::test]
async fn a_page_calls_over_a_socket_to_where_it_came_from() {
    let script = r#"
const { socket, call } = await opened(`ws://${location.host}/rpc`, ["jsonrpc"]);
const sum = await call("add", [7, 3]);
const large = "ü".repeat(300000);
const echo = await call("echo", [large]) === large;
const many = await Promise.all([...Array(100).keys()].map((n) => call("add", [n, n])));
const fault = await call("add", ["x", 1]).catch((error) => error.code);
const closed = new Promise((resolve) => socket.onclose = resolve);
socket.close(1000, "done");
const { code, wasClean } = await closed;
verdict([socket.protocol, sum, echo, many[99], fault, code, wasClean].join(" "));
"#;
    let said = visit(serve().await, &format!("{CLIENT}{script}")).await;
    if let Some(said) = said {
        assert_eq!(said, "jsonrpc 10 true 198 -32602 1000 true");
    }
}

#[tokio::test]
async fn a_page_subscribes_to_a_stream() {
    let script = r#"
const opens = await opened(`ws://${location.host}/`);
const items = [];
const ended = new Promise((resolve) => {
  opens.item = ({ subscription, result, end }) => end ? resolve(subscription) : items.push(result);
});
const subscription = await opens.call("count", [5]);
verdict([await ended === subscription, items].join(" "));
"#;
    let said = visit(serve().await, &format!("{CLIENT}{script}")).await;
    if let Some(said) = said {
        assert_eq!(said, "true 0,1,2,3,4");
    }
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_socket() {
    // Its own site has farcall behind it, but it asks farcall itself: another origin.
    let script = r#"
const said = await opened(`ws://127.0.0.1:${port}/`).then(() => "a socket", (error) => error);
verdict(said);
"#;
    let said = visit(serve().await, &format!("{CLIENT}{script}")).await;
    if let Some(said) = said {
        assert_eq!(said, "no socket");
    }
}
