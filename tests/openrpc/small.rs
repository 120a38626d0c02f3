//! Small services: how the document comes, and what is in it.

use farcall::{Context, Encoding, Error, Info, Method, Server, code};
use serde_json::{Value, json};

use super::{call, discover, fits, http, is_valid, method, serve};

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
pub(crate) enum CalcError {
    #[error("division by zero")]
    #[fault(code = 1)]
    DivisionByZero,
    #[fault(code = 2)]
    #[error("{x} is no multiple of {y}")]
    Remainder { x: i64, y: i64 },
    #[fault(code = 3)]
    #[error(transparent)]
    Unlucky(Unlucky),
}

#[derive(Debug, PartialEq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("no luck")]
pub(crate) struct Unlucky;

/// Integer arithmetic.
#[farcall::service]
trait Calc {
    /// Returns
    /// `x + y`.
    ///
    /// For ever.
    #[rpc(alias = "plus", alias = "sum")]
    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
    /// Returns `x / y`.
    async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError> {
        x.checked_div(y).ok_or(CalcError::DivisionByZero)
    }
    async fn greet(&self, #[rpc(default = "world")] name: &str, cx: &Context) -> String {
        format!("hello, {name}, in {}", cx.encoding())
    }
    async fn shift(&self, by: Option<u8>, what: u64) -> u64 {
        what.wrapping_shl(by.unwrap_or(1).into())
    }
    #[rpc(notify)]
    async fn log(&self, line: String) {
        let _ = line;
    }
    async fn reset(&self) {}
}

struct Pocket;
impl Calc for Pocket {}

async fn calc() -> String {
    let info = Info::new("Pocket calculator", "1.2.0").description("It *adds*.");
    serve(Server::new().info(info).service(CalcServer::new(Pocket))).await
}

#[tokio::test]
async fn the_document_of_a_small_service_is_valid_and_complete() {
    let document = discover(&calc().await).await;
    is_valid(&document).unwrap();
    assert_eq!(
        document["info"],
        json!({"title": "Pocket calculator", "version": "1.2.0", "description": "It *adds*."})
    );
    let names = document["methods"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|method| &method["name"]).collect();
    assert_eq!(names, ["add", "divide", "greet", "log", "reset", "shift"]);
    #[cfg(not(feature = "schemars"))]
    let integer = json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX});
    #[cfg(feature = "schemars")]
    let integer = json!({"type": "integer", "format": "int64"});
    assert_eq!(
        *method(&document, "add").0,
        json!({
            "name": "add",
            "summary": "Returns `x + y`.",
            "description": "Returns\n`x + y`.\n\nFor ever.",
            "paramStructure": "either",
            "params": [
                {"name": "x", "required": true, "schema": integer},
                {"name": "y", "required": true, "schema": integer},
            ],
            "result": {"name": "result", "schema": integer},
            "x-aliases": ["plus", "sum"],
        })
    );
    assert_eq!(method(&document, "greet").0["params"][0]["required"], false);
    assert_eq!(method(&document, "greet").0["params"][1], Value::Null);
    assert_eq!(method(&document, "greet").0["description"], Value::Null);
    assert_eq!(method(&document, "log").0["result"], Value::Null);
    let nothing = json!({"name": "result", "schema": {"type": "null"}});
    assert_eq!(method(&document, "reset").0["result"], nothing);
}

#[tokio::test]
async fn the_errors_of_a_method_are_listed_with_their_codes() {
    let address = calc().await;
    let document = discover(&address).await;
    let errors = &method(&document, "divide").0["errors"];
    assert_eq!(
        *errors,
        json!([
            {"code": 1, "message": "division by zero"},
            {"code": 2, "message": "{x} is no multiple of {y}"},
            {"code": 3, "message": "Unlucky"},
        ])
    );
    let fault = call(&address, "divide", json!([7, 0])).await;
    assert_eq!(fault["error"], errors[0]);
    assert_eq!(method(&document, "add").0["errors"], Value::Null);
}

#[tokio::test]
async fn where_an_optional_parameter_comes_first_parameters_are_by_name() {
    let address = calc().await;
    let document = discover(&address).await;
    let (shift, _) = method(&document, "shift");
    assert_eq!(shift["paramStructure"], "by-name");
    assert_eq!(shift["params"][0]["name"], "what");
    assert_eq!(shift["params"][1]["name"], "by");
    assert_eq!(call(&address, "shift", json!([null, 3])).await["result"], 6);
    assert_eq!(
        call(&address, "shift", json!({"what": 3})).await["result"],
        6
    );
}

#[tokio::test]
async fn a_server_without_services_has_a_document() {
    let document = discover(&serve(Server::new()).await).await;
    is_valid(&document).unwrap();
    assert_eq!(
        document,
        json!({
            "openrpc": "1.3.2",
            "info": {"title": "farcall", "version": "0.0.0"},
            "methods": [],
        })
    );
}

#[tokio::test]
async fn a_document_that_is_none_does_not_pass() {
    let document = discover(&calc().await).await;
    for (place, wrong) in [
        ("/openrpc", json!("4.0.0")),
        ("/info", json!({"title": "no version"})),
        ("/methods/0/params/0/schema", json!({"type": "long"})),
        ("/methods/0/params/0/name", json!(1)),
        ("/methods/0/paramStructure", json!("any")),
        ("/methods/1/errors/0", json!({"code": 1})),
    ] {
        let mut document = document.clone();
        *document.pointer_mut(place).unwrap() = wrong;
        assert!(is_valid(&document).is_err(), "{place}");
    }
}

#[tokio::test]
async fn the_document_is_the_same_on_every_way_that_has_a_form_for_it() {
    static DISCOVER: Method = Method::new("rpc.discover", "");
    let address = calc().await;
    let document = discover(&address).await;

    let get = "GET /openrpc.json HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let (head, body) = http(&address, get.to_owned()).await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(
        head.to_lowercase()
            .contains("content-type: application/json"),
        "{head}"
    );
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), document);

    for way in ["json+tcp", "json+http", "xml+http", "xml+tcp"] {
        let channel = farcall::connect(&format!("{way}://{address}"))
            .await
            .unwrap();
        let found: Result<Value, Error> = channel.call(&DISCOVER, ()).await;
        assert_eq!(found.unwrap(), document, "{way}");
    }
    let channel = farcall::connect(&format!("bincode+tcp://{address}"))
        .await
        .unwrap();
    assert_eq!(channel.encoding(), Encoding::Bincode);
    let refused: Result<String, Error<farcall::Fault>> = channel.call(&DISCOVER, ()).await;
    match refused {
        Err(Error::Fault(fault)) => assert_eq!(fault.code, code::INVALID_REQUEST, "{fault}"),
        other => panic!("no fault but {other:?}"),
    }
}

#[tokio::test]
async fn discover_takes_no_parameters() {
    let fault = call(&calc().await, "rpc.discover", json!([1])).await;
    assert_eq!(fault["error"]["code"], code::INVALID_PARAMS);
}

#[tokio::test]
async fn a_parameter_that_does_not_fit_its_schema_is_refused_by_the_server() {
    let address = calc().await;
    let document = discover(&address).await;
    let (_, place) = method(&document, "shift");
    let place = place + "/params/1/schema";
    for by in [
        json!(null),
        json!(3),
        json!(255),
        json!(256),
        json!(-1),
        json!("3"),
    ] {
        let answer = call(&address, "shift", json!({"what": 0, "by": by})).await;
        let is_taken = answer["error"]["code"] != code::INVALID_PARAMS;
        assert_eq!(fits(&document, &place, &by).is_ok(), is_taken, "{by}");
    }
}
