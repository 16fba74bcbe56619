//! Connected calendars: which block, which receives events.

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::calendars::{
    AccountDisconnect, AccountView, CalendarChoicesSave, CalendarView, CalendarsView, calendars,
};
use crate::parts::fields::{Confirm, FormEnd};
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn CalendarsPage() -> impl IntoView {
    let save = ServerAction::<CalendarChoicesSave>::new();
    let disconnect = ServerAction::<AccountDisconnect>::new();
    let (saved, disconnected) = (successes(save), successes(disconnect));
    let calendars = Resource::new_blocking(move || (saved.get(), disconnected.get()), |_| calendars());
    view! {
        <PageHead title=t("dashboard.calendars") lead=t("dashboard.calendars_lead")/>
        <PageNotice form=FormState::of(save)/>
        {loaded(calendars, move |view: CalendarsView| {
            let CalendarsView { google_configured, accounts, has_target } = view;
            view! {
                {if accounts.is_empty() {
                    Either::Left(view! { <Empty google_configured/> })
                } else {
                    Either::Right(view! { <Choices save disconnect accounts has_target google_configured/> })
                }}
            }
        })}
    }
    .into_any()
}

#[component]
fn Empty(google_configured: bool) -> impl IntoView {
    view! {
        <section class="empty">
            {icons::calendar()}
            <h2>{t("dashboard.no_calendar")}</h2>
            <p>{t("dashboard.no_calendar_text")}</p>
            <Connect google_configured label=t("dashboard.connect_google") is_primary=true/>
        </section>
    }
    .into_any()
}

#[component]
fn Connect(google_configured: bool, label: &'static str, is_primary: bool) -> impl IntoView {
    if google_configured {
        Either::Left(view! {
            <a class="button" class:button-primary=is_primary href="/oauth/google/start" rel="external">{label}</a>
        })
    } else {
        Either::Right(view! {
            <p class="notice notice-warning">
                {icons::warning()} <span>{t("dashboard.notice_no_google")}</span>
                <a href="/docs/connecting-google">{t("dashboard.how_to")}</a>
            </p>
        })
    }
}

#[component]
fn Choices(
    save: ServerAction<CalendarChoicesSave>,
    disconnect: ServerAction<AccountDisconnect>,
    accounts: Vec<AccountView>,
    has_target: bool,
    google_configured: bool,
) -> impl IntoView {
    let form = FormState::of(save);
    let disconnecting = FormState::of(disconnect);
    let foot = accounts
        .iter()
        .map(|account| (account.id.clone(), account.email.clone()))
        .map(|(id, email)| {
            view! {
                <div class="disconnect">
                    <span>{email}</span>
                    <Confirm label=t("dashboard.disconnect") question=t("dashboard.disconnect_question")>
                        <ActionForm action=disconnect>
                            <input type="hidden" name="id" value=id/>
                            <button type="submit" class="button button-danger">{t("dashboard.disconnect_confirm")}</button>
                        </ActionForm>
                    </Confirm>
                </div>
            }
        })
        .collect_view();
    view! {
        <ActionForm action=save>
            <div class="stack">
                {accounts.into_iter().map(|account| view! { <Account account google_configured/> }).collect_view()}
                <label class="choice choice-alone">
                    <input type="radio" name="form[receives]" value="" checked=!has_target/>
                    <span>{t("dashboard.receives_none")} <small>{t("dashboard.receives_none_text")}</small></span>
                </label>
                <FormEnd form submit=t("dashboard.save")/>
            </div>
        </ActionForm>
        <section class="quiet-section" aria-labelledby="accounts">
            <h2 id="accounts">{t("dashboard.accounts")}</h2>
            <div role="alert">{move || disconnecting.message().map(|message| view! { <p class="notice notice-error">{message}</p> })}</div>
            {foot}
            <Connect google_configured label=t("dashboard.connect_another") is_primary=false/>
        </section>
    }
    .into_any()
}

#[component]
fn Account(account: AccountView, google_configured: bool) -> impl IntoView {
    let heading = format!("account-{}", account.id);
    view! {
        <section class="card account" aria-labelledby=heading.clone()>
            <div class="section-head">
                <h2 id=heading.clone()>{account.email}</h2>
                <span class="badge" class:badge-wrong=account.needs_reconnect class:badge-good=!account.needs_reconnect>
                    "Google Calendar"
                </span>
            </div>
            <p class="hint">{account.state}</p>
            {account
                .needs_reconnect
                .then(|| view! { <p><Connect google_configured label=t("dashboard.reconnect") is_primary=true/></p> })}
            <table class="cards">
                <thead>
                    <tr>
                        <th scope="col">{t("dashboard.calendar")}</th>
                        <th scope="col">{t("dashboard.blocks")}</th>
                        <th scope="col">{t("dashboard.receives")}</th>
                    </tr>
                </thead>
                <tbody>{account.calendars.into_iter().map(|calendar| view! { <Row calendar/> }).collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Row(calendar: CalendarView) -> impl IntoView {
    let args: &[(&str, &dyn std::fmt::Display)] = &[("calendar", &calendar.name)];
    let (blocks, receives) = (tf("dashboard.blocks_of", args), tf("dashboard.receives_of", args));
    let color = calendar.color.unwrap_or_else(|| "currentColor".to_owned());
    view! {
        <tr>
            <th scope="row">
                <span class="calendar-name"><svg class="dot" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill=color></circle></svg>
                    {calendar.name}</span>
                {calendar.is_primary.then(|| view! { <span class="badge">{t("dashboard.primary")}</span> })}
                <small>{calendar.synced}</small>
                {calendar.problem.map(|problem| view! { <small class="problem">{icons::warning()} {problem}</small> })}
                <Also
                    id=calendar.id.clone()
                    tentative=calendar.tentative_blocks
                    unanswered=calendar.unanswered_blocks
                />
            </th>
            <td data-label=t("dashboard.blocks")>
                <label class="tick">
                    <input type="checkbox" name="form[blocks][]" value=calendar.id.clone() checked=calendar.checks_conflicts/>
                    <span class="visually-hidden">{blocks}</span>
                </label>
            </td>
            <td data-label=t("dashboard.receives")>
                {if calendar.can_write {
                    Either::Left(view! {
                        <label class="tick">
                            <input type="radio" name="form[receives]" value=calendar.id checked=calendar.receives_events/>
                            <span class="visually-hidden">{receives}</span>
                        </label>
                    })
                } else {
                    Either::Right(view! { <small>{t("dashboard.read_only")}</small> })
                }}
            </td>
        </tr>
    }
    .into_any()
}

/// What blocks besides events that stand; shown where the calendar blocks at all.
#[component]
fn Also(id: String, tentative: bool, unanswered: bool) -> impl IntoView {
    view! {
        <span class="also" role="group" aria-label=t("dashboard.also_blocks")>
            <label>
                <input type="checkbox" name="form[tentative][]" value=id.clone() checked=tentative/>
                <span>{t("dashboard.tentative_blocks")}</span>
            </label>
            <label>
                <input type="checkbox" name="form[unanswered][]" value=id checked=unanswered/>
                <span>{t("dashboard.unanswered_blocks")}</span>
            </label>
        </span>
    }
    .into_any()
}
