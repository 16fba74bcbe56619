//! One schedule: weekly hours, dates with other hours, travel, holidays.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::api::rows::{Rows, key, next_number};
use crate::api::schedule::{
    OverrideRow, ScheduleDelete, ScheduleForm, SchedulePreview, ScheduleSave, ScheduleView, TravelRow, schedule,
};
use crate::parts::changes::{Changes, CheckButton};
use crate::parts::draft::{FirstButton, StepButton, use_draft};
use crate::parts::fields::{Confirm, FormEnd, Problem, SelectField, TextField, input_name};
use crate::parts::form::FormState;
use crate::parts::frame::PageHead;
use crate::parts::hours::{AddHours, Hours, HoursRows};
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::text::t;

#[component]
pub(crate) fn SchedulePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let draft = use_draft();
    let data = Resource::new_blocking(move || (id.get(), draft.get()), |(id, query)| schedule(id, query));
    let save = ServerAction::<ScheduleSave>::new();
    let check = ServerAction::<SchedulePreview>::new();
    let delete = ServerAction::<ScheduleDelete>::new();
    // A refusal of the one is out of date once the other was asked.
    Effect::new(move |_| {
        if save.pending().get() {
            check.clear()
        }
    });
    Effect::new(move |_| {
        if check.pending().get() {
            save.clear()
        }
    });
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/availability">{icons::chevron_left()} <span>{t("dashboard.availability")}</span></a>
        </nav>
        {loaded(data, move |view: ScheduleView| {
            let title = if view.title.is_empty() { t("dashboard.new_schedule").to_owned() } else { view.title.clone() };
            let form = FormState::of(save).or(FormState::of(check)).or_refused(view.refused.clone());
            let found = view.changes.clone();
            let deleted = (!view.title.is_empty()).then(|| (view.form.id.clone(), view.is_default, view.event_types.clone()));
            view! {
                <PageHead title/>
                <ActionForm action=save>
                    <div class="stack">
                        <FirstButton/>
                        <Fields form view/>
                        <FormEnd form submit=t("dashboard.save")>
                            <CheckButton check/>
                            <a class="button button-quiet" href="/dashboard/availability">{t("dashboard.back")}</a>
                        </FormEnd>
                    </div>
                </ActionForm>
                <Changes check found/>
                {deleted
                    .map(|(id, is_default, event_types)| view! { <Delete action=delete id is_default event_types/> })}
            }
        })}
    }
    .into_any()
}

#[component]
fn Fields(form: FormState, view: ScheduleView) -> impl IntoView {
    let stored = form.start(view.form);
    let zones: Vec<_> = view.time_zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " "))).collect();
    let days = view.days.into_iter().zip(stored.days().map(Clone::clone));
    let days =
        days.map(|((name, label), rows)| view! { <Day form name label rows=HoursRows::new(rows)/> }).collect_view();
    let ScheduleForm { id, name, time_zone, overrides, travels, holiday_calendar_ids, .. } = stored;
    view! {
        <input type="hidden" name="form[id]" value=id/>
        <section class="card stack">
            <div class="columns">
                <TextField form name="name" label=t("dashboard.site_name") value=name autocomplete="off"/>
                <SelectField form name="time_zone" label=t("dashboard.time_zone") options=zones.clone() value=time_zone/>
            </div>
            <p class="hint">{t("dashboard.availability_zone_hint")}</p>
        </section>
        <section class="card week" aria-labelledby="weekly">
            <div class="section-lead">
                <h2 id="weekly">{t("dashboard.weekly_hours")}</h2>
                <p class="hint">{t("dashboard.overnight_hint")}</p>
            </div>
            {days}
        </section>
        <Overrides form stored=overrides/>
        <Travels form stored=travels zones/>
        <Holidays calendars=view.holiday_calendars ticked=holiday_calendar_ids/>
    }
    .into_any()
}

