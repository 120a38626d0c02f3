//! A service to call, and a way to call it without a socket.

use std::sync::Arc;

use farcall_core::context::{Caller, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::fault::Fault;
use farcall_core::limits::Limits;
use farcall_core::method::{Method, Param};
use farcall_core::params::{optional, required};
use farcall_core::payload::Payload;
use farcall_core::protocol::xmlrpc;
use farcall_core::router::Router;
use farcall_core::service::{Reply, Request, Service};
use futures_util::FutureExt;

#[derive(Clone)]
pub(crate) struct Desk;

impl Service for Desk {
    const METHODS: &'static [Method] = &[
        Method::new("add", "Returns `x + y`.")
            .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
            .returns::<i64>(),
        Method::new("echo", "")
            .takes(&[Param::optional::<Option<String>>("text")])
            .returns::<Option<String>>(),
        Method::new("fail", "").returns::<i32>(),
        Method::new("panic", ""),
        Method::new("many", "").returns::<Vec<f64>>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        async move {
            match request.index() {
                0 => {
                    let (x, y) = request.params::<(i64, i64)>((required, required))?;
                    request.reply(&(x + y))
                }
                1 => {
                    let (text,) = request.params::<(Option<String>,)>((optional,))?;
                    request.reply(&text)
                }
                2 => {
                    let fault = Fault::new(7, "out of <paper>\u{1}");
                    Err(fault.with_data(Encoding::Xml, &["tray"], &(2,)))
                }
                3 => panic!("on purpose"),
                4 => request.reply(&vec![f64::NAN]),
                _ => Err(request.unknown_method()),
            }
        }
    }
}

pub(crate) fn router() -> Arc<Router> {
    Router::builder().service(Desk).build().unwrap()
}

pub(crate) fn peer(encoding: Encoding) -> Peer {
    Peer::new("http", encoding, None, Limits::default())
}

/// Answers `body` as a server does to `peer`.
pub(crate) fn answer_to(peer: Peer, body: &[u8]) -> String {
    let caller = Caller::new(Arc::new(peer));
    let router = router();
    let answer = xmlrpc::answer(&router, caller, Payload::copied_from(body));
    String::from_utf8(answer.now_or_never().unwrap().message).unwrap()
}

pub(crate) fn answer(body: impl AsRef<[u8]>) -> String {
    answer_to(peer(Encoding::Xml), body.as_ref())
}

/// The document that answers with `value`.
pub(crate) fn result(value: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<methodResponse><params><param><value>{value}</value></param>\
         </params></methodResponse>\n"
    )
}

/// A call of `method` with what stands in `<params>`.
pub(crate) fn call(method: &str, params: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n\
         <params>{params}</params>\n</methodCall>\n"
    )
}

#[track_caller]
pub(crate) fn check_fault(body: impl AsRef<[u8]>, code: i32, words: &str) {
    let body = body.as_ref();
    let document = answer(body);
    let head = format!(
        "<?xml version=\"1.0\"?>\n<methodResponse><fault><value><struct><member><name>faultCode\
         </name><value><int>{code}</int></value></member><member><name>faultString</name>\
         <value><string>"
    );
    let body = String::from_utf8_lossy(body);
    let message = document.strip_prefix(&*head);
    let message = message.unwrap_or_else(|| panic!("{body}\ngives {document}"));
    assert!(message.contains(words), "{body}\ngives {document}");
    assert!(
        message.ends_with("</string></value></member></struct></value></fault></methodResponse>\n")
    );
}
