//! Data of the server, waited for and shown.

use leptos::either::Either;
use leptos::prelude::*;

use super::icons;
use crate::error::AppError;
use crate::text::t;

/// Shows `view` of the resource's data, or the error as a page section. Nothing flickers while it is fetched anew.
pub(crate) fn loaded<T, V>(
    resource: Resource<Result<T, AppError>>,
    view: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    view! {
        <Transition fallback=|| view! { <p class="loading">{t("dashboard.loading")}</p> }>
            {
                let view = view.clone();
                move || {
                    let view = view.clone();
                    Suspend::new(async move {
                        match resource.await {
                            Ok(data) => Either::Left(view(data)),
                            Err(error) => Either::Right(refusal(error)),
                        }
                    })
                }
            }
        </Transition>
    }
}

fn refusal(error: AppError) -> impl IntoView {
    view! {
        <section class="empty" role="alert">
            {icons::warning()} <p>{error.message}</p> <p><a class="button" href="/dashboard">{t("dashboard.to_overview")}</a></p>
        </section>
    }
}