#[component]
fn Day(form: FormState, name: String, label: String, rows: HoursRows) -> impl IntoView {
    view! {
        <fieldset class="day">
            <legend>{label.clone()}</legend>
            <div class="rows">
                <Hours rows name=name.clone() day=label.clone()/>
                <Problem form name=format!("weekly_hours.{name}")/>
            </div>
            <AddHours rows name day=label/>
        </fieldset>
    }
    .into_any()
}

/// Rows that a script adds and removes, under the keys that the server gives them without one.
fn rows_signal<R: Clone + Send + Sync + 'static>(stored: Rows<R>) -> (RwSignal<Vec<(String, R)>>, StoredValue<usize>) {
    let next = StoredValue::new(next_number(&stored));
    (RwSignal::new(stored.into_iter().collect()), next)
}

fn add_row<R: Default + Send + Sync + 'static>(rows: RwSignal<Vec<(String, R)>>, next: StoredValue<usize>) {
    let number = next.get_value();
    next.set_value(number + 1);
    rows.update(|rows| rows.push((key(number), R::default())));
}

#[component]
fn Overrides(form: FormState, stored: Rows<OverrideRow>) -> impl IntoView {
    let (rows, next) = rows_signal(stored);
    view! {
        <section class="card week" id="overrides" aria-labelledby="overrides-title">
            <div class="section-lead">
                <h2 id="overrides-title">{t("dashboard.overrides")}</h2>
                <p class="hint">{t("dashboard.overrides_text")}</p>
            </div>
            <For each=move || rows.get() key=|(key, _)| key.clone() let:row>
                <Override form row rows/>
            </For>
            <Problem form name="overrides"/>
            <StepButton step="overrides.add" anchor="overrides" class="button" act=move |_| add_row(rows, next)>
                {icons::plus()} <span>{t("dashboard.add_override")}</span>
            </StepButton>
        </section>
    }
    .into_any()
}

#[component]
fn Override(form: FormState, row: (String, OverrideRow), rows: RwSignal<Vec<(String, OverrideRow)>>) -> impl IntoView {
    let (key, OverrideRow { date, hours }) = row;
    let field = format!("overrides.{key}");
    let hours = HoursRows::new(hours);
    let (name, removed) = (format!("{field}.hours"), key.clone());
    view! {
        <fieldset class="day dated">
            <legend class="visually-hidden">{t("dashboard.override")}</legend>
            <input
                type="date"
                name=input_name(&format!("{field}.date"))
                value=date
                aria-label=t("dashboard.date")
                aria-invalid={
                    let field = field.clone();
                    move || form.problem_at(&field).map(|_| "true")
                }
            />
            <div class="rows">
                <Hours rows=hours name=name.clone() day=t("dashboard.override").to_owned()/>
                <Problem form name=field and_within=true/>
            </div>
            <div class="day-end">
                <AddHours rows=hours name day=t("dashboard.override").to_owned()/>
                <StepButton
                    step=format!("overrides.remove.{key}")
                    anchor="overrides"
                    class="button button-quiet button-icon"
                    label=t("dashboard.remove_override").to_owned()
                    act=move |_| rows.update(|rows| rows.retain(|(kept, _)| *kept != removed))
                >
                    {icons::cross()}
                </StepButton>
            </div>
        </fieldset>
    }
    .into_any()
}

#[component]
fn Travels(form: FormState, stored: Rows<TravelRow>, zones: Vec<(String, String)>) -> impl IntoView {
    let (rows, next) = rows_signal(stored);
    let none = (String::new(), t("dashboard.choose").to_owned());
    let zones = StoredValue::new(std::iter::once(none).chain(zones).collect::<Vec<_>>());
    view! {
        <section class="card week" id="travels" aria-labelledby="travels-title">
            <div class="section-lead">
                <h2 id="travels-title">{t("dashboard.travels")}</h2>
                <p class="hint">{t("dashboard.travels_text")}</p>
            </div>
            <For each=move || rows.get() key=|(key, _)| key.clone() let:row>
                <Travel form row rows zones/>
            </For>
            <Problem form name="travels"/>
            <StepButton step="travels.add" anchor="travels" class="button" act=move |_| add_row(rows, next)>
                {icons::plus()} <span>{t("dashboard.add_travel")}</span>
            </StepButton>
        </section>
    }
    .into_any()
}

