//! What stands behind the `?` of an address.

use std::fmt;

use super::Transport;

/// The options of an address, each as it is if nothing is said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Options {
    pub(super) http2: bool,
    pub(super) gzip: bool,
}

impl Options {
    /// Reads `name=value&name=value`, or why it cannot be.
    pub(super) fn parse(transport: Transport, text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        if text.is_empty() {
            return Ok(options);
        }
        if !matches!(transport, Transport::Http | Transport::Https) {
            return Err(format!("{} takes no options", transport.name()));
        }
        let mut names = Vec::new();
        for option in text.split('&') {
            match option {
                "version=1" => options.http2 = false,
                "version=2" => options.http2 = true,
                "gzip=0" => options.gzip = false,
                "gzip=1" => options.gzip = true,
                _ => {
                    return Err(format!(
                        "`{option}` is no option; there are version=1, version=2, gzip=0 and gzip=1"
                    ));
                }
            }
            let name = option.split('=').next().unwrap_or(option);
            if names.contains(&name) {
                return Err(format!("it says `{name}` twice"));
            }
            names.push(name);
        }
        Ok(options)
    }
}

/// As it stands in an address, with the `?`.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.http2, self.gzip) {
            (false, false) => "",
            (true, false) => "?version=2",
            (false, true) => "?gzip=1",
            (true, true) => "?version=2&gzip=1",
        })
    }
}
