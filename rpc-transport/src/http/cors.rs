//! Which web pages of other sites may call, and what is said to their browsers ("CORS", Fetch Standard
//! §3.2). Decisions only.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use super::fields::{Fields, text};
use super::headers::{is_a_callers, is_of_reply};
use super::page::Reply;

/// How long a browser may keep the answer to its question whether it may call.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Web pages of other sites that may call, for [`Server::cors`](crate::server::Server::cors). Without it
/// none may, and no answer has a header of CORS.
///
/// An origin is where a page comes from, as its browser says it: `https://app.example`, with a port if it
/// is not the usual one, and no path. Those listed may make calls, read streams as events and open
/// WebSockets; all that is asked of other requests is asked of theirs too (the content type, the `Host`,
/// the allow-list).
///
/// ```
/// use farcall_transport::http::Cors;
/// use farcall_transport::server::Server;
///
/// let server = Server::new().cors(Cors::origins(["https://app.example", "http://localhost:5173"])?);
///
/// let refused = Cors::origins(["https://app.example/"]).unwrap_err();
/// assert!(refused.to_string().contains("without a path"));
/// # Ok::<(), farcall_transport::http::BadOrigin>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Origins,
    takes_credentials: bool,
    max_age: Duration,
}

#[derive(Clone, Debug)]
enum Origins {
    Any,
    Listed(Arc<[HeaderValue]>),
}

impl Cors {
    /// Pages of these origins, and of no other.
    ///
    /// # Errors
    /// If one is not written as browsers write it, as it would never be met.
    pub fn origins<O: AsRef<str>>(origins: impl IntoIterator<Item = O>) -> Result<Self, BadOrigin> {
        let origins = origins.into_iter().map(|origin| listed(origin.as_ref()));
        let origins = origins.collect::<Result<_, _>>()?;
        Ok(Self::of(Origins::Listed(origins)))
    }

    /// As [`origins`](Self::origins), and their requests may carry credentials: cookies, and what the
    /// browser itself knows for HTTP's authentication. (A bearer token that the page sends is none of
    /// these, and needs no such leave.) There is no such thing for pages of any origin.
    ///
    /// # Errors
    /// As of [`origins`](Self::origins).
    pub fn with_credentials<O: AsRef<str>>(
        origins: impl IntoIterator<Item = O>,
    ) -> Result<Self, BadOrigin> {
        let mut cors = Self::origins(origins)?;
        cors.takes_credentials = true;
        Ok(cors)
    }

    /// Every page on the web that a user of this server's network may open, and files and sandboxed frames.
    #[must_use]
    pub fn any() -> Self {
        Self::of(Origins::Any)
    }

    fn of(origins: Origins) -> Self {
        Self {
            origins,
            takes_credentials: false,
            max_age: MAX_AGE,
        }
    }

    /// Sets how long a browser may keep what it was told before a first call. Default 10 minutes.
    #[must_use]
    pub fn max_age(mut self, time: Duration) -> Self {
        self.max_age = time;
        self
    }

    /// True if a page whose browser sends these headers may call.
    pub(super) fn takes(&self, headers: &impl Fields) -> bool {
        let mut origins = headers.all(&ORIGIN);
        match (origins.next(), origins.next()) {
            (Some(origin), None) => match &self.origins {
                Origins::Any => true,
                Origins::Listed(listed) => listed.iter().any(|listed| listed == origin),
            },
            _ => false,
        }
    }

    /// What every answer to a request with these headers says.
    pub(super) fn shared(&self, headers: &impl Fields) -> Shared {
        match &self.origins {
            Origins::Any => Shared {
                with: Some(HeaderValue::from_static("*")),
                varies: false,
                takes_credentials: false,
            },
            Origins::Listed(_) => {
                let origin = self.takes(headers).then(|| headers.first(&ORIGIN));
                Shared {
                    with: origin
                        .flatten()
                        .and_then(|origin| HeaderValue::from_bytes(origin).ok()),
                    varies: true,
                    takes_credentials: self.takes_credentials,
                }
            }
        }
    }

    /// The answer to a browser that asks whether a page may call ("preflight"), if that is what this
    /// asks. What [`Shared`] says is still to be said.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Reply> {
        let asks = method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || !self.takes(headers) {
            return None;
        }
        let mut reply = Response::new(Full::default());
        *reply.status_mut() = StatusCode::NO_CONTENT;
        let to = reply.headers_mut();
        to.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, POST"),
        );
        let names = headers
            .all(&ACCESS_CONTROL_REQUEST_HEADERS)
            .filter_map(text);
        let names = names.flat_map(|names| names.split(',')).map(str::trim);
        let names: Vec<_> = names.filter(|name| is_taken(name)).collect();
        if let (false, Ok(names)) = (names.is_empty(), HeaderValue::try_from(names.join(", "))) {
            to.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        to.insert(
            ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from(self.max_age.as_secs()),
        );
        to.append(
            VARY,
            HeaderValue::from_static(
                "access-control-request-method, access-control-request-headers",
            ),
        );
        Some(reply)
    }
}

/// True for headers that mean something here: the call's own, and what describes its message.
fn is_taken(name: &str) -> bool {
    const KNOWN: [&str; 5] = [
        "accept",
        "content-encoding",
        "content-type",
        "farcall-timeout-ms",
        "farcall-version",
    ];
    let is_known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
    HeaderName::from_bytes(name.as_bytes()).is_ok() && (is_known || is_a_callers(name))
}

