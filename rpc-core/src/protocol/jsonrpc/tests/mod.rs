//! JSON-RPC, from the specification's examples to bytes that nobody would send.

mod batch;
mod client;
mod requests;
mod specification;
mod splitting;
mod stream;

use std::sync::Arc;

use futures_util::FutureExt;

use crate::context::{Caller, Peer};
use crate::encoding::Encoding;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::method::{Method, Param};
use crate::params::{optional, required};
use crate::payload::Payload;
use crate::router::Router;
use crate::service::{Reply, Request, Service};

/// The methods of the specification's examples, and a few for the corners.
#[derive(Clone)]
struct Examples;

impl Service for Examples {
    const METHODS: &'static [Method] = &[
        Method::new("subtract", "").takes(&[
            Param::required::<i64>("minuend"),
            Param::required::<i64>("subtrahend"),
        ]),
        Method::new("sum", "").takes(&[
            Param::required::<i64>("a"),
            Param::required::<i64>("b"),
            Param::optional::<Option<i64>>("c"),
        ]),
        Method::new("update", ""),
        Method::new("get_data", ""),
        Method::new("echo", "").takes(&[Param::required::<String>("value")]),
        Method::new("fail", ""),
        Method::new("panic", ""),
        Method::new("notify_hello", "").takes(&[Param::required::<i64>("n")]),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        async move {
            match request.index() {
                0 => {
                    let (minuend, subtrahend) =
                        request.params::<(i64, i64)>((required, required))?;
                    request.reply(&(minuend - subtrahend))
                }
                1 => {
                    let (a, b, c) = request
                        .params::<(i64, i64, Option<i64>)>((required, required, optional))?;
                    request.reply(&(a + b + c.unwrap_or(0)))
                }
                2 => request.reply(&()),
                3 => {
                    let () = request.params(())?;
                    request.reply(&("hello", 5))
                }
                4 => {
                    let (value,) = request.params::<(serde_json::Value,)>((required,))?;
                    request.reply(&value)
                }
                5 => Err(Fault::new(7, "out of \"paper\"").with_data(
                    Encoding::Json,
                    &["tray"],
                    &(2,),
                )),
                6 => panic!("as it should"),
                7 => {
                    let (_,) = request.params::<(i64,)>((required,))?;
                    request.reply(&())
                }
                _ => Err(request.unknown_method()),
            }
        }
    }
}

fn router() -> Arc<Router> {
    Router::builder().service(Examples).build().unwrap()
}

fn caller(limits: Limits) -> Caller {
    Caller::new(Arc::new(Peer::new("http", Encoding::Json, None, limits)))
}

fn answered_within(limits: Limits, text: &[u8]) -> Option<String> {
    super::answer(&router(), caller(limits), Payload::copied_from(text))
        .now_or_never()
        .expect("none of these handlers waits")
        .map(|reply| String::from_utf8(reply.message).unwrap())
}

fn answered(text: &str) -> Option<String> {
    answered_within(Limits::default(), text.as_bytes())
}

/// The code and the raw id of an error reply.
fn refusal(text: &str) -> (i64, String) {
    let reply = answered(text).unwrap_or_else(|| panic!("no answer to {text}"));
    let value: serde_json::Value = serde_json::from_str(&reply).unwrap();
    let id = reply.rsplit_once("\"id\":").unwrap().1;
    let code = value["error"]["code"].as_i64();
    (
        code.unwrap_or_else(|| panic!("{text} gave {reply}")),
        id.trim_end_matches('}').to_owned(),
    )
}
