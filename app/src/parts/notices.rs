//! What the last change came to.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::icons;
use crate::text::text_of;

/// Tells what the address says of the last change: `?notice=saved` (a key `dashboard.done_*`) or `?error=consent-denied` (the
/// code of an error).
#[component]
pub(crate) fn PageNotice() -> impl IntoView {
    let query = use_query_map();
    let notice = move || query.with(|query| query.get("notice").and_then(|name| text_of("dashboard.done_", &name)));
    let problem = move || {
        query.with(|query| {
            query.get("error").and_then(|code| text_of("dashboard.error_", &code).or_else(|| text_of("error.", &code)))
        })
    };
    view! {
        <div role="status">
            {move || notice().map(|text| view! { <p class="notice notice-success">{icons::check()} <span>{text}</span></p> })}
        </div>
        <div role="alert">
            {move || problem().map(|text| view! { <p class="notice notice-error">{icons::warning()} <span>{text}</span></p> })}
        </div>
    }
}
