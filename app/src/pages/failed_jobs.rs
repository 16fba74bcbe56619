//! Work that failed for good: once more, or never.

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::failed_jobs::{
    FailedJobDiscard, FailedJobRetry, FailedJobView, FailedJobsRetry, FailedJobsView, failed_jobs,
};
use crate::parts::fields::Confirm;
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn FailedJobsPage() -> impl IntoView {
    let retry = ServerAction::<FailedJobRetry>::new();
    let retry_all = ServerAction::<FailedJobsRetry>::new();
    let discard = ServerAction::<FailedJobDiscard>::new();
    let changes = [successes(retry), successes(retry_all), successes(discard)];
    let data = Resource::new_blocking(move || changes.map(|count| count.get()), |_| failed_jobs());
    let refused = FormState::of(retry).or(FormState::of(retry_all)).or(FormState::of(discard));
    view! {
        <PageHead title=t("dashboard.failed_jobs") lead=t("dashboard.failed_jobs_lead")/>
        <PageNotice form=refused/>
        <div role="alert">
            {move || {
                refused.message().map(|message| view! { <p class="notice notice-error">{icons::warning()} <span>{message}</span></p> })
            }}
        </div>
        {loaded(data, move |view: FailedJobsView| {
            let FailedJobsView { jobs, time_zone } = view;
            if jobs.is_empty() {
                return Either::Left(view! { <div class="empty">{icons::check()} <p>{t("dashboard.no_failed_jobs")}</p></div> });
            }
            Either::Right(view! {
                {(jobs.len() > 1).then(|| view! { <RetryAll action=retry_all/> })}
                {jobs.into_iter().map(|job| view! { <Failed retry discard job/> }).collect_view()}
                <p class="hint">{tf("dashboard.times_in", &[("zone", &time_zone)])}</p>
            })
        })}
    }
    .into_any()
}

#[component]
fn RetryAll(action: ServerAction<FailedJobsRetry>) -> impl IntoView {
    let form = FormState::of(action);
    view! {
        <ActionForm action>
            <button type="submit" class="button" aria-busy=move || form.is_pending().then_some("true")>
                {icons::refresh()} <span>{t("dashboard.failed_retry_all")}</span>
            </button>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Failed(
    retry: ServerAction<FailedJobRetry>,
    discard: ServerAction<FailedJobDiscard>,
    job: FailedJobView,
) -> impl IntoView {
    let title_id = format!("job-{}", job.id);
    let (labelled_by, discarded) = (title_id.clone(), job.id.clone());
    let about = match job.href {
        Some(href) => view! { <a href=href>{job.about}</a> }.into_any(),
        None => job.about.into_any(),
    };
    view! {
        <section class="card stack" aria-labelledby=labelled_by>
            <div class="section-lead">
                <h2 id=title_id>{job.what}</h2>
                <p>{about}</p>
            </div>
            <dl class="facts-list">
                <div><dt>{t("dashboard.failed_when")}</dt><dd>{job.given_up}</dd></div>
                <div><dt>{t("dashboard.failed_why")}</dt><dd>{job.why}</dd></div>
            </dl>
            <div class="buttons">
                <ActionForm action=retry>
                    <input type="hidden" name="id" value=job.id/>
                    <button type="submit" class="button">{icons::refresh()} <span>{t("dashboard.failed_retry")}</span></button>
                </ActionForm>
                <Confirm label=t("dashboard.failed_discard") question=t("dashboard.failed_discard_question")>
                    <ActionForm action=discard>
                        <input type="hidden" name="id" value=discarded/>
                        <button type="submit" class="button button-danger">{t("dashboard.failed_discard_confirm")}</button>
                    </ActionForm>
                </Confirm>
            </div>
        </section>
    }
    .into_any()
}
