//! An address that leads nowhere.

use leptos::prelude::*;

use crate::parts::frame::{PageHead, PlainFrame};
use crate::text::t;

#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <PlainFrame>
            <div class="narrow">
                <PageHead title=t("dashboard.not_found") lead=t("dashboard.not_found_lead")/>
                <p><a class="button" href="/">{t("dashboard.to_start")}</a></p>
            </div>
        </PlainFrame>
    }
    .into_any()
}
