//! A page of another site that tries to have calls run. What counts is what ran, not what the page saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::{Context, Cors, Server, Stream};
use futures_util::stream;

use crate::relay::Relay;
use crate::site::Site;

#[farcall::service]
trait Vault {
    async fn open(&self, cx: &Context) -> String;
    #[rpc(idempotent)]
    fn ticks(&self) -> impl Stream<Item = u64>;
}

/// Counts how often it was called.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Vault for Counting {
    async fn open(&self, cx: &Context) -> String {
        self.0.fetch_add(1, Ordering::SeqCst);
        cx.reply_metadata("gold", "7");
        cx.metadata().get("trace-id").unwrap_or("open").to_owned()
    }
    fn ticks(&self) -> impl Stream<Item = u64> {
        self.0.fetch_add(1, Ordering::SeqCst);
        stream::iter(0..3)
    }
}

/// The port of `server` on a loopback address, behind a relay.
async fn serve(server: Server) -> (u16, Relay) {
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run());
    (port, Relay::to(port).await)
}

/// All that a page can try at `target` without being asked, and with. Each ends, well or not.
const ATTACKS: &str = r#"
const call = JSON.stringify({ jsonrpc: "2.0", method: "open", params: [], id: 1 });
const xml = "<methodCall><methodName>open</methodName></methodCall>";
const events = `${target}?method=ticks&params=[]`;
const json = "application/json";
const within = (made) => Promise.race([
  new Promise(made),
  new Promise((resolve) => setTimeout(resolve, 20000)),
]).catch(() => {});
const tried = [];
const attack = (made) => tried.push(within(made));
const post = (body, more) => attack((resolve, reject) =>
  fetch(target, { method: "POST", body, ...more }).then(resolve, reject));

// Forms, whose answers go to frames. A form of text/plain can be made JSON: {…,"x":"="}.
for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
  for (const [name, value] of [[call.replace("}", ',"x":"'), '"}'], [xml, ""]]) {
    attack((resolve) => {
      const frame = document.createElement("iframe");
      frame.name = `frame${tried.length}`;
      document.body.append(frame);
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: target, enctype, target: frame.name });
      const input = document.createElement("input");
      Object.assign(input, { name, value });
      form.append(input);
      document.body.append(form);
      form.submit();
      frame.addEventListener("load", resolve);
    });
  }
}
// fetch, unasked.
for (const body of [call, xml]) {
  post(body, { mode: "no-cors" });
  post(body, { mode: "no-cors", headers: { "content-type": json } });
  post(body, { mode: "no-cors", referrerPolicy: "no-referrer", credentials: "include" });
  post(new Blob([body]), { mode: "no-cors" });
  post(new TextEncoder().encode(body), { mode: "no-cors", keepalive: true });
  navigator.sendBeacon(target, body);
  navigator.sendBeacon(target, new Blob([body]));
}
post(new URLSearchParams({ [call]: "" }), { mode: "no-cors" });
const data = new FormData();
data.append("call", new Blob([call], { type: json }));
post(data, { mode: "no-cors" });
// fetch, which asks first.
post(call, { headers: { "content-type": json } });
post(xml, { headers: { "content-type": "text/xml" } });
post(call, { headers: { "content-type": json, "farcall-timeout-ms": "1000" } });
navigator.sendBeacon(target, new Blob([call], { type: json }));
// GET.
attack((resolve) => {
  const source = new EventSource(events);
  source.onmessage = resolve;
  source.onerror = () => (source.close(), resolve());
});
for (const more of [{}, { referrerPolicy: "no-referrer" }, { credentials: "include" }]) {
  attack((resolve, reject) => fetch(events, {
    mode: "no-cors", headers: { accept: "text/event-stream" }, ...more }).then(resolve, reject));
}
for (const [tag, place] of [["img", "src"], ["script", "src"], ["iframe", "src"], ["video", "src"]]) {
  attack((resolve) => {
    const element = document.createElement(tag);
    element.onload = element.onerror = resolve;
    element[place] = events;
    document.body.append(element);
  });
}
// WebSocket.
for (const protocols of [[], ["jsonrpc"], ["farcall.native"]]) {
  attack((resolve) => {
    const socket = new WebSocket(target.replace("http", "ws"), protocols);
    socket.onopen = () => socket.send(call);
    socket.onmessage = socket.onclose = resolve;
  });
}
await Promise.all(tried);
"#;

