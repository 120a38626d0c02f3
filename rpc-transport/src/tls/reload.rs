//! A server's certificates, read again when their files change.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::server::{Source, Told};
use super::{ServerTls, TlsError};
use crate::trace;

/// How often a server looks at its files.
const EVERY: Duration = Duration::from_secs(5);

impl ServerTls {
    /// Calls `told` after each attempt to read the files again, with the reason why the old
    /// certificates stay, if they do. (With the feature `tracing` there is an event as well.)
    #[must_use]
    pub fn on_reload(self, told: impl Fn(&Result<(), TlsError>) + Send + Sync + 'static) -> Self {
        *self.told() = Some(Arc::new(told));
        self
    }

    /// Reads the files again, and uses what is in them for all connections that come from now on.
    /// A server that runs does this by itself when the files have changed: it looks at them every 5
    /// seconds, and takes what two looks in a row have found.
    ///
    /// Connections that are open stay as they are. No session goes on that began before, so that who
    /// is trusted no more has to show so.
    ///
    /// ```no_run
    /// # fn hangup() -> Result<(), farcall_transport::tls::TlsError> {
    /// let tls = farcall_transport::tls::ServerTls::from_pem_files("cert.pem", "key.pem")?;
    /// tls.reload()
    /// # }
    /// ```
    ///
    /// # Errors
    /// If what is in the files cannot be used, or there are none; then nothing changes.
    pub fn reload(&self) -> Result<(), TlsError> {
        let Source::Pem(files) = self.source() else {
            return Err(TlsError::new(
                "the certificates are from a configuration of rustls, and in no file",
            ));
        };
        let mut read = self.seen();
        *read = look(self);
        let reloaded = files.read().map(|config| self.replace(config));
        drop(read);
        trace::certificates(&reloaded);
        let told: Option<Told> = self.told().clone();
        if let Some(told) = told {
            told(&reloaded);
        }
        reloaded
    }

    /// Looks at the files for ever.
    pub(crate) async fn follow(self) {
        let mut looks = tokio::time::interval(EVERY);
        let mut before = None;
        loop {
            looks.tick().await;
            let tls = self.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let now = look(&tls);
                let known = *tls.seen();
                // A file that is being written is not read before that has ended.
                if now == before && now != known {
                    // Whoever wants to know was told.
                    let _ = tls.reload();
                }
                now
            });
            before = looked.await.ok().flatten();
        }
    }
}

/// A hash of what is in the files; `None` if they cannot be read, or there are none.
pub(super) fn look(tls: &ServerTls) -> Option<u64> {
    let Source::Pem(files) = tls.source() else {
        return None;
    };
    let mut hasher = DefaultHasher::new();
    for pem in files.all() {
        pem.read().ok()?.hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// The guard of a lock that a panic elsewhere does not spoil.
pub(super) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