/// What an answer says to browsers about the pages that may read it.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    with: Option<HeaderValue>,
    /// Another page would be told something else.
    pub(super) varies: bool,
    takes_credentials: bool,
}

impl Shared {
    /// That it varies, where it does.
    pub(super) const VARY: &'static str = "origin";

    /// The other headers of an answer whose headers have these names.
    pub(super) fn headers<'a>(
        &self,
        names: impl Iterator<Item = &'a HeaderName>,
    ) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let with = self.with.clone();
        let credentials =
            (with.is_some() && self.takes_credentials).then(|| HeaderValue::from_static("true"));
        let exposed = with.as_ref().and_then(|_| exposed(names));
        let said = [
            (ACCESS_CONTROL_ALLOW_ORIGIN, with),
            (ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials),
            (ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
        ];
        said.into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }

    /// Says it in `reply`.
    pub(super) fn put<B>(&self, reply: &mut Response<B>) {
        let to = reply.headers_mut();
        if self.varies {
            to.append(VARY, HeaderValue::from_static(Self::VARY));
        }
        let said: Vec<_> = self.headers(to.keys()).collect();
        to.extend(said);
    }
}

/// The metadata of a reply, which a page reads only if it is named. (A `*` would name nothing where
/// there are credentials.)
fn exposed<'a>(names: impl Iterator<Item = &'a HeaderName>) -> Option<HeaderValue> {
    let mut exposed: Vec<&str> = names.map(HeaderName::as_str).collect();
    exposed.retain(|name| is_of_reply(name));
    exposed.sort_unstable();
    exposed.dedup();
    match exposed.is_empty() {
        true => None,
        false => HeaderValue::try_from(exposed.join(", ")).ok(),
    }
}

/// Why something is no origin as browsers write it.
///
/// ```
/// let refused = farcall_transport::http::Cors::origins(["app.example"]).unwrap_err();
/// assert!(refused.to_string().contains("https://app.example"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOrigin {
    origin: String,
    why: &'static str,
}

impl fmt::Display for BadOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, why } = self;
        write!(f, "{origin:?} is no origin: {why}")
    }
}

impl std::error::Error for BadOrigin {}

fn listed(origin: &str) -> Result<HeaderValue, BadOrigin> {
    let why = match origin.split_once("://") {
        None if origin == "*" => "every page is `Cors::any()`",
        None if origin == "null" => "every sandboxed frame says that",
        None => "write it as https://app.example",
        Some((_, "")) => "there is no host",
        Some((_, rest)) if rest.contains(['/', '?', '#']) => "write it without a path",
        Some((_, rest)) if rest.contains('@') => "write it without a user",
        Some(_) if origin.contains('*') => "there are no patterns; list each",
        Some((scheme, _)) if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            "write it as https://app.example"
        }
        Some(_) if !origin.bytes().all(|byte| byte.is_ascii_graphic()) => {
            "write a host outside of ASCII as browsers do (xn--…)"
        }
        Some(_) if origin.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            "browsers write it in lower case"
        }
        Some(("http", rest)) if rest.ends_with(":80") => "browsers leave out the usual port, 80",
        Some(("https", rest)) if rest.ends_with(":443") => "browsers leave out the usual port, 443",
        Some(_) => "",
    };
    match (why, HeaderValue::try_from(origin)) {
        ("", Ok(value)) => Ok(value),
        (why, _) => Err(BadOrigin {
            origin: origin.escape_debug().to_string(),
            why,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_no_browser_would_write_is_refused() {
        for (origin, why) in [
            ("*", "Cors::any"),
            ("null", "sandboxed"),
            ("app.example", "https://app.example"),
            ("https://", "no host"),
            ("https://app.example/", "path"),
            ("https://app.example?a", "path"),
            ("https://me@app.example", "user"),
            ("https://*.example", "patterns"),
            ("://app.example", "https://app.example"),
            ("https://App.example", "lower case"),
            ("https://büro.example", "xn--"),
            ("https://app.example ", "xn--"),
            ("https://app.example\r\nx: y", "xn--"),
            ("http://app.example:80", "port"),
            ("https://app.example:443", "port"),
        ] {
            let refused = Cors::origins([origin]).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        for origin in [
            "https://app.example",
            "http://localhost:5173",
            "http://[::1]:8000",
            "https://app.example:80",
            "chrome-extension://abcdefgh",
        ] {
            assert!(Cors::origins([origin]).is_ok(), "{origin}");
        }
    }

    #[test]
    fn a_page_may_send_what_belongs_to_a_call_and_nothing_of_https_own() {
        let cors = Cors::origins(["https://app.example"]).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (ORIGIN, "https://app.example"),
            (ACCESS_CONTROL_REQUEST_METHOD, "POST"),
            (
                ACCESS_CONTROL_REQUEST_HEADERS,
                "content-type, Trace-Id,farcall-timeout-ms, authorization, host, te, sec-x, \
                 farcall-new, a b, ",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let reply = cors.preflight(&Method::OPTIONS, &headers).unwrap();
        assert_eq!(
            reply.headers()[ACCESS_CONTROL_ALLOW_HEADERS],
            "content-type, Trace-Id, farcall-timeout-ms, authorization"
        );
        assert!(cors.preflight(&Method::GET, &headers).is_none());
        headers.append(ORIGIN, HeaderValue::from_static("https://app.example"));
        assert!(cors.preflight(&Method::OPTIONS, &headers).is_none());
    }
}