/// What came to a server that [`ATTACKS`] were tried on, in lower case.
fn assert_all_was_tried(came: &str) {
    for sign in [
        "content-type: text/plain",
        "content-type: application/x-www-form-urlencoded",
        "content-type: multipart/form-data",
        "options / ",
        "access-control-request-headers: content-type",
        "get /?method=ticks",
        "accept: text/event-stream",
        "upgrade: websocket",
    ] {
        assert!(came.contains(sign), "{sign}: {came}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_has_nothing_run() {
    let vault = Counting::default();
    let (_, relay) = serve(Server::new().service(VaultServer::new(vault.clone()))).await;
    // It is of another site, and of the same site with another port.
    for host in ["attacker.example", "127.0.0.1"] {
        let site = Site::bind("127.0.0.1:0", host).await;
        let script = format!(
            "const target = `http://127.0.0.1:${{port}}/`;{ATTACKS} verdict(`tried ${{tried.length}}`);"
        );
        let Some(said) = site.visit(relay.port, &script).await else {
            return;
        };
        assert_eq!(said, "tried 32");
        assert_eq!(vault.count(), 0, "{host}");
        assert_all_was_tried(&relay.came());
    }
}

/// Once its page is loaded, `attacker.example` is this machine: all that the page asks of its own origin
/// comes to the server. (The site is at another loopback address and the same port, and passes on what is
/// not for it.)
#[tokio::test]
async fn a_page_whose_name_was_made_to_point_here_has_nothing_run() {
    let vault = Counting::default();
    let (port, relay) = serve(Server::new().service(VaultServer::new(vault.clone()))).await;
    let site = Site::bind(&format!("127.0.0.2:{port}"), "attacker.example").await;
    let script = format!(
        "const target = `${{location.origin}}/`;{ATTACKS}
const own = await fetch(target, {{ method: 'POST', body: call, headers: {{ 'content-type': json }} }});
verdict(`${{location.host}} ${{own.status}}`);"
    );
    let Some(said) = site.visit(relay.port, &script).await else {
        return;
    };
    assert_eq!(said, format!("attacker.example:{port} 421"));
    assert_eq!(vault.count(), 0);
    let came = relay.came();
    assert!(came.contains(&format!("host: attacker.example:{port}")));
    assert!(came.contains(&format!("origin: http://attacker.example:{port}")));
}

#[tokio::test]
async fn a_page_that_is_listed_calls_in_every_way_that_asks_and_in_no_other() {
    let site = Site::bind("127.0.0.1:0", "app.example").await;
    let vault = Counting::default();
    let server = Server::new().service(VaultServer::new(vault.clone()));
    let cors = Cors::origins([site.origin()]).unwrap();
    let (_, relay) = serve(server.cors(cors)).await;
    let script = r#"
const target = `http://127.0.0.1:${port}/`;
const call = JSON.stringify({ jsonrpc: "2.0", method: "open", params: [], id: 1 });
const answer = await fetch(target, { method: "POST", body: call, headers: {
  "content-type": "application/json", "farcall-timeout-ms": "5000", "trace-id": "7f" } });
const { result } = await answer.json();
const gold = answer.headers.get("farcall-meta-gold");
const socket = new WebSocket(target.replace("http", "ws"));
const message = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
socket.onopen = () => socket.send(call);
const over = JSON.parse(await message).result;
const items = [];
await new Promise((resolve) => {
  const source = new EventSource(`${target}?method=ticks&params=[]`);
  source.onmessage = ({ data }) => items.push(data);
  source.addEventListener("end", () => (source.close(), resolve()));
  source.onerror = () => (items.push("error"), resolve());
});
const unasked = await fetch(target, { method: "POST", body: call });
verdict([result, gold, over, items, unasked.status].join(" "));
"#;
    let Some(said) = site.visit(relay.port, script).await else {
        return;
    };
    assert_eq!(said, "7f 7 open 0,1,2 415");
    assert_eq!(vault.count(), 3, "a call, one over a socket, and a stream");

    // The same server, and another page.
    let other = Site::bind("127.0.0.1:0", "attacker.example").await;
    let script =
        format!("const target = `http://127.0.0.1:${{port}}/`;{ATTACKS} verdict('tried');");
    other.visit(relay.port, &script).await;
    assert_eq!(vault.count(), 3);
    assert_all_was_tried(&relay.came());
}
