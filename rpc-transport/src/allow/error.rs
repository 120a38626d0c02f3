//! Why there is no list, or no new one.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a list is not taken.
///
/// ```
/// use farcall_transport::allow::AllowList;
///
/// let error = AllowList::new(["10.0.0.0/8", "10.0.0.1/8"]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "allow-list, entry 2: `10.0.0.1/8` has bits beyond its prefix: write 10.0.0.0/8 for the \
///      network, 10.0.0.1 for the one address",
/// );
/// ```
#[derive(Debug)]
pub struct AllowListError {
    file: Option<PathBuf>,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Unread(io::Error),
    Entry { number: usize, mistake: String },
    Line { number: usize, mistake: String },
    Empty,
    NoFile,
}

impl AllowListError {
    pub(super) fn unread(file: &Path, error: io::Error) -> Self {
        Self::of(Some(file), Why::Unread(error))
    }

    /// An entry of that number.
    pub(super) fn entry((number, mistake): (usize, String)) -> Self {
        Self::of(None, Why::Entry { number, mistake })
    }

    /// A line of that number, in a file or a text.
    pub(super) fn in_line(file: Option<&Path>, (number, mistake): (usize, String)) -> Self {
        Self::of(file, Why::Line { number, mistake })
    }

    pub(super) fn empty(file: &Path) -> Self {
        Self::of(Some(file), Why::Empty)
    }

    pub(super) fn no_file() -> Self {
        Self::of(None, Why::NoFile)
    }

    fn of(file: Option<&Path>, why: Why) -> Self {
        let file = file.map(Path::to_owned);
        Self { file, why }
    }

    /// The number of the line that has the mistake, if it is in a line.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self.why {
            Why::Line { number, .. } => Some(number),
            _ => None,
        }
    }
}

impl fmt::Display for AllowListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("allow-list")?;
        if let Some(file) = &self.file {
            write!(f, " {}", file.display())?;
        }
        match &self.why {
            // With the reason, as a line of a log is often all that is kept.
            Why::Unread(error) => write!(f, ": cannot be read: {error}"),
            Why::Entry { number, mistake } => write!(f, ", entry {number}: {mistake}"),
            Why::Line { number, mistake } => write!(f, ", line {number}: {mistake}"),
            Why::Empty => f.write_str(": has no entry, so that nobody could come in"),
            Why::NoFile => f.write_str(": did not come from a file that could be read again"),
        }
    }
}

impl std::error::Error for AllowListError {}
