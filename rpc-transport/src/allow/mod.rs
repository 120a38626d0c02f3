//! Who may come in, by address.
//!
//! `rules` understands entries and answers for addresses, `file` reads a list from disk, `follow`
//! notices that it changed, `error` says what is wrong with it.

mod error;
mod file;
mod follow;
mod rules;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

pub use error::AllowListError;

use crate::trace;
use follow::Seen;
use rules::Rules;

/// How long calls in flight of a peer that is taken off the list may go on.
const GRACE: Duration = Duration::from_secs(30);

/// The addresses that may come in. Nobody else may, whatever is spoken: the list is asked as a
/// connection is accepted, before TLS and before a byte is read.
///
/// An entry is an address or a network, `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. An IPv4-mapped
/// IPv6 address is the IPv4 address in it, in entries as in peers; `::/0` is all of IPv6 and
/// nothing of IPv4. In a file each entry has a line, and `#` begins a comment.
///
/// A clone is the same list: it can be changed while servers ask it, and changes as a whole. A
/// connection of an address that was taken off gets no further call answered; calls in flight may go
/// on for the [`grace`](Self::grace). Connections without an address (Unix sockets, memory, streams
/// that are handed over) are not asked about.
///
/// ```
/// use farcall_transport::{allow::AllowList, server::Server};
///
/// let list = AllowList::new(["127.0.0.0/8", "::1"])?;
/// let server = Server::new().allow(list.clone());
/// // Later, while the server runs:
/// list.set(["192.0.2.0/24"])?;
/// assert!(!list.allows("127.0.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AllowList {
    shared: Arc<Shared>,
}

struct Shared {
    rules: watch::Sender<Rules>,
    file: Option<PathBuf>,
    settings: Mutex<Settings>,
    /// What was read last. Held while the list is read anew: of two that do so the later must win.
    read: Mutex<Option<Seen>>,
}

#[derive(Clone)]
struct Settings {
    grace: Duration,
    told: Option<Told>,
}

type Told = Arc<dyn Fn(&Result<usize, AllowListError>) + Send + Sync>;

