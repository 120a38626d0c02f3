//! Which service answers which method.

mod table;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use table::{Entry, Table};

use crate::fault::Fault;
#[cfg(feature = "json")]
use crate::fault::code;
#[cfg(feature = "json")]
use crate::introspection::MULTICALL;
use crate::introspection::{Info, Introspection};
use crate::method::{Method, hash};
use crate::service::{AnyService, Calls, Request, Running, Service, Slot};

/// The services of one server, and where each method is.
///
/// ```
/// use farcall_core::router::Router;
///
/// let router = Router::builder().build()?;
/// assert!(router.find("system.listMethods").is_some());
/// # Ok::<(), farcall_core::router::Conflict>(())
/// ```
pub struct Router {
    services: Vec<AnyService>,
    /// The methods of each.
    methods: Vec<&'static [Method]>,
    /// By the hash of each name. No two names have the same.
    by_hash: Table,
    /// Those being answered.
    calls: Calls,
    introspection: Introspection,
}

/// Where a method is.
///
/// ```
/// let router = farcall_core::router::Router::builder().build()?;
/// let target = router.find("system.methodHelp").unwrap();
/// assert_eq!(router.method(target).unwrap().name, "system.methodHelp");
/// # Ok::<(), farcall_core::router::Conflict>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    service: usize,
    method: usize,
}

/// Collects services for a [`Router`].
///
/// ```
/// assert!(farcall_core::router::Router::builder().build().is_ok());
/// ```
#[derive(Clone, Default)]
pub struct Builder {
    services: Vec<AnyService>,
    info: Info,
}

impl Builder {
    /// Says what the services are, as a whole.
    #[must_use]
    pub fn info(mut self, info: Info) -> Self {
        self.info = info;
        self
    }

    /// Adds a service.
    #[must_use]
    pub fn service<S: Service>(mut self, service: S) -> Self {
        self.services.push(Arc::new(service));
        self
    }

    /// The router.
    ///
    /// # Errors
    /// If two methods have the same wire name, or the same hash.
    pub fn build(self) -> Result<Arc<Router>, Conflict> {
        let Self { mut services, info } = self;
        let introspection = Introspection::of(services.iter().flat_map(|s| s.methods()), info);
        services.push(Arc::new(introspection.clone()));
        let methods: Vec<_> = services.iter().map(|service| service.methods()).collect();
        let router = Arc::new(Router {
            by_hash: by_hash(&methods)?,
            methods,
            services,
            calls: Calls::default(),
            introspection,
        });
        router.introspection.answers_for(&router);
        Ok(router)
    }
}

/// Where the `methods` of each service are, by the hashes of their names.
fn by_hash(methods: &[&'static [Method]]) -> Result<Table, Conflict> {
    let mut entries: HashMap<u32, (Entry, &str)> = HashMap::new();
    for (service, methods) in methods.iter().enumerate() {
        for (index, method) in methods.iter().enumerate() {
            let target = Target {
                service,
                method: index,
            };
            for &name in std::iter::once(&method.name).chain(method.aliases) {
                let hash = hash(name);
                let entry = Entry { hash, name, target };
                if let Some((known, other)) = entries.insert(hash, (entry, method.name)) {
                    return Err(match known.name == name {
                        true => Conflict::name(name, other),
                        false => Conflict::hash(name, other),
                    });
                }
            }
        }
    }
    Ok(Table::new(entries.into_values().map(|(entry, _)| entry)))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Builder({} services)", self.services.len())
    }
}

impl Router {
    /// A router without services.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where the method of this wire name is.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Target> {
        let entry = self.by_hash.find(hash(name))?;
        (entry.name == name).then_some(entry.target)
    }

    /// Where the method of this [hash] is.
    #[inline]
    #[must_use]
    pub fn find_hash(&self, hash: u32) -> Option<Target> {
        self.by_hash.find(hash).map(|entry| entry.target)
    }

    /// The method there.
    #[must_use]
    pub fn method(&self, target: Target) -> Option<&'static Method> {
        self.methods.get(target.service)?.get(target.method)
    }

    /// The wire names of all methods, sorted, without their aliases.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let methods = self.methods.iter().copied().flatten();
        let mut names: Vec<_> = methods.map(|method| method.name).collect();
        names.sort_unstable();
        names
    }

    /// The OpenRPC document of the services, as JSON: what `rpc.discover` answers.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn openrpc(&self) -> String {
        self.introspection.openrpc().to_string()
    }

    /// How many calls are in flight, over all connections. (Those that are answered where they are read
    /// are over before anybody could count them.)
    #[must_use]
    pub fn calls_in_flight(&self) -> usize {
        self.calls.len()
    }

    /// The calls that are being answered.
    #[inline]
    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The method of a member of a batch: any but the one that is a batch itself, of which each would
    /// hold as many members again.
    #[cfg(feature = "json")]
    pub(crate) fn in_batch(&self, target: Target) -> Result<Target, Fault> {
        match self.method(target) {
            Some(method) if method.name == MULTICALL => Err(Fault::new(
                code::INVALID_REQUEST,
                "a batch may not hold a multicall",
            )),
            _ => Ok(target),
        }
    }

    /// Starts a call that the caller polls itself, if the server takes another.
    pub(crate) fn call(&self, target: Target, request: Request) -> Result<Running, Fault> {
        match self.services.get(target.service) {
            Some(service) => {
                request.has_its_stream()?;
                let counted = self.calls.admit(request.context().peer().limits.calls)?;
                Ok(service.call(request).counted(counted))
            }
            None => Err(request.unknown_method()),
        }
    }

    /// A slot for each service, for one connection.
    pub(crate) fn slots(&self) -> Vec<Box<dyn Slot>> {
        self.services.iter().map(|service| service.slot()).collect()
    }
}

impl Target {
    /// Which of a connection's slots starts the call.
    pub(crate) fn slot(self) -> usize {
        self.service
    }

    /// Which of the service's methods it is.
    pub(crate) fn index(self) -> usize {
        self.method
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Router({} names)", self.by_hash.len())
    }
}

/// Two methods that one server cannot both have.
///
/// ```
/// use farcall_core::{introspection::Introspection, router::Router};
///
/// let twice = Router::builder().service(Introspection::default()).build();
/// assert!(twice.unwrap_err().to_string().contains("system.listMethods"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict(String);

impl Conflict {
    fn name(name: &str, other: &str) -> Self {
        Self(format!(
            "two services have a method `{name}` (the other is `{other}`): give one a namespace, \
             `#[farcall::service(namespace = \"…\")]`"
        ))
    }

    fn hash(name: &str, other: &str) -> Self {
        Self(format!(
            "the methods `{name}` and `{other}` have the same hash, by which native frames call \
             them: rename one, `#[rpc(name = \"…\")]`"
        ))
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Conflict {}
