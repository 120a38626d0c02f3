//! Which service answers which method.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::fault::Fault;
use crate::introspection::{Info, Introspection};
use crate::method::{Method, hash};
use crate::service::{AnyService, Request, Running, Service, Slot};

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
    by_hash: HashMap<u32, Entry, BuildHasherDefault<Spread>>,
    introspection: Introspection,
}

struct Entry {
    name: &'static str,
    target: Target,
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
        let mut router = Router {
            methods: services.iter().map(|service| service.methods()).collect(),
            services,
            by_hash: HashMap::default(),
            introspection,
        };
        for service in 0..router.services.len() {
            router.register(service)?;
        }
        let router = Arc::new(router);
        router.introspection.answers_for(&router);
        Ok(router)
    }
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

    fn register(&mut self, service: usize) -> Result<(), Conflict> {
        let methods = self.methods.get(service).copied().unwrap_or_default();
        for (index, method) in methods.iter().enumerate() {
            let target = Target {
                service,
                method: index,
            };
            for name in std::iter::once(&method.name).chain(method.aliases) {
                let entry = Entry { name, target };
                if let Some(known) = self.by_hash.insert(hash(name), entry) {
                    let other = self.method(known.target).map_or("", |other| other.name);
                    return Err(match known.name == *name {
                        true => Conflict::name(name, other),
                        false => Conflict::hash(name, other),
                    });
                }
            }
        }
        Ok(())
    }

    /// Where the method of this wire name is.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Target> {
        let entry = self.by_hash.get(&hash(name))?;
        (entry.name == name).then_some(entry.target)
    }

    /// Where the method of this [hash] is.
    #[must_use]
    pub fn find_hash(&self, hash: u32) -> Option<Target> {
        self.by_hash.get(&hash).map(|entry| entry.target)
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

    /// Starts a call that the caller polls itself.
    pub(crate) fn call(&self, target: Target, request: Request) -> Result<Running, Fault> {
        match self.services.get(target.service) {
            Some(service) => {
                request.has_its_stream()?;
                Ok(service.call(request))
            }
            None => Err(request.unknown_method()),
        }
    }

    /// A slot for each service, for one connection.
    pub(crate) fn slots(&self) -> Vec<Box<dyn Slot>> {
        self.services.iter().map(|service| service.slot()).collect()
    }
}

/// A hash is hashed already: its bits are only spread over a word. The keys are the traits' own, so
/// nobody outside can crowd them.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, hash: u32) {
        // 2^64 over the golden ratio, as Knuth has it for multiplicative hashing.
        self.0 = (self.0 ^ u64::from(hash)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
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
