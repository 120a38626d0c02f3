//! The methods by which a foreign client learns what a server offers: `system.*`, `rpc.discover`.
//!
//! `listMethods`, `methodHelp` and `methodSignature` as in the XML-RPC introspection convention
//! (<http://xmlrpc-c.sourceforge.net/introspection.html>); `multicall` as first described on
//! xmlrpc.com: many calls in one. `rpc.discover` as in OpenRPC (<https://spec.open-rpc.org>).

mod info;
mod multicall;
#[cfg(feature = "json")]
mod openrpc;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};

use serde::{Deserialize, Serialize};

pub use info::Info;
#[cfg(feature = "json")]
pub(crate) use multicall::NAME as MULTICALL;

#[cfg(feature = "json")]
use crate::encoding::Encoding;
use crate::fault::Fault;
#[cfg(feature = "json")]
use crate::fault::code;
use crate::method::{Method, Param};
use crate::params::required;
use crate::router::Router;
use crate::service::{Reply, Request, Service};
use crate::shape::Shape;

/// The service that answers `system.*` and `rpc.discover`. Every router has one.
///
/// ```
/// use farcall_core::{introspection::Introspection, service::Service};
///
/// assert_eq!(<Introspection as Service>::METHODS[0].name, "system.listMethods");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Introspection {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Sorted by name.
    methods: Vec<&'static Method>,
    router: OnceLock<Weak<Router>>,
    info: Info,
    /// The OpenRPC document, made when it is first asked for.
    #[cfg(feature = "json")]
    document: OnceLock<serde_json::Value>,
}

impl Introspection {
    /// Describes `methods`, and its own.
    pub(crate) fn of(methods: impl Iterator<Item = &'static Method>, info: Info) -> Self {
        let mut methods: Vec<_> = methods.chain(<Self as Service>::METHODS).collect();
        methods.sort_by_key(|method| method.name);
        Self {
            inner: Arc::new(Inner {
                methods,
                info,
                ..Inner::default()
            }),
        }
    }

    /// Sends the members of a multicall to `router`.
    pub(crate) fn answers_for(&self, router: &Arc<Router>) {
        // A second router cannot come: each makes an `Introspection` of its own.
        let _ = self.inner.router.set(Arc::downgrade(router));
    }

    /// The OpenRPC document of the services.
    #[cfg(feature = "json")]
    pub(crate) fn openrpc(&self) -> &serde_json::Value {
        let Inner {
            methods,
            info,
            document,
            ..
        } = &*self.inner;
        document.get_or_init(|| {
            let own: Vec<_> = <Self as Service>::METHODS.iter().map(|m| m.name).collect();
            let mut methods = methods.clone();
            methods.retain(|method| !own.contains(&method.name));
            openrpc::document(info, &methods)
        })
    }

    fn method(&self, name: &str) -> Result<&'static Method, Fault> {
        let at = self
            .inner
            .methods
            .iter()
            .position(|method| method.name == name || method.aliases.contains(&name));
        at.and_then(|at| self.inner.methods.get(at))
            .copied()
            .ok_or_else(|| Fault::method_not_found(name))
    }
}

impl Service for Introspection {
    const METHODS: &'static [Method] = &[
        Method::new("system.listMethods", "Lists the names of all methods.")
            .returns::<Vec<String>>()
            .idempotent(),
        Method::new("system.methodHelp", "Describes the method of this name.")
            .takes(&[Param::required::<String>("name")])
            .returns::<String>()
            .idempotent(),
        Method::new(
            "system.methodSignature",
            "Lists the signatures of the method of this name: each the type of its result, then \
             those of its parameters.",
        )
        .takes(&[Param::required::<String>("name")])
        .returns::<Vec<Vec<String>>>()
        .idempotent(),
        Method::new(
            multicall::NAME,
            "Makes several calls, each a struct of methodName and params, side by side. Answers in \
             their order: each result in an array of one, or a struct of faultCode and faultString.",
        )
        .takes(&[Param::required::<Vec<()>>("calls")])
        .returns::<Vec<()>>(),
        Method::new("system.getCapabilities", "Lists the specifications that are followed here.")
            .returns::<BTreeMap<String, Capability>>()
            .idempotent(),
        #[cfg(feature = "json")]
        Method::new(
            openrpc::NAME,
            "Describes all services in an OpenRPC document.",
        )
        .returns::<BTreeMap<String, ()>>()
        .idempotent(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        let this = self.clone();
        async move {
            match request.index() {
                0 => {
                    let () = request.params(())?;
                    let names: Vec<_> = this.inner.methods.iter().map(|m| m.name).collect();
                    request.reply(&names)
                }
                1 => {
                    let (name,) = request.params::<(String,)>((required,))?;
                    let method = this.method(&name)?;
                    request.reply(method.doc)
                }
                2 => {
                    let (name,) = request.params::<(String,)>((required,))?;
                    let method = this.method(&name)?;
                    request.reply(&signatures(method))
                }
                3 => {
                    let router = this.inner.router.get().and_then(Weak::upgrade);
                    let router = router.ok_or_else(|| request.unknown_method())?;
                    multicall::run(&router, request).await
                }
                4 => {
                    let () = request.params(())?;
                    request.reply(&capabilities())
                }
                #[cfg(feature = "json")]
                5 => {
                    let () = request.params(())?;
                    match request.encoding() {
                        Encoding::Json | Encoding::Xml => request.reply(this.openrpc()),
                        other => Err(Fault::new(
                            code::INVALID_REQUEST,
                            format!("an OpenRPC document has no form in {other}: ask in json"),
                        )),
                    }
                }
                _ => Err(request.unknown_method()),
            }
        }
    }
}

/// A specification, as `system.getCapabilities` names it.
#[derive(Serialize, Deserialize)]
struct Capability {
    #[serde(rename = "specUrl")]
    url: String,
    #[serde(rename = "specVersion")]
    version: i32,
}

fn capabilities() -> BTreeMap<&'static str, Capability> {
    [
        ("xmlrpc", "http://www.xmlrpc.com/spec", 1),
        (
            "faults_interop",
            "http://xmlrpc-epi.sourceforge.net/specs/rfc.fault_codes.php",
            20_010_516,
        ),
        (
            "system.multicall",
            "http://www.xmlrpc.com/discuss/msgReader$1208",
            1,
        ),
        (
            "introspection",
            "http://phpxmlrpc.sourceforge.net/doc-2/ch10.html",
            2,
        ),
        ("nil", "http://www.ontosys.com/xml-rpc/extensions.php", 1),
        ("json-rpc", "https://www.jsonrpc.org/specification", 2),
    ]
    .into_iter()
    .map(|(name, url, version)| {
        (
            name,
            Capability {
                url: url.to_owned(),
                version,
            },
        )
    })
    .collect()
}

/// One signature for each number of parameters that may be given: the trailing ones that are not
/// required can be left out. None of a method with streams: XML-RPC cannot call it.
fn signatures(method: &Method) -> Vec<Vec<&'static str>> {
    if method.has_streams() {
        return Vec::new();
    }
    let result = (method.result)();
    let params: Vec<Shape> = method.params.iter().map(|param| (param.shape)()).collect();
    let fewest = method
        .params
        .iter()
        .rposition(|param| param.required)
        .map_or(0, |at| at + 1);
    (fewest..=params.len())
        .map(|count| {
            let given = params.iter().take(count);
            std::iter::once(&result)
                .chain(given)
                .map(|shape| shape.xmlrpc_name())
                .collect()
        })
        .collect()
}
