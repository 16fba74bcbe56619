//! Parts of a form that most people leave as they are.

use leptos::prelude::*;

use super::form::FormState;
use super::icons;

/// A part that is closed until somebody wants it; what it is set to can be read without opening it. It opens by itself
/// where one of its fields is refused.
#[component]
pub(crate) fn Fold(
    form: FormState,
    id: &'static str,
    #[prop(into)] title: String,
    /// What it is set to, in a few words.
    #[prop(into)]
    state: String,
    /// The names of its fields, or of what holds them.
    fields: &'static [&'static str],
    #[prop(optional)] is_open: bool,
    children: Children,
) -> impl IntoView {
    let open = Memo::new(move |_| is_open || fields.iter().any(|field| form.problem_at(field).is_some()));
    view! {
        <details class="fold" id=id open=move || open.get()>
            <summary>
                <span class="fold-title">{title}</span>
                <span class="fold-state">{state}</span>
                {icons::chevron_down()}
            </summary>
            <div class="stack">{children()}</div>
        </details>
    }
}
