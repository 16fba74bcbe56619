//! Which calendars block, and which one receives the appointments: over all accounts.

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::calendars::{AccountView, CalendarChoicesSave, CalendarView};
use crate::parts::fields::FormEnd;
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::{t, tf};

#[component]
pub(super) fn Choices(
    save: ServerAction<CalendarChoicesSave>,
    accounts: Vec<AccountView>,
    has_target: bool,
) -> impl IntoView {
    let form = FormState::of(save);
    view! {
        <section class="stack" id="choices" aria-labelledby="choices-title">
            <div class="section-lead">
                <h2 id="choices-title">{t("dashboard.choices")}</h2>
                <p class="hint">{t("dashboard.choices_text")}</p>
            </div>
            <ActionForm action=save>
                <div class="stack">
                    <table class="cards calendars">
                        <thead>
                            <tr>
                                <th scope="col">{t("dashboard.calendar")}</th>
                                <th scope="col">{t("dashboard.blocks")}</th>
                                <th scope="col">{t("dashboard.receives")}</th>
                            </tr>
                        </thead>
                        {accounts.into_iter().map(|account| view! { <Group account/> }).collect_view()}
                    </table>
                    <label class="choice choice-alone">
                        <input type="radio" name="form[receives]" value="" checked=!has_target/>
                        <span>{t("dashboard.receives_none")} <small>{t("dashboard.receives_none_text")}</small></span>
                    </label>
                    <FormEnd form submit=t("dashboard.save")/>
                </div>
            </ActionForm>
        </section>
    }
    .into_any()
}

/// The calendars of one account.
#[component]
fn Group(account: AccountView) -> impl IntoView {
    let AccountView { service, who, calendars, .. } = account;
    let is_empty = calendars.is_empty();
    view! {
        <tbody>
            <tr class="group">
                <th scope="rowgroup" colspan="3">
                    <span class="with-icon">{icons::service(&service)} <span>{who}</span></span>
                </th>
            </tr>
            {is_empty.then(|| view! { <tr><td colspan="3"><small>{t("dashboard.account_empty")}</small></td></tr> })}
            {calendars.into_iter().map(|calendar| view! { <Row calendar/> }).collect_view()}
        </tbody>
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
                <small>
                    {calendar.synced}
                    {calendar.meetings.map(|services| format!(" {}", tf("dashboard.makes_meetings", &[("services", &services)])))}
                </small>
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
