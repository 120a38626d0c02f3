//! Connections inside one process, found by name.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::io::DuplexStream;
use tokio::sync::mpsc;

/// How much may be under way in each direction.
const BUFFER: usize = 64 * 1024;
/// How many connections may wait to be accepted.
const BACKLOG: usize = 128;

type Listeners = HashMap<String, mpsc::Sender<DuplexStream>>;

static LISTENERS: LazyLock<Mutex<Listeners>> = LazyLock::new(Mutex::default);

fn listeners() -> MutexGuard<'static, Listeners> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name at which connections arrive, until it is dropped.
#[derive(Debug)]
pub(crate) struct MemoryListener {
    name: String,
    incoming: mpsc::Receiver<DuplexStream>,
}

impl MemoryListener {
    pub(crate) fn bind(name: &str) -> io::Result<Self> {
        let (sender, incoming) = mpsc::channel(BACKLOG);
        match listeners().entry(name.to_owned()) {
            std::collections::hash_map::Entry::Occupied(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::AddrInUse,
                    "the name is taken",
                ));
            }
            std::collections::hash_map::Entry::Vacant(free) => free.insert(sender),
        };
        Ok(Self {
            name: name.to_owned(),
            incoming,
        })
    }

    pub(crate) async fn accept(&mut self) -> io::Result<DuplexStream> {
        self.incoming
            .recv()
            .await
            .ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// One that waits already; the error says `WouldBlock` if none does.
    pub(crate) fn accept_waiting(&mut self) -> io::Result<DuplexStream> {
        let waiting = self.incoming.try_recv();
        waiting.map_err(|_| io::ErrorKind::WouldBlock.into())
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        listeners().remove(&self.name);
    }
}

/// A connection to whoever listens at `name`.
pub(crate) async fn connect(name: &str) -> io::Result<DuplexStream> {
    let nobody = || io::Error::new(io::ErrorKind::ConnectionRefused, "nobody listens there");
    let listener = listeners().get(name).cloned().ok_or_else(nobody)?;
    let (mine, theirs) = pair();
    listener.send(theirs).await.map_err(|_| nobody())?;
    Ok(mine)
}

/// The two ends of a connection.
pub(crate) fn pair() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(BUFFER)
}
