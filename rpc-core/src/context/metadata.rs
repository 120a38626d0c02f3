//! Names and values beside what a call is about.

use std::any::type_name;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::fault::{Fault, code, shown};

/// Names and values that travel beside the parameters, or beside a result. Names are compared without regard to case.
///
/// ```
/// use farcall_core::context::Metadata;
///
/// let mut metadata = Metadata::default();
/// metadata.insert("Trace-Id", "7f");
/// assert_eq!(metadata.get("trace-id"), Some("7f"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Shared by clones, as a context is cloned for each call; none if there are no entries.
    entries: Option<Arc<Vec<(String, String)>>>,
}

impl Metadata {
    /// The first value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The first value of `name`, read as a `T`; `None` if there is none.
    ///
    /// # Errors
    /// If it is no `T`.
    ///
    /// ```
    /// use farcall_core::context::Metadata;
    ///
    /// let mut metadata = Metadata::default();
    /// metadata.insert("tenant", "seven");
    /// assert_eq!(metadata.get_as::<u32>("user"), Ok(None));
    /// assert_eq!(
    ///     metadata.get_as::<u32>("tenant").unwrap_err().to_string(),
    ///     "metadata `tenant` is no `u32`: invalid digit found in string",
    /// );
    /// ```
    pub fn get_as<T>(&self, name: &str) -> Result<Option<T>, MetadataError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let value = self.get(name).map(str::parse);
        value.transpose().map_err(|error| {
            let kind = type_name::<T>();
            let kind = kind.rsplit("::").next().unwrap_or(kind);
            MetadataError(format!("metadata `{name}` is no `{kind}`: {error}"))
        })
    }

    /// Adds a value of `name`.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let entries = self.entries.get_or_insert_default();
        Arc::make_mut(entries).push((name.into(), value.into()));
    }

    /// All names and values, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.entries.iter().flat_map(|entries| entries.iter());
        entries.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// True if there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_none()
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| entries.len())
    }

    /// Drops those of the first `among` entries that are of `name`; gives how many they were.
    pub(crate) fn forget(&mut self, name: &str, among: usize) -> usize {
        let Some(entries) = &mut self.entries else {
            return 0;
        };
        let before = entries.len();
        let mut at = 0;
        Arc::make_mut(entries).retain(|(known, _)| {
            at += 1;
            at > among || !known.eq_ignore_ascii_case(name)
        });
        before - entries.len()
    }

    /// Fails if this could not be headers of HTTP, as it may have to become.
    pub(crate) fn check(&self) -> Result<(), MetadataError> {
        /// So much that every client of HTTP takes it beside the rest of a head.
        const MOST: usize = 8 * 1024;
        /// What an entry costs in HTTP/2 beside its bytes (RFC 9113, 6.5.2), and its longer name.
        const EACH: usize = 48;

        let all = self.iter().map(|(name, value)| {
            let bytes = name.len().saturating_add(value.len());
            bytes.saturating_add(EACH)
        });
        let all = all.fold(0, usize::saturating_add);
        if all > MOST {
            let why = "a reply's has 8 KiB at most, with 48 bytes for each entry";
            return Err(MetadataError(format!(
                "the metadata has {all} bytes: {why}"
            )));
        }
        for (name, value) in self.iter() {
            let unfit =
                |why| MetadataError(format!("metadata `{}` cannot be sent: {why}", shown(name)));
            if name.is_empty() || name.len() > 200 {
                return Err(unfit("a name has 1 to 200 bytes"));
            }
            if !name.bytes().all(is_of_names) {
                return Err(unfit("the name has characters that no header's may have"));
            }
            if value.trim_matches([' ', '\t']) != value {
                return Err(unfit(
                    "the value begins or ends with a blank, which would be lost",
                ));
            }
            if value
                .bytes()
                .any(|byte| byte.is_ascii_control() && byte != b'\t')
            {
                return Err(unfit("the value has control characters"));
            }
        }
        Ok(())
    }
}

/// What RFC 9110 calls a token.
fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Why metadata is not what it has to be.
///
/// As a fault it is the caller's: "invalid params".
///
/// ```
/// use farcall_core::context::{Metadata, MetadataError};
/// use farcall_core::fault::{Fault, code};
///
/// fn tenant(metadata: &Metadata) -> Result<u32, Fault> {
///     Ok(metadata.get_as("tenant")?.unwrap_or(0))
/// }
///
/// let mut metadata = Metadata::default();
/// metadata.insert("tenant", "seven");
/// assert_eq!(tenant(&metadata).unwrap_err().code, code::INVALID_PARAMS);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError(String);

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MetadataError {}

impl From<MetadataError> for Fault {
    fn from(error: MetadataError) -> Self {
        Self::new(code::INVALID_PARAMS, error.0)
    }
}
