//! What a server says about itself.

/// Name and version of what a server serves, for its OpenRPC document.
///
/// ```
/// use farcall_core::{introspection::Info, router::Router};
///
/// let info = Info::new("phone book", "1.2.0").description("Who has which number.");
/// let router = Router::builder().info(info).build()?;
/// # let _ = router;
/// # Ok::<(), farcall_core::router::Conflict>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// What it is called: `farcall` if nobody says.
    pub title: String,
    /// The version of the methods as a whole, for those who call them: `0.0.0` if nobody says.
    pub version: String,
    /// More about it, in Markdown.
    pub description: Option<String>,
}

impl Info {
    /// A name and a version.
    pub fn new(title: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            version: version.into(),
            description: None,
        }
    }

    /// The same with a description, in Markdown.
    #[must_use]
    pub fn description(mut self, words: impl Into<String>) -> Self {
        self.description = Some(words.into());
        self
    }
}

impl Default for Info {
    fn default() -> Self {
        Self::new("farcall", "0.0.0")
    }
}