impl AllowList {
    /// The list of these entries. With none it lets nobody in.
    ///
    /// # Errors
    /// If an entry is neither an address nor a network.
    pub fn new<I>(entries: I) -> Result<Self, AllowListError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        Ok(Self::of(rules(entries)?, None))
    }

    /// The list in `text`, which is as a file has it: an entry a line, `#` begins a comment. For those
    /// who keep it somewhere else.
    ///
    /// ```
    /// use farcall_transport::allow::AllowList;
    ///
    /// let list = AllowList::parse(b"127.0.0.1 # this machine\n2001:db8::/32\n")?;
    /// assert_eq!(list.entries(), 2);
    /// let wrong = AllowList::parse(b"127.0.0.1\n127.0.0.01\n");
    /// assert_eq!(wrong.unwrap_err().line(), Some(2));
    /// # Ok::<(), farcall_transport::allow::AllowListError>(())
    /// ```
    ///
    /// # Errors
    /// If a line is no entry, or is not UTF-8. A text without entries lets nobody in.
    pub fn parse(text: &[u8]) -> Result<Self, AllowListError> {
        let rules = Rules::parse(text);
        let rules = rules.map_err(|mistake| AllowListError::in_line(None, mistake))?;
        Ok(Self::of(rules, None))
    }

    /// The list in this file. It is read again by [`reload`](Self::reload), and by
    /// [`reload_on_change`](Self::reload_on_change) and [`reload_on_hangup`](Self::reload_on_hangup).
    ///
    /// ```
    /// use farcall_transport::allow::AllowList;
    ///
    /// let file = std::env::temp_dir().join(format!("allow-{}", std::process::id()));
    /// std::fs::write(&file, "# the office\n192.0.2.0/24\n")?;
    /// let list = AllowList::from_file(&file)?;
    /// std::fs::write(&file, "192.0.2.0/24\n2001:db8::/32 # and the other one\n")?;
    /// assert_eq!(list.reload()?, 2);
    /// # std::fs::remove_file(file)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file cannot be read, is no regular file, has more than 16 MiB, has a line that is no
    /// entry, has no entry at all, or its last line has no line feed.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, AllowListError> {
        let path = path.into();
        let text = file::read(&path);
        let seen = Seen::of(&text);
        let list = Self::of(rules_in(&path, text)?, Some(path));
        *list.read() = Some(seen);
        Ok(list)
    }

    fn of(rules: Rules, file: Option<PathBuf>) -> Self {
        let settings = Settings {
            grace: GRACE,
            told: None,
        };
        Self {
            shared: Arc::new(Shared {
                rules: watch::Sender::new(rules),
                file,
                settings: Mutex::new(settings),
                read: Mutex::default(),
            }),
        }
    }

    /// Sets how long calls in flight of an address that is taken off the list may go on; then they
    /// are dropped and the connection is closed. Default 30 s; zero is at once. It holds for
    /// connections that come after it is set.
    #[must_use]
    pub fn grace(self, grace: Duration) -> Self {
        self.settings().grace = grace;
        self
    }

    /// Calls `told` after each attempt to read the file again, with how many entries the list has
    /// now, or why the old one stays. (With the feature `tracing` there is an event as well.)
    #[must_use]
    pub fn on_reload(
        self,
        told: impl Fn(&Result<usize, AllowListError>) + Send + Sync + 'static,
    ) -> Self {
        self.settings().told = Some(Arc::new(told));
        self
    }

    /// True if `address` may come in.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        self.shared.rules.borrow().allow(address)
    }

    /// How many entries the list has.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.shared.rules.borrow().entries()
    }

    /// Puts these entries in the place of all there are.
    ///
    /// # Errors
    /// If an entry is neither an address nor a network; then nothing changes.
    pub fn set<I>(&self, entries: I) -> Result<(), AllowListError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let rules = rules(entries)?;
        self.shared.rules.send_replace(rules);
        Ok(())
    }

    /// Reads the file again, and takes what is in it in the place of all there is. How many entries
    /// that are.
    ///
    /// It reads a file, so it blocks for as long as that takes.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file), or if the list is of another origin; then nothing changes.
    pub fn reload(&self) -> Result<usize, AllowListError> {
        let reloaded = match self.file() {
            Some(path) => {
                let mut read = self.read();
                let text = file::read(path);
                self.take(path, text, &mut read)
            }
            None => Err(AllowListError::no_file()),
        };
        self.tell(&reloaded);
        reloaded
    }

    /// Takes `text` in the place of what there is.
    fn take(
        &self,
        path: &Path,
        text: io::Result<Vec<u8>>,
        read: &mut Option<Seen>,
    ) -> Result<usize, AllowListError> {
        *read = Some(Seen::of(&text));
        let rules = rules_in(path, text)?;
        let entries = rules.entries();
        self.shared.rules.send_replace(rules);
        Ok(entries)
    }

    /// Tells whoever wants to know.
    fn tell(&self, reloaded: &Result<usize, AllowListError>) {
        trace::reloaded(reloaded);
        let told = self.settings().told.clone();
        if let Some(told) = told {
            told(reloaded);
        }
    }

    fn file(&self) -> Option<&Path> {
        self.shared.file.as_deref()
    }

    fn read(&self) -> MutexGuard<'_, Option<Seen>> {
        self.shared
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        let settings = self.shared.settings.lock();
        settings.unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection from `address`, if it may come in.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Admitted> {
        let admitted = Admitted {
            address,
            rules: self.shared.rules.subscribe(),
            grace: self.settings().grace,
        };
        admitted.is_allowed().then_some(admitted)
    }
}

/// A connection that was let in, and that may be no more.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    address: IpAddr,
    rules: watch::Receiver<Rules>,
    grace: Duration,
}

impl Admitted {
    /// True if its address is still allowed.
    pub(crate) fn is_allowed(&self) -> bool {
        self.rules.borrow().allow(self.address)
    }

    /// Waits until its address is allowed no more.
    pub(crate) async fn removed(&mut self) {
        let address = self.address;
        let removed = self.rules.wait_for(|rules| !rules.allow(address));
        if removed.await.is_err() {
            // Nobody has the list any more who could change it.
            std::future::pending().await
        }
    }

    /// Waits until its address is allowed no more, and for as long as its calls may then go on.
    pub(crate) async fn over(&mut self) {
        self.removed().await;
        if !self.grace.is_zero() {
            tokio::time::sleep(self.grace).await;
        }
    }
}

fn rules<I>(entries: I) -> Result<Rules, AllowListError>
where
    I: IntoIterator<Item: AsRef<str>>,
{
    let entries: Vec<_> = entries.into_iter().collect();
    let numbered = (1..).zip(&entries);
    let trimmed = numbered.map(|(number, entry)| (number, entry.as_ref().trim()));
    Rules::of(trimmed).map_err(AllowListError::entry)
}

/// The rules in `text`, which is what the file there holds.
fn rules_in(path: &Path, text: io::Result<Vec<u8>>) -> Result<Rules, AllowListError> {
    let text = text.map_err(|error| AllowListError::unread(path, error))?;
    let rules = Rules::parse(&text);
    let rules = rules.map_err(|mistake| AllowListError::in_line(Some(path), mistake))?;
    match rules.entries() {
        // More likely a file that is about to be written than the wish to serve nobody.
        0 => Err(AllowListError::empty(path)),
        _ => Ok(rules),
    }
}

impl fmt::Debug for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllowList")
            .field("entries", &self.entries())
            .field("file", &self.file())
            .finish_non_exhaustive()
    }
}
