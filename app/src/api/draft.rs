//! A form that is filled in without a script: its page's address holds what was typed and what to do with it.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A form on its way.
#[derive(Debug, Deserialize)]
pub(super) struct Draft<F> {
    /// What was typed.
    pub(super) form: F,
    /// What to do: `check`, or a step such as `questions.add` or `questions.up.q003`.
    #[serde(default, rename = "do")]
    pub(super) step: String,
}

/// The draft in the query of a page's address. After a refusal there is none: that carries what was typed by itself.
pub(super) fn read<F: DeserializeOwned>(query: &str) -> Option<Draft<F>> {
    if query.is_empty() || query.contains("__err=") {
        return None;
    }
    serde_qs::Config::new(5, false).deserialize_str(query).ok()
}

impl<F> Draft<F> {
    /// Whether what would change is asked for.
    pub(super) fn is_check(&self) -> bool {
        self.step == "check"
    }

    /// List, verb and key of the step; the key is empty for a new row.
    pub(super) fn parts(&self) -> (&str, &str, &str) {
        let mut parts = self.step.splitn(3, '.');
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Form {
        name: String,
    }

    #[test]
    fn a_step_tells_its_list_its_verb_and_its_row() {
        let draft: Draft<Form> = read("form%5Bname%5D=a+b&do=questions.up.q003").unwrap();
        assert_eq!((draft.form.name.as_str(), draft.parts()), ("a b", ("questions", "up", "q003")));
        assert!(!draft.is_check());
    }

    #[test]
    fn an_address_without_a_form_or_with_a_refusal_is_no_draft() {
        for query in ["", "notice=saved", "form%5Bname%5D=a&__err=b"] {
            assert!(read::<Form>(query).is_none(), "{query}");
        }
    }
}
