//! What is wrong with a configuration, told so that it can be mended.

use std::fmt;
use std::path::Path;

/// One mistake: which key, and what would be right. Values of secret keys never appear here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key as in the file, such as `google.client_id`.
    pub key: String,
    /// The environment variable of the same meaning; `None` for a mistake that is not about a key.
    pub variable: Option<String>,
    /// What is wrong, a clause such as `is missing` or `is "abc"`.
    pub found: String,
    /// What would be right, a clause.
    pub right: String,
}

impl Mistake {
    pub(super) fn missing_file(path: &Path) -> Self {
        Self {
            key: path.display().to_string(),
            variable: None,
            found: "is no file".to_owned(),
            right: "give --config the path of a readable TOML file".to_owned(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variable {
            Some(variable) => write!(f, "{} ({variable}) {}: {}", self.key, self.found, self.right),
            None => write!(f, "{} {}: {}", self.key, self.found, self.right),
        }
    }
}

/// All mistakes of one configuration; never empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {}:", if self.0.len() == 1 { "a mistake" } else { "mistakes" })?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
    }
}
