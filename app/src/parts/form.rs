//! What a form knows of its last refusal.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use serde::de::DeserializeOwned;

use crate::error::{AppError, WHOLE_FORM};

/// The refusal of a form's action: shown beside the fields, and the source of what was typed before a redirect.
#[derive(Clone, Copy)]
pub(crate) struct FormState {
    error: Signal<Option<AppError>>,
    pending: Signal<bool>,
}

impl FormState {
    pub(crate) fn of<S>(action: ServerAction<S>) -> Self
    where
        S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
        S::Output: Send + Sync + 'static,
    {
        let value = action.value();
        Self {
            error: Signal::derive(move || {
                value.with(|value| value.as_ref().and_then(|result| result.as_ref().err().cloned()))
            }),
            pending: action.pending().into(),
        }
    }

    /// The same, for one of several forms that share an action: only when the refused form's `field` was `value`.
    pub(crate) fn only(self, field: &'static str, value: String) -> Self {
        let error = self.error;
        Self {
            error: Signal::derive(move || {
                error.get().filter(|error| error.typed(field).is_some_and(|typed| typed == value))
            }),
            ..self
        }
    }

    /// The same, for a form with two actions: what either of them refused.
    pub(crate) fn or(self, other: Self) -> Self {
        let (error, others) = (self.error, other.error);
        Self { error: Signal::derive(move || error.get().or_else(|| others.get())), ..self }
    }

    /// The same, for a form that arrived with a refusal.
    pub(crate) fn or_refused(self, refused: Option<AppError>) -> Self {
        let error = self.error;
        Self { error: Signal::derive(move || error.get().or_else(|| refused.clone())), ..self }
    }

    /// The sentence for the whole form.
    pub(crate) fn message(self) -> Option<String> {
        self.error.with(|error| error.as_ref().map(|error| error.message.clone()))
    }

    /// The sentence for one field.
    pub(crate) fn problem(self, field: &str) -> Option<String> {
        self.error.with(|error| error.as_ref()?.field(field).map(str::to_owned))
    }

    /// The first sentence for `name` or for anything within it, such as `overrides.a.date` within `overrides.a`.
    pub(crate) fn problem_at(self, name: &str) -> Option<String> {
        self.error.with(|error| {
            let within =
                |field: &str| field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            let found = error.as_ref()?.fields.iter().find(|entry| within(&entry.field))?;
            Some(found.message.clone())
        })
    }

    /// What the whole form starts with: what was typed before a refusal, else `stored`. See [`AppError::with_form`].
    pub(crate) fn start<T: DeserializeOwned>(self, stored: T) -> T {
        let typed = self.start_value(WHOLE_FORM, "");
        serde_json::from_str(&typed).unwrap_or(stored)
    }

    /// What the field starts with: the typed text after a refusal, else `stored`.
    pub(crate) fn start_value(self, field: &str, stored: impl Into<String>) -> String {
        let typed = self.error.with_untracked(|error| error.as_ref()?.typed(field).map(str::to_owned));
        typed.unwrap_or_else(|| stored.into())
    }

    pub(crate) fn is_pending(self) -> bool {
        self.pending.get()
    }
}

/// Counts the successes of an action: a resource that depends on it is fetched anew after each.
pub(crate) fn successes<S>(action: ServerAction<S>) -> Memo<usize>
where
    S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let value = action.value();
    Memo::new(move |before: Option<&usize>| {
        let succeeded = value.with(|value| matches!(value, Some(Ok(_))));
        before.copied().unwrap_or(0) + usize::from(succeeded)
    })
}
