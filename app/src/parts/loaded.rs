//! Data of the server, waited for and shown.

use leptos::either::Either;
use leptos::prelude::*;
use leptos::tachys::view::keyed::keyed;

use super::icons;
use crate::error::AppError;
use crate::text::t;

/// Shows `view` of the resource's data, or the error as a page section. Nothing flickers while it is fetched anew.
///
/// Each answer makes its elements anew: an input that a person has touched keeps its text when it is merely patched, and
/// would then stand for another row.
pub(crate) fn loaded<T, V>(
    resource: Resource<Result<T, AppError>>,
    view: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let answers = StoredValue::new(0_usize);
    view! {
        <Transition fallback=|| view! { <p class="loading">{t("dashboard.loading")}</p> }>
            {
                let view = view.clone();
                move || {
                    let view = view.clone();
                    Suspend::new(async move {
                        let answer = resource.await;
                        answers.update_value(|count| *count += 1);
                        let show = move |_, (_, answer)| {
                            let shown = match answer {
                                Ok(data) => Either::Left(view(data).into_view()),
                                Err(error) => Either::Right(refusal(error)),
                            };
                            (|_| (), shown)
                        };
                        keyed([(answers.get_value(), answer)], |(number, _)| *number, show)
                    })
                }
            }
        </Transition>
    }
}

/// The same for a detail: nothing while it is fetched, and nothing where it is refused.
pub(crate) fn loaded_quietly<T, V>(
    resource: Resource<Result<T, AppError>>,
    view: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    view! {
        <Transition fallback=|| ()>
            {move || {
                let view = view.clone();
                Suspend::new(async move { resource.await.ok().map(view) })
            }}
        </Transition>
    }
}

fn refusal(error: AppError) -> impl IntoView {
    view! {
        <section class="empty" role="alert">
            {icons::warning()}
            <p>{error.message}</p>
            <p>
                <a class="button" href="/dashboard">
                    {t("dashboard.to_overview")}
                </a>
            </p>
        </section>
    }
}
