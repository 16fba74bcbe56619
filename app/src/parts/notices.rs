//! What the last change came to.

use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::form::FormState;
use super::icons;
use crate::text::text_of;

/// Tells what the address says of the last change: `?notice=saved` (a key `dashboard.done_*`) or `?error=consent-denied` (the
/// code of an error). A form that was refused afterwards speaks for itself.
#[component]
pub(crate) fn PageNotice(
    /// The page's form.
    #[prop(optional)]
    form: Option<FormState>,
) -> impl IntoView {
    let query = use_query_map();
    let refused =
        move || query.with(|query| query.get("__err").is_some()) || form.is_some_and(|form| form.message().is_some());
    let notice = Memo::new(move |_| {
        let name = query.with(|query| query.get("notice")).filter(|_| !refused())?;
        text_of("dashboard.done_", &name)
    });
    let error = Memo::new(move |_| {
        let code = query.with(|query| query.get("error")).filter(|_| !refused())?;
        text_of("dashboard.error_", &code).or_else(|| text_of("error.", &code))
    });
    let told = NodeRef::<html::Div>::new();
    Effect::new(move |before: Option<Option<String>>| {
        let now = notice.get();
        // The form that led here is made anew, and the focus in it is gone.
        if let (Some(before), Some(_), Some(told)) = (before, &now, told.get_untracked())
            && before != now
        {
            crate::browser::focus(&told);
        }
        now
    });
    view! {
        <div role="status" tabindex="-1" node_ref=told>
            {move || notice.get().map(|text| view! { <p class="notice notice-success">{icons::check()} <span>{text}</span></p> })}
        </div>
        <div role="alert">
            {move || error.get().map(|text| view! { <p class="notice notice-error">{icons::warning()} <span>{text}</span></p> })}
        </div>
    }
}
