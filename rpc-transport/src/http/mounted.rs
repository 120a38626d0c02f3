//! The services inside somebody else's HTTP server.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use farcall_core::router::Router;
use http::{Request, Response};
use http_body::Body;

use super::answer::Answerer;
use super::origin::Origin;
use super::reply::ResponseBody;
use crate::drain::Drain;

/// Answers HTTP requests: a `tower` service, to be mounted at a path of any server that takes one
/// (axum's `nest_service`, say). Made by [`Server::into_http_service`].
///
/// [`Server::into_http_service`]: crate::server::Server::into_http_service
///
/// ```
/// use farcall_transport::server::Server;
/// use tower_service::Service;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let mut service = Server::new().into_http_service().unwrap();
/// let request = http::Request::get("/healthz").body(String::new()).unwrap();
/// let response = service.call(request).await.unwrap();
/// assert_eq!(response.status(), 200);
/// # });
/// ```
#[derive(Clone)]
pub struct HttpService {
    answerer: Arc<Answerer>,
}

impl HttpService {
    pub(crate) fn new(router: Arc<Router>, origin: Origin) -> Self {
        Self {
            answerer: Arc::new(Answerer::new(router, origin, Drain::never())),
        }
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpService")
    }
}

impl<B> tower_service::Service<Request<B>> for HttpService
where
    B: Body + Send + Unpin + 'static,
    B::Data: Into<Bytes> + Send,
    B::Error: Send,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answerer = Arc::clone(&self.answerer);
        Box::pin(async move { Ok(answerer.answer(request).await) })
    }
}
