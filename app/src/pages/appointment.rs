//! One appointment.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::api::appointments::{AppointmentCancel, AppointmentDetailView, HistoryRow, appointment};
use crate::parts::fields::{FormEnd, TextArea};
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::t;

#[component]
pub(crate) fn AppointmentPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let cancel = ServerAction::<AppointmentCancel>::new();
    let cancelled = successes(cancel);
    let detail = Resource::new_blocking(move || (id.get(), cancelled.get()), |(id, _)| appointment(id));
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/appointments">{icons::chevron_left()} <span>{t("dashboard.appointments")}</span></a>
        </nav>
        {loaded(detail, move |detail: AppointmentDetailView| {
            let id = detail.id.clone();
            let can_cancel = detail.can_cancel;
            let history = detail.history.clone();
            view! {
                <PageHead title=detail.title.clone() lead=detail.visitor_name.clone()/>
                <PageNotice/>
                <Facts detail/>
                {can_cancel.then(|| view! { <Cancel action=cancel id/> })}
                <History rows=history/>
            }
        })}
    }
    .into_any()
}

#[component]
fn Facts(detail: AppointmentDetailView) -> impl IntoView {
    let mail = format!("mailto:{}", detail.visitor_email);
    let call = detail.visitor_phone.as_ref().map(|number| format!("tel:{number}"));
    view! {
        {detail
            .cancelled
            .map(|cancelled| {
                let reason = detail.cancel_reason.map(|reason| view! { <q>{reason}</q> });
                view! { <p class="notice notice-warning">{icons::cross()} <span>{cancelled} " " {reason}</span></p> }
            })}
        <section class="card">
            <dl class="facts-list">
                <div>
                    <dt>{t("dashboard.when")}</dt>
                    <dd>
                        <strong>{detail.when}</strong> <small>{detail.time_zone}</small>
                        {detail
                            .when_for_visitor
                            .map(|when| view! { <small>{t("dashboard.for_visitor")} " " {when}</small> })}
                    </dd>
                </div>
                <div>
                    <dt>{t("dashboard.where")}</dt>
                    <dd>
                        {detail.location}
                        {detail.meeting_url.map(|url| view! { <a href=url.clone() rel="external noopener">{url.clone()}</a> })}
                    </dd>
                </div>
                <div>
                    <dt>{t("dashboard.visitor")}</dt>
                    <dd>
                        {detail.visitor_name} <a href=mail>{detail.visitor_email}</a>
                        {call.map(|call| view! { <a href=call>{detail.visitor_phone}</a> })}
                    </dd>
                </div>
                {detail
                    .visitor_notes
                    .map(|notes| view! { <div><dt>{t("dashboard.notes")}</dt><dd class="prewrap">{notes}</dd></div> })}
                <div>
                    <dt>{t("dashboard.in_calendar")}</dt>
                    <dd>
                        {detail.calendar}
                        {detail
                            .event_url
                            .map(|url| view! { <a href=url rel="external noopener">{t("dashboard.open_event")}</a> })}
                    </dd>
                </div>
            </dl>
        </section>
    }
    .into_any()
}

#[component]
fn Cancel(action: ServerAction<AppointmentCancel>, id: String) -> impl IntoView {
    let form = FormState::of(action);
    let open = form.message().is_some();
    view! {
        <details class="confirm" open=open>
            <summary class="button button-quiet-danger">{t("dashboard.cancel_appointment")}</summary>
            <div class="confirm-body card">
                <p>{t("dashboard.cancel_question")}</p>
                <ActionForm action>
                    <div class="stack">
                        <input type="hidden" name="form[id]" value=id/>
                        <TextArea
                            form
                            name="reason"
                            label=t("dashboard.cancel_reason")
                            hint=t("dashboard.cancel_reason_hint").to_owned()
                            is_optional=true
                            rows=3
                        />
                        <FormEnd form submit=t("dashboard.cancel_confirm")/>
                    </div>
                </ActionForm>
            </div>
        </details>
    }
    .into_any()
}

#[component]
fn History(rows: Vec<HistoryRow>) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        view! {
            <section aria-labelledby="history">
                <h2 id="history">{t("dashboard.history")}</h2>
                <ol class="history">
                    {rows
                        .into_iter()
                        .map(|row| view! { <li><span>{row.what}</span> <small>{row.at}</small></li> })
                        .collect_view()}
                </ol>
            </section>
        }
        .into_any()
    })
}
