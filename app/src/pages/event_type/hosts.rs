//! Who is booked: one host, any of several, all together.

use leptos::prelude::*;

use super::basics::options;
use crate::api::event_type::{EventTypeForm, HostRow, MemberCalendar, MemberView};
use crate::parts::fields::{Problem, RadioField, SelectField, TextField, TickField, input_name};
use crate::parts::fold::Fold;
use crate::parts::form::FormState;
use crate::text::{t, tf};

/// The style sheet shows the fields of the chosen assignment, and those of the hosts who take part.
#[component]
pub(super) fn Hosts(form: FormState, stored: EventTypeForm, members: Vec<MemberView>, state: String) -> impl IntoView {
    let EventTypeForm { assignment, single_host, host_choice, reschedule_to_any_host, mut hosts, .. } = stored;
    let unseen: Vec<_> = hosts.extract_if(.., |key, _| members.iter().all(|member| member.key != *key)).collect();
    let is_alone = members.len() < 2 && unseen.is_empty();
    let rows = members
        .into_iter()
        .map(|member| {
            let is_single = member.key == single_host;
            let row = hosts.get(&member.key).cloned().unwrap_or_default();
            view! { <Host form member row is_single is_alone/> }
        })
        .collect_view();
    view! {
        <Fold form id="hosts" title=t("dashboard.hosts") state fields=&["hosts"]>
            <div class="who-is-booked stack">
                {if is_alone {
                    view! { <input type="hidden" name="form[assignment]" value="single"/> }.into_any()
                } else {
                    view! {
                        <RadioField
                            name="assignment"
                            label=t("dashboard.assignment")
                            value=assignment
                            options=vec![
                                ("single", t("dashboard.assignment_single"), t("dashboard.assignment_single_text")),
                                (
                                    "round_robin",
                                    t("dashboard.assignment_round_robin"),
                                    t("dashboard.assignment_round_robin_text"),
                                ),
                                (
                                    "collective",
                                    t("dashboard.assignment_collective"),
                                    t("dashboard.assignment_collective_text"),
                                ),
                            ]
                        />
                    }
                        .into_any()
                }}
                <Problem form name="hosts"/>
                <ul class="host-rows">{rows}</ul>
                <p class="hint for-round-robin">{t("dashboard.weight_hint")}</p>
                {unseen.into_iter().map(|(key, row)| view! { <Unseen key row/> }).collect_view()}
                <div class="for-round-robin choices">
                    <TickField
                        name="host_choice"
                        label=t("dashboard.host_choice")
                        hint=t("dashboard.host_choice_text").to_owned()
                        value=host_choice
                    />
                    <TickField
                        name="reschedule_to_any_host"
                        label=t("dashboard.reschedule_to_any_host")
                        hint=t("dashboard.reschedule_to_any_host_text").to_owned()
                        value=reschedule_to_any_host
                    />
                </div>
            </div>
        </Fold>
    }
    .into_any()
}

/// A host whom only those who look after the organization can see; who saves keeps them as they are.
#[component]
fn Unseen(key: String, row: HostRow) -> impl IntoView {
    let field = |name: &str| input_name(&format!("hosts.{key}.{name}"));
    let ids = format!("{}[]", field("calendar_ids"));
    view! {
        <input type="hidden" name=field("takes_part") value=row.takes_part/>
        <input type="hidden" name=field("presence") value=row.presence/>
        <input type="hidden" name=field("weight") value=row.weight/>
        <input type="hidden" name=field("priority") value=row.priority/>
        <input type="hidden" name=field("schedule_id") value=row.schedule_id/>
        <input type="hidden" name=field("own_calendars") value=row.own_calendars/>
        {row.calendar_ids.into_iter().map(|id| view! { <input type="hidden" name=ids.clone() value=id/> }).collect_view()}
        <input type="hidden" name=field("target_calendar_id") value=row.target_calendar_id/>
    }
    .into_any()
}