#[component]
fn Travel(
    form: FormState,
    row: (String, TravelRow),
    rows: RwSignal<Vec<(String, TravelRow)>>,
    zones: StoredValue<Vec<(String, String)>>,
) -> impl IntoView {
    let (key, TravelRow { first, last, time_zone }) = row;
    let field = |name: &str| format!("travels.{key}.{name}");
    let removed = key.clone();
    view! {
        <fieldset class="travel">
            <legend class="visually-hidden">{t("dashboard.travel")}</legend>
            <TextField form name=field("first") label=t("dashboard.first_day") kind="date" value=first may_be_empty=true/>
            <TextField form name=field("last") label=t("dashboard.last_day") kind="date" value=last may_be_empty=true/>
            <SelectField
                form
                name=field("time_zone")
                label=t("dashboard.time_zone")
                options=zones.get_value()
                value=time_zone
            />
            <Problem form name=format!("travels.{key}")/>
            <StepButton
                step=format!("travels.remove.{key}")
                anchor="travels"
                class="button button-quiet button-icon"
                label=t("dashboard.remove_travel").to_owned()
                act=move |_| rows.update(|rows| rows.retain(|(kept, _)| *kept != removed))
            >
                {icons::cross()}
            </StepButton>
        </fieldset>
    }
    .into_any()
}

#[component]
fn Holidays(calendars: Vec<(String, String)>, ticked: Vec<String>) -> impl IntoView {
    let choices = if calendars.is_empty() {
        view! { <p>{t("dashboard.no_holiday_calendars")}</p> }.into_any()
    } else {
        let choice = |(id, name): (String, String)| {
            let is_ticked = ticked.contains(&id);
            view! {
                <label class="choice">
                    <input type="checkbox" name="form[holiday_calendar_ids][]" value=id checked=is_ticked/>
                    <span>{name}</span>
                </label>
            }
        };
        view! { <div class="choices">{calendars.into_iter().map(choice).collect_view()}</div> }.into_any()
    };
    view! {
        <section class="card" aria-labelledby="holidays-title">
            <div class="section-lead">
                <h2 id="holidays-title">{t("dashboard.holidays")}</h2>
                <p class="hint">{t("dashboard.holidays_schedule_text")}</p>
            </div>
            {choices}
        </section>
    }
    .into_any()
}

#[component]
fn Delete(
    action: ServerAction<ScheduleDelete>,
    id: String,
    is_default: bool,
    event_types: Vec<String>,
) -> impl IntoView {
    let form = FormState::of(action);
    let stays = match (is_default, event_types.is_empty()) {
        (true, _) => Some(t("dashboard.schedule_is_default").to_owned()),
        (false, false) => Some(format!("{} {}", t("dashboard.schedule_is_used"), event_types.join(", "))),
        (false, true) => None,
    };
    view! {
        <section class="quiet-section">
            <div role="alert">{move || form.message().map(|message| view! { <p class="notice notice-error">{message}</p> })}</div>
            {match stays {
                Some(stays) => view! { <p class="hint">{stays}</p> }.into_any(),
                None => {
                    view! {
                        <Confirm label=t("dashboard.delete_schedule") question=t("dashboard.delete_schedule_question")>
                            <ActionForm action>
                                <input type="hidden" name="id" value=id/>
                                <button type="submit" class="button button-danger">{t("dashboard.delete_confirm")}</button>
                            </ActionForm>
                        </Confirm>
                    }
                        .into_any()
                }
            }}
        </section>
    }
    .into_any()
}
