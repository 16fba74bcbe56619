//! What a form knows of its last refusal.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::error::AppError;

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

    /// The sentence for the whole form.
    pub(crate) fn message(self) -> Option<String> {
        self.error.with(|error| error.as_ref().map(|error| error.message.clone()))
    }

    /// The sentence for one field.
    pub(crate) fn problem(self, field: &str) -> Option<String> {
        self.error.with(|error| error.as_ref()?.field(field).map(str::to_owned))
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
