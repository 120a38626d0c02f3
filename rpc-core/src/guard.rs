//! Who may call: a layer that asks before a call's parameters are read.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::context::Context;
use crate::fault::{Fault, code};
use crate::method::Method;
use crate::service::{Reply, Request, Service};

/// Decides about calls. It sees what is known of a call beside its parameters: the method, where it
/// comes from, its metadata, what TLS says of the caller; and it may [extend](Context::extend) the
/// context with who it found the caller to be.
///
/// ```
/// use farcall_core::context::Context;
/// use farcall_core::fault::{Fault, code};
/// use farcall_core::guard::Check;
///
/// #[derive(Clone)]
/// struct ReadOnly;
///
/// impl Check for ReadOnly {
///     async fn check(&self, cx: &Context) -> Result<(), Fault> {
///         // The method that will run, whatever its caller called it by.
///         match cx.method() {
///             "erase" => Err(Fault::new(code::FORBIDDEN, "nothing is erased here")),
///             _ => Ok(()),
///         }
///     }
/// }
/// ```
pub trait Check: Clone + Send + Sync + 'static {
    /// Lets a call pass, or says why not.
    fn check(&self, context: &Context) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A service whose calls a [`Check`] has to let pass. Those that it does not are answered with its
/// fault, and their parameters are not read. Members of a batch are asked about one by one.
///
/// ```
/// use farcall_core::guard::{Guarded, Tokens};
/// use farcall_core::introspection::Introspection;
///
/// let service = Introspection::default();
/// let guarded = Guarded::new(service, Tokens::new([("s3cr3t", "ada".to_owned())]));
/// ```
#[derive(Clone, Debug)]
pub struct Guarded<S, C> {
    service: S,
    check: C,
}

impl<S, C> Guarded<S, C> {
    /// `service` behind `check`.
    pub fn new(service: S, check: C) -> Self {
        Self { service, check }
    }
}

impl<S: Service, C: Check> Service for Guarded<S, C> {
    const METHODS: &'static [Method] = S::METHODS;

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<S, C> {
        let Self { service, check } = self.clone();
        async move {
            check.check(request.context()).await?;
            service.call(request).await
        }
    }
}

/// Bearer tokens ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)), each with whose it is: a
/// handler finds that with [`Context::extension`].
///
/// A token is the metadata `authorization`, `Bearer` before it: over HTTP the header of that name. A
/// JSON-RPC text on a stream has no place for metadata, so that there every call is refused. Who has
/// none, or one that is not known, gets the fault [`UNAUTHENTICATED`](code::UNAUTHENTICATED).
///
/// How long a comparison takes tells nothing of a token but its length.
///
/// ```
/// use farcall_core::guard::Tokens;
///
/// #[derive(Clone)]
/// struct User(&'static str);
///
/// let tokens = Tokens::new([("s3cr3t", User("ada")), ("0ther", User("grace"))]);
/// assert!(!format!("{tokens:?}").contains("s3cr3t"));
/// ```
pub struct Tokens<T> {
    known: Arc<[(Vec<u8>, T)]>,
}

impl<T> Tokens<T> {
    /// These tokens, and whose they are. An empty one is nobody's.
    pub fn new<K: Into<Vec<u8>>>(tokens: impl IntoIterator<Item = (K, T)>) -> Self {
        let tokens = tokens.into_iter().map(|(token, who)| (token.into(), who));
        Self {
            known: tokens.filter(|(token, _)| !token.is_empty()).collect(),
        }
    }

    /// Whose token that is. All are looked at, whichever it is.
    fn whose(&self, token: &[u8]) -> Option<&T> {
        let mut found = None;
        for (known, who) in self.known.iter() {
            if known.as_slice().ct_eq(token).into() {
                found = Some(who);
            }
        }
        found
    }
}

impl<T> Clone for Tokens<T> {
    fn clone(&self) -> Self {
        Self {
            known: Arc::clone(&self.known),
        }
    }
}

impl<T> fmt::Debug for Tokens<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.known.len())
    }
}

impl<T: Clone + Send + Sync + 'static> Check for Tokens<T> {
    async fn check(&self, context: &Context) -> Result<(), Fault> {
        let mut given = context.metadata().iter();
        let given = given.find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let Some((_, given)) = given else {
            return Err(unknown("the call has no token (metadata `authorization`)"));
        };
        let (scheme, token) = given.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unknown(
                "the metadata `authorization` is not `Bearer TOKEN`",
            ));
        }
        let who = self.whose(token.trim().as_bytes());
        context.extend(
            who.ok_or_else(|| unknown("the token is not known"))?
                .clone(),
        );
        Ok(())
    }
}

fn unknown(words: &str) -> Fault {
    Fault::new(code::UNAUTHENTICATED, words)
}
