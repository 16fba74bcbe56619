//! The one error of the dashboard's server functions.
//!
//! It carries sentences in the reader's language, so the browser needs no catalogue of errors, and what was typed, so a
//! form that was sent without JavaScript is not lost with the redirect. Secrets are never among those values.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::text::t;

/// The name under which [`AppError::typed`] has a whole form, as JSON.
pub(crate) const WHOLE_FORM: &str = "*";

/// Why a server function refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    /// Stable and kebab-case, such as `not-found`.
    pub code: String,
    /// One sentence for the whole form or page. A problem document of the server (RFC 9457) has it as its title.
    #[serde(alias = "title")]
    pub message: String,
    /// Sentences for single fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldMessage>,
    /// What was typed, by field name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub typed: Vec<(String, String)>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMessage {
    /// The field's name within its form.
    pub field: String,
    /// One sentence.
    pub message: String,
}

impl AppError {
    /// The sentence for `field`, if there is one.
    pub fn field(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|entry| entry.field == field).map(|entry| entry.message.as_str())
    }

    /// What was typed into `field`, if it is known.
    pub fn typed(&self, field: &str) -> Option<&str> {
        self.typed.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// The same error for a form that has another name for a field.
    #[must_use]
    pub fn with_field_renamed(mut self, from: &str, to: &str) -> Self {
        self.fields.iter_mut().filter(|entry| entry.field == from).for_each(|entry| to.clone_into(&mut entry.field));
        self
    }

    /// The same error with the rows of a list told by their keys in the form, where the engine counts them:
    /// `hosts.1.weight` becomes `hosts.ana.weight`.
    #[must_use]
    pub fn with_rows_named(mut self, list: &str, keys: &[String]) -> Self {
        for entry in &mut self.fields {
            let rest = entry.field.strip_prefix(list).and_then(|rest| rest.strip_prefix('.'));
            let Some((number, within)) = rest.map(|rest| rest.split_once('.').unwrap_or((rest, ""))) else { continue };
            if let Some(key) = number.parse::<usize>().ok().and_then(|number| keys.get(number)) {
                entry.field = format!("{list}.{key}.{within}").trim_end_matches('.').to_owned();
            }
        }
        self
    }

    /// The same error with everything that was typed, for a form whose fields are not known by name.
    #[must_use]
    pub fn with_form(mut self, form: &impl Serialize) -> Self {
        self.typed = serde_json::to_string(form).map(|form| vec![(WHOLE_FORM.to_owned(), form)]).unwrap_or_default();
        self
    }

    /// The same error with the typed values.
    #[must_use]
    pub fn with_typed(mut self, typed: &[(&str, &str)]) -> Self {
        self.typed = typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let (code, key) = match &error {
            ServerFnErrorErr::Request(_) => ("unreachable", "dashboard.error_unreachable"),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Serialization(_) => {
                ("malformed-form", "dashboard.error_malformed")
            }
            _ => ("internal", "dashboard.error_internal"),
        };
        #[cfg(feature = "ssr")]
        tracing::warn!(%error, code, "a server function could not run");
        Self { code: code.to_owned(), message: t(key).to_owned(), ..Self::default() }
    }
}

#[cfg(feature = "ssr")]
mod from_engine {
    use cupo_core::text;
    use cupo_engine::EngineError;

    use super::{AppError, FieldMessage};
    use crate::text::locale;

    impl From<EngineError> for AppError {
        fn from(error: EngineError) -> Self {
            let locale = locale();
            let fields = match &error {
                EngineError::Invalid(errors) => errors
                    .0
                    .iter()
                    .map(|entry| FieldMessage {
                        field: entry.field.to_string(),
                        message: text::problem(locale, &entry.problem),
                    })
                    .collect(),
                _ => Vec::new(),
            };
            if matches!(error, EngineError::Store(_) | EngineError::Internal { .. }) {
                tracing::error!(%error, "a dashboard request failed");
            }
            Self {
                code: error.code().to_owned(),
                message: text::lookup(locale, error.key()).to_owned(),
                fields,
                typed: Vec::new(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_row_is_told_by_its_key() {
        let at = |field: &str| FieldMessage { field: field.to_owned(), message: String::new() };
        let fields = ["hosts.1.weight", "hosts.0", "hosts", "hosts.7.weight", "hosts_more.1"].map(at).to_vec();
        let error = AppError { fields, ..AppError::default() };
        let keys = ["ana".to_owned(), "ben".to_owned()];
        let named: Vec<_> = error.with_rows_named("hosts", &keys).fields.into_iter().map(|entry| entry.field).collect();
        assert_eq!(named, ["hosts.ben.weight", "hosts.ana", "hosts", "hosts.7.weight", "hosts_more.1"]);
    }
}