#[component]
fn Host(form: FormState, member: MemberView, row: HostRow, is_single: bool, is_alone: bool) -> impl IntoView {
    let MemberView { key, name, schedules, calendars } = member;
    let field = |name: &str| format!("hosts.{key}.{name}");
    let schedules =
        std::iter::once((String::new(), t("dashboard.default_schedule").to_owned())).chain(schedules).collect();
    let takes_part = row.takes_part == "on";
    let chosen = if is_alone {
        view! { <input type="hidden" name="form[single_host]" value=key.clone()/> }.into_any()
    } else {
        view! {
            <label class="host-name for-single">
                <input type="radio" name="form[single_host]" value=key.clone() checked=is_single/>
                <span>{name.clone()}</span>
            </label>
            <label class="host-name for-several">
                <input type="checkbox" name=input_name(&field("takes_part")) value="on" checked=takes_part/>
                <span>{name}</span>
            </label>
        }
        .into_any()
    };
    view! {
        <li class="host" class:is-alone=is_alone>
            {chosen}
            <div class="host-body stack">
                <Problem form name=field("user_id")/>
                <div class="columns">
                    <SelectField
                        form
                        name=field("schedule_id")
                        label=t("dashboard.host_schedule")
                        options=schedules
                        value=row.schedule_id
                    />
                    <div class="for-round-robin pair even">
                        <TextField
                            form
                            name=field("weight")
                            label=t("dashboard.weight")
                            kind="number"
                            value=row.weight
                            may_be_empty=true
                        />
                        <TextField
                            form
                            name=field("priority")
                            label=t("dashboard.priority")
                            kind="number"
                            value=row.priority
                            may_be_empty=true
                        />
                    </div>
                    <div class="for-collective">
                        <SelectField
                            form
                            name=field("presence")
                            label=t("dashboard.presence")
                            options=options(
                                &[
                                    ("required", t("dashboard.presence_required")),
                                    ("optional", t("dashboard.presence_optional")),
                                ],
                            )
                            value=row.presence
                        />
                    </div>
                </div>
                <TargetCalendar form name=field("target_calendar_id") calendars=calendars.clone() value=row.target_calendar_id/>
                <Problem form name=field("conflict_calendar_ids")/>
                <OwnCalendars name=field("") calendars is_own=row.own_calendars ticked=row.calendar_ids/>
            </div>
        </li>
    }
    .into_any()
}

/// Where the events go: the usual calendar, or one of those that can be written to.
#[component]
fn TargetCalendar(form: FormState, name: String, calendars: Vec<MemberCalendar>, value: String) -> impl IntoView {
    let usual = match calendars.iter().find(|calendar| calendar.receives_events) {
        Some(calendar) => tf("dashboard.target_usual", &[("calendar", &told(calendar))]),
        None => t("dashboard.target_usual_none").to_owned(),
    };
    let writable = calendars.iter().filter(|calendar| calendar.can_write || calendar.id == value);
    let options: Vec<_> = std::iter::once((String::new(), usual))
        .chain(writable.map(|calendar| (calendar.id.clone(), told(calendar))))
        .collect();
    if options.len() == 1 && value.is_empty() {
        return view! { <input type="hidden" name=input_name(&name) value=""/> }.into_any();
    }
    view! {
        <SelectField
            form
            name
            label=t("dashboard.target_calendar")
            hint=t("dashboard.target_calendar_hint").to_owned()
            options
            value
        />
    }
    .into_any()
}

/// A calendar with the video meetings that it makes.
fn told(calendar: &MemberCalendar) -> String {
    let services: Vec<_> = calendar
        .meetings
        .iter()
        .filter_map(|kind| match kind.as_str() {
            "meet" => Some(t("dashboard.location_meet")),
            "teams" => Some(t("dashboard.location_teams")),
            _ => None,
        })
        .collect();
    if services.is_empty() { calendar.name.clone() } else { format!("{} ({})", calendar.name, services.join(", ")) }
}

/// `name` ends with the dot behind which the fields of the row begin.
#[component]
fn OwnCalendars(name: String, calendars: Vec<MemberCalendar>, is_own: String, ticked: Vec<String>) -> impl IntoView {
    let ids = format!("{}[]", input_name(&format!("{name}calendar_ids")));
    (!calendars.is_empty()).then(|| {
        view! {
            <div class="own-calendars">
                <TickField
                    name=format!("{name}own_calendars")
                    label=t("dashboard.own_calendars")
                    hint=t("dashboard.own_calendars_text").to_owned()
                    value=is_own
                    class="own"
                />
                <div class="choices">
                    {calendars
                        .into_iter()
                        .map(|calendar| {
                            let is_ticked = ticked.contains(&calendar.id);
                            view! {
                                <label class="choice">
                                    <input type="checkbox" name=ids.clone() value=calendar.id checked=is_ticked/>
                                    <span>{calendar.name}</span>
                                </label>
                            }
                        })
                        .collect_view()}
                </div>
            </div>
        }
    })
}
