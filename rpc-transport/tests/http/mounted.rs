//! The service inside somebody else's server.

use farcall_transport::allow::AllowList;
use tower_service::Service as _;

use super::*;

#[tokio::test]
async fn with_an_allow_list_it_answers_those_whose_address_it_is_told() {
    let server = Server::new().service(Calc::default());
    let list = AllowList::new(["192.0.2.0/24"]).unwrap();
    let mut service = server.allow(list).into_http_service().unwrap();
    for (peer, status, words) in [
        (Some("192.0.2.1:9"), 200, TEN),
        (Some("[::ffff:192.0.2.1]:9"), 200, TEN),
        (Some("127.0.0.1:9"), 403, "may not call"),
        (None, 403, "is not told"),
    ] {
        let request = http::Request::post("/").header("content-type", "application/json");
        let mut request = request.body(ADD.to_owned()).unwrap();
        let peer: Option<std::net::SocketAddr> = peer.map(|peer| peer.parse().unwrap());
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let answer = service.call(request).await.unwrap();
        assert_eq!(answer.status(), status, "{peer:?}");
        let body = http_body_util::BodyExt::collect(answer.into_body()).await;
        let body = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
        assert!(body.contains(words), "{peer:?}: {body}");
    }
}
