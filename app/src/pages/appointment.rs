//! One appointment.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::appointments::StatusBadge;
use crate::api::appointments::{
    AppointmentCancel, AppointmentConfirm, AppointmentDecline, AppointmentDetailView, HistoryRow, OtherRow, appointment,
};
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
    let confirm = ServerAction::<AppointmentConfirm>::new();
    let decline = ServerAction::<AppointmentDecline>::new();
    let changes = [successes(cancel), successes(confirm), successes(decline)];
    let detail =
        Resource::new_blocking(move || (id.get(), changes.map(|count| count.get())), |(id, _)| appointment(id));
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/appointments">{icons::chevron_left()} <span>{t("dashboard.appointments")}</span></a>
        </nav>
        {loaded(detail, move |detail: AppointmentDetailView| {
            let id = detail.id.clone();
            let (can_cancel, can_decide) = (detail.can_cancel, detail.can_decide);
            let history = detail.history.clone();
            let (series, sharing) = (detail.series.clone(), detail.sharing.clone());
            let status = detail.status.clone();
            view! {
                <PageHead title=detail.title.clone() lead=detail.visitor_name.clone()>
                    <StatusBadge status/>
                </PageHead>
                <PageNotice/>
                <Standing detail=detail.clone()/>
                {can_decide.then(|| view! { <Decide confirm decline id=id.clone()/> })}
                <Facts detail/>
                <Others id="series" title=t("dashboard.series") text=t("dashboard.series_text") rows=series/>
                <Others id="sharing" title=t("dashboard.sharing") text=t("dashboard.sharing_text") rows=sharing/>
                {can_cancel.then(|| view! { <Cancel action=cancel id/> })}
                <History rows=history/>
            }
        })}
    }
    .into_any()
}

/// How it ended, until when it waits, or what else the host should know.
#[component]
fn Standing(detail: AppointmentDetailView) -> impl IntoView {
    let (is_pending, is_over) = (detail.status.is_pending(), detail.status.is_over());
    detail.standing.map(|standing| {
        let reason = detail.cancel_reason.map(|reason| view! { <q>{reason}</q> });
        let icon = match (is_pending, is_over) {
            (true, _) => icons::clock().into_any(),
            (_, true) => icons::cross().into_any(),
            (false, false) => icons::warning().into_any(),
        };
        view! { <p class="notice notice-warning">{icon} <span>{standing} " " {reason}</span></p> }
    })
}

/// The host's answer to an appointment that needs one.
#[component]
fn Decide(
    confirm: ServerAction<AppointmentConfirm>,
    decline: ServerAction<AppointmentDecline>,
    id: String,
) -> impl IntoView {
    let (confirming, form) = (FormState::of(confirm), FormState::of(decline));
    let open = form.message().is_some();
    let confirmed = id.clone();
    view! {
        <div class="decide">
            <div role="alert">
                {move || confirming.message().map(|message| view! { <p class="notice notice-error">{icons::warning()} <span>{message}</span></p> })}
            </div>
            <ActionForm action=confirm>
                <input type="hidden" name="id" value=confirmed/>
                <button type="submit" class="button button-primary" aria-busy=move || confirming.is_pending().then_some("true")>
                    {icons::check()} <span>{t("dashboard.confirm_appointment")}</span>
                </button>
            </ActionForm>
            <details class="confirm" open=open>
                <summary class="button button-quiet-danger">{t("dashboard.decline_appointment")}</summary>
                <div class="confirm-body card">
                    <p>{t("dashboard.decline_question")}</p>
                    <ActionForm action=decline>
                        <div class="stack">
                            <input type="hidden" name="form[id]" value=id/>
                            <TextArea
                                form
                                name="reason"
                                label=t("dashboard.cancel_reason")
                                hint=t("dashboard.cancel_reason_hint").to_owned()
                                is_optional=true
                                rows=3
                                scope="decline"
                            />
                            <FormEnd form submit=t("dashboard.decline_confirm")/>
                        </div>
                    </ActionForm>
                </div>
            </details>
        </div>
    }
    .into_any()
}

/// Appointments that belong to this one; nothing where there are none.
#[component]
fn Others(id: &'static str, title: &'static str, text: &'static str, rows: Vec<OtherRow>) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        let row = |row: OtherRow| {
            let href = format!("/dashboard/appointments/{}", row.id);
            view! {
                <li>
                    <a href=href>{row.text}</a>
                    {row.status.map(|status| view! { <StatusBadge status/> })}
                </li>
            }
        };
        view! {
            <section class="stack" aria-labelledby=id>
                <div class="section-lead">
                    <h2 id=id>{title}</h2>
                    <p class="hint">{text}</p>
                </div>
                <ul class="card list">{rows.into_iter().map(row).collect_view()}</ul>
            </section>
        }
        .into_any()
    })
}

#[component]
fn Facts(detail: AppointmentDetailView) -> impl IntoView {
    let mail = format!("mailto:{}", detail.visitor_email);
    let call = detail.visitor_phone.as_ref().map(|number| format!("tel:{number}"));
    view! {
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
                    .hosts
                    .map(|hosts| view! { <div><dt>{t("dashboard.hosts")}</dt><dd>{hosts}</dd></div> })}
                {detail
                    .answers
                    .into_iter()
                    .map(|(question, answer)| view! { <div><dt>{question}</dt><dd class="prewrap">{answer}</dd></div> })
                    .collect_view()}
                {detail
                    .visitor_notes
                    .map(|notes| view! { <div><dt>{t("dashboard.notes")}</dt><dd class="prewrap">{notes}</dd></div> })}
                {(!detail.tracking.is_empty())
                    .then(|| {
                        view! {
                            <div>
                                <dt>{t("dashboard.came_from")}</dt>
                                <dd class="prewrap">{detail.tracking.join("\n")}</dd>
                            </div>
                        }
                    })}
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
