//! Noticing that a list's file has changed, or that somebody says so.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use super::{AllowList, file};

/// What a look at the file found: a hash of its contents, or why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Text(u64),
    Nothing(io::ErrorKind),
}

impl Seen {
    pub(super) fn of(text: &io::Result<Vec<u8>>) -> Self {
        match text {
            Ok(text) => {
                let mut hasher = DefaultHasher::new();
                text.hash(&mut hasher);
                Self::Text(hasher.finish())
            }
            Err(error) => Self::Nothing(error.kind()),
        }
    }
}

impl AllowList {
    /// Looks at the file `every` so often, and [reloads](Self::reload) it when it has changed and
    /// two looks in a row found the same. For a task of its own; it never ends. A list that is not
    /// from a file is left alone.
    ///
    /// It reads the file rather than to ask when it was changed: that answer can be the same for two
    /// changes in a row, and over a network it can be late.
    ///
    /// ```no_run
    /// # async fn serve() -> Result<(), farcall_transport::allow::AllowListError> {
    /// let list = farcall_transport::allow::AllowList::from_file("/etc/calc/allow")?;
    /// tokio::spawn(list.reload_on_change(std::time::Duration::from_secs(2)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reload_on_change(&self, every: Duration) -> impl Future<Output = ()> + Send + 'static {
        let list = self.clone();
        async move {
            let mut looks = tokio::time::interval(every.max(Duration::from_millis(1)));
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut before = None;
            loop {
                looks.tick().await;
                before = list.aside(move |list| list.look(before)).await.flatten();
            }
        }
    }

    /// [Reloads](Self::reload) the file whenever the process gets the signal `SIGHUP`, which ends it
    /// no more once this is called. For a task of its own; it never ends.
    ///
    /// # Errors
    /// If the signal cannot be listened for.
    pub fn reload_on_hangup(&self) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let list = self.clone();
        let mut hangups = signal(SignalKind::hangup())?;
        Ok(async move {
            while hangups.recv().await.is_some() {
                list.aside(|list| drop(list.reload())).await;
            }
        })
    }

    /// Looks at the file, and takes what is there if that is new and the look `before` saw it too.
    fn look(&self, before: Option<Seen>) -> Option<Seen> {
        let path = self.file()?;
        let mut read = self.read();
        let text = file::read(path);
        let seen = Some(Seen::of(&text));
        if seen == before && seen != *read {
            let reloaded = self.take(path, text, &mut read);
            drop(read);
            self.tell(&reloaded);
        }
        seen
    }

    /// Works with the list where it may block. None if that failed.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let list = self.clone();
        tokio::task::spawn_blocking(move || work(&list)).await.ok()
    }
}
